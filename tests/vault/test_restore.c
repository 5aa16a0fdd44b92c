/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/restore.h"

#include "base/alloc.h"
#include "tap/tap.h"
#include "vault/mangler.h"
#include "vault/restore_text.h"
#include "vault/sample.h"

static sotto_span token[SOTTO_COUNT(samples)];

/* What a restorer made of a text in two pieces, and how much it withheld at most. */
static enum sotto_err restore_split(const struct sotto_vault *vault, sotto_span in, size_t split,
                                    struct sotto_buf *out, size_t *held)
{
    struct sotto_restore *r = NULL;
    enum sotto_err err = sotto_restore_new(vault, &r);
    if (err == SOTTO_OK) {
        err = sotto_restore_feed(r, sotto_span_sub(in, 0, split), out);
        *held = sotto_restore_held(r);
    }
    if (err == SOTTO_OK) {
        err = sotto_restore_feed(r, sotto_span_skip(in, split), out);
    }
    if (err == SOTTO_OK) {
        err = sotto_restore_end(r, out);
    }
    sotto_restore_free(r);
    return err;
}

static bool same_at_every_split(const struct sotto_vault *vault, sotto_span in, sotto_span want)
{
    struct sotto_buf out;
    sotto_buf_init(&out, 1 << 16);
    bool same = true;
    for (size_t split = 0; split <= in.len && same; split++) {
        size_t held = 0;
        sotto_buf_truncate(&out, 0);
        same = restore_split(vault, in, split, &out, &held) == SOTTO_OK &&
               sotto_span_eq(sotto_buf_span(&out), want) && held <= SOTTO_RESTORE_HOLD;
        if (!same) {
            printf("# split at %zu: '%.*s'\n", split, SOTTO_FMT(sotto_buf_span(&out)));
        }
    }
    sotto_buf_free(&out);
    return same;
}

static bool same_byte_by_byte(const struct sotto_vault *vault, sotto_span in, sotto_span want)
{
    struct sotto_restore *r = NULL;
    struct sotto_buf out;
    sotto_buf_init(&out, 1 << 16);
    bool good = sotto_restore_new(vault, &r) == SOTTO_OK;
    for (size_t i = 0; i < in.len && good; i++) {
        good = sotto_restore_feed(r, sotto_span_sub(in, i, i + 1), &out) == SOTTO_OK &&
               sotto_restore_held(r) <= SOTTO_RESTORE_HOLD;
    }
    good =
        good && sotto_restore_end(r, &out) == SOTTO_OK && sotto_span_eq(sotto_buf_span(&out), want);
    sotto_restore_free(r);
    sotto_buf_free(&out);
    return good;
}

static void append(struct sotto_buf *buf, sotto_span s)
{
    if (sotto_buf_append(buf, s) != SOTTO_OK) {
        abort();
    }
}

/* Every form of every token, alone and inside a sentence, at every split. */
static void test_forms(const struct sotto_vault *vault)
{
    static const char *const around[][2] = {
        {"", ""}, {"Dear ", ", how are you?"}, {"(\xc3\xa9", "\xe4\xb8\xad)"}, {"P PER ", " E"}};
    uint32_t seed = 1;
    struct sotto_buf text, want;
    sotto_buf_init(&text, 4096);
    sotto_buf_init(&want, 4096);
    for (size_t f = 0; f < mangle_form_count; f++) {
        bool split = true, bytes = true;
        for (size_t i = 0; i < SOTTO_COUNT(samples); i++) {
            for (size_t k = 0; k < SOTTO_COUNT(around); k++) {
                sotto_buf_truncate(&text, 0);
                sotto_buf_truncate(&want, 0);
                append(&text, sotto_span_str(around[k][0]));
                append(&want, sotto_span_str(around[k][0]));
                mangle(&mangle_forms[f], token[i], sotto_span_str(samples[i].value), &seed, &text,
                       &want);
                append(&text, sotto_span_str(around[k][1]));
                append(&want, sotto_span_str(around[k][1]));
                split = split &&
                        same_at_every_split(vault, sotto_buf_span(&text), sotto_buf_span(&want));
                bytes =
                    bytes && same_byte_by_byte(vault, sotto_buf_span(&text), sotto_buf_span(&want));
            }
        }
        const char *does =
            mangle_forms[f].promise == MANGLE_RESTORES ? "is restored" : "stays as it is";
        OK(split, "%s: %s, at every split", mangle_forms[f].name, does);
        OK(bytes, "%s: and byte by byte", mangle_forms[f].name);
    }
    sotto_buf_free(&text);
    sotto_buf_free(&want);
}

static void test_plain_text(const struct sotto_vault *vault)
{
    static const char *const texts[] = {
        "",
        "plain",
        "PERSON LOCATION ADDRESS ORG DATE AGE OCCUPATION NRP PHONE EMAIL URL ID SECRET",
        "a person, a phone number, an address, an id and a secret; PERSON_1, <EMAIL_2>",
        "\xff\xfe\x80 P\xc3 PERSON\xe2\x80 ID\xe2 \xf0\x9f\x99\x82 PERSON\xe2\x80\x8b",
        "PERSON PERSON PERSON-PERSON_PERSON**PERSON** `ID` ID&#95; ID&#9",
        "IDIDIDIDIDIDIDIDIDIDIDIDIDIDIDIDIDIDIDIDIDIDIDIDIDIDIDIDID",
        "NRPNRPNRPNRPNRPNRPNRPNRPNRPNRP ID 2 2 2 2 2 2 2 2 2 2 2 2 2",
        "OCCUPATION&#8203;&#8203;&#8203;2&#8203;22222222",
    };
    for (size_t i = 0; i < SOTTO_COUNT(texts); i++) {
        sotto_span text = sotto_span_str(texts[i]);
        OK(same_at_every_split(vault, text, text), "unchanged at every split: %.40s", texts[i]);
        OK(same_byte_by_byte(vault, text, text), "and byte by byte");
    }
}

/* How many bytes are withheld after a text. */
static size_t held_after(const struct sotto_vault *vault, const char *text)
{
    struct sotto_restore *r = NULL;
    struct sotto_buf out;
    sotto_buf_init(&out, 4096);
    size_t held = SIZE_MAX;
    if (sotto_restore_new(vault, &r) == SOTTO_OK &&
        sotto_restore_feed(r, sotto_span_str(text), &out) == SOTTO_OK) {
        held = sotto_restore_held(r);
        if (out.len + held != strlen(text)) {
            held = SIZE_MAX;
        }
    }
    sotto_restore_free(r);
    sotto_buf_free(&out);
    return held;
}

static void test_withheld(void)
{
    struct sotto_vault *vault = NULL;
    sotto_span one;
    IS_INT(sotto_vault_new(sample_key, SOTTO_LIT("c"), SOTTO_STYLE_TOKEN, &vault), SOTTO_OK,
           "vault");
    IS_SIZE(held_after(vault, "PERSON"), 0, "nothing is withheld before a token is issued");
    IS_INT(sotto_vault_adopt(vault, SOTTO_LIT("ID222222222"), SOTTO_LIT("v")), SOTTO_OK, "a token");
    sotto_vault_entry(vault, 0, &one, NULL);
    IS_TEXT(one.base, one.len, "ID222222222", "known beforehand");

    static const struct {
        const char *text;
        size_t held;
    } cases[] = {
        {"a person", 0},
        {"PERSON", 0},
        {"I", 1},
        {"i", 1},
        {"said I", 1},
        {"Hi", 0},
        {"HI", 1}, /* inside a word only as issued */
        {"Hid", 0},
        {"the id", 2},
        {"the id ", 3},
        {"the id 2", 4},
        {"the id 3", 0},
        {"the ID 3", 4}, /* one wrong symbol is allowed for */
        {"the ID 33", 0},
        {"ID \\", 4},
        {"ID&#9", 5},
        {"ID&#8", 5},
        {"ID&x", 0},
        {"ID22222222", 10},
        {"ID222222223", 11}, /* another symbol may follow */
        {"xID2222", 6},
        {"xID2223", 0},
        {"ID A", 4},
        {"ID AA", 0},
        {"ID\xe2\x80", 4},
        {"idea", 0},
        {"ID-2-2-2-2-2-2-2-2", 18},
        {"ID-2-2-2-2-2-2-2-2-2", 20},
        {"ID2222-2223", 0},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        IS_SIZE(held_after(vault, cases[i].text), cases[i].held, "withheld after '%s'",
                cases[i].text);
    }
    sotto_vault_free(vault);
}

struct hits {
    size_t count;
    size_t in_at;
    size_t spelled_len;
};

static enum sotto_err put_hit(void *ctx, const struct sotto_restored *hit, struct sotto_buf *out)
{
    struct hits *hits = ctx;
    hits->count++;
    hits->in_at = hit->in_at;
    hits->spelled_len = hit->spelled.len;
    enum sotto_err err = sotto_buf_push(out, '<');
    return err == SOTTO_OK ? sotto_buf_append(out, hit->after) : err;
}

static enum sotto_err put_nothing(void *ctx, const struct sotto_restored *hit,
                                  struct sotto_buf *out)
{
    (void)ctx;
    (void)hit;
    (void)out;
    return SOTTO_EINVAL;
}

static void test_divert(const struct sotto_vault *vault)
{
    struct sotto_buf in, out;
    struct sotto_restore *r = NULL;
    sotto_buf_init(&in, 4096);
    sotto_buf_init(&out, 4096);
    append(&in, token[1]);
    append(&in, SOTTO_LIT(" and **"));
    append(&in, sotto_span_sub(token[1], 0, 6));
    append(&in, SOTTO_LIT("** "));
    append(&in, sotto_span_skip(token[1], 6));
    append(&in, SOTTO_LIT("."));
    for (size_t split = 0; split <= in.len; split++) {
        struct hits hits = {0};
        sotto_buf_truncate(&out, 0);
        IS_INT(sotto_restore_new(vault, &r), SOTTO_OK, "split at %zu", split);
        sotto_restore_divert(r, put_hit, &hits);
        OK(sotto_restore_feed(r, sotto_span_sub(sotto_buf_span(&in), 0, split), &out) == SOTTO_OK &&
               sotto_restore_feed(r, sotto_span_skip(sotto_buf_span(&in), split), &out) ==
                   SOTTO_OK &&
               sotto_restore_end(r, &out) == SOTTO_OK,
           "restored");
        IS_SIZE(hits.count, 2, "two tokens are told of");
        IS_SIZE(hits.in_at, 15 + 7, "where the last stands");
        IS_SIZE(hits.spelled_len, 18, "how long it is");
        IS_TEXT(out.base, out.len, "< and **<**.", "what was put stands there");
        sotto_restore_free(r);
    }
    sotto_buf_truncate(&out, 0);
    IS_INT(sotto_restore_new(vault, &r), SOTTO_OK, "a put that fails");
    sotto_restore_divert(r, put_nothing, NULL);
    IS_INT(sotto_restore_feed(r, sotto_buf_span(&in), &out), SOTTO_EINVAL, "fails the feeding");
    IS_SIZE(out.len, 0, "and nothing is appended");
    IS_INT(sotto_restore_end(r, &out), SOTTO_ESTATE, "any more");
    sotto_restore_free(r);
    sotto_buf_free(&in);
    sotto_buf_free(&out);
}

static void test_two_fit(void)
{
    struct sotto_vault *vault = NULL;
    struct sotto_buf out;
    sotto_buf_init(&out, 4096);
    IS_INT(sotto_vault_new(sample_key, SOTTO_LIT("c"), SOTTO_STYLE_TOKEN, &vault), SOTTO_OK,
           "vault");
    /* Both are valid: 27 * 1 + 1 * 2 is 29. */
    IS_INT(sotto_vault_adopt(vault, SOTTO_LIT("IDY32222222"), SOTTO_LIT("a")), SOTTO_OK, "one");
    IS_INT(sotto_vault_adopt(vault, SOTTO_LIT("ID222222222"), SOTTO_LIT("b")), SOTTO_OK, "two");
    IS_INT(sotto_restore_text(vault, SOTTO_LIT("IDY22222222"), &out), SOTTO_OK,
           "a text one symbol from each");
    IS_TEXT(out.base, out.len, "IDY22222222", "stays as it is");
    sotto_buf_truncate(&out, 0);
    IS_INT(sotto_restore_text(vault, SOTTO_LIT("IDY32222223"), &out), SOTTO_OK,
           "a text one symbol from one");
    IS_TEXT(out.base, out.len, "a", "is restored");
    sotto_buf_free(&out);
    sotto_vault_free(vault);
}

static void test_state(const struct sotto_vault *vault)
{
    struct sotto_restore *r = NULL;
    struct sotto_buf out;
    sotto_buf_init(&out, 4096);
    IS_INT(sotto_restore_new(vault, &r), SOTTO_OK, "a restorer");
    IS_INT(sotto_restore_feed(r, SOTTO_LIT("text P"), &out), SOTTO_OK, "is fed");
    IS_INT(sotto_restore_end(r, &out), SOTTO_OK, "and ended");
    IS_TEXT(out.base, out.len, "text P", "text");
    IS_INT(sotto_restore_feed(r, SOTTO_LIT("more"), &out), SOTTO_ESTATE, "no more after the end");
    IS_INT(sotto_restore_end(r, &out), SOTTO_ESTATE, "nor another end");
    IS_TEXT(out.base, out.len, "text P", "nothing was appended");
    sotto_restore_free(r);

    struct sotto_buf small;
    sotto_buf_init(&small, 10);
    IS_INT(sotto_restore_new(vault, &r), SOTTO_OK, "another");
    IS_INT(sotto_restore_feed(r, SOTTO_LIT("a short "), &small), SOTTO_OK, "has room");
    IS_INT(sotto_restore_feed(r, token[0], &small), SOTTO_ELIMIT, "for so much only");
    IS_TEXT(small.base, small.len, "a short ", "what did not fit left nothing");
    IS_INT(sotto_restore_feed(r, SOTTO_LIT("x"), &small), SOTTO_ESTATE, "and it is dead");
    IS_INT(sotto_restore_end(r, &small), SOTTO_ESTATE, "for good");
    sotto_restore_free(r);
    sotto_restore_free(NULL);
    sotto_buf_free(&small);
    sotto_buf_free(&out);
}

static void test_faults(const struct sotto_vault *vault)
{
    for (size_t n = 1; n <= 3; n++) {
        struct sotto_buf out;
        size_t held;
        sotto_buf_init(&out, 4096);
        sotto_alloc_set_fault(n);
        enum sotto_err err = restore_split(vault, token[0], 3, &out, &held);
        size_t seen = sotto_alloc_set_fault(0);
        IS_INT(err, seen >= n ? SOTTO_ENOMEM : SOTTO_OK, "allocation %zu", n);
        OK(err == SOTTO_OK || out.len == 0, "nothing partial");
        sotto_buf_free(&out);
    }
}

int main(void)
{
    struct sotto_vault *vault = sample_vault(token);
    test_forms(vault);
    test_plain_text(vault);
    test_withheld();
    test_divert(vault);
    test_two_fit();
    test_state(vault);
    test_faults(vault);
    sotto_vault_free(vault);
    return done_testing();
}
