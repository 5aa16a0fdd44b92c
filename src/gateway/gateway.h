/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_GATEWAY_H
#define SOTTO_GATEWAY_GATEWAY_H

/*
 * The gateway: its threads, its keys, its configuration, its end.  The calling thread serves the
 * admin listener and the signals; each worker (gateway/worker.h) serves clients.
 *
 * With separate rooms this process is the vault: it starts front and back (gateway/rooms.h), has no
 * sockets of its own, and closes itself off (sys/sandbox.h).  When one of them ends unasked, the
 * gateway ends with an error: whoever watches over the service starts it again, whole.
 */

#include "config/config.h"

/** Room for a sentence about what went wrong. */
#define SOTTO_GATEWAY_WHY_BYTES 768

struct sotto_gateway;

struct sotto_gateway_options {
    struct sotto_config *config; /* taken over on SOTTO_OK */
    const char *folder;          /* the state folder, opened before; borrowed */
    const char *config_file;     /* borrowed; NULL: none */
    int signals;                 /* of sys/signals.h; borrowed */
    bool separate;               /* front and back are processes of their own */
    bool required;               /* of these, none starts that cannot be closed off */

    /** Reads the configuration again; NULL: it is not valid, and has been complained about. */
    struct sotto_config *(*reload)(void *ctx);
    void *ctx;
};

/**
 * Prepares everything and listens; nothing is served yet.  With separate rooms the calling thread
 * must be the only one.
 *
 * @param[out] out  set only on SOTTO_OK; freed with sotto_gateway_free()
 * @param[out] why  on failure "what is wrong: what to do"
 *
 * @retval SOTTO_EINVAL, SOTTO_EEXISTS, SOTTO_EDENIED, SOTTO_EIO, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_gateway_new(const struct sotto_gateway_options *options,
                                                  struct sotto_gateway **out,
                                                  char why[SOTTO_GATEWAY_WHY_BYTES]);

/** The ports that are listened on; 0: not at all. */
struct sotto_gateway_ports {
    uint16_t plain, tls, admin;
};
struct sotto_gateway_ports sotto_gateway_ports(const struct sotto_gateway *gateway);

/**
 * Serves until SIGTERM or SIGINT; then stops accepting, finishes what runs (at most
 * limits.drain), and returns.  SIGHUP reloads.
 *
 * @retval SOTTO_ECLOSED  front or back ended
 * @retval SOTTO_EIO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_gateway_run(struct sotto_gateway *gateway);

/** Ends everything at once and frees; NULL is allowed. */
void sotto_gateway_free(struct sotto_gateway *gateway);

#endif
