/* SPDX-License-Identifier: Apache-2.0 */

#include "store/postgres_audit.h"

#include "base/alloc.h"
#include "store/postgres_link.h"

struct postgres_audit {
    struct postgres_link *link;
};

enum sotto_err postgres_audit_new(sotto_span url, struct postgres_audit **out)
{
    struct postgres_audit *db = sotto_calloc(1, sizeof(*db));
    if (db == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = postgres_link_new(url, &db->link);
    if (err != SOTTO_OK) {
        sotto_free(db);
        return err;
    }
    *out = db;
    return SOTTO_OK;
}

void postgres_audit_free(struct postgres_audit *db)
{
    if (db != NULL) {
        postgres_link_free(db->link);
        sotto_free(db);
    }
}

const char *postgres_audit_why(const struct postgres_audit *db)
{
    return postgres_link_why(db->link);
}

/* --- the row of the log ------------------------------------------------------------------------ */

enum sotto_err postgres_audit_key(struct postgres_audit *db, struct sotto_buf *origin,
                                  struct sotto_buf *sealed)
{
    static const struct postgres_statement statement = {
        .name = "audit_key",
        .sql = "SELECT origin, key FROM sotto.audit",
    };
    PGresult *result = NULL;
    enum sotto_err err = postgres_run(db->link, &statement, NULL, &result);
    if (err != SOTTO_OK) {
        return err;
    }
    err = PQntuples(result) == 1 ? sotto_buf_append(origin, postgres_bytes(result, 0, 0))
                                 : SOTTO_ENOTFOUND;
    if (err == SOTTO_OK) {
        err = sotto_buf_append(sealed, postgres_bytes(result, 0, 1));
    }
    PQclear(result);
    return err;
}

enum sotto_err postgres_audit_create(struct postgres_audit *db, sotto_span origin,
                                     sotto_span sealed, const uint8_t code[SOTTO_HMAC_BYTES])
{
    static const struct postgres_statement statement = {
        .name = "audit_create",
        .sql = "INSERT INTO sotto.audit (origin, key, next, subjects, erasures, code)"
               " VALUES ($1, $2, 0, 0, 0, $3) ON CONFLICT DO NOTHING",
        .types = {POSTGRES_TEXT, POSTGRES_BYTEA, POSTGRES_BYTEA},
    };
    struct postgres_values values = {.count = 0};
    postgres_add_bytes(&values, origin.base, origin.len);
    postgres_add_bytes(&values, sealed.base, sealed.len);
    postgres_add_bytes(&values, code, SOTTO_HMAC_BYTES);
    return postgres_run(db->link, &statement, &values, NULL);
}

#define AUDIT_HEAD "SELECT next, subjects, erasures, code FROM sotto.audit"

enum sotto_err postgres_audit_head(struct postgres_audit *db, bool turn,
                                   struct postgres_audit_head *out)
{
    static const struct postgres_statement look = {.name = "audit_head", .sql = AUDIT_HEAD};
    static const struct postgres_statement take = {.name = "audit_turn",
                                                   .sql = AUDIT_HEAD " FOR UPDATE"};
    PGresult *result = NULL;
    enum sotto_err err = postgres_run(db->link, turn ? &take : &look, NULL, &result);
    if (err != SOTTO_OK) {
        return err;
    }
    if (PQntuples(result) != 1) {
        err = SOTTO_ENOTFOUND;
    } else if (postgres_bytes(result, 0, 3).len != SOTTO_HMAC_BYTES) {
        err = SOTTO_EFORMAT;
    } else {
        out->next = (uint64_t)postgres_int(result, 0, 0);
        out->subjects = (uint64_t)postgres_int(result, 0, 1);
        out->erasures = (uint64_t)postgres_int(result, 0, 2);
        memcpy(out->code, postgres_bytes(result, 0, 3).base, SOTTO_HMAC_BYTES);
    }
    PQclear(result);
    return err;
}

/* --- reading ----------------------------------------------------------------------------------- */

static void add_range(struct postgres_values *values, uint64_t from, uint64_t until)
{
    uint64_t count = until > from ? until - from : 0;
    count = count < POSTGRES_AUDIT_SPAN ? count : POSTGRES_AUDIT_SPAN;
    postgres_add_int(values, (int64_t)from);
    postgres_add_int(values, (int64_t)(from + count));
}

enum sotto_err postgres_audit_frames(struct postgres_audit *db, uint64_t from, uint64_t until,
                                     postgres_audit_each_frame *each, void *ctx)
{
    static const struct postgres_statement statement = {
        .name = "audit_frames",
        .sql = "SELECT first, count, frame, code FROM sotto.audit_frame"
               " WHERE first >= $1 AND first < $2 ORDER BY first",
        .types = {POSTGRES_INT8, POSTGRES_INT8},
    };
    struct postgres_values values = {.count = 0};
    PGresult *result = NULL;
    add_range(&values, from, until);
    enum sotto_err err = postgres_run(db->link, &statement, &values, &result);
    if (err != SOTTO_OK) {
        return err;
    }
    for (int row = 0; err == SOTTO_OK && row < PQntuples(result); row++) {
        const struct postgres_audit_frame f = {
            .first = (uint64_t)postgres_int(result, row, 0),
            .count = (uint64_t)postgres_int(result, row, 1),
            .bytes = postgres_bytes(result, row, 2),
            .code = postgres_bytes(result, row, 3),
        };
        err = each(ctx, &f);
    }
    PQclear(result);
    return err;
}

static enum sotto_err each_slot(struct postgres_audit *db,
                                const struct postgres_statement *statement,
                                const struct postgres_values *values,
                                postgres_audit_each_slot *each, void *ctx)
{
    PGresult *result = NULL;
    enum sotto_err err = postgres_run(db->link, statement, values, &result);
    if (err != SOTTO_OK) {
        return err;
    }
    for (int row = 0; err == SOTTO_OK && row < PQntuples(result); row++) {
        err = each(ctx, (uint64_t)postgres_int(result, row, 0), postgres_bytes(result, row, 1));
    }
    PQclear(result);
    return err;
}

enum sotto_err postgres_audit_slots(struct postgres_audit *db, uint64_t from, uint64_t until,
                                    postgres_audit_each_slot *each, void *ctx)
{
    static const struct postgres_statement statement = {
        .name = "audit_slots",
        .sql = "SELECT number, slot FROM sotto.audit_subject"
               " WHERE number >= $1 AND number < $2 ORDER BY number",
        .types = {POSTGRES_INT8, POSTGRES_INT8},
    };
    struct postgres_values values = {.count = 0};
    add_range(&values, from, until);
    return each_slot(db, &statement, &values, each, ctx);
}

enum sotto_err postgres_audit_erased(struct postgres_audit *db, uint64_t after,
                                     postgres_audit_each_slot *each, void *ctx)
{
    static const struct postgres_statement statement = {
        .name = "audit_erased",
        .sql = "SELECT number, slot FROM sotto.audit_subject WHERE erasure > $1",
        .types = {POSTGRES_INT8},
    };
    struct postgres_values values = {.count = 0};
    postgres_add_int(&values, (int64_t)after);
    return each_slot(db, &statement, &values, each, ctx);
}

/* --- changing ---------------------------------------------------------------------------------- */

enum sotto_err postgres_audit_begin(struct postgres_audit *db)
{
    return postgres_start(db->link);
}

enum sotto_err postgres_audit_end(struct postgres_audit *db, enum sotto_err err)
{
    return postgres_end(db->link, err);
}

enum sotto_err postgres_audit_add_slots(struct postgres_audit *db, uint64_t first, sotto_span slots)
{
    static const struct postgres_statement statement = {
        .name = "audit_add_slots",
        .sql = "INSERT INTO sotto.audit_subject (number, slot)"
               " SELECT $1 + n, substr($2, (n * $3)::int + 1, $3::int)"
               " FROM generate_series(0, length($2) / $3 - 1) n",
        .types = {POSTGRES_INT8, POSTGRES_BYTEA, POSTGRES_INT8},
        .once = true,
    };
    struct postgres_values values = {.count = 0};
    postgres_add_int(&values, (int64_t)first);
    postgres_add_bytes(&values, slots.base, slots.len);
    postgres_add_int(&values, SOTTO_AUDIT_SLOT_BYTES);
    return postgres_run(db->link, &statement, &values, NULL);
}

enum sotto_err postgres_audit_add_frame(struct postgres_audit *db,
                                        const struct postgres_audit_frame *frame, uint64_t subjects)
{
    static const struct postgres_statement statement = {
        .name = "audit_add_frame",
        .sql = "WITH added AS (INSERT INTO sotto.audit_frame (first, count, frame, code)"
               " VALUES ($1, $2, $3, $4))"
               " UPDATE sotto.audit SET next = $1 + $2, code = $4, subjects = $5",
        .types = {POSTGRES_INT8, POSTGRES_INT8, POSTGRES_BYTEA, POSTGRES_BYTEA, POSTGRES_INT8},
        .once = true,
    };
    struct postgres_values values = {.count = 0};
    postgres_add_int(&values, (int64_t)frame->first);
    postgres_add_int(&values, (int64_t)frame->count);
    postgres_add_bytes(&values, frame->bytes.base, frame->bytes.len);
    postgres_add_bytes(&values, frame->code.base, frame->code.len);
    postgres_add_int(&values, (int64_t)subjects);
    return postgres_run(db->link, &statement, &values, NULL);
}

enum sotto_err postgres_audit_erase(struct postgres_audit *db, uint64_t number,
                                    const uint8_t slot[SOTTO_AUDIT_SLOT_BYTES])
{
    static const struct postgres_statement statement = {
        .name = "audit_erase",
        .sql = "WITH counted AS (UPDATE sotto.audit SET erasures = erasures + 1 RETURNING erasures)"
               " UPDATE sotto.audit_subject s SET slot = $2, erasure = counted.erasures"
               " FROM counted WHERE s.number = $1",
        .types = {POSTGRES_INT8, POSTGRES_BYTEA},
        .once = true,
    };
    struct postgres_values values = {.count = 0};
    PGresult *result = NULL;
    postgres_add_int(&values, (int64_t)number);
    postgres_add_bytes(&values, slot, SOTTO_AUDIT_SLOT_BYTES);
    enum sotto_err err = postgres_run(db->link, &statement, &values, &result);
    if (err == SOTTO_OK) {
        err = strcmp(PQcmdTuples(result), "1") == 0 ? SOTTO_OK : SOTTO_ENOTFOUND;
        PQclear(result);
    }
    return err;
}
