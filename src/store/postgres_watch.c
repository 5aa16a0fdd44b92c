/* SPDX-License-Identifier: Apache-2.0 */

#include "store/postgres_watch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/alloc.h"
#include "store/postgres_link.h"
#include "sys/clock.h"
#include "sys/log.h"

struct postgres_watch {
    struct postgres_link *link; /* of the thread */
    pthread_t thread;
    bool started;
    int wake; /* written to at the end */
    uint64_t trust_ms;
    atomic_bool ending;
    atomic_uint_fast64_t generation;
    atomic_int_fast64_t known_at_ms; /* when the question was sent that was answered last */

    /* of the thread */
    bool asked;         /* once at least */
    int64_t number;     /* of the keys' state, in the database */
    uint64_t listening; /* number of the connection that listens */
    bool up;
};

static const struct postgres_statement ask_number = {
    .name = "watch_number",
    .sql = "SELECT generation FROM sotto.fleet",
};

/* Where the connection is a new one, it has to be told to listen, before the question: what is
 * changed after that is told. */
static enum sotto_err start_listening(struct postgres_watch *w)
{
    if (w->asked && w->listening == postgres_connections(w->link) &&
        postgres_socket(w->link) >= 0) {
        return SOTTO_OK;
    }
    enum sotto_err err = postgres_script(w->link, "LISTEN sotto_keys");
    if (err == SOTTO_OK) {
        w->listening = postgres_connections(w->link);
    }
    return err;
}

static void note_number(struct postgres_watch *w, int64_t number)
{
    /* Another number, not only a greater one: a copy that took over may be behind. */
    if (!w->asked || number != w->number) {
        atomic_fetch_add(&w->generation, 1);
    }
    w->asked = true;
    w->number = number;
}

static enum sotto_err ask(struct postgres_watch *w)
{
    PGresult *result = NULL;
    int64_t sent_at_ms = sotto_clock_ms();
    enum sotto_err err = start_listening(w);
    if (err == SOTTO_OK) {
        err = postgres_run(w->link, &ask_number, NULL, &result);
    }
    if (err == SOTTO_OK && w->listening != postgres_connections(w->link)) {
        PQclear(result); /* it was connected anew in between, and does not listen yet */
        return SOTTO_EIO;
    }
    if (err == SOTTO_OK) {
        if (PQntuples(result) == 1) {
            note_number(w, postgres_int(result, 0, 0));
            atomic_store(&w->known_at_ms, sent_at_ms);
        }
        PQclear(result);
    }
    return err;
}

static void tell(struct postgres_watch *w, bool up)
{
    if (up == w->up) {
        return;
    }
    w->up = up;
    if (up) {
        SOTTO_LOG(SOTTO_LOG_INFO, "store_back",
                  SOTTO_LOG_INT("connections", postgres_connections(w->link)));
    } else {
        SOTTO_LOG(SOTTO_LOG_ERROR, "store_lost", SOTTO_LOG_NOTE("why", postgres_link_why(w->link)),
                  SOTTO_LOG_INT("keys_trusted_ms", w->trust_ms));
    }
}

/* Until something was told, the time is over, or the end. */
static void wait_for_more(struct postgres_watch *w, int64_t wait_ms)
{
    int64_t until_ms = sotto_clock_ms() + wait_ms;
    for (bool told = false; !told && !atomic_load(&w->ending);) {
        struct pollfd fds[2] = {{w->wake, POLLIN, 0}, {postgres_socket(w->link), POLLIN, 0}};
        int64_t left_ms = until_ms - sotto_clock_ms();
        if (left_ms <= 0) {
            return;
        }
        int n = poll(fds, fds[1].fd >= 0 ? 2 : 1, (int)left_ms);
        if (n > 0 && fds[1].fd >= 0 && fds[1].revents != 0 &&
            postgres_notified(w->link, &told) != SOTTO_OK) {
            return; /* the next question connects again */
        }
    }
}

static void *watch_main(void *arg)
{
    struct postgres_watch *w = arg;
    while (!atomic_load(&w->ending)) {
        enum sotto_err err = ask(w);
        tell(w, err == SOTTO_OK);
        /* The link knows by itself when it may be connected again. */
        wait_for_more(w, err == SOTTO_OK ? POSTGRES_POLL_MS : POSTGRES_POLL_MS / 10);
    }
    return NULL;
}

enum sotto_err postgres_watch_new(sotto_span url, struct postgres_watch **out)
{
    struct postgres_watch *w = sotto_calloc(1, sizeof(*w));
    if (w == NULL) {
        return SOTTO_ENOMEM;
    }
    w->up = true;
    w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum sotto_err err = w->wake >= 0 ? postgres_link_new(url, &w->link) : SOTTO_EIO;
    if (err != SOTTO_OK) {
        postgres_watch_free(w);
        return err;
    }
    *out = w;
    return SOTTO_OK;
}

void postgres_watch_free(struct postgres_watch *w)
{
    if (w == NULL) {
        return;
    }
    if (w->started) {
        const uint64_t one = 1;
        atomic_store(&w->ending, true);
        while (write(w->wake, &one, sizeof(one)) < 0 && errno == EINTR) {
        }
        pthread_join(w->thread, NULL);
    }
    postgres_link_free(w->link);
    if (w->wake >= 0) {
        close(w->wake);
    }
    sotto_free(w);
}

enum sotto_err postgres_watch_start(struct postgres_watch *w, uint64_t trust_ms)
{
    w->trust_ms = trust_ms;
    atomic_store(&w->known_at_ms, sotto_clock_ms());
    if (pthread_create(&w->thread, NULL, watch_main, w) != 0) {
        return SOTTO_EIO;
    }
    w->started = true;
    return SOTTO_OK;
}

uint64_t postgres_watch_generation(const struct postgres_watch *w)
{
    return atomic_load_explicit(&w->generation, memory_order_acquire);
}

void postgres_watch_bump(struct postgres_watch *w)
{
    atomic_fetch_add(&w->generation, 1);
}

bool postgres_watch_trusted(const struct postgres_watch *w)
{
    return !w->started || sotto_clock_ms() - atomic_load(&w->known_at_ms) <= (int64_t)w->trust_ms;
}
