/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/door_codec.h"

#include "base/alloc.h"
#include "tap/tap.h"

#define STREAM ((uint64_t)7 << 32 | 3)

static const struct sotto_door_msg open_msg = {
    .kind = SOTTO_DOOR_OPEN,
    .flags = SOTTO_DOOR_TLS,
    .stream = STREAM,
    .arg = 1234,
    .head = {(const uint8_t *)"GET /\r\n", 7},
    .body = {(const uint8_t *)"text", 4},
};

static struct sotto_buf encoded(const struct sotto_door_msg *msg)
{
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    IS_INT(sotto_door_encode(&out, msg), SOTTO_OK, "a message is written");
    return out;
}

static void comes_back(void)
{
    struct sotto_door_rules rules = sotto_door_rules_front(100);
    struct sotto_buf out = encoded(&open_msg);
    struct sotto_door_msg got = {0};
    size_t need = 0;
    for (size_t len = 0; len < out.len; len++) { /* at every split */
        sotto_span part = sotto_span_init(out.base, len);
        if (sotto_door_decode(part, &rules, &got, &need) != SOTTO_OK || need <= len ||
            need > out.len || got.stream != 0) {
            OK(false, "%zu bytes of it are not enough", len);
        }
    }
    IS_INT(sotto_door_decode(sotto_buf_span(&out), &rules, &got, &need), SOTTO_OK, "it is read");
    IS_SIZE(need, out.len, "with its length");
    IS_INT(got.kind, SOTTO_DOOR_OPEN, "its kind");
    IS_INT(got.flags, SOTTO_DOOR_TLS, "its flags");
    OK(got.stream == STREAM, "its stream");
    IS_INT(got.arg, 1234, "its argument");
    IS_MEM(got.head.base, got.head.len, "GET /\r\n", 7, "its head");
    IS_MEM(got.body.base, got.body.len, "text", 4, "and its body");
    sotto_buf_free(&out);
}

struct bad_case {
    const char *what;
    struct sotto_door_msg msg;
};

static const struct bad_case bad_of_front[] = {
    {"a kind that there is not", {.kind = (enum sotto_door_kind)77, .stream = STREAM}},
    {"an answer", {.kind = SOTTO_DOOR_REPLY, .stream = STREAM, .arg = 200}},
    {"a fetch", {.kind = SOTTO_DOOR_FETCH, .stream = STREAM}},
    {"an upstream's piece", {.kind = SOTTO_DOOR_CHUNK, .stream = STREAM}},
    {"a setup", {.kind = SOTTO_DOOR_SETUP}},
    {"no stream", {.kind = SOTTO_DOOR_PAUSE}},
    {"a stream without a count", {.kind = SOTTO_DOOR_PAUSE, .stream = 3}},
    {"a stream too far", {.kind = SOTTO_DOOR_PAUSE, .stream = STREAM | SOTTO_DOOR_STREAMS_MAX}},
    {"a request without a head", {.kind = SOTTO_DOOR_OPEN, .stream = STREAM}},
    {"a negative age",
     {.kind = SOTTO_DOOR_OPEN, .stream = STREAM, .arg = -1, .head = {(const uint8_t *)"x", 1}}},
    {"flags of an answer",
     {.kind = SOTTO_DOOR_OPEN,
      .flags = SOTTO_DOOR_LAST,
      .stream = STREAM,
      .head = {(const uint8_t *)"x", 1}}},
    {"a pause with a body",
     {.kind = SOTTO_DOOR_PAUSE, .stream = STREAM, .body = {(const uint8_t *)"x", 1}}},
    {"no reason", {.kind = SOTTO_DOOR_CLOSE, .stream = STREAM, .arg = 1000}},
    {"readiness about a stream", {.kind = SOTTO_DOOR_READY, .stream = STREAM}},
};

static void rules_hold(void)
{
    struct sotto_door_rules rules = sotto_door_rules_front(3);
    for (size_t i = 0; i < SOTTO_COUNT(bad_of_front); i++) {
        struct sotto_door_msg got = {0};
        size_t need = 99;
        struct sotto_buf out = encoded(&bad_of_front[i].msg);
        IS_INT(sotto_door_decode(sotto_buf_span(&out), &rules, &got, &need), SOTTO_EFORMAT,
               "the front may not say: %s", bad_of_front[i].what);
        OK(need == 99 && got.stream == 0, "and nothing of it is used");
        sotto_buf_free(&out);
    }
    struct sotto_door_msg got = {0};
    size_t need = 0;
    struct sotto_buf out = encoded(&open_msg); /* a body of 4 */
    IS_INT(sotto_door_decode(sotto_span_init(out.base, SOTTO_DOOR_HEAD_BYTES), &rules, &got, &need),
           SOTTO_EFORMAT, "a body that is too long is refused before it is read");
    sotto_buf_free(&out);
}

static void others_have_theirs(void)
{
    struct sotto_door_rules back = sotto_door_rules_back(), vault = sotto_door_rules_vault();
    struct sotto_door_msg got = {0};
    size_t need = 0;
    struct sotto_buf out = encoded(&open_msg);
    IS_INT(sotto_door_decode(sotto_buf_span(&out), &back, &got, &need), SOTTO_EFORMAT,
           "the back opens no requests");
    IS_INT(sotto_door_decode(sotto_buf_span(&out), &vault, &got, &need), SOTTO_EFORMAT,
           "nor does the vault");
    sotto_buf_free(&out);
    const struct sotto_door_msg chunk = {
        .kind = SOTTO_DOOR_CHUNK, .stream = STREAM, .arg = 200, .head = open_msg.head};
    out = encoded(&chunk);
    IS_INT(sotto_door_decode(sotto_buf_span(&out), &back, &got, &need), SOTTO_OK,
           "the back says what an upstream answers");
    sotto_buf_free(&out);
    const struct sotto_door_msg fetch = {
        .kind = SOTTO_DOOR_FETCH, .flags = UINT32_MAX, .stream = STREAM, .body = open_msg.body};
    out = encoded(&fetch);
    IS_INT(sotto_door_decode(sotto_buf_span(&out), &vault, &got, &need), SOTTO_OK,
           "the flags of a fetch are the number of a setup");
    sotto_buf_free(&out);
}

static void without_memory(void)
{
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    sotto_alloc_set_fault(1);
    IS_INT(sotto_door_encode(&out, &open_msg), SOTTO_ENOMEM, "without memory nothing is written");
    sotto_alloc_set_fault(0);
    IS_SIZE(out.len, 0, "not even a part");
    sotto_buf_free(&out);
}

int main(void)
{
    comes_back();
    rules_hold();
    others_have_theirs();
    without_memory();
    return done_testing();
}
