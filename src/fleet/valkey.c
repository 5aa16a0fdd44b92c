/* SPDX-License-Identifier: Apache-2.0 */

#include "fleet/valkey.h"

#include <stdio.h>

#include "base/alloc.h"
#include "fleet/valkey_state.h"
#include "sys/log.h"

/* --- losing it --------------------------------------------------------------------------------- */

void valkey_close_socket(struct sotto_valkey *link)
{
    sotto_lookup_cancel(link->lookup);
    link->lookup = NULL;
    sotto_loop_unwatch(link->loop, &link->watch);
    sotto_wire_close(&link->wire);
}

/* Each call ends; what they do then may send again, which is refused. */
static void end_calls(struct sotto_valkey *link, enum sotto_err err)
{
    struct sotto_valkey_call *call = link->first;
    link->first = link->last = NULL;
    link->calls = 0;
    while (call != NULL) {
        struct sotto_valkey_call *next = call->next;
        call->fn(call, err, NULL);
        call = next;
    }
}

static void drop(struct sotto_valkey *link, enum valkey_state state, enum sotto_err err)
{
    valkey_close_socket(link);
    link->state = state;
    sotto_buf_truncate(&link->in, 0);
    sotto_buf_truncate(&link->out, 0);
    sotto_buf_truncate(&link->held, 0);
    link->sent = 0;
    sotto_loop_undefer(link->loop, &link->task);
    end_calls(link, err);
}

/* Tells of an outage once, not of each attempt. */
static void tell_lost(struct sotto_valkey *link)
{
    if (!link->told) {
        link->told = true;
        SOTTO_LOG(SOTTO_LOG_ERROR, "store_lost", SOTTO_LOG_ID("store", "valkey"),
                  SOTTO_LOG_NOTE("why", link->why));
    }
}

void valkey_lose(struct sotto_valkey *link, enum sotto_err err, const char *why)
{
    if (link->state == VALKEY_DOWN || link->state == VALKEY_STOPPED) {
        return;
    }
    snprintf(link->why, sizeof(link->why), "%s", why);
    tell_lost(link);
    drop(link, VALKEY_DOWN, err);
    link->pause_ms = link->pause_ms == 0 ? SOTTO_VALKEY_PAUSE_FIRST_MS : link->pause_ms * 2;
    link->pause_ms =
        link->pause_ms < SOTTO_VALKEY_PAUSE_LAST_MS ? link->pause_ms : SOTTO_VALKEY_PAUSE_LAST_MS;
    sotto_timer_arm(&link->timer, link->pause_ms);
}

void valkey_refuse(struct sotto_valkey *link, const char *why)
{
    link->refused = true;
    valkey_lose(link, SOTTO_EDENIED, why);
}

/* --- reading and writing ----------------------------------------------------------------------- */

static void on_opened(struct sotto_task *task)
{
    struct sotto_valkey *link = SOTTO_CONTAINER(task, struct sotto_valkey, task);
    if (link->state == VALKEY_OPEN) {
        link->options.on_open(link->options.ctx);
    }
}

static void arm_first(struct sotto_valkey *link)
{
    if (link->first != NULL) {
        int64_t left_ms = link->first->due_ms - sotto_loop_now_ms(link->loop);
        sotto_timer_arm(&link->timer, left_ms > 0 ? left_ms : 0);
    } else {
        sotto_timer_arm(&link->timer, SOTTO_VALKEY_SILENCE_MS);
    }
}

void valkey_opened(struct sotto_valkey *link)
{
    link->state = VALKEY_OPEN;
    link->refused = false;
    if (link->told) {
        SOTTO_LOG(SOTTO_LOG_INFO, "store_found", SOTTO_LOG_ID("store", "valkey"));
    }
    link->told = false;
    link->why[0] = '\0';
    for (struct sotto_valkey_call *call = link->first; call != NULL; call = call->next) {
        call->due_ms = sotto_loop_now_ms(link->loop) + link->options.wait_ms;
    }
    if (sotto_buf_append(&link->out, sotto_buf_span(&link->held)) != SOTTO_OK) {
        valkey_lose(link, SOTTO_ENOMEM, "out of memory");
        return;
    }
    sotto_buf_free(&link->held);
    arm_first(link);
    sotto_loop_defer(link->loop, &link->task, on_opened);
    valkey_write_on(link);
}

/* The oldest call ends. */
static void answered(struct sotto_valkey *link, enum sotto_err err,
                     const struct sotto_resp_reply *reply)
{
    struct sotto_valkey_call *call = link->first;
    link->first = call->next;
    link->last = link->first != NULL ? link->last : NULL;
    link->calls--;
    arm_first(link);
    call->fn(call, err, err == SOTTO_OK ? reply : NULL);
}

/* SOTTO_EIO: this command is wrong, and would be again.  SOTTO_ECLOSED: it was not carried out, but
 * may be later: the scripts are gone, or the server has become a replica.  Then all begins anew. */
static enum sotto_err outcome_of(const struct sotto_resp_reply *reply,
                                 char why[SOTTO_VALKEY_WHY_BYTES])
{
    static const char *const codes[] = {"NOSCRIPT", "READONLY", "NOAUTH", "NOPERM",
                                        "MOVED",    "LOADING",  "OOM",    "MISCONF"};
    if (reply->value.kind != SOTTO_RESP_ERROR) {
        return SOTTO_OK;
    }
    for (size_t i = 0; i < SOTTO_COUNT(codes); i++) {
        if (sotto_span_starts(reply->value.text, sotto_span_str(codes[i]))) {
            snprintf(why, SOTTO_VALKEY_WHY_BYTES, "the server answers with the error %s", codes[i]);
            return SOTTO_ECLOSED;
        }
    }
    SOTTO_LOG(SOTTO_LOG_ERROR, "store_error", SOTTO_LOG_ID("store", "valkey"));
    return SOTTO_EIO;
}

/* Hands out the answers that are whole. */
static void read_answers(struct sotto_valkey *link)
{
    struct sotto_resp_reply reply;
    char why[SOTTO_VALKEY_WHY_BYTES];
    size_t used = 0, taken = 0;
    while (link->state == VALKEY_GREETING || link->state == VALKEY_OPEN) {
        sotto_span in = sotto_span_skip(sotto_buf_span(&link->in), taken);
        if (in.len == 0) {
            break;
        }
        if (sotto_resp_read(in, &reply, &used) != SOTTO_OK ||
            (used != 0 && link->state == VALKEY_OPEN && link->first == NULL)) {
            valkey_lose(link, SOTTO_ECLOSED,
                        "the server answers what nobody asked: is it Valkey or Redis?");
            return;
        }
        if (used == 0) {
            break;
        }
        taken += used;
        if (link->state == VALKEY_GREETING) {
            valkey_greeted(link, &reply);
        } else {
            enum sotto_err err = outcome_of(&reply, why);
            if (err == SOTTO_OK) {
                link->pause_ms = 0;
            }
            answered(link, err, &reply);
            if (err == SOTTO_ECLOSED) {
                valkey_lose(link, SOTTO_ECLOSED, why);
            }
        }
    }
    if (link->in.len != 0) {
        sotto_buf_consume(&link->in, taken);
    }
}

void valkey_read_on(struct sotto_valkey *link)
{
    uint8_t *scratch = sotto_loop_scratch(link->loop);
    while (link->state == VALKEY_GREETING || link->state == VALKEY_OPEN) {
        size_t n = 0;
        enum sotto_tls_result result =
            sotto_wire_read(&link->wire, scratch, SOTTO_LOOP_SCRATCH_BYTES, &n);
        if (result == SOTTO_TLS_AGAIN) {
            return;
        }
        if (result != SOTTO_TLS_OK) {
            valkey_lose(link, SOTTO_ECLOSED, "the server closed the connection");
            return;
        }
        enum sotto_err err = sotto_buf_append(&link->in, sotto_span_init(scratch, n));
        sotto_wipe(scratch, n);
        if (err != SOTTO_OK) {
            valkey_lose(link, SOTTO_ENOMEM, "out of memory");
            return;
        }
        read_answers(link);
    }
}

void valkey_write_on(struct sotto_valkey *link)
{
    while (link->sent < link->out.len) {
        const struct iovec iov = sotto_wire_iov(
            sotto_span_init(link->out.base + link->sent, link->out.len - link->sent));
        size_t n = 0;
        enum sotto_tls_result result = sotto_wire_writev(&link->wire, &iov, 1, &n);
        if (result == SOTTO_TLS_AGAIN) {
            return;
        }
        if (result != SOTTO_TLS_OK) { /* the reader finds out */
            sotto_wire_readable(&link->wire, true);
            return;
        }
        link->sent += n;
    }
    sotto_buf_truncate(&link->out, 0);
    link->sent = 0;
}

/* --- the interface ----------------------------------------------------------------------------- */

static void on_begin(struct sotto_task *task)
{
    valkey_begin(SOTTO_CONTAINER(task, struct sotto_valkey, task));
}

static void on_sign(struct sotto_valkey_call *call, enum sotto_err err,
                    const struct sotto_resp_reply *reply)
{
    (void)call; /* what there is to know, the connection knows */
    (void)err;
    (void)reply;
}

/* TIME, because users of the server may be allowed what the scripts need and nothing else. */
static void ask_sign(struct sotto_valkey *link)
{
    static const sotto_span words[] = {SOTTO_LIT_INIT("TIME")};
    if (sotto_valkey_send(link, &link->sign, on_sign, words, SOTTO_COUNT(words)) != SOTTO_OK) {
        arm_first(link); /* no memory: later */
    }
}

static void on_timer(struct sotto_timer *timer)
{
    struct sotto_valkey *link = SOTTO_CONTAINER(timer, struct sotto_valkey, timer);
    if (link->state == VALKEY_DOWN) {
        valkey_begin(link);
    } else if (link->state == VALKEY_OPEN && link->first == NULL) {
        ask_sign(link);
    } else {
        valkey_lose(link, SOTTO_ETIMEOUT,
                    link->state == VALKEY_OPEN ? "the server does not answer in time"
                                               : "the server cannot be reached in time");
    }
}

enum sotto_err sotto_valkey_new(struct sotto_loop *loop, const struct sotto_valkey_options *options,
                                struct sotto_valkey **out)
{
    struct sotto_valkey *link = sotto_calloc(1, sizeof(*link));
    if (link == NULL) {
        return SOTTO_ENOMEM;
    }
    link->loop = loop;
    link->options = *options;
    link->wire.fd = -1;
    sotto_buf_init(&link->in, 2 * SOTTO_LOOP_SCRATCH_BYTES + SOTTO_RESP_BULK_MAX * 2);
    sotto_buf_init(&link->out, 2 * SOTTO_VALKEY_BYTES_MAX);
    sotto_buf_init(&link->held, SOTTO_VALKEY_BYTES_MAX);
    enum sotto_err err = sotto_timer_open(loop, &link->timer, on_timer);
    if (err != SOTTO_OK) {
        sotto_free(link);
        return err;
    }
    link->state = VALKEY_RESOLVING; /* as good as: commands wait */
    sotto_loop_defer(loop, &link->task, on_begin);
    *out = link;
    return SOTTO_OK;
}

void sotto_valkey_stop(struct sotto_valkey *link)
{
    if (link->state == VALKEY_OPEN) {
        valkey_write_on(link);
    }
    if (link->state != VALKEY_STOPPED) {
        drop(link, VALKEY_STOPPED, SOTTO_ECLOSED);
        sotto_timer_close(&link->timer);
    }
}

void sotto_valkey_free(struct sotto_valkey *link)
{
    if (link != NULL) {
        sotto_valkey_stop(link);
        sotto_buf_free(&link->in);
        sotto_buf_free(&link->out);
        sotto_buf_free(&link->held);
        sotto_free(link);
    }
}

enum sotto_err sotto_valkey_send(struct sotto_valkey *link, struct sotto_valkey_call *call,
                                 sotto_valkey_fn *fn, const sotto_span *words, size_t count)
{
    if (link->state == VALKEY_DOWN || link->state == VALKEY_STOPPED) {
        return SOTTO_ECLOSED;
    }
    struct sotto_buf *to = link->state == VALKEY_OPEN ? &link->out : &link->held;
    if (link->calls >= SOTTO_VALKEY_CALLS_MAX || to->len >= SOTTO_VALKEY_BYTES_MAX) {
        return SOTTO_ELIMIT;
    }
    bool idle = link->out.len == 0;
    enum sotto_err err = sotto_resp_write(words, count, to);
    if (err != SOTTO_OK) {
        return err;
    }
    *call = (struct sotto_valkey_call){
        .fn = fn, .due_ms = sotto_loop_now_ms(link->loop) + link->options.wait_ms};
    if (link->last != NULL) {
        link->last->next = call;
    } else {
        link->first = call;
    }
    link->last = call;
    link->calls++;
    if (link->state == VALKEY_OPEN) {
        if (link->calls == 1) {
            arm_first(link);
        }
        if (idle) {
            valkey_write_on(link);
        }
    }
    return SOTTO_OK;
}

bool sotto_valkey_is_open(const struct sotto_valkey *link)
{
    return link->state == VALKEY_OPEN;
}

bool sotto_valkey_is_refused(const struct sotto_valkey *link)
{
    return link->refused;
}

const char *sotto_valkey_run_id(const struct sotto_valkey *link)
{
    return link->run_id;
}

const char *sotto_valkey_why(const struct sotto_valkey *link)
{
    return link->why;
}
