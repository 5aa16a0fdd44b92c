/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/vault.h"

#include "base/alloc.h"
#include "tap/tap.h"
#include "vault/sample.h"
#include "vault/token.h"

enum {
    PERSON = 0,
    PHONE = 8,
    EMAIL = 9,
    ID = 11,
    SECRET = 12
};

static struct sotto_vault *vault_of(const char *conversation)
{
    struct sotto_vault *vault = NULL;
    if (sotto_vault_new(sample_key, sotto_span_str(conversation), SOTTO_STYLE_TOKEN, &vault) !=
        SOTTO_OK) {
        abort();
    }
    return vault;
}

static sotto_span token_of(struct sotto_vault *vault, unsigned type, bool foldable,
                           const char *value)
{
    sotto_span token = {NULL, 0};
    if (sotto_vault_token(vault, type, foldable, sotto_span_str(value), &token) != SOTTO_OK) {
        abort();
    }
    return token;
}

static void test_same_value(void)
{
    struct sotto_vault *a = vault_of("one"), *b = vault_of("one"), *c = vault_of("two");
    sotto_span first = token_of(a, PERSON, true, "Ann Lee");
    OK(sotto_token_valid(first), "%.*s is a token", SOTTO_FMT(first));
    OK(sotto_span_eq(token_of(b, PERSON, true, "Ann Lee"), first),
       "another vault of the conversation gives the same");
    OK(!sotto_span_eq(token_of(c, PERSON, true, "Ann Lee"), first),
       "another conversation does not");

    struct sotto_vault *d = NULL;
    static const uint8_t other_key[SOTTO_VAULT_KEY_BYTES] = {1};
    IS_INT(sotto_vault_new(other_key, SOTTO_LIT("one"), SOTTO_STYLE_TOKEN, &d), SOTTO_OK,
           "another tenant");
    OK(!sotto_span_eq(token_of(d, PERSON, true, "Ann Lee"), first), "has another token");
    OK(!sotto_span_eq(token_of(a, ID, true, "Ann Lee"), first), "another type too");
    OK(token_of(a, PERSON, true, "Ann Lee").base == first.base, "asked again, it is the same");
    IS_SIZE(sotto_vault_count(a), 2, "two tokens were issued");
    sotto_vault_free(a);
    sotto_vault_free(b);
    sotto_vault_free(c);
    sotto_vault_free(d);
    sotto_vault_free(NULL);
}

static void test_spellings(void)
{
    static const struct {
        unsigned type;
        bool foldable, same;
        const char *a, *b;
    } cases[] = {
        {PERSON, true, true, "Ann Lee", "ANN  LEE"},
        {PERSON, true, true, "J\xc3\xbcrg", "ju\xcc\x88rg"},
        {PERSON, true, true, "Strau\xc3\x9f", "STRAUSS"},
        {PERSON, true, true, "Ann Lee", " Ann\nLee "},
        {PERSON, true, false, "Ann", "Anna"},
        {PERSON, false, false, "Ann", "ann"},
        {EMAIL, true, true, "Ann@Example.org", "ann@example.org"},
        {PHONE, true, true, "+41 44 668 18 00", "+41-44-668 1800"},
        {PHONE, true, true, "(044) 668 18 00", "044 668 18 00"},
        {PHONE, true, false, "+41 44 668 18 00", "41 44 668 18 00"},
        {PHONE, true, true, "one two", "ONE two"},
        {PHONE, true, false, "+", "one"},
        {ID, true, true, "CH93 0076 2011 6238 5295 7", "ch9300762011623852957"},
        {ID, false, false, "756.1234", "756 1234"},
        {SECRET, false, false, "hunter2", "Hunter2"},
        {PERSON, true, false, "a\xff", "A\xff"}, /* not UTF-8: byte for byte */
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_vault *vault = vault_of("c");
        sotto_span a = token_of(vault, cases[i].type, cases[i].foldable, cases[i].a);
        sotto_span b = token_of(vault, cases[i].type, cases[i].foldable, cases[i].b), value;
        OK(sotto_span_eq(a, b) == cases[i].same, "'%s' and '%s' are %s", cases[i].a, cases[i].b,
           cases[i].same ? "one" : "two");
        OK(sotto_vault_lookup(vault, b, &value), "the token is known");
        IS_TEXT(value.base, value.len, cases[i].b, "and comes back as last written");
        sotto_vault_free(vault);
    }
}

static void test_lookup(void)
{
    struct sotto_vault *vault = vault_of("c");
    sotto_span value = SOTTO_LIT("untouched"), token = token_of(vault, ID, false, "12345"), t, v;
    OK(!sotto_vault_lookup(vault, SOTTO_LIT("ID222222222"), &value), "a token of somebody else");
    OK(!sotto_vault_lookup(vault, SOTTO_LIT(""), &value), "nothing");
    OK(!sotto_vault_lookup(vault, sotto_span_sub(token, 0, token.len - 1), &value), "cut off");
    IS_TEXT(value.base, value.len, "untouched", "leave the value alone");
    OK(sotto_vault_lookup(vault, token, &value), "the token itself");
    IS_TEXT(value.base, value.len, "12345", "has its value");
    sotto_vault_entry(vault, 0, &t, &v);
    OK(sotto_span_eq(t, token) && sotto_span_eq(v, value), "as the first entry");
    sotto_vault_entry(vault, 0, NULL, NULL);
    sotto_vault_free(vault);
}

static void test_many(void)
{
    struct sotto_vault *vault = vault_of("c");
    bool fresh = true, found = true;
    for (int i = 0; i < 3000; i++) {
        char text[32];
        snprintf(text, sizeof(text), "value %d", i);
        token_of(vault, (unsigned)i % SOTTO_TOKEN_WORD_COUNT, false, text);
        fresh = fresh && sotto_vault_count(vault) == (size_t)i + 1;
    }
    for (int i = 0; i < 3000; i++) {
        char text[32];
        sotto_span value;
        snprintf(text, sizeof(text), "value %d", i);
        sotto_span token = token_of(vault, (unsigned)i % SOTTO_TOKEN_WORD_COUNT, false, text);
        found = found && sotto_vault_lookup(vault, token, &value) &&
                sotto_span_eq(value, sotto_span_str(text));
    }
    OK(fresh, "3000 values have 3000 tokens");
    OK(found, "and come back");
    IS_SIZE(sotto_vault_count(vault), 3000, "asking again issues none");
    sotto_vault_free(vault);
}

/* A token that the text holds, in whatever spelling, is not issued. */
static void test_shield(void)
{
    struct sotto_vault *plain = vault_of("c");
    sotto_span token = token_of(plain, PERSON, true, "Ann");
    char text[3][64];
    snprintf(text[0], sizeof(text[0]), "see %.*s.", SOTTO_FMT(token));
    snprintf(text[1], sizeof(text[1]), "see person-%.*s.", SOTTO_FMT(sotto_span_skip(token, 6)));
    snprintf(text[2], sizeof(text[2]), "see %.*s.", SOTTO_FMT(token));
    text[2][4 + 6 + 3] = text[2][4 + 6 + 3] == '2' ? '3' : '2'; /* one wrong symbol */
    for (size_t i = 0; i < SOTTO_COUNT(text); i++) {
        struct sotto_vault *vault = vault_of("c"), *again = vault_of("c");
        IS_INT(sotto_vault_shield(vault, SOTTO_LIT("nothing of the kind, PERSON")), SOTTO_OK,
               "a text");
        IS_INT(sotto_vault_shield(vault, sotto_span_str(text[i])), SOTTO_OK, "%s", text[i]);
        IS_INT(sotto_vault_shield(again, sotto_span_str(text[i])), SOTTO_OK, "and again");
        sotto_span other = token_of(vault, PERSON, true, "Ann");
        OK(!sotto_span_eq(other, token), "is not issued; %.*s is", SOTTO_FMT(other));
        OK(sotto_span_eq(token_of(again, PERSON, true, "Ann"), other), "every time");
        sotto_vault_free(vault);
        sotto_vault_free(again);
    }
    sotto_vault_free(plain);
}

static void test_redact(void)
{
    struct sotto_vault *vault = NULL;
    sotto_span token, value;
    IS_INT(sotto_vault_new(sample_key, SOTTO_LIT("c"), SOTTO_STYLE_REDACT, &vault), SOTTO_OK,
           "a vault that redacts");
    for (unsigned type = 0; type < SOTTO_TOKEN_WORD_COUNT; type++) {
        sotto_span word = sotto_token_word(type);
        IS_INT(sotto_vault_token(vault, type, true, SOTTO_LIT("Ann"), &token), SOTTO_OK, "a value");
        OK(token.len == word.len + 2 && token.base[0] == '[' && token.base[token.len - 1] == ']' &&
               memcmp(token.base + 1, word.base, word.len) == 0,
           "becomes %.*s", SOTTO_FMT(token));
    }
    IS_INT(sotto_vault_shield(vault, SOTTO_LIT("ID222222222")), SOTTO_OK, "a text");
    IS_SIZE(sotto_vault_count(vault), 0, "there is no way back");
    OK(!sotto_vault_lookup(vault, SOTTO_LIT("[PERSON]"), &value), "for what was redacted");
    sotto_vault_free(vault);
}

static void test_adopt(void)
{
    struct sotto_vault *vault = vault_of("c");
    sotto_span value;
    IS_INT(sotto_vault_adopt(vault, SOTTO_LIT("ID222222222"), SOTTO_LIT("v")), SOTTO_OK, "adopted");
    OK(sotto_vault_lookup(vault, SOTTO_LIT("ID222222222"), &value), "and known");
    IS_TEXT(value.base, value.len, "v", "with its value");
    IS_INT(sotto_vault_adopt(vault, SOTTO_LIT("ID222222222"), SOTTO_LIT("w")), SOTTO_EEXISTS,
           "once only");
    IS_INT(sotto_vault_adopt(vault, SOTTO_LIT("Emma Birken"), SOTTO_LIT("w")), SOTTO_OK,
           "a stand-in of another style");
    IS_INT(sotto_vault_adopt(vault, SOTTO_LIT("Emma Birken"), SOTTO_LIT("w")), SOTTO_EEXISTS,
           "once only");
    IS_INT(sotto_vault_adopt(vault, SOTTO_LIT(""), SOTTO_LIT("w")), SOTTO_EFORMAT,
           "a text that nothing could stand for is none");
    IS_SIZE(sotto_vault_count(vault), 2, "two entries");
    sotto_vault_free(vault);
}

static enum sotto_err scenario(size_t fault, size_t *seen, size_t *count)
{
    struct sotto_vault *vault = NULL;
    sotto_span token;
    *count = 0;
    sotto_alloc_set_fault(fault);
    enum sotto_err err = sotto_vault_new(sample_key, SOTTO_LIT("c"), SOTTO_STYLE_TOKEN, &vault);
    if (err == SOTTO_OK) {
        err = sotto_vault_shield(vault, SOTTO_LIT("ID222222222"));
    }
    for (int i = 0; i < 40 && err == SOTTO_OK; i++) {
        char text[32];
        snprintf(text, sizeof(text), "J\xc3\xbcrg %d", i);
        err = sotto_vault_token(vault, PERSON, true, sotto_span_str(text), &token);
        if (err != SOTTO_OK) {
            *count = sotto_vault_count(vault) - (size_t)i;
            sotto_alloc_set_fault(0);
            if (sotto_vault_token(vault, PERSON, true, sotto_span_str(text), &token) != SOTTO_OK) {
                *count = 99;
            }
        }
    }
    size_t n = sotto_alloc_set_fault(0);
    *seen = n > *seen ? n : *seen;
    sotto_vault_free(vault);
    return err;
}

static void test_faults(void)
{
    size_t total = 0, none, left;
    IS_INT(scenario(SIZE_MAX, &total, &left), SOTTO_OK, "dry run");
    OK(total > 10, "%zu allocations", total);
    bool failed = true, unchanged = true;
    for (size_t n = 1; n <= total; n++) {
        none = 0;
        enum sotto_err err = scenario(n, &none, &left);
        failed = failed && (err == SOTTO_ENOMEM || err == SOTTO_ECRYPTO);
        unchanged = unchanged && left == 0;
    }
    OK(failed, "each, failing, is reported");
    OK(unchanged, "leaves the vault as it was, and the next try succeeds");
}

static void test_taken_out(void)
{
    struct sotto_vault *vault = vault_of("one");
    sotto_span ann = token_of(vault, PERSON, true, "Ann Lee"), value;
    sotto_span mail = token_of(vault, EMAIL, true, "ann@example.org");
    struct sotto_buf values, small;
    sotto_buf_init(&values, 1024);
    sotto_buf_init(&small, 4);
    IS_INT(sotto_vault_put_back(vault, SOTTO_LIT("x")), SOTTO_ESTATE, "nothing is out yet");
    IS_INT(sotto_vault_take_out(vault, &small), SOTTO_ELIMIT, "a buffer that is too small");
    OK(sotto_vault_lookup(vault, ann, &value), "changes nothing");
    sotto_alloc_set_fault(1);
    IS_INT(sotto_vault_take_out(vault, &values), SOTTO_ENOMEM, "nor does a lack of memory");
    sotto_alloc_set_fault(0);
    IS_INT(sotto_vault_take_out(vault, &values), SOTTO_OK, "the values are taken out");
    IS_TEXT(values.base, values.len, "Ann Leeann@example.org", "all of them");
    OK(!sotto_vault_lookup(vault, ann, &value), "nothing is restored meanwhile");
    IS_INT(sotto_vault_take_out(vault, &values), SOTTO_ESTATE, "they go out once");
    IS_INT(sotto_vault_put_back(vault, SOTTO_LIT("Ann")), SOTTO_EFORMAT, "less does not fit");
    sotto_alloc_set_fault(1);
    IS_INT(sotto_vault_put_back(vault, sotto_buf_span(&values)), SOTTO_ENOMEM, "no memory");
    sotto_alloc_set_fault(0);
    OK(sotto_buf_append(&values, SOTTO_LIT("more")) == SOTTO_OK, "something may follow them");
    IS_INT(sotto_vault_put_back(vault, sotto_buf_span(&values)), SOTTO_OK, "they are put back");
    sotto_buf_free(&values);
    OK(sotto_vault_lookup(vault, ann, &value), "the first");
    IS_TEXT(value.base, value.len, "Ann Lee", "comes back");
    OK(sotto_vault_lookup(vault, mail, &value), "and the second");
    IS_TEXT(value.base, value.len, "ann@example.org", "too");
    sotto_buf_free(&small);
    sotto_vault_free(vault);
}

int main(void)
{
    test_same_value();
    test_spellings();
    test_lookup();
    test_many();
    test_shield();
    test_redact();
    test_adopt();
    test_taken_out();
    test_faults();
    return done_testing();
}
