/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a room reads from a door.  Oracle: each message that is let in is one that the room on the
 * other side may say, stands whole inside the input, and is written back as the same bytes.
 */

#include <stdlib.h>
#include <string.h>

#include "gateway/door_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void check(const struct sotto_door_msg *msg, const struct sotto_door_rules *rules,
                  sotto_span bytes)
{
    struct sotto_buf again;
    must((rules->kinds & 1U << msg->kind) != 0);
    must(msg->head.len <= rules->head_max && msg->body.len <= rules->body_max);
    must((uint32_t)msg->stream < SOTTO_DOOR_STREAMS_MAX);
    must(SOTTO_DOOR_HEAD_BYTES + msg->head.len + msg->body.len == bytes.len);
    sotto_buf_init(&again, SOTTO_BUF_UNBOUNDED);
    must(sotto_door_encode(&again, msg) == SOTTO_OK);
    must(again.len == bytes.len && memcmp(again.base, bytes.base, bytes.len) == 0);
    sotto_buf_free(&again);
}

static void read_all(sotto_span in, const struct sotto_door_rules *rules)
{
    for (;;) {
        struct sotto_door_msg msg;
        size_t need = 0;
        if (sotto_door_decode(in, rules, &msg, &need) != SOTTO_OK || need > in.len) {
            return;
        }
        check(&msg, rules, sotto_span_init(in.base, need));
        in = sotto_span_skip(in, need);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sotto_door_rules all[] = {
        sotto_door_rules_front(4096),
        sotto_door_rules_vault(),
        sotto_door_rules_back(),
    };
    for (size_t i = 0; i < SOTTO_COUNT(all); i++) {
        read_all(sotto_span_init(data, size), &all[i]);
    }
    return 0;
}
