/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Replies of a store.  Oracle: what is read of a part is what is read of the whole, views stand
 * inside the input, and a list of byte strings written back as a command is read as the same list.
 */

#include <stdlib.h>
#include <string.h>

#include "fleet/resp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void check_inside(const struct sotto_resp_value *v, const uint8_t *data, size_t used)
{
    if (v->text.len != 0) {
        must(v->text.base >= data && v->text.base + v->text.len <= data + used);
    }
}

static void write_back(const struct sotto_resp_reply *reply)
{
    sotto_span words[SOTTO_RESP_ITEMS_MAX];
    struct sotto_resp_reply again;
    struct sotto_buf out;
    size_t used = 0;
    for (size_t i = 0; i < reply->count; i++) {
        words[i] = reply->items[i].text;
    }
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    must(sotto_resp_write(words, reply->count, &out) == SOTTO_OK);
    must(sotto_resp_read(sotto_buf_span(&out), &again, &used) == SOTTO_OK && used == out.len);
    must(again.count == reply->count);
    for (size_t i = 0; i < reply->count; i++) {
        must(sotto_span_eq(again.items[i].text, words[i]));
    }
    sotto_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sotto_resp_reply reply;
    size_t used = 0, part_used = 0;
    if (sotto_resp_read(sotto_span_init(data, size), &reply, &used) != SOTTO_OK || used == 0) {
        return 0;
    }
    must(used <= size && reply.count <= SOTTO_RESP_ITEMS_MAX);
    check_inside(&reply.value, data, used);
    for (size_t i = 0; i < reply.count; i++) {
        check_inside(&reply.items[i], data, used);
    }
    if (reply.value.kind == SOTTO_RESP_LIST) {
        write_back(&reply);
    }
    enum sotto_resp_kind kind = reply.value.kind;
    for (size_t i = 0; i < used; i++) {
        must(sotto_resp_read(sotto_span_init(data, i), &reply, &part_used) == SOTTO_OK &&
             part_used == 0);
    }
    must(sotto_resp_read(sotto_span_init(data, used), &reply, &part_used) == SOTTO_OK);
    must(part_used == used && reply.value.kind == kind);
    return 0;
}
