/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Anthropic's Messages API, translated both ways; requests in anthropic_request.c.
 *
 *   message_start        -> a chunk with the role
 *   content_block_start  -> tool_use: the call's id and name
 *   content_block_delta  -> text, fragments of arguments, thoughts (reasoning_content)
 *   message_delta        -> finish_reason, then usage in a chunk of its own
 *   message_stop         -> the stream is complete
 *   error                -> an error; ping and what is new are skipped
 */

#include "base/alloc.h"
#include "upstream/anthropic_request.h"
#include "upstream/failure.h"
#include "upstream/post.h"
#include "upstream/reply.h"
#include "upstream/table.h"

#define ANTHROPIC_VERSION "2023-06-01"

static enum sotto_err request(const struct sotto_upstream *upstream, struct sotto_call *call,
                              sotto_span model, struct sotto_buf *out,
                              struct sotto_problem *problem)
{
    static const sotto_span version = {(const uint8_t *)ANTHROPIC_VERSION,
                                       sizeof(ANTHROPIC_VERSION) - 1};
    const struct sotto_post_field fields[] = {
        {"x-api-key", upstream->key}, {"anthropic-version", version}, {NULL, {NULL, 0}}};
    struct sotto_buf target;
    if (call->kind != SOTTO_CALL_CHAT) {
        sotto_problem_invalid(problem, "model", "The upstream of this model has no embeddings.");
        return SOTTO_EINVAL;
    }
    enum sotto_err err = sotto_anthropic_request(call, model, problem);
    if (err != SOTTO_OK) {
        return err;
    }
    sotto_buf_init(&target, SOTTO_BUF_UNBOUNDED);
    err = sotto_buf_printf(&target, "%.*s%s/messages", SOTTO_FMT(upstream->base_path),
                           sotto_span_ends(upstream->base_path, SOTTO_LIT("/v1")) ? "" : "/v1");
    if (err == SOTTO_OK) {
        err = sotto_post_write(upstream, call, sotto_buf_span(&target), fields, out, problem);
    }
    sotto_buf_free(&target);
    return err;
}

/* As many as one page holds; there are fewer. */
static enum sotto_err models(const struct sotto_upstream *upstream, struct sotto_buf *out)
{
    const struct sotto_post_field fields[] = {{"x-api-key", upstream->key},
                                              {"anthropic-version", SOTTO_LIT(ANTHROPIC_VERSION)},
                                              {NULL, {NULL, 0}}};
    struct sotto_buf target;
    sotto_buf_init(&target, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err =
        sotto_buf_printf(&target, "%.*s%s/models?limit=1000", SOTTO_FMT(upstream->base_path),
                         sotto_span_ends(upstream->base_path, SOTTO_LIT("/v1")) ? "" : "/v1");
    if (err == SOTTO_OK) {
        err = sotto_post_write_get(upstream, sotto_buf_span(&target), fields, out);
    }
    sotto_buf_free(&target);
    return err;
}

/* --- what answers and streams share ---------------------------------------------------------- */

static sotto_span finish_reason(yyjson_mut_val *stop_reason)
{
    static const struct {
        const char *theirs, *ours;
    } reasons[] = {
        {"max_tokens", "length"},
        {"model_context_window_exceeded", "length"},
        {"tool_use", "tool_calls"},
        {"refusal", "content_filter"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(reasons); i++) {
        if (sotto_json_is(stop_reason, reasons[i].theirs)) {
            return sotto_span_str(reasons[i].ours);
        }
    }
    return SOTTO_LIT("stop");
}

/* Token counts as Anthropic reports them; a stream reports them in two events. */
struct usage {
    int64_t input, cache_written, cache_read, output;
};

static void note_usage(yyjson_mut_val *from, struct usage *usage)
{
    const struct {
        const char *key;
        int64_t *count;
    } counts[] = {
        {"input_tokens", &usage->input},
        {"cache_creation_input_tokens", &usage->cache_written},
        {"cache_read_input_tokens", &usage->cache_read},
        {"output_tokens", &usage->output},
    };
    for (size_t i = 0; i < SOTTO_COUNT(counts); i++) {
        int64_t count;
        if (sotto_json_int(sotto_json_get(from, counts[i].key), &count) == SOTTO_OK && count >= 0 &&
            count < INT32_MAX) {
            *counts[i].count = count;
        }
    }
}

static enum sotto_err put_usage(yyjson_mut_doc *doc, yyjson_mut_val *to, const struct usage *usage)
{
    int64_t prompt = usage->input + usage->cache_written + usage->cache_read;
    yyjson_mut_val *made = yyjson_mut_obj(doc), *details = yyjson_mut_obj(doc);
    enum sotto_err err;
    if ((err = sotto_json_put_int(doc, made, "prompt_tokens", prompt)) != SOTTO_OK ||
        (err = sotto_json_put_int(doc, made, "completion_tokens", usage->output)) != SOTTO_OK ||
        (err = sotto_json_put_int(doc, made, "total_tokens", prompt + usage->output)) != SOTTO_OK ||
        (err = sotto_json_put_int(doc, details, "cached_tokens", usage->cache_read)) != SOTTO_OK ||
        (err = sotto_json_put(doc, made, "prompt_tokens_details", details)) != SOTTO_OK) {
        return err;
    }
    return sotto_json_put(doc, to, "usage", made);
}

/* id, object, model: how answers and chunks begin. */
static enum sotto_err begin(yyjson_mut_doc *doc, yyjson_mut_val *to, const char *object,
                            sotto_span id, sotto_span model)
{
    enum sotto_err err;
    if ((err = sotto_json_put_text(doc, to, "id", id)) != SOTTO_OK ||
        (err = sotto_json_put_text(doc, to, "object", sotto_span_str(object))) != SOTTO_OK) {
        return err;
    }
    return sotto_json_put_text(doc, to, "model", model);
}

/* The one choice of an answer or chunk, with its place and its message or delta. */
static enum sotto_err put_choice(yyjson_mut_doc *doc, yyjson_mut_val *to, const char *part_name,
                                 yyjson_mut_val *part, sotto_span reason)
{
    yyjson_mut_val *choice = yyjson_mut_obj(doc), *list = yyjson_mut_arr(doc);
    enum sotto_err err;
    if ((err = sotto_json_put_int(doc, choice, "index", 0)) != SOTTO_OK ||
        (err = sotto_json_put(doc, choice, part_name, part)) != SOTTO_OK ||
        (err = sotto_json_put(doc, choice, "finish_reason",
                              reason.len != 0 ? sotto_json_str(doc, reason)
                                              : yyjson_mut_null(doc))) != SOTTO_OK) {
        return err;
    }
    return yyjson_mut_arr_append(list, choice) ? sotto_json_put(doc, to, "choices", list)
                                               : SOTTO_ENOMEM;
}

/* A tool call {"index", "id", "type", "function": {"name", "arguments"}}; index -1: without. */
static yyjson_mut_val *new_call(yyjson_mut_doc *doc, int64_t index, yyjson_mut_val *block,
                                sotto_span arguments)
{
    yyjson_mut_val *call = yyjson_mut_obj(doc), *function = yyjson_mut_obj(doc);
    sotto_span id = sotto_json_text(sotto_json_get(block, "id"));
    sotto_span name = sotto_json_text(sotto_json_get(block, "name"));
    if (call == NULL || function == NULL ||
        (index >= 0 && sotto_json_put_int(doc, call, "index", index) != SOTTO_OK) ||
        sotto_json_put_text(doc, call, "id", id) != SOTTO_OK ||
        sotto_json_put_text(doc, call, "type", SOTTO_LIT("function")) != SOTTO_OK ||
        sotto_json_put_text(doc, function, "name", name) != SOTTO_OK ||
        sotto_json_put_text(doc, function, "arguments", arguments) != SOTTO_OK ||
        sotto_json_put(doc, call, "function", function) != SOTTO_OK) {
        return NULL;
    }
    return call;
}

/* --- whole answers --------------------------------------------------------------------------- */

struct answer_texts {
    struct sotto_buf text, thought;
};

static enum sotto_err add_call(yyjson_mut_doc *doc, yyjson_mut_val *list, yyjson_mut_val *block)
{
    struct sotto_buf input;
    sotto_buf_init(&input, SOTTO_BUF_UNBOUNDED);
    yyjson_mut_val *given = sotto_json_get(block, "input");
    enum sotto_err err =
        given != NULL ? sotto_json_write(given, &input) : sotto_buf_append(&input, SOTTO_LIT("{}"));
    if (err == SOTTO_OK &&
        !yyjson_mut_arr_append(list, new_call(doc, -1, block, sotto_buf_span(&input)))) {
        err = SOTTO_ENOMEM;
    }
    sotto_buf_free(&input);
    return err;
}

static enum sotto_err read_blocks(yyjson_mut_doc *doc, yyjson_mut_val *content,
                                  struct answer_texts *texts, yyjson_mut_val *calls)
{
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(content);
    yyjson_mut_val *block;
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && (block = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        yyjson_mut_val *type = sotto_json_get(block, "type");
        if (sotto_json_is(type, "text")) {
            err = sotto_buf_append(&texts->text, sotto_json_text(sotto_json_get(block, "text")));
        } else if (sotto_json_is(type, "thinking")) {
            err = sotto_buf_append(&texts->thought,
                                   sotto_json_text(sotto_json_get(block, "thinking")));
        } else if (sotto_json_is(type, "tool_use")) {
            err = add_call(doc, calls, block);
        }
    }
    return err;
}

static enum sotto_err fill_message(yyjson_mut_doc *doc, yyjson_mut_val *message,
                                   const struct answer_texts *texts, yyjson_mut_val *calls)
{
    bool called = yyjson_mut_arr_size(calls) != 0;
    enum sotto_err err;
    if ((err = sotto_json_put_text(doc, message, "role", SOTTO_LIT("assistant"))) != SOTTO_OK ||
        (err = sotto_json_put(doc, message, "content",
                              texts->text.len != 0 || !called
                                  ? sotto_json_str(doc, sotto_buf_span(&texts->text))
                                  : yyjson_mut_null(doc))) != SOTTO_OK ||
        (err = sotto_json_put(doc, message, "refusal", yyjson_mut_null(doc))) != SOTTO_OK) {
        return err;
    }
    if (texts->thought.len != 0) {
        err =
            sotto_json_put_text(doc, message, "reasoning_content", sotto_buf_span(&texts->thought));
    }
    return err == SOTTO_OK && called ? sotto_json_put(doc, message, "tool_calls", calls) : err;
}

/* Replaces the root of an answer, which is known to have content. */
static enum sotto_err translate_answer(yyjson_mut_doc *doc)
{
    yyjson_mut_val *from = yyjson_mut_doc_get_root(doc), *to = yyjson_mut_obj(doc);
    yyjson_mut_val *message = yyjson_mut_obj(doc), *calls = yyjson_mut_arr(doc);
    struct usage usage = {0};
    struct answer_texts texts;
    enum sotto_err err;
    sotto_buf_init(&texts.text, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&texts.thought, SOTTO_BUF_UNBOUNDED);
    note_usage(sotto_json_get(from, "usage"), &usage);
    if ((err = begin(doc, to, "chat.completion", sotto_json_text(sotto_json_get(from, "id")),
                     sotto_json_text(sotto_json_get(from, "model")))) == SOTTO_OK &&
        (err = read_blocks(doc, sotto_json_get(from, "content"), &texts, calls)) == SOTTO_OK &&
        (err = fill_message(doc, message, &texts, calls)) == SOTTO_OK &&
        (err = put_choice(doc, to, "message", message,
                          finish_reason(sotto_json_get(from, "stop_reason")))) == SOTTO_OK) {
        err = put_usage(doc, to, &usage);
    }
    sotto_buf_free(&texts.text);
    sotto_buf_free(&texts.thought);
    yyjson_mut_doc_set_root(doc, to);
    return err;
}

static enum sotto_err answer(const struct sotto_call *call, sotto_span body, yyjson_mut_doc **out,
                             struct sotto_problem *problem)
{
    (void)call;
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_json_read(body, SOTTO_REPLY_DEPTH, &doc, NULL);
    if (err == SOTTO_ENOMEM) {
        return err;
    }
    yyjson_mut_val *content = sotto_json_get(yyjson_mut_doc_get_root(doc), "content");
    err = yyjson_mut_is_arr(content) ? translate_answer(doc) : sotto_reply_garbage(problem);
    if (err != SOTTO_OK) {
        sotto_json_free(doc);
        return err;
    }
    *out = doc;
    return SOTTO_OK;
}

/* --- streams --------------------------------------------------------------------------------- */

struct sotto_provider_stream {
    struct sotto_arena arena;
    sotto_span id, model; /* in the arena */
    struct usage usage;
    int64_t tool_count;
    bool in_tool;   /* the open block is a tool call */
    bool has_input; /* of which fragments of arguments came */
    bool finished;
};

/* Where the chunks of one event go. */
struct sink {
    struct sotto_provider_stream *stream;
    sotto_provider_emit *emit;
    void *ctx;
};

static enum sotto_err stream_new(const struct sotto_call *call, struct sotto_provider_stream **out)
{
    (void)call;
    struct sotto_provider_stream *stream = sotto_calloc(1, sizeof(*stream));
    if (stream == NULL) {
        return SOTTO_ENOMEM;
    }
    *out = stream;
    return SOTTO_OK;
}

/* Completes `doc` to a chunk with this delta (NULL: no choices) and emits it; takes `doc` over. */
static enum sotto_err emit_chunk(const struct sink *sink, yyjson_mut_doc *doc,
                                 yyjson_mut_val *delta, sotto_span reason, bool usage)
{
    const struct sotto_provider_stream *stream = sink->stream;
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    enum sotto_err err = begin(doc, root, "chat.completion.chunk", stream->id, stream->model);
    if (err == SOTTO_OK) {
        err = delta != NULL ? put_choice(doc, root, "delta", delta, reason)
                            : sotto_json_put(doc, root, "choices", yyjson_mut_arr(doc));
    }
    if (err == SOTTO_OK && usage) {
        err = put_usage(doc, root, &stream->usage);
    }
    if (err != SOTTO_OK) {
        sotto_json_free(doc);
        return err;
    }
    yyjson_mut_doc_set_root(doc, root);
    return sink->emit(sink->ctx, doc);
}

/* A chunk whose delta has one text. */
static enum sotto_err emit_text(const struct sink *sink, const char *key, sotto_span text)
{
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *delta = yyjson_mut_obj(doc);
    if (sotto_json_put_text(doc, delta, key, text) != SOTTO_OK) {
        sotto_json_free(doc);
        return SOTTO_ENOMEM;
    }
    return emit_chunk(sink, doc, delta, SOTTO_LIT(""), false);
}

/* A chunk with a fragment of a tool call, made in `doc`. */
static enum sotto_err emit_call(const struct sink *sink, yyjson_mut_doc *doc, yyjson_mut_val *call)
{
    yyjson_mut_val *delta = yyjson_mut_obj(doc), *list = yyjson_mut_arr(doc);
    if (!yyjson_mut_arr_append(list, call) ||
        sotto_json_put(doc, delta, "tool_calls", list) != SOTTO_OK) {
        sotto_json_free(doc);
        return SOTTO_ENOMEM;
    }
    return emit_chunk(sink, doc, delta, SOTTO_LIT(""), false);
}

static enum sotto_err emit_arguments(const struct sink *sink, sotto_span text)
{
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *call = yyjson_mut_obj(doc), *function = yyjson_mut_obj(doc);
    if (sotto_json_put_int(doc, call, "index", sink->stream->tool_count - 1) != SOTTO_OK ||
        sotto_json_put_text(doc, function, "arguments", text) != SOTTO_OK ||
        sotto_json_put(doc, call, "function", function) != SOTTO_OK) {
        sotto_json_free(doc);
        return SOTTO_ENOMEM;
    }
    return emit_call(sink, doc, call);
}

static enum sotto_err on_message_start(const struct sink *sink, yyjson_mut_val *event)
{
    struct sotto_provider_stream *stream = sink->stream;
    yyjson_mut_val *message = sotto_json_get(event, "message");
    note_usage(sotto_json_get(message, "usage"), &stream->usage);
    if (sotto_arena_copy(&stream->arena, sotto_json_text(sotto_json_get(message, "id")),
                         &stream->id) != SOTTO_OK ||
        sotto_arena_copy(&stream->arena, sotto_json_text(sotto_json_get(message, "model")),
                         &stream->model) != SOTTO_OK) {
        return SOTTO_ENOMEM;
    }
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *delta = yyjson_mut_obj(doc);
    if (sotto_json_put_text(doc, delta, "role", SOTTO_LIT("assistant")) != SOTTO_OK ||
        sotto_json_put_text(doc, delta, "content", SOTTO_LIT("")) != SOTTO_OK) {
        sotto_json_free(doc);
        return SOTTO_ENOMEM;
    }
    return emit_chunk(sink, doc, delta, SOTTO_LIT(""), false);
}

static enum sotto_err on_block_start(const struct sink *sink, yyjson_mut_val *event)
{
    struct sotto_provider_stream *stream = sink->stream;
    yyjson_mut_val *block = sotto_json_get(event, "content_block");
    stream->in_tool = sotto_json_is(sotto_json_get(block, "type"), "tool_use");
    stream->has_input = false;
    if (!stream->in_tool) {
        sotto_span text = sotto_json_text(sotto_json_get(block, "text"));
        return text.len != 0 ? emit_text(sink, "content", text) : SOTTO_OK;
    }
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *call = new_call(doc, stream->tool_count++, block, SOTTO_LIT(""));
    if (call == NULL) {
        sotto_json_free(doc);
        return SOTTO_ENOMEM;
    }
    return emit_call(sink, doc, call);
}

static enum sotto_err on_block_delta(const struct sink *sink, yyjson_mut_val *event)
{
    yyjson_mut_val *delta = sotto_json_get(event, "delta");
    yyjson_mut_val *type = sotto_json_get(delta, "type");
    if (sotto_json_is(type, "text_delta")) {
        return emit_text(sink, "content", sotto_json_text(sotto_json_get(delta, "text")));
    }
    if (sotto_json_is(type, "thinking_delta")) {
        return emit_text(sink, "reasoning_content",
                         sotto_json_text(sotto_json_get(delta, "thinking")));
    }
    sotto_span json = sotto_json_text(sotto_json_get(delta, "partial_json"));
    if (!sotto_json_is(type, "input_json_delta") || json.len == 0 || !sink->stream->in_tool) {
        return SOTTO_OK;
    }
    sink->stream->has_input = true;
    return emit_arguments(sink, json);
}

/* A call without arguments: nothing is no JSON, which clients parse. */
static enum sotto_err on_block_stop(const struct sink *sink)
{
    bool bare = sink->stream->in_tool && !sink->stream->has_input;
    sink->stream->in_tool = false;
    return bare ? emit_arguments(sink, SOTTO_LIT("{}")) : SOTTO_OK;
}

static enum sotto_err on_message_delta(const struct sink *sink, yyjson_mut_val *event)
{
    yyjson_mut_val *reason = sotto_json_get(sotto_json_get(event, "delta"), "stop_reason");
    note_usage(sotto_json_get(event, "usage"), &sink->stream->usage);
    if (!yyjson_mut_is_str(reason) || sink->stream->finished) {
        return SOTTO_OK;
    }
    sink->stream->finished = true;
    yyjson_mut_doc *doc = sotto_json_new();
    yyjson_mut_val *delta = yyjson_mut_obj(doc);
    if (delta == NULL) {
        sotto_json_free(doc);
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = emit_chunk(sink, doc, delta, finish_reason(reason), false);
    if (err != SOTTO_OK) {
        return err;
    }
    doc = sotto_json_new();
    return doc != NULL ? emit_chunk(sink, doc, NULL, SOTTO_LIT(""), true) : SOTTO_ENOMEM;
}

static enum sotto_err on_event(const struct sink *sink, yyjson_mut_val *event, bool *done)
{
    yyjson_mut_val *type = sotto_json_get(event, "type");
    if (sotto_json_is(type, "message_start")) {
        return on_message_start(sink, event);
    }
    if (sotto_json_is(type, "content_block_start")) {
        return on_block_start(sink, event);
    }
    if (sotto_json_is(type, "content_block_delta")) {
        return on_block_delta(sink, event);
    }
    if (sotto_json_is(type, "content_block_stop")) {
        return on_block_stop(sink);
    }
    if (sotto_json_is(type, "message_delta")) {
        return on_message_delta(sink, event);
    }
    *done = sotto_json_is(type, "message_stop");
    return SOTTO_OK;
}

static enum sotto_err stream_event(struct sotto_provider_stream *stream, sotto_span event,
                                   sotto_span data, sotto_provider_emit *emit, void *ctx,
                                   bool *done, yyjson_mut_doc **error)
{
    (void)event; /* `type` in the data says the same */
    const struct sink sink = {stream, emit, ctx};
    yyjson_mut_doc *doc = NULL;
    enum sotto_err err = sotto_json_read(data, SOTTO_REPLY_DEPTH, &doc, NULL);
    if (err == SOTTO_ENOMEM) {
        return err;
    }
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (!yyjson_mut_is_str(sotto_json_get(root, "type"))) {
        sotto_json_free(doc);
        err = sotto_failure_new("server_error", "upstream_invalid_response",
                                "The upstream sent an event that cannot be understood.", error);
        return err == SOTTO_OK ? SOTTO_EUPSTREAM : err;
    }
    if (sotto_json_is(sotto_json_get(root, "type"), "error")) {
        err = sotto_failure_of(502, doc);
        if (err == SOTTO_OK) {
            *error = doc;
            return SOTTO_EUPSTREAM;
        }
    } else {
        err = on_event(&sink, root, done);
    }
    sotto_json_free(doc);
    return err;
}

static enum sotto_err stream_end(struct sotto_provider_stream *stream, sotto_provider_emit *emit,
                                 void *ctx, bool *done)
{
    (void)emit;
    (void)ctx;
    *done = stream->finished;
    return SOTTO_OK;
}

/* The count of the answer stands in the first event too, where it is that of one token or two. */
static void stream_usage(const struct sotto_provider_stream *stream, int64_t *prompt,
                         int64_t *completion)
{
    const struct usage *usage = &stream->usage;
    int64_t input = usage->input + usage->cache_written + usage->cache_read;
    if (input > 0) {
        *prompt = input;
    }
    if (stream->finished) {
        *completion = usage->output;
    }
}

static void stream_free(struct sotto_provider_stream *stream)
{
    if (stream != NULL) {
        sotto_arena_free(&stream->arena);
        sotto_free(stream);
    }
}

const struct sotto_provider sotto_provider_anthropic = {
    .kind = "anthropic",
    .request = request,
    .models = models,
    .answer = answer,
    .error = sotto_failure_read,
    .stream_new = stream_new,
    .stream_event = stream_event,
    .stream_end = stream_end,
    .stream_usage = stream_usage,
    .stream_free = stream_free,
};
