/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_POLICY_MODE_H
#define SOTTO_POLICY_MODE_H

/*
 * Compliance modes: which findings are tokenized, generalised, blocked and which pass, and which
 * providers may have the rest.
 *
 * A mode is a row of a table: an action for each label, and exceptions for exact types (the word
 * FINER of a finding).  There are four built-in ones, `standard`, `hipaa` (the 18 identifiers of
 * the Safe Harbor rule, 45 CFR 164.514(b)(2)), `gdpr` (with the Swiss FADP) and `sox`; a mode of
 * one's own inherits from another and moves labels or exact types.  No mode lets pass what
 * `standard` tokenizes.
 *
 * A set of modes is immutable after it was made and may be shared by threads.
 */

#include "base/err.h"
#include "base/span.h"
#include "detect/finding.h"

/** Longest name of a mode. */
#define SOTTO_MODE_NAME_MAX 48

/** What happens to a finding; a later one is stricter. */
enum sotto_action {
    SOTTO_ACTION_PASS,       /* goes to the provider as it is */
    SOTTO_ACTION_GENERALISE, /* something coarser goes, without a way back (policy/generalise.h) */
    SOTTO_ACTION_TOKENIZE,   /* is replaced; never less strict than passing */
    SOTTO_ACTION_BLOCK,      /* the request is refused */
};

/** An exact type and the label that findings of it bear. */
struct sotto_finer_word {
    sotto_span name;
    enum sotto_label label;
};

/** A mode of one's own. */
struct sotto_mode_def {
    sotto_span name;            /* lower-case letters, digits and hyphens, a letter first */
    sotto_span inherits;        /* a built-in mode or an earlier or later definition */
    const sotto_span *tokenize; /* labels and exact types */
    size_t tokenize_count;
    const sotto_span *pass; /* labels and exact types; wins over what is inherited */
    size_t pass_count;
    const sotto_span *generalise; /* labels and exact types that there is a rule for */
    size_t generalise_count;
    const sotto_span *block; /* labels and exact types */
    size_t block_count;
    const sotto_span *agreements; /* that a provider must have, all of them; none: as inherited */
    size_t agreement_count;
    const sotto_span *regions; /* of which a provider must be in one; none: as inherited */
    size_t region_count;
    sotto_span content; /* images, audio, files: "pass" or "refuse"; empty: as inherited */
};

/** What of a definition is wrong. */
struct sotto_mode_error {
    size_t def;         /* its index */
    const char *field;  /* static: "inherits", "tokenize", ...; NULL: the definition itself */
    size_t item;        /* index into that list */
    char sentence[200]; /* "must be a label or an exact type, not 'PERSN'" */
};

struct sotto_mode;
struct sotto_modes;

/**
 * Makes the set of the built-in modes and `defs`.
 *
 * @param defs       borrowed for the call; may be NULL when `def_count` is 0
 * @param words      exact types beside the built-in ones: those of custom recognizers; borrowed
 * @param[out] out   set only on SOTTO_OK; freed with sotto_modes_free()
 * @param[out] wrong on SOTTO_EINVAL the first thing that is wrong; may be NULL
 *
 * @retval SOTTO_EINVAL  a name is bad or taken, a word unknown, inheritance goes in a circle, a
 *                       word stands in both lists, or the mode would pass what `standard` does not
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_modes_new(const struct sotto_mode_def *defs, size_t def_count,
                                                const struct sotto_finer_word *words,
                                                size_t word_count, struct sotto_modes **out,
                                                struct sotto_mode_error *wrong);

/** Frees the set and its modes; NULL is allowed. */
void sotto_modes_free(struct sotto_modes *modes);

/** The mode with this name; NULL: there is none.  Valid as long as the set. */
const struct sotto_mode *sotto_modes_find(const struct sotto_modes *modes, sotto_span name);

/** How many modes there are; the built-in ones come first. */
size_t sotto_modes_count(const struct sotto_modes *modes);

/** Mode number `i`, below the count. */
const struct sotto_mode *sotto_modes_at(const struct sotto_modes *modes, size_t i);

/** "hipaa". */
sotto_span sotto_mode_name(const struct sotto_mode *mode);

/** The word for answers: "hipaa-aligned"; `standard` stays "standard". */
sotto_span sotto_mode_answer_name(const struct sotto_mode *mode);

/**
 * Whether `mode` is at least as strict as `least`: whatever `least` does to a finding, it does
 * that or what is stricter, and
 * where `least` refuses images, audio and files, it does.  Both of one set.
 */
bool sotto_mode_covers(const struct sotto_mode *mode, const struct sotto_mode *least);

/**
 * What happens to one finding.
 *
 * The text decides where the exact type is not known: a DATE that is only a year is a YEAR, an AGE
 * in which not every number is at most 89 is an AGE_OVER_89.
 *
 * @param finer  name of the exact type; NULL or "": not known
 * @param text   the text of the finding
 */
enum sotto_action sotto_mode_action(const struct sotto_mode *mode, enum sotto_label label,
                                    const char *finer, sotto_span text);

/** A list of words, valid as long as the mode. */
struct sotto_mode_words {
    const sotto_span *items;
    size_t count;
};

/**
 * Contracts that a provider must have under this mode.
 *
 * @param require  whether those of built-in modes count (`policy.require_agreements`); those of a
 *                 mode of one's own always do
 */
struct sotto_mode_words sotto_mode_agreements(const struct sotto_mode *mode, bool require);

/** Regions of which a provider must be in one; empty: any. */
struct sotto_mode_words sotto_mode_regions(const struct sotto_mode *mode);

/**
 * Whether a finding is of a special category (GDPR, article 9) and is to be flagged: where people
 * come from, what they believe and think (the label NRP), and numbers given to them for purposes of
 * health (recital 35).  What the words of a text say about health is not found.
 *
 * @param finer  name of the exact type; NULL or "": not known
 */
bool sotto_mode_is_special(const struct sotto_mode *mode, enum sotto_label label,
                           const char *finer);

/**
 * Whether images, audio and files pass, with a word in the answer (`x-sotto-unprotected`); where
 * not, requests with such are refused (400 `content_not_protected`).
 */
bool sotto_mode_content_passes(const struct sotto_mode *mode);

#endif
