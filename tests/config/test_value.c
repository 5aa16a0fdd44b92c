/* SPDX-License-Identifier: Apache-2.0 */

#include "config/value.h"

#include "config/config.h"
#include "tap/tap.h"

struct number_case {
    const char *in;
    long long want; /* -1: refused */
};

typedef enum sotto_err parse_number(sotto_span text, uint64_t *out);

static void check_numbers(const char *what, parse_number *parse, const struct number_case *cases,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t got = 77;
        enum sotto_err err = parse(sotto_span_str(cases[i].in), &got);
        bool refused = cases[i].want < 0;
        IS_INT(err, refused ? SOTTO_EFORMAT : SOTTO_OK, "%s '%s'", what, cases[i].in);
        IS_INT(got, refused ? 77 : cases[i].want, "%s '%s': the value", what, cases[i].in);
    }
}

static void test_numbers(void)
{
    static const struct number_case counts[] = {
        {"0", 0},
        {"128", 128},
        {"007", 7},
        {"", -1},
        {"-1", -1},
        {"+1", -1},
        {"1.0", -1},
        {" 1", -1},
        {"1 ", -1},
        {"0x10", -1},
        {"1_000", -1},
        {"18446744073709551616", -1},
        {"99999999999999999999999", -1},
    };
    static const struct number_case sizes[] = {
        {"0", 0},
        {"1", 1},
        {"100B", 100},
        {"64KiB", 65536},
        {"32MiB", 33554432},
        {"1GiB", 1073741824},
        {"32MB", -1},
        {"32 MiB", -1},
        {"32mib", -1},
        {"MiB", -1},
        {"1.5MiB", -1},
        {"-1KiB", -1},
        {"18446744073709551615GiB", -1},
        {"", -1},
    };
    static const struct number_case moneys[] = {
        {"0", 0},
        {"12", 12000000000},
        {"2.5", 2500000000},
        {"0.25", 250000000},
        {"0.000000001", 1},
        {"0.0000000001", -1},
        {"1.", -1},
        {".5", -1},
        {"-1", -1},
        {"1e3", -1},
        {"1,5", -1},
        {"$1", -1},
        {"cheap", -1},
        {"", -1},
        {"18446744073709551615", -1},
    };
    static const struct number_case times[] = {
        {"250ms", 250},        {"300s", 300000}, {"5m", 300000}, {"48h", 172800000},
        {"30d", 2592000000LL}, {"0s", 0},        {"5", -1},      {"5 s", -1},
        {"1h30m", -1},         {"s", -1},        {"", -1},       {"9223372036854775807d", -1},
    };
    check_numbers("count", config_parse_count, counts, SOTTO_COUNT(counts));
    check_numbers("money", config_parse_money, moneys, SOTTO_COUNT(moneys));
    char text[CONFIG_NUMBER_BYTES];
    config_write_money(2500000000, text);
    IS_TEXT(text, strlen(text), "2.5", "money is written without trailing zeros");
    config_write_money(120000000000, text);
    IS_TEXT(text, strlen(text), "120", "nor a point");
    config_write_money(0, text);
    IS_TEXT(text, strlen(text), "0", "nothing too");
    check_numbers("size", config_parse_size, sizes, SOTTO_COUNT(sizes));
    check_numbers("duration", config_parse_duration, times, SOTTO_COUNT(times));
}

static void test_scores(void)
{
    static const struct number_case scores[] = {
        {"0", 0},        {"1", 1000},     {"0.5", 500},     {"0.85", 850},  {"0.123", 123},
        {"0.1234", 123}, {"0.1235", 124}, {"0.9999", 1000}, {"1.0", 1000},  {"1.000", 1000},
        {"0.", -1},      {".5", -1},      {"1.1", -1},      {"1.0001", -1}, {"2", -1},
        {"-0.5", -1},    {"50%", -1},     {"0.5x", -1},     {"", -1},
    };
    for (size_t i = 0; i < SOTTO_COUNT(scores); i++) {
        uint16_t got = 77;
        enum sotto_err err = config_parse_score(sotto_span_str(scores[i].in), &got);
        bool refused = scores[i].want < 0;
        IS_INT(err, refused ? SOTTO_EFORMAT : SOTTO_OK, "score '%s'", scores[i].in);
        IS_INT(got, refused ? 77 : scores[i].want, "score '%s': the value", scores[i].in);
    }
}

static void test_written_numbers(void)
{
    char out[CONFIG_NUMBER_BYTES];
    static const struct {
        uint64_t number;
        const char *size, *time;
    } cases[] = {
        {0, "0B", "0ms"},          {1000, "1000B", "1s"},
        {1024, "1KiB", "1024ms"},  {33554432, "32MiB", "33554432ms"},
        {300000, "300000B", "5m"}, {172800000, "168750KiB", "2d"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        config_write_size(cases[i].number, out);
        IS_TEXT(out, strlen(out), cases[i].size, "%llu bytes are written with the greatest unit",
                (unsigned long long)cases[i].number);
        config_write_duration(cases[i].number, out);
        IS_TEXT(out, strlen(out), cases[i].time, "%llu ms too",
                (unsigned long long)cases[i].number);
    }
}

static void test_addresses(void)
{
    static const struct {
        const char *in, *host;
        int port; /* -1: refused */
    } cases[] = {
        {"127.0.0.1:8484", "127.0.0.1", 8484},
        {"0.0.0.0:0", "0.0.0.0", 0},
        {"255.255.255.255:65535", "255.255.255.255", 65535},
        {"[::1]:80", "::1", 80},
        {"[::]:80", "::", 80},
        {"[2001:db8::7]:443", "2001:db8::7", 443},
        {"[1:2:3:4:5:6:7:8]:1", "1:2:3:4:5:6:7:8", 1},
        {"[1::]:1", "1::", 1},
        {"[1:2:3:4:5:6:7:8:9]:1", "", -1},
        {"[1::2::3]:1", "", -1},
        {"[:1]:1", "", -1},
        {"[1:]:1", "", -1},
        {"[:::]:1", "", -1},
        {"[12345::]:1", "", -1},
        {"[]:1", "", -1},
        {"[::1]", "", -1},
        {"[::1]80", "", -1},
        {"[::1:80", "", -1},
        {"::1:80", "", -1},
        {"localhost:80", "", -1},
        {"127.0.0.1", "", -1},
        {"127.0.0.1:", "", -1},
        {"127.0.0.1:65536", "", -1},
        {"127.0.0.1:080800", "", -1},
        {"127.0.0.1:x", "", -1},
        {"127.0.0:80", "", -1},
        {"127.0.0.256:80", "", -1},
        {"127.0.0.01:80", "", -1},
        {"127.0.0.1.:80", "", -1},
        {"1.2.3.4.5:80", "", -1},
        {"", "", -1},
        {":80", "", -1},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_config_address got = {.port = 7};
        enum sotto_err err = sotto_config_parse_address(sotto_span_str(cases[i].in), &got);
        bool refused = cases[i].port < 0;
        IS_INT(err, refused ? SOTTO_EFORMAT : SOTTO_OK, "address '%s'", cases[i].in);
        IS_INT(got.port, refused ? 7 : cases[i].port, "address '%s': the port", cases[i].in);
        IS_TEXT(got.host.base, got.host.len, cases[i].host, "address '%s': the host", cases[i].in);
    }
}

static void test_urls(void)
{
    static const struct {
        const char *in, *host;
        int port; /* -1: refused */
        bool tls;
        const char *path;
    } cases[] = {
        {"https://api.openai.com/v1", "api.openai.com", 443, true, "/v1"},
        {"HTTPS://api.openai.com/v1/", "api.openai.com", 443, true, "/v1"},
        {"http://127.0.0.1:8000/v1", "127.0.0.1", 8000, false, "/v1"},
        {"http://model_server:8000", "model_server", 8000, false, ""},
        {"https://x.example//", "x.example", 443, true, ""},
        {"https://[::1]:1/a/b", "::1", 1, true, "/a/b"},
        {"http://localhost", "localhost", 80, false, ""},
        {"https://", "", -1, false, ""},
        {"https:///v1", "", -1, false, ""},
        {"ftp://x", "", -1, false, ""},
        {"api.openai.com/v1", "", -1, false, ""},
        {"https://user:pw@x/v1", "", -1, false, ""},
        {"https://x/v1?a=b", "", -1, false, ""},
        {"https://x/v1#a", "", -1, false, ""},
        {"https://x:0/", "", -1, false, ""},
        {"https://x:/", "", -1, false, ""},
        {"https://x:99999/", "", -1, false, ""},
        {"https://x/../y", "", -1, false, ""},
        {"https://x/./y", "", -1, false, ""},
        {"https://x/a b", "", -1, false, ""},
        {"https://x/\xc3\xa9", "", -1, false, ""},
        {"https://-x/", "", -1, false, ""},
        {"https://x..y/", "", -1, false, ""},
        {"https://.x/", "", -1, false, ""},
        {"https://x./", "", -1, false, ""},
        {"https://[::1/", "", -1, false, ""},
        {"https://x/\x01", "", -1, false, ""},
        {"", "", -1, false, ""},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_config_url got = {.port = 7};
        enum sotto_err err = sotto_config_parse_url(sotto_span_str(cases[i].in), &got);
        bool refused = cases[i].port < 0;
        IS_INT(err, refused ? SOTTO_EFORMAT : SOTTO_OK, "URL '%s'", cases[i].in);
        IS_INT(got.port, refused ? 7 : cases[i].port, "URL '%s': the port", cases[i].in);
        IS_INT(got.tls, cases[i].tls, "URL '%s': TLS", cases[i].in);
        IS_TEXT(got.host.base, got.host.len, cases[i].host, "URL '%s': the host", cases[i].in);
        IS_TEXT(got.base_path.base, got.base_path.len, cases[i].path, "URL '%s': the path",
                cases[i].in);
    }
}

int main(void)
{
    test_numbers();
    test_scores();
    test_written_numbers();
    test_addresses();
    test_urls();
    return done_testing();
}
