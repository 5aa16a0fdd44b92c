/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/trail.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/alloc.h"
#include "crypto/base62.h"
#include "store/secrets.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/log.h"

/* Between two checkpoints, between two tries after a failure, and between two counts. */
#define TRAIL_PUBLISH_MS 500
#define TRAIL_COUNT_MS   60000

struct sotto_trail {
    struct sotto_audit_log *log;
    char folder[4096];
    bool strict;
    bool fleet; /* other gateways write the same log */
    atomic_bool healthy;
    atomic_uint_fast64_t counted; /* requests without a key since the last entry about them */
    atomic_uint_fast64_t lost;    /* entries that could not be committed, likewise */

    pthread_mutex_t mutex;
    pthread_cond_t more, idle, end;
    struct sotto_trail_ticket *first, **last;
    bool busy; /* the committer has tickets in hand */
    bool ending, stopped;
    pthread_t committer, publisher;
    bool committing, publishing; /* the threads were started */
};

struct sotto_trail_ticket *sotto_trail_ticket_new(void)
{
    struct sotto_trail_ticket *ticket = sotto_calloc(1, sizeof(*ticket));
    if (ticket != NULL) {
        sotto_buf_init(&ticket->record, SOTTO_AUDIT_RECORD_MAX);
    }
    return ticket;
}

void sotto_trail_ticket_free(struct sotto_trail_ticket *ticket)
{
    if (ticket != NULL) {
        sotto_buf_free(&ticket->record);
        sotto_free(ticket);
    }
}

bool sotto_trail_strict(const struct sotto_trail *trail)
{
    return trail->strict;
}

bool sotto_trail_healthy(const struct sotto_trail *trail)
{
    return atomic_load_explicit(&trail->healthy, memory_order_relaxed);
}

struct sotto_audit_log *sotto_trail_log(struct sotto_trail *trail)
{
    return trail->log;
}

void sotto_trail_count(struct sotto_trail *trail)
{
    atomic_fetch_add_explicit(&trail->counted, 1, memory_order_relaxed);
}

static void note_failure(struct sotto_trail *trail, enum sotto_err err, size_t entries)
{
    atomic_fetch_add(&trail->lost, entries);
    if (atomic_exchange(&trail->healthy, false)) {
        SOTTO_LOG(SOTTO_LOG_ERROR, "audit_failed", SOTTO_LOG_ERR("why", err),
                  SOTTO_LOG_TEXT("effect", "requests are refused until it works again"));
    }
}

static void note_success(struct sotto_trail *trail)
{
    if (!atomic_exchange(&trail->healthy, true)) {
        SOTTO_LOG(SOTTO_LOG_WARN, "audit_works_again",
                  SOTTO_LOG_INT("lost", atomic_load(&trail->lost)));
    }
}

void sotto_trail_lost(struct sotto_trail *trail)
{
    note_failure(trail, SOTTO_ENOMEM, 1);
}

/* --- committing -------------------------------------------------------------------------------- */

/* Tickets that came back together. */
static void done_in_loop(struct sotto_task *task)
{
    struct sotto_trail_ticket *t = SOTTO_CONTAINER(task, struct sotto_trail_ticket, task);
    while (t != NULL) {
        struct sotto_trail_ticket *next = t->next; /* `done` frees the ticket */
        t->done(t);
        t = next;
    }
}

static enum sotto_err append(struct sotto_trail *trail, const struct sotto_audit_item *items,
                             size_t count)
{
    enum sotto_err err = sotto_audit_append(trail->log, items, count);
    if (err != SOTTO_OK) {
        note_failure(trail, err, count);
    } else {
        note_success(trail);
    }
    return err;
}

/* Takes those of the first one's loop off a list; the rest keeps its order. */
static struct sotto_trail_ticket *take_loop(struct sotto_trail_ticket **list)
{
    struct sotto_trail_ticket *first = *list, *mine = first, **rest = list;
    for (struct sotto_trail_ticket *t = first->next; t != NULL; t = t->next) {
        if (t->loop == first->loop) {
            mine->next = t;
            mine = t;
        } else {
            *rest = t;
            rest = &t->next;
        }
    }
    mine->next = NULL;
    *rest = NULL;
    return first;
}

/* Tells whoever waits: each loop is woken once. */
static void hand_back(struct sotto_trail *trail, struct sotto_trail_ticket *list)
{
    while (list != NULL) {
        struct sotto_trail_ticket *t = take_loop(&list);
        if (t->loop == NULL) {
            for (struct sotto_trail_ticket *next; t != NULL; t = next) {
                next = t->next;
                sotto_trail_ticket_free(t);
            }
        } else if (trail->stopped) {
            done_in_loop(&t->task);
        } else {
            sotto_loop_post(t->loop, &t->task, done_in_loop);
        }
    }
}

/* Commits a list, a batch at a time. */
static void commit(struct sotto_trail *trail, struct sotto_trail_ticket *list)
{
    struct sotto_audit_item items[SOTTO_AUDIT_BATCH_MAX];
    while (list != NULL) {
        struct sotto_trail_ticket *from = list, **end = &from;
        size_t count = 0;
        for (; *end != NULL && count < SOTTO_COUNT(items); end = &(*end)->next) {
            items[count++] = (struct sotto_audit_item){(*end)->id, sotto_span_str((*end)->subject),
                                                       sotto_buf_span(&(*end)->record)};
        }
        list = *end;
        *end = NULL;
        enum sotto_err err = append(trail, items, count);
        for (struct sotto_trail_ticket *t = from; t != NULL; t = t->next) {
            t->result = err;
        }
        hand_back(trail, from);
    }
}

static void *commit_main(void *arg)
{
    struct sotto_trail *trail = arg;
    pthread_mutex_lock(&trail->mutex);
    while (trail->first != NULL || !trail->ending) {
        struct sotto_trail_ticket *list = trail->first;
        if (list == NULL) {
            pthread_cond_wait(&trail->more, &trail->mutex);
            continue;
        }
        trail->first = NULL;
        trail->last = &trail->first;
        trail->busy = true;
        pthread_mutex_unlock(&trail->mutex);
        commit(trail, list); /* what comes meanwhile is the next batch: one sync for all of it */
        pthread_mutex_lock(&trail->mutex);
        trail->busy = false;
        pthread_cond_broadcast(&trail->idle);
    }
    pthread_mutex_unlock(&trail->mutex);
    return NULL;
}

void sotto_trail_put(struct sotto_trail *trail, struct sotto_trail_ticket *tickets)
{
    struct sotto_trail_ticket *last = tickets;
    if (trail->stopped) {
        commit(trail, tickets);
        return;
    }
    while (last->next != NULL) {
        last = last->next;
    }
    pthread_mutex_lock(&trail->mutex);
    bool wake = trail->first == NULL;
    *trail->last = tickets;
    trail->last = &last->next;
    pthread_mutex_unlock(&trail->mutex);
    if (wake) {
        pthread_cond_signal(&trail->more);
    }
}

void sotto_trail_settle(struct sotto_trail *trail)
{
    pthread_mutex_lock(&trail->mutex);
    while (trail->busy || trail->first != NULL) {
        pthread_cond_wait(&trail->idle, &trail->mutex);
    }
    pthread_mutex_unlock(&trail->mutex);
}

/* --- entries about the gateway itself ---------------------------------------------------------- */

/* Commits an entry that no request waits for, at once. */
static enum sotto_err commit_own(struct sotto_trail *trail, struct sotto_audit_record *record,
                                 const char *kind)
{
    char id[SOTTO_AUDIT_ID_SYMBOLS], when[SOTTO_WALL_TEXT_BYTES];
    struct sotto_buf text;
    sotto_buf_init(&text, SOTTO_AUDIT_RECORD_MAX);
    sotto_wall_text(sotto_wall_ms(), when);
    enum sotto_err err = sotto_base62_random(id, sizeof(id));
    record->id = sotto_span_init(id, sizeof(id));
    record->kind = kind;
    record->time = when;
    record->subject = SOTTO_LIT(SOTTO_AUDIT_SELF);
    if (err == SOTTO_OK) {
        err = sotto_audit_record_write(record, &text);
    }
    if (err == SOTTO_OK) {
        const struct sotto_audit_item item = {id, record->subject, sotto_buf_span(&text)};
        err = append(trail, &item, 1);
    }
    sotto_buf_free(&text);
    return err;
}

/* What is counted is taken off only when it is on disk. */
static void commit_count(struct sotto_trail *trail, atomic_uint_fast64_t *counter, const char *kind)
{
    uint64_t count = atomic_load(counter);
    struct sotto_audit_record record = sotto_audit_record_none();
    record.count = (int64_t)count;
    if (count != 0 && commit_own(trail, &record, kind) == SOTTO_OK) {
        atomic_fetch_sub(counter, count);
    }
}

static const char *erase_outcome(enum sotto_err err)
{
    return err == SOTTO_OK          ? "ok\n"
           : err == SOTTO_ENOTFOUND ? "there is no such subject\n"
           : err == SOTTO_EDENIED   ? "the gateway's own entries cannot be erased\n"
                                    : "it failed: see the gateway's log\n";
}

/* Carries out what `sotto audit erase` asks for. */
static void erase_asked(struct sotto_trail *trail)
{
    char asked[4224], outcome[4224];
    struct sotto_buf name;
    uint64_t slot = 0;
    snprintf(asked, sizeof(asked), "%s/erase", trail->folder);
    if (!sotto_file_exists(asked)) {
        return;
    }
    snprintf(outcome, sizeof(outcome), "%s/erased", trail->folder);
    sotto_buf_init(&name, SOTTO_AUDIT_SUBJECT_MAX);
    enum sotto_err err = sotto_file_read(asked, SOTTO_AUDIT_SUBJECT_MAX, &name);
    if (err == SOTTO_OK) {
        err = sotto_audit_erase(trail->log, sotto_buf_span(&name), &slot);
    }
    if (err == SOTTO_OK) {
        err = sotto_audit_receipt(trail->log, slot, sotto_wall_ms());
    }
    sotto_buf_free(&name);
    if (err != SOTTO_OK && err != SOTTO_ENOTFOUND && err != SOTTO_EDENIED) {
        SOTTO_LOG(SOTTO_LOG_ERROR, "erasure_failed", SOTTO_LOG_ERR("why", err));
    }
    if (sotto_file_write(outcome, sotto_span_str(erase_outcome(err))) != SOTTO_OK ||
        sotto_file_remove(asked) != SOTTO_OK) {
        SOTTO_LOG(SOTTO_LOG_ERROR, "erasure_not_reported", SOTTO_LOG_ERR("why", SOTTO_EIO));
    }
}

/* --- publishing -------------------------------------------------------------------------------- */

static void publish(struct sotto_trail *trail, bool *failing)
{
    enum sotto_err err = sotto_audit_publish(trail->log, NULL);
    if (err != SOTTO_OK && !*failing) {
        SOTTO_LOG(SOTTO_LOG_ERROR, "audit_not_published", SOTTO_LOG_ERR("why", err));
    }
    *failing = err != SOTTO_OK;
}

/*
 * Takes over what other gateways of a fleet committed.  Where that is not possible, no entry could
 * be committed either, and requests are refused before they go anywhere; false then.
 */
static bool follow(struct sotto_trail *trail, bool *failing)
{
    bool more = true;
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && more) {
        err = sotto_audit_catch_up(trail->log, &more);
        if (err == SOTTO_OK && more) {
            publish(trail, failing);
            more = !*failing;
        }
    }
    if (err != SOTTO_OK) {
        note_failure(trail, err, 0);
    } else if (trail->fleet && atomic_load(&trail->lost) == 0) {
        note_success(trail); /* else the entry about the lost ones tells */
    }
    return err == SOTTO_OK;
}

/* Sleeps for one round; false: the end.  Whoever sets the wall clock changes nothing here. */
static bool wait_round(struct sotto_trail *trail)
{
    struct timespec until;
    int64_t due_ms = sotto_clock_ms() + TRAIL_PUBLISH_MS;
    until.tv_sec = due_ms / 1000;
    until.tv_nsec = due_ms % 1000 * 1000000;
    pthread_mutex_lock(&trail->mutex);
    int rc = 0;
    while (!trail->ending && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&trail->end, &trail->mutex, &until);
    }
    bool go_on = !trail->ending;
    pthread_mutex_unlock(&trail->mutex);
    return go_on;
}

static void *publish_main(void *arg)
{
    struct sotto_trail *trail = arg;
    int64_t counted_ms = sotto_clock_ms();
    bool failing = false;
    while (wait_round(trail)) {
        if (follow(trail, &failing)) {
            if (sotto_clock_ms() - counted_ms >= TRAIL_COUNT_MS) {
                counted_ms = sotto_clock_ms();
                commit_count(trail, &trail->counted, "unauthenticated");
            }
            commit_count(trail, &trail->lost, "lost");
        }
        erase_asked(trail);
        publish(trail, &failing);
    }
    return NULL;
}

/* --- making ------------------------------------------------------------------------------------ */

static enum sotto_err read_witnesses(const struct sotto_config *config, struct sotto_note_key **out,
                                     char *why)
{
    size_t count = config->audit.witnesses.count;
    *out = count != 0 ? sotto_calloc(count, sizeof(**out)) : NULL;
    if (count != 0 && *out == NULL) {
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        sotto_span text = config->audit.witnesses.items[i];
        enum sotto_err err = sotto_note_key_parse(text, &(*out)[i]);
        if (err == SOTTO_OK && (*out)[i].type != SOTTO_NOTE_COSIGNATURE) {
            err = SOTTO_EFORMAT;
        }
        if (err != SOTTO_OK) {
            snprintf(why, SOTTO_STORE_WHY_BYTES,
                     "audit.witnesses: number %zu is not the key of a witness "
                     "(NAME+HASH+KEY, of type 04)",
                     i + 1);
            return err;
        }
    }
    return SOTTO_OK;
}

static enum sotto_err open_log(struct sotto_trail *trail, const struct sotto_config *config,
                               char *why)
{
    struct sotto_note_key *witnesses = NULL;
    struct sotto_audit_found_state found;
    uint8_t master[SOTTO_MASTER_BYTES] = {0};
    const struct sotto_audit_fleet fleet = {config->stores.postgres, master};
    enum sotto_err err = read_witnesses(config, &witnesses, why);
    if (err == SOTTO_OK && config->audit.fleet) {
        err = sotto_secrets_from_text(config->secrets.master, master);
    }
    const struct sotto_audit_options options = {
        .folder = trail->folder,
        .origin = config->audit.origin,
        .witnesses = witnesses,
        .witness_count = config->audit.witnesses.count,
        .strict = config->audit.strict,
        .fleet = config->audit.fleet ? &fleet : NULL,
    };
    if (err == SOTTO_OK) {
        err = sotto_audit_open(&options, &trail->log, &found, why);
    }
    sotto_wipe(master, sizeof(master));
    sotto_free(witnesses);
    if (err == SOTTO_OK) {
        SOTTO_LOG(found.torn_bytes != 0 ? SOTTO_LOG_WARN : SOTTO_LOG_INFO, "audit_opened",
                  SOTTO_LOG_INT("entries", found.entries),
                  SOTTO_LOG_INT("from_journal", found.recovered),
                  SOTTO_LOG_INT("torn_bytes_cut", found.torn_bytes));
    }
    return err;
}

static enum sotto_err start(struct sotto_trail *trail)
{
    trail->committing = pthread_create(&trail->committer, NULL, commit_main, trail) == 0;
    trail->publishing =
        trail->committing && pthread_create(&trail->publisher, NULL, publish_main, trail) == 0;
    return trail->publishing ? SOTTO_OK : SOTTO_EIO;
}

enum sotto_err sotto_trail_new(const struct sotto_config *config, const char *folder,
                               struct sotto_trail **out, char why[SOTTO_STORE_WHY_BYTES])
{
    struct sotto_trail *trail = sotto_calloc(1, sizeof(*trail));
    pthread_condattr_t steady;
    why[0] = '\0';
    if (trail == NULL) {
        return SOTTO_ENOMEM;
    }
    pthread_mutex_init(&trail->mutex, NULL);
    pthread_cond_init(&trail->more, NULL);
    pthread_cond_init(&trail->idle, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC); /* the one of sotto_clock_ms() */
    pthread_cond_init(&trail->end, &steady);
    pthread_condattr_destroy(&steady);
    trail->last = &trail->first;
    trail->strict = config->audit.strict;
    trail->fleet = config->audit.fleet;
    atomic_init(&trail->healthy, true);
    snprintf(trail->folder, sizeof(trail->folder), "%s/audit", folder);
    enum sotto_err err = open_log(trail, config, why);
    if (err == SOTTO_OK) {
        err = start(trail);
    }
    if (err != SOTTO_OK) {
        sotto_trail_free(trail);
        return err;
    }
    *out = trail;
    return SOTTO_OK;
}

void sotto_trail_stop(struct sotto_trail *trail)
{
    if (trail == NULL || trail->stopped) {
        return;
    }
    pthread_mutex_lock(&trail->mutex);
    trail->ending = true;
    pthread_cond_broadcast(&trail->more);
    pthread_cond_broadcast(&trail->end);
    pthread_mutex_unlock(&trail->mutex);
    if (trail->committing) {
        pthread_join(trail->committer, NULL);
    }
    if (trail->publishing) {
        pthread_join(trail->publisher, NULL);
    }
    trail->stopped = true;
}

void sotto_trail_free(struct sotto_trail *trail)
{
    if (trail == NULL) {
        return;
    }
    sotto_trail_stop(trail);
    if (trail->log != NULL) {
        commit_count(trail, &trail->counted, "unauthenticated");
        commit_count(trail, &trail->lost, "lost");
    }
    sotto_audit_close(trail->log);
    pthread_cond_destroy(&trail->more);
    pthread_cond_destroy(&trail->idle);
    pthread_cond_destroy(&trail->end);
    pthread_mutex_destroy(&trail->mutex);
    sotto_free(trail);
}
