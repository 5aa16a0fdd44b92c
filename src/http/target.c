/* SPDX-License-Identifier: Apache-2.0 */

#include "http/target.h"

/* Characters that RFC 3986 allows in a path and a query; brackets are common in queries. */
static bool is_target_byte(uint8_t c)
{
    return c > 0x20 && c < 0x7f && strchr("\"#<>\\^`{|}", c) == NULL;
}

static bool all_bytes(sotto_span s, bool (*is_ok)(uint8_t c))
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_ok(s.base[i])) {
            return false;
        }
    }
    return true;
}

/* Letters of a host and port: RFC 3986 3.2 without user information. */
static bool is_host_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~%!$&'()*+,;=:[]", c) != NULL);
}

bool sotto_http_normalise_target(struct sotto_http_head *head)
{
    sotto_span target = head->target;
    if (!all_bytes(target, is_target_byte)) {
        return false;
    }
    if (target.len != 0 && target.base[0] == '/') {
        return true;
    }
    if (sotto_span_eq(target, SOTTO_LIT("*"))) {
        return sotto_span_eq(head->method, SOTTO_LIT("OPTIONS"));
    }
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < SOTTO_COUNT(schemes); i++) {
        sotto_span scheme = sotto_span_str(schemes[i]);
        if (target.len <= scheme.len ||
            !sotto_span_ieq(sotto_span_sub(target, 0, scheme.len), scheme)) {
            continue;
        }
        sotto_span rest = sotto_span_skip(target, scheme.len);
        const uint8_t *slash = memchr(rest.base, '/', rest.len);
        size_t n = slash != NULL ? (size_t)(slash - rest.base) : rest.len;
        if (n == 0 || !all_bytes(sotto_span_sub(rest, 0, n), is_host_byte)) {
            return false;
        }
        head->target = slash != NULL ? sotto_span_skip(rest, n) : SOTTO_LIT("/");
        return true;
    }
    return false;
}

bool sotto_http_is_host(sotto_span host)
{
    return all_bytes(host, is_host_byte);
}
