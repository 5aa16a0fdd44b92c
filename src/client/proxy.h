/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CLIENT_PROXY_H
#define SOTTO_CLIENT_PROXY_H

/*
 * A proxy on the user's own machine: any client of the OpenAI API talks plain HTTP to it, and what
 * leaves the machine is sealed to a gateway, in a profile of client/profile.h.  It serves chat completions and
 * embeddings, which are sealed, and the list of models, which bears no text and is not.  Nothing
 * else goes out, and nothing goes out in the clear because sealing failed.
 */

#include "client/link.h"
#include "client/veil.h"

struct sotto_proxy;

struct sotto_proxy_options {
    struct sotto_loop *loop;        /* borrowed */
    struct sotto_link_options link; /* borrowed; `pool` too */
    struct sotto_veil *veil;        /* borrowed; NULL: the gateway alone takes out personal data */
};

/**
 * @param[out] out  set only on SOTTO_OK; freed with sotto_proxy_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_proxy_new(const struct sotto_proxy_options *options,
                                                struct sotto_proxy **out);

/** Ends everything at once; NULL is allowed. */
void sotto_proxy_free(struct sotto_proxy *proxy);

/** As sotto_server_listen(), plain HTTP. */
SOTTO_MUST_CHECK enum sotto_err sotto_proxy_listen(struct sotto_proxy *proxy, const char *address,
                                                   uint16_t port, uint16_t *bound_port);

/** Stops accepting, lets requests finish, then stops the loop. */
void sotto_proxy_drain(struct sotto_proxy *proxy);

#endif
