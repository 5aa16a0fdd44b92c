/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/setup.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/alloc.h"

static atomic_uint setups; /* made so far */

static enum sotto_err add_upstreams(struct sotto_setup *s, char why[256])
{
    const struct sotto_config *c = s->config;
    s->upstreams = sotto_calloc(c->upstream_count, sizeof(*s->upstreams));
    if (s->upstreams == NULL) {
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < c->upstream_count; i++) {
        const struct sotto_config_upstream *from = &c->upstreams[i];
        struct sotto_setup_upstream *up = &s->upstreams[i];
        up->config = from;
        up->wire = (struct sotto_upstream){
            .name = from->name,
            .kind = from->kind,
            .host = from->url.host,
            .port = from->url.port,
            .tls = from->url.tls,
            .base_path = from->url.base_path,
            .key = from->key,
            .api_version = from->api_version,
            .trusted = from->trusted,
            .region = from->region,
        };
        up->provider = sotto_provider_by_kind(from->kind);
        if (up->provider == NULL && !sotto_span_eq(from->kind, SOTTO_LIT("mirror"))) {
            snprintf(why, 256, "upstream %.*s: no provider of kind %.*s", SOTTO_FMT(from->name),
                     SOTTO_FMT(from->kind));
            return SOTTO_EINVAL;
        }
    }
    return SOTTO_OK;
}

enum sotto_err sotto_setup_new(struct sotto_config *config, struct sotto_setup **out, char why[256])
{
    struct sotto_setup *s = sotto_calloc(1, sizeof(*s));
    why[0] = '\0';
    if (s == NULL) {
        return SOTTO_ENOMEM;
    }
    s->config = config;
    s->number = atomic_fetch_add(&setups, 1) + 1;
    s->refs = 1;
    s->mode = sotto_modes_find(config->privacy.modes, config->privacy.mode);

    enum sotto_err err = SOTTO_EINVAL;
    if (s->mode == NULL) {
        snprintf(why, 256, "privacy.mode: there is no mode %.*s", SOTTO_FMT(config->privacy.mode));
    } else if (!sotto_style_parse(config->privacy.style, &s->style)) {
        snprintf(why, 256, "privacy.style: there is no style %.*s",
                 SOTTO_FMT(config->privacy.style));
    } else {
        err = sotto_detector_new(&config->privacy.detect, &s->detector, why);
    }
    if (err == SOTTO_OK && config->privacy.cache_bytes != 0) {
        err = sotto_cache_new((size_t)config->privacy.cache_bytes, &s->cache);
    }
    if (err == SOTTO_OK) {
        err = add_upstreams(s, why);
    }
    if (err != SOTTO_OK) {
        s->config = NULL; /* stays the caller's */
        sotto_setup_unref(s);
        return err;
    }
    *out = s;
    return SOTTO_OK;
}

struct sotto_setup *sotto_setup_ref(struct sotto_setup *setup)
{
    __atomic_fetch_add(&setup->refs, 1, __ATOMIC_RELAXED);
    return setup;
}

void sotto_setup_unref(struct sotto_setup *setup)
{
    if (setup == NULL || __atomic_fetch_sub(&setup->refs, 1, __ATOMIC_ACQ_REL) != 1) {
        return;
    }
    sotto_cache_free(setup->cache);
    sotto_detector_free(setup->detector);
    sotto_free(setup->upstreams);
    sotto_config_free(setup->config);
    sotto_free(setup);
}
