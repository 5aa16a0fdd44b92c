/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_NET_TLS_H
#define SOTTO_NET_TLS_H

/*
 * TLS 1.3 (and 1.2 with AEAD suites and forward secrecy) over non-blocking sockets, with OpenSSL.
 * Key exchange X25519MLKEM768, X25519, P-256, in this order.  Buffers of idle connections are
 * released and plaintext is wiped.  By ALPN a server takes h2 before http/1.1; a client offers
 * http/1.1, and h2 before it where its session was told to.
 *
 * A context may be shared by threads; a session belongs to one.
 */

#include <stdbool.h>
#include <sys/uio.h>

#include "base/err.h"
#include "base/span.h"

struct sotto_tls_context;
struct sotto_tls;

/** What a TLS call came to. */
enum sotto_tls_result {
    SOTTO_TLS_OK,     /* done, at least one byte moved */
    SOTTO_TLS_AGAIN,  /* the socket has to become readable or writable first */
    SOTTO_TLS_END,    /* the other side closed in good order */
    SOTTO_TLS_FAILED, /* protocol, verification or socket error; sotto_tls_reason() */
};

/**
 * A server's context.
 *
 * @param cert_path  PEM, leaf first, chain behind it
 * @param key_path   PEM
 * @param[out] out   set only on SOTTO_OK; dropped with sotto_tls_context_drop()
 *
 * @retval SOTTO_ENOTFOUND, SOTTO_EFORMAT  a file is missing, unreadable or no PEM
 * @retval SOTTO_EINVAL                    certificate and key do not belong together
 * @retval SOTTO_ECRYPTO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_tls_server_new(const char *cert_path, const char *key_path,
                                                     struct sotto_tls_context **out);

/**
 * A client's context: verifies chain and name, with the system's trust store, what SSL_CERT_FILE
 * and SSL_CERT_DIR name, and `ca_path`.
 *
 * @param ca_path  PEM file of further trusted certificates; NULL: none
 * @retval SOTTO_EFORMAT, SOTTO_ECRYPTO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_tls_client_new(const char *ca_path,
                                                     struct sotto_tls_context **out);

/** Another owner. Thread-safe. */
struct sotto_tls_context *sotto_tls_context_hold(struct sotto_tls_context *context);

/** One owner less; the last one frees it.  NULL is allowed.  Thread-safe. */
void sotto_tls_context_drop(struct sotto_tls_context *context);

/**
 * Reads certificate and key again for new sessions; running ones keep theirs.  Thread-safe.
 * On failure the old ones stay; errors as sotto_tls_server_new().
 */
SOTTO_MUST_CHECK enum sotto_err sotto_tls_server_reload(struct sotto_tls_context *context,
                                                        const char *cert_path,
                                                        const char *key_path);

/** A remembered client session for resumption; NULL-able.  Freed with sotto_tls_ticket_free(). */
struct sotto_tls_ticket;
void sotto_tls_ticket_free(struct sotto_tls_ticket *ticket);

/**
 * Starts a session on a connected socket, which is borrowed.  The handshake runs inside the first
 * reads and writes.
 *
 * @param host  client: the name to verify and to send as SNI (an IP address is verified, not sent);
 *              server: NULL
 * @param ticket  client: where the session's tickets are kept and taken from (*ticket may be NULL);
 *                borrowed until the session is freed; may be NULL
 * @param[out] out  set only on SOTTO_OK
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_tls_new(struct sotto_tls_context *context, int fd,
                                              const char *host, struct sotto_tls_ticket **ticket,
                                              struct sotto_tls **out);

/** Frees without a word to the other side; NULL is allowed. */
void sotto_tls_free(struct sotto_tls *tls);

/** Drives the handshake. SOTTO_TLS_OK: it is complete. */
enum sotto_tls_result sotto_tls_handshake(struct sotto_tls *tls);

/** Reads up to `cap` bytes; *n is set on SOTTO_TLS_OK. */
enum sotto_tls_result sotto_tls_read(struct sotto_tls *tls, void *to, size_t cap, size_t *n);

/** Writes what goes; *n is set on SOTTO_TLS_OK.  Pieces are joined into as few records as fit. */
enum sotto_tls_result sotto_tls_writev(struct sotto_tls *tls, const struct iovec *iov, int count,
                                       size_t *n);

/**
 * The socket may have become readable.  A short read of the socket means that it is empty, so it
 * is not asked again before this call - unless it is `ending`: then the end is behind what is read.
 */
void sotto_tls_readable(struct sotto_tls *tls, bool ending);

/** Tells the other side that nothing more comes (close_notify), as far as that goes at once. */
void sotto_tls_shutdown(struct sotto_tls *tls);

/** Whether the handshake is complete. */
bool sotto_tls_ready(const struct sotto_tls *tls);

/** Client, before the handshake: offers HTTP/2 too.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_tls_offer_h2(struct sotto_tls *tls);

/** Behind the handshake: whether both sides agreed on HTTP/2. */
bool sotto_tls_is_h2(const struct sotto_tls *tls);

/** Whether the session was resumed from a ticket. */
bool sotto_tls_resumed(const struct sotto_tls *tls);

/** Name of the key exchange group, "X25519MLKEM768"; "" before the handshake is complete. */
const char *sotto_tls_group(const struct sotto_tls *tls);

/** Static text: why it failed ("certificate has expired", "handshake failed"); never NULL. */
const char *sotto_tls_reason(const struct sotto_tls *tls);

#endif
