/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_H2_SERVER_H
#define SOTTO_HTTP_H2_SERVER_H

/*
 * The server's side of one HTTP/2 connection (RFC 9113), bytes in and bytes out, over nghttp2.
 * Requests come whole, as from http/request.h, and under the same rules (http/h2_head.h); a
 * malformed one ends its stream, and what a server answers by itself is answered.  Trailers are
 * dropped.  There is no push, no upgrade, and no priority among streams.
 *
 * What a client may cost is bounded: the limits below and those of http/h2.h.  Frames that bring
 * nothing (PING, SETTINGS, WINDOW_UPDATE, PRIORITY, RST_STREAM, HEADERS and CONTINUATION without an
 * answer, DATA without data) draw from an allowance that time fills again, and so, from a smaller
 * one, do streams that end before their answer (CVE-2023-44487, CVE-2025-8671).  A connection that
 * has used one up ends with GOAWAY and ENHANCE_YOUR_CALM.
 *
 * No clock is read: times are arguments.  One thread.  Handlers may call the functions of streams,
 * but neither feed, send, tick nor free the connection.
 */

#include "base/buf.h"
#include "http/request.h"

/** A frame of an answer that is shorter, and not its rest, allows for no more idle frames. */
#define SOTTO_H2_SLIVER_BYTES 64
/** Streams that end before their answer: as many at once, and as many more each second. */
#define SOTTO_H2_RESETS   200
#define SOTTO_H2_RESETS_S 20
/** Bodies of one connection that are not complete; a request over it is answered with 503. */
#define SOTTO_H2_HELD_BYTES ((size_t)64 << 20)
/** A client that takes less of a waiting answer than this in send_ms has stopped reading. */
#define SOTTO_H2_SEND_LEAST ((size_t)1 << 10)

struct sotto_h2_server;
struct sotto_h2_stream;

struct sotto_h2_server_handler {
    /**
     * A whole request, whose first byte came at `begun_us`.  `head` and `body` are borrowed for
     * the call, and wiped after it.
     */
    void (*on_request)(void *ctx, struct sotto_h2_stream *stream, sotto_span head, sotto_span body,
                       int64_t begun_us);
    /** The client ended the stream before its answer was complete; it must not be used again. */
    void (*on_gone)(void *ctx, struct sotto_h2_stream *stream);
    /** As in net/server.h: lines and body of an answer of the server's own. */
    void (*on_refused)(void *ctx, int status, const char *reason, struct sotto_buf *lines,
                       struct sotto_buf *body);
    /** Some of what waited in the stream was taken. */
    void (*on_taken)(void *ctx, struct sotto_h2_stream *stream);
};

struct sotto_h2_server_limits {
    struct sotto_http_limits http;
    int64_t head_ms; /* for a head, and for the client's answer to our settings */
    int64_t body_window_ms;
    size_t body_window_bytes;
    int64_t keep_alive_ms; /* without a stream */
    int64_t send_ms;
    size_t out_bytes; /* most of an answer that may wait */
};

/**
 * @param handler  borrowed, as `ctx`, until the connection is freed
 * @param now_us   the time
 * @param[out] out set only on SOTTO_OK; freed with sotto_h2_server_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_server_new(const struct sotto_h2_server_limits *limits,
                                                    const struct sotto_h2_server_handler *handler,
                                                    void *ctx, int64_t now_us,
                                                    struct sotto_h2_server **out);

/** Wipes and frees, streams included, without a word to the handler; NULL is allowed. */
void sotto_h2_server_free(struct sotto_h2_server *h2);

/**
 * Feeds what the client sent.  After a failure send what there is to be sent, then close.
 *
 * @retval SOTTO_EFORMAT  no HTTP/2, or against its rules for a connection
 * @retval SOTTO_ELIMIT   an allowance or a limit is used up
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_server_feed(struct sotto_h2_server *h2, sotto_span in,
                                                     int64_t now_us);

/**
 * Appends what is to be sent now, about SOTTO_H2_SEND_BYTES at most.  Nothing appended: there is
 * nothing.
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT
 */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_server_send(struct sotto_h2_server *h2,
                                                     struct sotto_buf *out, int64_t now_us);

/**
 * Looks at the time limits.  To be called every now and then, followed by sotto_h2_server_send().
 * @retval SOTTO_ETIMEOUT  one of the connection's is over: send, then close
 */
SOTTO_MUST_CHECK enum sotto_err sotto_h2_server_tick(struct sotto_h2_server *h2, int64_t now_us);

/** Tells the client to begin no more streams (GOAWAY); those that run go on. */
void sotto_h2_server_drain(struct sotto_h2_server *h2);

/** Whether no stream and no time limit but that of an idle connection is running. */
bool sotto_h2_server_is_quiet(const struct sotto_h2_server *h2);

/** Nothing more comes and nothing is left to be sent: close. */
bool sotto_h2_server_finished(const struct sotto_h2_server *h2);

/** A pointer of the caller's own; NULL at first. */
void sotto_h2_stream_set_user(struct sotto_h2_stream *stream, void *user);
void *sotto_h2_stream_user(const struct sotto_h2_stream *stream);

/**
 * Answers whole; the stream is over for the caller.  A failure ends the stream with an error.
 * @param lines  as sotto_exchange_reply(), and with Date
 */
void sotto_h2_stream_reply(struct sotto_h2_stream *stream, int status, sotto_span lines,
                           sotto_span body);

/** Begins an answer of unknown length.  False: it cannot be begun; abort the stream. */
bool sotto_h2_stream_begin(struct sotto_h2_stream *stream, int status, sotto_span lines);

/**
 * Adds to the answer; `last` completes it, and the stream is over for the caller.
 * @return false: over out_bytes or no memory; abort the stream
 */
bool sotto_h2_stream_write(struct sotto_h2_stream *stream, sotto_span piece, bool last);

/**
 * Ends it with an error behind what was written before; the stream is over for the caller.
 */
void sotto_h2_stream_abort(struct sotto_h2_stream *stream);

/** Bytes that wait to be sent. */
size_t sotto_h2_stream_waiting(const struct sotto_h2_stream *stream);

#endif
