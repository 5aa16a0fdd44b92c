/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/room_mirror.h"

#include "sys/clock.h"
#include "upstream/mirror.h"
#include "vault/token.h"

static void mirror_whole(struct room_stream *s, const struct sotto_mirror_options *options)
{
    yyjson_mut_doc *answer = NULL;
    enum sotto_err err = sotto_mirror_answer(&s->call, options, &answer);
    if (err != SOTTO_OK) {
        room_refuse(s, err);
        return;
    }
    room_whole(s, answer);
    sotto_json_free(answer);
}

/* Each chunk goes out by itself, as from a provider. */
static void mirror_stream(struct room_stream *s, const struct sotto_mirror_options *options)
{
    struct sotto_mirror_stream *mirror = NULL;
    yyjson_mut_doc *chunk = NULL;
    enum sotto_err err = sotto_mirror_stream_new(&s->call, options, &mirror);
    do {
        if (err == SOTTO_OK) {
            err = sotto_mirror_stream_next(mirror, &chunk);
        }
        if (err == SOTTO_OK && chunk != NULL) {
            err = room_emit(s, chunk);
            room_reply_more(s, sotto_buf_span(&s->out), 0);
            sotto_buf_truncate(&s->out, 0);
        }
    } while (err == SOTTO_OK && chunk != NULL && s->state < ROOM_COMMITTING);
    sotto_mirror_stream_free(mirror);

    if (s->state >= ROOM_COMMITTING) {
        return;
    }
    if (err != SOTTO_OK) {
        room_refuse(s, err);
    } else {
        room_stream_done(s);
    }
}

void room_mirror(struct room_stream *s)
{
    struct sotto_mirror_options options = {
        .is_token = sotto_token_valid,
        .id = s->facts.id,
        .created_s = s->facts.created_s,
    };
    s->record.answered_us = sotto_clock_us();
    s->state = s->call.stream ? ROOM_STREAMING : ROOM_WHOLE;
    if (s->call.stream) {
        mirror_stream(s, &options);
    } else {
        mirror_whole(s, &options);
    }
}
