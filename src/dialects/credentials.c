/* SPDX-License-Identifier: Apache-2.0 */

#include "dialects/credentials.h"

#include "base/ct.h"

/* The token of "Bearer TOKEN" (RFC 6750 2.1; schemes are compared without case). */
static sotto_span bearer_token(sotto_span value)
{
    static const size_t scheme = sizeof("Bearer ") - 1;
    if (value.len <= scheme ||
        !sotto_span_ieq(sotto_span_sub(value, 0, scheme), SOTTO_LIT("Bearer "))) {
        return sotto_span_init(NULL, 0);
    }
    return sotto_span_trim(sotto_span_skip(value, scheme));
}

static sotto_span key_of_field(const struct sotto_http_field *field, sotto_span own)
{
    if (sotto_span_ieq(field->name, SOTTO_LIT("authorization"))) {
        return bearer_token(field->value);
    }
    if (sotto_span_ieq(field->name, SOTTO_LIT("x-api-key")) ||
        sotto_span_ieq(field->name, SOTTO_LIT("api-key")) ||
        (own.len != 0 && sotto_span_ieq(field->name, own))) {
        return field->value;
    }
    return sotto_span_init(NULL, 0);
}

enum sotto_err sotto_credentials(const struct sotto_http_head *head, const char *own,
                                 sotto_span *key)
{
    sotto_span found = sotto_span_init(NULL, 0);
    for (size_t i = 0; i < head->field_count; i++) {
        sotto_span one = key_of_field(&head->fields[i], sotto_span_str(own));
        if (one.len == 0) {
            continue;
        }
        if (found.len != 0 &&
            (found.len != one.len || !sotto_ct_equal(found.base, one.base, one.len))) {
            return SOTTO_EAUTH;
        }
        found = one;
    }
    *key = found;
    return SOTTO_OK;
}
