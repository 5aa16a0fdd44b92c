/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/ct.h"
#include "store/audit_fleet.h"
#include "sys/log.h"

/* Taken over and not published yet: more waits until that is. */
#define FLEET_AHEAD_MAX ((size_t)16 << 20)

/* Rounds in which a turn may find that much was committed meanwhile. */
#define FLEET_TURN_ROUNDS 4

/* Nothing is committed or taken over any more: what this process has and what the database has
 * cannot both be the log. */
SOTTO_PRINTF(2, 3)
static enum sotto_err contradict(struct sotto_audit_log *log, const char *fmt, ...)
{
    char *why = log->fleet->why;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, SOTTO_STORE_WHY_BYTES, fmt, ap);
    va_end(ap);
    log->broken = true;
    SOTTO_LOG(SOTTO_LOG_ERROR, "audit_contradicted", SOTTO_LOG_NOTE("why", why),
              SOTTO_LOG_TEXT("effect", "requests are refused; after a restart the same is said"));
    return SOTTO_EAUTH;
}

/* --- frames ------------------------------------------------------------------------------------ */

/* Against the tree that was there when the log was opened: its entries are in the database, too. */
static enum sotto_err compare(struct sotto_audit_log *log, uint64_t index,
                              const struct sotto_audit_hash *leaf)
{
    struct audit_fleet_state *fleet = log->fleet;
    uint64_t n = index / SOTTO_AUDIT_TILE_WIDTH;
    if (fleet->tile == NULL || fleet->tile_n != n) {
        if (fleet->tile == NULL) {
            fleet->tile = sotto_calloc(SOTTO_AUDIT_TILE_WIDTH, sizeof(*fleet->tile));
        }
        enum sotto_err err =
            fleet->tile == NULL
                ? SOTTO_ENOMEM
                : audit_tile_read(log->public_folder, 0, n, sotto_audit_width(fleet->checked, 0, n),
                                  fleet->tile);
        if (err != SOTTO_OK) {
            fleet->tile_n = UINT64_MAX;
            return err;
        }
        fleet->tile_n = n;
    }
    if (!sotto_ct_equal(leaf->bytes, fleet->tile[index % SOTTO_AUDIT_TILE_WIDTH].bytes,
                        SOTTO_AUDIT_HASH_BYTES)) {
        return contradict(log,
                          "PostgreSQL: entry %" PRIu64 " in sotto.audit_frame is not the one that "
                          "%.300s has and signed",
                          index, log->folder);
    }
    return SOTTO_OK;
}

/* Hashes of a frame's entries: compared with the tree, or kept for it. */
static enum sotto_err take_entries(struct sotto_audit_log *log, struct sotto_journal_frame frame)
{
    struct sotto_journal_item item;
    struct sotto_audit_hash leaf;
    bool keep = frame.first + frame.count > log->fleet->checked;
    enum sotto_err err = SOTTO_OK;
    for (uint64_t i = frame.first; frame.count != 0 && err == SOTTO_OK; i++) {
        err = sotto_journal_take_entry(&frame, &item);
        if (err == SOTTO_OK) {
            err = sotto_audit_leaf(item.bytes, &leaf);
        }
        if (err == SOTTO_OK && i < log->fleet->checked) {
            err = compare(log, i, &leaf);
        }
        if (err == SOTTO_OK && keep) {
            err = sotto_buf_append(&log->leaves.hashes, sotto_span_init(leaf.bytes, sizeof(leaf)));
        }
    }
    return err;
}

static enum sotto_err chain(struct audit_fleet_state *fleet, sotto_span frame,
                            uint8_t out[SOTTO_HMAC_BYTES])
{
    const sotto_span parts[] = {sotto_span_init(fleet->code, sizeof(fleet->code)), frame};
    return sotto_hmac_parts(fleet->chain, parts, SOTTO_COUNT(parts), out);
}

static bool is_code(sotto_span code, const uint8_t wanted[SOTTO_HMAC_BYTES])
{
    return code.len == SOTTO_HMAC_BYTES && sotto_ct_equal(code.base, wanted, SOTTO_HMAC_BYTES);
}

static enum sotto_err changed(struct sotto_audit_log *log, const struct postgres_audit_frame *row)
{
    return contradict(log,
                      "PostgreSQL: the frame of entries %" PRIu64 " to %" PRIu64
                      " in sotto.audit_frame is not the one that was committed",
                      row->first, row->first + row->count - 1);
}

/* A frame that lies in the database, as the next one of the log. */
static enum sotto_err take_frame(void *ctx, const struct postgres_audit_frame *row)
{
    struct sotto_audit_log *log = ctx;
    struct audit_fleet_state *fleet = log->fleet;
    struct sotto_journal_frame frame;
    uint8_t code[SOTTO_HMAC_BYTES];
    sotto_span rest = row->bytes;
    size_t leaves = log->leaves.hashes.len;
    if (row->first != log->next) {
        return contradict(
            log, "PostgreSQL: entries %" PRIu64 " to %" PRIu64 " are missing in sotto.audit_frame",
            log->next, row->first - 1);
    }
    /* The frame's own check is a digest without a secret: the code says more. */
    if (sotto_journal_own(&rest, &frame) != SOTTO_OK || rest.len != 0 ||
        frame.first != row->first || frame.count != row->count || frame.count == 0 ||
        frame.slots != 0) {
        return changed(log, row);
    }
    log->leaves.first = leaves != 0 ? log->leaves.first : row->first;
    enum sotto_err err = take_entries(log, frame);
    if (err == SOTTO_OK) {
        err = chain(fleet, row->bytes, code);
    }
    if (err == SOTTO_EFORMAT || (err == SOTTO_OK && !is_code(row->code, code))) {
        err = changed(log, row);
    }
    if (err == SOTTO_OK && row->first + row->count > fleet->checked) {
        err = sotto_buf_append(&log->pending, row->bytes);
    }
    if (err == SOTTO_OK) {
        memcpy(fleet->code, code, sizeof(code));
        log->next += row->count;
    } else {
        sotto_buf_truncate(&log->leaves.hashes, leaves);
    }
    return err;
}

/* --- catching up ------------------------------------------------------------------------------- */

static enum sotto_err forget(void *ctx, uint64_t number, sotto_span slot)
{
    (void)slot;
    audit_subjects_forget(ctx, number);
    return SOTTO_OK;
}

static enum sotto_err take_subjects(struct sotto_audit_log *log,
                                    const struct postgres_audit_head *head)
{
    struct audit_fleet_state *fleet = log->fleet;
    uint64_t at = 0;
    enum sotto_err err = audit_fleet_slots(fleet->db, log->subjects, head->subjects, &at);
    if (err == SOTTO_EAUTH) {
        return contradict(
            log, "PostgreSQL: row %" PRIu64 " of sotto.audit_subject is missing or damaged", at);
    }
    if (err == SOTTO_OK && head->erasures != fleet->erasures) {
        err = postgres_audit_erased(fleet->db, fleet->erasures, forget, log->subjects);
        fleet->erasures = err == SOTTO_OK ? head->erasures : fleet->erasures;
    }
    return err;
}

/* A database that knows less than this process did was set back. */
static enum sotto_err compare_head(struct sotto_audit_log *log,
                                   const struct postgres_audit_head *head)
{
    struct audit_fleet_state *fleet = log->fleet;
    uint64_t known = log->next > fleet->checked ? log->next : fleet->checked;
    if (head->next < known) {
        return contradict(log,
                          "PostgreSQL: the audit log has %" PRIu64
                          " entries and %.300s has %" PRIu64 ": entries %" PRIu64 " to %" PRIu64
                          " are missing in the database, which was set back or is another one",
                          head->next, log->folder, known, head->next, known - 1);
    }
    if (head->subjects < audit_subjects_count(log->subjects) || head->erasures < fleet->erasures) {
        return contradict(log, "PostgreSQL: subjects of the audit log are missing in the database, "
                               "which was set back or is another one");
    }
    return SOTTO_OK;
}

/* Up to a head that was read before, so that whatever entries speak of is there as well. */
static enum sotto_err take_over(struct sotto_audit_log *log, const struct postgres_audit_head *head,
                                bool *more)
{
    struct audit_fleet_state *fleet = log->fleet;
    enum sotto_err err = compare_head(log, head);
    if (err == SOTTO_OK) {
        err = take_subjects(log, head);
    }
    while (err == SOTTO_OK && log->next < head->next) {
        uint64_t before = log->next;
        *more = log->pending.len >= FLEET_AHEAD_MAX;
        if (*more) {
            return SOTTO_OK;
        }
        err = postgres_audit_frames(fleet->db, log->next, head->next, take_frame, log);
        if (err == SOTTO_OK && log->next == before) {
            err = contradict(log, "PostgreSQL: entry %" PRIu64 " is missing in sotto.audit_frame",
                             before);
        }
    }
    if (err == SOTTO_OK && !sotto_ct_equal(fleet->code, head->code, sizeof(head->code))) {
        err = contradict(log,
                         "PostgreSQL: the %" PRIu64 " entries of sotto.audit are not those that "
                         "%.300s has",
                         head->next, log->folder);
    }
    return err;
}

static enum sotto_err read_head(struct sotto_audit_log *log, bool turn,
                                struct postgres_audit_head *head)
{
    enum sotto_err err = postgres_audit_head(log->fleet->db, turn, head);
    return err == SOTTO_ENOTFOUND ? contradict(log, "PostgreSQL: the row of sotto.audit is missing")
                                  : err;
}

static enum sotto_err catch_up(struct sotto_audit_log *log, bool *more)
{
    struct postgres_audit_head head;
    *more = false;
    if (log->broken) {
        return SOTTO_EIO;
    }
    enum sotto_err err = read_head(log, false, &head);
    return err == SOTTO_OK ? take_over(log, &head, more) : err;
}

static enum sotto_err open_fleet(struct sotto_audit_log *log, struct sotto_audit_found_state *found,
                                 char *why)
{
    struct audit_fleet_state *fleet = log->fleet;
    bool more = true;
    enum sotto_err err = SOTTO_OK;
    fleet->checked = log->tree.size;
    log->next = 0;
    while (err == SOTTO_OK && more) {
        err = catch_up(log, &more);
        if (err == SOTTO_OK && more) {
            err = audit_settle(log);
        }
    }
    sotto_free(fleet->tile);
    fleet->tile = NULL;
    found->entries = log->next;
    found->recovered = log->next - fleet->checked;
    if (err != SOTTO_OK) {
        snprintf(why, SOTTO_STORE_WHY_BYTES, "%s",
                 fleet->why[0] != '\0'                      ? fleet->why
                 : postgres_audit_why(fleet->db)[0] != '\0' ? postgres_audit_why(fleet->db)
                                                            : sotto_err_text(err));
    }
    return err;
}

static void close_fleet(struct sotto_audit_log *log)
{
    struct audit_fleet_state *fleet = log->fleet;
    if (fleet != NULL) {
        postgres_audit_free(fleet->db);
        sotto_hmac_free(fleet->chain);
        sotto_buf_free(&fleet->slots);
        sotto_free(fleet->tile);
        sotto_free(fleet);
    }
}

/* --- turns ------------------------------------------------------------------------------------- */

static void give_up(struct sotto_audit_log *log)
{
    sotto_ignore(postgres_audit_end(log->fleet->db, SOTTO_ESTATE)); /* or the server does */
}

/* @param[out] far  so much was committed meanwhile that others need not wait for it: no turn */
static enum sotto_err try_turn(struct sotto_audit_log *log, bool *far)
{
    struct postgres_audit_head head;
    bool more = false;
    *far = false;
    enum sotto_err err = postgres_audit_begin(log->fleet->db);
    if (err != SOTTO_OK) {
        return err;
    }
    err = read_head(log, true, &head);
    if (err == SOTTO_OK) {
        *far = head.next > log->next && head.next - log->next > POSTGRES_AUDIT_SPAN;
        err = *far ? SOTTO_OK : take_over(log, &head, &more);
    }
    if (err == SOTTO_OK && more) {
        err = SOTTO_ELIMIT; /* the disk is slower than the others */
    }
    if (err != SOTTO_OK || *far) {
        give_up(log);
    }
    return err;
}

static enum sotto_err take_turn(struct sotto_audit_log *log)
{
    enum sotto_err err = SOTTO_OK;
    sotto_buf_truncate(&log->fleet->slots, 0);
    for (int i = 0; i < FLEET_TURN_ROUNDS; i++) {
        bool far = false, more = false;
        err = try_turn(log, &far);
        if (err != SOTTO_OK || !far) {
            return err;
        }
        err = catch_up(log, &more);
        if (err != SOTTO_OK || more) {
            break;
        }
    }
    return err == SOTTO_OK ? SOTTO_ELIMIT : err;
}

static enum sotto_err add_slot(struct sotto_audit_log *log, uint64_t number,
                               const uint8_t slot[SOTTO_AUDIT_SLOT_BYTES])
{
    struct audit_fleet_state *fleet = log->fleet;
    fleet->first_slot = fleet->slots.len != 0 ? fleet->first_slot : number;
    return sotto_buf_append(&fleet->slots, sotto_span_init(slot, SOTTO_AUDIT_SLOT_BYTES));
}

static enum sotto_err commit(struct sotto_audit_log *log, size_t count)
{
    struct audit_fleet_state *fleet = log->fleet;
    uint8_t code[SOTTO_HMAC_BYTES];
    const struct postgres_audit_frame row = {
        .first = log->next,
        .count = count,
        .bytes = sotto_buf_span(&log->frame),
        .code = sotto_span_init(code, sizeof(code)),
    };
    enum sotto_err err = chain(fleet, row.bytes, code);
    if (err == SOTTO_OK && fleet->slots.len != 0) {
        err = postgres_audit_add_slots(fleet->db, fleet->first_slot, sotto_buf_span(&fleet->slots));
    }
    if (err == SOTTO_OK) {
        err = postgres_audit_add_frame(fleet->db, &row, audit_subjects_count(log->subjects));
    }
    err = postgres_audit_end(fleet->db, err);
    if (err == SOTTO_OK) {
        memcpy(fleet->code, code, sizeof(code));
    }
    return err;
}

/* Other gateways forget the keys in their next turn, and before they tell anything of an entry. */
static enum sotto_err erase(struct sotto_audit_log *log, sotto_span subject, uint64_t *slot)
{
    struct audit_fleet_state *fleet = log->fleet;
    uint8_t erased[SOTTO_AUDIT_SLOT_BYTES];
    enum sotto_err err = log->broken ? SOTTO_EIO : take_turn(log);
    if (err != SOTTO_OK) {
        return err;
    }
    err = audit_subjects_find(log->subjects, subject, slot);
    if (err == SOTTO_OK) {
        sotto_audit_slot_erase(erased);
        err = postgres_audit_erase(fleet->db, *slot, erased);
    }
    err = postgres_audit_end(fleet->db, err);
    if (err == SOTTO_OK) {
        audit_subjects_forget(log->subjects, *slot);
        fleet->erasures++;
    }
    return err;
}

/* --- what the database does -------------------------------------------------------------------- */

static enum sotto_err sync(struct sotto_audit_log *log)
{
    return log->broken ? SOTTO_EIO : SOTTO_OK; /* a commit is durable */
}

static bool is_full(const struct sotto_audit_log *log)
{
    (void)log;
    return false;
}

static enum sotto_err settled(struct sotto_audit_log *log)
{
    (void)log; /* frames stay, for gateways that come later */
    return SOTTO_OK;
}

const struct audit_sequencer audit_fleet = {
    .open_keys = audit_fleet_open_keys,
    .open = open_fleet,
    .close = close_fleet,
    .catch_up = catch_up,
    .take_turn = take_turn,
    .add_slot = add_slot,
    .commit = commit,
    .give_up = give_up,
    .sync = sync,
    .is_full = is_full,
    .settled = settled,
    .erase = erase,
};
