/* SPDX-License-Identifier: Apache-2.0 */

#include "fleet/fleet.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "crypto/random.h"
#include "fleet/fleet_state.h"

#include "fleet/scripts.inc"

const struct sotto_valkey_script sotto_fleet_scripts[FLEET_SCRIPTS] = {FLEET_SCRIPT_ROWS};

/* --- commands ---------------------------------------------------------------------------------- */

void fleet_add(struct fleet_words *words, sotto_span word)
{
    if (words->count == FLEET_WORDS_MAX) {
        words->full = true;
        return;
    }
    words->list[words->count++] = word;
}

void fleet_add_text(struct fleet_words *words, const char *fmt, ...)
{
    va_list ap;
    char *at = words->text + words->used;
    size_t room = sizeof(words->text) - words->used;
    va_start(ap, fmt);
    int n = vsnprintf(at, room, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= room) {
        words->full = true;
        return;
    }
    words->used += (size_t)n + 1;
    fleet_add(words, sotto_span_init((const uint8_t *)at, (size_t)n));
}

void fleet_add_number(struct fleet_words *words, uint64_t number)
{
    fleet_add_text(words, "%" PRIu64, number);
}

void fleet_add_script(struct fleet_words *words, enum fleet_script script, size_t names)
{
    fleet_add(words, SOTTO_LIT("EVALSHA"));
    fleet_add(words, sotto_span_str(sotto_fleet_scripts[script].sha1));
    fleet_add_number(words, names);
}

enum sotto_err fleet_send(struct sotto_fleet *fleet, struct sotto_valkey_call *call,
                          sotto_valkey_fn *fn, const struct fleet_words *words)
{
    return words->full ? SOTTO_ELIMIT
                       : sotto_valkey_send(fleet->link, call, fn, words->list, words->count);
}

void fleet_end(struct sotto_valkey_call *link, enum sotto_err err)
{
    struct sotto_fleet_call *call = (struct sotto_fleet_call *)link;
    call->fn(call, err);
}

/* --- making ------------------------------------------------------------------------------------ */

static void on_open(void *ctx)
{
    fleet_tell_settlements(ctx);
}

static enum sotto_err name_thread(struct sotto_fleet *fleet)
{
    uint64_t n;
    enum sotto_err err = sotto_crypto_random(&n, sizeof(n));
    snprintf(fleet->thread, sizeof(fleet->thread), "%016" PRIx64, n);
    return err;
}

enum sotto_err sotto_fleet_new(struct sotto_loop *loop, const struct sotto_fleet_options *options,
                               struct sotto_fleet **out)
{
    struct sotto_fleet *fleet = sotto_calloc(1, sizeof(*fleet));
    if (fleet == NULL) {
        return SOTTO_ENOMEM;
    }
    fleet->options = options;
    struct sotto_valkey_options link = options->link;
    link.scripts = sotto_fleet_scripts;
    link.script_count = FLEET_SCRIPTS;
    link.on_open = on_open;
    link.ctx = fleet;
    enum sotto_err err = name_thread(fleet);
    if (err == SOTTO_OK) {
        err = sotto_aead_new(options->key, &fleet->aead);
    }
    if (err == SOTTO_OK) {
        err = sotto_valkey_new(loop, &link, &fleet->link);
    }
    if (err != SOTTO_OK) {
        sotto_fleet_free(fleet);
        return err;
    }
    *out = fleet;
    return SOTTO_OK;
}

void sotto_fleet_stop(struct sotto_fleet *fleet)
{
    fleet->stopped = true;
    sotto_valkey_stop(fleet->link);
}

void sotto_fleet_free(struct sotto_fleet *fleet)
{
    if (fleet != NULL) {
        fleet->stopped = true;
        sotto_valkey_free(fleet->link);
        fleet_drop_settlements(fleet);
        sotto_aead_free(fleet->aead);
        sotto_free(fleet);
    }
}

const struct sotto_valkey *sotto_fleet_store(const struct sotto_fleet *fleet)
{
    return fleet->link;
}
