/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DIALECTS_LARAVEL_H
#define SOTTO_DIALECTS_LARAVEL_H

/*
 * A request's errors in the form of Laravel's validator (validation.php of Laravel 10 and later):
 *
 *   {"message": "Validation error", "errors": {"top_p": ["The top p field must be a number."]}}
 *
 * All fields are checked before the request is refused.  In sentences the underscores of a name
 * are spaces, but for names of nested fields ("messages.0.role"), which are printed as they are.
 */

#include "chat/call.h"
#include "chat/problem.h"

/** The errors found so far. */
struct sotto_laravel {
    struct sotto_buf errors; /* members of the object `errors`, without its braces */
    size_t count;
    char first[192]; /* the first sentence */
};

void sotto_laravel_init(struct sotto_laravel *check);
void sotto_laravel_free(struct sotto_laravel *check);

/** Writes the name of a nested field, "messages.3.role"; `member` may be NULL. */
void sotto_laravel_name(char *out, size_t size, const char *array, size_t index,
                        const char *member);

/**
 * Adds an error of the field `name`.
 *
 * @param sentence  a literal with one "%s" for the name
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err sotto_laravel_add(struct sotto_laravel *check, const char *name,
                                                  const char *sentence);

/*
 * Each adds at most one error of `val`, which may be NULL (absent) or null.  Errors as for
 * sotto_laravel_add().
 */

/** required|string */
SOTTO_MUST_CHECK enum sotto_err sotto_laravel_string(struct sotto_laravel *check, const char *name,
                                                     yyjson_mut_val *val);

/** in:...; what is not a string is left to sotto_laravel_string().  `words` ends with NULL. */
SOTTO_MUST_CHECK enum sotto_err sotto_laravel_in(struct sotto_laravel *check, const char *name,
                                                 yyjson_mut_val *val, const char *const *words);

/** nullable|numeric|between:min,max */
SOTTO_MUST_CHECK enum sotto_err sotto_laravel_between(struct sotto_laravel *check, const char *name,
                                                      yyjson_mut_val *val, int min, int max);

/** nullable|integer|min:min */
SOTTO_MUST_CHECK enum sotto_err sotto_laravel_integer(struct sotto_laravel *check, const char *name,
                                                      yyjson_mut_val *val, int64_t min);

/** nullable|boolean */
SOTTO_MUST_CHECK enum sotto_err sotto_laravel_boolean(struct sotto_laravel *check, const char *name,
                                                      yyjson_mut_val *val);

/**
 * Renders what was found into `problem`, whose details live in the call.
 *
 * @retval SOTTO_EINVAL  done
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err sotto_laravel_refuse(const struct sotto_laravel *check,
                                                     struct sotto_call *call,
                                                     struct sotto_problem *problem);

/** Appends the body with one error.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT  `out` unchanged */
SOTTO_MUST_CHECK enum sotto_err sotto_laravel_write(const char *name, const char *sentence,
                                                    struct sotto_buf *out);

#endif
