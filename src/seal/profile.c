/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/profile.h"

#include "base/alloc.h"

const struct sotto_seal_profile *const sotto_seal_profiles[] = {
    &sotto_seal_profile_native,
    &sotto_seal_profile_privatemode,
    &sotto_seal_profile_continuum,
    NULL,
};

const struct sotto_seal_profile *sotto_seal_profile_of(const struct sotto_http_head *head,
                                                       sotto_span body)
{
    for (size_t i = 0; sotto_seal_profiles[i] != NULL; i++) {
        if (sotto_seal_profiles[i]->accepts(head, body)) {
            return sotto_seal_profiles[i];
        }
    }
    return NULL;
}

const struct sotto_seal_route *sotto_seal_profile_route(sotto_span path,
                                                        const struct sotto_seal_profile **profile)
{
    for (size_t i = 0; sotto_seal_profiles[i] != NULL; i++) {
        const struct sotto_seal_profile *p = sotto_seal_profiles[i];
        for (size_t j = 0; j < p->route_count; j++) {
            if (sotto_span_eq(path, sotto_span_str(p->routes[j].path))) {
                *profile = p;
                return &p->routes[j];
            }
        }
    }
    return NULL;
}

void sotto_seal_exchange_free(struct sotto_seal_exchange *exchange)
{
    if (exchange != NULL) {
        exchange->profile->close(exchange);
        sotto_session_unref(exchange->session);
        sotto_free(exchange);
    }
}
