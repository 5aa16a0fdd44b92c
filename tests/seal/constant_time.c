/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Works on secrets that valgrind takes for uninitialised: every branch and every address that
 * depends on one is an error there.  Run by test_constant_time.py.
 *
 *     constant_time          what the gateway does with secrets
 *     constant_time leaky    a comparison that stops at the first difference: must be found
 */

#include <valgrind/memcheck.h>

#include "base/ct.h"
#include "seal/native.h"
#include "seal/profile.h"
#include "seal/session.h"
#include "tap/tap.h"

#define NOW 1000

static void hide(void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, n);
}

static void show(const void *p, size_t n)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(p, n);
}

static bool leaky_equal(const uint8_t *a, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

static void compare(bool leaky)
{
    uint8_t a[32], b[32];
    memset(a, 1, sizeof(a));
    memset(b, 1, sizeof(b));
    for (size_t i = 0; i <= sizeof(a); i++) {
        if (i < sizeof(a)) {
            b[i] ^= 0x80;
        }
        hide(a, sizeof(a));
        hide(b, sizeof(b));
        bool equal = leaky ? leaky_equal(a, b, sizeof(a)) : sotto_ct_equal(a, b, sizeof(a));
        show(&equal, sizeof(equal));
        show(a, sizeof(a));
        show(b, sizeof(b));
        IS_INT(equal, i == sizeof(a), "comparison %zu", i);
        if (i < sizeof(b)) {
            b[i] ^= 0x80;
        }
    }
}

/* The text is hidden, its length is not: whoever sees the answer's size knows it roughly. */
static void unpad(void)
{
    uint8_t padded[256] = {0, 0, 0, 5, 'h', 'e', 'l', 'l', 'o'};
    sotto_span text = {NULL, 0};
    hide(padded + 4, sizeof(padded) - 4);
    IS_INT(sotto_native_unpad(sotto_span_init(padded, sizeof(padded)), &text), SOTTO_OK,
           "unpadded");
    show(padded, sizeof(padded));
    IS_TEXT(text.base, text.len, "hello", "to its text");
    padded[2] = 1;
    hide(padded + 4, sizeof(padded) - 4);
    IS_INT(sotto_native_unpad(sotto_span_init(padded, sizeof(padded)), &text), SOTTO_EAUTH,
           "a length that does not fit");
}

/* Which session is meant depends on the public id alone. */
static void select_key(void)
{
    struct sotto_sessions *t = NULL;
    IS_INT(sotto_sessions_new(&t), SOTTO_OK, "a table");
    for (uint8_t i = 0; i < 20; i++) {
        struct sotto_session s = {.profile = &sotto_seal_profile_native, .expires_s = NOW + 10};
        s.id.len = 1;
        s.id.bytes[0] = i;
        memset(s.secret, i, sizeof(s.secret));
        hide(s.secret, sizeof(s.secret));
        IS_INT(sotto_sessions_put(t, &s, NOW), SOTTO_OK, "session %u", i);
    }
    struct sotto_session_id id = {.len = 1, .bytes = {7}};
    struct sotto_session *found = sotto_sessions_find(t, &sotto_seal_profile_native, &id, NOW);
    OK(found != NULL, "one is found");
    IS_INT(sotto_session_once(found, SOTTO_LIT("nonce")), SOTTO_OK, "and used");
    show(found->secret, sizeof(found->secret));
    IS_INT(found->secret[0], 7, "it is the right one");
    sotto_session_unref(found);
    sotto_sessions_free(t);
}

/* Keys are derived and a text is sealed: libcrypto's part is looked at as well. */
static void seal(void)
{
    uint8_t secret[SOTTO_NATIVE_SECRET_BYTES] = {3}, nonce[SOTTO_NATIVE_NONCE_BYTES] = {4};
    const struct sotto_native_place place = {SOTTO_LIT("POST"), SOTTO_LIT("/x"), SOTTO_LIT("m")};
    struct sotto_native_channel *channel = NULL;
    struct sotto_buf out, *text;
    uint8_t hidden[] = "what nobody may see";
    sotto_buf_init(&out, 4096);
    hide(secret, sizeof(secret));
    hide(hidden, sizeof(hidden));
    IS_INT(sotto_native_answer_channel(secret, nonce, nonce, 200, &place, &channel), SOTTO_OK,
           "keys are derived");
    IS_INT(sotto_native_begin(channel, &text), SOTTO_OK, "a record");
    IS_INT(sotto_buf_append(text, sotto_span_init(hidden, sizeof(hidden))), SOTTO_OK, "a text");
    IS_INT(sotto_native_seal(channel, true, &out), SOTTO_OK, "is sealed");
    show(out.base, out.len);
    IS_SIZE(out.len, 1 + 256 + 16, "and padded");
    sotto_native_channel_free(channel);
    sotto_buf_free(&out);
}

int main(int argc, char **argv)
{
    bool leaky = argc > 1 && argv[1][0] == 'l';
    compare(leaky);
    if (!leaky) {
        unpad();
        select_key();
        seal();
    }
    return done_testing();
}
