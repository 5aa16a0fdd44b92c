/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/pattern/cluster.h"

#define CLUSTER_BYTES      160 /* of one group, hidden characters counted */
#define CLUSTER_GROUP_MAX  40
#define CLUSTER_LETTERS    4 /* longest group without a digit that continues a cluster */
#define CLUSTER_GAP_SPACES 2

/* Maps a letter or digit beyond ASCII to ASCII; 0: another character; 1: a foreign letter. */
static char normal(uint32_t c)
{
    if (c >= 0xff10 && c <= 0xff19) {
        return (char)('0' + (c - 0xff10));
    }
    if (c >= 0xff21 && c <= 0xff3a) {
        return (char)('A' + (c - 0xff21));
    }
    if (c >= 0xff41 && c <= 0xff5a) {
        return (char)('A' + (c - 0xff41));
    }
    if ((c >= 0x660 && c <= 0x669) || (c >= 0x6f0 && c <= 0x6f9)) {
        return (char)('0' + (c & 0xf));
    }
    return (sotto_char_classes(c) & SOTTO_CHAR_WORD) != 0 ? 1 : 0;
}

/* Letters in upper case and digits; 0 for other ASCII characters. */
static const char plain[128] = {
    ['0'] = '0', ['1'] = '1', ['2'] = '2', ['3'] = '3', ['4'] = '4', ['5'] = '5', ['6'] = '6',
    ['7'] = '7', ['8'] = '8', ['9'] = '9', ['A'] = 'A', ['B'] = 'B', ['C'] = 'C', ['D'] = 'D',
    ['E'] = 'E', ['F'] = 'F', ['G'] = 'G', ['H'] = 'H', ['I'] = 'I', ['J'] = 'J', ['K'] = 'K',
    ['L'] = 'L', ['M'] = 'M', ['N'] = 'N', ['O'] = 'O', ['P'] = 'P', ['Q'] = 'Q', ['R'] = 'R',
    ['S'] = 'S', ['T'] = 'T', ['U'] = 'U', ['V'] = 'V', ['W'] = 'W', ['X'] = 'X', ['Y'] = 'Y',
    ['Z'] = 'Z', ['a'] = 'A', ['b'] = 'B', ['c'] = 'C', ['d'] = 'D', ['e'] = 'E', ['f'] = 'F',
    ['g'] = 'G', ['h'] = 'H', ['i'] = 'I', ['j'] = 'J', ['k'] = 'K', ['l'] = 'L', ['m'] = 'M',
    ['n'] = 'N', ['o'] = 'O', ['p'] = 'P', ['q'] = 'Q', ['r'] = 'R', ['s'] = 'S', ['t'] = 'T',
    ['u'] = 'U', ['v'] = 'V', ['w'] = 'W', ['x'] = 'X', ['y'] = 'Y', ['z'] = 'Z'};

/* Reads one group; false when none begins here, `cut` when it cannot be used. */
static bool read_group(struct scan *s, size_t at, struct cluster *c, struct group *g)
{
    size_t len = c->norm_len, digits = 0, start = at, end = at;
    size_t most = len + CLUSTER_GROUP_MAX < CLUSTER_CHARS ? len + CLUSTER_GROUP_MAX : CLUSTER_CHARS;
    while (at < s->text.len) {
        uint8_t b = s->text.base[at];
        char n = b < 0x80 ? plain[b] : '\0';
        size_t next = at + 1;
        if (b >= 0x80) {
            next = at;
            uint32_t wide = sotto_utf8_next(s->text, &next);
            n = normal(wide);
            if (n == 0 && at - start < CLUSTER_BYTES &&
                (sotto_char_classes(wide) & SOTTO_CHAR_HIDDEN) != 0) {
                at = next;
                continue;
            }
        }
        if (n == 0) {
            break;
        }
        if (n == 1 || len >= most) {
            c->cut = true;
            return false;
        }
        c->norm[len++] = n;
        digits += n <= '9' ? 1 : 0;
        end = at = next;
    }
    *g = (struct group){.start = 0, .end = (uint32_t)end, .at = (uint8_t)c->norm_len};
    g->len = (uint8_t)(len - c->norm_len);
    g->digits = (uint8_t)digits;
    s->steps += g->len;
    return g->len > 0;
}

static char gap_sign(uint32_t c)
{
    switch (c) {
    case '-':
    case '.':
    case '/':
    case ',':
    case ':':
    case '(':
    case ')':
        return (char)c;
    case 0xff0d:
    case 0x2212:
    case 0xfe63:
        return '-';
    case 0xff0e:
    case 0xb7:
        return '.';
    case 0xff0f:
        return '/';
    default:
        return c >= 0x2010 && c <= 0x2015 ? '-' : '\0';
    }
}

/* Reads what stands between two groups; 0 when the cluster ends here. */
static size_t read_gap(struct scan *s, size_t at, struct group *g)
{
    size_t spaces = 0;
    uint8_t first = scan_byte_at(s, at), second = scan_byte_at(s, at + 1);
    g->gap = '\0';
    g->spaced = false;
    s->steps++;
    if (is_alnum(second) && (first == ' ' || first == '-' || first == '.' || first == '/')) {
        g->gap = (char)first;
        g->spaced = first == ' ';
        return at + 1;
    }
    if (first < 0x80 && first != ' ' && gap_sign(first) == '\0') {
        return 0;
    }
    for (int i = 0; i < 4 && at < s->text.len; i++) {
        size_t next = at;
        if (is_alnum(s->text.base[at])) {
            break;
        }
        uint32_t c = sotto_utf8_next(s->text, &next);
        char sign = gap_sign(c);
        s->steps++;
        if (sign != '\0') {
            bool bracket = (g->gap == ')' || g->gap == '(') && sign == '-';
            if (g->gap != '\0' && sign != '(' && !bracket) {
                return 0;
            }
            g->gap = sign;
        } else if (c == ' ' || c == 0xa0 || c == 0x2009 || c == 0x202f || c == 0x2007) {
            if (++spaces > CLUSTER_GAP_SPACES) {
                return 0;
            }
            g->spaced = true;
        } else if (c >= 0x80 && (sotto_char_classes(c) & SOTTO_CHAR_HIDDEN) != 0) {
            /* nothing */
        } else {
            break;
        }
        at = next;
    }
    if (g->gap == '\0') {
        g->gap = g->spaced ? ' ' : '\0';
    }
    return g->gap != '\0' ? at : 0;
}

static void read_before(struct scan *s, struct cluster *c)
{
    size_t at = c->start;
    if (at > 0) {
        c->before = sotto_utf8_before(s->text, &at);
    }
    if (at > 0) {
        c->before2 = sotto_utf8_before(s->text, &at);
    }
    c->free_left = scan_left_free(s, c->start);
    bool sign = c->before == '-' || c->before == '.' || c->before == '/' || c->before == '_' ||
                c->before == ',' || c->before == ':' || c->before == '\'' || c->before == '@' ||
                c->before == '=' || (c->before >= 0x2010 && c->before <= 0x2015);
    bool word = (sotto_char_classes(c->before2) & SOTTO_CHAR_WORD) != 0;
    c->joined = sign && word &&
                !((c->before == ':' || c->before == '=' || c->before == '.') &&
                  (sotto_char_classes(c->before2) & SOTTO_CHAR_DIGIT) == 0);
}

bool cluster_read(struct scan *s, size_t at, struct cluster *out)
{
    out->start = out->end = at;
    out->count = out->norm_len = 0;
    out->before = out->before2 = 0;
    out->cut = false;
    read_before(s, out);
    struct group g;
    char gap = '\0';
    bool spaced = false;
    while (out->count < CLUSTER_GROUPS && read_group(s, at, out, &g)) {
        bool letters = g.digits == 0;
        if (out->count > 0 && letters &&
            (g.len > CLUSTER_LETTERS || out->groups[out->count - 1].digits == 0)) {
            break; /* a word of the sentence */
        }
        struct group *kept = &out->groups[out->count++];
        *kept = g;
        kept->start = (uint32_t)at;
        kept->gap = gap;
        kept->spaced = spaced;
        out->norm_len += g.len;
        out->end = g.end;
        struct group next;
        at = read_gap(s, g.end, &next);
        if (at == 0) {
            break;
        }
        gap = next.gap;
        spaced = next.spaced;
    }
    out->norm[out->norm_len] = '\0';
    return out->count > 0;
}

bool cluster_free_right(const struct scan *s, const struct cluster *c, size_t i)
{
    if (i + 1 < c->count) {
        char gap = c->groups[i + 1].gap;
        return c->groups[i + 1].spaced || gap == '(' || gap == ')' || gap == ':' ||
               (c->groups[i + 1].digits == 0 && gap != '-');
    }
    size_t at = c->groups[i].end;
    uint8_t sign = scan_byte_at(s, at);
    if (sign == '-' || sign == '/' || sign == '_' || sign == '@' || sign == '.' || sign == ',') {
        return scan_right_free(s, at + 1) && scan_byte_at(s, at + 1) != '@';
    }
    return scan_right_free(s, at);
}
