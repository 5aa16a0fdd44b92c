/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_PATTERN_CLUSTER_H
#define SOTTO_DETECT_PATTERN_CLUSTER_H

#include "detect/pattern/scan.h"

/*
 * A cluster is what a number may be written over: groups of letters and digits with single
 * separators between them ("+41 (0)44 668-18.00", "DE89 3704 0044 0532 0130 00").  Its characters
 * are kept normalised: ASCII, upper case, full-width and other decimal digits as ASCII ones, hidden
 * characters dropped.  Recognizers of numbers read the cluster and never the text.
 */

#define CLUSTER_GROUPS 14
#define CLUSTER_CHARS  64

struct group {
    uint32_t start; /* bytes of the text */
    uint32_t end;
    uint8_t at; /* place in `norm` */
    uint8_t len;
    uint8_t digits;
    char gap;    /* what stands before it: ' ', '-', '.', '/', ',', ':', '(' or ')'; 0: nothing */
    bool spaced; /* spaces stand beside the gap's sign */
};

struct cluster {
    size_t start;
    size_t end;
    size_t count;
    struct group groups[CLUSTER_GROUPS];
    char norm[CLUSTER_CHARS + 1];
    size_t norm_len;
    uint32_t before;  /* the character before, 0 at the start */
    uint32_t before2; /* the one before that */
    bool joined;      /* hangs on something to the left: "x-", "3." */
    bool free_left;   /* no letter or digit directly before */
    bool cut;         /* a group is too long or goes on in another script: only groups before it */
};

/** Reads the cluster whose first group begins at `at`; false when that is no letter or digit. */
bool cluster_read(struct scan *s, size_t at, struct cluster *out);

/** Whether group number `i` of the cluster is the last or nothing hangs on its end. */
bool cluster_free_right(const struct scan *s, const struct cluster *c, size_t i);

/** Number of characters in groups [first, last]. */
static inline size_t cluster_len(const struct cluster *c, size_t first, size_t last)
{
    return (size_t)(c->groups[last].at + c->groups[last].len - c->groups[first].at);
}

/* What the words around a number say; read when somebody asks. */
struct context {
    bool read;
    struct context_set behind; /* anywhere before, in the same sentence or line */
    struct context_set near;   /* right before it, with only fillers between */
    struct context_set after;  /* right behind it */
    enum context_kind label;   /* the label it directly belongs to */
    bool numbered;             /* "number", "No.", "#" right before it */
    bool sign;                 /* ':' '=' or '#' between the label and it */
    size_t label_start;
    uint32_t roles;       /* of the word right before it */
    uint32_t roles_after; /* of the word right behind it */
};

/** Reads the context of bytes [start, end). */
void context_read(struct scan *s, size_t start, size_t end, struct context *out);

/** Reads the context of a cluster, unless that was done. */
void context_need(struct scan *s, const struct cluster *c, struct context *ctx);

/** Whether a label may stand right before `at`: a look at one word, cheaper than the context. */
bool context_may_label(struct scan *s, size_t at);

/** Whether a kind of context stands anywhere around. */
static inline bool context_any(const struct context *c, enum context_kind kind)
{
    return context_in(&c->behind, kind) || context_in(&c->after, kind);
}

#endif
