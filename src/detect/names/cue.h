/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NAMES_CUE_H
#define SOTTO_DETECT_NAMES_CUE_H

/*
 * What the words beside a capitalised word say about it, in points: fifty make a finding.
 */

#include "base/compiler.h"
#include "detect/names/token.h"

/** What speaks for a person, and for a place, to the left of a word. */
struct names_cue {
    int person;
    int place;
    bool field;  /* a field of a form: "Name:" */
    bool eponym; /* "maladie de" */
    int site;    /* 2: "admitted to", 1: "at" */
};

/** Whether only white space stands between word `i` and the one before it. */
bool sotto_names_joined(const struct names_tokens *t, size_t i);

/** The flags of the phrase of words `first` to `last`; 0 when it is none. */
uint32_t sotto_names_phrase(const struct names_tokens *t, size_t first, size_t last);

/** What the words before word `i` say. */
struct names_cue sotto_names_cue_before(const struct names_tokens *t, size_t i);

/** What the words behind word `i`, the last one of a name, say; *eponym: it names no person. */
int sotto_names_cue_behind(const struct names_tokens *t, size_t i, bool *eponym);

/** Whether word `i` begins a sentence or a line. */
bool sotto_names_begins(const struct names_tokens *t, size_t i);

/** Whether word `i` is one of `list`, whatever the case of its ASCII letters; the list is in lower case. */
bool sotto_names_is(const struct names_tokens *t, size_t i, const char *const *list, size_t count);

/** The same with the words as arguments. */
#define NAMES_IS(t, i, ...)                                                                        \
    sotto_names_is((t), (i), (const char *const[]){__VA_ARGS__},                                   \
                   SOTTO_COUNT(((const char *const[]){__VA_ARGS__})))

#endif
