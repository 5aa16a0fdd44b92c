/* SPDX-License-Identifier: Apache-2.0 */

#include "http/target.h"

#include "tap/tap.h"

static bool normalise(const char *method, sotto_span target, sotto_span *out)
{
    static struct sotto_http_head head;
    head.method = sotto_span_str(method);
    head.target = target;
    bool good = sotto_http_normalise_target(&head);
    *out = head.target;
    return good;
}

static void test_targets(void)
{
    static const struct {
        const char *method, *target, *want; /* NULL: refused */
    } cases[] = {
        {"GET", "/", "/"},
        {"GET", "/v1/models?limit=3&x=[1]", "/v1/models?limit=3&x=[1]"},
        {"GET", "//double", "//double"},
        {"OPTIONS", "*", "*"},
        {"GET", "*", NULL},
        {"OPTIONS", "**", NULL},
        {"GET", "http://host/p?q", "/p?q"},
        {"GET", "HTTPS://host:8484/p", "/p"},
        {"GET", "http://[::1]:80/p", "/p"},
        {"GET", "http://host", "/"},
        {"GET", "http://host//p", "//p"},
        {"GET", "http://", NULL},
        {"GET", "http:///p", NULL},
        {"GET", "http:/host/p", NULL},
        {"GET", "http://user@host/p", NULL},
        {"GET", "http://host?q", NULL},
        {"GET", "http://host?q=/p", NULL},
        {"GET", "ftp://host/p", NULL},
        {"CONNECT", "host:443", NULL},
        {"GET", "p", NULL},
        {"GET", "", NULL},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        sotto_span out;
        bool good = normalise(cases[i].method, sotto_span_str(cases[i].target), &out);
        IS_INT(good, cases[i].want != NULL, "%s %s is %s", cases[i].method, cases[i].target,
               cases[i].want != NULL ? "taken" : "refused");
        if (cases[i].want != NULL) {
            IS_TEXT(out.base, out.len, cases[i].want, "%s: as origin-form", cases[i].target);
        } else {
            IS_TEXT(out.base, out.len, cases[i].target, "%s: unchanged", cases[i].target);
        }
    }
}

/* RFC 3986, appendix A: pchar, "/" and "?"; and brackets. */
static void test_every_byte(void)
{
    static const char others[] = "-._~%!$&'()*+,;=:@/?[]";
    size_t wrong = 0;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t target[] = {'/', 'a', (uint8_t)c, 'b'};
        sotto_span out;
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool want = alnum || (c != 0 && c < 0x80 && strchr(others, (int)c) != NULL);
        wrong += normalise("GET", sotto_span_init(target, sizeof(target)), &out) != want;
    }
    IS_SIZE(wrong, 0, "of all bytes those that a URI may have stand in a target");
}

static void test_hosts(void)
{
    static const char others[] = "-._~%!$&'()*+,;=:[]";
    size_t wrong = 0;
    for (unsigned c = 0; c < 256; c++) {
        uint8_t host[] = {'a', (uint8_t)c, 'b'};
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool want = alnum || (c != 0 && c < 0x80 && strchr(others, (int)c) != NULL);
        wrong += sotto_http_is_host(sotto_span_init(host, sizeof(host))) != want;
    }
    IS_SIZE(wrong, 0, "of all bytes those that a host may have stand in a host");
    OK(sotto_http_is_host(SOTTO_LIT("[2001:db8::1]:8484")), "a host and port");
    OK(!sotto_http_is_host(SOTTO_LIT("user@host")), "user information is none");
    OK(!sotto_http_is_host(SOTTO_LIT("host/path")), "nor is a path");
}

int main(void)
{
    test_targets();
    test_every_byte();
    test_hosts();
    return done_testing();
}
