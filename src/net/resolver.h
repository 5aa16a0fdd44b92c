/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_NET_RESOLVER_H
#define SOTTO_NET_RESOLVER_H

/*
 * Names to addresses without blocking a loop: getaddrinfo(3) runs in helper threads that exist
 * only while there is something to look up.  Answers are kept: fresh for 30 s; then the old answer
 * is still given while a new one is fetched; failures are remembered for a second.  IP literals
 * are answered at once.  A resolver may be shared by all loops of the process.
 */

#include <stdint.h>
#include <sys/socket.h>

#include "base/span.h"
#include "net/loop.h"

#define SOTTO_RESOLVER_ADDRESSES_MAX 8
#define SOTTO_RESOLVER_HOST_MAX      253

struct sotto_resolver;
struct sotto_lookup;

struct sotto_address {
    struct sockaddr_storage addr;
    socklen_t len;
};

/** In the order in which they should be tried; count 0: there is none. */
struct sotto_addresses {
    size_t count;
    struct sotto_address list[SOTTO_RESOLVER_ADDRESSES_MAX];
};

typedef void sotto_lookup_fn(void *ctx, const struct sotto_addresses *addresses);

/** @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_resolver_new(struct sotto_resolver **out);

/**
 * Frees it; NULL is allowed.  Lookups must be over or cancelled.  A thread that is still inside
 * getaddrinfo() is not waited for: it frees what it holds.
 */
void sotto_resolver_free(struct sotto_resolver *resolver);

/**
 * Looks up a name.
 *
 * @param host  borrowed for the call
 * @param[out] found   set when *lookup is NULL on SOTTO_OK: known at once, `fn` will not be called
 * @param[out] lookup  else the pending lookup: `fn` is called once in the loop's thread, unless
 *                     it is cancelled before
 *
 * @retval SOTTO_EINVAL  no name: empty, too long, with a NUL
 * @retval SOTTO_ENOMEM, SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_resolver_lookup(struct sotto_resolver *resolver,
                                                      struct sotto_loop *loop, sotto_span host,
                                                      uint16_t port, sotto_lookup_fn *fn, void *ctx,
                                                      struct sotto_addresses *found,
                                                      struct sotto_lookup **lookup);

/** In the loop's thread: `fn` will not be called.  NULL is allowed. */
void sotto_lookup_cancel(struct sotto_lookup *lookup);

/** For tests: what is called in place of getaddrinfo(3); NULL: getaddrinfo. */
typedef int sotto_resolver_source(const char *host, struct sotto_addresses *out);
void sotto_resolver_set_source(struct sotto_resolver *resolver, sotto_resolver_source *source);

/** Lets libc load the modules that it looks names up with: a room cannot do that later. */
void sotto_resolver_prepare(void);

/** Most paths of sotto_resolver_paths(). */
#define SOTTO_RESOLVER_PATHS 12

/**
 * Files and folders that names, and certificates of the system, are looked up in: what a room that
 * connects has to read.  The superuser's /etc has secrets: of that only what is needed.
 *
 * @return how many were set
 */
size_t sotto_resolver_paths(const char *paths[SOTTO_RESOLVER_PATHS]);

#endif
