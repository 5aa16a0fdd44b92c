/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_POSTGRES_WATCH_H
#define SOTTO_STORE_POSTGRES_WATCH_H

/*
 * Notices what others change: a thread with a connection of its own that listens for `sotto_keys`
 * and asks for the number of the keys' state every second besides, for notifications that were
 * lost.  It connects again by itself; how long ago it last knew the number says how far the keys in
 * memory can be trusted.
 */

#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/span.h"

/** Between two questions. */
#define POSTGRES_POLL_MS 1000

struct postgres_watch;

/** @param[out] out  freed with postgres_watch_free().  @retval SOTTO_EINVAL, SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err postgres_watch_new(sotto_span url, struct postgres_watch **out);

/** Ends the thread; NULL is allowed. */
void postgres_watch_free(struct postgres_watch *watch);

/**
 * Starts the thread.
 *
 * @param trust_ms  see postgres_watch_trusted()
 * @retval SOTTO_EIO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err postgres_watch_start(struct postgres_watch *watch,
                                                     uint64_t trust_ms);

/** Rises whenever the keys may have changed.  From any thread. */
uint64_t postgres_watch_generation(const struct postgres_watch *watch);

/** The keys have changed, by this process.  From any thread. */
void postgres_watch_bump(struct postgres_watch *watch);

/**
 * Whether the server told the number of the keys' state not longer than `trust_ms` ago; always
 * while the thread was not started.  From any thread.
 */
bool postgres_watch_trusted(const struct postgres_watch *watch);

#endif
