/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>

#include "base/alloc.h"
#include "base/ct.h"
#include "crypto/hkdf.h"
#include "crypto/random.h"
#include "store/audit_fleet.h"
#include "store/secrets.h"
#include "sys/files.h"

/* nonce, seed and tag */
#define SEALED_BYTES (SOTTO_AEAD_NONCE_BYTES + SOTTO_ED25519_SEED_BYTES + SOTTO_AEAD_TAG_BYTES)

_Static_assert(SOTTO_ED25519_PUBLIC_BYTES == SOTTO_HMAC_BYTES, "the chain begins with the key");

enum sotto_err audit_fleet_keys(const uint8_t *master, struct audit_fleet_keys *out)
{
    uint8_t all[3 * AUDIT_FLEET_KEY_BYTES];
    enum sotto_err err = sotto_hkdf(sotto_span_init(master, SOTTO_MASTER_BYTES), SOTTO_LIT(""),
                                    SOTTO_LIT("sotto fleet audit v1"), all, sizeof(all));
    memcpy(out->wrap, all, sizeof(out->wrap));
    memcpy(out->chain, all + sizeof(out->wrap), sizeof(out->chain));
    memcpy(out->seal, all + sizeof(out->wrap) + sizeof(out->chain), sizeof(out->seal));
    sotto_wipe(all, sizeof(all));
    return err;
}

/* --- the signing key --------------------------------------------------------------------------- */

static enum sotto_err seal_seed(const struct audit_fleet_keys *keys, sotto_span origin,
                                const uint8_t *seed, struct sotto_buf *out)
{
    struct sotto_aead *aead = NULL;
    uint8_t nonce[SOTTO_AEAD_NONCE_BYTES];
    enum sotto_err err = sotto_crypto_random(nonce, sizeof(nonce));
    if (err == SOTTO_OK) {
        err = sotto_aead_new(keys->seal, &aead);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, sotto_span_init(nonce, sizeof(nonce)));
    }
    if (err == SOTTO_OK) {
        err = sotto_aead_seal(aead, nonce, origin, sotto_span_init(seed, SOTTO_ED25519_SEED_BYTES),
                              out);
    }
    sotto_aead_free(aead);
    return err;
}

static enum sotto_err open_seed(const struct audit_fleet_keys *keys, sotto_span origin,
                                sotto_span sealed, uint8_t *seed)
{
    struct sotto_aead *aead = NULL;
    struct sotto_buf plain;
    if (sealed.len != SEALED_BYTES) {
        return SOTTO_EAUTH;
    }
    sotto_buf_init(&plain, SOTTO_ED25519_SEED_BYTES);
    enum sotto_err err = sotto_aead_new(keys->seal, &aead);
    if (err == SOTTO_OK) {
        err = sotto_aead_open(aead, sealed.base, origin,
                              sotto_span_skip(sealed, SOTTO_AEAD_NONCE_BYTES), &plain);
    }
    if (err == SOTTO_OK) {
        memcpy(seed, plain.base, SOTTO_ED25519_SEED_BYTES);
    }
    sotto_aead_free(aead);
    sotto_buf_free(&plain);
    return err;
}

/* A log that is begun: a random key, which the first of all that try leaves there. */
static enum sotto_err create(struct postgres_audit *db, const struct audit_fleet_keys *keys,
                             sotto_span origin)
{
    uint8_t seed[SOTTO_ED25519_SEED_BYTES];
    struct sotto_note_key key;
    struct sotto_buf sealed;
    sotto_buf_init(&sealed, SEALED_BYTES);
    enum sotto_err err = sotto_crypto_random(seed, sizeof(seed));
    if (err == SOTTO_OK) {
        err = audit_key_of(origin, seed, &key);
    }
    if (err == SOTTO_OK) {
        err = seal_seed(keys, origin, seed, &sealed);
    }
    if (err == SOTTO_OK) {
        err = postgres_audit_create(db, origin, sotto_buf_span(&sealed), key.public_key);
    }
    sotto_wipe(seed, sizeof(seed));
    sotto_buf_free(&sealed);
    return err;
}

static enum sotto_err cannot_read(const struct postgres_audit *db, enum sotto_err err, char *why)
{
    snprintf(why, SOTTO_STORE_WHY_BYTES, "%s",
             postgres_audit_why(db)[0] != '\0' ? postgres_audit_why(db) : sotto_err_text(err));
    return err;
}

/* The key of the log in the database, which is begun where the folder has none either. */
static enum sotto_err find_key(struct sotto_audit_log *log, const struct audit_fleet_keys *keys,
                               sotto_span wanted, char *why)
{
    struct postgres_audit *db = log->fleet->db;
    struct sotto_buf origin, sealed;
    sotto_buf_init(&origin, SOTTO_NOTE_NAME_MAX);
    sotto_buf_init(&sealed, SEALED_BYTES);
    enum sotto_err err = postgres_audit_key(db, &origin, &sealed);
    if (err == SOTTO_ENOTFOUND && sotto_file_exists(log->public_folder)) {
        err = SOTTO_EAUTH;
        snprintf(why, SOTTO_STORE_WHY_BYTES,
                 "%.300s: the database has no audit log, and this folder has entries of one: see "
                 "that stores.postgres names the fleet's database",
                 log->folder);
    } else if (err == SOTTO_ENOTFOUND) {
        err = create(db, keys, wanted);
        if (err == SOTTO_OK) {
            err = postgres_audit_key(db, &origin, &sealed);
        }
    }
    if (err != SOTTO_OK && why[0] == '\0') {
        err = cannot_read(db, err, why);
    }
    if (err == SOTTO_OK) {
        err = open_seed(keys, sotto_buf_span(&origin), sotto_buf_span(&sealed), log->seed);
        if (err != SOTTO_OK) {
            snprintf(why, SOTTO_STORE_WHY_BYTES,
                     "the fleet's audit log was begun under another secrets.master: give that one "
                     "(%s)",
                     sotto_err_text(err));
        }
    }
    if (err == SOTTO_OK) {
        err = audit_key_of(sotto_buf_span(&origin), log->seed, &log->key);
        if (err != SOTTO_OK) {
            err = cannot_read(db, err, why);
        }
    }
    sotto_buf_free(&origin);
    sotto_buf_free(&sealed);
    return err;
}

/* The folder has the key as any log's folder has, for those who read it: `sotto audit vkey`. */
static enum sotto_err keep_key(struct sotto_audit_log *log, char *why)
{
    char path[AUDIT_PATH_BYTES];
    struct sotto_note_key here;
    enum sotto_err err = audit_path(log->folder, "key", path);
    if (err == SOTTO_OK && sotto_file_exists(path)) {
        err = audit_key_read(log->folder, &here, NULL, why);
        if (err == SOTTO_OK &&
            !sotto_ct_equal(here.public_key, log->key.public_key, SOTTO_ED25519_PUBLIC_BYTES)) {
            snprintf(why, SOTTO_STORE_WHY_BYTES,
                     "%.300s: this folder has another audit log than the database: see that "
                     "stores.postgres names the fleet's database, or use another state folder",
                     log->folder);
            err = SOTTO_EAUTH;
        }
        return err;
    }
    if (err == SOTTO_OK) {
        err = audit_key_write(path, sotto_span_str(log->key.name), log->seed);
    }
    if (err == SOTTO_OK) {
        err = audit_path(log->folder, AUDIT_REPLICA, path);
    }
    if (err == SOTTO_OK) {
        err = sotto_file_write(path, SOTTO_LIT("This is a copy of an audit log whose order and "
                                               "subjects are in PostgreSQL.\n"));
    }
    return err == SOTTO_OK ? err : audit_fail(why, err, path, "cannot be written");
}

/* Whether the folder has a log of its own. */
static bool has_journal(const struct sotto_audit_log *log)
{
    char path[AUDIT_PATH_BYTES];
    return audit_path(log->folder, "subjects", path) != SOTTO_OK || sotto_file_exists(path);
}

static enum sotto_err make_state(struct sotto_audit_log *log, const struct audit_fleet_keys *keys,
                                 sotto_span url, char *why)
{
    struct audit_fleet_state *fleet = sotto_calloc(1, sizeof(*fleet));
    enum sotto_err err = fleet != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    if (err == SOTTO_OK) {
        sotto_buf_init(&fleet->slots, SOTTO_BUF_UNBOUNDED);
        log->fleet = fleet;
        err = postgres_audit_new(url, &fleet->db);
    }
    if (err == SOTTO_OK) {
        err = sotto_hmac_new(sotto_span_init(keys->chain, sizeof(keys->chain)), &fleet->chain);
    }
    if (err == SOTTO_OK) {
        err = audit_subjects_lent(keys->wrap, &log->subjects);
    }
    return err == SOTTO_OK
               ? err
               : audit_fail(why, err, log->folder, "the fleet's audit log cannot be opened");
}

enum sotto_err audit_fleet_open_keys(struct sotto_audit_log *log, sotto_span origin, char *why)
{
    const struct sotto_audit_fleet *options = log->options->fleet;
    struct audit_fleet_keys keys;
    why[0] = '\0';
    if (!audit_is_replica(log->folder) && has_journal(log)) {
        snprintf(why, SOTTO_STORE_WHY_BYTES,
                 "%.300s: this folder has an audit log of its own, which cannot become a fleet's: "
                 "leave audit.sequencer at journal, or keep this folder and use another state "
                 "folder",
                 log->folder);
        return SOTTO_ESTATE;
    }
    enum sotto_err err = audit_fleet_keys(options->master, &keys);
    if (err == SOTTO_OK) {
        err = make_state(log, &keys, options->postgres, why);
    }
    if (err == SOTTO_OK) {
        err = find_key(log, &keys, origin, why);
    }
    if (err == SOTTO_OK) {
        err = audit_origin_check(log, origin, why);
    }
    if (err == SOTTO_OK) {
        memcpy(log->fleet->code, log->key.public_key, sizeof(log->fleet->code));
        err = keep_key(log, why);
    }
    sotto_wipe(&keys, sizeof(keys));
    return err;
}

/* --- subjects ---------------------------------------------------------------------------------- */

static enum sotto_err take_slot(void *ctx, uint64_t number, sotto_span slot)
{
    return slot.len == SOTTO_AUDIT_SLOT_BYTES ? audit_subjects_adopt(ctx, number, slot.base)
                                              : SOTTO_EAUTH;
}

enum sotto_err audit_fleet_slots(struct postgres_audit *db, struct audit_subjects *subjects,
                                 uint64_t count, uint64_t *at)
{
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && audit_subjects_count(subjects) < count) {
        *at = audit_subjects_count(subjects);
        err = postgres_audit_slots(db, *at, count, take_slot, subjects);
        if (err == SOTTO_EAUTH || err == SOTTO_EFORMAT ||
            (err == SOTTO_OK && audit_subjects_count(subjects) == *at)) {
            *at = audit_subjects_count(subjects);
            err = SOTTO_EAUTH;
        }
    }
    return err;
}

static enum sotto_err read_subjects(const struct sotto_audit_fleet *fleet,
                                    struct postgres_audit *db, struct audit_subjects **out,
                                    char *why)
{
    struct audit_fleet_keys keys;
    struct postgres_audit_head head;
    uint64_t at = 0;
    enum sotto_err err = audit_fleet_keys(fleet->master, &keys);
    if (err == SOTTO_OK) {
        err = audit_subjects_lent(keys.wrap, out);
    }
    if (err == SOTTO_OK) {
        err = postgres_audit_head(db, false, &head);
    }
    if (err == SOTTO_OK) {
        err = audit_fleet_slots(db, *out, head.subjects, &at);
    }
    sotto_wipe(&keys, sizeof(keys));
    if (err == SOTTO_EAUTH) {
        snprintf(why, SOTTO_STORE_WHY_BYTES,
                 "PostgreSQL: row %llu of sotto.audit_subject is missing or damaged, or "
                 "secrets.master is not the fleet's",
                 (unsigned long long)at);
        return err;
    }
    return err == SOTTO_OK ? err : cannot_read(db, err, why);
}

enum sotto_err audit_subjects_reach(const char *folder, const struct sotto_audit_fleet *fleet,
                                    struct audit_subjects **out, char why[SOTTO_STORE_WHY_BYTES])
{
    struct postgres_audit *db = NULL;
    struct audit_subjects *subjects = NULL;
    if (!audit_is_replica(folder)) {
        return audit_subjects_open(folder, false, out, why);
    }
    if (fleet == NULL) {
        snprintf(why, SOTTO_STORE_WHY_BYTES,
                 "%.300s: this is a copy of a fleet's log, whose records open with keys in "
                 "PostgreSQL: give the gateway's configuration with --config",
                 folder);
        return SOTTO_ESTATE;
    }
    enum sotto_err err = postgres_audit_new(fleet->postgres, &db);
    if (err == SOTTO_OK) {
        err = read_subjects(fleet, db, &subjects, why);
    } else {
        snprintf(why, SOTTO_STORE_WHY_BYTES, "stores.postgres: %s", sotto_err_text(err));
    }
    postgres_audit_free(db);
    if (err == SOTTO_OK) {
        *out = subjects;
    } else {
        audit_subjects_close(subjects);
    }
    return err;
}
