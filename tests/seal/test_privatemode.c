/* SPDX-License-Identifier: Apache-2.0 */

/* The profiles on Privatemode's cipher against known answers that others made. */

#include <stdlib.h>

#include "seal/members.h"
#include "seal/profile.h"
#include "tap/tap.h"

static yyjson_mut_doc *vector;

static sotto_span member(const char *name)
{
    return sotto_json_text(sotto_json_get(yyjson_mut_doc_get_root(vector), name));
}

static bool read_vector(void)
{
    char path[512];
    const char *folder = getenv("SOTTO_DATA"); /* NOLINT(concurrency-mt-unsafe) */
    snprintf(path, sizeof(path), "%s/vectors/privatemode-vector.json",
             folder != NULL ? folder : "");
    FILE *file = folder != NULL ? fopen(path, "rb") : NULL;
    if (file == NULL) {
        return false;
    }
    static char text[65536];
    size_t n = fread(text, 1, sizeof(text), file);
    fclose(file);
    return sotto_json_read(sotto_span_init(text, n), 64, &vector, NULL) == SOTTO_OK;
}

static void from_hex(sotto_span text, uint8_t *out)
{
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        char pair[3] = {(char)text.base[i], (char)text.base[i + 1], '\0'};
        out[i / 2] = (uint8_t)strtoul(pair, NULL, 16);
    }
}

static struct sotto_http_head head_of(const char *lines)
{
    static char block[4096];
    struct sotto_http_head head;
    snprintf(block, sizeof(block), "POST /v1/chat/completions\r\n%s\r\n", lines);
    IS_INT(sotto_http_head_index(sotto_span_str(block), true, &head), SOTTO_OK, "a head");
    return head;
}

/* A session with the vector's secret. */
static struct sotto_session *begin(struct sotto_sessions *sessions)
{
    struct sotto_session s = {
        .profile = &sotto_seal_profile_privatemode, .algorithm = "x-wing", .expires_s = 100};
    s.id.len = member("secret_id").len;
    memcpy(s.id.bytes, member("secret_id").base, s.id.len);
    from_hex(member("inference_secret"), s.secret);
    IS_INT(sotto_sessions_put(sessions, &s, 1), SOTTO_OK, "a session");
    return sotto_sessions_find(sessions, s.profile, &s.id, 1);
}

/* Each sealed field of an answer, made again with its number and vector. */
static void check_line(struct sotto_field_cipher *c, yyjson_mut_val *sealed, yyjson_mut_val *plain,
                       uint32_t first)
{
    static const char *const order[] = {"choices", "created", "model", "object"};
    for (uint32_t i = 0; i < 4; i++) {
        sotto_span want = sotto_json_text(sotto_json_get(sealed, order[i]));
        uint8_t iv[SOTTO_FIELD_IV_BYTES];
        struct sotto_buf text, out;
        sotto_buf_init(&text, 10000);
        sotto_buf_init(&out, 10000);
        from_hex(sotto_span_sub(want, 70, 94), iv);
        IS_INT(sotto_json_write(sotto_json_get(plain, order[i]), &text), SOTTO_OK, "a value");
        IS_INT(sotto_field_seal(c, first + i, iv, sotto_buf_span(&text), &out), SOTTO_OK, "sealed");
        OK(sotto_span_eq(sotto_buf_span(&out), want), "%s of chunk %u byte for byte", order[i],
           first / 4);
        sotto_buf_free(&text);
        sotto_buf_free(&out);
    }
}

static void check_answer(void)
{
    struct sotto_field_cipher *c = NULL;
    uint8_t secret[SOTTO_FIELD_SECRET_BYTES];
    struct sotto_buf plain;
    sotto_buf_init(&plain, 10000);
    from_hex(member("inference_secret"), secret);
    IS_INT(sotto_field_cipher_new(secret, member("secret_id"), &c), SOTTO_OK, "a cipher");
    yyjson_mut_val *asked = sotto_json_get(yyjson_mut_doc_get_root(vector), "request_encrypted");
    IS_INT(sotto_field_open(c, sotto_json_text(sotto_json_get(asked, "cache_salt")), &plain),
           SOTTO_OK, "its nonce is the request's");
    sotto_buf_free(&plain);
    yyjson_mut_arr_iter chunks = yyjson_mut_arr_iter_with(
        sotto_json_get(yyjson_mut_doc_get_root(vector), "response_plain_chunks"));
    sotto_span stream = member("response_sse");
    yyjson_mut_val *chunk;
    for (uint32_t first = 0; (chunk = yyjson_mut_arr_iter_next(&chunks)) != NULL; first += 4) {
        const uint8_t *line_end = memchr(stream.base, '\n', stream.len);
        size_t n = (size_t)(line_end - stream.base);
        yyjson_mut_doc *line = NULL;
        IS_INT(sotto_json_read(sotto_span_sub(stream, 6, n), 64, &line, NULL), SOTTO_OK, "a line");
        check_line(c, yyjson_mut_doc_get_root(line), chunk, first);
        sotto_json_free(line);
        stream = sotto_span_skip(stream, n + 2);
    }
    OK(sotto_span_eq(stream, SOTTO_LIT("data: [DONE]\n\n")), "and that is the stream");
    sotto_field_cipher_free(c);
}

static void check_request(void)
{
    struct sotto_sessions *sessions;
    struct sotto_seal_exchange *x = NULL;
    struct sotto_buf body, plain, want;
    sotto_buf_init(&body, 10000);
    sotto_buf_init(&plain, 10000);
    sotto_buf_init(&want, 10000);
    IS_INT(sotto_sessions_new(&sessions), SOTTO_OK, "sessions");
    struct sotto_session *session = begin(sessions);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(vector);
    IS_INT(sotto_json_write(sotto_json_get(root, "request_encrypted"), &body), SOTTO_OK, "a body");
    IS_INT(sotto_json_write(sotto_json_get(root, "request_plain"), &want), SOTTO_OK, "its text");
    char lines[512];
    snprintf(lines, sizeof(lines),
             "privatemode-secret-id: %.*s\r\nprivatemode-nvidia-ocsp-policy: %.*s\r\n"
             "privatemode-nvidia-ocsp-policy-mac: %.*s\r\n",
             SOTTO_FMT(member("secret_id")), SOTTO_FMT(member("ocsp_policy")),
             SOTTO_FMT(member("ocsp_mac")));
    struct sotto_http_head head = head_of(lines);
    const struct sotto_seal_profile *profile = sotto_seal_profile_of(&head, sotto_buf_span(&body));
    OK(profile == &sotto_seal_profile_privatemode, "the profile is known by its header");
    IS_INT(profile->open(session, &head, sotto_buf_span(&body), 64, &x, &plain), SOTTO_OK,
           "the request opens, with the code of its policy");
    yyjson_mut_doc *got = NULL;
    IS_INT(sotto_json_read(sotto_buf_span(&plain), 64, &got, NULL), SOTTO_OK, "to JSON");
    OK(yyjson_mut_equals(yyjson_mut_doc_get_root(got), sotto_json_get(root, "request_plain")),
       "that is the vector's");
    sotto_json_free(got);
    sotto_seal_exchange_free(x);
    sotto_buf_truncate(&plain, 0);
    IS_INT(profile->open(session, &head, sotto_buf_span(&body), 64, &x, &plain), SOTTO_EAUTH,
           "once");
    IS_SIZE(plain.len, 0, "nothing is left of the second time");
    sotto_session_unref(session);
    sotto_sessions_free(sessions);
    sotto_buf_free(&body);
    sotto_buf_free(&plain);
    sotto_buf_free(&want);
}

static void test_accepts(void)
{
    static const struct {
        const char *lines, *body, *name;
    } cases[] = {
        {"privatemode-secret-id: x\r\n", "{}", "privatemode"},
        {"Privatemode-Version: v1.40.0\r\n", "{\"messages\":[]}", "privatemode"},
        {"", "{\"messages\":\"x\"}", "continuum-2024"},
        {"", "{\"message\":\"x\"}", "continuum-2024"},
        {"", "{\"messages\":[]}", NULL},
        {"", "", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sotto_http_head head = head_of(cases[i].lines);
        const struct sotto_seal_profile *p =
            sotto_seal_profile_of(&head, sotto_span_str(cases[i].body));
        OK(cases[i].name == NULL ? p == NULL : p != NULL && strcmp(p->name, cases[i].name) == 0,
           "whose request case %zu is", i);
    }
}

int main(void)
{
    test_accepts();
    if (!read_vector()) {
        SKIP(1, "SOTTO_DATA has no vectors of the protocol");
        return done_testing();
    }
    check_request();
    check_answer();
    sotto_json_free(vector);
    return done_testing();
}
