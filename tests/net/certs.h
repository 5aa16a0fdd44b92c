/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_NET_CERTS_H
#define SOTTO_TESTS_NET_CERTS_H

/*
 * A certification authority and certificates of it, made anew for each run, as PEM files in a
 * folder that is removed at the end.
 */

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char certs_folder[] = "/tmp/sotto-test-XXXXXX";

struct certs_issuer {
    EVP_PKEY *key;
    X509 *cert;
};

static inline const char *certs_path(const char *name)
{
    static char paths[8][256];
    static size_t next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", certs_folder, name);
    return path;
}

static inline void certs_check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static inline void certs_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    certs_check(ext != NULL && X509_add_ext(cert, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

/* A certificate for `key`; `names` ("DNS:a,IP:b") NULL: an authority. */
static inline X509 *certs_sign(EVP_PKEY *key, const struct certs_issuer *issuer, const char *names,
                               long from_s, long until_s)
{
    static long serial = 1;
    X509 *cert = X509_new();
    X509_NAME *name = X509_NAME_new();
    certs_check(cert != NULL && name != NULL);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               (const unsigned char *)(names != NULL ? "leaf" : "authority"), -1,
                               -1, 0);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(cert), from_s);
    X509_gmtime_adj(X509_getm_notAfter(cert), until_s);
    X509_set_subject_name(cert, name);
    X509_set_issuer_name(cert, names != NULL ? X509_get_subject_name(issuer->cert) : name);
    X509_set_pubkey(cert, key);
    X509 *issued_by = names != NULL ? issuer->cert : cert;
    certs_extend(cert, issued_by, NID_basic_constraints,
                 names != NULL ? "CA:FALSE" : "critical,CA:TRUE");
    certs_extend(cert, issued_by, NID_subject_key_identifier, "hash");
    if (names != NULL) {
        certs_extend(cert, issued_by, NID_subject_alt_name, names);
    }
    certs_check(X509_sign(cert, names != NULL ? issuer->key : key, EVP_sha256()) > 0);
    X509_NAME_free(name);
    return cert;
}

static inline EVP_PKEY *certs_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    certs_check(key != NULL);
    return key;
}

static inline void certs_write(const char *name, EVP_PKEY *key, X509 *cert)
{
    FILE *file = fopen(certs_path(name), "we");
    certs_check(file != NULL);
    if (cert != NULL) {
        certs_check(PEM_write_X509(file, cert) == 1);
    }
    if (key != NULL) {
        certs_check(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    }
    fclose(file);
}

/* NAME.pem and NAME.key. */
static inline void certs_leaf(const struct certs_issuer *issuer, const char *name,
                              const char *names, long from_s, long until_s)
{
    char file[64];
    EVP_PKEY *key = certs_key();
    X509 *cert = certs_sign(key, issuer, names, from_s, until_s);
    snprintf(file, sizeof(file), "%s.pem", name);
    certs_write(file, NULL, cert);
    snprintf(file, sizeof(file), "%s.key", name);
    certs_write(file, key, NULL);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* Makes ca.pem, good, expired and other (another name). */
static inline void certs_make(void)
{
    certs_check(mkdtemp(certs_folder) != NULL);
    struct certs_issuer ca = {.key = certs_key()};
    ca.cert = certs_sign(ca.key, NULL, NULL, -3600, 86400);
    certs_write("ca.pem", NULL, ca.cert);
    certs_leaf(&ca, "good", "DNS:localhost,DNS:api.example,IP:127.0.0.1", -3600, 86400);
    certs_leaf(&ca, "renewed", "DNS:localhost,IP:127.0.0.1", -3600, 86400);
    certs_leaf(&ca, "expired", "DNS:localhost,IP:127.0.0.1", -7200, -3600);
    certs_leaf(&ca, "other", "DNS:other.example", -3600, 86400);
    X509_free(ca.cert);
    EVP_PKEY_free(ca.key);
    FILE *file = fopen(certs_path("garbage.pem"), "we");
    certs_check(file != NULL);
    fputs("this is no certificate\n", file);
    fclose(file);
}

static inline void certs_remove(void)
{
    static const char *const names[] = {"ca.pem",      "good.pem",    "good.key",    "renewed.pem",
                                        "renewed.key", "expired.pem", "expired.key", "other.pem",
                                        "other.key",   "garbage.pem"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unlink(certs_path(names[i]));
    }
    rmdir(certs_folder);
}

#endif
