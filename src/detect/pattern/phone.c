/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Telephone numbers: international ones (ITU-T E.164: a country code and at most 15 digits) with
 * the lengths of the larger countries, national forms that are known by their grouping, and any
 * other number behind a word like "Tel", "call", "Fax".
 */

#include "detect/pattern/recognizers.h"

#define PHONE_DIGITS_MAX 15
#define PHONE_DIGITS_MIN 7

struct phone {
    char digits[PHONE_DIGITS_MAX + 1];
    size_t count;
    size_t last; /* the last group of the cluster that belongs to it */
    size_t groups;
};

/* Countries: code, fewest and most digits behind it. */
struct phone_country {
    const char *code;
    uint8_t least, most;
};

static const struct phone_country *find_country(const char *digits)
{
    static const struct phone_country table[] = {
        {"1", 10, 10},  {"20", 8, 10},  {"212", 9, 9},  {"27", 9, 9},   {"30", 10, 10},
        {"31", 9, 9},   {"32", 8, 9},   {"33", 9, 9},   {"34", 9, 9},   {"351", 9, 9},
        {"352", 6, 11}, {"353", 7, 9},  {"354", 7, 9},  {"358", 6, 11}, {"36", 8, 9},
        {"380", 9, 9},  {"385", 8, 9},  {"386", 8, 8},  {"39", 6, 11},  {"40", 9, 9},
        {"41", 9, 9},   {"420", 9, 9},  {"421", 9, 9},  {"423", 7, 9},  {"43", 7, 13},
        {"44", 9, 10},  {"45", 8, 8},   {"46", 7, 10},  {"47", 8, 8},   {"48", 9, 9},
        {"49", 6, 12},  {"52", 10, 11}, {"54", 10, 11}, {"55", 10, 11}, {"56", 9, 9},
        {"57", 8, 10},  {"58", 10, 10}, {"60", 8, 10},  {"61", 9, 9},   {"62", 8, 12},
        {"63", 10, 10}, {"64", 8, 10},  {"65", 8, 8},   {"66", 8, 9},   {"7", 10, 10},
        {"81", 9, 10},  {"82", 8, 10},  {"84", 9, 10},  {"852", 8, 8},  {"86", 10, 11},
        {"886", 8, 9},  {"90", 10, 10}, {"91", 10, 10}, {"92", 9, 10},  {"966", 9, 9},
        {"971", 8, 9},  {"972", 8, 9},  {"254", 9, 9},
    };
    for (size_t i = 0; i < SOTTO_COUNT(table); i++) {
        if (strncmp(digits, table[i].code, strlen(table[i].code)) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

static bool is_phone_gap(const struct group *g)
{
    return g->gap == ' ' || g->gap == '-' || g->gap == '.' || g->gap == '/' || g->gap == '(' ||
           g->gap == ')';
}

static bool push_group(struct phone *p, const struct cluster *c, size_t i)
{
    const struct group *g = &c->groups[i];
    if (g->digits != g->len || p->count + g->len > PHONE_DIGITS_MAX) {
        return false;
    }
    memcpy(p->digits + p->count, c->norm + g->at, g->len);
    p->count += g->len;
    p->digits[p->count] = '\0';
    p->last = i;
    p->groups++;
    return true;
}

/* Groups from the first on, up to `most` digits, as long as the signs between them fit. */
static struct phone gather(const struct cluster *c, size_t most)
{
    struct phone p = {.count = 0};
    for (size_t i = 0; i < c->count; i++) {
        if ((i > 0 && !is_phone_gap(&c->groups[i])) || p.count + c->groups[i].len > most ||
            !push_group(&p, c, i)) {
            break;
        }
    }
    return p;
}

/* Behind "ext. 123", "x123", "Durchwahl 12"; the same offset when there is none. */
static size_t extension_end(struct scan *s, size_t end)
{
    static const char *const words[] = {"ext",       "extension", "x",           "extn",
                                        "durchwahl", "dw",        "poste",       "interno",
                                        "int",       "app",       "nebenstelle", "anexo"};
    size_t i = scan_skip_spaces(s, end);
    i += scan_byte_at(s, i) == ',' || scan_byte_at(s, i) == '(' ? 1 : 0;
    i = scan_skip_spaces(s, i);
    struct token t;
    if (!is_alpha(scan_byte_at(s, i)) || !scan_word(s, i, &t)) {
        return end;
    }
    for (size_t k = 0; k < SOTTO_COUNT(words); k++) {
        if (strcmp(t.folded, words[k]) == 0) {
            i = t.end + (scan_byte_at(s, t.end) == '.' || scan_byte_at(s, t.end) == ':' ? 1U : 0U);
            unsigned value;
            size_t number = scan_number(s, scan_skip_spaces(s, i), 6, &value);
            return number != 0 ? number : end;
        }
    }
    return end;
}

/* Whether group `i` ends a number: nothing touches it but an extension. */
static bool number_ends(struct scan *s, const struct cluster *c, size_t i)
{
    return cluster_free_right(s, c, i) ||
           (i + 1 == c->count && extension_end(s, c->groups[i].end) != c->groups[i].end);
}

static void add_phone(struct scan *s, const struct cluster *c, struct context *ctx, size_t start,
                      size_t last, enum sotto_rule rule, int score)
{
    enum sotto_finer finer = context_in(&ctx->near, CTX_FAX) ? SOTTO_FINER_FAX : SOTTO_FINER_NONE;
    size_t end = extension_end(s, c->groups[last].end);
    scan_add(s, start, end, (struct verdict){SOTTO_LABEL_PHONE, finer, rule, score});
}

/* Start of the number: its '+' or '(' before the first group. */
static size_t phone_start(const struct scan *s, const struct cluster *c, bool *plus)
{
    size_t at = c->start;
    *plus = false;
    if (c->before == '(') {
        at--;
    }
    if (scan_byte_before(s, at) == '+') {
        *plus = true;
        return at - 1;
    }
    if (at >= 3 && memcmp(s->text.base + at - 3, "\xef\xbc\x8b", 3) == 0) {
        *plus = true;
        return at - 3;
    }
    return at;
}

static bool in_brackets(const struct cluster *c, size_t i)
{
    return i > 0 && c->groups[i].gap == '(';
}

/* "+41 (0)44 668 18 00", "0041 44 …": whether the digits make an international number. */
static bool international(struct scan *s, const struct cluster *c, struct context *ctx,
                          size_t start, size_t prefix)
{
    struct phone p = {.count = 0};
    const struct phone_country *country = NULL;
    size_t trunk = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (i > 0 && !is_phone_gap(&c->groups[i])) {
            break;
        }
        const struct group *g = &c->groups[i];
        if (in_brackets(c, i) && g->len >= 1 && c->norm[g->at] == '0') {
            trunk = 1; /* "(0)" is dialled at home only */
        }
        size_t most = country != NULL ? strlen(country->code) + country->most + trunk + prefix
                                      : PHONE_DIGITS_MAX;
        if (p.count + g->len > most || !push_group(&p, c, i)) {
            break;
        }
        if (country == NULL && p.count >= prefix + 3) {
            country = find_country(p.digits + prefix);
        }
    }
    size_t national = p.count - (p.count > prefix + trunk ? prefix + trunk : p.count);
    if (country != NULL) {
        size_t code = strlen(country->code);
        if (national < code + country->least || national > code + country->most + 1U) {
            return false;
        }
    } else if (national < 8) {
        return false;
    }
    if (!number_ends(s, c, p.last)) {
        return false;
    }
    int score = country != NULL ? 970 : 800;
    add_phone(s, c, ctx, start, p.last, SOTTO_RULE_PHONE_INTERNATIONAL,
              prefix > 0 ? score - 100 : score);
    return true;
}

/* Forms that are known by how the digits are grouped. */
struct phone_form {
    const char *groups; /* lengths of the groups, one character each */
    const char *first;  /* what the number may begin with: one of these characters, or any */
    int16_t score;      /* with '-' or '.' or '/' between the groups, or a bracket */
    int16_t spaced;     /* with spaces only */
};

static const struct phone_form phone_forms[] = {
    {"334", "23456789", 850, 780}, /* US, IT mobile */
    {"334", "01", 750, 500},       {"1334", "1", 850, 850},    {"22222", "0", 850, 850}, /* FR */
    {"3322", "0", 850, 850},                                                             /* CH */
    {"344", "0", 800, 800},                                                              /* UK */
    {"56", "0", 700, 780},         {"533", "0", 700, 780},     {"433", "0", 750, 780},
    {"434", "0", 750, 780},        {"333", "6789", 600, 640}, /* ES */
    {"3222", "6789", 750, 750},    {"2322", "6789", 600, 700}, {"36", "6789", 640, 640},
    {"3334", "0", 700, 700},       {"37", "0", 650, 680},      {"36", "0", 650, 680},
    {"38", "0", 650, 680},         {"47", "0", 700, 720},      {"46", "0", 650, 680},
    {"48", "0", 650, 680},         {"55", "0", 650, 650},      {"57", "0", 700, 700},
    {"44", "0", 450, 450},         {"45", "0", 600, 600},      {"422", "0", 600, 650},
    {"4222", "0", 700, 700},       {"3432", "0", 700, 700},    {"3332", "0", 700, 700},
    {"3333", "0", 700, 700},       {"322", "0", 550, 600},     {"244", "0", 700, 700},
    {"2422", "0", 700, 700},       {"2322", "0", 700, 700},    {"2332", "0", 600, 600},
    {"335", "0", 600, 600},        {"343", "0", 650, 650},     {"352", "0", 600, 600},
    {"435", "0", 650, 650},        {"4322", "0", 700, 700},    {"4332", "0", 700, 700},
};

/* Lengths of the leading groups of digits, four bits each, the first lowest. */
static uint32_t group_lengths(const struct cluster *c)
{
    uint32_t lengths = 0;
    for (size_t i = 0; i < c->count && i < 6; i++) {
        const struct group *g = &c->groups[i];
        if (g->digits != g->len || g->len > 15 || (i > 0 && !is_phone_gap(g))) {
            break;
        }
        lengths |= (uint32_t)g->len << (4 * i);
    }
    return lengths;
}

static uint32_t form_lengths(const char *groups, uint32_t *mask)
{
    uint32_t lengths = 0;
    *mask = 0;
    for (size_t i = 0; groups[i] != '\0'; i++) {
        lengths |= (uint32_t)(groups[i] - '0') << (4 * i);
        *mask |= (uint32_t)15 << (4 * i);
    }
    return lengths;
}

static size_t national(const struct cluster *c, int *score)
{
    uint32_t lengths = group_lengths(c), mask;
    if ((lengths & 0xf0) == 0) {
        return 0;
    }
    for (size_t i = 0; i < SOTTO_COUNT(phone_forms); i++) {
        const struct phone_form *f = &phone_forms[i];
        if ((uint8_t)(f->groups[0] - '0') != (lengths & 15) ||
            !is_one_of((uint8_t)c->norm[0], f->first)) {
            continue;
        }
        uint32_t form = form_lengths(f->groups, &mask);
        if ((lengths & mask) != form) {
            continue;
        }
        size_t n = strlen(f->groups);
        bool signs = c->before == '(';
        for (size_t k = 1; k < n; k++) {
            signs = signs || c->groups[k].gap != ' ';
        }
        *score = signs ? f->score : f->spaced;
        return n;
    }
    return 0;
}

/* A number written without any separator: "0441234567", "4155551234". */
static int bare_score(const struct phone *p, const struct context *ctx)
{
    bool near = context_in(&ctx->near, CTX_PHONE) || context_in(&ctx->near, CTX_FAX);
    if (near) {
        return p->count >= 8 ? 880 : 780;
    }
    if (context_any(ctx, CTX_PHONE) && p->count >= 7 && p->count <= 13) {
        return p->count >= 9 ? 720 : 560;
    }
    return 0;
}

static bool is_amount(const struct cluster *c, const struct context *ctx)
{
    return c->before == '$' || c->before == 0x20ac || c->before == 0xa3 ||
           (ctx->roles_after & ROLE_MEASURE) != 0;
}

/* Whether the numbers end in "000 000": a count, not a telephone. */
static bool is_round(const struct phone *p)
{
    return p->count >= 6 && memcmp(p->digits + p->count - 3, "000", 3) == 0 &&
           p->digits[p->count - 4] == '0';
}

static bool by_form(struct scan *s, const struct cluster *c, struct context *ctx, size_t start)
{
    int score = 0;
    size_t n = national(c, &score);
    if (n == 0 || !number_ends(s, c, n - 1)) {
        return false;
    }
    context_need(s, c, ctx);
    struct phone p = gather(c, PHONE_DIGITS_MAX);
    if (is_round(&p) || is_amount(c, ctx)) {
        return false;
    }
    bool words = context_any(ctx, CTX_PHONE) || context_any(ctx, CTX_FAX);
    if (words) {
        score += context_in(&ctx->near, CTX_PHONE) || context_in(&ctx->near, CTX_FAX) ? 200 : 120;
    } else if (context_any(ctx, CTX_NEGATIVE)) {
        score -= 300;
    } else if (ctx->label != CTX_NONE && ctx->label != CTX_ID) {
        score -= 250; /* it says that it is something else */
    }
    size_t last = n - 1;
    if (words && n < c->count && p.last > last && p.count <= 13 && number_ends(s, c, p.last)) {
        last = p.last;
    }
    add_phone(s, c, ctx, start, last, SOTTO_RULE_PHONE_NATIONAL, score > 960 ? 960 : score);
    return score >= 500;
}

/* Reads the number before an "x" inside a group, "555-0123x045", as `out`; false: there is none. */
static bool before_extension(const struct cluster *c, struct cluster *out)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct group *g = &c->groups[i];
        const char *norm = c->norm + g->at, *x = memchr(norm, 'X', g->len);
        size_t len = x != NULL ? (size_t)(x - norm) : 0;
        if (len == 0 || g->digits + 1U != g->len || g->end - g->start != g->len) {
            continue;
        }
        *out = *c;
        out->count = i + 1;
        out->norm_len = g->at + len;
        out->norm[out->norm_len] = '\0';
        out->groups[i].len = out->groups[i].digits = (uint8_t)len;
        out->groups[i].end = g->start + (uint32_t)len;
        out->end = out->groups[i].end;
        return true;
    }
    return false;
}

static bool recognize_plain(struct scan *s, const struct cluster *c, struct context *ctx)
{
    bool plus;
    size_t start = phone_start(s, c, &plus);
    if (c->groups[0].digits == 0 || (c->joined && !plus)) {
        return false;
    }
    if (plus) {
        return international(s, c, ctx, start, 0);
    }
    if (memcmp(c->norm, "00", 2) == 0 && c->norm[2] != '0' && c->groups[0].len >= 4 &&
        international(s, c, ctx, start, 2)) {
        return true;
    }
    if (by_form(s, c, ctx, start)) {
        return true;
    }
    struct phone p = gather(c, PHONE_DIGITS_MAX);
    if (p.count < PHONE_DIGITS_MIN) {
        return false;
    }
    context_need(s, c, ctx);
    int score = bare_score(&p, ctx);
    if (score == 0 || is_amount(c, ctx) || !number_ends(s, c, p.last) ||
        (ctx->label != CTX_NONE && ctx->label != CTX_PHONE && ctx->label != CTX_FAX &&
         ctx->label != CTX_ID)) {
        return false;
    }
    add_phone(s, c, ctx, start, p.last, SOTTO_RULE_PHONE_CONTEXT, score);
    return true;
}

bool recognize_phone(struct scan *s, const struct cluster *c, struct context *ctx)
{
    struct cluster number;
    return recognize_plain(s, before_extension(c, &number) ? &number : c, ctx);
}
