/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ROOM_CATALOG_H
#define SOTTO_GATEWAY_ROOM_CATALOG_H

/*
 * The models behind a pattern: "*" and "claude-*" serve names that only the upstream can list.  A
 * room asks each such upstream when somebody asks for the list, and keeps what it said for a
 * while.  An upstream that does not say within ROOM_CATALOG_WAIT_MS has no names in the list; its
 * models can be called all the same.
 *
 * Used by the files room*.c alone, in the room's thread.
 */

#include "gateway/room_stream.h"

/** Longest that somebody waits for one upstream's list. */
#define ROOM_CATALOG_WAIT_MS 5000

/** How long a list, and the news that there is none, are kept. */
#define ROOM_CATALOG_KEEP_MS 60000
#define ROOM_CATALOG_SHUN_MS 10000

/** Longest list and longest name that are taken. */
#define ROOM_CATALOG_BYTES      ((size_t)1 << 20)
#define ROOM_CATALOG_NAME_BYTES 256

/** The list of one upstream. */
struct room_catalog {
    yyjson_mut_doc *doc; /* as the upstream sent it; NULL: it has none */
    int64_t until_ms;    /* 0: never asked */
};

/**
 * Asks the next upstream that has to be asked for this request.
 *
 * @return  false: none is left, the list can be written
 */
bool room_catalog_ask(struct room_stream *s);

/** Takes a piece of the upstream's list.  @return true: it is complete, go on */
bool room_catalog_answer(struct room_stream *s, const struct sotto_door_msg *msg);

/** The upstream gives no list to this request: go on without. */
void room_catalog_fail(struct room_stream *s);

/** The same, and the request to the upstream is broken off: it takes too long. */
void room_catalog_give_up(struct room_stream *s);

/** What the upstream listed: an array of objects with an `id`, borrowed; NULL: nothing. */
yyjson_mut_val *room_catalog_names(const struct room_stream *s, size_t upstream);

/** Forgets all: another setup counts, or the room ends. */
void room_catalog_clear(struct sotto_room *room);

#endif
