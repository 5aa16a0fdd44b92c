/* SPDX-License-Identifier: Apache-2.0 */

/*
 * IP addresses (RFC 791, RFC 4291 2.2), MAC addresses (IEEE 802, EUI-48) and UUIDs (RFC 9562).
 * A UUID names nothing by itself: it is a guess until a label stands before it.
 */

#include "detect/pattern/recognizers.h"

#define NET_IPV6_MAX 45

static bool octet(const struct cluster *c, size_t i, unsigned *value)
{
    const struct group *g = &c->groups[i];
    if (g->digits != g->len || g->len > 3 || (g->len > 1 && c->norm[g->at] == '0')) {
        return false;
    }
    *value = 0;
    for (size_t k = 0; k < g->len; k++) {
        *value = *value * 10 + (unsigned)(c->norm[g->at + k] - '0');
    }
    return *value <= 255;
}

bool recognize_ipv4(struct scan *s, const struct cluster *c)
{
    unsigned value[4], most = 0;
    if (c->count < 4 || c->joined || !c->free_left || c->groups[1].gap != '.' ||
        c->groups[2].gap != '.' || c->groups[3].gap != '.') {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        if ((i > 0 && c->groups[i].spaced) || !octet(c, i, &value[i])) {
            return false;
        }
        most = value[i] > most ? value[i] : most;
    }
    size_t end = c->groups[3].end;
    if ((scan_byte_at(s, end) == '.' && is_digit(scan_byte_at(s, end + 1))) ||
        !scan_right_free(s, end)) {
        return false;
    }
    struct context ctx;
    context_read(s, c->start, end, &ctx);
    int score = context_in(&ctx.behind, CTX_NEGATIVE) ? 300 : most < 16 ? 450 : 880;
    if (value[0] == 127 || most == 0 || value[0] == 255) {
        score = 300;
    }
    scan_add(s, c->start, end,
             (struct verdict){SOTTO_LABEL_ID, SOTTO_FINER_IP_ADDRESS, SOTTO_RULE_IP, score});
    return true;
}

static size_t hex_run(const struct scan *s, size_t at, size_t most)
{
    size_t n = 0;
    while (n < most && is_hex(scan_byte_at(s, at + n))) {
        n++;
    }
    return n;
}

static bool recognize_mac(struct scan *s, size_t start)
{
    uint8_t sign = scan_byte_at(s, start + 2);
    for (size_t i = 0; i < 6; i++) {
        size_t at = start + 3 * i;
        if (hex_run(s, at, 3) != 2 || (i > 0 && s->text.base[at - 1] != sign)) {
            return false;
        }
    }
    size_t end = start + 17;
    if (!scan_right_free(s, end) ||
        (scan_byte_at(s, end) == sign && is_hex(scan_byte_at(s, end + 1)))) {
        return false;
    }
    scan_add(s, start, end,
             (struct verdict){SOTTO_LABEL_ID, SOTTO_FINER_MAC_ADDRESS, SOTTO_RULE_MAC, 900});
    return true;
}

/* "0123.4567.89ab" */
static bool recognize_mac_dotted(struct scan *s, size_t start)
{
    bool letter = false;
    for (size_t i = 0; i < 14; i++) {
        uint8_t b = scan_byte_at(s, start + i);
        if (i == 4 || i == 9 ? b != '.' : !is_hex(b)) {
            return false;
        }
        letter = letter || is_alpha(b);
    }
    if (!letter || !scan_right_free(s, start + 14)) {
        return false;
    }
    scan_add(s, start, start + 14,
             (struct verdict){SOTTO_LABEL_ID, SOTTO_FINER_MAC_ADDRESS, SOTTO_RULE_MAC, 800});
    return true;
}

static bool recognize_uuid(struct scan *s, size_t start)
{
    static const uint8_t lens[] = {8, 4, 4, 4, 12};
    size_t at = start;
    for (size_t i = 0; i < SOTTO_COUNT(lens); i++) {
        if (hex_run(s, at, lens[i] + 1U) != lens[i]) {
            return false;
        }
        at += lens[i];
        if (i + 1 < SOTTO_COUNT(lens) && scan_byte_at(s, at++) != '-') {
            return false;
        }
    }
    if (!scan_right_free(s, at)) {
        return false;
    }
    struct context ctx;
    context_read(s, start, at, &ctx);
    bool labelled = ctx.label != CTX_NONE && ctx.label != CTX_ID;
    scan_add(s, start, at,
             (struct verdict){SOTTO_LABEL_ID, SOTTO_FINER_UUID, SOTTO_RULE_UUID,
                              labelled              ? 850
                              : ctx.label == CTX_ID ? 600
                                                    : 400});
    return true;
}

/* Counts the groups of an IPv6 address; 0 when it is none. */
static size_t ipv6_end(struct scan *s, size_t start)
{
    size_t at = start, groups = 0, doubles = 0, digits = 0;
    for (;;) {
        size_t n = hex_run(s, at, 5);
        if (n > 4) {
            return 0;
        }
        groups += n > 0 ? 1 : 0;
        digits += n;
        at += n;
        s->steps += n + 1;
        if (scan_byte_at(s, at) != ':' || groups >= 8 || at - start > NET_IPV6_MAX) {
            break;
        }
        if (scan_byte_at(s, at + 1) == ':') {
            doubles++;
            at += 2;
        } else if (is_hex(scan_byte_at(s, at + 1))) {
            at++;
        } else {
            break;
        }
    }
    bool whole = doubles == 0 ? groups == 8 : doubles == 1 && groups >= 2 && groups < 8;
    return whole && digits >= 4 ? at : 0;
}

static bool recognize_ipv6(struct scan *s, size_t start)
{
    size_t end = ipv6_end(s, start);
    uint8_t next = scan_byte_at(s, end);
    if (end == 0 || !scan_right_free(s, end) || (next == ':' && is_hex(scan_byte_at(s, end + 1)))) {
        return false;
    }
    scan_add(s, start, end,
             (struct verdict){SOTTO_LABEL_ID, SOTTO_FINER_IP_ADDRESS, SOTTO_RULE_IP, 880});
    return true;
}

void recognize_hex(struct scan *s, size_t start, size_t end)
{
    uint8_t before = scan_byte_before(s, start), next = scan_byte_at(s, end);
    size_t len = end - start;
    if (hex_run(s, start, len) != len || before == ':' || before == '-' || before == '.' ||
        !scan_left_free(s, start)) {
        return;
    }
    if (len == 2 && recognize_mac(s, start)) {
        return;
    }
    if (len == 8 && next == '-') {
        recognize_uuid(s, start);
    } else if (len == 4 && next == '.') {
        recognize_mac_dotted(s, start);
    } else if (len <= 4 && next == ':') {
        recognize_ipv6(s, start);
    }
}
