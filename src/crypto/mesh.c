/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/mesh.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "crypto/crypto.h"
#include "crypto/pem.h"

#define MESH_DAY_S 86400

/* Clocks of clients are not ours. */
#define MESH_EARLIER_S 3600

/* A serial number is positive and has at most 20 bytes (RFC 5280 4.1.2.2). */
#define MESH_SERIAL_BYTES 16

/* Longest ECDSA signature on P-256 in DER. */
#define MESH_SIGNATURE_MAX 72

struct sotto_mesh {
    EVP_PKEY *leaf_key;
    struct sotto_buf ca_pem; /* the certificate alone */
    struct sotto_buf leaf_der;
    uint8_t ca_hash[SOTTO_SHA256_BYTES];
    int64_t ca_until_s, leaf_until_s;
};

/* A key and its certificate. */
struct mesh_pair {
    EVP_PKEY *key;
    X509 *cert;
};

static void pair_free(struct mesh_pair *pair)
{
    EVP_PKEY_free(pair->key);
    X509_free(pair->cert);
    *pair = (struct mesh_pair){0};
}

/* --- PEM ------------------------------------------------------------------------------------- */

static enum sotto_err take_bio(BIO *bio, struct sotto_buf *out)
{
    char *text = NULL;
    long len = BIO_get_mem_data(bio, &text);
    return len > 0 ? sotto_buf_append(out, sotto_span_init(text, (size_t)len)) : SOTTO_ECRYPTO;
}

static enum sotto_err write_pem(EVP_PKEY *key, X509 *cert, struct sotto_buf *out)
{
    BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when it is freed */
    enum sotto_err err = bio != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    if (err == SOTTO_OK && key != NULL &&
        PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
        err = SOTTO_ECRYPTO;
    }
    if (err == SOTTO_OK && PEM_write_bio_X509(bio, cert) != 1) {
        err = SOTTO_ECRYPTO;
    }
    if (err == SOTTO_OK) {
        err = take_bio(bio, out);
    }
    BIO_free(bio);
    return err;
}

static enum sotto_err read_pem(sotto_span pem, struct mesh_pair *pair)
{
    *pair = (struct mesh_pair){0};
    if (pem.len == 0 || pem.len > SOTTO_MESH_PEM_MAX) {
        return SOTTO_EFORMAT;
    }
    BIO *bio = BIO_new_mem_buf(pem.base, (int)pem.len);
    if (bio == NULL) {
        return SOTTO_ENOMEM;
    }
    pair->key = PEM_read_bio_PrivateKey(bio, NULL, sotto_pem_no_phrase, NULL);
    pair->cert = pair->key != NULL ? PEM_read_bio_X509(bio, NULL, sotto_pem_no_phrase, NULL) : NULL;
    BIO_free(bio);
    enum sotto_err err = SOTTO_OK;
    if (pair->key == NULL || pair->cert == NULL || !EVP_PKEY_is_a(pair->key, "EC")) {
        err = SOTTO_EFORMAT;
    } else if (X509_check_private_key(pair->cert, pair->key) != 1) {
        err = SOTTO_EINVAL;
    }
    if (err != SOTTO_OK) {
        pair_free(pair);
    }
    ERR_clear_error();
    return err;
}

/* --- making ---------------------------------------------------------------------------------- */

static bool set_serial(X509 *cert)
{
    uint8_t bytes[MESH_SERIAL_BYTES];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        return false;
    }
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool done = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return done;
}

static bool set_times(X509 *cert, int64_t now_s, int days)
{
    return ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(now_s - MESH_EARLIER_S)) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(now_s + (int64_t)days * MESH_DAY_S)) !=
               NULL;
}

static bool set_name(X509_NAME *name, const char *text)
{
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)text, -1,
                                      -1, 0) == 1;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool done = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return done;
}

static bool add_ca_extensions(X509 *cert)
{
    return add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           add_extension(cert, cert, NID_subject_key_identifier, "hash");
}

static bool add_leaf_extensions(X509 *cert, X509 *issuer)
{
    return add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
           add_extension(cert, issuer, NID_ext_key_usage, "serverAuth") &&
           add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
           add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always") &&
           add_extension(cert, issuer, NID_subject_alt_name, "DNS:sotto-mesh");
}

/* A certificate for `key`; by itself where there is no issuer. */
static X509 *make_certificate(EVP_PKEY *key, const struct mesh_pair *issuer, int64_t now_s)
{
    X509 *cert = X509_new();
    bool ca = issuer == NULL;
    bool done = cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
                set_times(cert, now_s, ca ? SOTTO_MESH_CA_DAYS : SOTTO_MESH_LEAF_DAYS) &&
                set_name(X509_get_subject_name(cert), ca ? "Sotto mesh CA" : "Sotto mesh") &&
                X509_set_issuer_name(cert, X509_get_subject_name(ca ? cert : issuer->cert)) == 1 &&
                X509_set_pubkey(cert, key) == 1 &&
                (ca ? add_ca_extensions(cert) : add_leaf_extensions(cert, issuer->cert)) &&
                X509_sign(cert, ca ? key : issuer->key, EVP_sha256()) > 0;
    if (!done) {
        X509_free(cert);
        cert = NULL;
    }
    return cert;
}

static enum sotto_err make_pair(const struct mesh_pair *issuer, int64_t now_s,
                                struct sotto_buf *out)
{
    struct mesh_pair made = {.key = EVP_EC_gen("P-256")};
    made.cert = made.key != NULL ? make_certificate(made.key, issuer, now_s) : NULL;
    enum sotto_err err = made.cert != NULL ? write_pem(made.key, made.cert, out) : SOTTO_ECRYPTO;
    pair_free(&made);
    ERR_clear_error();
    return err;
}

enum sotto_err sotto_mesh_make_ca(int64_t now_s, struct sotto_buf *ca_pem)
{
    enum sotto_err err = sotto_crypto_init();
    return err == SOTTO_OK ? make_pair(NULL, now_s, ca_pem) : err;
}

/* OpenSSL reads all extensions for the first check; it goes on with those that it cannot read when
 * it issues, and ends the program (v3_akid.c: a NULL subject key identifier). */
static bool may_issue(X509 *ca)
{
    bool may = X509_check_ca(ca) == 1 && (X509_get_extension_flags(ca) & EXFLAG_INVALID) == 0 &&
               X509_get0_subject_key_id(ca) != NULL;
    ERR_clear_error();
    return may;
}

enum sotto_err sotto_mesh_make_leaf(sotto_span ca_pem, int64_t now_s, struct sotto_buf *leaf_pem)
{
    struct mesh_pair ca = {0};
    enum sotto_err err = sotto_crypto_init();
    if (err == SOTTO_OK) {
        err = read_pem(ca_pem, &ca);
    }
    if (err == SOTTO_OK && !may_issue(ca.cert)) {
        err = SOTTO_EFORMAT;
    }
    if (err == SOTTO_OK) {
        err = make_pair(&ca, now_s, leaf_pem);
    }
    pair_free(&ca);
    return err == SOTTO_EINVAL ? SOTTO_EFORMAT : err;
}

/* --- reading --------------------------------------------------------------------------------- */

/* Seconds from 1970 to the end of a certificate. */
static bool read_end(const X509 *cert, int64_t *out)
{
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool done =
        epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(cert)) == 1;
    *out = (int64_t)days * MESH_DAY_S + seconds;
    ASN1_TIME_free(epoch);
    return done;
}

static enum sotto_err write_der(X509 *cert, struct sotto_buf *out)
{
    uint8_t *dst;
    int len = i2d_X509(cert, NULL);
    enum sotto_err err = len > 0 ? sotto_buf_extend(out, (size_t)len, &dst) : SOTTO_ECRYPTO;
    if (err == SOTTO_OK && i2d_X509(cert, &dst) != len) {
        err = SOTTO_ECRYPTO;
    }
    return err;
}

static enum sotto_err check_pairs(const struct mesh_pair *ca, const struct mesh_pair *leaf)
{
    bool belong = X509_check_ca(ca->cert) == 1 &&
                  X509_check_issued(ca->cert, leaf->cert) == X509_V_OK &&
                  X509_verify(leaf->cert, ca->key) == 1;
    ERR_clear_error();
    return belong ? SOTTO_OK : SOTTO_EINVAL;
}

static enum sotto_err fill(struct sotto_mesh *mesh, const struct mesh_pair *ca,
                           const struct mesh_pair *leaf)
{
    unsigned len = 0;
    enum sotto_err err = check_pairs(ca, leaf);
    if (err == SOTTO_OK) {
        err = write_pem(NULL, ca->cert, &mesh->ca_pem);
    }
    if (err == SOTTO_OK) {
        err = write_der(leaf->cert, &mesh->leaf_der);
    }
    if (err == SOTTO_OK &&
        (X509_digest(ca->cert, EVP_sha256(), mesh->ca_hash, &len) != 1 ||
         !read_end(ca->cert, &mesh->ca_until_s) || !read_end(leaf->cert, &mesh->leaf_until_s))) {
        err = SOTTO_ECRYPTO;
    }
    return err;
}

enum sotto_err sotto_mesh_read(sotto_span ca_pem, sotto_span leaf_pem, struct sotto_mesh **out)
{
    struct mesh_pair ca = {0}, leaf = {0};
    struct sotto_mesh *mesh = NULL;
    enum sotto_err err = sotto_crypto_init();
    if (err == SOTTO_OK) {
        err = read_pem(ca_pem, &ca);
    }
    if (err == SOTTO_OK) {
        err = read_pem(leaf_pem, &leaf);
    }
    if (err == SOTTO_OK && (mesh = sotto_calloc(1, sizeof(*mesh))) == NULL) {
        err = SOTTO_ENOMEM;
    }
    if (err == SOTTO_OK) {
        sotto_buf_init(&mesh->ca_pem, SOTTO_MESH_PEM_MAX);
        sotto_buf_init(&mesh->leaf_der, SOTTO_MESH_PEM_MAX);
        err = fill(mesh, &ca, &leaf);
    }
    if (err == SOTTO_OK) {
        mesh->leaf_key = leaf.key;
        leaf.key = NULL; /* transferred */
        *out = mesh;
        mesh = NULL;
    }
    sotto_mesh_free(mesh);
    pair_free(&ca);
    pair_free(&leaf);
    return err;
}

void sotto_mesh_free(struct sotto_mesh *mesh)
{
    if (mesh != NULL) {
        EVP_PKEY_free(mesh->leaf_key);
        sotto_buf_free(&mesh->ca_pem);
        sotto_buf_free(&mesh->leaf_der);
        sotto_free(mesh);
    }
}

sotto_span sotto_mesh_ca(const struct sotto_mesh *mesh)
{
    return sotto_buf_span(&mesh->ca_pem);
}

sotto_span sotto_mesh_leaf(const struct sotto_mesh *mesh)
{
    return sotto_buf_span(&mesh->leaf_der);
}

const uint8_t *sotto_mesh_ca_hash(const struct sotto_mesh *mesh)
{
    return mesh->ca_hash;
}

int64_t sotto_mesh_ca_until(const struct sotto_mesh *mesh)
{
    return mesh->ca_until_s;
}

int64_t sotto_mesh_leaf_until(const struct sotto_mesh *mesh)
{
    return mesh->leaf_until_s;
}

enum sotto_err sotto_mesh_sign(const struct sotto_mesh *mesh,
                               const uint8_t digest[SOTTO_SHA256_BYTES],
                               struct sotto_buf *signature)
{
    uint8_t text[MESH_SIGNATURE_MAX];
    size_t len = sizeof(text);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(mesh->leaf_key, NULL);
    bool done = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
                EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
                EVP_PKEY_sign(ctx, text, &len, digest, SOTTO_SHA256_BYTES) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    return done ? sotto_buf_append(signature, sotto_span_init(text, len)) : SOTTO_ECRYPTO;
}
