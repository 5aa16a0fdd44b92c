/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_VAULT_FORM_H
#define SOTTO_VAULT_FORM_H

/*
 * Stand-ins that are no tokens ("<PERSON_1>", "Velonakrel Torumilusk"), and how models spell them.
 * A form is a text to be found again: without regard to case, with a run of separators as in
 * vault/spelling.h for each run in it, "<" and ">" as HTML or with a backslash.  All forms of a
 * vault are one tree, so that a text is read once however many there are.
 *
 * For the files of this folder.
 */

#include "base/err.h"
#include "vault/spelling.h"

/** Longest form, in bytes; with separators added it must stay within SPELLING_MAX. */
#define FORM_MAX 40

/** What of an entry's value a form stands for. */
enum form_part {
    FORM_WHOLE,
    FORM_FIRST_WORD, /* the given name alone */
    FORM_LAST_WORD,  /* the family name alone */
    FORM_BARE,       /* the whole; its word must stand in capitals: "PERSON_1", not "person 1" */
};

struct form {
    uint32_t entry;
    uint8_t part; /* enum form_part */
    uint8_t len;
    char text[FORM_MAX];
};

struct form_node {
    uint32_t child, sibling; /* 0: none */
    uint32_t form;           /* number plus 1; 0: none ends here */
    uint8_t symbol;
};

/** Zero-initialised is empty and valid. */
struct form_tree {
    struct form_node *nodes; /* the root is number 0 */
    size_t node_count, node_cap;
    struct form *forms;
    size_t form_count, form_cap;
    bool begins[256]; /* bytes with which a spelling may begin */
};

/** Makes room for `n` more forms.  @retval SOTTO_ENOMEM  tree unchanged */
SOTTO_MUST_CHECK enum sotto_err form_reserve(struct form_tree *tree, size_t n);

/**
 * Adds a form; room must have been made.  One that is there keeps its meaning.
 *
 * @param text  of FORM_MAX bytes at most; no separator at its ends
 */
void form_add(struct form_tree *tree, sotto_span text, uint32_t entry, enum form_part part);

/** Whether this very form, in any spelling, is there. */
bool form_known(const struct form_tree *tree, sotto_span text);

/** Wipes and frees; the tree is empty afterwards. */
void form_free(struct form_tree *tree);

/**
 * Reads a form at the beginning of `text`: the longest one that may stand there.  In its own
 * spelling it may stand inside of a word; in another one it must be a word.
 *
 * @param inside        a letter or digit stands before
 * @param ends          nothing follows `text`
 * @param[out] form     set only on SPELLING_WHOLE, and so is `spelling`, of which `len` and the
 *                      marks are filled
 * @retval SPELLING_MORE  what follows decides; never for SPELLING_MAX bytes or more
 */
enum spelling_verdict form_read(const struct form_tree *tree, sotto_span text, bool inside,
                                bool ends, const struct form **form, struct spelling *spelling);

#endif
