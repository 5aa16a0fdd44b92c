/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PRESIDIO_ANSWER_H
#define SOTTO_PRESIDIO_ANSWER_H

/*
 * The answer to one request of Presidio's REST API, and Python's view of JSON values, by which
 * Presidio decides.  For the files of this folder.
 */

#include "base/buf.h"
#include "json/json.h"

/** Longest word of the caller that an answer repeats, in bytes. */
#define ANSWER_WORD_MAX 100

struct presidio_answer {
    int status;            /* 0: none yet */
    const char *type;      /* Content-Type */
    struct sotto_buf body; /* initialised by the owner */
};

/**
 * Makes the answer {"error": sentence}.
 *
 * @return SOTTO_EINVAL, so that a caller can end with it; SOTTO_ENOMEM
 */
SOTTO_PRINTF(3, 4)
SOTTO_MUST_CHECK enum sotto_err presidio_refuse(struct presidio_answer *answer, int status,
                                                const char *fmt, ...);

/** The answer for what Python's code did not expect: 500 "Internal server error". */
SOTTO_MUST_CHECK enum sotto_err presidio_refuse_internal(struct presidio_answer *answer);

/** What Python makes of a JSON value. */
enum presidio_kind {
    PRESIDIO_NONE, /* null, or not there */
    PRESIDIO_BOOL,
    PRESIDIO_INT,
    PRESIDIO_FLOAT,
    PRESIDIO_STR,
    PRESIDIO_LIST,
    PRESIDIO_DICT,
};

enum presidio_kind presidio_kind_of(const yyjson_mut_val *val);

/** Whether Python's `not value` holds: None, False, 0, "", [] and {}. */
bool presidio_is_falsy(const yyjson_mut_val *val);

/** Python's str() of a scalar: the text itself, "True", "None", a number as it was written. */
sotto_span presidio_str(const yyjson_mut_val *val);

/** The value of an int or a bool; what does not fit is the nearest that does. */
int64_t presidio_int(const yyjson_mut_val *val);

/** The beginning of a word of the caller, short enough to be repeated in a sentence. */
sotto_span presidio_word(sotto_span word);

#endif
