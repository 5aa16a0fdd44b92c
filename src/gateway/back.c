/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/back.h"

#include "base/alloc.h"
#include "gateway/streams.h"

/* How long an upstream may take to end an answer whose last event has come. */
#define BACK_RUN_OUT_MS 2000

/* How many setups are kept for requests that began with them and have yet to be sent: as many
 * reloads may happen while a long text is masked. */
#define BACK_SETS_KEPT 64

/* The pools of one setup; kept while it is one of the newest, and until the last fetch that uses
 * them is over. */
struct back_set {
    struct back_set *next;
    struct sotto_back_setup *setup;
    size_t running;
    struct sotto_pool *pools[];
};

struct back_stream {
    struct sotto_back *back;
    struct back_set *set;
    struct sotto_fetch *fetch;
    uint64_t id;
    bool paused; /* by the vault */
    bool over;   /* the vault has all it needs; what still comes only frees the connection */
    struct back_stream *next, **link; /* among those that are over */
};

/* A fetch that cannot start is told later: the vault is in the middle of its own call. */
struct back_refusal {
    struct sotto_task task;
    struct sotto_back *back;
    uint64_t id;
    enum sotto_err err;
    struct back_refusal *next;
};

struct sotto_back {
    struct sotto_loop *loop;
    struct sotto_resolver *resolver;
    struct sotto_tls_context *tls;
    struct sotto_door to_vault;
    bool held; /* the door is full */
    struct sotto_streams streams;
    struct back_stream *over;      /* no longer in `streams`: their numbers are used again */
    struct back_set *sets;         /* the first one is in use */
    struct back_refusal *refusals; /* not told yet */
    struct sotto_task sweep_task;  /* pools are not freed inside their own callbacks */
};

static void set_free(struct back_set *set)
{
    for (size_t i = 0; i < set->setup->count; i++) {
        sotto_pool_free(set->pools[i]);
    }
    sotto_free(set->setup);
    sotto_free(set);
}

static void sweep(struct sotto_task *task)
{
    struct sotto_back *back = SOTTO_CONTAINER(task, struct sotto_back, sweep_task);
    struct back_set **at = &back->sets;
    for (int kept = 0; kept < BACK_SETS_KEPT && *at != NULL; kept++) {
        at = &(*at)->next;
    }
    while (*at != NULL) {
        struct back_set *set = *at;
        if (set->running == 0) {
            *at = set->next;
            set_free(set);
        } else {
            at = &set->next;
        }
    }
}

static void forget(struct back_stream *s)
{
    struct sotto_back *back = s->back;
    if (s->set != NULL) {
        s->set->running--;
        sotto_loop_defer(back->loop, &back->sweep_task, sweep);
    }
    if (s->over) {
        *s->link = s->next;
        if (s->next != NULL) {
            s->next->link = s->link;
        }
    } else {
        sotto_streams_drop(&back->streams, s->id);
    }
    sotto_free(s);
}

/* The rest runs out by itself, without a number: the front may give that to its next request. */
static void let_run_out(struct back_stream *s)
{
    struct sotto_back *back = s->back;
    sotto_streams_drop(&back->streams, s->id);
    s->over = true;
    s->next = back->over;
    s->link = &back->over;
    if (s->next != NULL) {
        s->next->link = &s->next;
    }
    back->over = s;
    sotto_fetch_let_end(s->fetch, BACK_RUN_OUT_MS);
}

static void tell(struct sotto_back *back, uint64_t id, enum sotto_err why)
{
    struct sotto_door_msg msg = {.kind = SOTTO_DOOR_CLOSE, .stream = id, .arg = why};
    sotto_door_put(&back->to_vault, &msg);
}

static void on_head(void *ctx, struct sotto_fetch *fetch, int status, sotto_span head)
{
    struct back_stream *s = ctx;
    (void)fetch;
    struct sotto_door_msg msg = {
        .kind = SOTTO_DOOR_CHUNK, .stream = s->id, .arg = status, .head = head};
    if (!s->over) {
        sotto_door_put(&s->back->to_vault, &msg);
    }
}

static void on_body(void *ctx, struct sotto_fetch *fetch, sotto_span piece)
{
    struct back_stream *s = ctx;
    (void)fetch;
    struct sotto_door_msg msg = {.kind = SOTTO_DOOR_CHUNK, .stream = s->id, .body = piece};
    if (!s->over) {
        sotto_door_put(&s->back->to_vault, &msg);
    }
}

static void on_end(void *ctx, struct sotto_fetch *fetch)
{
    struct back_stream *s = ctx;
    struct sotto_back *back = s->back;
    struct sotto_door_msg msg = {
        .kind = SOTTO_DOOR_CHUNK, .flags = SOTTO_DOOR_LAST, .stream = s->id};
    bool over = s->over;
    (void)fetch;
    forget(s);
    if (!over) {
        sotto_door_put(&back->to_vault, &msg);
    }
}

static enum sotto_err reason_of(enum sotto_fetch_error error)
{
    switch (error) {
    case SOTTO_FETCH_UNREACHABLE:
        return SOTTO_EUPSTREAM;
    case SOTTO_FETCH_TIMEOUT:
        return SOTTO_ETIMEOUT;
    case SOTTO_FETCH_TLS:
        return SOTTO_ECRYPTO;
    case SOTTO_FETCH_PROTOCOL:
        return SOTTO_EFORMAT;
    case SOTTO_FETCH_CUT:
        return SOTTO_ECLOSED;
    case SOTTO_FETCH_BUSY:
        return SOTTO_EQUOTA;
    case SOTTO_FETCH_MEMORY:
        return SOTTO_ENOMEM;
    }
    return SOTTO_EUPSTREAM;
}

static void on_error(void *ctx, struct sotto_fetch *fetch, enum sotto_fetch_error error,
                     const char *reason)
{
    struct back_stream *s = ctx;
    struct sotto_back *back = s->back;
    uint64_t id = s->id;
    bool over = s->over;
    (void)fetch;
    (void)reason;
    forget(s);
    if (!over) {
        tell(back, id, reason_of(error));
    }
}

static const struct sotto_fetch_handler handler = {
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
};

enum sotto_err sotto_back_new(struct sotto_loop *loop, struct sotto_resolver *resolver,
                              struct sotto_tls_context *tls, struct sotto_back **out)
{
    struct sotto_back *back = sotto_calloc(1, sizeof(*back));
    if (back == NULL) {
        return SOTTO_ENOMEM;
    }
    back->loop = loop;
    back->resolver = resolver;
    back->tls = tls;
    *out = back;
    return SOTTO_OK;
}

void sotto_back_connect(struct sotto_back *back, struct sotto_door to_vault)
{
    back->to_vault = to_vault;
}

enum sotto_err sotto_back_use(struct sotto_back *back, struct sotto_back_setup *setup)
{
    size_t count = setup->count;
    struct back_set *set = sotto_calloc(1, sizeof(*set) + count * sizeof(struct sotto_pool *));
    if (set == NULL) {
        return SOTTO_ENOMEM;
    }
    set->setup = setup;
    for (size_t i = 0; i < count; i++) {
        const struct sotto_back_upstream *up = &setup->upstreams[i];
        enum sotto_err err = SOTTO_OK;
        if (!up->none) {
            err =
                sotto_pool_new(back->loop, back->resolver, back->tls, &up->limits, &set->pools[i]);
        }
        if (err != SOTTO_OK) {
            for (size_t k = 0; k < i; k++) {
                sotto_pool_free(set->pools[k]);
            }
            sotto_free(set);
            return err;
        }
    }
    set->next = back->sets;
    back->sets = set;
    sotto_loop_defer(back->loop, &back->sweep_task, sweep);
    return SOTTO_OK;
}

void sotto_back_free(struct sotto_back *back)
{
    if (back == NULL) {
        return;
    }
    sotto_loop_undefer(back->loop, &back->sweep_task);
    while (back->refusals != NULL) {
        struct back_refusal *r = back->refusals;
        back->refusals = r->next;
        sotto_loop_undefer(back->loop, &r->task);
        sotto_free(r);
    }
    while (back->sets != NULL) {
        struct back_set *set = back->sets;
        back->sets = set->next;
        set_free(set);
    }
    for (size_t i = 0; i < back->streams.cap; i++) {
        sotto_free(back->streams.entries[i].item);
    }
    for (struct back_stream *s = back->over, *next; s != NULL; s = next) {
        next = s->next;
        sotto_free(s);
    }
    sotto_streams_free(&back->streams);
    sotto_free(back);
}

static struct back_set *find_set(struct sotto_back *back, uint32_t number)
{
    struct back_set *set = back->sets;
    while (set != NULL && set->setup->number != number) {
        set = set->next;
    }
    return set;
}

static enum sotto_err start(struct sotto_back *back, struct back_stream *s,
                            const struct sotto_door_msg *msg)
{
    if (s->set == NULL || (uint64_t)msg->arg >= s->set->setup->count ||
        s->set->pools[msg->arg] == NULL) {
        s->set = NULL;
        return SOTTO_EUPSTREAM;
    }
    s->set->running++;
    const struct sotto_back_upstream *up = &s->set->setup->upstreams[msg->arg];
    struct sotto_origin origin = {
        .host = sotto_span_str(up->host), .port = up->port, .tls = up->tls, .http2 = up->http2};
    enum sotto_err err = sotto_streams_put(&back->streams, s->id, s);
    if (err != SOTTO_OK) {
        return err;
    }
    err = sotto_fetch_start(s->set->pools[msg->arg], &origin, msg->body, &handler, s, &s->fetch);
    if (err == SOTTO_OK && back->held) {
        sotto_fetch_pause(s->fetch);
    }
    return err;
}

static void refuse(struct sotto_task *task)
{
    struct back_refusal *r = SOTTO_CONTAINER(task, struct back_refusal, task);
    for (struct back_refusal **at = &r->back->refusals; *at != NULL; at = &(*at)->next) {
        if (*at == r) {
            *at = r->next;
            break;
        }
    }
    tell(r->back, r->id, r->err);
    sotto_free(r);
}

static void fetch(struct sotto_back *back, const struct sotto_door_msg *msg)
{
    struct back_stream *s = sotto_calloc(1, sizeof(*s));
    struct back_refusal *r;
    enum sotto_err err = SOTTO_ENOMEM;
    if (s != NULL) {
        s->back = back;
        s->set = find_set(back, msg->flags);
        s->id = msg->stream;
        err = start(back, s, msg);
    }
    if (err == SOTTO_OK) {
        return;
    }
    if (s != NULL) {
        forget(s);
    }
    r = sotto_calloc(1, sizeof(*r));
    if (r == NULL) {
        tell(back, msg->stream, SOTTO_ENOMEM);
        return;
    }
    *r = (struct back_refusal){.back = back, .id = msg->stream, .err = err, .next = back->refusals};
    back->refusals = r;
    sotto_loop_defer(back->loop, &r->task, refuse);
}

void sotto_back_from_vault(void *ctx, const struct sotto_door_msg *msg)
{
    struct sotto_back *back = ctx;
    if (msg->kind == SOTTO_DOOR_FETCH) {
        fetch(back, msg);
        return;
    }
    struct back_stream *s = sotto_streams_find(&back->streams, msg->stream);
    if (s == NULL) {
        return;
    }
    if (msg->kind == SOTTO_DOOR_PAUSE) {
        s->paused = true;
        sotto_fetch_pause(s->fetch);
    } else if (msg->kind == SOTTO_DOOR_RESUME) {
        s->paused = false;
        if (!back->held) {
            sotto_fetch_resume(s->fetch);
        }
    } else if (msg->kind == SOTTO_DOOR_CLOSE && msg->arg == SOTTO_OK) {
        let_run_out(s);
    } else if (msg->kind == SOTTO_DOOR_CLOSE) {
        sotto_fetch_cancel(s->fetch);
        forget(s);
    }
}

void sotto_back_hold(struct sotto_back *back, bool held)
{
    back->held = held;
    for (size_t i = 0; i < back->streams.cap; i++) {
        struct back_stream *s = back->streams.entries[i].item;
        if (back->streams.entries[i].id == 0 || s->fetch == NULL) {
            continue;
        }
        if (held) {
            sotto_fetch_pause(s->fetch);
        } else if (!s->paused) {
            sotto_fetch_resume(s->fetch);
        }
    }
}
