/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_BASE_ERR_H
#define SOTTO_BASE_ERR_H

#include "base/compiler.h"

/*
 * Every fallible function of the project returns one of these.  The text of an error is safe
 * to log and to send to a client: it never carries request bytes.
 *
 *   X(name, http_status, text)
 */
#define SOTTO_ERR_TABLE(X)                                                                         \
    X(SOTTO_OK, 200, "success")                                                                    \
    X(SOTTO_ENOMEM, 503, "out of memory")                                                          \
    X(SOTTO_ELIMIT, 413, "size limit reached")                                                     \
    X(SOTTO_EFORMAT, 400, "malformed input")                                                       \
    X(SOTTO_EINVAL, 400, "value out of range")                                                     \
    X(SOTTO_EAUTH, 401, "authentication failed")                                                   \
    X(SOTTO_EDENIED, 403, "not permitted")                                                         \
    X(SOTTO_ENOTFOUND, 404, "not found")                                                           \
    X(SOTTO_EEXISTS, 409, "exists already")                                                        \
    X(SOTTO_EQUOTA, 429, "quota used up")                                                          \
    X(SOTTO_ESTATE, 500, "called out of order")                                                    \
    X(SOTTO_EIO, 500, "input or output failed")                                                    \
    X(SOTTO_ECRYPTO, 500, "cryptographic library failed")                                          \
    X(SOTTO_EUPSTREAM, 502, "upstream failed")                                                     \
    X(SOTTO_ECLOSED, 502, "connection closed")                                                     \
    X(SOTTO_ETIMEOUT, 504, "timed out")

enum sotto_err {
#define X(name, http_status, text) name,
    SOTTO_ERR_TABLE(X)
#undef X
};

/** Static text for `err`; never NULL. */
const char *sotto_err_text(enum sotto_err err);

/** Status code with which the server answers a request that ended in `err`. */
int sotto_err_http_status(enum sotto_err err);

/** Drops a result on purpose.  The call site says why in a comment. */
static inline void sotto_ignore(enum sotto_err err)
{
    (void)err;
}

#endif
