/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CHAT_CALL_H
#define SOTTO_CHAT_CALL_H

/*
 * The narrow waist.  A dialect turns its wire form into a call: an OpenAI-shaped chat-completions
 * document and what the client asked of the gateway around it.  Detection, tokens, restoring,
 * policy and upstreams see calls and documents and know no dialect; a dialect writes the answer,
 * again an OpenAI-shaped document (chat.completion, or chat.completion.chunk in streams), in its
 * own form.
 */

#include "base/arena.h"
#include "base/span.h"
#include "json/json.h"

/** What is called.  Each has its own shape of document. */
enum sotto_call_kind {
    SOTTO_CALL_CHAT,       /* chat completions */
    SOTTO_CALL_EMBEDDINGS, /* embeddings */
    SOTTO_CALL_MODELS,     /* the list of models; no document, no upstream */
    SOTTO_CALL_MODEL,      /* one model, named in `model` */
};

struct sotto_seal_exchange;

struct sotto_call {
    struct sotto_arena arena; /* owns what the spans below point to, unless said otherwise */
    enum sotto_call_kind kind;
    yyjson_mut_doc *doc; /* owned; the request for the upstream, without Sotto's own fields */

    sotto_span model;   /* as the client named it */
    bool stream;        /* the client wants events */
    bool include_usage; /* the client asked for the usage chunk */
    bool ndjson;        /* events as bare JSON lines (Accept: application/x-ndjson) */
    bool anonymize;     /* false: the client asked to leave the text alone */
    bool explain;       /* x-sotto-explain: 1 */
    int choices;        /* n, at least 1 */

    sotto_span mode;         /* compliance mode asked for; empty: the key's */
    sotto_span encryption;   /* checked word: kyber512, rsa4096, auto, x-wing; empty: not given */
    sotto_span conversation; /* x-sotto-conversation; empty: not given */
    sotto_span trace_parent; /* checked `traceparent`; empty: not given */
    sotto_span trace_state;  /* checked `tracestate`; empty: not given */
    sotto_span upstream_key; /* the caller's own provider key (phi_header); empty: not given */

    struct sotto_seal_exchange *exchange; /* what opened the request and seals the answer; borrowed;
                                             NULL: it is not sealed */
};

/** Everything empty, `choices` 1, `anonymize` true. */
void sotto_call_init(struct sotto_call *call);

/** Wipes and frees what the call owns; it is as after sotto_call_init(). */
void sotto_call_free(struct sotto_call *call);

#endif
