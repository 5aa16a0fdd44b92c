/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/mesh.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "tap/tap.h"

#define NOW 1700000000

static struct sotto_buf ca, leaf;

/* What a client asks of the leaf beside its issuer. */
static bool is_server_leaf(sotto_span leaf_der)
{
    const uint8_t *p = leaf_der.base;
    X509 *cert = d2i_X509(NULL, &p, (long)leaf_der.len);
    bool good = cert != NULL && X509_check_purpose(cert, X509_PURPOSE_SSL_SERVER, 0) == 1 &&
                X509_check_ca(cert) == 0 && X509_get_version(cert) == X509_VERSION_3;
    X509_free(cert);
    return good;
}

static bool signature_holds(const struct sotto_mesh *mesh, const uint8_t *digest,
                            sotto_span signature)
{
    sotto_span der = sotto_mesh_leaf(mesh);
    const uint8_t *p = der.base;
    X509 *cert = d2i_X509(NULL, &p, (long)der.len);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(X509_get0_pubkey(cert), NULL);
    bool holds =
        EVP_PKEY_verify_init(ctx) == 1 &&
        EVP_PKEY_verify(ctx, signature.base, signature.len, digest, SOTTO_SHA256_BYTES) == 1;
    EVP_PKEY_CTX_free(ctx);
    X509_free(cert);
    return holds;
}

static void test_make(void)
{
    struct sotto_mesh *mesh = NULL;
    uint8_t digest[SOTTO_SHA256_BYTES] = {1, 2, 3};
    struct sotto_buf signature;
    sotto_buf_init(&signature, 100);
    IS_INT(sotto_mesh_make_ca(NOW, &ca), SOTTO_OK, "an authority");
    IS_INT(sotto_mesh_make_leaf(sotto_buf_span(&ca), NOW, &leaf), SOTTO_OK, "issues a leaf");
    IS_INT(sotto_mesh_read(sotto_buf_span(&ca), sotto_buf_span(&leaf), &mesh), SOTTO_OK,
           "they belong together");
    OK(is_server_leaf(sotto_mesh_leaf(mesh)), "the leaf is a server's certificate");
    OK(sotto_span_starts(sotto_mesh_ca(mesh), SOTTO_LIT("-----BEGIN CERTIFICATE-----")),
       "what is shown of the authority is its certificate");
    OK(memmem(sotto_mesh_ca(mesh).base, sotto_mesh_ca(mesh).len, "PRIVATE", 7) == NULL,
       "and not its key");
    OK(sotto_mesh_ca_until(mesh) == NOW + (int64_t)SOTTO_MESH_CA_DAYS * 86400, "its end");
    OK(sotto_mesh_leaf_until(mesh) == NOW + (int64_t)SOTTO_MESH_LEAF_DAYS * 86400,
       "the leaf's end");
    IS_INT(sotto_mesh_sign(mesh, digest, &signature), SOTTO_OK, "the leaf signs");
    OK(signature_holds(mesh, digest, sotto_buf_span(&signature)), "the signature holds");
    digest[31] ^= 1;
    OK(!signature_holds(mesh, digest, sotto_buf_span(&signature)), "for this digest alone");
    sotto_mesh_free(mesh);
    sotto_mesh_free(NULL);
    sotto_buf_free(&signature);
}

static void test_strangers(void)
{
    struct sotto_buf other, alien;
    struct sotto_mesh *mesh = NULL;
    sotto_buf_init(&other, SOTTO_MESH_PEM_MAX);
    sotto_buf_init(&alien, SOTTO_MESH_PEM_MAX);
    IS_INT(sotto_mesh_make_ca(NOW, &other), SOTTO_OK, "another authority of the same name");
    IS_INT(sotto_mesh_make_leaf(sotto_buf_span(&other), NOW, &alien), SOTTO_OK, "and its leaf");
    IS_INT(sotto_mesh_read(sotto_buf_span(&ca), sotto_buf_span(&alien), &mesh), SOTTO_EINVAL,
           "is not ours");
    IS_INT(sotto_mesh_read(sotto_buf_span(&leaf), sotto_buf_span(&leaf), &mesh), SOTTO_EINVAL,
           "a leaf is no authority");
    IS_INT(sotto_mesh_read(SOTTO_LIT(""), SOTTO_LIT(""), &mesh), SOTTO_EFORMAT, "nothing");
    IS_INT(sotto_mesh_make_leaf(SOTTO_LIT("x"), NOW, &alien), SOTTO_EFORMAT, "no authority");
    IS_INT(sotto_mesh_make_leaf(sotto_buf_span(&leaf), NOW, &alien), SOTTO_EFORMAT,
           "a leaf issues nothing");
    sotto_buf_free(&other);
    sotto_buf_free(&alien);
}

/* A file that was cut or changed is refused or, where the change means nothing, still the same. */
static void test_damage(void)
{
    struct sotto_mesh *mesh = NULL;
    size_t accepted = 0, der_len;
    uint8_t der[SOTTO_MESH_PEM_MAX];
    IS_INT(sotto_mesh_read(sotto_buf_span(&ca), sotto_buf_span(&leaf), &mesh), SOTTO_OK, "whole");
    der_len = sotto_mesh_leaf(mesh).len;
    memcpy(der, sotto_mesh_leaf(mesh).base, der_len);
    sotto_mesh_free(mesh);
    for (size_t n = 0; n + 40 < leaf.len; n += 7) {
        if (sotto_mesh_read(sotto_buf_span(&ca), sotto_span_init(leaf.base, n), &mesh) ==
            SOTTO_OK) {
            accepted++;
            sotto_mesh_free(mesh);
        }
    }
    IS_SIZE(accepted, 0, "no part of a leaf's file is taken");
    for (size_t i = 0; i < leaf.len; i += 5) {
        leaf.base[i] ^= 4;
        enum sotto_err err = sotto_mesh_read(sotto_buf_span(&ca), sotto_buf_span(&leaf), &mesh);
        leaf.base[i] ^= 4;
        if (err == SOTTO_OK) { /* what nobody reads was changed */
            accepted += !sotto_span_eq(sotto_mesh_leaf(mesh), sotto_span_init(der, der_len));
            sotto_mesh_free(mesh);
        } else if (err != SOTTO_EFORMAT && err != SOTTO_EINVAL) {
            OK(false, "byte %zu: %d", i, (int)err);
        }
    }
    IS_SIZE(accepted, 0, "nor one whose certificate was changed");
}

/* An authority's file whose extensions cannot be read issues nothing. */
static void test_damaged_authority(void)
{
    struct sotto_buf out;
    size_t refused = 0, odd = 0;
    sotto_buf_init(&out, SOTTO_MESH_PEM_MAX);
    for (size_t i = 0; i < ca.len; i++) {
        for (unsigned bit = 1; bit <= 4; bit *= 2) {
            ca.base[i] ^= (uint8_t)bit;
            enum sotto_err err = sotto_mesh_make_leaf(sotto_buf_span(&ca), NOW, &out);
            ca.base[i] ^= (uint8_t)bit;
            refused += err == SOTTO_EFORMAT;
            odd += err != SOTTO_OK && (err != SOTTO_EFORMAT || out.len != 0);
            sotto_buf_truncate(&out, 0);
        }
    }
    OK(refused > ca.len, "an authority's file that was changed is refused: %zu times", refused);
    IS_SIZE(odd, 0, "with one error, and nothing is written");
    sotto_buf_free(&out);
}

int main(void)
{
    sotto_buf_init(&ca, SOTTO_MESH_PEM_MAX);
    sotto_buf_init(&leaf, SOTTO_MESH_PEM_MAX);
    test_make();
    test_strangers();
    test_damage();
    test_damaged_authority();
    sotto_buf_free(&ca);
    sotto_buf_free(&leaf);
    return done_testing();
}
