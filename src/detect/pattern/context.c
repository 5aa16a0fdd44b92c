/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/pattern/cluster.h"

#define CONTEXT_WORDS  7
#define CONTEXT_BYTES  72 /* how far back */
#define CONTEXT_AFTER  3  /* words behind */
#define CONTEXT_SIGNS  8  /* signs and spaces between a label and its value */
#define CONTEXT_DIGITS 4  /* a token with so many digits ends the context: it has its own */

struct walk {
    struct context *out;
    uint64_t hash[3]; /* of the last words, the one just read first */
    bool was[3];      /* `adjacent` before each of them was read */
    size_t words;
    bool adjacent; /* only fillers so far */
    bool closed;   /* the label was found: what stands further left is only `behind` */
};

/* The stem of a compound: "Patientennummer", "telefonnr". */
static const struct word *stem_word(const struct scan *s, const struct token *t)
{
    static const char *const tails[] = {"nummer", "nummern", "number", "nr", "num", "id", "no"};
    size_t len = t->letters;
    if (len < 4 || len >= sizeof(t->folded) || !is_one_of((uint8_t)t->folded[len - 1], "rnmdo")) {
        return NULL;
    }
    for (size_t i = 0; i < SOTTO_COUNT(tails); i++) {
        size_t tail = strlen(tails[i]);
        if (len >= sizeof(t->folded) || len < tail + 2 ||
            memcmp(t->folded + len - tail, tails[i], tail) != 0) {
            continue;
        }
        for (size_t link = 0; link < 2 && len - tail > link + 1; link++) {
            char stem[WORDS_FOLDED] = {0};
            memcpy(stem, t->folded, len - tail - link);
            const struct word *word = words_find(s->words, words_hash(stem, len - tail - link));
            if (word != NULL && (word->roles & ROLE_LABEL) != 0) {
                return word;
            }
            if (link == 0 && t->folded[len - tail - 1] != 's') {
                break;
            }
        }
    }
    return NULL;
}

static void merge(struct context_set *into, const struct context_set *from)
{
    into->bits[0] |= from->bits[0];
    into->bits[1] |= from->bits[1];
}

/* Takes one row that stands before the number; `phrase` when it spans several words. */
static void take(struct walk *w, const struct word *word, size_t start, bool phrase)
{
    struct context *out = w->out;
    merge(&out->behind, &word->context);
    bool label = (word->roles & ROLE_LABEL) != 0;
    if (!w->adjacent || !label) {
        return;
    }
    merge(&out->near, &word->context);
    if (word->kind != CTX_NONE &&
        (out->label == CTX_NONE || (out->label == CTX_ID && word->kind != CTX_ID) ||
         (phrase && !w->closed))) {
        out->label = (enum context_kind)word->kind;
        out->label_start = start;
    }
}

/* Handles one word before the number, going left. */
static void step_word(struct scan *s, struct walk *w, const struct token *t)
{
    const struct word *word = t->word != NULL ? t->word : stem_word(s, t);
    w->hash[2] = w->hash[1];
    w->hash[1] = w->hash[0];
    w->hash[0] = t->hash;
    w->was[2] = w->was[1];
    w->was[1] = w->was[0];
    w->was[0] = w->adjacent;
    if (w->words == 0 && word != NULL) {
        w->out->roles = word->roles;
    }
    w->words++;
    const struct word *found = NULL;
    size_t span = 0; /* words of the phrase but one */
    if (w->words >= 3) {
        uint64_t pair = words_join(w->hash[0], w->hash[1]);
        found = words_find(s->words, words_join(pair, w->hash[2]));
        span = found != NULL ? 2 : 0;
    }
    if (found == NULL && w->words >= 2) {
        found = words_find(s->words, words_join(w->hash[0], w->hash[1]));
        span = 1;
    }
    if (found != NULL) {
        w->adjacent = w->was[span]; /* "medical record": "record" alone is no glue */
        take(w, found, t->start, true);
    }
    if (word != NULL) {
        take(w, word, t->start, false);
    }
    uint32_t glue = ROLE_FILLER | ROLE_NUMBER | ROLE_LABEL;
    if (word != NULL && (word->roles & ROLE_NUMBER) != 0 && w->adjacent) {
        w->out->numbered = true;
    }
    if (found == NULL && (word == NULL || (word->roles & glue) == 0)) {
        w->adjacent = false;
    }
}

/* Whether a sentence ends at the stop at `at - 1`: a longer word before it, a space behind. */
static bool ends_sentence(const struct scan *s, size_t at)
{
    uint8_t next = scan_byte_at(s, at);
    if (next != ' ' && next != '\n') {
        return false;
    }
    size_t letters = 0;
    for (size_t i = at - 1; i > 0 && letters < 6 && is_lower(s->text.base[i - 1]); i--) {
        letters++;
    }
    return letters >= 5;
}

/* Handles one character that is not part of a word; false ends the walk. */
static bool step_sign(struct scan *s, struct walk *w, uint32_t c, size_t at, unsigned *lines)
{
    switch (c) {
    case '\n':
        if (w->words > 0 || ++*lines > 1) {
            return false;
        }
        break;
    case ';':
    case '!':
    case '?':
    case '{':
    case '}':
        return false;
    case '.':
        return !ends_sentence(s, at);
    case ':':
    case '=':
    case '#':
        w->out->sign = w->out->sign || w->words == 0;
        break;
    case ',':
        w->adjacent = false;
        break;
    case 0xb0:
    case 0xba:
        if (w->adjacent && w->words == 0) {
            w->out->numbered = true;
        }
        break;
    default:
        break;
    }
    return true;
}

static void walk_back(struct scan *s, size_t start, struct context *out)
{
    struct walk w = {.out = out, .adjacent = true};
    size_t at = start, digits = 0;
    unsigned lines = 0;
    while (at > 0 && start - at < CONTEXT_BYTES && w.words < CONTEXT_WORDS) {
        struct token t;
        size_t before = at - 1;
        uint32_t c = s->text.base[before];
        if (c >= 0x80) {
            before = at;
            c = sotto_utf8_before(s->text, &before);
        }
        s->steps++;
        if (is_digit(c)) {
            w.adjacent = false;
            if (++digits >= CONTEXT_DIGITS) {
                return;
            }
        } else if (c >= 0x80
                       ? (sotto_char_classes(c) & SOTTO_CHAR_LETTER) != 0 && c != 0xba && c != 0xaa
                       : is_alpha(c)) {
            if (!scan_word_before(s, at, &t)) {
                return;
            }
            step_word(s, &w, &t);
            at = t.start;
            continue;
        } else if (!step_sign(s, &w, c, at, &lines)) {
            return;
        }
        at = before;
    }
}

static void walk_on(struct scan *s, size_t end, struct context *out)
{
    size_t at = end;
    uint64_t last = 0;
    for (int words = 0; words < CONTEXT_AFTER && at < s->text.len && at - end < 48;) {
        uint8_t b = s->text.base[at];
        struct token t;
        if (b == '\n' || b == ';' || b == ',' || b == '.' || b == ':' || is_digit(b)) {
            return;
        }
        s->steps++;
        if (!(is_alpha(b) || b >= 0xc3) || !scan_word(s, at, &t)) {
            at++;
            continue;
        }
        if (words == 0 && t.word != NULL) {
            out->roles_after = t.word->roles;
        }
        if (t.word != NULL) {
            merge(&out->after, &t.word->context);
        }
        uint64_t hash = t.hash;
        const struct word *pair = words > 0 ? words_find(s->words, words_join(last, hash)) : NULL;
        if (pair != NULL) {
            merge(&out->after, &pair->context);
        }
        last = hash;
        at = t.end;
        words++;
    }
}

void context_read(struct scan *s, size_t start, size_t end, struct context *out)
{
    *out = (struct context){.read = true, .label = CTX_NONE};
    walk_back(s, start, out);
    walk_on(s, end, out);
}

void context_need(struct scan *s, const struct cluster *c, struct context *ctx)
{
    if (!ctx->read) {
        context_read(s, c->start, c->end, ctx);
    }
}

bool context_may_label(struct scan *s, size_t at)
{
    struct token t;
    for (int i = 0; i < CONTEXT_SIGNS && at > 0; i++) {
        uint8_t b = s->text.base[at - 1];
        if (is_alpha(b) || (b >= 0x80 && sotto_utf8_boundary(s->text, at))) {
            if (scan_word_before(s, at, &t)) {
                const struct word *word = t.word != NULL ? t.word : stem_word(s, &t);
                return word != NULL &&
                       (word->roles & (ROLE_FILLER | ROLE_NUMBER | ROLE_LABEL)) != 0;
            }
            sotto_utf8_before(s->text, &at);
            continue;
        }
        if (b == '#' || b == '=' || b == ':') {
            return true;
        }
        if (is_digit(b) || b == ',' || b == ';' || b == '!' || b == '?' || b == '{' || b == '}') {
            return false;
        }
        at--;
    }
    return false;
}
