/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Web addresses (RFC 3986) with a scheme, and bare hosts with a path or a well-known top level.
 * One that points at a person (a profile, a user's folder, an address in its query) has the exact
 * type PERSONAL_URL; one that carries a password is a secret as a whole.
 */

#include "detect/pattern/pattern.h"
#include "detect/pattern/recognizers.h"

#define URL_SCHEME_MAX 24
#define URL_HOST_MAX   253
#define URL_LABEL_MAX  63
#define URL_NESTED_MAX 8
#define URL_INSIDE_MAX 96  /* how far back another URL is looked for */
#define URL_PERSON_MAX 512 /* bytes of the path that are looked at */

/* End of the characters of a URL from `at` on, closing punctuation of the sentence left out. */
static size_t url_end(struct scan *s, size_t at)
{
    size_t start = at, limit = s->text.len;
    int round = 0, square = 0;
    if (limit - at > SOTTO_PATTERN_LONG_MAX) {
        limit = at + SOTTO_PATTERN_LONG_MAX;
        while (!sotto_utf8_boundary(s->text, limit)) {
            limit--;
        }
    }
    while (at < limit) {
        size_t next = at;
        uint32_t c = sotto_utf8_next(s->text, &next);
        if (is_alnum(c) || c == '/') {
            at = next;
            s->steps++;
            continue;
        }
        if (c <= ' ' || c == 0x7f || is_one_of(c, "<>\"`{}|\\^")) {
            break;
        }
        if (c >= 0x80 && (sotto_char_classes(c) & (SOTTO_CHAR_WORD | SOTTO_CHAR_HIDDEN)) == 0) {
            break;
        }
        if ((c == ')' && --round < 0) || (c == ']' && --square < 0)) {
            break;
        }
        round += c == '(' ? 1 : 0;
        if (round > URL_NESTED_MAX) {
            break;
        }
        square += c == '[' ? 1 : 0;
        at = next;
        s->steps++;
    }
    while (at > start && is_one_of(s->text.base[at - 1], ".,;:!?'*")) {
        at--;
    }
    if (at > start && s->text.base[at - 1] == '(') {
        at--;
    }
    return at;
}

/* Whether the part of the URL behind the host points at a person. */
static bool is_personal(struct scan *s, size_t host, size_t path, size_t end)
{
    struct token t;
    size_t stop = end - path > URL_PERSON_MAX ? path + URL_PERSON_MAX : end;
    if (end - path <= 1) {
        return false;
    }
    for (size_t at = host; at < path; at++) {
        bool first = at == host || s->text.base[at - 1] == '.';
        if (first && scan_word(s, at, &t) && token_has(&t, ROLE_SOCIAL) &&
            (t.letters > 1 || scan_byte_at(s, t.end) == '.')) {
            return true;
        }
    }
    for (size_t at = path; at < stop; at++) {
        uint8_t b = s->text.base[at], next = scan_byte_at(s, at + 1);
        s->steps++;
        if (b == '@' || (b == '~' && is_alpha(next)) ||
            (b == '%' && next == '4' && scan_byte_at(s, at + 2) == '0')) {
            return true;
        }
        if (!is_alnum(b) && scan_word(s, at + 1, &t) && token_has(&t, ROLE_PROFILE) &&
            t.end + 1 < end && !is_alpha(scan_byte_at(s, t.end))) {
            return true;
        }
    }
    return false;
}

/* End of the authority that begins at `at`. */
static size_t authority_end(const struct scan *s, size_t at, size_t end)
{
    while (at < end && s->text.base[at] != '/' && s->text.base[at] != '?' &&
           s->text.base[at] != '#') {
        at++;
    }
    return at;
}

/* "user:password@" before the host. */
static bool has_password(const struct scan *s, size_t at, size_t end)
{
    size_t colon = 0;
    for (size_t i = at; i < end; i++) {
        uint8_t b = s->text.base[i];
        if (b == ':' && colon == 0) {
            colon = i;
        } else if (b == '@') {
            return colon != 0 && i > colon + 1;
        }
    }
    return false;
}

static size_t scheme_start(const struct scan *s, size_t colon)
{
    size_t at = colon;
    while (at > 0 && colon - at < URL_SCHEME_MAX) {
        uint8_t b = s->text.base[at - 1];
        if (!is_alnum(b) && b != '+' && b != '.' && b != '-') {
            break;
        }
        at--;
    }
    while (at < colon && !is_alpha(s->text.base[at])) {
        at++;
    }
    return at;
}

/* Whether the scheme at `start` stands in the path or query of another URL, which covers it. */
static bool is_inside(const struct scan *s, size_t start)
{
    for (size_t i = start; i > 2 && start - i < URL_INSIDE_MAX; i--) {
        uint8_t b = s->text.base[i - 1];
        if (b <= ' ' || is_one_of(b, "<>\"`{}|\\^()[]'")) {
            return false;
        }
        if (b == '/' && s->text.base[i - 2] == '/' && s->text.base[i - 3] == ':') {
            return true;
        }
    }
    return false;
}

void recognize_url(struct scan *s, size_t colon)
{
    size_t start = scheme_start(s, colon), host = colon + 3;
    if (start == colon || is_inside(s, start)) {
        return;
    }
    size_t end = url_end(s, host);
    if (end <= host) {
        return;
    }
    size_t path = authority_end(s, host, end);
    struct verdict v = {SOTTO_LABEL_URL, SOTTO_FINER_NONE, SOTTO_RULE_URL, 960};
    if (has_password(s, host, path)) {
        v = (struct verdict){SOTTO_LABEL_SECRET, SOTTO_FINER_CONNECTION_STRING,
                             SOTTO_RULE_SECRET_URL, 985};
    } else if (is_personal(s, host, path, end)) {
        v.finer = SOTTO_FINER_PERSONAL_URL;
        v.score = 985; /* more than an e-mail address inside */
    }
    scan_add(s, start, end, v);
}

struct host {
    size_t end;
    size_t labels;
    bool top_known; /* the last label is a top level */
    bool top_word;  /* which is a common word, too */
    size_t top_len;
    bool www;
};

/* Reads a bare host; false when it is none. */
static bool read_host(struct scan *s, size_t at, struct host *out)
{
    *out = (struct host){0};
    size_t start = at;
    while (at < s->text.len && at - start < URL_HOST_MAX) {
        size_t label = at;
        while (at < s->text.len && at - start <= URL_HOST_MAX) {
            size_t next = at;
            uint32_t c = sotto_utf8_next(s->text, &next);
            s->steps++;
            if (!(is_alnum(c) || c == '-' ||
                  (c >= 0x80 && (sotto_char_classes(c) & SOTTO_CHAR_WORD) != 0))) {
                break;
            }
            at = next;
        }
        if (at == label) {
            break;
        }
        struct token t;
        bool word = scan_word(s, label, &t) && t.end == at && t.letters >= 2;
        if (out->labels == 0 && word && t.letters == 3 && memcmp(t.folded, "www", 3) == 0) {
            out->www = true;
        }
        bool top = word && token_has(&t, ROLE_TLD) && t.upper == 0;
        /* "example.com.Then" ends before "Then" */
        if (top || !out->top_known) {
            out->end = at;
            out->top_known = top;
            out->top_word = top && t.word->value == 1;
            out->top_len = t.letters;
        }
        out->labels++;
        if (scan_byte_at(s, at) != '.') {
            break;
        }
        at++;
    }
    return out->labels >= 2 && out->top_known;
}

/* Start of the label that goes on at `at`: "a-b.example" is asked about at its last part. */
static size_t label_start(struct scan *s, size_t at)
{
    size_t start = at;
    while (start > 0 && at - start < URL_LABEL_MAX) {
        uint8_t b = s->text.base[start - 1];
        if (!is_alnum(b) && b != '-' && b < 0x80) {
            break;
        }
        start--;
        s->steps++;
    }
    while (start < at && (s->text.base[start] == '-' || (s->text.base[start] & 0xc0) == 0x80)) {
        start++;
    }
    return start;
}

void recognize_host(struct scan *s, size_t part)
{
    bool hyphen = scan_byte_before(s, part) == '-';
    size_t start = hyphen ? label_start(s, part) : part;
    uint8_t before = scan_byte_before(s, start);
    struct host host;
    if (!scan_left_free(s, start) || before == '.' || before == '@' || before == '/' ||
        before == '-' || before == '_' || before == '%' || before == '$' || before == '\\' ||
        !read_host(s, start, &host)) {
        return;
    }
    size_t end = host.end;
    uint8_t next = scan_byte_at(s, end);
    if (next == '@' || next == '(' || next == '_' || !scan_right_free(s, end)) {
        return;
    }
    bool path = next == '/' || next == '?' || (next == ':' && is_digit(scan_byte_at(s, end + 1)));
    if (path) {
        end = url_end(s, host.end);
    }
    if (host.top_word && !path && !host.www && (host.labels < 3 || host.top_len > 2)) {
        return;
    }
    int score = host.www ? 900 : path && !host.top_word ? 850 : host.top_word ? 550 : 700;
    score = hyphen && score < 800 ? 800 : score; /* more than two surnames inside */
    struct verdict v = {SOTTO_LABEL_URL, SOTTO_FINER_NONE, SOTTO_RULE_URL_BARE, score};
    if (is_personal(s, start, host.end, end)) {
        v.finer = SOTTO_FINER_PERSONAL_URL;
    }
    scan_add(s, start, end, v);
}
