/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ROOM_SETUP_H
#define SOTTO_GATEWAY_ROOM_SETUP_H

/*
 * What front and back need to know of the configuration: no keys, no modes, no recognizers.  As
 * processes they get it as the body of a SETUP message, as it lies in memory: the program on both
 * sides of the door is the same file.
 */

#include "config/config.h"
#include "net/client.h"
#include "net/server.h"

#define SOTTO_ROOM_HOST_BYTES 256
#define SOTTO_ROOM_PATH_BYTES 300

struct sotto_room_listener {
    char host[64]; /* "": there is none */
    uint16_t port;
};

struct sotto_front_setup {
    struct sotto_server_limits limits;
    struct sotto_room_listener plain, tls, admin;
    char certificate[SOTTO_ROOM_PATH_BYTES], key[SOTTO_ROOM_PATH_BYTES];
};

/** Of READY. */
struct sotto_room_ready {
    uint16_t plain, tls, admin; /* front: ports that are listened on; 0: none */
    uint16_t failed;            /* front: enum sotto_front_part, what could not be opened */
    uint16_t landlock, seccomp; /* what closes the room off, as struct sotto_sandbox_report */
};

enum sotto_front_part {
    SOTTO_FRONT_PLAIN,
    SOTTO_FRONT_TLS,
    SOTTO_FRONT_ADMIN,
    SOTTO_FRONT_CERTIFICATE,
    SOTTO_FRONT_OTHER,
};

struct sotto_back_upstream {
    char host[SOTTO_ROOM_HOST_BYTES];
    uint16_t port;
    bool tls;
    bool http2;
    bool none; /* it is built in: nothing is fetched */
    struct sotto_client_limits limits;
};

/** Most upstreams of a configuration. */
#define SOTTO_BACK_UPSTREAMS_MAX 1024

struct sotto_back_setup {
    uint32_t number; /* of the setup it is of */
    uint32_t count;
    struct sotto_back_upstream upstreams[];
};

/** The folder that a file is in: files are replaced, folders stay.  A long path is cut. */
void sotto_room_folder_of(const char *file, char out[SOTTO_ROOM_PATH_BYTES]);

/** @retval SOTTO_ELIMIT  the path of a certificate or key is too long; `out` unchanged */
SOTTO_MUST_CHECK enum sotto_err sotto_front_setup_of(const struct sotto_config *config,
                                                     struct sotto_front_setup *out);

/**
 * @param[out] out  freed with sotto_free()
 * @retval SOTTO_ENOMEM  @retval SOTTO_ELIMIT  too many upstreams, or a host name too long
 */
SOTTO_MUST_CHECK enum sotto_err sotto_back_setup_of(const struct sotto_config *config,
                                                    uint32_t number, struct sotto_back_setup **out);

/** The same from the body of a message.  @retval SOTTO_EFORMAT, SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_back_setup_read(sotto_span body,
                                                      struct sotto_back_setup **out);

/** Its bytes; borrowed. */
sotto_span sotto_back_setup_span(const struct sotto_back_setup *setup);

#endif
