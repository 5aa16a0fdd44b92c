/* SPDX-License-Identifier: Apache-2.0 */

#include "store/audit_subjects.h"

#include <inttypes.h>
#include <stdio.h>

#include "audit/bytes.h"
#include "base/alloc.h"
#include "base/ct.h"
#include "base/hash.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "sys/files.h"

#define SUBJECTS_HEAD_BYTES 32
#define SUBJECTS_ID_AT      24
/* Prepared keys that are kept; all are given up when there are more. */
#define SUBJECTS_SEALERS_MAX 1024

static const uint8_t subjects_head[SUBJECTS_ID_AT] = {'S', 'S', 'U', 'B', 0, 0, 0, 1};

struct audit_subject {
    char name[SOTTO_AUDIT_SUBJECT_MAX];
    uint8_t name_len;
    bool live;
    uint8_t key[SOTTO_AUDIT_KEY_BYTES];
    struct sotto_audit_sealer *sealer; /* NULL: not prepared */
};

struct audit_subjects {
    char folder[AUDIT_FOLDER_MAX];
    struct sotto_disk_file file;
    bool lent; /* there is no file */
    struct sotto_aead *wrap;
    uint8_t wrap_id[8];
    struct audit_subject *items;
    size_t count, cap;
    size_t stored; /* slots in the file */
    size_t listed; /* as audit_subjects_listed() says */
    size_t sealers;
    uint32_t *buckets; /* number + 1 of a live subject, by its name; 0: empty */
    size_t bucket_count;
};

/* --- the wrapping key -------------------------------------------------------------------------- */

static enum sotto_err wrap_id_of(const uint8_t key[AUDIT_SUBJECTS_WRAP_BYTES], uint8_t out[8])
{
    uint8_t digest[SOTTO_SHA256_BYTES];
    const sotto_span parts[] = {SOTTO_LIT("sotto audit wrap v1"),
                                sotto_span_init(key, AUDIT_SUBJECTS_WRAP_BYTES)};
    enum sotto_err err = sotto_sha256_parts(parts, 2, digest);
    memcpy(out, digest, 8);
    sotto_wipe(digest, sizeof(digest));
    return err;
}

static enum sotto_err use_wrap(struct audit_subjects *s,
                               const uint8_t key[AUDIT_SUBJECTS_WRAP_BYTES])
{
    struct sotto_aead *wrap = NULL;
    uint8_t id[8];
    enum sotto_err err = wrap_id_of(key, id);
    if (err == SOTTO_OK) {
        err = sotto_aead_new(key, &wrap);
    }
    if (err == SOTTO_OK) {
        sotto_aead_free(s->wrap);
        s->wrap = wrap;
        memcpy(s->wrap_id, id, sizeof(id));
    }
    return err;
}

static enum sotto_err read_wrap(struct audit_subjects *s, const char *name)
{
    char path[AUDIT_PATH_BYTES];
    struct sotto_buf bytes;
    sotto_buf_init(&bytes, AUDIT_SUBJECTS_WRAP_BYTES);
    enum sotto_err err = audit_path(s->folder, name, path);
    if (err == SOTTO_OK) {
        err = sotto_file_read(path, AUDIT_SUBJECTS_WRAP_BYTES, &bytes);
    }
    if (err == SOTTO_OK && bytes.len != AUDIT_SUBJECTS_WRAP_BYTES) {
        err = SOTTO_EFORMAT;
    }
    if (err == SOTTO_OK) {
        err = use_wrap(s, bytes.base);
    }
    sotto_buf_free(&bytes);
    return err;
}

/* Overwrites the file's bytes where they lie, then puts the new file in its place. */
static enum sotto_err replace_wrap(struct audit_subjects *s)
{
    char old[AUDIT_PATH_BYTES], next[AUDIT_PATH_BYTES];
    uint8_t noise[AUDIT_SUBJECTS_WRAP_BYTES];
    struct sotto_disk_file file = {-1};
    enum sotto_err err = audit_path(s->folder, "wrap", old);
    if (err == SOTTO_OK) {
        err = audit_path(s->folder, "wrap.next", next);
    }
    if (err == SOTTO_OK) {
        err = sotto_disk_open(old, SOTTO_DISK_WRITE, &file);
    }
    if (err == SOTTO_OK) {
        err = sotto_crypto_random(noise, sizeof(noise));
    }
    if (err == SOTTO_OK) {
        err = sotto_disk_write(&file, 0, sotto_span_init(noise, sizeof(noise)));
    }
    if (err == SOTTO_OK) {
        err = sotto_disk_sync(&file);
    }
    sotto_disk_close(&file);
    return err == SOTTO_OK ? sotto_file_rename(next, old) : err;
}

/* --- the table --------------------------------------------------------------------------------- */

static size_t bucket_of(const struct audit_subjects *s, sotto_span name)
{
    uint64_t hash = 1469598103934665603ULL; /* names are the gateway's own: nobody chooses them */
    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ name.base[i]) * 1099511628211ULL;
    }
    return (size_t)(hash ^ hash >> 32) & (s->bucket_count - 1);
}

static sotto_span name_of(const struct audit_subject *item)
{
    return sotto_span_init(item->name, item->name_len);
}

static void enlist(struct audit_subjects *s, size_t number)
{
    size_t at = bucket_of(s, name_of(&s->items[number]));
    while (s->buckets[at] != 0) {
        at = (at + 1) & (s->bucket_count - 1);
    }
    s->buckets[at] = (uint32_t)(number + 1);
}

static void enlist_all(struct audit_subjects *s)
{
    memset(s->buckets, 0, s->bucket_count * sizeof(*s->buckets));
    for (size_t i = 0; i < s->count; i++) {
        if (s->items[i].live) {
            enlist(s, i);
        }
    }
}

static enum sotto_err make_room(struct audit_subjects *s)
{
    if (s->count < s->cap) {
        return SOTTO_OK;
    }
    if (s->count >= AUDIT_SUBJECTS_MAX) {
        return SOTTO_ELIMIT;
    }
    size_t cap = s->cap != 0 ? 2 * s->cap : 64;
    uint32_t *buckets = sotto_calloc(2 * cap, sizeof(*buckets));
    struct audit_subject *items =
        buckets != NULL ? sotto_resize(s->items, cap * sizeof(*items)) : NULL;
    if (items == NULL) {
        sotto_free(buckets);
        return SOTTO_ENOMEM;
    }
    sotto_free(s->buckets);
    s->items = items;
    s->cap = cap;
    s->buckets = buckets;
    s->bucket_count = 2 * cap;
    enlist_all(s);
    return SOTTO_OK;
}

static enum sotto_err put(struct audit_subjects *s, sotto_span name, bool live, const uint8_t *key)
{
    enum sotto_err err = make_room(s);
    if (err != SOTTO_OK) {
        return err;
    }
    struct audit_subject *item = &s->items[s->count];
    *item = (struct audit_subject){.live = live, .name_len = (uint8_t)name.len};
    if (live) {
        memcpy(item->name, name.base, name.len);
        memcpy(item->key, key, SOTTO_AUDIT_KEY_BYTES);
        enlist(s, s->count);
    }
    s->count++;
    return SOTTO_OK;
}

static enum sotto_err put_slot(struct audit_subjects *s, const uint8_t *slot)
{
    uint8_t key[SOTTO_AUDIT_KEY_BYTES];
    sotto_span name = {0};
    enum sotto_err err = sotto_audit_slot_read(s->wrap, s->count, slot, &name, key);
    bool live = err == SOTTO_OK;
    if (err == SOTTO_OK || err == SOTTO_ENOTFOUND) {
        err = put(s, name, live, key);
    }
    sotto_wipe(key, sizeof(key));
    return err;
}

uint64_t audit_subjects_count(const struct audit_subjects *s)
{
    return s->count;
}

uint64_t audit_subjects_listed(const struct audit_subjects *s)
{
    return s->listed;
}

enum sotto_err audit_subjects_find(const struct audit_subjects *s, sotto_span name,
                                   uint64_t *number)
{
    if (s->bucket_count == 0) {
        return SOTTO_ENOTFOUND;
    }
    for (size_t at = bucket_of(s, name); s->buckets[at] != 0;
         at = (at + 1) & (s->bucket_count - 1)) {
        size_t n = s->buckets[at] - 1;
        if (sotto_span_eq(name_of(&s->items[n]), name)) {
            *number = n;
            return SOTTO_OK;
        }
    }
    return SOTTO_ENOTFOUND;
}

enum sotto_err audit_subjects_add(struct audit_subjects *s, sotto_span name, uint64_t *number,
                                  uint8_t slot[SOTTO_AUDIT_SLOT_BYTES])
{
    uint8_t key[SOTTO_AUDIT_KEY_BYTES];
    enum sotto_err err = sotto_crypto_random(key, sizeof(key));
    if (err == SOTTO_OK) {
        err = sotto_audit_slot_write(s->wrap, s->count, name, key, slot);
    }
    if (err == SOTTO_OK) {
        err = put(s, name, true, key);
    }
    if (err == SOTTO_OK) {
        *number = s->count - 1;
    }
    sotto_wipe(key, sizeof(key));
    return err;
}

static void clear(struct audit_subjects *s, struct audit_subject *item)
{
    if (item->sealer != NULL) {
        sotto_audit_sealer_free(item->sealer);
        s->sealers--;
    }
    sotto_wipe(item, sizeof(*item));
}

void audit_subjects_drop(struct audit_subjects *s, uint64_t count)
{
    while (s->count > count) {
        clear(s, &s->items[--s->count]);
    }
    if (s->bucket_count != 0) {
        enlist_all(s);
    }
}

void audit_subjects_forget(struct audit_subjects *s, uint64_t number)
{
    if (number < s->count && s->items[number].live) {
        clear(s, &s->items[number]);
        enlist_all(s);
    }
}

enum sotto_err audit_subjects_adopt(struct audit_subjects *s, uint64_t number,
                                    const uint8_t slot[SOTTO_AUDIT_SLOT_BYTES])
{
    if (number < s->count) {
        return SOTTO_OK;
    }
    return number == s->count ? put_slot(s, slot) : SOTTO_EFORMAT;
}

enum sotto_err audit_subjects_sealer(struct audit_subjects *s, uint64_t number,
                                     struct sotto_audit_sealer **out)
{
    if (number >= s->count || !s->items[number].live) {
        return SOTTO_ENOTFOUND;
    }
    struct audit_subject *item = &s->items[number];
    if (item->sealer == NULL) {
        if (s->sealers >= SUBJECTS_SEALERS_MAX) {
            for (size_t i = 0; i < s->count; i++) {
                sotto_audit_sealer_free(s->items[i].sealer);
                s->items[i].sealer = NULL;
            }
            s->sealers = 0;
        }
        enum sotto_err err = sotto_audit_sealer_new(item->key, &item->sealer);
        if (err != SOTTO_OK) {
            return err;
        }
        s->sealers++;
    }
    *out = item->sealer;
    return SOTTO_OK;
}

/* --- the file ---------------------------------------------------------------------------------- */

static enum sotto_err append_slots(struct audit_subjects *s, size_t from, struct sotto_buf *out)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = from; i < s->count && err == SOTTO_OK; i++) {
        uint8_t *slot;
        err = sotto_buf_extend(out, SOTTO_AUDIT_SLOT_BYTES, &slot);
        if (err == SOTTO_OK && s->items[i].live) {
            err = sotto_audit_slot_write(s->wrap, i, name_of(&s->items[i]), s->items[i].key, slot);
        } else if (err == SOTTO_OK) {
            sotto_audit_slot_erase(slot);
        }
    }
    return err;
}

static enum sotto_err append_head(const struct audit_subjects *s, struct sotto_buf *out)
{
    uint8_t head[SUBJECTS_HEAD_BYTES];
    memcpy(head, subjects_head, sizeof(subjects_head));
    memcpy(head + SUBJECTS_ID_AT, s->wrap_id, sizeof(s->wrap_id));
    return sotto_buf_append(out, sotto_span_init(head, sizeof(head)));
}

/* Writes the whole file under the present wrapping key and opens it. */
static enum sotto_err write_file(struct audit_subjects *s)
{
    char path[AUDIT_PATH_BYTES];
    struct sotto_buf bytes;
    sotto_buf_init(&bytes, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = append_head(s, &bytes);
    if (err == SOTTO_OK) {
        err = append_slots(s, 0, &bytes);
    }
    if (err == SOTTO_OK) {
        err = audit_path(s->folder, "subjects", path);
    }
    if (err == SOTTO_OK) {
        err = sotto_file_write(path, sotto_buf_span(&bytes));
    }
    if (err == SOTTO_OK) {
        sotto_disk_close(&s->file);
        err = sotto_disk_open(path, SOTTO_DISK_WRITE, &s->file);
        s->stored = s->count;
    }
    sotto_buf_free(&bytes);
    return err;
}

enum sotto_err audit_subjects_store(struct audit_subjects *s)
{
    struct sotto_buf bytes;
    if (s->lent || s->stored == s->count) {
        return SOTTO_OK;
    }
    sotto_buf_init(&bytes, SOTTO_BUF_UNBOUNDED);
    uint64_t at = SUBJECTS_HEAD_BYTES + (uint64_t)s->stored * SOTTO_AUDIT_SLOT_BYTES;
    size_t count = s->count;
    enum sotto_err err = append_slots(s, s->stored, &bytes);
    if (err == SOTTO_OK) {
        err = sotto_disk_write(&s->file, at, sotto_buf_span(&bytes));
    }
    if (err == SOTTO_OK) {
        err = sotto_disk_sync(&s->file);
    }
    if (err == SOTTO_OK) {
        s->stored = count;
    }
    sotto_buf_free(&bytes);
    return err;
}

/*
 * wrap.next is durable before the slots are written under it, and takes the place of wrap only
 * after they are: whichever of the two the head of `subjects` names is there at any moment.
 */
enum sotto_err audit_subjects_erase(struct audit_subjects *s, uint64_t number)
{
    uint8_t key[AUDIT_SUBJECTS_WRAP_BYTES];
    char next[AUDIT_PATH_BYTES];
    if (number >= s->count || !s->items[number].live) {
        return SOTTO_ENOTFOUND;
    }
    enum sotto_err err = sotto_crypto_random(key, sizeof(key));
    if (err == SOTTO_OK) {
        err = audit_path(s->folder, "wrap.next", next);
    }
    if (err == SOTTO_OK) {
        err = sotto_file_write(next, sotto_span_init(key, sizeof(key)));
    }
    if (err == SOTTO_OK) {
        err = use_wrap(s, key);
    }
    if (err == SOTTO_OK) {
        audit_subjects_forget(s, number);
        err = write_file(s);
    }
    if (err == SOTTO_OK) {
        err = replace_wrap(s);
    }
    sotto_wipe(key, sizeof(key));
    return err;
}

static enum sotto_err create(struct audit_subjects *s)
{
    uint8_t key[AUDIT_SUBJECTS_WRAP_BYTES];
    char path[AUDIT_PATH_BYTES];
    enum sotto_err err = sotto_crypto_random(key, sizeof(key));
    if (err == SOTTO_OK) {
        err = audit_path(s->folder, "wrap", path);
    }
    if (err == SOTTO_OK) {
        err = sotto_file_write(path, sotto_span_init(key, sizeof(key)));
    }
    if (err == SOTTO_OK) {
        err = use_wrap(s, key);
    }
    sotto_wipe(key, sizeof(key));
    return err == SOTTO_OK ? write_file(s) : err;
}

/* The wrapping key that the head names: `wrap`, or `wrap.next` after a crash in mid-erasure. */
static enum sotto_err choose_wrap(struct audit_subjects *s, const uint8_t *head, bool writes)
{
    enum sotto_err err = read_wrap(s, "wrap");
    if (err == SOTTO_OK && sotto_ct_equal(s->wrap_id, head + SUBJECTS_ID_AT, 8)) {
        return SOTTO_OK;
    }
    enum sotto_err next = read_wrap(s, "wrap.next");
    if (next == SOTTO_OK && sotto_ct_equal(s->wrap_id, head + SUBJECTS_ID_AT, 8)) {
        return writes ? replace_wrap(s) : SOTTO_OK;
    }
    return err == SOTTO_OK ? SOTTO_EFORMAT : err;
}

/* Slots at the end may be torn: they are in the journal then, from where they are adopted. */
static enum sotto_err load(struct audit_subjects *s, const char *path, bool writes)
{
    uint8_t head[SUBJECTS_HEAD_BYTES], slot[SOTTO_AUDIT_SLOT_BYTES];
    uint64_t size = 0;
    enum sotto_err err =
        sotto_disk_open(path, writes ? SOTTO_DISK_WRITE : SOTTO_DISK_READ, &s->file);
    if (err == SOTTO_OK) {
        err = sotto_disk_size(&s->file, &size);
    }
    if (err == SOTTO_OK) {
        err = sotto_disk_read(&s->file, 0, head, sizeof(head));
    }
    if (err == SOTTO_OK && !sotto_ct_equal(head, subjects_head, sizeof(subjects_head))) {
        err = SOTTO_EFORMAT;
    }
    if (err == SOTTO_OK) {
        err = choose_wrap(s, head, writes);
    }
    size_t slots = err == SOTTO_OK ? (size_t)((size - sizeof(head)) / SOTTO_AUDIT_SLOT_BYTES) : 0;
    for (size_t i = 0; i < slots && err == SOTTO_OK; i++) {
        err = sotto_disk_read(&s->file, sizeof(head) + (uint64_t)i * SOTTO_AUDIT_SLOT_BYTES, slot,
                              sizeof(slot));
        enum sotto_err bad = err == SOTTO_OK ? put_slot(s, slot) : SOTTO_OK;
        if (bad == SOTTO_EAUTH || bad == SOTTO_EFORMAT) {
            break;
        }
        err = err == SOTTO_OK ? bad : err;
    }
    s->stored = s->count;
    s->listed = slots;
    return err;
}

enum sotto_err audit_subjects_open(const char *folder, bool writes, struct audit_subjects **out,
                                   char why[SOTTO_STORE_WHY_BYTES])
{
    char path[AUDIT_PATH_BYTES];
    struct audit_subjects *s = sotto_calloc(1, sizeof(*s));
    if (s == NULL) {
        snprintf(why, SOTTO_STORE_WHY_BYTES, "%s", sotto_err_text(SOTTO_ENOMEM));
        return SOTTO_ENOMEM;
    }
    s->file.fd = -1;
    snprintf(s->folder, sizeof(s->folder), "%s", folder);
    enum sotto_err err = audit_path(folder, "subjects", path);
    if (err == SOTTO_OK) {
        err = writes && !sotto_file_exists(path) ? create(s) : load(s, path, writes);
    }
    if (err != SOTTO_OK) {
        snprintf(why, SOTTO_STORE_WHY_BYTES,
                 "%.300s: the keys of the audit log's subjects cannot be read (%s)", path,
                 sotto_err_text(err));
        audit_subjects_close(s);
        return err;
    }
    *out = s;
    return SOTTO_OK;
}

enum sotto_err audit_subjects_lent(const uint8_t *wrap, struct audit_subjects **out)
{
    struct audit_subjects *s = sotto_calloc(1, sizeof(*s));
    if (s == NULL) {
        return SOTTO_ENOMEM;
    }
    s->file.fd = -1;
    s->lent = true;
    enum sotto_err err = use_wrap(s, wrap);
    if (err != SOTTO_OK) {
        audit_subjects_close(s);
        return err;
    }
    *out = s;
    return SOTTO_OK;
}

void audit_subjects_close(struct audit_subjects *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        sotto_audit_sealer_free(s->items[i].sealer);
    }
    sotto_disk_close(&s->file);
    sotto_aead_free(s->wrap);
    sotto_free(s->items);
    sotto_free(s->buckets);
    sotto_free(s);
}
