/* SPDX-License-Identifier: Apache-2.0 */

#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "crypto/crypto.h"
#include "crypto/pem.h"

#define TLS_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
/* Most plaintext of one record. */
#define TLS_RECORD_BYTES 16384

struct sotto_tls_context {
    atomic_size_t owners;
    pthread_mutex_t lock; /* for `ctx`, which a reload replaces */
    SSL_CTX *ctx;
    bool server;
};

struct sotto_tls_ticket {
    SSL_SESSION *session;
};

struct sotto_tls {
    SSL *ssl;
    int fd;
    struct sotto_tls_ticket **ticket;
    const char *reason;
    bool drained, ending, ended;
    bool broken; /* a fatal error: nothing more may be done with `ssl` */
};

/* OpenSSL takes it as char *, and only reads it. */
static char tls_groups[] = "X25519MLKEM768:X25519:P-256";

/* ALPN (RFC 7301 3.1), the one we prefer first. */
static const unsigned char tls_protocols[] = {2,   'h', '2', 8,   'h', 't',
                                              't', 'p', '/', '1', '.', '1'};
#define TLS_HTTP_11       (tls_protocols + 3)
#define TLS_HTTP_11_BYTES 9

static pthread_once_t tls_once = PTHREAD_ONCE_INIT;
static BIO_METHOD *tls_bio;
static int tls_index = -1; /* of the struct sotto_tls in an SSL */

/* --- the socket under the session -------------------------------------------------------------
 * Ours rather than OpenSSL's: no SIGPIPE, and no read of a socket that is known to be empty. */

static int bio_read(BIO *bio, char *to, int cap)
{
    struct sotto_tls *tls = BIO_get_data(bio);
    ssize_t n;
    BIO_clear_retry_flags(bio);
    if (tls->drained) {
        BIO_set_retry_read(bio);
        return -1;
    }
    do {
        n = recv(tls->fd, to, (size_t)cap, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        tls->drained = true;
        BIO_set_retry_read(bio);
    }
    tls->ended = tls->ended || n == 0;
    if (n > 0 && n < cap && !tls->ending) {
        tls->drained = true;
    }
    return (int)n;
}

static int bio_write(BIO *bio, const char *from, int len)
{
    struct sotto_tls *tls = BIO_get_data(bio);
    ssize_t n;
    BIO_clear_retry_flags(bio);
    do {
        n = send(tls->fd, from, (size_t)len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        BIO_set_retry_write(bio);
    }
    return (int)n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    const struct sotto_tls *tls = BIO_get_data(bio);
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH || (command == BIO_CTRL_EOF && tls->ended) ? 1 : 0;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static void start(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    tls_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    if (method != NULL && BIO_meth_set_read(method, bio_read) == 1 &&
        BIO_meth_set_write(method, bio_write) == 1 && BIO_meth_set_ctrl(method, bio_ctrl) == 1 &&
        BIO_meth_set_create(method, bio_create) == 1) {
        tls_bio = method;
    }
}

static enum sotto_err ready(void)
{
    enum sotto_err err = sotto_crypto_init();
    if (err == SOTTO_OK) {
        pthread_once(&tls_once, start);
        err = tls_bio != NULL && tls_index >= 0 ? SOTTO_OK : SOTTO_ECRYPTO;
    }
    return err;
}

/* --- contexts --------------------------------------------------------------------------------- */

static enum sotto_err common_new(const SSL_METHOD *method, SSL_CTX **out)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    if (ctx == NULL) {
        return SOTTO_ENOMEM;
    }
    SSL_CTX_set_options(ctx,
                        SSL_OP_CLEANSE_PLAINTEXT | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 1); /* a record in one read, not two */
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set1_groups_list(ctx, tls_groups) != 1 ||
        SSL_CTX_set_cipher_list(ctx, TLS_CIPHERS) != 1) {
        SSL_CTX_free(ctx);
        return SOTTO_ECRYPTO;
    }
    *out = ctx;
    return SOTTO_OK;
}

/* Takes ownership of `ctx`. */
static enum sotto_err wrap(SSL_CTX *ctx, bool server, struct sotto_tls_context **out)
{
    struct sotto_tls_context *context = sotto_calloc(1, sizeof(*context));
    if (context == NULL) {
        SSL_CTX_free(ctx);
        return SOTTO_ENOMEM;
    }
    atomic_init(&context->owners, 1);
    pthread_mutex_init(&context->lock, NULL);
    context->ctx = ctx;
    context->server = server;
    *out = context;
    return SOTTO_OK;
}

/* A client that offers protocols but not ours has to hear so (RFC 7301 3.2). */
static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned int in_len, void *arg)
{
    unsigned char *selected = NULL;
    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&selected, out_len, tls_protocols, sizeof(tls_protocols), in,
                              in_len) != OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = selected;
    return SSL_TLSEXT_ERR_OK;
}

static enum sotto_err from_file_error(void)
{
    unsigned long code = ERR_peek_error();
    bool missing = ERR_SYSTEM_ERROR(code) && ERR_GET_REASON(code) == ENOENT;
    return missing ? SOTTO_ENOTFOUND : SOTTO_EFORMAT;
}

static enum sotto_err server_ctx(const char *cert_path, const char *key_path, SSL_CTX **out)
{
    SSL_CTX *ctx = NULL;
    enum sotto_err err = ready();
    if (err != SOTTO_OK || (err = common_new(TLS_server_method(), &ctx)) != SOTTO_OK) {
        return err;
    }
    ERR_clear_error();
    SSL_CTX_set_default_passwd_cb(ctx, sotto_pem_no_phrase);
    SSL_CTX_set_alpn_select_cb(ctx, select_protocol, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* tickets need no memory here */
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    static const unsigned char session_context[] = "sotto";
    if (SSL_CTX_set_session_id_context(ctx, session_context, sizeof(session_context) - 1) != 1 ||
        SSL_CTX_set_num_tickets(ctx, 1) != 1) {
        err = SOTTO_ECRYPTO;
    } else if (SSL_CTX_use_certificate_chain_file(ctx, cert_path) != 1) {
        err = from_file_error();
    } else if (SSL_CTX_use_PrivateKey_file(ctx, key_path, SSL_FILETYPE_PEM) != 1) {
        /* A key that does not fit is refused by this call already. */
        err = ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_X509 ? SOTTO_EINVAL : from_file_error();
    } else if (SSL_CTX_check_private_key(ctx) != 1) {
        err = SOTTO_EINVAL;
    }
    ERR_clear_error();
    if (err != SOTTO_OK) {
        SSL_CTX_free(ctx);
        return err;
    }
    *out = ctx;
    return SOTTO_OK;
}

enum sotto_err sotto_tls_server_new(const char *cert_path, const char *key_path,
                                    struct sotto_tls_context **out)
{
    SSL_CTX *ctx = NULL;
    enum sotto_err err = server_ctx(cert_path, key_path, &ctx);
    return err == SOTTO_OK ? wrap(ctx, true, out) : err;
}

enum sotto_err sotto_tls_server_reload(struct sotto_tls_context *context, const char *cert_path,
                                       const char *key_path)
{
    SSL_CTX *ctx = NULL;
    enum sotto_err err = server_ctx(cert_path, key_path, &ctx);
    if (err != SOTTO_OK) {
        return err;
    }
    pthread_mutex_lock(&context->lock);
    SSL_CTX *old = context->ctx;
    context->ctx = ctx;
    pthread_mutex_unlock(&context->lock);
    SSL_CTX_free(old); /* sessions that run hold it themselves */
    return SOTTO_OK;
}

/* A new ticket takes the place of the one before.  1: we keep the session. */
static int keep_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct sotto_tls *tls = SSL_get_ex_data(ssl, tls_index);
    if (tls == NULL || tls->ticket == NULL) {
        return 0;
    }
    if (*tls->ticket == NULL) {
        *tls->ticket = sotto_calloc(1, sizeof(**tls->ticket));
        if (*tls->ticket == NULL) {
            return 0;
        }
    }
    SSL_SESSION_free((*tls->ticket)->session);
    (*tls->ticket)->session = session;
    return 1;
}

void sotto_tls_ticket_free(struct sotto_tls_ticket *ticket)
{
    if (ticket != NULL) {
        SSL_SESSION_free(ticket->session);
        sotto_free(ticket);
    }
}

enum sotto_err sotto_tls_client_new(const char *ca_path, struct sotto_tls_context **out)
{
    SSL_CTX *ctx = NULL;
    enum sotto_err err = ready();
    if (err != SOTTO_OK || (err = common_new(TLS_client_method(), &ctx)) != SOTTO_OK) {
        return err;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, keep_ticket);
    if (SSL_CTX_set_default_verify_paths(ctx) != 1 ||
        SSL_CTX_set_alpn_protos(ctx, TLS_HTTP_11, TLS_HTTP_11_BYTES) != 0) {
        err = SOTTO_ECRYPTO;
    } else if (ca_path != NULL && SSL_CTX_load_verify_file(ctx, ca_path) != 1) {
        err = SOTTO_EFORMAT;
    }
    ERR_clear_error();
    if (err != SOTTO_OK) {
        SSL_CTX_free(ctx);
        return err;
    }
    return wrap(ctx, false, out);
}

struct sotto_tls_context *sotto_tls_context_hold(struct sotto_tls_context *context)
{
    atomic_fetch_add(&context->owners, 1);
    return context;
}

void sotto_tls_context_drop(struct sotto_tls_context *context)
{
    if (context != NULL && atomic_fetch_sub(&context->owners, 1) == 1) {
        SSL_CTX_free(context->ctx);
        pthread_mutex_destroy(&context->lock);
        sotto_free(context);
    }
}

/* --- sessions --------------------------------------------------------------------------------- */

static bool is_address(const char *host)
{
    struct in6_addr addr;
    return inet_pton(AF_INET, host, &addr) == 1 || inet_pton(AF_INET6, host, &addr) == 1;
}

static bool set_host(SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (is_address(host)) {
        return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    }
    /* What SSL_set_tlsext_host_name() is, without its cast; the name is copied. */
    void *name;
    memcpy(&name, &host, sizeof(name));
    return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
           SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) == 1;
}

enum sotto_err sotto_tls_new(struct sotto_tls_context *context, int fd, const char *host,
                             struct sotto_tls_ticket **ticket, struct sotto_tls **out)
{
    enum sotto_err err = SOTTO_ENOMEM;
    struct sotto_tls *tls = sotto_calloc(1, sizeof(*tls));
    BIO *bio = BIO_new(tls_bio);
    if (tls == NULL || bio == NULL) {
        goto out;
    }
    pthread_mutex_lock(&context->lock);
    tls->ssl = SSL_new(context->ctx);
    pthread_mutex_unlock(&context->lock);
    if (tls->ssl == NULL) {
        goto out;
    }
    tls->fd = fd;
    tls->reason = "TLS failed";
    BIO_set_data(bio, tls);
    SSL_set_bio(tls->ssl, bio, bio);
    bio = NULL; /* transferred */
    err = SOTTO_ECRYPTO;
    if (SSL_set_ex_data(tls->ssl, tls_index, tls) != 1) {
        goto out;
    }
    if (context->server) {
        SSL_set_accept_state(tls->ssl);
    } else {
        tls->ticket = ticket;
        SSL_set_connect_state(tls->ssl);
        if (!set_host(tls->ssl, host)) {
            goto out;
        }
        if (ticket != NULL && *ticket != NULL) {
            SSL_set_session(tls->ssl, (*ticket)->session); /* refused: a full handshake */
        }
    }
    *out = tls;
    tls = NULL; /* transferred */
    err = SOTTO_OK;

out:
    BIO_free(bio);
    sotto_tls_free(tls);
    return err;
}

void sotto_tls_free(struct sotto_tls *tls)
{
    if (tls != NULL) {
        if (tls->ssl != NULL && !tls->broken) {
            /* A session that ends without a word would have its ticket declared unusable. */
            SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        }
        SSL_free(tls->ssl);
        sotto_free(tls);
    }
}

void sotto_tls_readable(struct sotto_tls *tls, bool ending)
{
    tls->drained = false;
    tls->ending = ending;
}

static const char *find_reason(const struct sotto_tls *tls)
{
    long verify = SSL_get_verify_result(tls->ssl);
    if (verify != X509_V_OK) {
        return X509_verify_cert_error_string(verify);
    }
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    return text != NULL ? text : "the connection was lost";
}

/* What OpenSSL's answer to a call means.  `done`: the call succeeded. */
static enum sotto_tls_result settle(struct sotto_tls *tls, int result)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_NONE:
        return SOTTO_TLS_OK;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return SOTTO_TLS_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return SOTTO_TLS_END;
    default:
        tls->reason = find_reason(tls);
        tls->broken = true;
        ERR_clear_error();
        return SOTTO_TLS_FAILED;
    }
}

enum sotto_tls_result sotto_tls_handshake(struct sotto_tls *tls)
{
    if (tls->broken) {
        return SOTTO_TLS_FAILED;
    }
    ERR_clear_error();
    return settle(tls, SSL_do_handshake(tls->ssl));
}

enum sotto_tls_result sotto_tls_read(struct sotto_tls *tls, void *to, size_t cap, size_t *n)
{
    if (tls->broken) {
        return SOTTO_TLS_FAILED;
    }
    ERR_clear_error();
    return settle(tls, SSL_read_ex(tls->ssl, to, cap, n));
}

static enum sotto_tls_result write_span(struct sotto_tls *tls, sotto_span data, size_t *n)
{
    if (tls->broken) {
        return SOTTO_TLS_FAILED;
    }
    ERR_clear_error();
    return settle(tls, SSL_write_ex(tls->ssl, data.base, data.len, n));
}

/* Copies up to one record from the pieces behind the first `skip` bytes. */
static size_t join(const struct iovec *iov, int count, size_t skip, uint8_t *to)
{
    size_t len = 0;
    for (int i = 0; i < count && len < TLS_RECORD_BYTES; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        size_t n = iov[i].iov_len - skip;
        n = n < TLS_RECORD_BYTES - len ? n : TLS_RECORD_BYTES - len;
        memcpy(to + len, (const uint8_t *)iov[i].iov_base + skip, n);
        len += n;
        skip = 0;
    }
    return len;
}

enum sotto_tls_result sotto_tls_writev(struct sotto_tls *tls, const struct iovec *iov, int count,
                                       size_t *n)
{
    static _Thread_local uint8_t record[TLS_RECORD_BYTES];
    enum sotto_tls_result result = SOTTO_TLS_OK;
    size_t total = 0, sent = 0;
    for (int i = 0; i < count; i++) {
        total += iov[i].iov_len;
    }
    while (result == SOTTO_TLS_OK && sent < total) {
        size_t done = 0;
        size_t len = join(iov, count, sent, record);
        result = write_span(tls, sotto_span_init(record, len), &done);
        sotto_wipe(record, len);
        sent += result == SOTTO_TLS_OK ? done : 0;
    }
    *n = sent;
    return sent != 0 && result == SOTTO_TLS_AGAIN ? SOTTO_TLS_OK : result;
}

void sotto_tls_shutdown(struct sotto_tls *tls)
{
    if (!tls->broken && SSL_is_init_finished(tls->ssl)) {
        ERR_clear_error();
        SSL_shutdown(tls->ssl); /* whether it goes or not: the connection ends */
        ERR_clear_error();
    }
}

bool sotto_tls_ready(const struct sotto_tls *tls)
{
    return SSL_is_init_finished(tls->ssl) == 1;
}

enum sotto_err sotto_tls_offer_h2(struct sotto_tls *tls)
{
    return SSL_set_alpn_protos(tls->ssl, tls_protocols, sizeof(tls_protocols)) == 0 ? SOTTO_OK
                                                                                    : SOTTO_ENOMEM;
}

bool sotto_tls_is_h2(const struct sotto_tls *tls)
{
    const unsigned char *name;
    unsigned int len;
    SSL_get0_alpn_selected(tls->ssl, &name, &len);
    return len == 2 && memcmp(name, "h2", 2) == 0;
}

bool sotto_tls_resumed(const struct sotto_tls *tls)
{
    return SSL_session_reused(tls->ssl) == 1;
}

const char *sotto_tls_group(const struct sotto_tls *tls)
{
    const char *name = sotto_tls_ready(tls) ? SSL_get0_group_name(tls->ssl) : NULL;
    return name != NULL ? name : "";
}

const char *sotto_tls_reason(const struct sotto_tls *tls)
{
    return tls->reason;
}
