/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/form.h"

#include "base/alloc.h"
#include "tap/tap.h"
#include "vault/restore.h"
#include "vault/restore_text.h"
#include "vault/vault.h"

enum {
    PERSON = 0,
    LOCATION = 1,
    PHONE = 8,
    EMAIL = 9,
    ID = 11,
    SECRET = 12
};

static const uint8_t key[SOTTO_VAULT_KEY_BYTES] = {7};

static struct sotto_vault *new_vault(enum sotto_style style, const char *shielded)
{
    struct sotto_vault *vault = NULL;
    if (sotto_vault_new(key, SOTTO_LIT("talk"), style, &vault) != SOTTO_OK ||
        sotto_vault_shield(vault, sotto_span_str(shielded)) != SOTTO_OK) {
        abort();
    }
    return vault;
}

static sotto_span give(struct sotto_vault *vault, unsigned type, const char *value)
{
    sotto_span token;
    if (sotto_vault_token(vault, type, type != SECRET && type != ID, sotto_span_str(value),
                          &token) != SOTTO_OK) {
        abort();
    }
    return token;
}

/* Fills `out` with `fmt`, whose %1 to %4 are stand-ins. */
static void expand(const char *fmt, const sotto_span *tokens, char out[512])
{
    size_t len = 0;
    for (; *fmt != '\0'; fmt++) {
        if (fmt[0] == '%' && fmt[1] >= '1' && fmt[1] <= '4') {
            sotto_span token = tokens[*++fmt - '1'];
            memcpy(out + len, token.base, token.len);
            len += token.len;
        } else {
            out[len++] = *fmt;
        }
    }
    out[len] = '\0';
}

/* Restores whole, at every split into two, and byte by byte. */
static void restores(const struct sotto_vault *vault, const char *text, const char *want)
{
    sotto_span in = sotto_span_str(text);
    struct sotto_buf whole, out;
    bool same = true;
    sotto_buf_init(&whole, 4096);
    IS_INT(sotto_restore_text(vault, in, &whole), SOTTO_OK, "restored: %s", text);
    IS_TEXT(whole.base, whole.len, want, "to: %s", want);
    for (size_t split = 0; split <= in.len + 1; split++) {
        struct sotto_restore *r = NULL;
        sotto_buf_init(&out, 4096);
        enum sotto_err err = sotto_restore_new(vault, &r);
        for (size_t at = 0; split > in.len && at < in.len && err == SOTTO_OK; at++) {
            err = sotto_restore_feed(r, sotto_span_sub(in, at, at + 1), &out);
            same = same && sotto_restore_held(r) <= SOTTO_RESTORE_HOLD;
        }
        if (split <= in.len && err == SOTTO_OK) {
            err = sotto_restore_feed(r, sotto_span_sub(in, 0, split), &out);
            err = err == SOTTO_OK ? sotto_restore_feed(r, sotto_span_skip(in, split), &out) : err;
        }
        err = err == SOTTO_OK ? sotto_restore_end(r, &out) : err;
        same =
            same && err == SOTTO_OK && sotto_span_eq(sotto_buf_span(&out), sotto_buf_span(&whole));
        sotto_restore_free(r);
        sotto_buf_free(&out);
    }
    OK(same, "however it is cut");
    sotto_buf_free(&whole);
}

static void test_angle(void)
{
    struct sotto_vault *vault = new_vault(SOTTO_STYLE_ANGLE, "is <PERSON_2> or Email 1 a name?");
    static const char *const values[] = {"Jane Doe", "John Roe", "jane@example.org", "Ann Poe"};
    sotto_span token[4];
    for (size_t i = 0; i < 4; i++) {
        token[i] = give(vault, i == 2 ? EMAIL : PERSON, values[i]);
    }
    IS_TEXT(token[0].base, token[0].len, "<PERSON_1>", "the first one");
    IS_TEXT(token[1].base, token[1].len, "<PERSON_3>", "a number that the text holds is left out");
    IS_TEXT(token[2].base, token[2].len, "<EMAIL_2>", "in any spelling");
    IS_TEXT(token[3].base, token[3].len, "<PERSON_4>", "numbers go on");
    token[0] = give(vault, PERSON, "JANE DOE");
    IS_TEXT(token[0].base, token[0].len, "<PERSON_1>", "another spelling is the same value");
    restores(vault, "Dear <PERSON_3>, write <EMAIL_2>.", "Dear John Roe, write jane@example.org.");
    restores(vault, "<person_3> &lt;PERSON_3&gt; \\<PERSON\\_3\\> <PERSON 3> <PERSON-3>",
             "John Roe John Roe John Roe John Roe John Roe");
    restores(vault, "PERSON_3's [PERSON_3] PERSON 3.", "John Roe's [John Roe] John Roe.");
    restores(vault, "person 3, Person_3, XPERSON_3, PERSON_33, <PERSON_33>, PERSON_3x",
             "person 3, Person_3, XPERSON_3, PERSON_33, <PERSON_33>, PERSON_3x");
    restores(vault, "<PERSON_2> <ID_1> <PERSON_ <PERSON", "<PERSON_2> <ID_1> <PERSON_ <PERSON");
    restores(vault, "x<PERSON_3>y<PERSON_3><PERSON_3>", "xJohn RoeyJohn RoeJohn Roe");
    sotto_span value;
    OK(sotto_vault_lookup(vault, SOTTO_LIT("<PERSON_3>"), &value), "it can be looked up");
    IS_TEXT(value.base, value.len, "John Roe", "with its value");
    OK(!sotto_vault_lookup(vault, SOTTO_LIT("<PERSON_2>"), &value), "one that was not issued not");
    sotto_vault_free(vault);
}

static void test_surrogate(void)
{
    static const struct {
        unsigned type;
        const char *value;
    } values[] = {{PERSON, "Jane Doe"},
                  {EMAIL, "jane@acme.org"},
                  {PHONE, "+41 44 668 18 00"},
                  {ID, "10.1.2.3"}};
    struct sotto_vault *vault = new_vault(SOTTO_STYLE_SURROGATE, "hello");
    sotto_span t[4];
    char text[512], want[512];
    for (size_t i = 0; i < 4; i++) {
        t[i] = give(vault, values[i].type, values[i].value);
        printf("# %s -> %.*s\n", values[i].value, SOTTO_FMT(t[i]));
    }
    expand("Call %1 (%2) at %3 from %4.", t, text);
    restores(vault, text, "Call Jane Doe (jane@acme.org) at +41 44 668 18 00 from 10.1.2.3.");
    expand("%1%1 x%1y %4", t, text);
    restores(vault, text, "Jane DoeJane Doe xJane Doey 10.1.2.3");
    expand("%41 1%4 %4.5", t, text);
    char same[512];
    memcpy(same, text, sizeof(same));
    expand("%41 1%4 10.1.2.3.5", t, want);
    restores(vault, same, want);

    size_t space = (size_t)((const uint8_t *)memchr(t[0].base, ' ', t[0].len) - t[0].base);
    sotto_span parts[2] = {sotto_span_sub(t[0], 0, space), sotto_span_skip(t[0], space + 1)};
    expand("Ms. %2, or %1, or %2, %1; %2's %1-%2 %1\\_%2 **%1** %2", parts, text);
    restores(vault, text, "Ms. Doe, or Jane, or Jane Doe; Doe's Jane Doe Jane Doe **Jane Doe**");
    char phone[64];
    snprintf(phone, sizeof(phone), "(%.3s) 555-%.4s", (const char *)t[2].base + 3,
             (const char *)t[2].base + 11);
    restores(vault, phone, "+41 44 668 18 00");

    struct sotto_vault *again = new_vault(SOTTO_STYLE_SURROGATE, "another turn");
    sotto_span second = give(again, PERSON, "Bob Roe"), first = give(again, PERSON, "jane  doe");
    OK(sotto_span_eq(first, t[0]), "the same value has the same stand-in in every turn");
    OK(!sotto_span_eq(second, first), "another one another");
    sotto_vault_free(again);

    struct sotto_vault *shielded = new_vault(SOTTO_STYLE_SURROGATE, "no stand-in");
    snprintf(text, sizeof(text), "Who is %.*s?", SOTTO_FMT(parts[1]));
    IS_INT(sotto_vault_shield(shielded, sotto_span_str(text)), SOTTO_OK, "a text with the word");
    OK(!sotto_span_eq(give(shielded, PERSON, "Jane Doe"), t[0]), "another stand-in is taken");
    sotto_vault_free(shielded);
    sotto_span secret = give(vault, SECRET, "hunter2hunter2");
    OK(sotto_token_valid(secret), "where there is no stand-in a token is issued");
    snprintf(text, sizeof(text), "%.*s and %.*s", SOTTO_FMT(secret), SOTTO_FMT(t[0]));
    restores(vault, text, "hunter2hunter2 and Jane Doe");
    sotto_vault_free(vault);
}

static void test_taken_out(void)
{
    struct sotto_vault *vault = new_vault(SOTTO_STYLE_ANGLE, "x");
    struct sotto_buf values;
    sotto_buf_init(&values, 1024);
    give(vault, PERSON, "Jane Doe");
    IS_INT(sotto_vault_take_out(vault, &values), SOTTO_OK, "values are taken out");
    restores(vault, "<PERSON_1>", "<PERSON_1>");
    IS_INT(sotto_vault_put_back(vault, sotto_buf_span(&values)), SOTTO_OK, "and put back");
    restores(vault, "<PERSON_1>", "Jane Doe");
    sotto_buf_free(&values);
    sotto_vault_free(vault);
}

static void test_many(void)
{
    struct sotto_vault *vault = new_vault(SOTTO_STYLE_SURROGATE, "x");
    struct sotto_buf text, want, out;
    sotto_buf_init(&text, 1 << 20);
    sotto_buf_init(&want, 1 << 20);
    sotto_buf_init(&out, 1 << 20);
    for (unsigned i = 0; i < 3000; i++) {
        static const unsigned types[] = {PERSON, EMAIL, PHONE, LOCATION, ID};
        char value[64];
        unsigned type = types[i % 5];
        snprintf(value, sizeof(value), type == ID ? "10.0.%u.%u" : "value %u.%03u", i / 250,
                 i % 250);
        sotto_span token = give(vault, type, value);
        if (sotto_buf_printf(&text, "%.*s; ", SOTTO_FMT(token)) != SOTTO_OK ||
            sotto_buf_printf(&want, "%s; ", value) != SOTTO_OK) {
            abort();
        }
    }
    IS_INT(sotto_restore_text(vault, sotto_buf_span(&text), &out), SOTTO_OK, "3000 values");
    IS_MEM(out.base, out.len, want.base, want.len, "have a stand-in each, and come back");
    sotto_buf_free(&text);
    sotto_buf_free(&want);
    sotto_buf_free(&out);
    sotto_vault_free(vault);
}

static void test_every_allocation_failure(enum sotto_style style)
{
    bool good = true, ended = false;
    for (size_t n = 1; good && !ended; n++) {
        struct sotto_vault *vault = NULL;
        sotto_span token = {NULL, 0};
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_vault_new(key, SOTTO_LIT("talk"), style, &vault);
        err = err == SOTTO_OK ? sotto_vault_shield(vault, SOTTO_LIT("a PERSON 3")) : err;
        err = err == SOTTO_OK ? sotto_vault_token(vault, PERSON, true, SOTTO_LIT("A B"), &token)
                              : err;
        ended = sotto_alloc_set_fault(0) < n;
        good = ended ? err == SOTTO_OK
                     : err == SOTTO_OK ||
                           (token.len == 0 && (vault == NULL || sotto_vault_count(vault) == 0));
        sotto_vault_free(vault);
    }
    OK(good, "each allocation may fail");
}

int main(void)
{
    test_angle();
    test_surrogate();
    test_taken_out();
    test_many();
    test_every_allocation_failure(SOTTO_STYLE_ANGLE);
    test_every_allocation_failure(SOTTO_STYLE_SURROGATE);
    return done_testing();
}
