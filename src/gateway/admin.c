/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/admin.h"

#include "base/alloc.h"
#include "http/head.h"
#include "sys/clock.h"

/* A request to the API, on its way through the side thread. */
struct sotto_admin_job {
    struct sotto_side_work work;
    struct sotto_admin *admin;
    struct sotto_admin_job *next, **link; /* in the admin's list */
    uint64_t stream;
    struct sotto_buf head, body;
    struct sotto_admin_answer answer;
};

struct sotto_admin {
    struct sotto_admin_options options;
    struct sotto_admin_job *jobs;
    size_t job_count;
    bool ready;
    bool ended;
};

static void answer(struct sotto_admin *admin, uint64_t stream, int status, const char *lines,
                   sotto_span body)
{
    struct sotto_door_msg msg = {
        .kind = SOTTO_DOOR_REPLY,
        .flags = SOTTO_DOOR_LAST,
        .stream = stream,
        .arg = status,
        .head = sotto_span_str(lines),
        .body = body,
    };
    sotto_door_put(&admin->options.front, &msg);
}

static void say(struct sotto_admin *admin, uint64_t stream, int status, const char *lines,
                const char *body)
{
    answer(admin, stream, status, lines, sotto_span_str(body));
}

static void say_metrics(struct sotto_admin *admin, uint64_t stream)
{
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    if (admin->options.metrics(admin->options.ctx, &out) == SOTTO_OK) {
        answer(admin, stream, 200, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n",
               sotto_buf_span(&out));
    } else {
        say(admin, stream, 503, "Content-Type: text/plain; charset=utf-8\r\n", "no memory\n");
    }
    sotto_buf_free(&out);
}

/* --- the API ----------------------------------------------------------------------------------- */

static void job_free(struct sotto_admin_job *job)
{
    *job->link = job->next;
    if (job->next != NULL) {
        job->next->link = job->link;
    }
    job->admin->job_count--;
    sotto_buf_free(&job->head);
    sotto_buf_free(&job->body);
    sotto_buf_free(&job->answer.body);
    sotto_free(job);
}

static void job_run(struct sotto_side_work *work)
{
    struct sotto_admin_job *job = SOTTO_CONTAINER(work, struct sotto_admin_job, work);
    sotto_admin_api_run(&job->admin->options.api, sotto_buf_span(&job->head),
                        sotto_buf_span(&job->body), sotto_wall_s(), &job->answer);
}

static void answer_job(struct sotto_admin_job *job)
{
    answer(job->admin, job->stream, job->answer.status,
           job->answer.status == 401
               ? "Content-Type: application/json\r\nCache-Control: no-store\r\n"
                 "WWW-Authenticate: Bearer\r\n"
               : "Content-Type: application/json\r\nCache-Control: no-store\r\n",
           sotto_buf_span(&job->answer.body));
    job_free(job);
}

void sotto_admin_reloaded(struct sotto_admin_job *job, bool taken)
{
    if (taken) {
        sotto_ignore(sotto_buf_append(&job->answer.body, SOTTO_LIT("{\"reloaded\":true}")));
    } else {
        sotto_admin_api_fail(&job->answer, 400, "configuration_invalid",
                             "The configuration is not valid and the old one stays. `sotto check` "
                             "and the gateway's standard error say what is wrong.");
    }
    answer_job(job);
}

/* In the loop's thread.  A client that went away meanwhile is one that the front does not know. */
static void job_done(struct sotto_side_work *work)
{
    struct sotto_admin_job *job = SOTTO_CONTAINER(work, struct sotto_admin_job, work);
    struct sotto_admin *admin = job->admin;
    if (admin->ended) {
        job_free(job);
    } else if (!job->answer.reload) {
        answer_job(job);
    } else if (admin->options.reload(admin->options.ctx, job) != SOTTO_OK) {
        sotto_admin_api_fail(&job->answer, 503, NULL, "There is no memory.");
        answer_job(job);
    }
}

static void ask_api(struct sotto_admin *admin, const struct sotto_door_msg *msg)
{
    struct sotto_admin_job *job =
        admin->job_count < SOTTO_ADMIN_WAITING_MAX ? sotto_calloc(1, sizeof(*job)) : NULL;
    if (job == NULL) {
        say(admin, msg->stream, 503,
            "Content-Type: text/plain; charset=utf-8\r\nRetry-After: 1\r\n",
            "too many requests wait\n");
        return;
    }
    job->admin = admin;
    job->stream = msg->stream;
    job->next = admin->jobs;
    job->link = &admin->jobs;
    if (job->next != NULL) {
        job->next->link = &job->next;
    }
    admin->jobs = job;
    admin->job_count++;
    sotto_buf_init(&job->head, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&job->body, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&job->answer.body, SOTTO_BUF_UNBOUNDED);
    if (sotto_buf_append(&job->head, msg->head) != SOTTO_OK ||
        sotto_buf_append(&job->body, msg->body) != SOTTO_OK) {
        say(admin, msg->stream, 503, "Content-Type: text/plain; charset=utf-8\r\n", "no memory\n");
        job_free(job);
        return;
    }
    job->work =
        (struct sotto_side_work){.run = job_run, .done = job_done, .loop = admin->options.loop};
    sotto_side_put(admin->options.side, &job->work);
}

/* --- requests ---------------------------------------------------------------------------------- */

void sotto_admin_from_front(void *ctx, const struct sotto_door_msg *msg)
{
    static const char plain[] = "Content-Type: text/plain; charset=utf-8\r\n";
    struct sotto_admin *admin = ctx;
    struct sotto_http_head head;
    const char *trouble;
    if (msg->kind != SOTTO_DOOR_OPEN) {
        return; /* what comes of it is dropped by the front */
    }
    if (sotto_http_head_index(msg->head, true, &head) != SOTTO_OK) {
        say(admin, msg->stream, 500, plain, "error\n");
        return;
    }
    sotto_span path = sotto_http_path(&head);
    bool live = sotto_span_eq(path, SOTTO_LIT("/livez"));
    bool ready = sotto_span_eq(path, SOTTO_LIT("/readyz"));
    bool metrics = sotto_span_eq(path, SOTTO_LIT("/metrics"));
    if (sotto_span_starts(path, SOTTO_LIT("/admin/v1/"))) {
        ask_api(admin, msg);
        return;
    }
    if (!live && !ready && !metrics) {
        say(admin, msg->stream, 404, plain,
            sotto_span_starts(path, SOTTO_LIT("/v1/"))
                ? "This is the admin listener. Clients' requests go to the gateway's other "
                  "address: 127.0.0.1:8484 unless configured.\n"
                : "There is /, /livez, /readyz, /metrics and /admin/v1/.\n");
    } else if (!sotto_span_eq(head.method, SOTTO_LIT("GET"))) {
        say(admin, msg->stream, 405, "Content-Type: text/plain; charset=utf-8\r\nAllow: GET\r\n",
            "GET only.\n");
    } else if (metrics) {
        say_metrics(admin, msg->stream);
    } else if (!live && !admin->ready) {
        say(admin, msg->stream, 503, plain, "not ready\n");
    } else if (!live && (trouble = admin->options.trouble(admin->options.ctx)) != NULL) {
        say(admin, msg->stream, 503, plain, trouble);
    } else {
        say(admin, msg->stream, 200, plain, "ok\n");
    }
}

enum sotto_err sotto_admin_new(const struct sotto_admin_options *options, struct sotto_admin **out)
{
    struct sotto_admin *admin = sotto_calloc(1, sizeof(*admin));
    if (admin == NULL) {
        return SOTTO_ENOMEM;
    }
    admin->options = *options;
    *out = admin;
    return SOTTO_OK;
}

void sotto_admin_set_ready(struct sotto_admin *admin, bool ready)
{
    admin->ready = ready;
}

void sotto_admin_disconnect(struct sotto_admin *admin)
{
    if (admin != NULL) {
        admin->ended = true;
    }
}

void sotto_admin_free(struct sotto_admin *admin)
{
    if (admin == NULL) {
        return;
    }
    while (admin->jobs != NULL) {
        job_free(admin->jobs);
    }
    sotto_key_table_unref(admin->options.api.handle);
    sotto_free(admin);
}
