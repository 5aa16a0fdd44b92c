/* SPDX-License-Identifier: Apache-2.0 */

#include "store/audit_check.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/ct.h"
#include "sys/files.h"

struct audit_checking {
    const struct sotto_audit_check_options *options;
    struct sotto_audit_report *report;
    struct sotto_audit_tree tree;
    struct audit_bundle bundle;
    struct sotto_audit_hash tile[SOTTO_AUDIT_TILE_WIDTH];
};

static bool same(const struct sotto_audit_hash *a, const struct sotto_audit_hash *b)
{
    return sotto_ct_equal(a->bytes, b->bytes, SOTTO_AUDIT_HASH_BYTES);
}

static enum sotto_err read_checkpoint(const struct sotto_audit_check_options *o,
                                      struct sotto_buf *out, struct sotto_note *note,
                                      struct sotto_checkpoint *checkpoint,
                                      struct sotto_audit_report *report)
{
    char path[AUDIT_PATH_BYTES];
    enum sotto_err err = audit_path(o->log, "checkpoint", path);
    if (err == SOTTO_OK) {
        err = sotto_file_read(path, SOTTO_NOTE_MAX_BYTES, out);
    }
    if (err != SOTTO_OK) {
        snprintf(report->why, sizeof(report->why), "%.300s/checkpoint: cannot be read (%s)", o->log,
                 sotto_err_text(err));
        return err;
    }
    err = sotto_note_parse(sotto_buf_span(out), note);
    if (err == SOTTO_OK) {
        err = sotto_note_verify(note, o->key, NULL);
    }
    if (err == SOTTO_OK) {
        err = sotto_checkpoint_parse(note->text, checkpoint);
    }
    if (err == SOTTO_OK && !sotto_span_eq(checkpoint->origin, sotto_span_str(o->key->name))) {
        err = SOTTO_EAUTH;
    }
    if (err != SOTTO_OK) {
        snprintf(report->why, sizeof(report->why), "%.300s/checkpoint: is not signed by %.100s",
                 o->log, o->key->name);
        return err == SOTTO_EFORMAT || err == SOTTO_ENOTFOUND || err == SOTTO_ELIMIT ? SOTTO_EAUTH
                                                                                     : err;
    }
    return SOTTO_OK;
}

static size_t count_witnesses(const struct sotto_audit_check_options *o,
                              const struct sotto_note *note)
{
    size_t count = 0;
    for (size_t i = 0; i < o->witness_count; i++) {
        count += sotto_note_verify(note, &o->witnesses[i], NULL) == SOTTO_OK;
    }
    return count;
}

static enum sotto_err bad_tile(struct audit_checking *c, unsigned level, uint64_t n, unsigned width,
                               enum sotto_err err)
{
    char name[SOTTO_AUDIT_TILE_PATH_BYTES];
    uint64_t first = level == SOTTO_AUDIT_ENTRIES ? n << 8 : n << (8 * (level + 1));
    sotto_audit_tile_path(level, n, width, name);
    snprintf(c->report->why, SOTTO_STORE_WHY_BYTES,
             "%.250s/%s: %s; it belongs to the entries from %" PRIu64 " on", c->options->log, name,
             err == SOTTO_ENOTFOUND ? "is missing, the log was cut behind its checkpoint"
             : err == SOTTO_EFORMAT ? "has not the form or length that the checkpoint asks for"
                                    : sotto_err_text(err),
             first);
    return err == SOTTO_ENOTFOUND || err == SOTTO_EFORMAT ? SOTTO_EAUTH : err;
}

/* Entries of one bundle against the hashes of the level-0 tile. */
static enum sotto_err check_entries(struct audit_checking *c, uint64_t n, unsigned width)
{
    for (unsigned i = 0; i < width; i++) {
        struct sotto_audit_hash leaf;
        sotto_span entry = sotto_span_init(c->bundle.entries[i], SOTTO_AUDIT_ENTRY_BYTES);
        enum sotto_err err = sotto_audit_leaf(entry, &leaf);
        if (err != SOTTO_OK) {
            return err;
        }
        if (!same(&leaf, &c->tile[i])) {
            snprintf(c->report->why, SOTTO_STORE_WHY_BYTES,
                     "%.300s: entry %" PRIu64 " is not the one whose hash the log holds",
                     c->options->log, n * SOTTO_AUDIT_TILE_WIDTH + i);
            return SOTTO_EAUTH;
        }
    }
    return SOTTO_OK;
}

/* A full tile of a higher level was just computed: what lies on disk has to be the same. */
static enum sotto_err check_full(struct audit_checking *c, unsigned level)
{
    uint64_t n = (c->tree.size >> (8 * (level + 1))) - 1;
    enum sotto_err err = audit_tile_read((void *)(uintptr_t)c->options->log, level, n,
                                         SOTTO_AUDIT_TILE_WIDTH, c->tile);
    if (err != SOTTO_OK) {
        return bad_tile(c, level, n, SOTTO_AUDIT_TILE_WIDTH, err);
    }
    for (unsigned i = 0; i < SOTTO_AUDIT_TILE_WIDTH; i++) {
        if (!same(&c->tile[i], &c->tree.tiles[level][i])) {
            return bad_tile(c, level, n, SOTTO_AUDIT_TILE_WIDTH, SOTTO_EFORMAT);
        }
    }
    return SOTTO_OK;
}

static enum sotto_err add_bundle(struct audit_checking *c, uint64_t n, unsigned width)
{
    enum sotto_err err = audit_tile_read((void *)(uintptr_t)c->options->log, 0, n, width, c->tile);
    if (err != SOTTO_OK) {
        return bad_tile(c, 0, n, width, err);
    }
    err = audit_bundle_read(c->options->log, n, width, &c->bundle);
    if (err != SOTTO_OK) {
        return bad_tile(c, SOTTO_AUDIT_ENTRIES, n, width, err);
    }
    err = check_entries(c, n, width);
    for (unsigned i = 0; i < width && err == SOTTO_OK; i++) {
        unsigned full = 0;
        err = sotto_audit_tree_add(&c->tree, &c->tile[i], &full);
        for (unsigned level = 1; level < full && err == SOTTO_OK; level++) {
            err = check_full(c, level);
        }
    }
    return err;
}

/* The incomplete tiles of the levels above 0. */
static enum sotto_err check_edge(struct audit_checking *c)
{
    for (unsigned level = 1; level < SOTTO_AUDIT_LEVELS; level++) {
        unsigned width = sotto_audit_edge(c->tree.size, level);
        if (width == 0) {
            continue;
        }
        uint64_t n = level == SOTTO_AUDIT_LEVELS - 1 ? 0 : c->tree.size >> (8 * (level + 1));
        enum sotto_err err =
            audit_tile_read((void *)(uintptr_t)c->options->log, level, n, width, c->tile);
        for (unsigned i = 0; i < width && err == SOTTO_OK; i++) {
            err = same(&c->tile[i], &c->tree.tiles[level][i]) ? SOTTO_OK : SOTTO_EFORMAT;
        }
        if (err != SOTTO_OK) {
            return bad_tile(c, level, n, width, err);
        }
    }
    return SOTTO_OK;
}

static enum sotto_err check_all(struct audit_checking *c, const struct sotto_checkpoint *checkpoint)
{
    struct sotto_audit_hash root;
    const struct sotto_audit_check_options *o = c->options;
    enum sotto_err err = SOTTO_OK;
    for (uint64_t n = 0; n * SOTTO_AUDIT_TILE_WIDTH < checkpoint->size && err == SOTTO_OK; n++) {
        err = add_bundle(c, n, sotto_audit_width(checkpoint->size, 0, n));
        if (o->progress != NULL && n % 64 == 0) {
            o->progress(o->ctx, n * SOTTO_AUDIT_TILE_WIDTH, checkpoint->size);
        }
    }
    if (err == SOTTO_OK) {
        err = check_edge(c);
    }
    if (err == SOTTO_OK) {
        err = sotto_audit_tree_root(&c->tree, &root);
    }
    if (err == SOTTO_OK && !same(&root, &checkpoint->root)) {
        snprintf(c->report->why, SOTTO_STORE_WHY_BYTES,
                 "%.300s: the %" PRIu64 " entries do not give the root that the checkpoint signs",
                 o->log, checkpoint->size);
        err = SOTTO_EAUTH;
    }
    return err;
}

enum sotto_err sotto_audit_check(const struct sotto_audit_check_options *options,
                                 struct sotto_audit_report *report)
{
    struct sotto_buf bytes;
    struct sotto_note note;
    struct sotto_checkpoint checkpoint;
    *report = (struct sotto_audit_report){0};
    struct audit_checking *c = sotto_calloc(1, sizeof(*c));
    if (c == NULL) {
        snprintf(report->why, sizeof(report->why), "%s", sotto_err_text(SOTTO_ENOMEM));
        return SOTTO_ENOMEM;
    }
    c->options = options;
    c->report = report;
    sotto_buf_init(&bytes, SOTTO_NOTE_MAX_BYTES);
    enum sotto_err err = read_checkpoint(options, &bytes, &note, &checkpoint, report);
    if (err == SOTTO_OK) {
        err = check_all(c, &checkpoint);
    }
    if (err == SOTTO_OK) {
        report->size = checkpoint.size;
        report->root = checkpoint.root;
        report->witness_count = count_witnesses(options, &note);
    } else if (report->why[0] == '\0') {
        snprintf(report->why, sizeof(report->why), "%.300s: %s", options->log, sotto_err_text(err));
    }
    sotto_buf_free(&bytes);
    sotto_free(c);
    return err;
}

static const struct sotto_note_key *witness_of(const struct sotto_audit_check_options *o,
                                               const struct sotto_note *note)
{
    for (size_t i = 0; i < o->witness_count; i++) {
        if (sotto_note_verify(note, &o->witnesses[i], NULL) == SOTTO_OK) {
            return &o->witnesses[i];
        }
    }
    return NULL;
}

enum sotto_err sotto_audit_check_cosigned(const struct sotto_audit_check_options *o,
                                          sotto_span bytes, struct sotto_audit_report *report)
{
    struct sotto_note note;
    struct sotto_checkpoint checkpoint;
    struct sotto_audit_hash root;
    const struct sotto_audit_tiles tiles = {(void *)(uintptr_t)o->log, audit_tile_read};
    enum sotto_err err = sotto_note_parse(bytes, &note);
    if (err == SOTTO_OK) {
        err = sotto_checkpoint_parse(note.text, &checkpoint);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    const struct sotto_note_key *witness = witness_of(o, &note);
    if (witness == NULL || sotto_note_verify(&note, o->key, NULL) != SOTTO_OK ||
        !sotto_span_eq(checkpoint.origin, sotto_span_str(o->key->name))) {
        return SOTTO_ENOTFOUND;
    }
    if (checkpoint.size > report->size) {
        snprintf(report->why, sizeof(report->why),
                 "%.200s: the log was rolled back: entries %" PRIu64 " to %" PRIu64
                 ", which the witness %.80s cosigned, are missing",
                 o->log, report->size, checkpoint.size - 1, witness->name);
        return SOTTO_EAUTH;
    }
    err = sotto_audit_root_at(&tiles, checkpoint.size, report->size, &root);
    if (err == SOTTO_ENOTFOUND || err == SOTTO_EFORMAT) { /* not that the note says nothing */
        snprintf(report->why, sizeof(report->why), "%.300s: a tile is missing or damaged", o->log);
        err = SOTTO_EAUTH;
    }
    if (err == SOTTO_OK && !same(&root, &checkpoint.root)) {
        snprintf(report->why, sizeof(report->why),
                 "%.200s: the log was rewritten: the first %" PRIu64
                 " entries are not those that the witness %.80s cosigned",
                 o->log, checkpoint.size, witness->name);
        err = SOTTO_EAUTH;
    }
    return err;
}
