/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_FLEET_FLEET_STATE_H
#define SOTTO_FLEET_FLEET_STATE_H

/* The object behind fleet/fleet.h; shared by the files fleet*.c alone. */

#include "fleet/fleet.h"
#include "fleet/wrap.h"

/** Scripts in the order of sotto_fleet_scripts. */
enum fleet_script {
    FLEET_LIMITS,
    FLEET_SESSIONS,
    FLEET_SCRIPTS,
};

extern const struct sotto_valkey_script sotto_fleet_scripts[FLEET_SCRIPTS];

/** Most words of a command, and room for the numbers and names among them. */
#define FLEET_WORDS_MAX 24
#define FLEET_TEXT_MAX  1024

struct fleet_settlement;

struct sotto_fleet {
    const struct sotto_fleet_options *options;
    struct sotto_valkey *link;
    struct sotto_aead *aead;
    char thread[2 * 8 + 1];  /* hexadecimal, random: this object among all of the fleet */
    uint64_t serial;         /* of the latest share */
    uint64_t settled_number; /* of the latest settlement */
    struct fleet_settlement *first, *last; /* not known to be told, oldest first */
    size_t settlements;
    bool stopped;
};

/** A command that is being put together; `text` holds what the words point to. */
struct fleet_words {
    sotto_span list[FLEET_WORDS_MAX];
    size_t count;
    char text[FLEET_TEXT_MAX];
    size_t used;
    bool full;
};

void fleet_add(struct fleet_words *words, sotto_span word);
SOTTO_PRINTF(2, 3)
void fleet_add_text(struct fleet_words *words, const char *fmt, ...);
void fleet_add_number(struct fleet_words *words, uint64_t number);

/** "EVALSHA", the script and how many of the words that follow are names. */
void fleet_add_script(struct fleet_words *words, enum fleet_script script, size_t names);

/** Sends it.  @retval SOTTO_ECLOSED, SOTTO_ELIMIT, SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err fleet_send(struct sotto_fleet *fleet,
                                           struct sotto_valkey_call *call, sotto_valkey_fn *fn,
                                           const struct fleet_words *words);

/** Ends a question. */
void fleet_end(struct sotto_valkey_call *link, enum sotto_err err);

/** Tells the settlements that were not told, in their order. */
void fleet_tell_settlements(struct sotto_fleet *fleet);

/** Forgets them. */
void fleet_drop_settlements(struct sotto_fleet *fleet);

#endif
