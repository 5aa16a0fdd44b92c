/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"
#include "store/audit_state.h"
#include "sys/files.h"

/* Most memory of an empty buffer that stays for the next round: what one slow sync of the disk let
 * pile up is not to be held for ever. */
#define PUBLISH_KEEP_BYTES ((size_t)64 << 10)

static void empty(struct sotto_buf *buf)
{
    if (buf->cap > PUBLISH_KEEP_BYTES) {
        sotto_buf_free(buf);
    } else {
        sotto_buf_truncate(buf, 0);
    }
}

static enum sotto_err write_tile(struct sotto_audit_log *log, const struct sotto_audit_tree *tree,
                                 unsigned level, uint64_t n, unsigned width)
{
    return audit_tile_write(
        log->public_folder, level, n, width,
        sotto_span_init(tree->tiles[level], (size_t)width * SOTTO_AUDIT_HASH_BYTES));
}

/* The tree and the bundle while entries are added; becomes the log's when all is on disk. */
struct audit_growth {
    struct sotto_audit_tree tree;
    struct sotto_buf bundle; /* entries of the incomplete bundle */
};

static enum sotto_err grow_full(struct sotto_audit_log *log, struct audit_growth *g, unsigned full)
{
    enum sotto_err err = SOTTO_OK;
    for (unsigned level = 0; level < full && err == SOTTO_OK; level++) {
        err = write_tile(log, &g->tree, level, (g->tree.size >> (8 * (level + 1))) - 1,
                         SOTTO_AUDIT_TILE_WIDTH);
    }
    if (err == SOTTO_OK && full != 0) {
        err = audit_tile_write(log->public_folder, SOTTO_AUDIT_ENTRIES, (g->tree.size >> 8) - 1,
                               SOTTO_AUDIT_TILE_WIDTH, sotto_buf_span(&g->bundle));
        sotto_buf_truncate(&g->bundle, 0);
    }
    return err;
}

/* The hash of entry `index`: as it was made with the entry, or anew. */
static enum sotto_err leaf_of(const struct audit_leaves *leaves, uint64_t index, sotto_span entry,
                              struct sotto_audit_hash *out)
{
    uint64_t at = index - leaves->first;
    if (index < leaves->first || at >= leaves->hashes.len / sizeof(*out)) {
        return sotto_audit_leaf(entry, out);
    }
    memcpy(out->bytes, leaves->hashes.base + at * sizeof(*out), sizeof(*out));
    return SOTTO_OK;
}

static enum sotto_err grow(struct sotto_audit_log *log, struct audit_growth *g,
                           const struct sotto_journal_item *item)
{
    static const uint8_t len[2] = {0, SOTTO_AUDIT_ENTRY_BYTES};
    struct sotto_audit_hash leaf;
    unsigned full = 0;
    enum sotto_err err = leaf_of(&log->taken_leaves, g->tree.size, item->bytes, &leaf);
    if (err == SOTTO_OK) {
        err = audit_records_add(&log->records, item->slot, item->sealed);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&g->bundle, sotto_span_init(len, sizeof(len)));
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&g->bundle, item->bytes);
    }
    if (err == SOTTO_OK) {
        err = sotto_audit_tree_add(&g->tree, &leaf, &full);
    }
    return err == SOTTO_OK ? grow_full(log, g, full) : err;
}

static enum sotto_err grow_frames(struct sotto_audit_log *log, struct audit_growth *g)
{
    sotto_span rest = sotto_buf_span(&log->taken);
    struct sotto_journal_frame frame;
    struct sotto_journal_item item;
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && (err = sotto_journal_own(&rest, &frame)) == SOTTO_OK) {
        while (frame.slots != 0 && err == SOTTO_OK) {
            err = sotto_journal_take_slot(&frame, &item);
        }
        for (uint64_t i = frame.first; frame.count != 0 && err == SOTTO_OK; i++) {
            err = sotto_journal_take_entry(&frame, &item);
            if (err == SOTTO_OK && i == g->tree.size) {
                err = grow(log, g, &item);
            }
        }
    }
    return err == SOTTO_ENOTFOUND ? SOTTO_OK : err;
}

/* The incomplete tiles of a tree. */
static enum sotto_err write_edge(struct sotto_audit_log *log, const struct audit_growth *g)
{
    enum sotto_err err = SOTTO_OK;
    for (unsigned level = 0; level < SOTTO_AUDIT_LEVELS && err == SOTTO_OK; level++) {
        unsigned width = sotto_audit_edge(g->tree.size, level);
        uint64_t n = level == SOTTO_AUDIT_LEVELS - 1 ? 0 : g->tree.size >> (8 * (level + 1));
        bool same = width == sotto_audit_edge(log->tree.size, level) &&
                    g->tree.size >> (8 * level) == log->tree.size >> (8 * level);
        if (width != 0 && !same) {
            err = write_tile(log, &g->tree, level, n, width);
        }
    }
    if (err == SOTTO_OK && g->bundle.len != 0) {
        err = audit_tile_write(log->public_folder, SOTTO_AUDIT_ENTRIES, g->tree.size >> 8,
                               (unsigned)(g->bundle.len / AUDIT_BUNDLE_ENTRY_BYTES),
                               sotto_buf_span(&g->bundle));
    }
    return err;
}

enum sotto_err audit_checkpoint_write(struct sotto_audit_log *log,
                                      const struct sotto_audit_tree *tree)
{
    char path[AUDIT_PATH_BYTES];
    struct sotto_buf text, line;
    struct sotto_checkpoint c = {.origin = sotto_span_str(log->key.name), .size = tree->size};
    sotto_buf_init(&text, SOTTO_NOTE_MAX_BYTES);
    sotto_buf_init(&line, SOTTO_NOTE_MAX_BYTES);
    enum sotto_err err = sotto_audit_tree_root(tree, &c.root);
    if (err == SOTTO_OK) {
        err = sotto_checkpoint_write(&c, &text);
    }
    if (err == SOTTO_OK) {
        err = sotto_note_sign(&log->key, log->seed, sotto_buf_span(&text), &line);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_push(&text, '\n');
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&text, sotto_buf_span(&line));
    }
    if (err == SOTTO_OK) {
        err = audit_path(log->public_folder, "checkpoint", path);
    }
    if (err == SOTTO_OK) {
        err = sotto_file_write(path, sotto_buf_span(&text));
    }
    sotto_buf_free(&text);
    sotto_buf_free(&line);
    return err;
}

/* Incomplete tiles that are full now may go: the full one serves those who ask for them. */
static void tidy(struct sotto_audit_log *log, uint64_t old, uint64_t size)
{
    for (unsigned level = 0; level + 1 < SOTTO_AUDIT_LEVELS; level++) {
        uint64_t from = old >> (8 * (level + 1)), to = size >> (8 * (level + 1));
        if (from == to) {
            break;
        }
        audit_tile_tidy(log->public_folder, level, from); /* only the first was there in part */
        if (level == 0) {
            audit_tile_tidy(log->public_folder, SOTTO_AUDIT_ENTRIES, from);
        }
    }
}

static enum sotto_err load_bundle(struct sotto_audit_log *log, struct sotto_buf *out)
{
    unsigned width = sotto_audit_edge(log->tree.size, 0);
    struct audit_bundle *bundle = sotto_calloc(1, sizeof(*bundle));
    enum sotto_err err = bundle != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    if (err == SOTTO_OK && width != 0) {
        err = audit_bundle_read(log->public_folder, log->tree.size >> 8, width, bundle);
    }
    for (unsigned i = 0; i < width && err == SOTTO_OK; i++) {
        uint8_t *to;
        err = sotto_buf_extend(out, AUDIT_BUNDLE_ENTRY_BYTES, &to);
        if (err == SOTTO_OK) {
            to[0] = 0;
            to[1] = SOTTO_AUDIT_ENTRY_BYTES;
            memcpy(to + 2, bundle->entries[i], SOTTO_AUDIT_ENTRY_BYTES);
        }
    }
    sotto_free(bundle);
    return err;
}

/* Writes what is in `taken`: first all that a checkpoint speaks of, then the checkpoint. */
static enum sotto_err publish_taken(struct sotto_audit_log *log)
{
    struct audit_growth *g = sotto_calloc(1, sizeof(*g));
    if (g == NULL) {
        return SOTTO_ENOMEM;
    }
    g->tree = log->tree;
    sotto_buf_init(&g->bundle, (size_t)SOTTO_AUDIT_TILE_WIDTH * AUDIT_BUNDLE_ENTRY_BYTES);
    enum sotto_err err = audit_records_back(&log->records, log->tree.size);
    if (err == SOTTO_OK) {
        err = load_bundle(log, &g->bundle);
    }
    if (err == SOTTO_OK) {
        err = grow_frames(log, g);
    }
    if (err == SOTTO_OK) {
        err = audit_records_flush(&log->records);
    }
    if (err == SOTTO_OK) {
        err = write_edge(log, g);
    }
    if (err == SOTTO_OK) {
        err = audit_ids_write(log->folder, log->public_folder, g->tree.size);
    }
    if (err == SOTTO_OK) {
        err = audit_checkpoint_write(log, &g->tree);
    }
    if (err == SOTTO_OK) {
        tidy(log, log->tree.size, g->tree.size);
        log->tree = g->tree;
        empty(&log->taken);
        empty(&log->taken_leaves.hashes);
    }
    sotto_buf_free(&g->bundle);
    sotto_free(g);
    return err;
}

/* Moves `from` behind what is in `to`.  Errors of sotto_buf_append(), both unchanged. */
static enum sotto_err move_behind(struct sotto_buf *to, struct sotto_buf *from)
{
    if (to->len == 0) {
        struct sotto_buf swap = *to;
        *to = *from;
        *from = swap;
        return SOTTO_OK;
    }
    enum sotto_err err = sotto_buf_append(to, sotto_buf_span(from));
    if (err == SOTTO_OK) {
        sotto_buf_truncate(from, 0);
    }
    return err;
}

/* With `appending` held: takes what waits, behind what an earlier try could not publish. */
static enum sotto_err take_pending(struct sotto_audit_log *log)
{
    struct audit_leaves *leaves = &log->leaves, *taken = &log->taken_leaves;
    enum sotto_err err = log->sequencer->sync(log);
    if (err == SOTTO_OK) {
        err = audit_subjects_store(log->subjects);
    }
    if (err == SOTTO_OK && taken->hashes.len != 0) { /* else they change places */
        err = sotto_buf_reserve(&taken->hashes, leaves->hashes.len);
    }
    if (err == SOTTO_OK) {
        err = move_behind(&log->taken, &log->pending);
    }
    if (err == SOTTO_OK) {
        taken->first = taken->hashes.len != 0 ? taken->first : leaves->first;
        err = move_behind(&taken->hashes, &leaves->hashes); /* there is room */
    }
    return err;
}

enum sotto_err audit_settle(struct sotto_audit_log *log)
{
    enum sotto_err err = take_pending(log);
    if (err == SOTTO_OK && log->taken.len != 0) {
        err = publish_taken(log);
    }
    return err == SOTTO_OK ? log->sequencer->settled(log) : err;
}

enum sotto_err sotto_audit_publish(struct sotto_audit_log *log, uint64_t *entries)
{
    pthread_mutex_lock(&log->publishing);
    uint64_t before = log->tree.size;
    pthread_mutex_lock(&log->appending);
    enum sotto_err err = take_pending(log);
    pthread_mutex_unlock(&log->appending);
    if (err == SOTTO_OK && log->taken.len != 0) {
        err = publish_taken(log);
    }
    if (err == SOTTO_OK) {
        pthread_mutex_lock(&log->appending);
        if (log->sequencer->is_full(log)) {
            err = audit_settle(log); /* little has come since: appends wait for one short round */
        }
        pthread_mutex_unlock(&log->appending);
    }
    if (entries != NULL) {
        *entries = log->tree.size - before;
    }
    pthread_mutex_unlock(&log->publishing);
    return err;
}
