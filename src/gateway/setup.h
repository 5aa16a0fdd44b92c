/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_SETUP_H
#define SOTTO_GATEWAY_SETUP_H

/*
 * What a configuration comes to: detector, modes, upstreams with their providers.  Immutable and
 * counted: a request keeps the setup it began with, so that a reload changes nothing in flight.
 */

#include "config/config.h"
#include "detect/cache.h"
#include "upstream/provider.h"
#include "vault/vault.h"

struct sotto_setup_upstream {
    struct sotto_upstream wire;            /* spans borrowed from the configuration */
    const struct sotto_provider *provider; /* NULL: the built-in mirror */
    const struct sotto_config_upstream *config;
};

struct sotto_setup {
    struct sotto_config *config; /* owned */
    struct sotto_detector *detector;
    struct sotto_cache *cache;     /* of its findings; NULL: turned off */
    const struct sotto_mode *mode; /* the default one */
    enum sotto_style style;
    struct sotto_setup_upstream *upstreams; /* as many, in the order of the configuration */
    uint32_t number;                        /* no other setup of this process has it */
    unsigned refs;                          /* atomic */
};

/**
 * @param config    taken over on SOTTO_OK
 * @param[out] out  set only on SOTTO_OK; one reference, given back with sotto_setup_unref()
 * @param[out] why  on failure a sentence
 *
 * @retval SOTTO_EINVAL, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_setup_new(struct sotto_config *config,
                                                struct sotto_setup **out, char why[256]);

/** One reference more.  Any thread. */
struct sotto_setup *sotto_setup_ref(struct sotto_setup *setup);

/** One reference less; the last one frees.  NULL is allowed.  Any thread. */
void sotto_setup_unref(struct sotto_setup *setup);

#endif
