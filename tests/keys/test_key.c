/* SPDX-License-Identifier: Apache-2.0 */

#include "keys/key.h"

#include "crypto/random.h"
#include "tap/tap.h"

#define SECRET "0123456789ABCDEFGHIJKLMNOPQRSTUV"
#define OTHER  "0123456789ABCDEFGHIJKLMNOPQRSTUW"

static struct sotto_key_text text_of(const char *text)
{
    struct sotto_key_text parts = {0};
    if (sotto_key_parse(sotto_span_str(text), &parts) != SOTTO_OK) {
        abort();
    }
    return parts;
}

static void test_form(void)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"ql_aB3dE6gH9jK2_" SECRET, true},
        {"ql_zzzzzzzzzzzz_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", true},
        {"", false},
        {"ql_", false},
        {"QL_aB3dE6gH9jK2_" SECRET, false},
        {"ql-aB3dE6gH9jK2_" SECRET, false},
        {"ql_aB3dE6gH9jK2-" SECRET, false},
        {"ql_aB3dE6gH9jK_" SECRET, false},
        {"ql_aB3dE6gH9jK23_" SECRET, false},
        {"ql_aB3dE6gH9jK2_" SECRET "x", false},
        {"ql_aB3dE6gH9jK2_012345678901234567890123456789!!", false},
        {"ql_aB3dE6 H9jK2_" SECRET, false},
        {"ql_aB3dE6_H9jK2_" SECRET, false},
        {"sk-aB3dE6gH9jK2_" SECRET, false},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_key_text parts = {0};
        IS_INT(sotto_key_parse(sotto_span_str(cases[i].text), &parts),
               cases[i].good ? SOTTO_OK : SOTTO_EFORMAT, "'%s' is %s key", cases[i].text,
               cases[i].good ? "a" : "no");
        OK(cases[i].good || parts.id.base == NULL, "what is none leaves nothing");
    }
    struct sotto_key_text parts = text_of("ql_aB3dE6gH9jK2_" SECRET);
    IS_TEXT(parts.id.base, parts.id.len, "aB3dE6gH9jK2", "the id");
    IS_TEXT(parts.secret.base, parts.secret.len, SECRET, "the secret");
    OK(sotto_key_id_valid(SOTTO_LIT("aB3dE6gH9jK2")), "an id");
    OK(!sotto_key_id_valid(SOTTO_LIT("aB3dE6gH9jK")), "one too short");
    OK(!sotto_key_id_valid(SOTTO_LIT("aB3dE6gH9j%2")), "one with another symbol");
    OK(!sotto_key_id_valid(SOTTO_LIT("")), "none");
}

static void test_making(void)
{
    char a[SOTTO_KEY_TEXT_LEN], b[SOTTO_KEY_TEXT_LEN];
    struct sotto_key_text parts;
    IS_INT(sotto_key_make(a), SOTTO_OK, "a key is made");
    IS_INT(sotto_key_make(b), SOTTO_OK, "and another");
    IS_INT(sotto_key_parse(sotto_span_init(a, sizeof(a)), &parts), SOTTO_OK, "it has the form");
    OK(memcmp(a + 3, b + 3, SOTTO_KEY_ID_LEN) != 0, "they differ in their ids");
    OK(memcmp(a + 16, b + 16, SOTTO_KEY_SECRET_LEN) != 0, "and in their secrets");
    for (size_t fault = 1; fault <= 2; fault++) {
        static const char zeros[SOTTO_KEY_TEXT_LEN];
        sotto_crypto_random_set_fault(fault);
        IS_INT(sotto_key_make(a), SOTTO_ECRYPTO, "without randomness there is no key");
        sotto_crypto_random_set_fault(0);
        OK(memcmp(a, zeros, sizeof(a)) == 0, "and nothing of it is left");
    }
}

/* The hash is part of the file format: it may not change.  From Python's hashlib. */
static void test_hash(void)
{
    static const uint8_t want[] = {0xe7, 0x4f, 0x4b, 0x63, 0x03, 0x76, 0xf7, 0xc8, 0x9e, 0x83, 0xa1,
                                   0xaa, 0x97, 0xe1, 0x46, 0x7c, 0xba, 0xbf, 0xde, 0xfc, 0xbf, 0xe7,
                                   0xcd, 0xf9, 0xb8, 0xf5, 0x17, 0x1f, 0x0b, 0x08, 0xb0, 0x58};
    struct sotto_key_text parts = text_of("ql_aB3dE6gH9jK2_" SECRET);
    struct sotto_key_text other = text_of("ql_aB3dE6gH9jK3_" SECRET);
    uint8_t hash[SOTTO_KEY_HASH_BYTES], again[SOTTO_KEY_HASH_BYTES];
    IS_INT(sotto_key_hash(&parts, hash), SOTTO_OK, "a key is hashed");
    IS_MEM(hash, sizeof(hash), want, sizeof(want), "as the head of keys/key.h says");
    IS_INT(sotto_key_hash(&other, again), SOTTO_OK, "and another with the same secret");
    OK(memcmp(hash, again, sizeof(hash)) != 0, "the id is part of the hash");
}

static void test_verifying(void)
{
    struct sotto_key key = {.id = {'a', 'B', '3', 'd', 'E', '6', 'g', 'H', '9', 'j', 'K', '2'}};
    struct sotto_key_text now = text_of("ql_aB3dE6gH9jK2_" SECRET);
    struct sotto_key_text old = text_of("ql_aB3dE6gH9jK2_" OTHER);
    struct sotto_key_text foreign = text_of("ql_aB3dE6gH9jK3_" SECRET);
    sotto_ignore(sotto_key_hash(&now, key.hash));
    IS_INT(sotto_key_verify(&key, &now, 1000), SOTTO_OK, "the right secret works");
    IS_INT(sotto_key_verify(&key, &old, 1000), SOTTO_EAUTH, "another does not");
    IS_INT(sotto_key_verify(&key, &foreign, 1000), SOTTO_EAUTH, "nor with another id");

    sotto_ignore(sotto_key_hash(&old, key.old_hash));
    IS_INT(sotto_key_verify(&key, &old, 1000), SOTTO_EAUTH, "an old secret without grace is dead");
    key.old_until_s = 2000;
    IS_INT(sotto_key_verify(&key, &old, 1999), SOTTO_OK, "within its grace it works");
    IS_INT(sotto_key_verify(&key, &now, 1999), SOTTO_OK, "beside the new one");
    IS_INT(sotto_key_verify(&key, &old, 2000), SOTTO_EAUTH, "and then no more");
    IS_INT(sotto_key_verify(&key, &now, 2000), SOTTO_OK, "but the new one does");

    key.expires_s = 3000;
    IS_INT(sotto_key_verify(&key, &now, 2999), SOTTO_OK, "before it expires it works");
    OK(sotto_key_works(&key, 2999), "as can be asked without its secret");
    OK(!sotto_key_works(&key, 3000), "and then it does not");
    key.revoked_s = 1;
    OK(!sotto_key_works(&key, 2999), "nor when it is revoked");
    key.revoked_s = 0;
    IS_INT(sotto_key_verify(&key, &now, 3000), SOTTO_EAUTH, "from then on it does not");
    key.expires_s = 0;
    key.old_until_s = 99999;
    key.revoked_s = 2500;
    IS_INT(sotto_key_verify(&key, &now, 2400), SOTTO_EAUTH, "a revoked key is dead at any time");
    IS_INT(sotto_key_verify(&key, &old, 2400), SOTTO_EAUTH, "with its old secret too");
}

static void test_scope_lists(void)
{
    static const struct {
        const char *list, *wrong; /* NULL: valid */
    } cases[] = {
        {"", NULL},
        {"admin", NULL},
        {"model:gpt-4", NULL},
        {"model:gpt-*,mode:hipaa", NULL},
        {" model:a , dialect:openai ", NULL},
        {"model:*", NULL},
        {"model:a b", NULL},
        {"model:", "model:"},
        {"models:a", "models:a"},
        {"Admin", "Admin"},
        {"admin:", "admin:"},
        {"admin,", ""},
        {",admin", ""},
        {"admin,,model:a", ""},
        {"model:*a", "model:*a"},
        {"model:a,nothing", "nothing"},
        {" ", ""},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        sotto_span wrong = SOTTO_LIT("unchanged");
        IS_INT(sotto_scopes_check(sotto_span_str(cases[i].list), &wrong),
               cases[i].wrong == NULL ? SOTTO_OK : SOTTO_EINVAL, "scopes '%s'", cases[i].list);
        IS_TEXT(wrong.base, wrong.len, cases[i].wrong != NULL ? cases[i].wrong : "unchanged",
                "scopes '%s': what is wrong", cases[i].list);
    }
    IS_INT(sotto_scopes_check(SOTTO_LIT("x"), NULL), SOTTO_EINVAL, "it need not be told");
}

static void test_scopes(void)
{
    static const struct {
        const char *list;
        enum sotto_scope scope;
        bool may, admin;
        const char *name;
    } cases[] = {
        {"", SOTTO_SCOPE_MODEL, true, false, "gpt-4"},
        {"", SOTTO_SCOPE_DIALECT, true, false, "openai"},
        {"admin", SOTTO_SCOPE_MODEL, true, true, "gpt-4"},
        {"model:gpt-4", SOTTO_SCOPE_MODEL, true, false, "gpt-4"},
        {"model:gpt-4", SOTTO_SCOPE_MODEL, false, false, "gpt-4o"},
        {"model:gpt-4", SOTTO_SCOPE_MODEL, false, false, ""},
        {"model:gpt-4", SOTTO_SCOPE_MODE, true, false, "hipaa"},
        {"model:gpt-*", SOTTO_SCOPE_MODEL, true, false, "gpt-4o"},
        {"model:gpt-*", SOTTO_SCOPE_MODEL, false, false, "gpt"},
        {"model:*", SOTTO_SCOPE_MODEL, true, false, "anything"},
        {"model:a,model:b", SOTTO_SCOPE_MODEL, true, false, "b"},
        {"model:a, model:b", SOTTO_SCOPE_MODEL, true, false, "b"},
        {"model:a,dialect:phi_header,admin", SOTTO_SCOPE_DIALECT, false, true, "openai"},
        {"mode:hipaa", SOTTO_SCOPE_MODE, false, false, "standard"},
        {"mode:hipaa", SOTTO_SCOPE_MODEL, true, false, "hipaa"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_key key = {.scopes = sotto_span_str(cases[i].list)};
        IS_INT(sotto_key_may(&key, cases[i].scope, sotto_span_str(cases[i].name)), cases[i].may,
               "a key with '%s' %s use '%s'", cases[i].list, cases[i].may ? "may" : "may not",
               cases[i].name);
        IS_INT(sotto_key_is_admin(&key), cases[i].admin, "and is %san admin's",
               cases[i].admin ? "" : "not ");
    }
}

int main(void)
{
    test_form();
    test_making();
    test_hash();
    test_verifying();
    test_scope_lists();
    test_scopes();
    return done_testing();
}
