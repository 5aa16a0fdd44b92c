/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/mesh_trust.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/ct.h"
#include "crypto/crypto.h"
#include "crypto/pem.h"

/* --- authorities ------------------------------------------------------------------------------ */

static enum sotto_err open_pem(sotto_span pem, BIO **out)
{
    enum sotto_err err = sotto_crypto_init();
    if (err == SOTTO_OK && (pem.len == 0 || pem.len > SOTTO_MESH_TRUST_BYTES_MAX)) {
        err = SOTTO_EFORMAT;
    }
    if (err == SOTTO_OK && (*out = BIO_new_mem_buf(pem.base, (int)pem.len)) == NULL) {
        err = SOTTO_ENOMEM;
    }
    return err;
}

/* The next certificate of a PEM text.  SOTTO_ENOTFOUND: there are no more. */
static enum sotto_err next_cert(BIO *bio, X509 **out)
{
    *out = PEM_read_bio_X509(bio, NULL, sotto_pem_no_phrase, NULL);
    enum sotto_err err = SOTTO_OK;
    if (*out == NULL) {
        err = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? SOTTO_ENOTFOUND
                                                                           : SOTTO_EFORMAT;
    }
    ERR_clear_error();
    return err;
}

static enum sotto_err read_ca(sotto_span pem, X509 **out)
{
    BIO *bio = NULL;
    X509 *more = NULL;
    enum sotto_err err = open_pem(pem, &bio);
    if (err == SOTTO_OK) {
        err = next_cert(bio, out);
        err = err == SOTTO_ENOTFOUND ? SOTTO_EFORMAT : err;
    }
    if (err == SOTTO_OK && next_cert(bio, &more) != SOTTO_ENOTFOUND) {
        X509_free(*out);
        *out = NULL;
        err = SOTTO_EFORMAT;
    }
    X509_free(more);
    BIO_free(bio);
    return err;
}

static enum sotto_err name_cert(const X509 *cert, uint8_t out[SOTTO_SHA256_BYTES])
{
    unsigned len = 0;
    bool done = X509_digest(cert, EVP_sha256(), out, &len) == 1;
    ERR_clear_error();
    return done ? SOTTO_OK : SOTTO_ECRYPTO;
}

enum sotto_err sotto_mesh_ca_name(sotto_span ca_pem, uint8_t out[SOTTO_SHA256_BYTES])
{
    X509 *ca = NULL;
    uint8_t name[SOTTO_SHA256_BYTES];
    enum sotto_err err = read_ca(ca_pem, &ca);
    if (err == SOTTO_OK) {
        err = name_cert(ca, name);
    }
    if (err == SOTTO_OK) {
        memcpy(out, name, sizeof(name));
    }
    X509_free(ca);
    return err;
}

enum sotto_err sotto_mesh_ca_listed(sotto_span pem, const uint8_t name[SOTTO_SHA256_BYTES])
{
    BIO *bio = NULL;
    bool any = false, found = false;
    enum sotto_err err = open_pem(pem, &bio);
    while (err == SOTTO_OK) {
        X509 *cert = NULL;
        uint8_t one[SOTTO_SHA256_BYTES];
        err = next_cert(bio, &cert);
        any |= cert != NULL;
        if (err == SOTTO_OK) {
            err = name_cert(cert, one);
            found |= err == SOTTO_OK && sotto_ct_equal(one, name, sizeof(one));
        }
        X509_free(cert);
    }
    BIO_free(bio);
    if (err != SOTTO_ENOTFOUND) {
        return err;
    }
    return !any ? SOTTO_EFORMAT : found ? SOTTO_OK : SOTTO_EDENIED;
}

/* --- leaves ----------------------------------------------------------------------------------- */

static enum sotto_err read_leaf(sotto_span der, X509 **out)
{
    const unsigned char *at = der.base;
    if (der.len == 0 || der.len > SOTTO_MESH_TRUST_BYTES_MAX) {
        return SOTTO_EFORMAT;
    }
    *out = d2i_X509(NULL, &at, (long)der.len);
    ERR_clear_error();
    if (*out != NULL && at != der.base + der.len) {
        X509_free(*out);
        *out = NULL;
    }
    return *out != NULL ? SOTTO_OK : SOTTO_EFORMAT;
}

/* Issued by the authority itself: nothing lies between, and it is trusted whoever certified it. */
static enum sotto_err check_issued(X509 *ca, X509 *leaf, int64_t now_s)
{
    enum sotto_err err = SOTTO_ENOMEM;
    X509_STORE *trusted = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (trusted == NULL || ctx == NULL || X509_STORE_add_cert(trusted, ca) != 1) {
        goto out;
    }
    err = SOTTO_ECRYPTO;
    if (X509_STORE_CTX_init(ctx, trusted, leaf, NULL) != 1 ||
        X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER) != 1) {
        goto out;
    }
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN);
    X509_STORE_CTX_set_time(ctx, 0, (time_t)now_s);
    err = X509_verify_cert(ctx) == 1 && X509_check_ca(leaf) == 0 ? SOTTO_OK : SOTTO_EAUTH;
out:
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(trusted);
    ERR_clear_error();
    return err;
}

static enum sotto_err check_signature(X509 *leaf, const uint8_t *digest, sotto_span signature)
{
    EVP_PKEY *key = X509_get0_pubkey(leaf);
    if (key == NULL || !EVP_PKEY_is_a(key, "EC") || signature.len == 0) {
        ERR_clear_error();
        return SOTTO_EAUTH;
    }
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    enum sotto_err err = ctx != NULL ? SOTTO_ECRYPTO : SOTTO_ENOMEM;
    if (ctx != NULL && EVP_PKEY_verify_init(ctx) == 1 &&
        EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1) {
        err = EVP_PKEY_verify(ctx, signature.base, signature.len, digest, SOTTO_SHA256_BYTES) == 1
                  ? SOTTO_OK
                  : SOTTO_EAUTH;
    }
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return err;
}

enum sotto_err sotto_mesh_signed(sotto_span ca_pem, sotto_span leaf, int64_t now_s,
                                 const uint8_t digest[SOTTO_SHA256_BYTES], sotto_span signature)
{
    X509 *ca = NULL, *cert = NULL;
    enum sotto_err err = read_ca(ca_pem, &ca);
    if (err == SOTTO_OK) {
        err = read_leaf(leaf, &cert);
    }
    if (err == SOTTO_OK) {
        err = check_issued(ca, cert, now_s);
    }
    if (err == SOTTO_OK) {
        err = check_signature(cert, digest, signature);
    }
    X509_free(ca);
    X509_free(cert);
    return err;
}
