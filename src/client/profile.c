/* SPDX-License-Identifier: Apache-2.0 */

#include "client/profile.h"

#include <stdarg.h>
#include <stdio.h>

#include "sys/clock.h"

const struct sotto_client_profile *sotto_client_profile_find(sotto_span name)
{
    static const struct sotto_client_profile *const profiles[] = {
        &sotto_client_profile_native,
        &sotto_client_profile_privatemode,
    };
    for (size_t i = 0; i < SOTTO_COUNT(profiles); i++) {
        if (sotto_span_eq(name, sotto_span_str(profiles[i]->name))) {
            return profiles[i];
        }
    }
    return NULL;
}

bool client_check_known(struct client_agreement *agreement, const struct client_credential *what,
                        const uint8_t shown[SOTTO_KNOWN_BYTES])
{
    const struct sotto_link_options *o = agreement->options;
    const char *path = o->pinned_path != NULL ? o->pinned_path : o->known_path;
    enum sotto_err err =
        o->pinned_path != NULL
            ? what->pinned(path, shown)
            : sotto_known_first_use(path, what->member, sotto_span_str(agreement->gateway), shown,
                                    sotto_wall_s());
    if (err == SOTTO_EDENIED && o->pinned_path != NULL) {
        return client_fail(agreement, "The gateway at %s %s that is not in %s.", agreement->gateway,
                           what->one, path);
    }
    if (err == SOTTO_EDENIED) {
        return client_fail(agreement,
                           "The gateway at %s %s than before: it was set up anew, or somebody is "
                           "in between. If you know why, remove its line from %s.",
                           agreement->gateway, what->another, path);
    }
    return err == SOTTO_OK ||
           client_fail(agreement, "%s cannot be used: %s.", path, sotto_err_text(err));
}

bool client_is_type(const struct sotto_http_head *head, const char *want)
{
    sotto_span type = sotto_http_get(head, "content-type");
    const uint8_t *end = type.len != 0 ? memchr(type.base, ';', type.len) : NULL;
    if (end != NULL) {
        type.len = (size_t)(end - type.base);
    }
    while (type.len != 0 && type.base[type.len - 1] == ' ') {
        type.len--;
    }
    return sotto_span_ieq(type, sotto_span_str(want));
}

bool client_is_key_refused(struct client_agreement *agreement, int status)
{
    return (status == 401 || status == 403) &&
           !client_fail(agreement, "The gateway at %s refuses the key given with --key.",
                        agreement->gateway);
}

bool client_fail(struct client_agreement *agreement, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(agreement->why, sizeof(agreement->why), fmt, ap);
    va_end(ap);
    return false;
}
