/* SPDX-License-Identifier: Apache-2.0 */

/*
 * E-mail addresses: the dot-atom form of RFC 5322 3.2.3 with international letters on both sides
 * (RFC 6531), found from the sign in the middle outwards; and handles ("@jane").
 */

#include "detect/pattern/recognizers.h"

#define EMAIL_LOCAL_MAX  96  /* bytes; RFC 5321 4.5.3.1.1 has 64, letters may be wider */
#define EMAIL_DOMAIN_MAX 253 /* RFC 5321 4.5.3.1.2 has 255 with brackets */

static bool is_local(uint32_t c)
{
    if (c < 0x80) {
        return is_alnum(c) || (c != 0 && is_one_of(c, "._%+-'&~"));
    }
    return (sotto_char_classes(c) & (SOTTO_CHAR_WORD | SOTTO_CHAR_HIDDEN)) != 0;
}

/* Start of the local part that ends at `at`; `at` when there is none. */
static size_t local_start(struct scan *s, size_t at)
{
    size_t end = at;
    while (at > 0) {
        size_t before = at;
        if (!is_local(sotto_utf8_before(s->text, &before))) {
            break;
        }
        at = before;
        s->steps++;
        if (end - at > EMAIL_LOCAL_MAX) {
            return end;
        }
    }
    while (at < end && is_one_of(s->text.base[at], "._%+-'&~")) {
        if (s->text.base[at] == '_') {
            break;
        }
        at++;
    }
    return at;
}

/* A label of a domain; returns the offset behind it. */
static size_t domain_label(struct scan *s, size_t at, size_t limit)
{
    size_t end = at;
    while (at < limit) {
        size_t next = at;
        uint32_t c = sotto_utf8_next(s->text, &next);
        s->steps++;
        bool good = c < 0x80 ? is_alnum(c) || c == '-' || c == '_'
                             : (sotto_char_classes(c) & (SOTTO_CHAR_WORD | SOTTO_CHAR_HIDDEN)) != 0;
        if (!good) {
            break;
        }
        at = next;
        if (c != '-' && c != '_') {
            end = at;
        }
    }
    return end;
}

/* Whether bytes [start, end) may be a top-level domain; `known` when the table has it. */
static bool is_top(struct scan *s, size_t start, size_t end, bool *known)
{
    struct token t;
    *known = false;
    if (end - start > 4 && memcmp(s->text.base + start, "xn--", 4) == 0) {
        return true;
    }
    if (!scan_word(s, start, &t) || t.end != end || t.letters < 2) {
        return false;
    }
    *known = token_has(&t, ROLE_TLD);
    return true;
}

/* End of the domain that begins at `at`, 0 when there is none. */
static size_t domain_end(struct scan *s, size_t at, bool *known)
{
    size_t limit = s->text.len - at > EMAIL_DOMAIN_MAX ? at + EMAIL_DOMAIN_MAX : s->text.len;
    size_t best = 0;
    bool best_known = false;
    for (size_t labels = 0; at < limit; labels++) {
        size_t end = domain_label(s, at, limit);
        bool top_known;
        if (end == at) {
            break;
        }
        if (labels > 0 && is_top(s, at, end, &top_known)) {
            /* "@example.com.Please": behind a known top level only another one counts. */
            if (best == 0 || top_known || !best_known) {
                best = end;
                best_known = top_known;
            }
        }
        if (end >= limit || s->text.base[end] != '.') {
            break;
        }
        at = end + 1;
    }
    *known = best_known;
    return best;
}

/* "[192.0.2.1]" */
static size_t literal_end(struct scan *s, size_t at)
{
    size_t i = at + 1;
    while (i < s->text.len && i - at < 48 &&
           (is_hex(s->text.base[i]) || s->text.base[i] == '.' || s->text.base[i] == ':')) {
        i++;
    }
    return i - at > 4 && scan_byte_at(s, i) == ']' ? i + 1 : 0;
}

static bool is_ascii_word(const struct scan *s, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++) {
        if (!is_alnum(s->text.base[i]) && s->text.base[i] != '_' && s->text.base[i] != '.') {
            return false;
        }
    }
    return true;
}

/* "@jane_doe84": says who, but only weakly that it is a person. */
static void recognize_handle(struct scan *s, size_t at)
{
    size_t limit = s->text.len - at > 40 ? at + 40 : s->text.len;
    size_t end = domain_label(s, at + 1, limit);
    if (end - at < 4 || end == limit || !is_ascii_word(s, at + 1, end) ||
        scan_byte_at(s, end) == '/' || scan_byte_at(s, end) == '(' || scan_byte_at(s, end) == '@') {
        return;
    }
    scan_add(s, at, end,
             (struct verdict){SOTTO_LABEL_ID, SOTTO_FINER_USERNAME, SOTTO_RULE_HANDLE, 350});
}

void recognize_email(struct scan *s, size_t at)
{
    size_t start = local_start(s, at);
    if (start == at) {
        if (scan_left_free(s, at) && scan_byte_before(s, at) != '@') {
            recognize_handle(s, at);
        }
        return;
    }
    bool known = true;
    size_t end =
        scan_byte_at(s, at + 1) == '[' ? literal_end(s, at + 1) : domain_end(s, at + 1, &known);
    if (end != 0) {
        scan_add(s, start, end,
                 (struct verdict){SOTTO_LABEL_EMAIL, SOTTO_FINER_NONE, SOTTO_RULE_EMAIL,
                                  known ? 980 : 850});
    }
}
