/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What restoring costs: nanoseconds of processor time for each chunk of a stream, median and spread
 * (first to last tenth) of the rounds.
 * "read and write" is JSON alone, so that what restoring adds can be told from it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/compiler.h"
#include "pipeline/restoring.h"
#include "vault/restore.h"
#include "json/json.h"

#define BENCH_ROUNDS 31
#define BENCH_CHUNKS 20000

static sotto_span tokens[10];
static struct sotto_vault *vault;
static struct sotto_restore *restore;
static struct sotto_restoring *restoring;
static struct sotto_buf in, out;

static void must(enum sotto_err err)
{
    if (err != SOTTO_OK) {
        fprintf(stderr, "bench_restore: %s\n", sotto_err_text(err));
        exit(1); /* NOLINT(concurrency-mt-unsafe): there is one thread */
    }
}

static double now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void feed_text(void)
{
    sotto_buf_truncate(&out, 0);
    must(sotto_restore_feed(restore, sotto_buf_span(&in), &out));
}

static void read_write(void)
{
    yyjson_mut_doc *doc = NULL;
    sotto_buf_truncate(&out, 0);
    must(sotto_json_read(sotto_buf_span(&in), 128, &doc, NULL));
    must(sotto_json_write(doc->root, &out));
    sotto_json_free(doc);
}

static void chunk(void)
{
    yyjson_mut_doc *doc = NULL;
    bool empty;
    sotto_buf_truncate(&out, 0);
    must(sotto_json_read(sotto_buf_span(&in), 128, &doc, NULL));
    must(sotto_restoring_chunk(restoring, doc, &empty));
    must(sotto_json_write(doc->root, &out));
    sotto_json_free(doc);
}

static void issue(void)
{
    struct sotto_vault *fresh = NULL;
    static const uint8_t key[SOTTO_VAULT_KEY_BYTES] = {1};
    sotto_span token;
    must(sotto_vault_new(key, SOTTO_LIT("c"), SOTTO_STYLE_TOKEN, &fresh));
    for (unsigned i = 0; i < 10; i++) {
        char name[] = "Dr. Ann x. Lee";
        name[8] = "abcdefghij"[i];
        must(sotto_vault_token(fresh, 0, true, sotto_span_str(name), &token));
    }
    sotto_vault_free(fresh);
}

static void measure(const char *name, void (*run)(void))
{
    double ns[BENCH_ROUNDS];
    for (size_t round = 0; round < BENCH_ROUNDS; round++) {
        double start = now_ns();
        for (size_t i = 0; i < BENCH_CHUNKS; i++) {
            run();
        }
        ns[round] = (now_ns() - start) / BENCH_CHUNKS;
    }
    qsort(ns, BENCH_ROUNDS, sizeof(*ns), ascending);
    printf("%-46s %7.0f ns  (%.0f to %.0f)\n", name, ns[BENCH_ROUNDS / 2], ns[BENCH_ROUNDS / 10],
           ns[BENCH_ROUNDS - 1 - BENCH_ROUNDS / 10]);
}

/* A chunk of about 250 bytes, as OpenAI sends them, with `text` as its content. */
static void make_chunk(const char *text)
{
    sotto_buf_truncate(&in, 0);
    must(sotto_buf_printf(
        &in,
        "{\"id\":\"chatcmpl-CAbCdEfGhIjKlMnOpQrStUvWxYz01\",\"object\":\"chat.completion.chunk\","
        "\"created\":1755000000,\"model\":\"gpt-4o-2024-08-06\",\"service_tier\":\"default\","
        "\"system_fingerprint\":null,\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},"
        "\"logprobs\":null,\"finish_reason\":null}]}",
        text));
}

static void setup(void)
{
    static const uint8_t key[SOTTO_VAULT_KEY_BYTES] = {1};
    static const char *const values[] = {"Ann Lee",      "Zurich", "Seestrasse 1", "Acme",
                                         "1. May",       "94",     "baker",        "Swiss",
                                         "044 668 1800", "a@b.org"};
    sotto_buf_init(&in, 1 << 20);
    sotto_buf_init(&out, 1 << 20);
    must(sotto_vault_new(key, SOTTO_LIT("c"), SOTTO_STYLE_TOKEN, &vault));
    for (unsigned i = 0; i < SOTTO_COUNT(values); i++) {
        must(sotto_vault_token(vault, i, false, sotto_span_str(values[i]), &tokens[i]));
    }
    must(sotto_restore_new(vault, &restore));
    must(sotto_restoring_new(vault, &restoring));
}

int main(void)
{
    char text[64];
    setup();
    must(sotto_buf_append(&in, SOTTO_LIT("the person in question has asked for a document that was "
                                         "sent a week ago, and nobody can find it. ")));
    measure("text of 98 bytes, no token in it", feed_text);
    sotto_buf_truncate(&in, 0);
    must(sotto_buf_append(&in, tokens[0]));
    measure("a token", feed_text);

    make_chunk(" document");
    printf("chunk of %zu bytes\n", in.len);
    measure("read and write", read_write);
    measure("read, restore and write", chunk);
    snprintf(text, sizeof(text), " %.*s", SOTTO_FMT(tokens[0]));
    make_chunk(text);
    measure("read, restore and write, a token in it", chunk);
    measure("a vault and ten tokens", issue);

    sotto_restoring_free(restoring);
    sotto_restore_free(restore);
    sotto_vault_free(vault);
    sotto_buf_free(&in);
    sotto_buf_free(&out);
    return 0;
}
