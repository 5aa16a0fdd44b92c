/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/ct.h"
#include "store/audit_fleet.h"

/* A folder's entries beside the frames of the database; nothing is changed on either side. */
struct audit_comparing {
    const char *folder;
    char log[AUDIT_PATH_BYTES];
    uint64_t size; /* entries of the folder */
    uint64_t next; /* entry that the next frame has to begin with */
    struct postgres_audit *db;
    struct sotto_hmac *chain;
    uint8_t code[SOTTO_HMAC_BYTES]; /* of the frame before */
    struct audit_bundle bundle;     /* where its width is not 0: the one with number `bundle_n` */
    uint64_t bundle_n;
    char *why;
};

SOTTO_PRINTF(2, 3)
static enum sotto_err differs(struct audit_comparing *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(c->why, SOTTO_STORE_WHY_BYTES, fmt, ap);
    va_end(ap);
    return SOTTO_EAUTH;
}

static enum sotto_err missing(struct audit_comparing *c, uint64_t until)
{
    return differs(
        c, "PostgreSQL: entries %" PRIu64 " to %" PRIu64 " are missing in sotto.audit_frame",
        c->next, until - 1);
}

static enum sotto_err changed(struct audit_comparing *c, const struct postgres_audit_frame *row)
{
    return differs(c,
                   "PostgreSQL: the frame of entries %" PRIu64 " to %" PRIu64
                   " in sotto.audit_frame is not the one that was committed",
                   row->first, row->first + row->count - 1);
}

static enum sotto_err compare(struct audit_comparing *c, uint64_t index, sotto_span entry)
{
    uint64_t n = index / SOTTO_AUDIT_TILE_WIDTH;
    if (c->bundle.width == 0 || c->bundle_n != n) {
        enum sotto_err err =
            audit_bundle_read(c->log, n, sotto_audit_width(c->size, 0, n), &c->bundle);
        if (err != SOTTO_OK) {
            c->bundle.width = 0;
            snprintf(c->why, SOTTO_STORE_WHY_BYTES, "%.300s: entry %" PRIu64 " cannot be read (%s)",
                     c->folder, index, sotto_err_text(err));
            return err == SOTTO_EFORMAT || err == SOTTO_ENOTFOUND ? SOTTO_EAUTH : err;
        }
        c->bundle_n = n;
    }
    const uint8_t *here = c->bundle.entries[index % SOTTO_AUDIT_TILE_WIDTH];
    if (!sotto_span_eq(entry, sotto_span_init(here, SOTTO_AUDIT_ENTRY_BYTES))) {
        return differs(c,
                       "PostgreSQL: entry %" PRIu64 " in sotto.audit_frame is not the one that "
                       "%.300s has and signed",
                       index, c->folder);
    }
    return SOTTO_OK;
}

/* The next frame of the database: where it should be, as it was committed, with the entries that
 * the folder has. */
static enum sotto_err take_frame(void *ctx, const struct postgres_audit_frame *row)
{
    struct audit_comparing *c = ctx;
    struct sotto_journal_frame frame;
    struct sotto_journal_item item;
    const sotto_span parts[] = {sotto_span_init(c->code, sizeof(c->code)), row->bytes};
    sotto_span rest = row->bytes;
    if (row->first > c->next) {
        return missing(c, row->first);
    }
    if (sotto_journal_own(&rest, &frame) != SOTTO_OK || rest.len != 0 || row->first != c->next ||
        frame.first != row->first || frame.count != row->count || frame.count == 0 ||
        frame.slots != 0) {
        return changed(c, row);
    }
    enum sotto_err err = SOTTO_OK;
    for (uint64_t i = frame.first; frame.count != 0 && err == SOTTO_OK; i++) {
        if (sotto_journal_take_entry(&frame, &item) != SOTTO_OK) {
            return changed(c, row);
        }
        err = i < c->size ? compare(c, i, item.bytes) : SOTTO_OK;
    }
    if (err == SOTTO_OK) {
        err = sotto_hmac_parts(c->chain, parts, SOTTO_COUNT(parts), c->code);
    }
    if (err == SOTTO_OK && !sotto_span_eq(row->code, sotto_span_init(c->code, sizeof(c->code)))) {
        err = changed(c, row);
    }
    c->next += err == SOTTO_OK ? row->count : 0;
    return err;
}

static enum sotto_err compare_all(struct audit_comparing *c, uint64_t *entries)
{
    struct postgres_audit_head head;
    enum sotto_err err = postgres_audit_head(c->db, false, &head);
    if (err == SOTTO_ENOTFOUND) {
        return differs(c, "PostgreSQL: the row of sotto.audit is missing");
    }
    if (err == SOTTO_OK && head.next < c->size) {
        return differs(c,
                       "PostgreSQL: the audit log has %" PRIu64 " entries and %.300s has %" PRIu64
                       ": entries %" PRIu64 " to %" PRIu64
                       " are missing in the database, which was set back or is another one",
                       head.next, c->folder, c->size, head.next, c->size - 1);
    }
    while (err == SOTTO_OK && c->next < head.next) {
        uint64_t before = c->next;
        err = postgres_audit_frames(c->db, c->next, head.next, take_frame, c);
        if (err == SOTTO_OK && c->next == before) {
            err = missing(c, head.next);
        }
    }
    if (err == SOTTO_OK && !sotto_ct_equal(c->code, head.code, sizeof(head.code))) {
        err = differs(c,
                      "PostgreSQL: the row of sotto.audit does not belong to the %" PRIu64
                      " entries of sotto.audit_frame",
                      head.next);
    }
    if (err == SOTTO_OK) {
        *entries = head.next;
    }
    return err;
}

static enum sotto_err reach(struct audit_comparing *c, const struct sotto_audit_fleet *fleet)
{
    struct audit_fleet_keys keys;
    enum sotto_err err = audit_path(c->folder, "log", c->log);
    if (err == SOTTO_OK) {
        err = audit_fleet_keys(fleet->master, &keys);
    }
    if (err == SOTTO_OK) {
        err = sotto_hmac_new(sotto_span_init(keys.chain, sizeof(keys.chain)), &c->chain);
    }
    sotto_wipe(&keys, sizeof(keys));
    return err == SOTTO_OK ? postgres_audit_new(fleet->postgres, &c->db) : err;
}

enum sotto_err sotto_audit_check_database(const char *folder, const struct sotto_audit_fleet *fleet,
                                          const struct sotto_note_key *key, uint64_t size,
                                          uint64_t *entries, char why[SOTTO_STORE_WHY_BYTES])
{
    struct audit_comparing *c = sotto_calloc(1, sizeof(*c));
    enum sotto_err err = SOTTO_ENOMEM;
    why[0] = '\0';
    if (c != NULL) {
        c->folder = folder;
        c->size = size;
        c->why = why;
        memcpy(c->code, key->public_key, sizeof(c->code));
        err = reach(c, fleet);
        if (err == SOTTO_OK) {
            err = compare_all(c, entries);
        }
    }
    if (err != SOTTO_OK && why[0] == '\0') {
        const char *told = c != NULL && c->db != NULL ? postgres_audit_why(c->db) : "";
        snprintf(why, SOTTO_STORE_WHY_BYTES, "%s", told[0] != '\0' ? told : sotto_err_text(err));
    }
    if (c != NULL) {
        postgres_audit_free(c->db);
        sotto_hmac_free(c->chain);
        sotto_free(c);
    }
    return err;
}
