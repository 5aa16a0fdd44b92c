/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/field.h"

#include "base/alloc.h"
#include "crypto/random.h"
#include "tap/tap.h"

#define ID "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG="

static const uint8_t secret[SOTTO_FIELD_SECRET_BYTES] = {1, 2, 3};

static struct sotto_field_cipher *cipher(void)
{
    struct sotto_field_cipher *c = NULL;
    IS_INT(sotto_field_cipher_new(secret, SOTTO_LIT(ID), &c), SOTTO_OK, "a cipher");
    return c;
}

/* Both directions count from 0 under one key, so what one side seals the other opens. */
static size_t seal(uint32_t number, sotto_span plain, uint8_t *out, size_t cap)
{
    struct sotto_field_cipher *c = cipher();
    static const uint8_t iv[SOTTO_FIELD_IV_BYTES] = {9};
    struct sotto_buf buf;
    sotto_buf_init(&buf, cap);
    IS_INT(sotto_field_seal(c, number, iv, plain, &buf), SOTTO_OK, "a field");
    memcpy(out, buf.base, buf.len);
    size_t len = buf.len;
    sotto_buf_free(&buf);
    sotto_field_cipher_free(c);
    return len;
}

static enum sotto_err open_one(sotto_span text, struct sotto_buf *plain)
{
    struct sotto_field_cipher *c = NULL;
    enum sotto_err err = sotto_field_cipher_new(secret, SOTTO_LIT(ID), &c);
    if (err == SOTTO_OK) {
        err = sotto_field_open(c, text, plain);
    }
    sotto_field_cipher_free(c);
    return err;
}

static void test_form(void)
{
    uint8_t text[300];
    size_t len = seal(0, SOTTO_LIT("[1]"), text, sizeof(text));
    sotto_span field = sotto_span_init(text, len);
    IS_SIZE(len, SOTTO_FIELD_LEN(3), "a field has the length that is said");
    OK(sotto_field_is_sealed(field), "and its form");
    IS_MEM(sotto_field_id(field).base, sotto_field_id(field).len, ID, SOTTO_FIELD_ID_LEN, "and id");
    for (size_t i = 0; i < len; i++) {
        sotto_span part = sotto_span_init(text, i);
        OK(!sotto_field_is_sealed(part) || (i >= SOTTO_FIELD_LEN(0) && (len - i) % 2 == 0),
           "%zu bytes of it are none", i);
        struct sotto_buf plain;
        sotto_buf_init(&plain, 100);
        IS_INT(open_one(part, &plain), SOTTO_EAUTH, "nor do they open");
        sotto_buf_free(&plain);
    }
    IS_SIZE(sotto_field_id(SOTTO_LIT("x")).len, 0, "a short text has no id");
    IS_SIZE(sotto_field_id(SOTTO_LIT("0123456789abcdefghijklmnopqrstuvwxyzABCDEF!=:")).len, 0,
            "nor has one with another symbol");
}

static void test_every_bit(void)
{
    uint8_t text[300];
    size_t len = seal(0, SOTTO_LIT("\"hello\""), text, sizeof(text));
    struct sotto_buf plain;
    sotto_buf_init(&plain, 100);
    IS_INT(open_one(sotto_span_init(text, len), &plain), SOTTO_OK, "it opens");
    IS_TEXT(plain.base, plain.len, "\"hello\"", "to what was sealed");
    size_t wrong = 0;
    for (size_t i = 0; i < len * 8; i++) {
        text[i / 8] ^= (uint8_t)(1U << (i % 8));
        sotto_buf_truncate(&plain, 0);
        wrong += open_one(sotto_span_init(text, len), &plain) != SOTTO_EAUTH || plain.len != 0;
        text[i / 8] ^= (uint8_t)(1U << (i % 8));
    }
    IS_SIZE(wrong, 0, "with any bit flipped it does not");
    sotto_buf_free(&plain);
}

static void test_order(void)
{
    uint8_t first[300], second[300];
    size_t a = seal(0, SOTTO_LIT("1"), first, sizeof(first));
    size_t b = seal(1, SOTTO_LIT("2"), second, sizeof(second));
    struct sotto_field_cipher *c = cipher();
    struct sotto_buf plain;
    uint32_t number = 7;
    sotto_buf_init(&plain, 100);
    IS_INT(sotto_field_number(c, 1, &number), SOTTO_ESTATE, "no answer before a request");
    IS_INT(sotto_field_open(c, sotto_span_init(second, b), &plain), SOTTO_EAUTH, "not the second");
    IS_INT(sotto_field_open(c, sotto_span_init(first, a), &plain), SOTTO_OK, "the first");
    IS_INT(sotto_field_open(c, sotto_span_init(first, a), &plain), SOTTO_EAUTH, "but once");
    IS_INT(sotto_field_open(c, sotto_span_init(second, b), &plain), SOTTO_OK, "then the second");
    IS_TEXT(plain.base, plain.len, "12", "both are there");
    IS_INT(sotto_field_number(c, 3, &number), SOTTO_OK, "numbers of the answer");
    IS_INT(number, 0, "begin at 0");
    IS_INT(sotto_field_number(c, 1, &number), SOTTO_OK, "and go on");
    IS_INT(number, 3, "where they ended");
    IS_INT(sotto_field_number(c, UINT32_MAX, &number), SOTTO_ELIMIT, "up to the last one");
    IS_INT(sotto_field_open(c, sotto_span_init(second, b), &plain), SOTTO_ESTATE,
           "nothing is opened once the answer has begun");
    sotto_buf_free(&plain);
    sotto_field_cipher_free(c);
}

static void test_random_vectors(void)
{
    struct sotto_field_cipher *c = cipher();
    struct sotto_buf a, b;
    sotto_buf_init(&a, 10000);
    sotto_buf_init(&b, 10000);
    size_t same = 0;
    for (int i = 0; i < 40; i++) {
        sotto_buf_truncate(&a, 0);
        sotto_buf_truncate(&b, 0);
        sotto_ignore(sotto_field_seal(c, 0, NULL, SOTTO_LIT("x"), &a)); /* compared below */
        sotto_ignore(sotto_field_seal(c, 0, NULL, SOTTO_LIT("x"), &b));
        same +=
            a.len != SOTTO_FIELD_LEN(1) || sotto_span_eq(sotto_buf_span(&a), sotto_buf_span(&b));
    }
    IS_SIZE(same, 0, "no vector comes twice");
    (void)sotto_crypto_random_set_fault(1);
    enum sotto_err err = SOTTO_OK;
    for (int i = 0; i < 20 && err == SOTTO_OK; i++) {
        sotto_buf_truncate(&a, 0);
        err = sotto_field_seal(c, 0, NULL, SOTTO_LIT("x"), &a);
    }
    (void)sotto_crypto_random_set_fault(0);
    IS_INT(err, SOTTO_ECRYPTO, "without random numbers nothing is sealed");
    IS_SIZE(a.len, 0, "not even in part");
    sotto_buf_free(&a);
    sotto_buf_free(&b);
    sotto_field_cipher_free(c);
}

static void test_mac(void)
{
    /* Computed with Python's hmac. */
    char mac[] = "e7e8b47d1f32f182a08864434b4f812cd5a019ca83b4528a6bcd15583a09369b";
    static const sotto_span text = SOTTO_LIT_INIT("rules=allow-good");
    IS_INT(sotto_field_check_mac(secret, text, SOTTO_LIT("")), SOTTO_EAUTH, "no code");
    IS_INT(sotto_field_check_mac(secret, text, SOTTO_LIT("zz")), SOTTO_EAUTH, "not hexadecimal");
    IS_INT(sotto_field_check_mac(secret, text, sotto_span_str(mac)), SOTTO_OK, "the code");
    IS_INT(sotto_field_check_mac(secret, SOTTO_LIT("rules="), sotto_span_str(mac)), SOTTO_EAUTH,
           "of another text");
    mac[0] = (char)(mac[0] ^ 1);
    IS_INT(sotto_field_check_mac(secret, text, sotto_span_str(mac)), SOTTO_EAUTH, "another code");
}

/* The client's side: it seals first, then opens what the gateway sealed. */
static void test_client(void)
{
    struct sotto_field_cipher *client = NULL, *gateway = NULL;
    struct sotto_buf asked, said, plain;
    uint32_t first = 9;
    sotto_buf_init(&asked, 1000);
    sotto_buf_init(&said, 1000);
    sotto_buf_init(&plain, 1000);
    OK(sotto_field_cipher_new(secret, SOTTO_LIT(ID), &client) == SOTTO_OK &&
           sotto_field_cipher_new(secret, SOTTO_LIT(ID), &gateway) == SOTTO_OK,
       "both ends");
    IS_INT(sotto_field_number(client, 1, &first), SOTTO_ESTATE, "a gateway cannot begin");
    IS_INT(sotto_field_ask(client), SOTTO_OK, "a client can");
    IS_INT(sotto_field_ask(client), SOTTO_ESTATE, "once");
    IS_INT(sotto_field_number(client, 1, &first), SOTTO_OK, "a number");
    OK(first == 0, "the first one");
    IS_INT(sotto_field_seal(client, first, NULL, SOTTO_LIT("ask"), &asked), SOTTO_OK, "a field");
    IS_INT(sotto_field_open(client, sotto_buf_span(&asked), &plain), SOTTO_EAUTH,
           "that comes back is no answer");
    IS_INT(sotto_field_open(gateway, sotto_buf_span(&asked), &plain), SOTTO_OK,
           "opens at the gateway");
    IS_INT(sotto_field_ask(gateway), SOTTO_ESTATE, "which is no client any more");
    OK(sotto_field_number(gateway, 1, &first) == SOTTO_OK &&
           sotto_field_seal(gateway, first, NULL, SOTTO_LIT("say"), &said) == SOTTO_OK,
       "it answers");
    IS_INT(sotto_field_open(client, sotto_buf_span(&said), &plain), SOTTO_OK, "and that opens");
    IS_TEXT(plain.base, plain.len, "asksay", "to what was said");
    IS_INT(sotto_field_number(client, 1, &first), SOTTO_ESTATE, "then nothing more is sealed");
    sotto_field_cipher_free(client);
    sotto_field_cipher_free(gateway);
    sotto_buf_free(&asked);
    sotto_buf_free(&said);
    sotto_buf_free(&plain);
}

static void test_faults(void)
{
    uint8_t text[300];
    size_t len = seal(0, SOTTO_LIT("12345"), text, sizeof(text));
    struct sotto_buf plain;
    sotto_buf_init(&plain, 100);
    (void)sotto_alloc_set_fault(SIZE_MAX);
    IS_INT(open_one(sotto_span_init(text, len), &plain), SOTTO_OK, "dry run");
    size_t total = sotto_alloc_set_fault(0);
    sotto_buf_free(&plain);
    OK(total > 2, "there are allocations that can fail");
    for (size_t n = 1; n <= total; n++) {
        sotto_buf_init(&plain, 100);
        (void)sotto_alloc_set_fault(n);
        enum sotto_err err = open_one(sotto_span_init(text, len), &plain);
        (void)sotto_alloc_set_fault(0);
        OK(err == SOTTO_OK || (plain.len == 0 && (err == SOTTO_ENOMEM || err == SOTTO_ECRYPTO)),
           "allocation %zu fails: nothing in part", n);
        sotto_buf_free(&plain);
    }
    IS_INT(sotto_field_cipher_new(secret, SOTTO_LIT("short"), NULL), SOTTO_EINVAL, "no id");
    sotto_field_cipher_free(NULL);
}

int main(void)
{
    test_form();
    test_every_bit();
    test_order();
    test_random_vectors();
    test_mac();
    test_client();
    test_faults();
    return done_testing();
}
