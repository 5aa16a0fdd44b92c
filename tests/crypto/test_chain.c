/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/chain.h"

#include "base/alloc.h"
#include "tap/tap.h"

/* Three certificates made for this test: root, maker, chip. */
static const char root_pem[] = "-----BEGIN CERTIFICATE-----\n"
                               "MIIBaDCB76ADAgECAgEHMAoGCCqGSM49BAMDMBQxEjAQBgNVBAMMCXRlc3Qgcm9v\n"
                               "dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAGA1UEAwwJ\n"
                               "dGVzdCByb290MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAErEm9cCOrMCx2C4HY7D4M\n"
                               "TLsHqKlAap+KRlh5aY29is3uH7sjouTN1EK7pZz6vLMRejq7B8dAfJsqbMtN3LQr\n"
                               "iwrISGsSuaPnac0h45Os2wxKIZCAT7krUFcG7ndiGZCxoxMwETAPBgNVHRMBAf8E\n"
                               "BTADAQH/MAoGCCqGSM49BAMDA2gAMGUCMQCP3Km9pMLMdIGEAv3Ct6P0KwPawFgn\n"
                               "3rtvifGlneR2mR45REcVnFAkAt5XPzrignoCMF2muTSxWQZE+yYaUqyJ0jWIJS1+\n"
                               "Q6NAk7A/eE2ak1EN8pdLoyDMvKH6km+KvjFADQ==\n"
                               "-----END CERTIFICATE-----\n";

static const char maker_pem[] = "-----BEGIN CERTIFICATE-----\n"
                                "MIIBaTCB8KADAgECAgEHMAoGCCqGSM49BAMDMBQxEjAQBgNVBAMMCXRlc3Qgcm9v\n"
                                "dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFTETMBEGA1UEAwwK\n"
                                "dGVzdCBtYWtlcjB2MBAGByqGSM49AgEGBSuBBAAiA2IABIuwkULZVDjUtE4pxje9\n"
                                "ypH4x7o3q7DsOBT7x1O0H/k9JOY0ksNi95dKFZLa+EAkJLXzTh5EIpW5+28LXQCt\n"
                                "Bnw3Ntw2t1tgNiZBXmJHAF6koIGtm6J3lgxUpvv0ADRNX6MTMBEwDwYDVR0TAQH/\n"
                                "BAUwAwEB/zAKBggqhkjOPQQDAwNoADBlAjAG3of45Htu/YFBrwtgv5zCp4YEhtl4\n"
                                "0Ou5b6qEol3rHwtOImvgpFHqd5hYV193xfYCMQCUv7HIgnaaTzp7rSEseBz1Ap4D\n"
                                "7m6wowAQbsizARlnEXBBPJ0oVyfDrnHY0upSqjg=\n"
                                "-----END CERTIFICATE-----\n";

static const char chip_pem[] = "-----BEGIN CERTIFICATE-----\n"
                               "MIIBXTCB46ADAgECAgEHMAoGCCqGSM49BAMDMBUxEzARBgNVBAMMCnRlc3QgbWFr\n"
                               "ZXIwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM\n"
                               "CXRlc3QgY2hpcDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOsFeHbBfOJJanam\n"
                               "OlCuQJxjgWKqTPqkLPlOuRHtmPh6KDlcEYx/jmuC5gjXyCX6YuarEU8jLDflGAPR\n"
                               "OFiDllKjIzAhMAwGA1UdEwEB/wQCMAAwEQYKKwYBBAGceAEDAQQDAgEFMAoGCCqG\n"
                               "SM49BAMDA2kAMGYCMQDd3SuDu1RMRzoJhiWqWdALkNNZ+MewHJ1iS9L2GDOw8NXy\n"
                               "1e14X3u3NxeS/TLM6sgCMQDPWh9Vkz3zmaYuw3S0DYgY7CRBlP7ixYGEht5LiS28\n"
                               "KfocXpGsJJFI1PDTQuKrXs4=\n"
                               "-----END CERTIFICATE-----\n";

/* SHA-256 of the root's public key. */
static const uint8_t root_key[32] = {
    0xc2, 0xea, 0x38, 0xbe, 0x50, 0xea, 0x08, 0x02, 0x08, 0xa6, 0xb8, 0x0b, 0x55, 0x56, 0x29, 0xae,
    0xa5, 0x8b, 0x03, 0x85, 0x29, 0xe6, 0x25, 0x9d, 0x99, 0x36, 0x58, 0x29, 0x4f, 0x91, 0x89, 0x2d};

/* The chip's signature of "a report", and its public key. */
static const uint8_t signature[64] = {
    0x38, 0x53, 0xe0, 0x77, 0x12, 0x85, 0xce, 0x98, 0xef, 0x9b, 0xbb, 0xc0, 0x0c, 0x35, 0xd2, 0x89,
    0x3f, 0xbe, 0x31, 0xa5, 0x94, 0xa1, 0x30, 0xba, 0x00, 0x62, 0xfa, 0x6f, 0x42, 0x49, 0x9b, 0x34,
    0xa8, 0x5e, 0x9c, 0xa3, 0xf7, 0x1a, 0x43, 0x38, 0xb4, 0x80, 0x76, 0x15, 0x90, 0x34, 0x37, 0x0a,
    0x0d, 0x0e, 0x0c, 0xf5, 0xac, 0x1a, 0x79, 0x66, 0x18, 0x62, 0xd8, 0x9a, 0x61, 0x59, 0x7a, 0xc4};
static const uint8_t chip_key[64] = {
    0xeb, 0x05, 0x78, 0x76, 0xc1, 0x7c, 0xe2, 0x49, 0x6a, 0x76, 0xa6, 0x3a, 0x50, 0xae, 0x40, 0x9c,
    0x63, 0x81, 0x62, 0xaa, 0x4c, 0xfa, 0xa4, 0x2c, 0xf9, 0x4e, 0xb9, 0x11, 0xed, 0x98, 0xf8, 0x7a,
    0x28, 0x39, 0x5c, 0x11, 0x8c, 0x7f, 0x8e, 0x6b, 0x82, 0xe6, 0x08, 0xd7, 0xc8, 0x25, 0xfa, 0x62,
    0xe6, 0xab, 0x11, 0x4f, 0x23, 0x2c, 0x37, 0xe5, 0x18, 0x03, 0xd1, 0x38, 0x58, 0x83, 0x96, 0x52};

#define NOW 1750000000

static struct sotto_chain *make(const char *first, const char *second, const char *third)
{
    const char *pems[] = {first, second, third};
    struct sotto_chain *chain = NULL;
    OK(sotto_chain_new(&chain) == SOTTO_OK, "a chain is made");
    for (size_t i = 0; i < 3 && pems[i] != NULL; i++) {
        OK(sotto_chain_add(chain, sotto_span_str(pems[i])) == SOTTO_OK, "a certificate is added");
    }
    return chain;
}

static void expect(const char *first, const char *second, const char *third, int64_t now_s,
                   enum sotto_err want, const char *what)
{
    struct sotto_chain_root roots[2] = {{{0}}};
    memcpy(roots[1].key, root_key, sizeof(root_key));
    struct sotto_chain *chain = make(first, second, third);
    IS_INT(sotto_chain_verify(chain, roots, 2, now_s), want, "%s", what);
    IS_INT(sotto_chain_verify(chain, roots, 1, now_s), want == SOTTO_ESTATE ? want : SOTTO_EAUTH,
           "%s: never without its root", what);
    sotto_chain_free(chain);
}

static void test_verify(void)
{
    expect(chip_pem, maker_pem, root_pem, NOW, SOTTO_OK, "chip, maker, root");
    expect(chip_pem, root_pem, maker_pem, NOW, SOTTO_OK, "the order of the others is free");
    expect(maker_pem, root_pem, chip_pem, NOW, SOTTO_OK, "one that is not needed");
    expect(chip_pem, root_pem, NULL, NOW, SOTTO_EAUTH, "without the maker");
    expect(chip_pem, maker_pem, NULL, NOW, SOTTO_EAUTH, "without the root");
    expect(root_pem, chip_pem, maker_pem, NOW, SOTTO_EAUTH, "a root that is the leaf itself");
    expect(chip_pem, maker_pem, root_pem, 1500000000, SOTTO_EAUTH, "too early");
    expect(chip_pem, maker_pem, root_pem, INT64_C(5000000000), SOTTO_EAUTH, "too late");
    expect(NULL, NULL, NULL, NOW, SOTTO_ESTATE, "no certificate");
}

static void test_add(void)
{
    char many[sizeof(root_pem) * (SOTTO_CHAIN_CERTS_MAX + 1)] = "";
    struct sotto_chain *chain = make(NULL, NULL, NULL);
    IS_INT(sotto_chain_add(chain, SOTTO_LIT("")), SOTTO_EFORMAT, "nothing is no certificate");
    IS_INT(sotto_chain_add(chain, SOTTO_LIT("0\x82")), SOTTO_EFORMAT, "half a header");
    IS_INT(sotto_chain_add(chain, SOTTO_LIT("-----BEGIN CERTIFICATE-----\nAAAA\n")), SOTTO_EFORMAT,
           "no end");
    IS_INT(sotto_chain_add(chain, SOTTO_LIT("-----BEGIN CERTIFICATE-----\nAAAA\n"
                                            "-----END CERTIFICATE-----\n")),
           SOTTO_EFORMAT, "a frame without a certificate");
    sotto_chain_free(chain);
    for (int i = 0; i <= SOTTO_CHAIN_CERTS_MAX; i++) {
        strcat(many, root_pem);
    }
    chain = make(NULL, NULL, NULL);
    IS_INT(sotto_chain_add(chain, sotto_span_str(many)), SOTTO_ELIMIT, "too many");
    IS_INT(sotto_chain_add(chain, sotto_span_init(many, SOTTO_CHAIN_BYTES_MAX)), SOTTO_ELIMIT,
           "too long");
    sotto_chain_free(chain);
    for (size_t n = 0; n < sizeof(chip_pem) - 2; n++) {
        char copy[sizeof(chip_pem)];
        memcpy(copy, chip_pem, n);
        chain = NULL;
        if (sotto_chain_new(&chain) != SOTTO_OK ||
            sotto_chain_add(chain, sotto_span_init(copy, n)) != SOTTO_EFORMAT) {
            OK(false, "%zu bytes of a certificate are none", n);
        }
        sotto_chain_free(chain);
    }
}

static void test_extension(void)
{
    sotto_span value = SOTTO_LIT("before");
    struct sotto_chain *chain = make(chip_pem, NULL, NULL);
    IS_INT(sotto_chain_extension(chain, "1.3.6.1.4.1.3704.1.3.2", &value), SOTTO_ENOTFOUND,
           "one that is not there");
    IS_TEXT(value.base, value.len, "before", "nothing is given out");
    IS_INT(sotto_chain_extension(chain, "1.3.6.1.4.1.3704.1.3.1", &value), SOTTO_OK, "one that is");
    IS_MEM(value.base, value.len, "\x02\x01\x05", 3, "its value");
    sotto_chain_free(chain);
}

static void test_signed(void)
{
    sotto_span data = SOTTO_LIT("a report"), sig = sotto_span_init(signature, sizeof(signature));
    struct sotto_chain *chain = make(chip_pem, NULL, NULL), *none = make(NULL, NULL, NULL);
    uint8_t other[64] = {0};
    IS_INT(sotto_chain_signed(chain, SOTTO_ECDSA_P256, data, sig), SOTTO_OK, "the chip signed");
    IS_INT(sotto_chain_signed(chain, SOTTO_ECDSA_P384, data, sig), SOTTO_EAUTH, "another curve");
    IS_INT(sotto_chain_signed(chain, SOTTO_ECDSA_P256, SOTTO_LIT("b report"), sig), SOTTO_EAUTH,
           "other data");
    IS_INT(sotto_chain_signed(chain, SOTTO_ECDSA_P256, data, sotto_span_init(signature, 63)),
           SOTTO_EAUTH, "a signature that is short");
    IS_INT(sotto_chain_signed(none, SOTTO_ECDSA_P256, data, sig), SOTTO_ESTATE, "nobody signed");
    IS_INT(sotto_ecdsa_signed(chip_key, data, sig), SOTTO_OK, "the same with the bare key");
    IS_INT(sotto_ecdsa_signed(other, data, sig), SOTTO_EAUTH, "a key that is no point");
    size_t believed = 0;
    for (size_t i = 0; i < sizeof(signature); i++) {
        memcpy(other, signature, sizeof(other));
        other[i] ^= 1;
        believed += sotto_ecdsa_signed(chip_key, data, sotto_span_init(other, 64)) == SOTTO_OK;
    }
    memset(other, 0, sizeof(other));
    believed += sotto_ecdsa_signed(chip_key, data, sotto_span_init(other, 64)) == SOTTO_OK;
    IS_SIZE(believed, 0, "no other signature is believed");
    sotto_chain_free(chain);
    sotto_chain_free(none);
}

static void test_faults(void)
{
    size_t failed = 0;
    for (size_t n = 1;; n++) {
        struct sotto_chain *chain = NULL;
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_chain_new(&chain);
        if (err == SOTTO_OK) {
            err = sotto_chain_add(chain, sotto_span_str(chip_pem));
        }
        sotto_chain_free(chain);
        if (sotto_alloc_set_fault(0) < n) {
            IS_INT(err, SOTTO_OK, "without a failure it is read");
            break;
        }
        failed += err != SOTTO_OK;
    }
    OK(failed > 10, "allocations that fail are told: %zu", failed);
}

int main(void)
{
    test_verify();
    test_add();
    test_extension();
    test_signed();
    test_faults();
    return done_testing();
}
