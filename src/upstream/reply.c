/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/reply.h"

#include "base/alloc.h"
#include "upstream/failure.h"

/* Most choices and most tool calls of a choice that are kept apart. */
#define REPLY_CHOICES_MAX 128
#define REPLY_CALLS_MAX   128

/* A tool call of a choice, in the order in which they began. */
struct reply_tool {
    int64_t choice;
    int64_t said;  /* the index that the upstream gave it */
    int64_t index; /* its place among the calls of its choice */
    sotto_span id; /* in the arena; empty: none was given */
    struct reply_tool *older;
};

struct sotto_provider_stream {
    const struct sotto_call *call;
    const struct sotto_reply_ways *ways;
    struct sotto_arena arena;
    bool finished[REPLY_CHOICES_MAX];
    int finished_count;
    size_t tool_count;
    struct reply_tool *newest; /* in the arena */
};

enum sotto_err sotto_reply_garbage(struct sotto_problem *problem)
{
    sotto_problem_set(problem, 502, "server_error", "upstream_invalid_response", NULL,
                      "The upstream's answer cannot be understood.");
    return SOTTO_EUPSTREAM;
}

/* --- whole answers --------------------------------------------------------------------------- */

enum sotto_err sotto_reply_answer(const struct sotto_call *call, sotto_span body,
                                  yyjson_mut_doc **answer, struct sotto_problem *problem)
{
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_json_read(body, SOTTO_REPLY_DEPTH, &doc, NULL);
    if (err == SOTTO_EFORMAT) {
        return sotto_reply_garbage(problem);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    const char *list = call->kind == SOTTO_CALL_EMBEDDINGS ? "data" : "choices";
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (sotto_failure_is(root) || !yyjson_mut_is_arr(sotto_json_get(root, list))) {
        sotto_json_free(doc);
        return sotto_reply_garbage(problem);
    }
    *answer = doc;
    return SOTTO_OK;
}

/* --- tool calls of a stream ------------------------------------------------------------------ */

static int64_t calls_of(const struct sotto_provider_stream *stream, int64_t choice)
{
    int64_t count = 0;
    for (const struct reply_tool *tool = stream->newest; tool != NULL; tool = tool->older) {
        count += tool->choice == choice ? 1 : 0;
    }
    return count;
}

/* The newest call of the choice to which a fragment may belong; NULL: it begins another. */
static const struct reply_tool *find_tool(const struct sotto_provider_stream *stream,
                                          int64_t choice, const int64_t *said, sotto_span id)
{
    for (const struct reply_tool *tool = stream->newest; tool != NULL; tool = tool->older) {
        bool same_place = said == NULL || tool->said == *said;
        bool same_id = id.len == 0 || tool->id.len == 0 || sotto_span_eq(tool->id, id);
        if (tool->choice == choice && same_place && same_id) {
            return tool;
        }
    }
    return NULL;
}

static enum sotto_err begin_tool(struct sotto_provider_stream *stream, int64_t choice,
                                 const int64_t *said, sotto_span id, const struct reply_tool **out)
{
    if (stream->tool_count == REPLY_CALLS_MAX) {
        return SOTTO_EUPSTREAM;
    }
    struct reply_tool *tool = sotto_arena_calloc(&stream->arena, 1, sizeof(*tool));
    if (tool == NULL || sotto_arena_copy(&stream->arena, id, &tool->id) != SOTTO_OK) {
        return SOTTO_ENOMEM;
    }
    tool->choice = choice;
    tool->index = calls_of(stream, choice);
    tool->said = said != NULL ? *said : tool->index;
    tool->older = stream->newest;
    stream->newest = tool;
    stream->tool_count++;
    *out = tool;
    return SOTTO_OK;
}

/* Clients add what comes to what they have: a null would wipe out a name that came before. */
static void drop_nulls(yyjson_mut_val *obj)
{
    static const char *const keys[] = {"id", "type", "name", "arguments"};
    for (size_t i = 0; i < SOTTO_COUNT(keys); i++) {
        if (yyjson_mut_is_null(sotto_json_get(obj, keys[i]))) {
            (void)yyjson_mut_obj_remove_key(obj, keys[i]);
        }
    }
}

/*
 * Gives each fragment the place of its call.  Some servers number all calls 0, or none; then a
 * new id begins a new call.
 */
static enum sotto_err place_tools(struct sotto_provider_stream *stream, yyjson_mut_doc *doc,
                                  int64_t choice, yyjson_mut_val *delta)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(sotto_json_get(delta, "tool_calls"));
    yyjson_mut_val *fragment;
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && (fragment = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        int64_t said;
        drop_nulls(fragment);
        drop_nulls(sotto_json_get(fragment, "function"));
        bool has_place = sotto_json_int(sotto_json_get(fragment, "index"), &said) == SOTTO_OK;
        sotto_span id = sotto_json_text(sotto_json_get(fragment, "id"));
        const struct reply_tool *tool = find_tool(stream, choice, has_place ? &said : NULL, id);
        if (tool == NULL) {
            err = begin_tool(stream, choice, has_place ? &said : NULL, id, &tool);
        }
        if (err == SOTTO_OK && (!has_place || said != tool->index)) {
            err = sotto_json_put_int(doc, fragment, "index", tool->index);
        }
    }
    return err;
}

/* --- chunks ---------------------------------------------------------------------------------- */

static void note_finish(struct sotto_provider_stream *stream, int64_t index, yyjson_mut_val *choice)
{
    bool counts = index >= 0 && index < REPLY_CHOICES_MAX && !stream->finished[index];
    if (counts && yyjson_mut_is_str(sotto_json_get(choice, "finish_reason"))) {
        stream->finished[index] = true;
        stream->finished_count++;
    }
}

static enum sotto_err read_choice(struct sotto_provider_stream *stream, yyjson_mut_doc *doc,
                                  yyjson_mut_val *choice)
{
    int64_t index = 0;
    enum sotto_err err = SOTTO_OK;
    if (!yyjson_mut_is_obj(choice)) {
        return SOTTO_EUPSTREAM;
    }
    if (sotto_json_int(sotto_json_get(choice, "index"), &index) != SOTTO_OK) {
        err = sotto_json_put_int(doc, choice, "index", index);
    }
    /* With asynchronous filters, Azure sends choices that only say what the filter found. */
    if (err == SOTTO_OK && !yyjson_mut_is_obj(sotto_json_get(choice, "delta"))) {
        err = sotto_json_put(doc, choice, "delta", yyjson_mut_obj(doc));
    }
    if (err == SOTTO_OK && stream->ways->edit != NULL) {
        err = stream->ways->edit(doc, choice, "delta");
    }
    if (err == SOTTO_OK) {
        err = place_tools(stream, doc, index, sotto_json_get(choice, "delta"));
    }
    note_finish(stream, index, choice);
    return err;
}

static enum sotto_err read_choices(struct sotto_provider_stream *stream, yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *choices = sotto_json_get(root, "choices"), *choice;
    enum sotto_err err = SOTTO_OK;
    if (choices == NULL || yyjson_mut_is_null(choices)) {
        err = sotto_json_put(doc, root, "choices", yyjson_mut_arr(doc));
    } else if (!yyjson_mut_is_arr(choices)) {
        return SOTTO_EUPSTREAM;
    }
    if (err == SOTTO_OK &&
        !sotto_json_is(sotto_json_get(root, "object"), "chat.completion.chunk")) {
        err = sotto_json_put_text(doc, root, "object", SOTTO_LIT("chat.completion.chunk"));
    }
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(choices);
    while (err == SOTTO_OK && (choice = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        err = read_choice(stream, doc, choice);
    }
    return err;
}

/* A chunk like `doc` that has its usage and no choices; `doc` loses its usage. */
static enum sotto_err take_usage(yyjson_mut_doc *doc, yyjson_mut_doc **out)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_doc *made = yyjson_mut_doc_mut_copy(doc, &sotto_json_alc);
    yyjson_mut_val *made_root = yyjson_mut_doc_get_root(made);
    (void)yyjson_mut_obj_remove_key(root, "usage");
    if (made == NULL ||
        sotto_json_put(made, made_root, "choices", yyjson_mut_arr(made)) != SOTTO_OK) {
        sotto_json_free(made);
        return SOTTO_ENOMEM;
    }
    *out = made;
    return SOTTO_OK;
}

/* Hands a chunk on, which is given away in any case. */
static enum sotto_err emit_chunk(const struct sotto_provider_stream *stream, yyjson_mut_doc *doc,
                                 sotto_provider_emit *emit, void *ctx)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    bool empty = yyjson_mut_arr_size(sotto_json_get(root, "choices")) == 0;
    bool usage = yyjson_mut_is_obj(sotto_json_get(root, "usage"));
    yyjson_mut_doc *second = NULL;
    if (empty && !usage && stream->ways->drops_empty_chunks) {
        sotto_json_free(doc);
        return SOTTO_OK;
    }
    if (usage && !empty && stream->ways->splits_usage && take_usage(doc, &second) != SOTTO_OK) {
        sotto_json_free(doc);
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = emit(ctx, doc);
    if (second == NULL) {
        return err;
    }
    if (err != SOTTO_OK) {
        sotto_json_free(second);
        return err;
    }
    return emit(ctx, second);
}

enum sotto_err sotto_reply_stream_new(const struct sotto_call *call,
                                      const struct sotto_reply_ways *ways,
                                      struct sotto_provider_stream **out)
{
    struct sotto_provider_stream *stream = sotto_calloc(1, sizeof(*stream));
    if (stream == NULL) {
        return SOTTO_ENOMEM;
    }
    stream->call = call;
    stream->ways = ways;
    *out = stream;
    return SOTTO_OK;
}

static enum sotto_err not_understood(yyjson_mut_doc **error)
{
    enum sotto_err err =
        sotto_failure_new("server_error", "upstream_invalid_response",
                          "The upstream sent an event that cannot be understood.", error);
    return err == SOTTO_OK ? SOTTO_EUPSTREAM : err;
}

enum sotto_err sotto_reply_stream_event(struct sotto_provider_stream *stream, sotto_span event,
                                        sotto_span data, sotto_provider_emit *emit, void *ctx,
                                        bool *done, yyjson_mut_doc **error)
{
    yyjson_mut_doc *doc = NULL;
    if (sotto_span_starts(data, SOTTO_LIT("[DONE]"))) {
        *done = true;
        return SOTTO_OK;
    }
    enum sotto_err err = sotto_json_read(data, SOTTO_REPLY_DEPTH, &doc, NULL);
    if (err == SOTTO_ENOMEM) {
        return err;
    }
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    bool said_so = sotto_span_eq(event, SOTTO_LIT("error"));
    if (yyjson_mut_is_obj(root) && (said_so || sotto_failure_is(root))) {
        if (sotto_failure_of(502, doc) != SOTTO_OK) {
            sotto_json_free(doc);
            return SOTTO_ENOMEM;
        }
        *error = doc;
        return SOTTO_EUPSTREAM;
    }
    if (!yyjson_mut_is_obj(root)) {
        sotto_json_free(doc);
        return not_understood(error);
    }
    err = read_choices(stream, doc);
    if (err != SOTTO_OK) {
        sotto_json_free(doc);
        return err == SOTTO_EUPSTREAM ? not_understood(error) : err;
    }
    return emit_chunk(stream, doc, emit, ctx);
}

enum sotto_err sotto_reply_stream_end(struct sotto_provider_stream *stream,
                                      sotto_provider_emit *emit, void *ctx, bool *done)
{
    (void)emit;
    (void)ctx;
    *done = stream->finished_count >= stream->call->choices;
    return SOTTO_OK;
}

void sotto_reply_stream_free(struct sotto_provider_stream *stream)
{
    if (stream != NULL) {
        sotto_arena_free(&stream->arena);
        sotto_free(stream);
    }
}
