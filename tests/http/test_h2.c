/* SPDX-License-Identifier: Apache-2.0 */

#include "http/h2.h"

#include "base/alloc.h"
#include "tap/tap.h"

#define CASE(n)   printf("# %s\n", n)
#define SECOND_US INT64_C(1000000)

static struct sotto_h2_fields fields;

static bool field_is(size_t i, const char *name, const char *value, bool indexed)
{
    const nghttp2_nv *nv = &fields.list[i];
    return sotto_span_eq(sotto_span_init(nv->name, nv->namelen), sotto_span_str(name)) &&
           sotto_span_eq(sotto_span_init(nv->value, nv->valuelen), sotto_span_str(value)) &&
           (nv->flags & NGHTTP2_NV_FLAG_NO_INDEX) == (indexed ? 0 : NGHTTP2_NV_FLAG_NO_INDEX);
}

static void test_fields(void)
{
    CASE("fields");
    fields.count = 0;
    IS_INT(sotto_h2_add_field(&fields, SOTTO_LIT(":path"), SOTTO_LIT("/v1")), SOTTO_OK, "a field");
    IS_INT(sotto_h2_add_lines(&fields, SOTTO_LIT("Content-Type:  text/plain \r\n"
                                                 "Connection: close\r\nKEEP-ALIVE: 5\r\n"
                                                 "Proxy-Connection: x\r\nHost: a\r\n"
                                                 "Transfer-Encoding: chunked\r\nUpgrade: h2c\r\n"
                                                 "Authorization: Bearer k\r\nX-Own:\r\n")),
           SOTTO_OK, "and lines");
    IS_SIZE(fields.count, 4, "those of a connection stay behind");
    OK(field_is(0, ":path", "/v1", true), "a path may be compressed");
    OK(field_is(1, "Content-Type", "text/plain", true), "a type too, without the spaces around it");
    OK(field_is(2, "Authorization", "Bearer k", false), "a credential is never indexed");
    OK(field_is(3, "X-Own", "", false), "nor what nobody knows");
}

static void test_lines_refused(void)
{
    CASE("what is no line");
    static const char *const bad[] = {
        "a",       "a: b",      "a: b\n",     "\r\n",     ": b\r\n",
        "a b\r\n", "a: b\r\nc", "a: b\r\n\n", "a\r\n: b", "\n",
    };
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        fields.count = 0;
        IS_INT(sotto_h2_add_lines(&fields, sotto_span_str(bad[i])), SOTTO_EFORMAT, "%zu", i);
    }
    fields.count = 0;
    IS_INT(sotto_h2_add_lines(&fields, SOTTO_LIT("")), SOTTO_OK, "no line is fine");
    const char whole[] = "ab: c\r\nd: ef\r\n";
    for (size_t n = 0; n < sizeof(whole); n++) {
        fields.count = 0;
        enum sotto_err err =
            sotto_h2_add_lines(&fields, sotto_span_init((const uint8_t *)whole, n));
        bool at_end = n == 0 || n == 7 || n == sizeof(whole) - 1;
        IS_INT(err, at_end ? SOTTO_OK : SOTTO_EFORMAT, "the first %zu bytes", n);
    }
}

static void test_too_many_fields(void)
{
    CASE("too many fields");
    fields.count = 0;
    for (size_t i = 0; i < SOTTO_H2_FIELDS_MAX; i++) {
        if (sotto_h2_add_field(&fields, SOTTO_LIT("a"), SOTTO_LIT("b")) != SOTTO_OK) {
            OK(false, "field %zu", i);
        }
    }
    IS_INT(sotto_h2_add_field(&fields, SOTTO_LIT("a"), SOTTO_LIT("b")), SOTTO_ELIMIT, "one more");
    IS_INT(sotto_h2_add_lines(&fields, SOTTO_LIT("a: b\r\n")), SOTTO_ELIMIT, "as a line");
    IS_INT(sotto_h2_add_lines(&fields, SOTTO_LIT("host: b\r\n")), SOTTO_OK, "but what is not sent");
    IS_SIZE(fields.count, SOTTO_H2_FIELDS_MAX, "none was added");
}

static void test_allowance(void)
{
    CASE("allowances");
    struct sotto_h2_allowance a = {.left = 2, .filled_us = SECOND_US};
    OK(sotto_h2_spend(&a, SECOND_US, 3, 10) && sotto_h2_spend(&a, SECOND_US, 3, 10),
       "two are left");
    OK(!sotto_h2_spend(&a, SECOND_US, 3, 10), "a third is not");
    a = (struct sotto_h2_allowance){.left = 0, .filled_us = SECOND_US};
    OK(!sotto_h2_spend(&a, SECOND_US + 99999, 3, 10), "ten a second: not before a tenth is over");
    a = (struct sotto_h2_allowance){.left = 0, .filled_us = SECOND_US};
    int fine = 0;
    for (int i = 1; i <= 40; i++) { /* small steps lose nothing */
        fine += sotto_h2_spend(&a, SECOND_US + i * (SECOND_US / 40), 3, 40) ? 1 : 0;
    }
    IS_INT(fine, 40, "time fills it");
    a = (struct sotto_h2_allowance){.left = 0, .filled_us = 0};
    fine = 0;
    for (int i = 0; i < 5; i++) {
        fine += sotto_h2_spend(&a, 1000 * SECOND_US, 3, 10) ? 1 : 0;
    }
    IS_INT(fine, 3, "up to the most, however long it was");
    a.left = 0;
    sotto_h2_earn(&a, 2, 3);
    IS_INT((int)a.left, 2, "what was earned is added");
    sotto_h2_earn(&a, 2, 3);
    IS_INT((int)a.left, 3, "up to the most, too");
}

/* --- output ----------------------------------------------------------------------------------- */

static nghttp2_session *session_with(struct sotto_h2_setup *setup)
{
    nghttp2_session *session = NULL;
    if (sotto_h2_setup_new(setup) == SOTTO_OK &&
        nghttp2_session_client_new3(&session, setup->callbacks, NULL, setup->option,
                                    sotto_h2_memory()) != 0) {
        session = NULL;
    }
    return session;
}

static void test_output(void)
{
    CASE("what is to be sent");
    struct sotto_h2_setup setup;
    struct sotto_buf out, small;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&small, 4);
    nghttp2_session *session = session_with(&setup);
    IS_INT(sotto_h2_take_output(session, &out), SOTTO_OK, "a new session");
    IS_TEXT(out.base, out.len, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "says what it speaks");
    IS_INT(sotto_h2_take_output(session, &out), SOTTO_OK, "and then");
    IS_SIZE(out.len, 24, "nothing more");
    for (int i = 0; i < 10000; i++) {
        if (nghttp2_submit_window_update(session, 0, 0, 1) != 0) {
            OK(false, "a window");
        }
    }
    sotto_buf_truncate(&out, 0);
    IS_INT(sotto_h2_take_output(session, &out), SOTTO_OK, "much");
    OK(out.len >= SOTTO_H2_SEND_BYTES && out.len < SOTTO_H2_SEND_BYTES + 100, "goes in pieces");
    IS_INT(sotto_h2_take_output(session, &small), SOTTO_ELIMIT, "into a buffer that is too small");
    nghttp2_session_del(session);
    sotto_h2_setup_free(&setup);
    sotto_buf_free(&out);
    sotto_buf_free(&small);
}

static void test_memory(void)
{
    CASE("no memory");
    struct sotto_h2_setup setup;
    struct sotto_buf out;
    bool worked = false;
    for (size_t n = 1; n < 100 && !worked; n++) {
        sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
        sotto_alloc_set_fault(n);
        nghttp2_session *session = session_with(&setup);
        enum sotto_err err = session != NULL ? sotto_h2_take_output(session, &out) : SOTTO_ENOMEM;
        worked = sotto_alloc_set_fault(0) < n;
        OK(err == (worked ? SOTTO_OK : SOTTO_ENOMEM), "fault %zu", n);
        OK(worked || out.len == 0, "nothing is given out");
        nghttp2_session_del(session);
        sotto_h2_setup_free(&setup);
        sotto_buf_free(&out);
    }
    OK(worked, "all allocations were tried");
}

int main(void)
{
    test_fields();
    test_lines_refused();
    test_too_many_fields();
    test_allowance();
    test_output();
    test_memory();
    return done_testing();
}
