/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/chain.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "base/ct.h"
#include "crypto/crypto.h"
#include "crypto/pem.h"

/* Longest ECDSA signature on P-384 in DER. */
#define CHAIN_SIGNATURE_MAX 104

struct sotto_chain {
    X509 *cert[SOTTO_CHAIN_CERTS_MAX]; /* [0] is the leaf */
    size_t count;
    size_t bytes;
};

enum sotto_err sotto_chain_new(struct sotto_chain **out)
{
    enum sotto_err err = sotto_crypto_init();
    if (err != SOTTO_OK) {
        return err;
    }
    struct sotto_chain *chain = sotto_calloc(1, sizeof(*chain));
    if (chain == NULL) {
        return SOTTO_ENOMEM;
    }
    *out = chain;
    return SOTTO_OK;
}

void sotto_chain_free(struct sotto_chain *chain)
{
    if (chain != NULL) {
        for (size_t i = 0; i < chain->count; i++) {
            X509_free(chain->cert[i]);
        }
        sotto_free(chain);
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

static enum sotto_err take(struct sotto_chain *chain, X509 *cert)
{
    if (cert == NULL) {
        ERR_clear_error();
        return SOTTO_EFORMAT;
    }
    if (chain->count == SOTTO_CHAIN_CERTS_MAX) {
        X509_free(cert);
        return SOTTO_ELIMIT;
    }
    chain->cert[chain->count++] = cert;
    return SOTTO_OK;
}

static bool is_padding(sotto_span rest)
{
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.base[i] != '\0' && strchr(" \t\r\n", rest.base[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* The base64 text between the lines that frame a certificate is read by the library. */
static enum sotto_err add_pem(struct sotto_chain *chain, sotto_span pem)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----";
    static const char end[] = "-----END CERTIFICATE-----";
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && !is_padding(pem)) {
        const uint8_t *stop = memmem(pem.base, pem.len, end, sizeof(end) - 1);
        if (!sotto_span_starts(pem, SOTTO_LIT("-----BEGIN CERTIFICATE-----")) || stop == NULL) {
            return SOTTO_EFORMAT;
        }
        size_t len = (size_t)(stop - pem.base) + sizeof(end) - 1;
        if (memmem(pem.base + sizeof(begin) - 1, len - sizeof(begin) + 1, begin,
                   sizeof(begin) - 1) != NULL) {
            return SOTTO_EFORMAT;
        }
        BIO *bio = BIO_new_mem_buf(pem.base, (int)len);
        if (bio == NULL) {
            return SOTTO_ENOMEM;
        }
        err = take(chain, PEM_read_bio_X509(bio, NULL, sotto_pem_no_phrase, NULL));
        BIO_free(bio);
        pem = sotto_span_skip(pem, len);
        while (pem.len != 0 && (pem.base[0] == '\n' || pem.base[0] == '\r')) {
            pem = sotto_span_skip(pem, 1);
        }
    }
    return err;
}

enum sotto_err sotto_chain_add(struct sotto_chain *chain, sotto_span certs)
{
    if (certs.len > SOTTO_CHAIN_BYTES_MAX - chain->bytes) {
        return SOTTO_ELIMIT;
    }
    chain->bytes += certs.len;
    if (certs.len != 0 && certs.base[0] == '-') {
        return add_pem(chain, certs);
    }
    const unsigned char *at = certs.base;
    enum sotto_err err = take(chain, d2i_X509(NULL, &at, (long)certs.len));
    if (err == SOTTO_OK && !is_padding(sotto_span_skip(certs, (size_t)(at - certs.base)))) {
        err = SOTTO_EFORMAT;
    }
    return err;
}

/* --- the way to a root ------------------------------------------------------------------------ */

static bool is_root(X509 *cert, const struct sotto_chain_root *roots, size_t root_count)
{
    unsigned char *der = NULL;
    uint8_t key[SOTTO_SHA256_BYTES];
    bool found = false;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    if (len > 0 && sotto_sha256(sotto_span_init(der, (size_t)len), key) == SOTTO_OK) {
        for (size_t i = 0; i < root_count; i++) {
            found |= sotto_ct_equal(key, roots[i].key, sizeof(key));
        }
    }
    OPENSSL_free(der);
    return found;
}

/* The others of the chain: those with a root's key are trusted, the rest lies between. */
static bool sort_certs(const struct sotto_chain *chain, const struct sotto_chain_root *roots,
                       size_t root_count, X509_STORE *trusted, STACK_OF(X509) * between)
{
    bool any = false;
    for (size_t i = 1; i < chain->count; i++) {
        if (is_root(chain->cert[i], roots, root_count)) {
            if (X509_STORE_add_cert(trusted, chain->cert[i]) != 1) {
                return false;
            }
            any = true;
        } else if (sk_X509_push(between, chain->cert[i]) == 0) {
            return false;
        }
    }
    return any;
}

enum sotto_err sotto_chain_verify(struct sotto_chain *chain, const struct sotto_chain_root *roots,
                                  size_t root_count, int64_t now_s)
{
    if (chain->count == 0) {
        return SOTTO_ESTATE;
    }
    enum sotto_err err = SOTTO_ENOMEM;
    X509_STORE *trusted = X509_STORE_new();
    STACK_OF(X509) *between = sk_X509_new_null();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (trusted == NULL || between == NULL || ctx == NULL) {
        goto out;
    }
    err = SOTTO_EAUTH;
    if (!sort_certs(chain, roots, root_count, trusted, between)) {
        goto out;
    }
    if (X509_STORE_CTX_init(ctx, trusted, chain->cert[0], between) != 1) {
        err = SOTTO_ECRYPTO;
        goto out;
    }
    X509_STORE_CTX_set_time(ctx, 0, (time_t)now_s);
    if (X509_verify_cert(ctx) == 1) {
        err = SOTTO_OK;
    }
out:
    X509_STORE_CTX_free(ctx);
    sk_X509_free(between);
    X509_STORE_free(trusted);
    ERR_clear_error();
    return err;
}

enum sotto_err sotto_chain_extension(const struct sotto_chain *chain, const char *oid,
                                     sotto_span *value)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    if (object == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = SOTTO_ENOTFOUND;
    int at = chain->count != 0 ? X509_get_ext_by_OBJ(chain->cert[0], object, -1) : -1;
    if (at >= 0) {
        const ASN1_OCTET_STRING *held = X509_EXTENSION_get_data(X509_get_ext(chain->cert[0], at));
        err = X509_get_ext_by_OBJ(chain->cert[0], object, at) < 0 ? SOTTO_OK : SOTTO_EFORMAT;
        if (err == SOTTO_OK) {
            *value = sotto_span_init(ASN1_STRING_get0_data(held), (size_t)ASN1_STRING_length(held));
        }
    }
    ASN1_OBJECT_free(object);
    return err;
}

/* --- signatures ------------------------------------------------------------------------------- */

/* From r and s to the DER form; 0: impossible. */
static size_t write_signature(sotto_span raw, uint8_t der[CHAIN_SIGNATURE_MAX])
{
    size_t half = raw.len / 2, len = 0;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw.base, (int)half, NULL);
    BIGNUM *s = BN_bin2bn(raw.base + half, (int)half, NULL);
    if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
        unsigned char *at = der;
        r = s = NULL; /* the signature's */
        int n = i2d_ECDSA_SIG(sig, NULL);
        len = n > 0 && (size_t)n <= CHAIN_SIGNATURE_MAX ? (size_t)i2d_ECDSA_SIG(sig, &at) : 0;
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len;
}

static enum sotto_err check(EVP_PKEY *key, enum sotto_ecdsa kind, sotto_span data,
                            sotto_span signature)
{
    uint8_t der[CHAIN_SIGNATURE_MAX];
    char group[32] = "";
    bool p256 = kind == SOTTO_ECDSA_P256;
    if (signature.len != (p256 ? 64U : 96U) || key == NULL ||
        EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1 ||
        OBJ_sn2nid(group) != (p256 ? NID_X9_62_prime256v1 : NID_secp384r1)) {
        ERR_clear_error();
        return SOTTO_EAUTH;
    }
    size_t len = write_signature(signature, der);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (len == 0 || ctx == NULL) {
        EVP_MD_CTX_free(ctx);
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = SOTTO_ECRYPTO;
    if (EVP_DigestVerifyInit_ex(ctx, NULL, p256 ? "SHA256" : "SHA384", NULL, NULL, key, NULL) ==
        1) {
        err = EVP_DigestVerify(ctx, der, len, data.base, data.len) == 1 ? SOTTO_OK : SOTTO_EAUTH;
    }
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return err;
}

enum sotto_err sotto_chain_signed(const struct sotto_chain *chain, enum sotto_ecdsa kind,
                                  sotto_span data, sotto_span signature)
{
    return chain->count == 0 ? SOTTO_ESTATE
                             : check(X509_get0_pubkey(chain->cert[0]), kind, data, signature);
}

enum sotto_err sotto_ecdsa_signed(const uint8_t key[64], sotto_span data, sotto_span signature)
{
    uint8_t point[65] = {4}; /* uncompressed: SEC 1, 2.3.3 */
    char group[] = "prime256v1";
    enum sotto_err err = sotto_crypto_init();
    if (err != SOTTO_OK) {
        return err;
    }
    memcpy(point + 1, key, 64);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY *public = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1) {
        err = SOTTO_ECRYPTO;
    } else if (EVP_PKEY_fromdata(ctx, &public, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        err = SOTTO_EAUTH; /* no point of the curve */
    } else {
        err = check(public, SOTTO_ECDSA_P256, data, signature);
    }
    EVP_PKEY_free(public);
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return err;
}
