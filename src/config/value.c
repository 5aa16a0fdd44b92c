/* SPDX-License-Identifier: Apache-2.0 */

#include "config/value.h"

#include <inttypes.h>
#include <stdio.h>

#include "config/config.h"

/* Thousand-millionths in one. */
#define VALUE_NANO UINT64_C(1000000000)

struct value_unit {
    const char *name;
    uint64_t factor;
};

/* Smallest first. */
static const struct value_unit size_units[] = {
    {"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}};
static const struct value_unit time_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* The number at the start of `*in`, which is moved behind it. */
static enum sotto_err take_number(sotto_span *in, uint64_t *out)
{
    uint64_t number = 0;
    size_t n = 0;
    while (n < in->len && is_digit(in->base[n])) {
        uint64_t digit = (uint64_t)(in->base[n] - '0');
        if (number > (UINT64_MAX / 1000 - digit) / 10) {
            return SOTTO_EFORMAT;
        }
        number = number * 10 + digit;
        n++;
    }
    if (n == 0) {
        return SOTTO_EFORMAT;
    }
    *in = sotto_span_skip(*in, n);
    *out = number;
    return SOTTO_OK;
}

enum sotto_err config_parse_count(sotto_span text, uint64_t *out)
{
    uint64_t number = 0;
    if (take_number(&text, &number) != SOTTO_OK || text.len != 0) {
        return SOTTO_EFORMAT;
    }
    *out = number;
    return SOTTO_OK;
}

static enum sotto_err parse_with_unit(sotto_span text, const struct value_unit *units,
                                      size_t unit_count, uint64_t *out)
{
    uint64_t number = 0;
    if (take_number(&text, &number) != SOTTO_OK) {
        return SOTTO_EFORMAT;
    }
    for (size_t i = 0; i < unit_count; i++) {
        if (sotto_span_eq(text, sotto_span_str(units[i].name))) {
            if (number > UINT64_MAX / units[i].factor) {
                return SOTTO_EFORMAT;
            }
            *out = number * units[i].factor;
            return SOTTO_OK;
        }
    }
    return SOTTO_EFORMAT;
}

enum sotto_err config_parse_size(sotto_span text, uint64_t *out)
{
    return config_parse_count(text, out) == SOTTO_OK
               ? SOTTO_OK
               : parse_with_unit(text, size_units, SOTTO_COUNT(size_units), out);
}

enum sotto_err config_parse_duration(sotto_span text, uint64_t *out)
{
    return parse_with_unit(text, time_units, SOTTO_COUNT(time_units), out);
}

enum sotto_err config_parse_score(sotto_span text, uint16_t *out)
{
    uint64_t whole = 0;
    unsigned thousandths = 0, weight = 1000;
    bool round_up = false;
    if (take_number(&text, &whole) != SOTTO_OK || whole > 1) {
        return SOTTO_EFORMAT;
    }
    if (text.len != 0 && (text.base[0] != '.' || text.len == 1)) {
        return SOTTO_EFORMAT;
    }
    for (size_t i = 1; i < text.len; i++) {
        if (!is_digit(text.base[i])) {
            return SOTTO_EFORMAT;
        }
        unsigned digit = (unsigned)(text.base[i] - '0');
        weight /= 10;
        thousandths += digit * weight;
        round_up = round_up || (i == 4 && digit >= 5);
        if (whole == 1 && digit != 0) {
            return SOTTO_EFORMAT;
        }
    }
    *out = (uint16_t)(whole * SOTTO_SCORE_MAX + thousandths + (round_up ? 1 : 0));
    return SOTTO_OK;
}

enum sotto_err config_parse_money(sotto_span text, uint64_t *out)
{
    uint64_t whole = 0, weight = VALUE_NANO, nano = 0;
    if (take_number(&text, &whole) != SOTTO_OK || whole > UINT64_MAX / VALUE_NANO - 1) {
        return SOTTO_EFORMAT;
    }
    if (text.len != 0 && (text.base[0] != '.' || text.len == 1 || text.len > 10)) {
        return SOTTO_EFORMAT;
    }
    for (size_t i = 1; i < text.len; i++) {
        if (!is_digit(text.base[i])) {
            return SOTTO_EFORMAT;
        }
        weight /= 10;
        nano += (uint64_t)(text.base[i] - '0') * weight;
    }
    *out = whole * VALUE_NANO + nano;
    return SOTTO_OK;
}

void config_write_money(uint64_t nano, char out[CONFIG_NUMBER_BYTES])
{
    int len = snprintf(out, CONFIG_NUMBER_BYTES, "%" PRIu64 ".%09" PRIu64, nano / VALUE_NANO,
                       nano % VALUE_NANO);
    while (out[len - 1] == '0') {
        out[--len] = '\0';
    }
    if (out[len - 1] == '.') {
        out[len - 1] = '\0';
    }
}

static void write_with_unit(uint64_t number, const struct value_unit *units, size_t unit_count,
                            char out[CONFIG_NUMBER_BYTES])
{
    size_t i = unit_count - 1;
    while (i > 0 && (number == 0 || number % units[i].factor != 0)) {
        i--;
    }
    snprintf(out, CONFIG_NUMBER_BYTES, "%" PRIu64 "%s", number / units[i].factor, units[i].name);
}

void config_write_size(uint64_t bytes, char out[CONFIG_NUMBER_BYTES])
{
    write_with_unit(bytes, size_units, SOTTO_COUNT(size_units), out);
}

void config_write_duration(uint64_t ms, char out[CONFIG_NUMBER_BYTES])
{
    write_with_unit(ms, time_units, SOTTO_COUNT(time_units), out);
}

/* --- addresses and URLs -------------------------------------------------------------------- */

static enum sotto_err parse_port(sotto_span text, uint16_t *out)
{
    uint64_t port = 0;
    if (text.len > 5 || config_parse_count(text, &port) != SOTTO_OK || port > UINT16_MAX) {
        return SOTTO_EFORMAT;
    }
    *out = (uint16_t)port;
    return SOTTO_OK;
}

/* Four numbers up to 255 with dots between; no leading zeros, which some read as octal. */
static bool is_ipv4(sotto_span host)
{
    int parts = 0;
    while (host.len != 0) {
        uint64_t number = 0;
        bool zero = host.base[0] == '0';
        size_t before = host.len;
        if (take_number(&host, &number) != SOTTO_OK || number > 255 ||
            (zero && before - host.len > 1)) {
            return false;
        }
        parts++;
        if (host.len != 0) {
            if (host.base[0] != '.' || host.len == 1) {
                return false;
            }
            host = sotto_span_skip(host, 1);
        }
    }
    return parts == 4;
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* RFC 4291 2.2, without an embedded IPv4 address or a zone: eight groups, or fewer with one "::". */
static bool is_ipv6(sotto_span host)
{
    int groups = 0;
    bool gap = false;
    size_t i = 0;
    if (sotto_span_starts(host, SOTTO_LIT("::"))) {
        gap = true;
        i = 2;
    }
    while (i < host.len) {
        size_t digits = 0;
        while (i < host.len && is_hex(host.base[i])) {
            digits++;
            i++;
        }
        if (digits == 0 || digits > 4) {
            return false;
        }
        groups++;
        if (i == host.len) {
            break;
        }
        if (host.base[i] != ':' || i + 1 == host.len) {
            return false;
        }
        i++;
        if (host.base[i] == ':') {
            if (gap) {
                return false;
            }
            gap = true;
            i++;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

/* RFC 1123 2.1: letters, digits, hyphens and dots; we allow the underscore that containers use. */
static bool is_host_name(sotto_span host)
{
    size_t label = 0;
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.base[i];
        bool alnum = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (c == '.' ? label == 0 : !(alnum || (c == '-' && label != 0)) || label == 63) {
            return false;
        }
        label = c == '.' ? 0 : label + 1;
    }
    return host.len != 0 && host.len <= 253 && label != 0;
}

/* Splits "host", "host:port" or "[v6]:port"; the port's text is empty where there is none. */
static enum sotto_err split_host(sotto_span text, sotto_span *host, sotto_span *port, bool *v6)
{
    sotto_span rest;
    *v6 = text.len != 0 && text.base[0] == '[';
    if (*v6) {
        const uint8_t *end = memchr(text.base, ']', text.len);
        if (end == NULL) {
            return SOTTO_EFORMAT;
        }
        size_t at = (size_t)(end - text.base);
        *host = sotto_span_sub(text, 1, at);
        rest = sotto_span_skip(text, at + 1);
    } else {
        const uint8_t *colon = text.len != 0 ? memchr(text.base, ':', text.len) : NULL;
        size_t at = colon != NULL ? (size_t)(colon - text.base) : text.len;
        *host = sotto_span_sub(text, 0, at);
        rest = sotto_span_skip(text, at);
    }
    if (rest.len != 0 && (rest.base[0] != ':' || rest.len == 1)) {
        return SOTTO_EFORMAT;
    }
    *port = rest.len != 0 ? sotto_span_skip(rest, 1) : rest;
    return SOTTO_OK;
}

enum sotto_err sotto_config_parse_address(sotto_span text, struct sotto_config_address *out)
{
    struct sotto_config_address address = {0};
    sotto_span port;
    bool v6;
    if (split_host(text, &address.host, &port, &v6) != SOTTO_OK ||
        !(v6 ? is_ipv6(address.host) : is_ipv4(address.host)) || port.len == 0 ||
        parse_port(port, &address.port) != SOTTO_OK) {
        return SOTTO_EFORMAT;
    }
    *out = address;
    return SOTTO_OK;
}

/* Segments of visible characters (RFC 3986 3.3), none of them "." or "..". */
static bool is_path(sotto_span path)
{
    size_t segment = 0; /* where the present segment starts */
    for (size_t i = 0; i <= path.len; i++) {
        if (i == path.len || path.base[i] == '/') {
            sotto_span name = sotto_span_sub(path, segment, i);
            if (sotto_span_eq(name, SOTTO_LIT(".")) || sotto_span_eq(name, SOTTO_LIT(".."))) {
                return false;
            }
            segment = i + 1;
        } else if (path.base[i] <= 0x20 || path.base[i] >= 0x7f ||
                   strchr("?#\\\"<>^`{|}", path.base[i]) != NULL) {
            return false;
        }
    }
    return true;
}

/* How a kind of URL begins, with and without TLS, and its ports. */
struct url_kind {
    const char *secure, *plain;
    uint16_t secure_port, plain_port;
};

static bool take_scheme(sotto_span *text, const char *scheme)
{
    sotto_span want = sotto_span_str(scheme);
    if (text->len <= want.len || !sotto_span_ieq(sotto_span_sub(*text, 0, want.len), want)) {
        return false;
    }
    *text = sotto_span_skip(*text, want.len);
    return true;
}

static enum sotto_err parse_url(sotto_span text, const struct url_kind *kind,
                                struct sotto_config_url *out)
{
    struct sotto_config_url url = {.port = kind->secure_port, .tls = true};
    sotto_span port;
    bool v6;
    if (!take_scheme(&text, kind->secure)) {
        if (!take_scheme(&text, kind->plain)) {
            return SOTTO_EFORMAT;
        }
        url.tls = false;
        url.port = kind->plain_port;
    }
    const uint8_t *slash = memchr(text.base, '/', text.len);
    size_t at = slash != NULL ? (size_t)(slash - text.base) : text.len;
    url.base_path = sotto_span_skip(text, at);
    while (url.base_path.len != 0 && url.base_path.base[url.base_path.len - 1] == '/') {
        url.base_path.len--;
    }
    if (split_host(sotto_span_sub(text, 0, at), &url.host, &port, &v6) != SOTTO_OK ||
        !(v6 ? is_ipv6(url.host) : is_host_name(url.host)) || !is_path(url.base_path) ||
        (port.len != 0 && (parse_port(port, &url.port) != SOTTO_OK || url.port == 0))) {
        return SOTTO_EFORMAT;
    }
    *out = url;
    return SOTTO_OK;
}

enum sotto_err sotto_config_parse_url(sotto_span text, struct sotto_config_url *out)
{
    static const struct url_kind http = {"https://", "http://", 443, 80};
    return parse_url(text, &http, out);
}

enum sotto_err sotto_config_parse_valkey_url(sotto_span text, struct sotto_config_url *out)
{
    static const struct url_kind valkey = {"rediss://", "redis://", 6379, 6379};
    struct sotto_config_url url = {.port = 0};
    enum sotto_err err = parse_url(text, &valkey, &url);
    for (size_t i = 1; i < url.base_path.len && err == SOTTO_OK; i++) {
        err = i <= 4 && is_digit(url.base_path.base[i]) ? SOTTO_OK : SOTTO_EFORMAT;
    }
    if (err == SOTTO_OK) {
        *out = url;
    }
    return err;
}
