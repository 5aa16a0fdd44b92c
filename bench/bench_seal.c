/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What Privatemode's sealing costs the gateway: nanoseconds of processor time for each operation,
 * median and spread (first to last tenth) of the rounds.  "read" and "write" are JSON alone, which
 * a request in the clear costs too; "exchange" is the whole answer to an exchange of a secret.
 *
 * usage: bench_seal [ROUNDS]    one round for counting instructions: valgrind --tool=callgrind
 */

#include "timing.h"

#include "crypto/base64.h"
#include "crypto/kem.h"
#include "crypto/mesh.h"
#include "seal/members.h"
#include "seal/profile.h"

#define BENCH_ID "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG="

static const uint8_t secret[SOTTO_FIELD_SECRET_BYTES] = {1};
static struct sotto_buf plain, sealed, out, scratch;
static yyjson_mut_doc *chunk;
static struct sotto_field_cipher *answering;
static struct sotto_seal_host host;

static bool rule(sotto_span key, const yyjson_mut_val *value)
{
    (void)value;
    return !sotto_span_eq(key, SOTTO_LIT("model")) && !sotto_span_eq(key, SOTTO_LIT("id"));
}

static void read_plain(void)
{
    yyjson_mut_doc *doc = NULL;
    must(sotto_json_read(sotto_buf_span(&plain), 128, &doc, NULL));
    sotto_json_free(doc);
}

/* As a sealed request is opened and read. */
static void open_request(void)
{
    struct sotto_field_cipher *c = NULL;
    yyjson_mut_doc *doc = NULL, *opened = NULL;
    sotto_buf_truncate(&out, 0);
    must(sotto_json_read(sotto_buf_span(&sealed), 128, &doc, NULL));
    must(sotto_field_cipher_new(secret, SOTTO_LIT(BENCH_ID), &c));
    must(sotto_members_open(c, yyjson_mut_doc_get_root(doc), rule, NULL, &out));
    must(sotto_json_read(sotto_buf_span(&out), 128, &opened, NULL));
    sotto_json_free(opened);
    sotto_json_free(doc);
    sotto_field_cipher_free(c);
}

static void write_chunk(void)
{
    sotto_buf_truncate(&out, 0);
    must(sotto_json_write(yyjson_mut_doc_get_root(chunk), &out));
}

static void seal_chunk(void)
{
    sotto_buf_truncate(&out, 0);
    must(sotto_members_seal(answering, yyjson_mut_doc_get_root(chunk), rule, &scratch, &out));
}

static void exchange(void)
{
    static const sotto_span owner = SOTTO_LIT_INIT("abcdefghijkl");
    struct sotto_kem_pair *pair = NULL;
    struct sotto_seal_reply reply = {0};
    const struct sotto_seal_profile *profile;
    sotto_buf_init(&reply.fields, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&reply.body, SOTTO_BUF_UNBOUNDED);
    must(sotto_kem_pair_new(&sotto_kem_xwing, NULL, &pair)); /* the client's: taken off below */
    sotto_buf_truncate(&out, 0);
    must(sotto_buf_append(&out, SOTTO_LIT("{\"PublicKey\":\"")));
    must(sotto_base64_write(sotto_kem_public(pair), &out));
    must(sotto_buf_append(&out, SOTTO_LIT("\"}")));
    const struct sotto_seal_asked asked = {
        .body = sotto_buf_span(&out), .owner = owner, .now_s = 1700000000};
    must(sotto_seal_profile_route(SOTTO_LIT("/privatemode/v1/secret"), &profile)
             ->answer(&host, &asked, &reply));
    sotto_kem_pair_free(pair);
    sotto_buf_free(&reply.fields);
    sotto_buf_free(&reply.body);
}

static void client_pair(void)
{
    struct sotto_kem_pair *pair = NULL;
    must(sotto_kem_pair_new(&sotto_kem_xwing, NULL, &pair));
    sotto_kem_pair_free(pair);
}

/* {"model":"m","messages":…,"temperature":0.5}: the same request in the clear and sealed. */
static void make_request(void)
{
    struct sotto_field_cipher *c = NULL;
    struct sotto_buf messages;
    sotto_buf_init(&messages, SOTTO_BUF_UNBOUNDED);
    must(sotto_buf_append(&messages, SOTTO_LIT("[{\"role\":\"user\",\"content\":\"")));
    while (messages.len < 2000) {
        must(sotto_buf_append(&messages, SOTTO_LIT("The quick brown fox jumps. ")));
    }
    must(sotto_buf_append(&messages, SOTTO_LIT("\"}]")));
    must(sotto_buf_printf(&plain, "{\"model\":\"m\",\"messages\":%.*s,\"temperature\":0.5}",
                          SOTTO_FMT(sotto_buf_span(&messages))));
    must(sotto_field_cipher_new(secret, SOTTO_LIT(BENCH_ID), &c));
    must(sotto_buf_append(&sealed, SOTTO_LIT("{\"model\":\"m\",\"messages\":\"")));
    must(sotto_field_seal(c, 0, NULL, sotto_buf_span(&messages), &sealed));
    must(sotto_buf_append(&sealed, SOTTO_LIT("\",\"temperature\":\"")));
    must(sotto_field_seal(c, 1, NULL, SOTTO_LIT("0.5"), &sealed));
    must(sotto_buf_append(&sealed, SOTTO_LIT("\"}")));
    sotto_field_cipher_free(c);
    sotto_buf_free(&messages);
}

static void make_host(void)
{
    struct sotto_buf ca, leaf;
    struct sotto_mesh *mesh = NULL;
    sotto_buf_init(&ca, SOTTO_MESH_PEM_MAX);
    sotto_buf_init(&leaf, SOTTO_MESH_PEM_MAX);
    must(sotto_mesh_make_ca(1700000000, &ca));
    must(sotto_mesh_make_leaf(sotto_buf_span(&ca), 1700000000, &leaf));
    must(sotto_mesh_read(sotto_buf_span(&ca), sotto_buf_span(&leaf), &mesh));
    must(sotto_sessions_new(&host.sessions));
    host.mesh = mesh;
    host.life_s = 3600;
    sotto_buf_free(&ca);
    sotto_buf_free(&leaf);
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 1 && argv[1][0] == '1' ? 1 : BENCH_ROUNDS_MAX;
    sotto_buf_init(&plain, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&sealed, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&scratch, SOTTO_BUF_UNBOUNDED);
    make_request();
    make_host();
    must(sotto_json_read(
        SOTTO_LIT("{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,"
                  "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":"
                  "\"word \"},\"finish_reason\":null}]}"),
        64, &chunk, NULL));
    must(sotto_field_cipher_new(secret, SOTTO_LIT(BENCH_ID), &answering));
    yyjson_mut_doc *asked = NULL;
    must(sotto_json_read(sotto_buf_span(&sealed), 64, &asked, NULL));
    must(sotto_members_open(answering, yyjson_mut_doc_get_root(asked), rule, NULL, &out));
    sotto_json_free(asked);

    measure("read 2 KB", NULL, read_plain, rounds);
    measure("open and read 2 KB", NULL, open_request, rounds);
    measure("write a chunk", NULL, write_chunk, rounds);
    measure("seal a chunk", NULL, seal_chunk, rounds);
    measure("the client's key pair", NULL, client_pair, rounds);
    measure("exchange with a key pair", NULL, exchange, rounds);
    return 0;
}
