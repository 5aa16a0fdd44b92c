/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/mirror.h"

#include <stdio.h>

#include "base/alloc.h"
#include "upstream/mirror_plan.h"
#include "upstream/mirror_vector.h"

#define MIRROR_FINGERPRINT "sotto-mirror"

/* Arguments of tool calls come in fragments of about so many bytes. */
#define MIRROR_FRAGMENT 6

/* Every word is this likely. */
#define MIRROR_LOGPROB (-0.25)

/* What all documents of an answer begin with. */
struct mirror_head {
    sotto_span id, model;
    int64_t created_s;
};

static enum sotto_err begin(yyjson_mut_doc *doc, yyjson_mut_val *root, const char *object,
                            const struct mirror_head *head)
{
    enum sotto_err err;
    if ((err = sotto_json_put_text(doc, root, "id", head->id)) != SOTTO_OK ||
        (err = sotto_json_put_text(doc, root, "object", sotto_span_str(object))) != SOTTO_OK ||
        (err = sotto_json_put_int(doc, root, "created", head->created_s)) != SOTTO_OK ||
        (err = sotto_json_put_text(doc, root, "model", head->model)) != SOTTO_OK) {
        return err;
    }
    return sotto_json_put_text(doc, root, "system_fingerprint", SOTTO_LIT(MIRROR_FINGERPRINT));
}

static enum sotto_err put_usage(yyjson_mut_doc *doc, yyjson_mut_val *root,
                                const struct sotto_mirror_plan *plan)
{
    int64_t prompt = plan->prompt_words, answer = plan->answer_words;
    yyjson_mut_val *usage = yyjson_mut_obj(doc);
    enum sotto_err err;
    if ((err = sotto_json_put_int(doc, usage, "prompt_tokens", prompt)) != SOTTO_OK ||
        (err = sotto_json_put_int(doc, usage, "completion_tokens", answer)) != SOTTO_OK ||
        (err = sotto_json_put_int(doc, usage, "total_tokens", prompt + answer)) != SOTTO_OK) {
        return err;
    }
    return sotto_json_put(doc, root, "usage", usage);
}

/* {"token", "logprob", "bytes"}, with itself as the only alternative where those are wanted. */
static yyjson_mut_val *logprob_of(yyjson_mut_doc *doc, sotto_span word, bool top)
{
    yyjson_mut_val *entry = yyjson_mut_obj(doc), *bytes = yyjson_mut_arr(doc);
    for (size_t i = 0; i < word.len; i++) {
        if (!yyjson_mut_arr_add_uint(doc, bytes, word.base[i])) {
            return NULL;
        }
    }
    if (sotto_json_put_text(doc, entry, "token", word) != SOTTO_OK ||
        sotto_json_put(doc, entry, "logprob", yyjson_mut_real(doc, MIRROR_LOGPROB)) != SOTTO_OK ||
        sotto_json_put(doc, entry, "bytes", bytes) != SOTTO_OK) {
        return NULL;
    }
    if (top) {
        yyjson_mut_val *list = yyjson_mut_arr(doc);
        if (!yyjson_mut_arr_append(list, yyjson_mut_val_mut_copy(doc, entry)) ||
            sotto_json_put(doc, entry, "top_logprobs", list) != SOTTO_OK) {
            return NULL;
        }
    } else if (sotto_json_put(doc, entry, "top_logprobs", yyjson_mut_arr(doc)) != SOTTO_OK) {
        return NULL;
    }
    return entry;
}

/* The member `logprobs` of a choice that says `text`; null where they were not asked for. */
static enum sotto_err put_logprobs(yyjson_mut_doc *doc, yyjson_mut_val *choice,
                                   const struct sotto_mirror_plan *plan, sotto_span text)
{
    if (!plan->logprobs || text.len == 0) {
        return sotto_json_put(doc, choice, "logprobs", yyjson_mut_null(doc));
    }
    yyjson_mut_val *list = yyjson_mut_arr(doc), *made = yyjson_mut_obj(doc);
    while (text.len != 0) {
        sotto_span word = sotto_mirror_word(text);
        text = sotto_span_skip(text, word.len);
        if (!yyjson_mut_arr_append(list, logprob_of(doc, word, plan->top_logprobs))) {
            return SOTTO_ENOMEM;
        }
    }
    enum sotto_err err = sotto_json_put(doc, made, "content", list);
    if (err == SOTTO_OK) {
        err = sotto_json_put(doc, made, "refusal", yyjson_mut_null(doc));
    }
    return err == SOTTO_OK ? sotto_json_put(doc, choice, "logprobs", made) : err;
}

/* A tool call; `index` is -1 outside of streams. */
static yyjson_mut_val *new_call(yyjson_mut_doc *doc, const struct sotto_mirror_choice *choice,
                                size_t number, int64_t index, sotto_span arguments)
{
    yyjson_mut_val *call = yyjson_mut_obj(doc), *function = yyjson_mut_obj(doc);
    char id[40];
    (void)snprintf(id, sizeof(id), "call_mirror%zu", number + 1);
    if (call == NULL || (index >= 0 && sotto_json_put_int(doc, call, "index", index) != SOTTO_OK) ||
        sotto_json_put_text(doc, call, "id", sotto_span_str(id)) != SOTTO_OK ||
        sotto_json_put_text(doc, call, "type", SOTTO_LIT("function")) != SOTTO_OK ||
        sotto_json_put_text(doc, function, "name", sotto_buf_span(&choice->tool)) != SOTTO_OK ||
        sotto_json_put_text(doc, function, "arguments", arguments) != SOTTO_OK ||
        sotto_json_put(doc, call, "function", function) != SOTTO_OK) {
        return NULL;
    }
    return call;
}

static enum sotto_err put_calls(yyjson_mut_doc *doc, yyjson_mut_val *part, yyjson_mut_val *call)
{
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    return yyjson_mut_arr_append(list, call) ? sotto_json_put(doc, part, "tool_calls", list)
                                             : SOTTO_ENOMEM;
}

/* --- whole answers --------------------------------------------------------------------------- */

static yyjson_mut_val *message_of(yyjson_mut_doc *doc, const struct sotto_mirror_choice *choice,
                                  size_t number)
{
    yyjson_mut_val *message = yyjson_mut_obj(doc);
    sotto_span text = sotto_buf_span(&choice->text);
    bool called = choice->tool.len != 0;
    if (sotto_json_put_text(doc, message, "role", SOTTO_LIT("assistant")) != SOTTO_OK ||
        sotto_json_put(doc, message, "content",
                       called ? yyjson_mut_null(doc) : sotto_json_str(doc, text)) != SOTTO_OK ||
        sotto_json_put(doc, message, "refusal", yyjson_mut_null(doc)) != SOTTO_OK ||
        (called && put_calls(doc, message, new_call(doc, choice, number, -1, text)) != SOTTO_OK)) {
        return NULL;
    }
    return message;
}

static yyjson_mut_val *whole_choice(yyjson_mut_doc *doc, const struct sotto_mirror_plan *plan,
                                    size_t number)
{
    const struct sotto_mirror_choice *planned = &plan->choices[number];
    yyjson_mut_val *choice = yyjson_mut_obj(doc);
    sotto_span said =
        planned->tool.len != 0 ? sotto_span_init(NULL, 0) : sotto_buf_span(&planned->text);
    if (sotto_json_put_int(doc, choice, "index", (int64_t)number) != SOTTO_OK ||
        sotto_json_put(doc, choice, "message", message_of(doc, planned, number)) != SOTTO_OK ||
        put_logprobs(doc, choice, plan, said) != SOTTO_OK ||
        sotto_json_put_text(doc, choice, "finish_reason", sotto_span_str(planned->finish)) !=
            SOTTO_OK) {
        return NULL;
    }
    return choice;
}

static enum sotto_err fill_answer(yyjson_mut_doc *doc, const struct mirror_head *head,
                                  const struct sotto_mirror_plan *plan)
{
    yyjson_mut_val *root = yyjson_mut_obj(doc), *choices = yyjson_mut_arr(doc);
    enum sotto_err err = begin(doc, root, "chat.completion", head);
    for (size_t i = 0; i < plan->count && err == SOTTO_OK; i++) {
        err = yyjson_mut_arr_append(choices, whole_choice(doc, plan, i)) ? SOTTO_OK : SOTTO_ENOMEM;
    }
    if (err == SOTTO_OK) {
        err = sotto_json_put(doc, root, "choices", choices);
    }
    yyjson_mut_doc_set_root(doc, root);
    return err == SOTTO_OK ? put_usage(doc, root, plan) : err;
}

enum sotto_err sotto_mirror_answer(const struct sotto_call *call,
                                   const struct sotto_mirror_options *options,
                                   yyjson_mut_doc **answer)
{
    if (call->kind == SOTTO_CALL_EMBEDDINGS) {
        return sotto_mirror_vectors(call, answer);
    }
    const struct mirror_head head = {options->id, call->model, options->created_s};
    struct sotto_mirror_plan plan;
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_mirror_plan(call, options->is_token, &plan);
    if (err == SOTTO_OK) {
        doc = sotto_json_new();
        err = doc != NULL ? fill_answer(doc, &head, &plan) : SOTTO_ENOMEM;
    }
    sotto_mirror_plan_free(&plan);
    if (err != SOTTO_OK) {
        sotto_json_free(doc);
        return err;
    }
    *answer = doc;
    return SOTTO_OK;
}

/* --- streams --------------------------------------------------------------------------------- */

/* How far a choice is. */
enum mirror_step {
    MIRROR_ROLE,
    MIRROR_TEXT,
    MIRROR_OVER,
};

struct mirror_cursor {
    enum mirror_step step;
    size_t at; /* in the choice's text */
};

struct sotto_mirror_stream {
    struct sotto_arena arena;
    struct mirror_head head; /* in the arena */
    struct sotto_mirror_plan plan;
    struct mirror_cursor *cursors; /* one a choice, in the arena */
    size_t turn;                   /* the choice that speaks next */
    size_t over_count;
    bool usage_sent;
};

/* The next piece of a text: a word, or a fragment that ends between characters. */
static sotto_span next_piece(const struct sotto_mirror_choice *choice, size_t at)
{
    sotto_span rest = sotto_span_skip(sotto_buf_span(&choice->text), at);
    if (choice->tool.len == 0) {
        return sotto_mirror_word(rest);
    }
    size_t len = rest.len < MIRROR_FRAGMENT ? rest.len : MIRROR_FRAGMENT;
    while (len < rest.len && (rest.base[len] & 0xC0U) == 0x80U) {
        len++;
    }
    return sotto_span_init(rest.base, len);
}

static enum sotto_err fill_role(yyjson_mut_doc *doc, yyjson_mut_val *delta,
                                const struct sotto_mirror_choice *choice, size_t number)
{
    bool called = choice->tool.len != 0;
    enum sotto_err err = sotto_json_put_text(doc, delta, "role", SOTTO_LIT("assistant"));
    if (err == SOTTO_OK) {
        err = sotto_json_put(doc, delta, "content",
                             called ? yyjson_mut_null(doc) : sotto_json_str(doc, SOTTO_LIT("")));
    }
    return err == SOTTO_OK && called
               ? put_calls(doc, delta, new_call(doc, choice, number, 0, SOTTO_LIT("")))
               : err;
}

static enum sotto_err fill_piece(yyjson_mut_doc *doc, yyjson_mut_val *delta,
                                 const struct sotto_mirror_choice *choice, sotto_span piece)
{
    if (choice->tool.len == 0) {
        return sotto_json_put_text(doc, delta, "content", piece);
    }
    yyjson_mut_val *call = yyjson_mut_obj(doc), *function = yyjson_mut_obj(doc);
    enum sotto_err err;
    if ((err = sotto_json_put_int(doc, call, "index", 0)) != SOTTO_OK ||
        (err = sotto_json_put_text(doc, function, "arguments", piece)) != SOTTO_OK ||
        (err = sotto_json_put(doc, call, "function", function)) != SOTTO_OK) {
        return err;
    }
    return put_calls(doc, delta, call);
}

/* One step of choice `number`: its role, a piece, or its end. */
static yyjson_mut_val *step_choice(struct sotto_mirror_stream *stream, yyjson_mut_doc *doc,
                                   size_t number, struct mirror_cursor *cursor)
{
    const struct sotto_mirror_choice *planned = &stream->plan.choices[number];
    yyjson_mut_val *choice = yyjson_mut_obj(doc), *delta = yyjson_mut_obj(doc);
    yyjson_mut_val *finish = yyjson_mut_null(doc);
    sotto_span said = {NULL, 0};
    enum sotto_err err = choice != NULL && delta != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    if (err == SOTTO_OK && cursor->step == MIRROR_ROLE) {
        err = fill_role(doc, delta, planned, number);
        cursor->step = MIRROR_TEXT;
    } else if (err == SOTTO_OK && cursor->at < planned->text.len) {
        sotto_span piece = next_piece(planned, cursor->at);
        err = fill_piece(doc, delta, planned, piece);
        cursor->at += piece.len;
        said = planned->tool.len == 0 ? piece : said;
    } else {
        finish = sotto_json_str(doc, sotto_span_str(planned->finish));
        cursor->step = MIRROR_OVER;
    }
    if (err != SOTTO_OK || sotto_json_put_int(doc, choice, "index", (int64_t)number) != SOTTO_OK ||
        sotto_json_put(doc, choice, "delta", delta) != SOTTO_OK ||
        put_logprobs(doc, choice, &stream->plan, said) != SOTTO_OK ||
        sotto_json_put(doc, choice, "finish_reason", finish) != SOTTO_OK) {
        return NULL;
    }
    return choice;
}

/* The choices speak in turn; those that are over are passed. */
static enum sotto_err fill_chunk(struct sotto_mirror_stream *stream, yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_obj(doc), *choices = yyjson_mut_arr(doc);
    enum sotto_err err = begin(doc, root, "chat.completion.chunk", &stream->head);
    yyjson_mut_doc_set_root(doc, root);
    if (err == SOTTO_OK) {
        err = sotto_json_put(doc, root, "choices", choices);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    if (stream->over_count == stream->plan.count) {
        stream->usage_sent = true;
        return put_usage(doc, root, &stream->plan);
    }
    while (stream->cursors[stream->turn].step == MIRROR_OVER) {
        stream->turn = (stream->turn + 1) % stream->plan.count;
    }
    struct mirror_cursor *cursor = &stream->cursors[stream->turn];
    yyjson_mut_val *choice = step_choice(stream, doc, stream->turn, cursor);
    stream->over_count += cursor->step == MIRROR_OVER ? 1 : 0;
    stream->turn = (stream->turn + 1) % stream->plan.count;
    return yyjson_mut_arr_append(choices, choice) ? SOTTO_OK : SOTTO_ENOMEM;
}

enum sotto_err sotto_mirror_stream_new(const struct sotto_call *call,
                                       const struct sotto_mirror_options *options,
                                       struct sotto_mirror_stream **out)
{
    struct sotto_mirror_stream *stream = sotto_calloc(1, sizeof(*stream));
    if (stream == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err;
    if ((err = sotto_mirror_plan(call, options->is_token, &stream->plan)) == SOTTO_OK &&
        (err = sotto_arena_copy(&stream->arena, options->id, &stream->head.id)) == SOTTO_OK) {
        err = sotto_arena_copy(&stream->arena, call->model, &stream->head.model);
    }
    if (err == SOTTO_OK) {
        stream->cursors =
            sotto_arena_calloc(&stream->arena, stream->plan.count, sizeof(*stream->cursors));
        err = stream->cursors != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    }
    if (err != SOTTO_OK) {
        sotto_mirror_stream_free(stream);
        return err;
    }
    stream->head.created_s = options->created_s;
    *out = stream;
    return SOTTO_OK;
}

enum sotto_err sotto_mirror_stream_next(struct sotto_mirror_stream *stream, yyjson_mut_doc **chunk)
{
    if (stream->usage_sent) {
        *chunk = NULL;
        return SOTTO_OK;
    }
    yyjson_mut_doc *doc = sotto_json_new();
    enum sotto_err err = doc != NULL ? fill_chunk(stream, doc) : SOTTO_ENOMEM;
    if (err != SOTTO_OK) {
        sotto_json_free(doc);
        return err;
    }
    *chunk = doc;
    return SOTTO_OK;
}

void sotto_mirror_stream_free(struct sotto_mirror_stream *stream)
{
    if (stream != NULL) {
        sotto_mirror_plan_free(&stream->plan);
        sotto_arena_free(&stream->arena);
        sotto_free(stream);
    }
}
