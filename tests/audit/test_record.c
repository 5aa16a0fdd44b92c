/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/record.h"

#include "base/alloc.h"
#include "tap/tap.h"

static struct sotto_audit_record full(void)
{
    static const struct sotto_audit_count counts[] = {{"PERSON", 2}, {"EMAIL", 0}, {"ID", 10}};
    static const char *const passed[] = {"image", "file"};
    struct sotto_audit_record r = sotto_audit_record_none();
    r.id = SOTTO_LIT("0123456789ABCDEFGHabcd");
    r.kind = "request";
    r.time = "2026-11-22T14:27:00.123Z";
    r.key = SOTTO_LIT("abcdefghijkl");
    r.subject = SOTTO_LIT("abcdefghijkl");
    r.dialect = "openai";
    r.mode = SOTTO_LIT("hipaa");
    r.provider = SOTTO_LIT("house");
    r.model = SOTTO_LIT("a\"b");
    r.status = 200;
    r.outcome = "answered";
    r.stream = true;
    r.entities = counts;
    r.entity_count = SOTTO_COUNT(counts);
    r.special = 3;
    r.unprotected = passed;
    r.unprotected_count = SOTTO_COUNT(passed);
    r.prompt_tokens = 0;
    r.duration_us = 9223372036854775807LL;
    return r;
}

static void test_form(void)
{
    struct sotto_audit_record r = full(), none = sotto_audit_record_none();
    struct sotto_buf out;
    sotto_buf_init(&out, 4096);
    IS_INT(sotto_audit_record_write(&r, &out), SOTTO_OK, "a record is written");
    IS_TEXT(out.base, out.len,
            "{\"v\":1,\"id\":\"audit_0123456789ABCDEFGHabcd\",\"kind\":\"request\","
            "\"time\":\"2026-11-22T14:27:00.123Z\",\"key\":\"abcdefghijkl\","
            "\"subject\":\"abcdefghijkl\",\"dialect\":\"openai\",\"mode\":\"hipaa\","
            "\"provider\":\"house\",\"model\":\"a\\\"b\",\"status\":200,\"outcome\":\"answered\","
            "\"stream\":true,\"entities\":{\"PERSON\":2,\"ID\":10},"
            "\"special\":3,\"unprotected\":[\"image\",\"file\"],\"prompt_tokens\":0,"
            "\"duration_us\":9223372036854775807}",
            "in one form");
    char text[64];
    IS_INT(sotto_audit_record_text(sotto_buf_span(&out), "key", text, sizeof(text)), SOTTO_OK,
           "a member is read");
    IS_TEXT(text, strlen(text), "abcdefghijkl", "as it was written");
    IS_INT(sotto_audit_record_text(sotto_buf_span(&out), "nothing", text, sizeof(text)),
           SOTTO_ENOTFOUND, "one that is not there is not found");
    IS_INT(sotto_audit_record_text(sotto_buf_span(&out), "key", text, 12), SOTTO_ENOTFOUND,
           "nor one that does not fit");
    IS_INT(sotto_audit_record_text(SOTTO_LIT("{"), "key", text, sizeof(text)), SOTTO_EFORMAT,
           "nor in what is no record");
    sotto_buf_truncate(&out, 0);
    none.id = SOTTO_LIT("0123456789ABCDEFGHabcd");
    IS_INT(sotto_audit_record_write(&none, &out), SOTTO_OK, "one of which nothing is known");
    IS_TEXT(out.base, out.len, "{\"v\":1,\"id\":\"audit_0123456789ABCDEFGHabcd\"}", "is short");
    sotto_buf_free(&out);
}

static void test_faults(void)
{
    struct sotto_audit_record r = full();
    for (size_t max = 0;; max++) {
        struct sotto_buf out;
        sotto_buf_init(&out, max);
        enum sotto_err err = sotto_audit_record_write(&r, &out);
        size_t len = out.len;
        sotto_buf_free(&out);
        if (err == SOTTO_OK) {
            OK(max > 300, "with room it is written");
            return;
        }
        if (err != SOTTO_ELIMIT || len != 0) {
            OK(false, "room for %zu bytes: nothing is appended", max);
        }
    }
}

int main(void)
{
    test_form();
    test_faults();
    return done_testing();
}
