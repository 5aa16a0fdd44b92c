/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_UPSTREAM_PROVIDER_H
#define SOTTO_UPSTREAM_PROVIDER_H

/*
 * A provider is one kind of upstream, as a row of functions: it writes the HTTP request for an
 * OpenAI-shaped document and reads what comes back into OpenAI-shaped documents.  Bytes in, bytes
 * out: no I/O, no clock, no knowledge of clients.  A new provider is one file and one row in
 * upstream/table.c.
 */

#include "base/buf.h"
#include "chat/call.h"
#include "chat/problem.h"
#include "http/head.h"

/** One configured upstream; strings borrowed from the configuration. */
struct sotto_upstream {
    sotto_span name; /* as in the configuration */
    sotto_span kind; /* provider's name */
    sotto_span host; /* "api.openai.com" */
    uint16_t port;
    bool tls;
    sotto_span base_path;   /* "/v1", without a slash at the end; may be empty */
    sotto_span key;         /* credential; empty: none */
    sotto_span api_version; /* Azure's dated api-version; empty: its v1 path */
    bool trusted;           /* gets the text as it is */
    sotto_span region;
};

struct sotto_provider_stream;

/** Receives the documents a provider makes; takes ownership of `chunk`. */
typedef enum sotto_err sotto_provider_emit(void *ctx, yyjson_mut_doc *chunk);

struct sotto_provider {
    const char *kind;

    /**
     * Appends the request: head lines ("POST /v1/chat/completions HTTP/1.1", Host, Content-Length,
     * the rest) and body.  `call->doc` may be edited (fields mapped or dropped).
     *
     * @param model  the upstream's name of the model
     * @retval SOTTO_EINVAL  `problem` says what this provider cannot do
     */
    enum sotto_err (*request)(const struct sotto_upstream *upstream, struct sotto_call *call,
                              sotto_span model, struct sotto_buf *out,
                              struct sotto_problem *problem);

    /**
     * Appends a GET of the models that the upstream serves (an object with `data`, of objects with
     * `id`).  NULL: this provider has no such list.
     *
     * @retval SOTTO_EINVAL  a control character in a line; `out` unchanged
     * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
     */
    enum sotto_err (*models)(const struct sotto_upstream *upstream, struct sotto_buf *out);

    /**
     * Reads a whole answer of status 200 to 299.
     *
     * @param[out] answer  set only on SOTTO_OK, owned by the caller
     * @retval SOTTO_EUPSTREAM  it is no answer of this provider; `problem` says so (502)
     */
    enum sotto_err (*answer)(const struct sotto_call *call, sotto_span body,
                             yyjson_mut_doc **answer, struct sotto_problem *problem);

    /**
     * Reads the answer of another status into an OpenAI error object {"error":{...}}; what cannot
     * be read becomes one with a text of ours.  Never fails but for memory.
     */
    enum sotto_err (*error)(int status, sotto_span body, yyjson_mut_doc **error);

    /** Starts reading a stream.  @param call borrowed until the stream is freed */
    enum sotto_err (*stream_new)(const struct sotto_call *call, struct sotto_provider_stream **out);

    /**
     * Reads one server-sent event (its `event:` name, may be empty, and `data:` joined) and emits
     * the chunks it makes: none, one or more.
     *
     * @param[out] done     the provider said that the stream is complete
     * @retval SOTTO_EUPSTREAM  the event is not understood or is the provider's error: `error`
     *                          is set to an OpenAI error object, owned by the caller
     */
    enum sotto_err (*stream_event)(struct sotto_provider_stream *stream, sotto_span event,
                                   sotto_span data, sotto_provider_emit *emit, void *ctx,
                                   bool *done, yyjson_mut_doc **error);

    /**
     * The connection ended.  Emits what completes the stream where all choices have finished.
     *
     * @param[out] done  whether the stream counts as complete
     */
    enum sotto_err (*stream_end)(struct sotto_provider_stream *stream, sotto_provider_emit *emit,
                                 void *ctx, bool *done);

    /**
     * What the provider has counted so far, for a stream that is broken off before its chunk of
     * usage; sets what is known.  NULL: it counts nowhere but in its chunks.
     */
    void (*stream_usage)(const struct sotto_provider_stream *stream, int64_t *prompt,
                         int64_t *completion);

    void (*stream_free)(struct sotto_provider_stream *stream);
};

/** The provider with this name ("openai", "azure", "mistral", "anthropic"); NULL: none. */
const struct sotto_provider *sotto_provider_by_kind(sotto_span kind);

#endif
