/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_STORE_POSTGRES_URL_H
#define SOTTO_STORE_POSTGRES_URL_H

/*
 * What a URL of PostgreSQL says, as libpq reads it: postgresql://USER:PASSWORD@HOST:PORT/DATABASE
 * with more behind a question mark (PostgreSQL 15 documentation, 34.1.1.2).
 */

#include "base/compiler.h"
#include "base/err.h"
#include "base/span.h"

/** Room for a name of a server in sentences, and for a path. */
#define POSTGRES_NAME_BYTES 128
#define POSTGRES_PATH_BYTES 512

/** Certificates of Debian, for servers that no `sslrootcert` is given for. */
#define POSTGRES_TRUST_FILE "/etc/ssl/certs/ca-certificates.crt"

/** Most ports of a URL that names several servers. */
#define POSTGRES_PORTS 8

/** Most files that a URL can name. */
#define POSTGRES_FILES 5

struct postgres_url {
    char name[POSTGRES_NAME_BYTES]; /* host:port/database; never the password */
    bool remote; /* one of the hosts is not this machine: TLS unless the URL says otherwise */
    uint16_t ports[POSTGRES_PORTS + 1];              /* then 0 */
    char files[POSTGRES_FILES][POSTGRES_PATH_BYTES]; /* certificates and the like; "": none */
};

/**
 * @param url       borrowed for the call
 * @param[out] out  set only on SOTTO_OK
 * @retval SOTTO_EINVAL  not such a URL
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err postgres_url_read(sotto_span url, struct postgres_url *out);

#endif
