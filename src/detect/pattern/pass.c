/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The pass over a window.  The text is taken in blocks of bit masks (block.h), so that a word costs
 * a few instructions: find its ends, hash it in two multiplications, ask one bit whether it calls
 * for a recognizer.  Only runs with a digit, words that call, '@' and a few signs behind a word lead
 * further.  Runs with bytes beyond ASCII are read character by character.
 */

#include "base/compiler.h"
#include "detect/pattern/block.h"
#include "detect/pattern/recognizers.h"

#define PASS_RUN_MAX  64                 /* longer runs are skipped, but for their beginning */
#define PASS_WIDE_MAX (4 * PASS_RUN_MAX) /* the same in bytes, hidden characters counted */

_Static_assert(SCAN_WORD_MAX < PASS_RUN_MAX, "words are runs");

/* A run of letters, digits and marks. */
struct run {
    size_t start;
    size_t end; /* where it ends, or where reading stopped */
    size_t len; /* bytes, or characters of a wide one; over PASS_RUN_MAX: it goes on */
    bool digits;
};

struct pass {
    struct scan *s;
    size_t from;
    size_t to;
    struct block block;
};

/* Signs behind a word that may make it the beginning of something. */
enum pass_sign {
    SIGN_NONE,
    SIGN_DOT,
    SIGN_COLON,
    SIGN_DASH,
    SIGN_ASSIGN,
    SIGN_LESS,
};

static enum pass_sign sign_of(uint8_t b)
{
    static const uint8_t signs[256] = {
        ['.'] = SIGN_DOT,    [':'] = SIGN_COLON,   ['-'] = SIGN_DASH, ['='] = SIGN_ASSIGN,
        ['"'] = SIGN_ASSIGN, ['\''] = SIGN_ASSIGN, ['<'] = SIGN_LESS,
    };
    return (enum pass_sign)signs[b];
}

static void ask_word(struct scan *s, const struct token *t)
{
    uint32_t roles = t->word->roles;
    if ((roles & ROLE_MONTH) != 0) {
        recognize_month(s, t);
    }
    if ((roles & ROLE_STREET_FIRST) != 0) {
        recognize_street(s, t);
    }
    if ((roles & ROLE_ADDRESS) != 0) {
        recognize_address_label(s, t);
    }
    if ((roles & ROLE_BOX) != 0) {
        recognize_box(s, t);
    }
    if ((roles & ROLE_SECRET) != 0) {
        recognize_secret_label(s, t);
    }
    if ((roles & ROLE_SECRET_HEAD) != 0) {
        recognize_secret_head(s, t->start);
    }
    if ((roles & ROLE_TENS) != 0) {
        recognize_age_words(s, t);
    }
    if ((roles & ROLE_USER) != 0) {
        recognize_user(s, t);
    }
    if ((roles & ROLE_CODE) != 0) {
        recognize_pem(s, t);
    }
}

/* "userPassword=": the last part of a name in code may be the label. */
static void ask_camel(struct scan *s, const struct run *run)
{
    for (size_t i = run->end - 1; i > run->start && run->end - i < SCAN_WORD_MAX; i--) {
        struct token t;
        if (!is_upper(s->text.base[i]) || !is_lower(s->text.base[i - 1])) {
            continue;
        }
        if (scan_word(s, i, &t) && token_has(&t, ROLE_SECRET)) {
            recognize_secret_label(s, &t);
        }
        return;
    }
}

static void ask_sign(struct scan *s, const struct run *run, enum pass_sign sign)
{
    uint8_t behind = scan_byte_at(s, run->end + 1);
    switch (sign) {
    case SIGN_NONE:
        return;
    case SIGN_DOT:
        if (is_alnum(behind) || behind >= 0x80) {
            recognize_host(s, run->start);
            recognize_hex(s, run->start, run->end);
        }
        return;
    case SIGN_COLON:
        if (behind == '/' && scan_byte_at(s, run->end + 2) == '/') {
            recognize_url(s, run->end);
            return;
        }
        recognize_hex(s, run->start, run->end);
        ask_camel(s, run);
        return;
    case SIGN_DASH:
        recognize_hex(s, run->start, run->end);
        return;
    case SIGN_ASSIGN:
        ask_camel(s, run);
        return;
    case SIGN_LESS:
        recognize_mrz(s, run->start);
        return;
    }
}

static void ask_long(struct scan *s, const struct run *run)
{
    if (run->len >= 16) {
        recognize_long(s, run->start, run->end);
    }
}

/* A run with a digit. */
static void ask_number(struct scan *s, const struct run *run)
{
    recognize_number(s, run->start);
    ask_long(s, run);
    uint8_t next = scan_byte_at(s, run->end);
    if ((next == '_' || next == '.') && is_alnum(scan_byte_at(s, run->end + 1))) {
        recognize_secret_head(s, run->start);
    }
    ask_sign(s, run, sign_of(next));
}

/* A word that is not plain ASCII, or longer than the fast way takes. */
static void ask_slowly(struct scan *s, const struct run *run)
{
    struct token t;
    if (run->digits) {
        ask_number(s, run);
        return;
    }
    if (run->len <= SCAN_WORD_MAX && scan_word(s, run->start, &t) && token_has(&t, ROLES_CALLING)) {
        ask_word(s, &t);
    }
    ask_long(s, run);
    ask_sign(s, run, sign_of(scan_byte_at(s, run->end)));
}

/* Loads the block of byte `at` and asks about its '@'s. */
static void load(struct pass *p, size_t at)
{
    block_read(&p->block, p->s->text, at);
    for (uint64_t mail = p->block.mail; mail != 0; mail &= mail - 1) {
        size_t sign = p->block.at + SOTTO_CTZ64(mail);
        if (sign >= p->from && sign < p->to) {
            recognize_email(p->s, sign);
        }
    }
}

/* Behind the bytes of words from `at` on; stops soon behind `limit`. */
static size_t word_end(struct pass *p, size_t at, size_t limit, uint64_t *digit, uint64_t *high)
{
    for (;;) {
        size_t shift = at - p->block.at;
        uint64_t gap = ~(p->block.word >> shift);
        unsigned n = gap != 0 ? SOTTO_CTZ64(gap) : BLOCK_BYTES;
        uint64_t mask = n < BLOCK_BYTES ? ((uint64_t)1 << n) - 1 : UINT64_MAX;
        *digit |= p->block.digit >> shift & mask;
        *high |= p->block.high >> shift & mask;
        at += n;
        if (shift + n < BLOCK_BYTES || at >= limit || at >= p->s->text.len) {
            return at;
        }
        load(p, at);
    }
}

/* Whether the run of at most 16 ASCII letters may be a word that calls. */
static inline bool may_call(const struct scan *s, size_t start, size_t len)
{
    uint64_t piece[2];
    if (s->text.len - start >= 16) {
        block_fold(s->text.base + start, len, piece);
    } else {
        uint8_t bytes[16] = {0};
        memcpy(bytes, s->text.base + start, len);
        block_fold(bytes, len, piece);
    }
    return words_may_call(s->words, words_mix(piece[0], piece[1]));
}

/* A word of at most 16 ASCII letters: most words of most texts. */
static inline void ask_letters(struct scan *s, size_t start, size_t len)
{
    uint8_t next = scan_byte_at(s, start + len);
    enum pass_sign sign = sign_of(next);
    if (next == ' ' && scan_byte_at(s, start + len + 1) == '=') {
        sign = SIGN_ASSIGN;
    }
    bool calls = may_call(s, start, len);
    if (!calls && sign == SIGN_NONE && len < 16) {
        return;
    }
    struct run run = {start, start + len, len, false};
    if (calls || len == 16) {
        ask_slowly(s, &run);
    } else {
        ask_sign(s, &run, sign);
    }
}

/* Reads one run out of bytes that are not all ASCII.  False when there is none: then nothing begins
 * before out->end. */
static bool read_wide(struct scan *s, size_t at, size_t end, struct run *out)
{
    size_t start = at;
    *out = (struct run){.start = at, .end = at};
    while (at < end && out->len <= PASS_RUN_MAX && at - start < PASS_WIDE_MAX) {
        uint32_t c = sotto_utf8_next(s->text, &at);
        unsigned classes = sotto_char_classes(c);
        s->steps++;
        if ((classes & (SOTTO_CHAR_WORD | SOTTO_CHAR_HIDDEN)) == 0) {
            break;
        }
        if ((classes & SOTTO_CHAR_HIDDEN) == 0) {
            out->end = at;
            out->len += (classes & SOTTO_CHAR_MARK) == 0 ? 1 : 0;
            out->digits = out->digits || (classes & SOTTO_CHAR_DIGIT) != 0;
        }
    }
    if (out->len == 0) {
        out->end = at;
    }
    return out->len > 0;
}

/* Behind the rest of a run whose beginning was read. */
static size_t skip_wide(struct scan *s, size_t at, size_t end)
{
    while (at < end) {
        size_t next = at;
        uint32_t c = sotto_utf8_next(s->text, &next);
        s->steps++;
        if ((sotto_char_classes(c) & (SOTTO_CHAR_WORD | SOTTO_CHAR_HIDDEN)) == 0) {
            break;
        }
        at = next;
    }
    return at;
}

/* Bytes [at, end) of words and other characters beyond ASCII. */
static void pass_wide(struct scan *s, size_t at, size_t end)
{
    while (at < end) {
        struct run run;
        if (!read_wide(s, at, end, &run)) {
            at = run.end;
            continue;
        }
        ask_slowly(s, &run);
        bool goes_on = run.len > PASS_RUN_MAX || run.end - run.start + 4 > PASS_WIDE_MAX;
        at = goes_on ? skip_wide(s, run.end, end) : run.end;
    }
}

/* A run may begin before the window's first byte: then it belongs to another window. */
static size_t first_start(struct scan *s, size_t from, size_t to)
{
    return from > 0 && !scan_left_free(s, from) ? skip_wide(s, from, to) : from;
}

/* A run that has digits or bytes beyond ASCII, is long, or goes on in the next block. */
static size_t pass_run(struct pass *p, size_t at)
{
    struct scan *s = p->s;
    uint64_t digit = 0, high = 0;
    size_t end = word_end(p, at, at + PASS_RUN_MAX + 1, &digit, &high);
    bool goes_on = end - at > PASS_RUN_MAX;
    if (goes_on) {
        end = word_end(p, end - 1, p->to, &digit, &high);
    }
    end = end < s->text.len ? end : s->text.len;
    s->steps += end - at;
    if (high != 0) {
        pass_wide(s, at, end);
    } else {
        struct run run = {at, goes_on ? at + PASS_RUN_MAX + 1 : end,
                          goes_on ? PASS_RUN_MAX + 1 : end - at, digit != 0};
        ask_slowly(s, &run);
    }
    return end;
}

/* The words of the loaded block from `at` on; returns where to go on. */
static size_t pass_block(struct pass *p, size_t at)
{
    struct scan *s = p->s;
    size_t base = p->block.at;
    uint64_t special = p->block.digit | p->block.high;
    uint64_t word = p->block.word & UINT64_MAX << (at - base);
    while (word != 0) {
        /* Adding its lowest bit to a run of ones clears it and sets the bit behind it. */
        uint64_t low = word & (~word + 1);
        uint64_t sum = word + low;
        size_t start = base + SOTTO_CTZ64(low);
        if (start >= p->to) {
            return start;
        }
        if (sum < word || (word & ~sum & special) != 0) {
            return pass_run(p, start);
        }
        size_t len = base + SOTTO_CTZ64(sum & ~word) - start;
        if (len > 16) {
            return pass_run(p, start);
        }
        s->steps += len;
        ask_letters(s, start, len);
        word &= sum;
    }
    return base + BLOCK_BYTES;
}

void pattern_pass(struct scan *s, size_t from, size_t to)
{
    struct pass p = {.s = s, .from = from, .to = to};
    if (from >= to) {
        return;
    }
    load(&p, from);
    size_t at = first_start(s, from, to);
    while (at < to) {
        if (at - p.block.at >= BLOCK_BYTES) {
            load(&p, at);
        }
        at = pass_block(&p, at);
    }
}
