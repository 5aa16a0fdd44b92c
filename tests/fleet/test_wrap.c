/* SPDX-License-Identifier: Apache-2.0 */

#include "fleet/wrap.h"

#include "base/alloc.h"
#include "tap/tap.h"

static const char place[] = "sotto:session:run:native:0102";

static struct sotto_session example(void)
{
    struct sotto_session s = {
        .id = {.len = 2, .bytes = {1, 2}},
        .owner = "3lMS65FM7ELF",
        .algorithm = "x-wing",
        .forward_secret = true,
        .key_id = "key_abcdefghijkl",
        .expires_s = 0x1234567890,
    };
    for (size_t i = 0; i < sizeof(s.secret); i++) {
        s.secret[i] = (uint8_t)(0xc0 + i);
    }
    return s;
}

static struct sotto_aead *key_of(const char *master)
{
    uint8_t key[SOTTO_AEAD_KEY_BYTES];
    struct sotto_aead *aead = NULL;
    OK(sotto_wrap_key(sotto_span_str(master), key) == SOTTO_OK &&
           sotto_aead_new(key, &aead) == SOTTO_OK,
       "a master secret gives a key");
    return aead;
}

static void opens_what_it_wrapped(struct sotto_aead *aead, struct sotto_buf *wrapped)
{
    struct sotto_session s = example(), back = {.id = s.id};
    IS_INT(sotto_wrap(aead, sotto_span_str(place), &s, wrapped), SOTTO_OK, "a session is wrapped");
    OK(memmem(wrapped->base, wrapped->len, s.secret, 8) == NULL &&
           memmem(wrapped->base, wrapped->len, s.owner, 8) == NULL,
       "neither its secret nor its owner is to be seen");
    IS_INT(sotto_unwrap(aead, sotto_span_str(place), sotto_buf_span(wrapped), &back), SOTTO_OK,
           "and opened");
    IS_MEM(back.secret, sizeof(back.secret), s.secret, sizeof(s.secret), "the secret is the same");
    OK(strcmp(back.owner, s.owner) == 0 && strcmp(back.algorithm, "x-wing") == 0 &&
           strcmp(back.key_id, s.key_id) == 0 && back.forward_secret &&
           back.expires_s == s.expires_s,
       "and so is the rest");
}

static void refuses_what_was_changed(struct sotto_aead *aead, const struct sotto_buf *wrapped)
{
    struct sotto_session back = {.expires_s = 7};
    size_t opened = 0;
    for (size_t i = 0; i < wrapped->len; i++) {
        wrapped->base[i] ^= 1;
        opened +=
            sotto_unwrap(aead, sotto_span_str(place), sotto_buf_span(wrapped), &back) == SOTTO_OK;
        opened += sotto_unwrap(aead, sotto_span_str(place),
                               sotto_span_sub(sotto_buf_span(wrapped), 0, i), &back) == SOTTO_OK;
        wrapped->base[i] ^= 1;
    }
    IS_SIZE(opened, 0, "changed or cut at any byte it does not open");
    IS_INT(back.expires_s, 7, "and nothing is taken of it");
    IS_INT(sotto_unwrap(aead, SOTTO_LIT("sotto:session:run:native:0103"), sotto_buf_span(wrapped),
                        &back),
           SOTTO_EAUTH, "moved to another place it does not open");
    struct sotto_aead *other = key_of("another master secret");
    IS_INT(sotto_unwrap(other, sotto_span_str(place), sotto_buf_span(wrapped), &back), SOTTO_EAUTH,
           "another fleet's key does not open it");
    sotto_aead_free(other);
}

static void fails_clean(struct sotto_aead *aead)
{
    struct sotto_session s = example();
    struct sotto_buf out;
    enum sotto_err err = SOTTO_ENOMEM;
    size_t i = 0;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    for (; err == SOTTO_ENOMEM && i < 100; i++) {
        sotto_alloc_set_fault(i + 1);
        err = sotto_wrap(aead, sotto_span_str(place), &s, &out);
        sotto_alloc_set_fault(0);
        if (err == SOTTO_ENOMEM && out.len != 0) {
            break;
        }
    }
    OK(err == SOTTO_OK && i > 1, "without memory nothing is written, however far it came");
    sotto_buf_free(&out);
}

int main(void)
{
    struct sotto_buf wrapped;
    sotto_buf_init(&wrapped, SOTTO_WRAP_BYTES_MAX);
    struct sotto_aead *aead = key_of("a master secret");
    opens_what_it_wrapped(aead, &wrapped);
    refuses_what_was_changed(aead, &wrapped);
    fails_clean(aead);
    sotto_aead_free(aead);
    sotto_buf_free(&wrapped);
    return done_testing();
}
