/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/door_codec.h"

#include <string.h>

/* Longest head that passes: of a request 64 KiB and its line, of an answer as much. */
#define CODEC_HEAD_MAX ((size_t)1 << 20)
/* A piece of an upstream's answer is what one read gave; a whole answer has its own limit. */
#define CODEC_CHUNK_MAX ((size_t)1 << 20)
#define CODEC_BODY_MAX  ((size_t)1 << 30)

#define BIT(kind) (1U << (kind))

/* The head of a message as it lies in memory. */
struct codec_head {
    uint32_t kind;
    uint32_t flags;
    uint64_t stream;
    int64_t arg;
    uint32_t head_len;
    uint32_t body_len;
};
_Static_assert(sizeof(struct codec_head) == SOTTO_DOOR_HEAD_BYTES, "no padding");

struct sotto_door_rules sotto_door_rules_front(size_t body_max)
{
    return (struct sotto_door_rules){
        .kinds = BIT(SOTTO_DOOR_OPEN) | BIT(SOTTO_DOOR_PAUSE) | BIT(SOTTO_DOOR_RESUME) |
                 BIT(SOTTO_DOOR_CLOSE) | BIT(SOTTO_DOOR_READY),
        .flags = SOTTO_DOOR_TLS | SOTTO_DOOR_LOOPBACK | SOTTO_DOOR_ADMIN,
        .head_max = CODEC_HEAD_MAX,
        .body_max = body_max,
    };
}

struct sotto_door_rules sotto_door_rules_vault(void)
{
    return (struct sotto_door_rules){
        .kinds = BIT(SOTTO_DOOR_FETCH) | BIT(SOTTO_DOOR_REPLY) | BIT(SOTTO_DOOR_PAUSE) |
                 BIT(SOTTO_DOOR_RESUME) | BIT(SOTTO_DOOR_CLOSE) | BIT(SOTTO_DOOR_SETUP) |
                 BIT(SOTTO_DOOR_DRAIN),
        .flags = SOTTO_DOOR_LAST | SOTTO_DOOR_STREAM,
        .head_max = CODEC_HEAD_MAX,
        .body_max = CODEC_BODY_MAX,
    };
}

struct sotto_door_rules sotto_door_rules_back(void)
{
    return (struct sotto_door_rules){
        .kinds = BIT(SOTTO_DOOR_CHUNK) | BIT(SOTTO_DOOR_CLOSE) | BIT(SOTTO_DOOR_READY),
        .flags = SOTTO_DOOR_LAST,
        .head_max = CODEC_HEAD_MAX,
        .body_max = CODEC_CHUNK_MAX,
    };
}

enum sotto_err sotto_door_encode(struct sotto_buf *out, const struct sotto_door_msg *msg)
{
    if (msg->head.len > UINT32_MAX || msg->body.len > UINT32_MAX) {
        return SOTTO_ELIMIT;
    }
    const struct codec_head head = {
        .kind = (uint32_t)msg->kind,
        .flags = msg->flags,
        .stream = msg->stream,
        .arg = msg->arg,
        .head_len = (uint32_t)msg->head.len,
        .body_len = (uint32_t)msg->body.len,
    };
    enum sotto_err err = sotto_buf_reserve(out, sizeof(head) + msg->head.len + msg->body.len);
    if (err == SOTTO_OK) {
        uint8_t bytes[sizeof(head)];
        memcpy(bytes, &head, sizeof(head));
        sotto_ignore(sotto_buf_append(out, sotto_span_init(bytes, sizeof(bytes)))); /* reserved */
        sotto_ignore(sotto_buf_append(out, msg->head));
        sotto_ignore(sotto_buf_append(out, msg->body));
    }
    return err;
}

static bool is_error(int64_t arg)
{
    return arg >= SOTTO_OK && arg <= SOTTO_ETIMEOUT;
}

/* What each kind may bear beside its stream. */
static bool is_meaningful(const struct codec_head *h)
{
    bool bare = h->head_len == 0 && h->body_len == 0;
    switch ((enum sotto_door_kind)h->kind) {
    case SOTTO_DOOR_OPEN:
        return h->arg >= 0 && h->head_len != 0;
    case SOTTO_DOOR_FETCH:
        return h->arg >= 0 && h->arg < UINT16_MAX && h->head_len == 0;
    case SOTTO_DOOR_CHUNK:
        return h->arg == 0 || (h->arg >= 100 && h->arg <= 999 && h->head_len != 0);
    case SOTTO_DOOR_REPLY:
        return h->arg == 0 || (h->arg >= 100 && h->arg <= 999);
    case SOTTO_DOOR_PAUSE:
    case SOTTO_DOOR_RESUME:
        return bare && h->flags == 0;
    case SOTTO_DOOR_CLOSE:
        return bare && h->flags == 0 && is_error(h->arg);
    case SOTTO_DOOR_SETUP:
        return h->flags == 0 && h->arg >= 0 && h->arg <= UINT32_MAX && h->head_len == 0;
    case SOTTO_DOOR_READY:
        return h->flags == 0 && is_error(h->arg) && h->head_len == 0 && h->body_len <= 64;
    case SOTTO_DOOR_DRAIN:
        return bare && h->flags == 0;
    }
    return false;
}

static bool is_allowed(const struct codec_head *h, const struct sotto_door_rules *rules)
{
    if (h->kind >= SOTTO_DOOR_KINDS || (rules->kinds & BIT(h->kind)) == 0 ||
        h->head_len > rules->head_max || h->body_len > rules->body_max || !is_meaningful(h)) {
        return false;
    }
    if (h->kind == SOTTO_DOOR_SETUP || h->kind == SOTTO_DOOR_READY || h->kind == SOTTO_DOOR_DRAIN) {
        return h->stream == 0;
    }
    return h->stream >> 32 != 0 && (uint32_t)h->stream < SOTTO_DOOR_STREAMS_MAX &&
           (h->kind == SOTTO_DOOR_FETCH || (h->flags & ~rules->flags) == 0);
}

enum sotto_err sotto_door_decode(sotto_span in, const struct sotto_door_rules *rules,
                                 struct sotto_door_msg *msg, size_t *need)
{
    struct codec_head head;
    if (in.len < sizeof(head)) {
        *need = sizeof(head);
        return SOTTO_OK;
    }
    memcpy(&head, in.base, sizeof(head));
    if (!is_allowed(&head, rules)) {
        return SOTTO_EFORMAT;
    }
    size_t whole = sizeof(head) + head.head_len + head.body_len;
    *need = whole;
    if (whole <= in.len) {
        const uint8_t *at = in.base + sizeof(head);
        *msg = (struct sotto_door_msg){
            .kind = (enum sotto_door_kind)head.kind,
            .flags = head.flags,
            .stream = head.stream,
            .arg = head.arg,
            .head = sotto_span_init(at, head.head_len),
            .body = sotto_span_init(at + head.head_len, head.body_len),
        };
    }
    return SOTTO_OK;
}
