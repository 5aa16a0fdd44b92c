/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_UPSTREAM_MIRROR_PLAN_H
#define SOTTO_UPSTREAM_MIRROR_PLAN_H

/* What the mirror is going to say to a chat call, before it is cut into words and chunks. */

#include "upstream/mirror.h"

/** Most tokens of the prompt that an answer names. */
#define SOTTO_MIRROR_TOKENS_MAX 16

/** Longest part of the prompt that an answer repeats. */
#define SOTTO_MIRROR_ECHO_MAX ((size_t)64 << 10)

struct sotto_mirror_choice {
    struct sotto_buf tool; /* name of the function to be called; empty: none */
    struct sotto_buf text; /* what is said, or the arguments */
    const char *finish;    /* finish_reason */
};

struct sotto_mirror_plan {
    struct sotto_mirror_choice *choices;
    size_t count;
    int64_t prompt_words;
    int64_t answer_words;
    bool logprobs;
    bool top_logprobs;
};

/**
 * Plans the answer.
 *
 * @param[out] plan  to be freed with sotto_mirror_plan_free() in any case
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err sotto_mirror_plan(const struct sotto_call *call,
                                                  bool (*is_token)(sotto_span word),
                                                  struct sotto_mirror_plan *plan);

/** Wipes and frees. */
void sotto_mirror_plan_free(struct sotto_mirror_plan *plan);

/** The first word of `text` with the white space before it; empty only when `text` is. */
sotto_span sotto_mirror_word(sotto_span text);

/** How many such words there are. */
int64_t sotto_mirror_words(sotto_span text);

#endif
