/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_MEMBERS_H
#define SOTTO_SEAL_MEMBERS_H

/*
 * A JSON object whose members are sealed one by one (seal/field.h).  What is sealed is the JSON
 * text of a member's value; it stands in the object as a string in the value's place.  Fields are
 * numbered in the order of their keys: bytewise, where '.', '?' and '*' count as if a backslash
 * stood before them.  The order of the keys in the text is free.
 */

#include "seal/field.h"
#include "json/json.h"

/** Most members of an object; more are refused. */
#define SOTTO_MEMBERS_MAX 256

/** Which members of an object are sealed: tells it of one. */
typedef bool sotto_members_rule(sotto_span key, const yyjson_mut_val *value);

/**
 * Appends an opened member, key and value ("key":value), where its text is not the JSON that it
 * stands for.
 *
 * @param ctx        as it was given to sotto_members_open()
 * @param[out] done  whether it did; false: the member is as usual and `out` unchanged
 */
typedef enum sotto_err sotto_members_write(void *ctx, sotto_span key, sotto_span text, bool *done,
                                           struct sotto_buf *out);

/**
 * Opens the members for which `sealed` holds and appends the object with their values as one JSON
 * text.  That the values are JSON is left to whoever reads the text.
 *
 * @param write  gets each of them, with `ctx`; NULL: all are as usual
 *
 * @retval SOTTO_EAUTH   no object, too many members, nothing sealed, or a seal is not whole;
 *                       `plain` unchanged
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM, SOTTO_ECRYPTO, and what `write` returns  `plain` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_members_open(struct sotto_field_cipher *c,
                                                   const yyjson_mut_val *object,
                                                   sotto_members_rule *sealed,
                                                   sotto_members_write *write, void *ctx,
                                                   struct sotto_buf *plain);

/**
 * Appends the object with the values of the members for which `sealed` holds in sealed form; the
 * rest is written as it is.  Uses up one number of the answer for each sealed one.
 *
 * @param scratch  for one value; its content is lost
 *
 * @retval SOTTO_EINVAL  no object, or too many members; `out` unchanged
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM, SOTTO_ECRYPTO, SOTTO_ESTATE  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_members_seal(struct sotto_field_cipher *c, const yyjson_mut_val *object,
                   sotto_members_rule *sealed, struct sotto_buf *scratch, struct sotto_buf *out);

#endif
