/* SPDX-License-Identifier: Apache-2.0 */

#include "store/postgres.h"

/* Version 1; each later one is a script more.  An entry once released is never changed.
 * What changes keys is announced by the database itself, so also what is changed by hand. */
static const char *const migrations[] = {
    "CREATE SCHEMA IF NOT EXISTS sotto;"
    "CREATE TABLE sotto.fleet ("
    " one boolean PRIMARY KEY DEFAULT true CHECK (one),"
    " version bigint NOT NULL,"
    " generation bigint NOT NULL," /* rises with each change of a key */
    " grace bigint"                /* seconds; as configured last */
    ");"
    "INSERT INTO sotto.fleet (version, generation) VALUES (0, 1);"
    "CREATE TABLE sotto.keys ("
    " number bigint GENERATED ALWAYS AS IDENTITY,"
    " id text PRIMARY KEY CHECK (length(id) = 12),"
    " hash bytea NOT NULL CHECK (length(hash) = 32),"
    " old_hash bytea NOT NULL CHECK (length(old_hash) = 32),"
    " old_until bigint NOT NULL,"
    " created bigint NOT NULL,"
    " expires bigint NOT NULL,"
    " revoked bigint NOT NULL,"
    " name text NOT NULL,"
    " tenant text NOT NULL CHECK (tenant <> ''),"
    " scopes text NOT NULL,"
    " mode text NOT NULL,"
    " style text NOT NULL,"
    " anonymize bigint NOT NULL,"
    " requests_per_minute bigint NOT NULL,"
    " tokens_per_minute bigint NOT NULL,"
    " monthly_requests bigint NOT NULL,"
    " monthly_tokens bigint NOT NULL,"
    " monthly_cost bigint NOT NULL" /* thousand-millionths */
    ");"
    "CREATE TABLE sotto.usage ("
    " key text NOT NULL,"
    " month bigint NOT NULL," /* months since January 1970 */
    " requests bigint NOT NULL,"
    " prompt_tokens bigint NOT NULL,"
    " completion_tokens bigint NOT NULL,"
    " estimated_tokens bigint NOT NULL,"
    " cost bigint NOT NULL,"
    " PRIMARY KEY (key, month)"
    ");"
    /* Which batches of use are in `usage`: one that comes again is not booked again. */
    "CREATE TABLE sotto.batch ("
    " id bytea PRIMARY KEY CHECK (length(id) = 16),"
    " booked timestamptz NOT NULL DEFAULT now()"
    ");"
    "CREATE FUNCTION sotto.announce() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER"
    " SET search_path = pg_catalog AS"
    " 'BEGIN UPDATE sotto.fleet SET generation = generation + 1; NOTIFY sotto_keys;"
    " RETURN NULL; END';"
    "CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sotto.keys"
    " FOR EACH STATEMENT EXECUTE FUNCTION sotto.announce();",
    /* Version 2: one audit log for a fleet (store/postgres_audit.h). */
    "CREATE TABLE sotto.audit ("
    " one boolean PRIMARY KEY DEFAULT true CHECK (one),"
    " origin text NOT NULL,"
    " key bytea NOT NULL,"
    " next bigint NOT NULL,"
    " subjects bigint NOT NULL,"
    " erasures bigint NOT NULL,"
    " code bytea NOT NULL CHECK (length(code) = 32)"
    ");"
    "CREATE TABLE sotto.audit_frame ("
    " first bigint PRIMARY KEY,"
    " count bigint NOT NULL CHECK (count > 0),"
    " frame bytea NOT NULL,"
    " code bytea NOT NULL CHECK (length(code) = 32)"
    ");"
    "CREATE TABLE sotto.audit_subject ("
    " number bigint PRIMARY KEY,"
    " slot bytea NOT NULL CHECK (length(slot) = 176),"
    " erasure bigint NOT NULL DEFAULT 0" /* 0: not erased */
    ");"
    "CREATE INDEX ON sotto.audit_subject (erasure) WHERE erasure > 0;",
};

static const struct postgres_statement find_fleet = {
    .name = "find_fleet",
    .sql = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
           " WHERE n.nspname = 'sotto' AND c.relname = 'fleet'",
};

static const struct postgres_statement read_version = {
    .name = "read_version",
    .sql = "SELECT version FROM sotto.fleet",
};

static const struct postgres_statement write_version = {
    .name = "write_version",
    .sql = "UPDATE sotto.fleet SET version = $1",
    .types = {POSTGRES_INT8},
};

/* Older than any gateway that could still ask for it. */
static const struct postgres_statement forget_batches = {
    .name = "forget_batches",
    .sql = "DELETE FROM sotto.batch WHERE booked < now() - interval '90 days'",
};

/* One number; 0 where there is no row. */
static enum sotto_err read_one(struct store_postgres *s, const struct postgres_statement *statement,
                               int64_t *number)
{
    PGresult *result = NULL;
    enum sotto_err err = postgres_run(s->link, statement, NULL, &result);
    if (err == SOTTO_OK) {
        *number = PQntuples(result) != 0 ? postgres_int(result, 0, 0) : 0;
        PQclear(result);
    }
    return err;
}

static enum sotto_err present_version(struct store_postgres *s, int64_t *version)
{
    int64_t there = 0;
    *version = 0;
    enum sotto_err err = read_one(s, &find_fleet, &there);
    if (err == SOTTO_OK && there != 0) {
        err = read_one(s, &read_version, version);
    }
    return err;
}

static enum sotto_err migrate_from(struct store_postgres *s, int64_t version)
{
    struct postgres_values values = {.count = 0};
    enum sotto_err err = SOTTO_OK;
    for (size_t i = (size_t)version; err == SOTTO_OK && i < SOTTO_COUNT(migrations); i++) {
        err = postgres_script(s->link, migrations[i]);
    }
    postgres_add_int(&values, (int64_t)SOTTO_COUNT(migrations));
    return err == SOTTO_OK ? postgres_run(s->link, &write_version, &values, NULL) : err;
}

enum sotto_err postgres_migrate(struct store_postgres *s)
{
    const int64_t newest = (int64_t)SOTTO_COUNT(migrations);
    int64_t version = 0;
    enum sotto_err err = present_version(s, &version);
    if (err == SOTTO_OK && version < newest) {
        err = postgres_begin(s->link);
        if (err == SOTTO_OK) {
            err = present_version(s, &version); /* another gateway may have been faster */
            if (err == SOTTO_OK && version < newest) {
                err = migrate_from(s, version);
            }
            err = postgres_end(s->link, err);
        }
    }
    if (err == SOTTO_OK && version > newest) {
        return store_refuse(&s->store, SOTTO_ESTATE,
                            "PostgreSQL: the schema sotto was made by a newer version of sotto: "
                            "run that version");
    }
    if (err == SOTTO_OK) {
        err = postgres_run(s->link, &forget_batches, NULL, NULL);
    }
    return postgres_result(s, err);
}
