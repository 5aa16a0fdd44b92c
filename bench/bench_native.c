/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the profile native costs the gateway beside the same in the clear: nanoseconds of processor
 * time for each operation.  Requests are sealed by the client's side beforehand, since each opens
 * once.  "exchange" is the whole answer to POST /v1/seal/session; "keep" what scope `gateway` adds to
 * a request: sealing what waits for the upstream, and opening it again.
 *
 * usage: bench_native [ROUNDS]    one round for counting instructions: valgrind --tool=callgrind
 */

#include "timing.h"

#include "seal/keeper.h"
#include "seal/native_client.h"
#include "seal/profile.h"
#include "seal/signer.h"
#include "json/json.h"

#define BENCH_NOW   1700000000
#define BENCH_PATH  "/v1/chat/completions"
#define BENCH_OWNER "abcdefghijkl"

/* What a vault with five entities keeps. */
#define BENCH_KEPT_BYTES 300

static const struct sotto_seal_attestor attestor = {"none", NULL, NULL};
static struct sotto_signer signer;
static struct sotto_seal_host host;
static struct sotto_native_client *client;
static struct sotto_keeper *keeper;
static struct sotto_buf plain, out;
static yyjson_mut_doc *answer, *chunk;

/* Of one round. */
static struct sotto_buf bodies[BENCH_OPERATIONS];
static struct sotto_native_pending *pending[BENCH_OPERATIONS];
static struct sotto_native_hello *hellos[BENCH_OPERATIONS];
static size_t at;
static struct sotto_seal_exchange *streaming;

static struct sotto_http_head head_of(const char *path, const char *type)
{
    struct sotto_http_head head = {
        .method = SOTTO_LIT("POST"), .target = sotto_span_str(path), .field_count = 1};
    head.fields[0] = (struct sotto_http_field){SOTTO_LIT("content-type"), sotto_span_str(type)};
    return head;
}

/* --- requests ---------------------------------------------------------------------------------- */

static void forget(void)
{
    for (size_t i = 0; i < BENCH_OPERATIONS; i++) {
        sotto_buf_free(&bodies[i]);
        sotto_native_pending_free(pending[i]);
        sotto_native_hello_free(hellos[i]);
        pending[i] = NULL;
        hellos[i] = NULL;
    }
    at = 0;
}

static void prepare_requests(void)
{
    const struct sotto_native_place place = {SOTTO_LIT("POST"), SOTTO_LIT(BENCH_PATH),
                                             SOTTO_LIT("m")};
    forget();
    for (size_t i = 0; i < BENCH_OPERATIONS; i++) {
        sotto_buf_init(&bodies[i], SOTTO_BUF_UNBOUNDED);
        must(sotto_native_request(client, &place, sotto_buf_span(&plain), &bodies[i], &pending[i]));
    }
}

/* The body of the next request, in `out`; its exchange. */
static struct sotto_seal_exchange *open_next(void)
{
    struct sotto_http_head head = head_of(BENCH_PATH, "application/vnd.sotto.sealed");
    struct sotto_session_id id = {0};
    struct sotto_seal_exchange *exchange = NULL;
    sotto_span body = sotto_buf_span(&bodies[at++]);
    const struct sotto_seal_profile *profile = sotto_seal_profile_of(&head, body);
    must(profile->find(&head, body, &id));
    struct sotto_session *session = sotto_sessions_find(host.sessions, profile, &id, BENCH_NOW);
    sotto_buf_truncate(&out, 0);
    must(session != NULL ? profile->open(session, &head, body, 128, &exchange, &out)
                         : SOTTO_ENOTFOUND);
    sotto_session_unref(session);
    return exchange;
}

static void read_text(sotto_span text)
{
    yyjson_mut_doc *doc = NULL;
    must(sotto_json_read(text, 128, &doc, NULL));
    sotto_json_free(doc);
}

static void clear_request(void)
{
    read_text(sotto_buf_span(&plain));
    sotto_buf_truncate(&out, 0);
    must(sotto_json_write(yyjson_mut_doc_get_root(answer), &out));
}

static void sealed_request(void)
{
    struct sotto_seal_exchange *exchange = open_next();
    read_text(sotto_buf_span(&out));
    sotto_buf_truncate(&out, 0);
    must(exchange->profile->answer(exchange, 200, answer, &out));
    sotto_seal_exchange_free(exchange);
}

/* --- chunks ------------------------------------------------------------------------------------ */

static void prepare_stream(void)
{
    sotto_seal_exchange_free(streaming);
    prepare_requests();
    streaming = open_next();
}

static void clear_chunk(void)
{
    sotto_buf_truncate(&out, 0);
    must(sotto_buf_append(&out, SOTTO_LIT("data: ")));
    must(sotto_json_write(yyjson_mut_doc_get_root(chunk), &out));
    must(sotto_buf_append(&out, SOTTO_LIT("\n\n")));
}

static void sealed_chunk(void)
{
    sotto_buf_truncate(&out, 0);
    must(streaming->profile->event(streaming, chunk, &out));
}

/* --- exchanges --------------------------------------------------------------------------------- */

static void prepare_hellos(void)
{
    forget();
    for (size_t i = 0; i < BENCH_OPERATIONS; i++) {
        sotto_buf_init(&bodies[i], SOTTO_BUF_UNBOUNDED);
        must(sotto_native_hello(&sotto_suites[0], SOTTO_LIT(""), &bodies[i], &hellos[i]));
    }
}

/* @param body  gets the answer */
static void answer_hello(sotto_span hello, struct sotto_buf *body)
{
    struct sotto_http_head head = head_of("/v1/seal/session", "application/json");
    const struct sotto_seal_profile *profile = NULL;
    const struct sotto_seal_route *route =
        sotto_seal_profile_route(SOTTO_LIT("/v1/seal/session"), &profile);
    const struct sotto_seal_asked asked = {&head, hello, SOTTO_LIT(BENCH_OWNER), BENCH_NOW};
    struct sotto_seal_reply reply = {0};
    sotto_buf_init(&reply.fields, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&reply.body, SOTTO_BUF_UNBOUNDED);
    must(route->answer(&host, &asked, &reply));
    must(reply.status == 200 ? sotto_buf_append(body, sotto_buf_span(&reply.body)) : SOTTO_EDENIED);
    sotto_buf_free(&reply.fields);
    sotto_buf_free(&reply.body);
}

static void exchange(void)
{
    sotto_buf_truncate(&out, 0);
    answer_hello(sotto_buf_span(&bodies[at++]), &out);
}

/* --- scope `gateway` --------------------------------------------------------------------------- */

static void keep(void)
{
    static const uint8_t values[BENCH_KEPT_BYTES] = {1};
    struct sotto_kept kept = {0};
    struct sotto_buf text;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    must(sotto_buf_append(&text, sotto_span_init(values, sizeof(values))));
    must(sotto_keeper_seal(keeper, &sotto_suites[1], &text, &kept));
    must(sotto_kept_open(&kept, &text));
    sotto_kept_free(&kept);
    sotto_buf_free(&text);
}

/* --- before ------------------------------------------------------------------------------------ */

static void make_texts(void)
{
    must(sotto_buf_append(&plain, SOTTO_LIT("{\"model\":\"m\",\"messages\":[{\"role\":\"user\","
                                            "\"content\":\"")));
    while (plain.len < 2000) {
        must(sotto_buf_append(&plain, SOTTO_LIT("The quick brown fox jumps. ")));
    }
    must(sotto_buf_append(&plain, SOTTO_LIT("\"}],\"temperature\":0.5}")));
    must(sotto_json_read(
        SOTTO_LIT(
            "{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","
            "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"word \"},"
            "\"finish_reason\":null}]}"),
        64, &chunk, NULL));
    must(sotto_json_read(
        SOTTO_LIT("{\"id\":\"c\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"m\","
                  "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
                  "\"A short answer of a few words, as most of them are.\"},"
                  "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,"
                  "\"completion_tokens\":12,\"total_tokens\":21}}"),
        64, &answer, NULL));
}

static void make_gateway(void)
{
    struct sotto_native_hello *hello = NULL;
    struct sotto_buf body, said;
    sotto_buf_init(&body, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&said, SOTTO_BUF_UNBOUNDED);
    must(sotto_signer_derive(SOTTO_LIT("a master secret of some length.."), &signer));
    must(sotto_sessions_new(&host.sessions));
    must(sotto_keyring_new(&host.keyring));
    must(sotto_keyring_renew(host.keyring, &sotto_suites[1], BENCH_NOW));
    must(sotto_keeper_new(host.keyring, &keeper));
    host.attestor = &attestor;
    host.signer = &signer;
    host.life_s = 3600;
    must(sotto_native_hello(&sotto_suites[0], SOTTO_LIT(""), &body, &hello));
    answer_hello(sotto_buf_span(&body), &said);
    must(sotto_native_agreed(hello, sotto_buf_span(&said), signer.public_key, &client));
    sotto_native_hello_free(hello);
    sotto_buf_free(&body);
    sotto_buf_free(&said);
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 1 && argv[1][0] == '1' ? 1 : BENCH_ROUNDS_MAX;
    sotto_buf_init(&plain, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    make_texts();
    make_gateway();
    measure("2 KB request and answer, in the clear", NULL, clear_request, rounds);
    measure("the same sealed", prepare_requests, sealed_request, rounds);
    measure("a chunk in the clear", NULL, clear_chunk, rounds);
    measure("the same sealed", prepare_stream, sealed_chunk, rounds);
    measure("scope gateway: keep and take out", NULL, keep, rounds);
    measure("exchange of x-wing", prepare_hellos, exchange, rounds);
    return 0;
}
