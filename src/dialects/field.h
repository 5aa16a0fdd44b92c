/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DIALECTS_FIELD_H
#define SOTTO_DIALECTS_FIELD_H

/*
 * A place in a request's document and what can be wrong there, in the words of OpenAI's API:
 * "Invalid type for 'messages[2].content': expected a string, but got an integer instead.", with
 * its codes (missing_required_parameter, invalid_type, invalid_value, ...).  No sentence holds a
 * value of the request.
 */

#include "chat/problem.h"
#include "json/json.h"

/** A member (`key`) or, where `key` is NULL, an element (`index`) of what `up` names. */
struct sotto_field {
    const struct sotto_field *up; /* NULL: the top of the document */
    const char *key;
    size_t index;
};

/* Each fills `problem` and returns SOTTO_EINVAL. */

SOTTO_MUST_CHECK enum sotto_err sotto_field_missing(const struct sotto_field *field,
                                                    struct sotto_problem *problem);

/** @param expected  "a string", "an array of objects" */
SOTTO_MUST_CHECK enum sotto_err sotto_field_wrong_type(const struct sotto_field *field,
                                                       const char *expected, yyjson_mut_val *got,
                                                       struct sotto_problem *problem);

SOTTO_MUST_CHECK enum sotto_err sotto_field_empty_array(const struct sotto_field *field,
                                                        struct sotto_problem *problem);

/** @param words  the supported ones; ends with NULL */
SOTTO_MUST_CHECK enum sotto_err sotto_field_wrong_word(const struct sotto_field *field,
                                                       const char *const *words,
                                                       struct sotto_problem *problem);

/** What a member may be; `null` counts as absent for all of them. */
enum sotto_field_type {
    SOTTO_FIELD_STRING,
    SOTTO_FIELD_BOOLEAN,
    SOTTO_FIELD_INTEGER,
    SOTTO_FIELD_NUMBER,
    SOTTO_FIELD_OBJECT,
    SOTTO_FIELD_ARRAY,
    SOTTO_FIELD_STRING_OR_OBJECT,
    SOTTO_FIELD_STRING_OR_STRINGS,
};

struct sotto_field_rule {
    sotto_span key; /* SOTTO_FIELD_KEY(), of a literal */
    enum sotto_field_type type;
    int64_t min, max; /* of INTEGER and NUMBER */
};

/** The key of a rule; a C string, as it ends in a NUL. */
#define SOTTO_FIELD_KEY(text)                                                                      \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

/**
 * Checks the members of `obj` that have a rule; others are left alone.  A member that is null is
 * taken out: to upstreams it says the same and fewer of them choke on it.
 *
 * @param up        place of `obj`; NULL: the top
 * @retval SOTTO_EINVAL  `problem` names the first wrong member
 */
SOTTO_MUST_CHECK enum sotto_err sotto_field_check(yyjson_mut_val *obj, const struct sotto_field *up,
                                                  const struct sotto_field_rule *rules,
                                                  size_t count, struct sotto_problem *problem);

/** Whether `text` is one of `words`, which end with NULL. */
bool sotto_field_is_word(const yyjson_mut_val *text, const char *const *words);

#endif
