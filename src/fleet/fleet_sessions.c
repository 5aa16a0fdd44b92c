/* SPDX-License-Identifier: Apache-2.0 */

/* The sessions' side of fleet/fleet.h: what sessions.lua is asked and answers. */

#include <stdio.h>

#include "base/alloc.h"
#include "fleet/fleet_state.h"
#include "sys/clock.h"

/* Room for the name of an entry: prefix, run id, profile and id. */
#define SESSIONS_NAME_BYTES                                                                        \
    (SOTTO_FLEET_PREFIX_MAX + SOTTO_VALKEY_RUN_ID_LEN + 64 + 2 * SOTTO_SESSION_ID_MAX)

static void name_session(const struct sotto_fleet *fleet, const struct sotto_seal_profile *profile,
                         const struct sotto_session_id *id, char out[SESSIONS_NAME_BYTES])
{
    int n =
        snprintf(out, SESSIONS_NAME_BYTES, "%.*ssession:%s:%s:", SOTTO_FMT(fleet->options->prefix),
                 sotto_valkey_run_id(fleet->link), profile->name);
    for (size_t i = 0; i < id->len; i++) {
        n += snprintf(out + n, SESSIONS_NAME_BYTES - (size_t)n, "%02x", id->bytes[i]);
    }
}

/* Without a connection the run of the server, and so the name of an entry, is not known. */
static bool is_open(const struct sotto_fleet *fleet)
{
    return sotto_valkey_is_open(fleet->link);
}

static void begun(struct sotto_valkey_call *link, enum sotto_err err,
                  const struct sotto_resp_reply *reply)
{
    if (err == SOTTO_OK) {
        err = reply->value.kind != SOTTO_RESP_INT ? SOTTO_EIO
              : reply->value.number == 1          ? SOTTO_OK
                                                  : SOTTO_EEXISTS;
    }
    fleet_end(link, err);
}

enum sotto_err sotto_fleet_begin(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                 sotto_fleet_fn *fn, const struct sotto_session *session,
                                 int64_t life_s)
{
    struct fleet_words w = {.count = 0};
    struct sotto_buf wrapped;
    char name[SESSIONS_NAME_BYTES];
    if (!is_open(fleet)) {
        return SOTTO_ECLOSED;
    }
    *call = (struct sotto_fleet_call){.fleet = fleet, .fn = fn};
    name_session(fleet, session->profile, &session->id, name);
    sotto_buf_init(&wrapped, SOTTO_WRAP_BYTES_MAX);
    enum sotto_err err = sotto_wrap(fleet->aead, sotto_span_str(name), session, &wrapped);
    if (err == SOTTO_OK) {
        fleet_add_script(&w, FLEET_SESSIONS, 2);
        fleet_add_text(&w, "%s", name);
        fleet_add_text(&w, "%.*sowner:%s:%s", SOTTO_FMT(fleet->options->prefix),
                       sotto_valkey_run_id(fleet->link), session->owner);
        fleet_add(&w, SOTTO_LIT("begin"));
        fleet_add(&w, sotto_buf_span(&wrapped));
        fleet_add_number(&w, (uint64_t)life_s * 1000);
        fleet_add_number(&w, SOTTO_SESSIONS_PER_OWNER_MAX);
        err = fleet_send(fleet, &call->link, begun, &w);
    }
    sotto_buf_free(&wrapped);
    return err;
}

/* What does not open under our key is another fleet's: as good as not there. */
static enum sotto_err adopt(const struct sotto_fleet_call *call, sotto_span wrapped)
{
    char name[SESSIONS_NAME_BYTES];
    struct sotto_session session = {.profile = call->profile, .id = call->id};
    name_session(call->fleet, call->profile, &call->id, name);
    enum sotto_err err = sotto_unwrap(call->fleet->aead, sotto_span_str(name), wrapped, &session);
    if (err == SOTTO_OK) {
        err = sotto_sessions_put(call->sessions, &session, sotto_wall_s());
    }
    sotto_wipe(&session, sizeof(session));
    if (err == SOTTO_EEXISTS) { /* another thread was faster */
        return SOTTO_OK;
    }
    return err == SOTTO_EAUTH || err == SOTTO_EFORMAT || err == SOTTO_EINVAL || err == SOTTO_EQUOTA
               ? SOTTO_ENOTFOUND
               : err;
}

static void found(struct sotto_valkey_call *link, enum sotto_err err,
                  const struct sotto_resp_reply *reply)
{
    const struct sotto_fleet_call *call = (const struct sotto_fleet_call *)link;
    if (err == SOTTO_OK) {
        err =
            reply->value.kind == SOTTO_RESP_BULK ? adopt(call, reply->value.text) : SOTTO_ENOTFOUND;
    }
    fleet_end(link, err);
}

enum sotto_err sotto_fleet_find(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                sotto_fleet_fn *fn, const struct sotto_seal_profile *profile,
                                const struct sotto_session_id *id, struct sotto_sessions *sessions)
{
    struct fleet_words w = {.count = 0};
    char name[SESSIONS_NAME_BYTES];
    if (!is_open(fleet)) {
        return SOTTO_ECLOSED;
    }
    *call = (struct sotto_fleet_call){
        .fleet = fleet, .fn = fn, .profile = profile, .id = *id, .sessions = sessions};
    name_session(fleet, profile, id, name);
    fleet_add(&w, SOTTO_LIT("HGET"));
    fleet_add_text(&w, "%s", name);
    fleet_add(&w, SOTTO_LIT("s"));
    return fleet_send(fleet, &call->link, found, &w);
}

static void noted(struct sotto_valkey_call *link, enum sotto_err err,
                  const struct sotto_resp_reply *reply)
{
    if (err == SOTTO_OK) {
        err = reply->value.kind != SOTTO_RESP_INT ? SOTTO_EIO
              : reply->value.number == 1          ? SOTTO_OK
              : reply->value.number == 0          ? SOTTO_EAUTH
                                                  : SOTTO_ENOTFOUND;
    }
    fleet_end(link, err);
}

enum sotto_err sotto_fleet_once(struct sotto_fleet *fleet, struct sotto_fleet_call *call,
                                sotto_fleet_fn *fn, const struct sotto_session *session,
                                sotto_span nonce)
{
    struct fleet_words w = {.count = 0};
    char name[SESSIONS_NAME_BYTES];
    if (!is_open(fleet)) {
        return SOTTO_ECLOSED;
    }
    *call = (struct sotto_fleet_call){.fleet = fleet, .fn = fn};
    name_session(fleet, session->profile, &session->id, name);
    fleet_add_script(&w, FLEET_SESSIONS, 1);
    fleet_add_text(&w, "%s", name);
    fleet_add(&w, SOTTO_LIT("once"));
    fleet_add(&w, nonce);
    fleet_add_number(&w, SOTTO_SESSION_REQUESTS_MAX);
    return fleet_send(fleet, &call->link, noted, &w);
}
