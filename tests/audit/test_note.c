/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/note.h"

#include "base/alloc.h"
#include "tap/tap.h"

/* The example of C2SP signed-note and of golang.org/x/mod/sumdb/note. */
static const char vkey[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char signed_note[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/"
    "SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

static void test_known_answer(void)
{
    struct sotto_note_key key;
    struct sotto_note note;
    struct sotto_buf text;
    IS_INT(sotto_note_key_parse(SOTTO_LIT(vkey), &key), SOTTO_OK, "the published key is read");
    IS_INT(sotto_note_parse(SOTTO_LIT(signed_note), &note), SOTTO_OK, "and the published note");
    IS_INT(sotto_note_verify(&note, &key, NULL), SOTTO_OK, "whose signature is valid");
    sotto_buf_init(&text, 500);
    IS_INT(sotto_note_key_write(&key, &text), SOTTO_OK, "the key is written");
    IS_TEXT(text.base, text.len, vkey, "as it was");
    sotto_buf_free(&text);
    key.id[0] ^= 1;
    IS_INT(sotto_note_verify(&note, &key, NULL), SOTTO_ENOTFOUND, "another key has not signed");
}

/* Every byte of a note counts. */
static void test_every_byte(void)
{
    struct sotto_note_key key;
    char bytes[sizeof(signed_note)];
    size_t wrong = 0;
    if (sotto_note_key_parse(SOTTO_LIT(vkey), &key) != SOTTO_OK) {
        abort();
    }
    for (size_t i = 0; i < sizeof(signed_note) - 1; i++) {
        struct sotto_note note;
        memcpy(bytes, signed_note, sizeof(bytes));
        bytes[i] ^= 1;
        enum sotto_err err = sotto_note_parse(sotto_span_init(bytes, sizeof(bytes) - 1), &note);
        wrong += err == SOTTO_OK && sotto_note_verify(&note, &key, NULL) == SOTTO_OK;
    }
    IS_SIZE(wrong, 0, "no byte of a note can be changed");
}

static void test_keys_refused(void)
{
    static const char *const bad[] = {
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n"};
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        struct sotto_note_key key = {.type = SOTTO_NOTE_ED25519};
        IS_INT(sotto_note_key_parse(sotto_span_str(bad[i]), &key), SOTTO_EFORMAT, "no key: %zu", i);
        OK(key.name[0] == '\0', "and nothing is set");
    }
}

static void test_notes_refused(void)
{
    static const char *const bad[] = {"",
                                      "\n",
                                      "text\n",
                                      "text\n\n",
                                      "text\n\nsig\n",
                                      "text\n\n\xe2\x80\x94 name\n",
                                      "text\n\n\xe2\x80\x94 name AAAA",
                                      "text\n\n\xe2\x80\x94  AAAA\n",
                                      "te\txt\n\n\xe2\x80\x94 n A\n",
                                      "text\n\n\xe2\x80\x94 na+me AAAA\n",
                                      "text\n\xe2\x80\x94 name AAAA\n"};
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        struct sotto_note note;
        IS_INT(sotto_note_parse(sotto_span_str(bad[i]), &note), SOTTO_EFORMAT, "no note: %zu", i);
    }
    struct sotto_note note;
    size_t len = SOTTO_NOTE_MAX_BYTES + 1;
    uint8_t *big = sotto_calloc(1, len);
    IS_INT(sotto_note_parse(sotto_span_init(big, len), &note), SOTTO_ELIMIT, "too long");
    sotto_free(big);
}

static void make_key(const char *name, enum sotto_note_type type, uint8_t byte,
                     struct sotto_note_key *key, uint8_t *seed)
{
    uint8_t public_key[32];
    memset(seed, byte, 32);
    if (sotto_ed25519_public(seed, public_key) != SOTTO_OK ||
        sotto_note_key_make(sotto_span_str(name), type, public_key, key) != SOTTO_OK) {
        abort();
    }
}

static void test_checkpoint(void)
{
    struct sotto_checkpoint c = {.origin = SOTTO_LIT_INIT("log.example/a"), .size = 7}, again;
    struct sotto_note_key log, witness, other;
    uint8_t log_seed[32], witness_seed[32], other_seed[32];
    struct sotto_buf text, all;
    struct sotto_note note;
    sotto_span line;
    make_key("log.example/a", SOTTO_NOTE_ED25519, 1, &log, log_seed);
    make_key("witness.example", SOTTO_NOTE_COSIGNATURE, 2, &witness, witness_seed);
    make_key("witness.example", SOTTO_NOTE_COSIGNATURE, 3, &other, other_seed);
    memset(c.root.bytes, 0x5a, 32);
    sotto_buf_init(&text, 4096);
    sotto_buf_init(&all, 4096);
    IS_INT(sotto_checkpoint_write(&c, &text), SOTTO_OK, "a checkpoint is written");
    IS_TEXT(text.base, text.len, "log.example/a\n7\nWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n",
            "as three lines");
    IS_INT(sotto_checkpoint_parse(sotto_buf_span(&text), &again), SOTTO_OK, "and read");
    OK(again.size == 7 && memcmp(&again.root, &c.root, 32) == 0 &&
           sotto_span_eq(again.origin, c.origin),
       "as it was");
    OK(sotto_buf_append(&all, sotto_buf_span(&text)) == SOTTO_OK &&
           sotto_buf_push(&all, '\n') == SOTTO_OK &&
           sotto_note_sign(&log, log_seed, sotto_buf_span(&text), &all) == SOTTO_OK &&
           sotto_note_cosign(&witness, witness_seed, 1700000000, sotto_buf_span(&text), &all) ==
               SOTTO_OK,
       "log and witness sign it");
    IS_INT(sotto_note_parse(sotto_buf_span(&all), &note), SOTTO_OK, "it is a note");
    IS_INT(sotto_note_verify(&note, &log, &line), SOTTO_OK, "of the log");
    OK(sotto_span_ends(line, SOTTO_LIT("=\n")), "whose line is told");
    IS_INT(sotto_note_verify(&note, &witness, NULL), SOTTO_OK, "and of the witness");
    IS_INT(sotto_note_verify(&note, &other, NULL), SOTTO_ENOTFOUND, "not of another of its name");
    uint8_t *at = memmem(all.base, all.len, "7\n", 2);
    at[0] = '8';
    IS_INT(sotto_note_verify(&note, &log, NULL), SOTTO_EAUTH, "another size is not signed");
    IS_INT(sotto_note_verify(&note, &witness, NULL), SOTTO_EAUTH, "nor cosigned");
    sotto_buf_free(&text);
    sotto_buf_free(&all);
}

static void test_checkpoints_refused(void)
{
    static const char *const bad[] = {"",
                                      "a\n",
                                      "a\n1\n",
                                      "a\n1\nWlpa\n",
                                      "a\n01\nWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n",
                                      "a\n-1\nWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n",
                                      "a\n\nWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n",
                                      "\n1\nWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo=\n",
                                      "a\n1\nWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlo="};
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        struct sotto_checkpoint c = {.size = 77};
        IS_INT(sotto_checkpoint_parse(sotto_span_str(bad[i]), &c), SOTTO_EFORMAT,
               "no checkpoint: %zu", i);
        OK(c.size == 77, "unchanged");
    }
}

static void test_faults(void)
{
    struct sotto_note_key key;
    uint8_t seed[32];
    struct sotto_buf out;
    make_key("a", SOTTO_NOTE_COSIGNATURE, 1, &key, seed);
    for (size_t n = 1;; n++) {
        sotto_buf_init(&out, 4096);
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_note_cosign(&key, seed, 1, SOTTO_LIT("text\n"), &out);
        sotto_alloc_set_fault(0);
        size_t len = out.len;
        sotto_buf_free(&out);
        if (err == SOTTO_OK) {
            OK(n > 1, "with memory it is signed");
            break;
        }
        IS_SIZE(len, 0, "without memory nothing is appended");
    }
}

int main(void)
{
    test_known_answer();
    test_every_byte();
    test_keys_refused();
    test_notes_refused();
    test_checkpoint();
    test_checkpoints_refused();
    test_faults();
    return done_testing();
}
