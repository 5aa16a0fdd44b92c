/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/room_catalog.h"

#include "base/alloc.h"
#include "sys/clock.h"
#include "upstream/reply.h"

/* Whether a pattern leads to this upstream, so that its names are not in the configuration. */
static bool is_behind_pattern(const struct sotto_config *c, size_t upstream)
{
    for (size_t i = 0; i < c->model_count; i++) {
        if (c->models[i].upstream == upstream &&
            sotto_span_ends(c->models[i].name, SOTTO_LIT("*"))) {
            return true;
        }
    }
    return false;
}

/* Only the newest setup's lists are kept; a request that began before a reload does without. */
static bool has_catalogs(struct room_stream *s)
{
    struct sotto_room *room = s->room;
    if (s->setup != room->setup) {
        return false;
    }
    if (room->catalogs == NULL) {
        room->catalogs = sotto_calloc(s->setup->config->upstream_count, sizeof(*room->catalogs));
    }
    return room->catalogs != NULL;
}

static bool must_ask(const struct room_stream *s, size_t upstream)
{
    const struct sotto_provider *provider = s->setup->upstreams[upstream].provider;
    return provider != NULL && provider->models != NULL &&
           s->room->catalogs[upstream].until_ms <= sotto_clock_ms() &&
           is_behind_pattern(s->setup->config, upstream);
}

/* Replaces what is known about an upstream. */
static void keep(struct room_stream *s, yyjson_mut_doc *doc)
{
    struct room_catalog *catalog;
    size_t upstream = s->catalog_at++;
    s->state = ROOM_MASKING;
    sotto_buf_truncate(&s->answer, 0);
    room_list_remove(s);
    if (!has_catalogs(s)) { /* a reload came between */
        sotto_json_free(doc);
        return;
    }
    catalog = &s->room->catalogs[upstream];
    sotto_json_free(catalog->doc);
    catalog->doc = doc;
    catalog->until_ms =
        sotto_clock_ms() + (doc != NULL ? ROOM_CATALOG_KEEP_MS : ROOM_CATALOG_SHUN_MS);
}

static void fetch(struct room_stream *s)
{
    struct sotto_door_msg msg = {
        .kind = SOTTO_DOOR_FETCH,
        .flags = s->setup->number,
        .stream = s->id,
        .arg = (int64_t)s->catalog_at,
        .body = sotto_buf_span(&s->request),
    };
    s->state = ROOM_LISTING;
    s->upstream_status = 0;
    s->upstream = &s->setup->upstreams[s->catalog_at];
    s->last_sent_ms = sotto_clock_ms();
    room_list_add(&s->room->listing, s);
    sotto_door_put(&s->room->options.back, &msg);
    sotto_buf_truncate(&s->request, 0);
}

bool room_catalog_ask(struct room_stream *s)
{
    if (!has_catalogs(s)) {
        return false;
    }
    for (; s->catalog_at < s->setup->config->upstream_count; s->catalog_at++) {
        const struct sotto_setup_upstream *up = &s->setup->upstreams[s->catalog_at];
        if (must_ask(s, s->catalog_at) &&
            up->provider->models(&up->wire, &s->request) == SOTTO_OK) {
            fetch(s);
            return true;
        }
    }
    return false;
}

/* {"data": [...]}, as the providers write it; anything else is no list. */
static yyjson_mut_doc *read_list(sotto_span body)
{
    yyjson_mut_doc *doc = NULL;
    if (sotto_json_read(body, SOTTO_REPLY_DEPTH, &doc, NULL) != SOTTO_OK) {
        return NULL;
    }
    if (!yyjson_mut_is_arr(sotto_json_get(yyjson_mut_doc_get_root(doc), "data"))) {
        sotto_json_free(doc);
        return NULL;
    }
    return doc;
}

static void hang_up(struct room_stream *s)
{
    struct sotto_door_msg msg = {.kind = SOTTO_DOOR_CLOSE, .stream = s->id, .arg = SOTTO_ECLOSED};
    sotto_door_put(&s->room->options.back, &msg);
}

bool room_catalog_answer(struct room_stream *s, const struct sotto_door_msg *msg)
{
    SOTTO_UNINIT struct sotto_http_head head;
    bool last = (msg->flags & SOTTO_DOOR_LAST) != 0;
    if (msg->head.len != 0) {
        bool readable = sotto_http_head_index(msg->head, false, &head) == SOTTO_OK;
        s->upstream_status = readable ? head.status : 0;
    }
    if (s->upstream_status != 200 || msg->body.len > ROOM_CATALOG_BYTES - s->answer.len ||
        sotto_buf_append(&s->answer, msg->body) != SOTTO_OK) {
        if (!last) {
            hang_up(s);
        }
        room_catalog_fail(s);
        return true;
    }
    if (last) {
        keep(s, read_list(sotto_buf_span(&s->answer)));
    }
    return last;
}

void room_catalog_fail(struct room_stream *s)
{
    keep(s, NULL);
}

void room_catalog_give_up(struct room_stream *s)
{
    hang_up(s);
    room_catalog_fail(s);
}

yyjson_mut_val *room_catalog_names(const struct room_stream *s, size_t upstream)
{
    const struct sotto_room *room = s->room;
    if (s->setup != room->setup || room->catalogs == NULL || room->catalogs[upstream].doc == NULL) {
        return NULL;
    }
    return sotto_json_get(yyjson_mut_doc_get_root(room->catalogs[upstream].doc), "data");
}

void room_catalog_clear(struct sotto_room *room)
{
    if (room->catalogs != NULL) {
        for (size_t i = 0; i < room->setup->config->upstream_count; i++) {
            sotto_json_free(room->catalogs[i].doc);
        }
    }
    sotto_free(room->catalogs);
    room->catalogs = NULL;
}
