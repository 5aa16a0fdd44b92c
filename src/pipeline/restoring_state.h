/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PIPELINE_RESTORING_STATE_H
#define SOTTO_PIPELINE_RESTORING_STATE_H

/*
 * What whole answers (restoring.c) and streams (restoring_stream.c) share.  For these two alone.
 */

#include "pipeline/answer_member.h"
#include "pipeline/logprobs.h"
#include "pipeline/restoring.h"

/* One text of a stream. */
struct restoring_strand {
    struct restoring_strand *next;
    struct strand *strand;
    size_t path_len;
    uint8_t path[];
};

/* The two lists of `logprobs` that spell a text. */
enum restoring_list {
    RESTORING_CONTENT,
    RESTORING_REFUSAL,
    RESTORING_LISTS,
};

struct restoring_choice {
    struct restoring_choice *next;
    int64_t index;
    bool role_seen;
    struct restoring_strand *strands;
    struct logprobs *logprobs[RESTORING_LISTS];
};

struct sotto_restoring {
    const struct sotto_vault *vault;
    yyjson_mut_doc *doc; /* of the call at hand */
    struct restoring_choice *choices;
    size_t strand_count;
    struct sotto_buf text; /* of one string after restoring */
    struct sotto_buf path; /* of the walk at hand */
    int64_t created;       /* of the first chunk; 0: not known */

    bool news;     /* the chunk at hand says something */
    bool withheld; /* a text of it was withheld as a whole */
};

/** Puts r->text in place of a string, where it differs.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err restoring_set(struct sotto_restoring *r, yyjson_mut_val *val);

/** Restores all strings of a value that is complete.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT */
SOTTO_MUST_CHECK enum sotto_err restoring_value(struct sotto_restoring *r, enum answer_place place,
                                                yyjson_mut_val *key, yyjson_mut_val *val);

/**
 * Moves the offsets of annotations, in code points, to where the text stands after restoring.
 *
 * @param content  the text they point into; NULL: nothing is moved
 */
void restoring_shift(const struct strand *content, yyjson_mut_val *annotations);

/**
 * Restores the lists of one choice; `state` has what is withheld of them.
 *
 * @param ends  the choice is over: nothing is withheld any more, `state` is freed
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err restoring_logprobs(struct sotto_restoring *r,
                                                   yyjson_mut_val *choice,
                                                   struct logprobs *state[RESTORING_LISTS],
                                                   bool ends);

/** Wipes and frees the texts of a choice. */
void restoring_free_strands(struct sotto_restoring *r, struct restoring_choice *choice);

#endif
