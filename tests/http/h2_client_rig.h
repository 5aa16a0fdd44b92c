/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_H2_CLIENT_RIG_H
#define SOTTO_TESTS_H2_CLIENT_RIG_H

/*
 * One connection of http/h2_client.h with its requests, and the upstream at its other end frame by
 * frame (h2_peer.h).  For test_h2_client*.c: each is a program with a rig of its own.
 */

#include "http/h2_client.h"
#include "http/h2_peer.h"
#include "tap/tap.h"

#define CASE(n)   printf("# %s\n", n)
#define SECOND_US INT64_C(1000000)
#define GET       "GET /v1/x HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\n"
#define POST                                                                                       \
    "POST /v1/y?z HTTP/1.1\r\nHost: a.example:8443\r\nAuthorization: Bearer k\r\n"                 \
    "Content-Type: application/json\r\nContent-Length: 5\r\n\r\nhello"
#define FINE ":status: 200\ncontent-type: text/plain\n"

/* One request and what came of it. */
struct got {
    struct sotto_h2_request *request;
    struct sotto_buf text; /* "head|body" */
    int heads, dones;
    enum sotto_err err;
};

static struct sotto_h2_client *h2;
static struct peer peer;
static struct sotto_buf in, out;
static struct got got[4];
static int64_t now_us;
static bool preface;

static inline void end(void)
{
    sotto_h2_client_free(h2);
    h2 = NULL;
    for (size_t i = 0; i < SOTTO_COUNT(got); i++) {
        sotto_h2_request_free(got[i].request);
        sotto_buf_free(&got[i].text);
    }
    peer_free(&peer);
    sotto_buf_free(&in);
    sotto_buf_free(&out);
}

/* What there is to be sent goes to the peer. */
static inline enum sotto_err pump(void)
{
    enum sotto_err err = SOTTO_OK;
    do {
        sotto_buf_truncate(&out, 0);
        enum sotto_err now = sotto_h2_client_send(h2, &out);
        err = err == SOTTO_OK ? now : err;
        sotto_span sent = sotto_buf_span(&out);
        if (!preface && sent.len != 0) {
            size_t n = sizeof(PEER_MAGIC) - 1;
            OK(sent.len > n && memcmp(sent.base, PEER_MAGIC, n) == 0, "the preface comes first");
            sent = sotto_span_skip(sent, n);
            preface = true;
        }
        peer_read(&peer, sent);
    } while (out.len != 0);
    return err;
}

static inline void take(struct got *g)
{
    enum sotto_http_event event = SOTTO_HTTP_DONE;
    sotto_span piece;
    while (event != SOTTO_HTTP_MORE && g->err == SOTTO_OK) {
        g->err = sotto_h2_request_take(g->request, &event, &piece);
        if (event == SOTTO_HTTP_HEAD) {
            g->heads++;
            piece = sotto_h2_request_head(g->request);
        }
        g->dones += event == SOTTO_HTTP_DONE ? 1 : 0;
        peer_must(sotto_buf_append(&g->text, piece) == SOTTO_OK);
        if (event == SOTTO_HTTP_HEAD) {
            peer_must(sotto_buf_push(&g->text, '|') == SOTTO_OK);
        }
    }
}

/* Feeds what is in `in`, in pieces of `step` bytes; takes what it brings where `taking`. */
static inline enum sotto_err feed_by(size_t step, bool taking)
{
    enum sotto_err err = SOTTO_OK;
    struct got *g;
    for (size_t at = 0; at < in.len && err == SOTTO_OK; at += step) {
        size_t to = in.len - at < step ? in.len : at + step;
        err = sotto_h2_client_feed(h2, sotto_span_sub(sotto_buf_span(&in), at, to), now_us);
        while (taking && (g = sotto_h2_client_next(h2)) != NULL) {
            take(g);
        }
    }
    sotto_buf_truncate(&in, 0);
    enum sotto_err sent = pump();
    while (taking && (g = sotto_h2_client_next(h2)) != NULL) {
        take(g);
    }
    pump();
    return err != SOTTO_OK ? err : sent;
}

static inline enum sotto_err feed(void)
{
    return feed_by(SIZE_MAX / 2, true);
}

static inline void ask(size_t i, const char *request)
{
    IS_INT(sotto_h2_request_new(h2, sotto_span_str(request), &got[i], &got[i].request), SOTTO_OK,
           "a request is begun");
    pump();
}

/* A connection whose settings are agreed on. */
static inline void begin(void)
{
    memset(got, 0, sizeof(got));
    for (size_t i = 0; i < SOTTO_COUNT(got); i++) {
        sotto_buf_init(&got[i].text, SOTTO_BUF_UNBOUNDED);
    }
    sotto_buf_init(&in, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    peer = peer_new();
    preface = false;
    now_us = SECOND_US;
    peer_must(sotto_h2_client_new(4096, now_us, &h2) == SOTTO_OK);
    peer_settings(&in, 0, 0);
    peer_frame(&in, PEER_SETTINGS, 1, 0, SOTTO_LIT(""));
    IS_INT(feed(), SOTTO_OK, "a connection begins");
}

static inline bool has(size_t i, const char *text)
{
    return sotto_span_eq(sotto_buf_span(&got[i].text), sotto_span_str(text));
}

#endif
