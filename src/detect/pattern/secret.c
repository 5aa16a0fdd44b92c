/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Secrets: keys and tokens with a prefix of their issuer, JSON Web Tokens (RFC 7519), PEM blocks
 * with private keys (RFC 7468), passwords and keys behind their label, Bearer and Basic
 * credentials (RFC 6750, RFC 7617), and crypto-currency addresses.
 */

#include "detect/pattern/pattern.h"
#include "detect/pattern/recognizers.h"
#include "detect/validate/validate.h"

#define SECRET_VALUE_MAX 512
#define SECRET_PLAIN_MIN 4  /* shortest password behind its label */
#define SECRET_KEY_MIN   12 /* shortest key or token behind its label */

static void add_secret(struct scan *s, size_t start, size_t end, enum sotto_finer finer,
                       enum sotto_rule rule, int score)
{
    scan_add(s, start, end, (struct verdict){SOTTO_LABEL_SECRET, finer, rule, score});
}

static bool is_url_safe(uint8_t b)
{
    return is_alnum(b) || b == '_' || b == '-';
}

/* Number of characters of base64url from `at` on. */
static size_t safe_run(struct scan *s, size_t at, size_t most)
{
    size_t n = 0;
    while (n < most && is_url_safe(scan_byte_at(s, at + n))) {
        n++;
    }
    s->steps += n;
    return n;
}

struct secret_prefix {
    const char *prefix;
    uint8_t least; /* characters behind it */
    enum sotto_finer finer;
};

/* Longer prefixes first. */
static const struct secret_prefix secret_prefixes[] = {
    {"github_pat_", 22, SOTTO_FINER_GITHUB_TOKEN},
    {"ghp_", 30, SOTTO_FINER_GITHUB_TOKEN},
    {"gho_", 30, SOTTO_FINER_GITHUB_TOKEN},
    {"ghu_", 30, SOTTO_FINER_GITHUB_TOKEN},
    {"ghs_", 30, SOTTO_FINER_GITHUB_TOKEN},
    {"ghr_", 30, SOTTO_FINER_GITHUB_TOKEN},
    {"sk-ant-", 20, SOTTO_FINER_ANTHROPIC_KEY},
    {"sk-proj-", 20, SOTTO_FINER_OPENAI_KEY},
    {"sk-svcacct-", 20, SOTTO_FINER_OPENAI_KEY},
    {"sk-or-", 20, SOTTO_FINER_API_KEY},
    {"sk-", 20, SOTTO_FINER_OPENAI_KEY},
    {"sk_live_", 16, SOTTO_FINER_STRIPE_KEY},
    {"sk_test_", 16, SOTTO_FINER_STRIPE_KEY},
    {"pk_live_", 16, SOTTO_FINER_STRIPE_KEY},
    {"pk_test_", 16, SOTTO_FINER_STRIPE_KEY},
    {"rk_live_", 16, SOTTO_FINER_STRIPE_KEY},
    {"rk_test_", 16, SOTTO_FINER_STRIPE_KEY},
    {"whsec_", 20, SOTTO_FINER_STRIPE_KEY},
    {"xoxb-", 12, SOTTO_FINER_SLACK_TOKEN},
    {"xoxp-", 12, SOTTO_FINER_SLACK_TOKEN},
    {"xoxa-", 12, SOTTO_FINER_SLACK_TOKEN},
    {"xoxr-", 12, SOTTO_FINER_SLACK_TOKEN},
    {"xoxs-", 12, SOTTO_FINER_SLACK_TOKEN},
    {"xoxe-", 12, SOTTO_FINER_SLACK_TOKEN},
    {"xapp-", 12, SOTTO_FINER_SLACK_TOKEN},
    {"AIza", 35, SOTTO_FINER_GOOGLE_KEY},
    {"ya29.", 20, SOTTO_FINER_GOOGLE_KEY},
    {"GOCSPX-", 20, SOTTO_FINER_GOOGLE_KEY},
    {"glpat-", 18, SOTTO_FINER_API_KEY},
    {"glsa_", 20, SOTTO_FINER_API_KEY},
    {"gsk_", 30, SOTTO_FINER_API_KEY},
    {"hf_", 28, SOTTO_FINER_API_KEY},
    {"npm_", 30, SOTTO_FINER_API_KEY},
    {"pypi-", 40, SOTTO_FINER_API_KEY},
    {"dop_v1_", 40, SOTTO_FINER_API_KEY},
    {"doo_v1_", 40, SOTTO_FINER_API_KEY},
    {"shpat_", 24, SOTTO_FINER_API_KEY},
    {"shpss_", 24, SOTTO_FINER_API_KEY},
    {"shpca_", 24, SOTTO_FINER_API_KEY},
    {"SG.", 20, SOTTO_FINER_API_KEY},
    {"key-", 32, SOTTO_FINER_API_KEY},
    {"sbp_", 30, SOTTO_FINER_API_KEY},
    {"nvapi-", 30, SOTTO_FINER_API_KEY},
    {"xai-", 30, SOTTO_FINER_API_KEY},
    {"pplx-", 30, SOTTO_FINER_API_KEY},
    {"r8_", 30, SOTTO_FINER_API_KEY},
    {"tvly-", 20, SOTTO_FINER_API_KEY},
    {"lin_api_", 20, SOTTO_FINER_API_KEY},
    {"figd_", 20, SOTTO_FINER_API_KEY},
    {"ntn_", 30, SOTTO_FINER_API_KEY},
    {"hvs.", 20, SOTTO_FINER_API_KEY},
    {"hvb.", 20, SOTTO_FINER_API_KEY},
    {"sntrys_", 20, SOTTO_FINER_API_KEY},
    {"pscale_tkn_", 20, SOTTO_FINER_API_KEY},
    {"rubygems_", 30, SOTTO_FINER_API_KEY},
    {"PMAK-", 30, SOTTO_FINER_API_KEY},
    {"AGE-SECRET-KEY-1", 40, SOTTO_FINER_PRIVATE_KEY},
    {"ql_", 30, SOTTO_FINER_API_KEY},
    {"dapi", 32, SOTTO_FINER_API_KEY},
};

static const struct secret_prefix *find_prefix(const struct scan *s, size_t at)
{
    size_t left = s->text.len - at;
    /* All have a sign within the first characters, but for three. */
    size_t sign = 0;
    while (sign < 7 && is_alnum(scan_byte_at(s, at + sign))) {
        sign++;
    }
    if (sign == 7 ? !is_one_of(s->text.base[at], "Adgrp")
                  : !is_one_of(scan_byte_at(s, at + sign), "_-.")) {
        return NULL;
    }
    for (size_t i = 0; i < SOTTO_COUNT(secret_prefixes); i++) {
        if (secret_prefixes[i].prefix[0] != (char)s->text.base[at] ||
            secret_prefixes[i].prefix[1] != (char)scan_byte_at(s, at + 1)) {
            continue;
        }
        size_t n = strlen(secret_prefixes[i].prefix);
        if (left > n && memcmp(s->text.base + at, secret_prefixes[i].prefix, n) == 0) {
            return &secret_prefixes[i];
        }
    }
    return NULL;
}

/* Whether a body is more than words with hyphens: it has a digit or both cases. */
static bool is_mixed(const struct scan *s, size_t start, size_t end)
{
    bool digit = false, upper = false, lower = false;
    for (size_t i = start; i < end; i++) {
        uint8_t b = s->text.base[i];
        digit = digit || is_digit(b);
        upper = upper || is_upper(b);
        lower = lower || is_lower(b);
    }
    return digit || (upper && lower);
}

void recognize_secret_head(struct scan *s, size_t start)
{
    const struct secret_prefix *p = find_prefix(s, start);
    if (p == NULL || !scan_left_free(s, start)) {
        return;
    }
    size_t body = start + strlen(p->prefix);
    size_t end = body + safe_run(s, body, SECRET_VALUE_MAX);
    while (scan_byte_at(s, end) == '.' && is_url_safe(scan_byte_at(s, end + 1)) &&
           (p->prefix[0] == 'S' || p->prefix[0] == 'y')) {
        end += 1 + safe_run(s, end + 1, SECRET_VALUE_MAX);
    }
    if (end - body < p->least || !is_mixed(s, body, end)) {
        return;
    }
    int score = 960;
    if (p->finer == SOTTO_FINER_GITHUB_TOKEN && end - start == 40) {
        char token[40];
        memcpy(token, s->text.base + start, sizeof(token));
        score = sotto_validate_github_token(token, sizeof(token)) ? 990 : 920;
    }
    add_secret(s, start, end, p->finer, SOTTO_RULE_SECRET_PREFIX, score);
}

/* "eyJ….eyJ….…": header, payload and signature (RFC 7515 7.1). */
static bool recognize_jwt(struct scan *s, size_t start)
{
    size_t at = start;
    for (int part = 0; part < 3; part++) {
        size_t n = safe_run(s, at, SOTTO_PATTERN_LONG_MAX - (at - start));
        if ((n < 8 && part < 2) || (part == 1 && memcmp(s->text.base + at, "eyJ", 3) != 0)) {
            return false;
        }
        at += n;
        if (part < 2 && scan_byte_at(s, at++) != '.') {
            return false;
        }
    }
    add_secret(s, start, at, SOTTO_FINER_JWT, SOTTO_RULE_SECRET_JWT, 985);
    return true;
}

static void recognize_crypto(struct scan *s, size_t start, size_t end)
{
    const char *text = (const char *)s->text.base + start;
    size_t len = end - start;
    bool good = false;
    int score = 950;
    if (len == 42 && memcmp(text, "0x", 2) == 0) {
        good = sotto_validate_eip55(text, len);
        score = 850;
    } else if ((text[0] == '1' || text[0] == '3') && len <= 35) {
        good = sotto_validate_base58check(text, len);
    } else if (len >= 14 && len <= 90 &&
               (memcmp(text, "bc1", 3) == 0 || memcmp(text, "tb1", 3) == 0 ||
                memcmp(text, "BC1", 3) == 0 || memcmp(text, "ltc1", 4) == 0)) {
        good = sotto_validate_bech32(text, len);
    }
    if (good) {
        scan_add(s, start, end,
                 (struct verdict){SOTTO_LABEL_ID, SOTTO_FINER_CRYPTO_ADDRESS,
                                  SOTTO_RULE_CRYPTO_ADDRESS, score});
    }
}

static bool is_aws(const uint8_t *text, size_t len)
{
    static const char *const heads[] = {"AKIA", "ASIA", "ABIA", "ACCA"};
    if (len != 20) {
        return false;
    }
    for (size_t i = 4; i < len; i++) {
        if (!is_upper(text[i]) && !is_digit(text[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < SOTTO_COUNT(heads); i++) {
        if (memcmp(text, heads[i], 4) == 0) {
            return true;
        }
    }
    return false;
}

void recognize_long(struct scan *s, size_t start, size_t end)
{
    const uint8_t *text = s->text.base + start;
    if (!scan_left_free(s, start)) {
        return;
    }
    if (memcmp(text, "eyJ", 3) == 0 && recognize_jwt(s, start)) {
        return;
    }
    if (is_aws(text, end - start) && scan_right_free(s, end)) {
        add_secret(s, start, end, SOTTO_FINER_AWS_KEY, SOTTO_RULE_SECRET_PREFIX, 970);
        return;
    }
    if (memcmp(text, "AIza", 4) == 0 || memcmp(text, "dapi", 4) == 0) {
        recognize_secret_head(s, start);
        return;
    }
    if (scan_right_free(s, end)) {
        recognize_crypto(s, start, end);
    }
}

/* What kind of secret a label names. */
static bool is_password_label(const struct token *t)
{
    static const char *const heads[] = {"passw", "passp",   "pwd",   "pswd",  "psw",
                                        "kennw", "contras", "passe", "motdep"};
    for (size_t i = 0; i < SOTTO_COUNT(heads); i++) {
        if (strncmp(t->folded, heads[i], strlen(heads[i])) == 0) {
            return true;
        }
    }
    return strcmp(t->folded, "pass") == 0 || strcmp(t->folded, "pw") == 0 ||
           strcmp(t->folded, "clave") == 0;
}

/* What stands between a label and its value. */
struct assignment {
    size_t value;
    uint8_t quote; /* the value ends with it; 0: with a space */
    bool sign;     /* '=' or a quote: surely an assignment */
    bool word;     /* "password is …" */
};

static bool read_assignment(struct scan *s, const struct token *label, struct assignment *out)
{
    size_t i = label->end;
    bool option = label->start >= 2 && memcmp(s->text.base + label->start - 2, "--", 2) == 0;
    *out = (struct assignment){.sign = option};
    uint8_t b = scan_byte_at(s, i);
    if (b == '>') { /* <password>…</password> */
        *out = (struct assignment){.value = i + 1, .quote = '<', .sign = true};
        return true;
    }
    if (b == '"' || b == '\'' || b == '`' || b == ']' || b == ')') {
        i++;
        out->sign = b != ')';
    }
    i = scan_skip_spaces(s, i);
    b = scan_byte_at(s, i);
    struct token t;
    if (b == ':' || b == '=') {
        out->sign = out->sign || b == '=';
        i++;
        i += scan_byte_at(s, i) == '=' || scan_byte_at(s, i) == '>' ? 1 : 0;
    } else if (scan_word(s, i, &t) &&
               (strcmp(t.folded, "is") == 0 || strcmp(t.folded, "ist") == 0 ||
                strcmp(t.folded, "est") == 0 || strcmp(t.folded, "es") == 0 ||
                strcmp(t.folded, "was") == 0 || strcmp(t.folded, "lautet") == 0)) {
        i = t.end;
        i += scan_byte_at(s, i) == ':' ? 1 : 0;
        out->word = true;
    } else if (!option) {
        return false;
    }
    i = scan_skip_spaces(s, i);
    b = scan_byte_at(s, i);
    if (b == '"' || b == '\'' || b == '`') {
        out->quote = b;
        out->sign = out->sign || !out->word;
        i++;
    }
    out->value = i;
    return i < s->text.len;
}

static size_t value_end(struct scan *s, const struct assignment *a)
{
    size_t at = a->value;
    while (at < s->text.len && at - a->value < SECRET_VALUE_MAX) {
        uint8_t b = s->text.base[at];
        bool end = a->quote != 0 ? b == a->quote || b == '\n' || b == '\r'
                                 : b <= ' ' || b == '"' || b == '\'' || b == '`' || b == '<' ||
                                       b == '>' || b == ',' || b == ';' || b == ')' || b == '}' ||
                                       b == ']' || b == '&' || b == '|';
        if (end) {
            break;
        }
        at++;
        s->steps++;
    }
    while (at > a->value && !sotto_utf8_boundary(s->text, at)) {
        at--;
    }
    while (a->quote == 0 && at > a->value && is_one_of(s->text.base[at - 1], ".:?")) {
        at--;
    }
    return at;
}

/* How a value looks: of what kinds of characters it is made. */
struct look {
    size_t len, digits, lower, upper, signs;
    bool same; /* one character, again and again */
};

static struct look look_at(const struct scan *s, size_t start, size_t end)
{
    struct look l = {.len = end - start, .same = true};
    for (size_t i = start; i < end; i++) {
        uint8_t b = s->text.base[i];
        l.digits += is_digit(b) ? 1 : 0;
        l.lower += is_lower(b) ? 1 : 0;
        l.upper += is_upper(b) ? 1 : 0;
        l.signs += !is_alnum(b) && b < 0x80 ? 1 : 0;
        l.same = l.same && b == s->text.base[start];
    }
    return l;
}

/* "${TOKEN}", "<password>", "your-key-here", "None": stands for a secret and is none. */
static bool is_stand_in(const struct scan *s, size_t start, size_t end)
{
    static const char *const words[] = {
        "your", "none",     "null",    "true", "false",  "undefined", "todo",     "xxx",    "env.",
        "os.",  "process.", "config.", "get",  "string", "required",  "optional", "example"};
    uint8_t b = s->text.base[start];
    if (b == '$' || b == '<' || b == '{' || b == '%' || b == '(' || b == '[' || b == '*') {
        return true;
    }
    for (size_t i = 0; i < SOTTO_COUNT(words); i++) {
        size_t n = strlen(words[i]), k = 0;
        while (k < n && start + k < end && (s->text.base[start + k] | 0x20) == words[i][k]) {
            k++;
        }
        if (k == n) {
            return true;
        }
    }
    return false;
}

static bool is_secret_value(const struct look *l, const struct assignment *a, bool password)
{
    size_t kinds =
        (l->digits > 0) + (size_t)(l->lower > 0) + (size_t)(l->upper > 0) + (size_t)(l->signs > 0);
    if (l->same || l->len > SECRET_VALUE_MAX - 1) {
        return false;
    }
    if (password) {
        bool odd = l->digits > 0 || l->signs > 1 || (l->upper > 1 && l->lower > 0);
        return l->len >= SECRET_PLAIN_MIN && (odd || (a->sign && !a->word));
    }
    return l->len >= SECRET_KEY_MIN && l->digits > 0 && kinds >= 2 &&
           (l->digits + l->upper >= 3 || l->len >= 24);
}

/* "Bearer abc…", "Basic dXNl…" behind "Authorization:". */
static bool recognize_bearer(struct scan *s, const struct token *label)
{
    if (strcmp(label->folded, "bearer") != 0 || scan_byte_at(s, label->end) != ' ') {
        return false;
    }
    size_t start = label->end + 1, at = start;
    while (at < s->text.len && at - start < SOTTO_PATTERN_LONG_MAX &&
           (is_alnum(s->text.base[at]) || is_one_of(s->text.base[at], "-._~+/="))) {
        at++;
        s->steps++;
    }
    while (at > start && s->text.base[at - 1] == '.') {
        at--;
    }
    if (at - start < 16 || !is_mixed(s, start, at)) {
        return false;
    }
    add_secret(s, start, at, SOTTO_FINER_BEARER_TOKEN, SOTTO_RULE_SECRET_HEADER, 960);
    return true;
}

void recognize_secret_label(struct scan *s, const struct token *label)
{
    struct assignment a;
    if (recognize_bearer(s, label) || !read_assignment(s, label, &a)) {
        return;
    }
    struct token word;
    if (scan_word(s, a.value, &word) &&
        (strcmp(word.folded, "bearer") == 0 || strcmp(word.folded, "basic") == 0) &&
        scan_byte_at(s, word.end) == ' ') {
        a.value = word.end + 1;
    }
    size_t end = value_end(s, &a);
    bool password = is_password_label(label);
    struct look look = look_at(s, a.value, end);
    if (end <= a.value || is_stand_in(s, a.value, end) || !is_secret_value(&look, &a, password)) {
        return;
    }
    add_secret(s, a.value, end, password ? SOTTO_FINER_PASSWORD : SOTTO_FINER_API_KEY,
               SOTTO_RULE_SECRET_ASSIGNED, a.word ? 800 : 930);
}

/* "-----BEGIN … PRIVATE KEY-----" to its end, or as far as there is nothing but base64. */
void recognize_pem(struct scan *s, const struct token *begin)
{
    static const char dashes[] = "-----";
    if (strcmp(begin->folded, "begin") != 0 || begin->start < 5 || begin->upper != 5 ||
        memcmp(s->text.base + begin->start - 5, dashes, 5) != 0) {
        return;
    }
    size_t at = begin->end, title = at;
    while (at < s->text.len && at - title < 64 &&
           (is_upper(s->text.base[at]) || s->text.base[at] == ' ')) {
        at++;
    }
    bool private = false;
    for (size_t i = title; i + 11 <= at; i++) {
        private = private || memcmp(s->text.base + i, "PRIVATE KEY", 11) == 0;
    }
    if (!private || s->text.len - at < 5 || memcmp(s->text.base + at, dashes, 5) != 0) {
        return;
    }
    at += 5;
    size_t start = begin->start - 5, end = at;
    while (at < s->text.len && at - start < SOTTO_PATTERN_PEM_MAX) {
        uint8_t b = s->text.base[at];
        s->steps++;
        if (b == '-' && s->text.len - at >= 8 && memcmp(s->text.base + at, "-----END", 8) == 0) {
            at += 8;
            while (at < s->text.len && at - start < SOTTO_PATTERN_PEM_MAX &&
                   (is_upper(s->text.base[at]) || is_one_of(s->text.base[at], " -"))) {
                at++;
            }
            end = at;
            break;
        }
        if (!is_alnum(b) && !is_one_of(b, "+/=\n\r \t\\:,-")) {
            break;
        }
        if (b == '-' && scan_byte_at(s, at + 1) == '-') {
            break;
        }
        at++;
        end = is_alnum(b) || b == '=' ? at : end;
    }
    add_secret(s, start, end, SOTTO_FINER_PRIVATE_KEY, SOTTO_RULE_SECRET_PEM, 990);
}
