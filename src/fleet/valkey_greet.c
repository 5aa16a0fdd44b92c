/* SPDX-License-Identifier: Apache-2.0 */

/* Greeting a server: who we are, what it is, and its scripts. */

#include <stdio.h>

#include "fleet/valkey_state.h"

/* What is said in GREETING, in this order; scripts follow. */
enum valkey_word {
    VALKEY_AUTH,
    VALKEY_SELECT,
    VALKEY_INFO,
    VALKEY_SCRIPTS,
};

static enum sotto_err write_greetings(struct sotto_valkey *link)
{
    char database[16];
    const struct sotto_valkey_options *o = &link->options;
    const sotto_span user = o->username.len != 0 ? o->username : SOTTO_LIT("default");
    const sotto_span auth[] = {SOTTO_LIT("AUTH"), user, o->password};
    snprintf(database, sizeof(database), "%u", o->database);
    const sotto_span choose[] = {SOTTO_LIT("SELECT"), sotto_span_str(database)};
    const sotto_span info[] = {SOTTO_LIT("INFO")};
    enum sotto_err err = SOTTO_OK;
    if (o->password.len != 0) {
        err = sotto_resp_write(auth, SOTTO_COUNT(auth), &link->out);
    }
    if (err == SOTTO_OK) {
        err = sotto_resp_write(choose, SOTTO_COUNT(choose), &link->out);
    }
    if (err == SOTTO_OK) {
        err = sotto_resp_write(info, SOTTO_COUNT(info), &link->out);
    }
    for (size_t i = 0; i < o->script_count && err == SOTTO_OK; i++) {
        const sotto_span load[] = {SOTTO_LIT("SCRIPT"), SOTTO_LIT("LOAD"),
                                   sotto_span_str(o->scripts[i].text)};
        err = sotto_resp_write(load, SOTTO_COUNT(load), &link->out);
    }
    link->said = o->password.len != 0 ? VALKEY_AUTH : VALKEY_SELECT;
    return err;
}

/* The value behind "\nNAME:" of INFO; empty: it is not told. */
static sotto_span info_of(sotto_span info, const char *name)
{
    sotto_span rest = info, want = sotto_span_str(name);
    while (rest.len > want.len) {
        const uint8_t *end = memchr(rest.base, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.base) : rest.len;
        sotto_span line = sotto_span_sub(rest, 0, len);
        if (line.len > want.len && sotto_span_starts(line, want) && line.base[want.len] == ':') {
            sotto_span value = sotto_span_skip(line, want.len + 1);
            bool cr = value.len != 0 && value.base[value.len - 1] == '\r';
            return sotto_span_sub(value, 0, value.len - (cr ? 1 : 0));
        }
        rest = sotto_span_skip(rest, end != NULL ? len + 1 : len);
    }
    return sotto_span_init(NULL, 0);
}

/* Whether the server may be used; with each start of it the sessions that it had are others'. */
static bool take_info(struct sotto_valkey *link, sotto_span info)
{
    sotto_span run_id = info_of(info, "run_id"), policy = info_of(info, "maxmemory_policy");
    sotto_span version = info_of(info, "redis_version");
    if (run_id.len != SOTTO_VALKEY_RUN_ID_LEN || version.len == 0) {
        valkey_refuse(link, "the server does not tell its run id and version (INFO)");
    } else if (version.base[0] < '6' && (version.len == 1 || version.base[1] == '.')) {
        valkey_refuse(link, "the server is older than Redis 6");
    } else if (!sotto_span_eq(info_of(info, "cluster_enabled"), SOTTO_LIT("0"))) {
        valkey_refuse(link, "the server is one of a cluster: give it a server of its own");
    } else if (!sotto_span_eq(info_of(info, "role"), SOTTO_LIT("master"))) {
        valkey_refuse(link, "the server is a replica: name the one that takes writes");
    } else if (!sotto_span_eq(policy, SOTTO_LIT("noeviction")) &&
               !sotto_span_eq(info_of(info, "maxmemory"), SOTTO_LIT("0"))) {
        valkey_refuse(link,
                      "the server may drop counters to make room: set its maxmemory-policy to "
                      "noeviction");
    } else {
        memcpy(link->run_id, run_id.base, run_id.len);
        return true;
    }
    return false;
}

void valkey_greet(struct sotto_valkey *link)
{
    link->state = VALKEY_GREETING;
    if (write_greetings(link) != SOTTO_OK) {
        valkey_lose(link, SOTTO_ENOMEM, "out of memory");
        return;
    }
    valkey_write_on(link);
    valkey_read_on(link);
}

void valkey_greeted(struct sotto_valkey *link, const struct sotto_resp_reply *reply)
{
    size_t word = link->said++;
    if (reply->value.kind == SOTTO_RESP_ERROR) {
        sotto_span text = reply->value.text;
        if (sotto_span_starts(text, SOTTO_LIT("LOADING"))) {
            valkey_lose(link, SOTTO_ECLOSED, "the server is loading its data");
        } else if (word == VALKEY_AUTH) {
            valkey_refuse(link, "the server refuses the username and password");
        } else if (sotto_span_starts(text, SOTTO_LIT("NOAUTH"))) {
            valkey_refuse(link, "the server wants a password");
        } else if (word == VALKEY_SELECT) {
            valkey_refuse(link, "the server has no such database, or this user may not use it");
        } else {
            valkey_refuse(link, "this user of the server may not run INFO and scripts");
        }
        return;
    }
    if (word == VALKEY_INFO && !take_info(link, reply->value.text)) {
        return;
    }
    if (word >= VALKEY_SCRIPTS &&
        !sotto_span_eq(reply->value.text,
                       sotto_span_str(link->options.scripts[word - VALKEY_SCRIPTS].sha1))) {
        valkey_refuse(link, "the server names a script otherwise: is it Valkey or Redis?");
        return;
    }
    if (link->said == VALKEY_SCRIPTS + link->options.script_count) {
        valkey_opened(link);
    }
}
