/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_FLEET_VALKEY_STATE_H
#define SOTTO_FLEET_VALKEY_STATE_H

/* The object behind fleet/valkey.h; shared by the files valkey*.c alone. */

#include "fleet/valkey.h"
#include "net/wire.h"

enum valkey_state {
    VALKEY_DOWN,
    VALKEY_RESOLVING,
    VALKEY_CONNECTING,
    VALKEY_SHAKING,
    VALKEY_GREETING,
    VALKEY_OPEN,
    VALKEY_STOPPED,
};

struct sotto_valkey {
    struct sotto_loop *loop;
    struct sotto_valkey_options options;
    _Atomic enum valkey_state state; /* changed in the loop's thread, read in any */
    struct sotto_watch watch;
    struct sotto_timer timer; /* end of a pause, of an attempt, of a call's time, of silence */
    struct sotto_task task;   /* begins to connect; tells that it is open */
    struct sotto_wire wire;
    struct sotto_lookup *lookup;
    struct sotto_addresses addresses;
    size_t address_at;
    size_t said;           /* greetings that were answered */
    struct sotto_buf in;   /* what was read and is no whole answer yet */
    struct sotto_buf out;  /* what is to be written; its first `sent` bytes are */
    struct sotto_buf held; /* commands that wait for the connection */
    size_t sent;
    struct sotto_valkey_call *first, *last; /* under way, oldest first */
    size_t calls;
    struct sotto_valkey_call sign; /* of life, asked for while nothing else is */
    int64_t pause_ms;
    bool refused, told;
    char run_id[SOTTO_VALKEY_RUN_ID_LEN + 1];
    char why[SOTTO_VALKEY_WHY_BYTES];
};

/* valkey.c */

/** Closes the socket and breaks the look-up off; the calls under way stay. */
void valkey_close_socket(struct sotto_valkey *link);

/** Ends the connection and all calls under way, and tries again after a pause. */
void valkey_lose(struct sotto_valkey *link, enum sotto_err err, const char *why);

/** It is there, and is not what can be used: nothing but its configuration changes that. */
void valkey_refuse(struct sotto_valkey *link, const char *why);

/** All greetings were answered: what waited goes out. */
void valkey_opened(struct sotto_valkey *link);

void valkey_read_on(struct sotto_valkey *link);
void valkey_write_on(struct sotto_valkey *link);

/* valkey_greet.c */

/** Begins to greet over the connection that is made. */
void valkey_greet(struct sotto_valkey *link);

/** One more greeting was answered. */
void valkey_greeted(struct sotto_valkey *link, const struct sotto_resp_reply *reply);

/* valkey_connect.c */

/** Begins to connect. */
void valkey_begin(struct sotto_valkey *link);

#endif
