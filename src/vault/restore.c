/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/restore.h"

#include <assert.h>

#include "base/alloc.h"
#include "vault/code.h"
#include "vault/issued.h"
#include "vault/spelling.h"

/* Bytes behind the withheld ones that are looked at together with them: enough to decide all. */
#define RESTORE_AHEAD 64

/* What is remembered of the text before: a letter or digit, and Markdown marks. */
#define RESTORE_BEFORE SPELLING_MARKS

_Static_assert(SOTTO_RESTORE_HOLD >= SPELLING_MAX, "a spelling can be withheld whole");
_Static_assert(RESTORE_AHEAD > SPELLING_MAX, "a spelling and the byte after it can be seen");

enum restore_state {
    RESTORE_LIVE,
    RESTORE_DEAD,
};

struct sotto_restore {
    const struct sotto_vault *vault;
    enum restore_state state;
    unsigned types;         /* a bit for each type word issued */
    sotto_restore_put *put; /* NULL: put_value() */
    void *put_ctx;
    size_t in_at; /* bytes consumed; what is withheld is not */
    size_t before_len;
    uint8_t before[RESTORE_BEFORE]; /* the last bytes consumed */
    size_t held_len;
    uint8_t held[SOTTO_RESTORE_HOLD];
};

/* A text that directly follows what was consumed, and how far the work on it is. */
struct restore_text {
    sotto_span in;
    bool ends;     /* the stream ends with it */
    size_t at;     /* place looked at */
    size_t copied; /* everything before it was put out or replaced */
};

struct restore_hit {
    struct spelling spelling;
    sotto_span value;
};

/* ASCII only: other letters stand next to tokens where a script has no spaces. */
static bool is_alnum(uint8_t c)
{
    return code_symbol(c) != CODE_OTHER;
}

/* --- what a spelling stands for -------------------------------------------------------------- */

/* Whether one symbol may be wrong: all else is as issued, but for what stands before the code. */
static bool allows_slip(const struct spelling *s)
{
    return s->word_exact && s->code_capitals && !s->code_apart;
}

/* Whether another symbol at one place makes the beginning of an issued code. */
static bool prefix_but_one(const struct sotto_vault *vault, const struct spelling *s)
{
    uint8_t symbol[SOTTO_TOKEN_CODE_LEN];
    memcpy(symbol, s->symbol, sizeof(symbol));
    for (size_t i = 0; i < s->symbol_count; i++) {
        if (s->none_count != 0 && s->symbol[i] != CODE_NONE) {
            continue;
        }
        for (uint8_t other = 0; other < CODE_BASE; other++) {
            symbol[i] = other;
            if (vault_has_prefix(vault, s->type, s->symbol_count,
                                 code_pack(symbol, s->symbol_count))) {
                return true;
            }
        }
        symbol[i] = s->symbol[i];
    }
    return false;
}

/* Whether a spelling that the text cuts off can go on to one that is restored. */
static bool can_become(const struct sotto_vault *vault, const struct spelling *s, bool exact)
{
    if (!s->word_whole || s->symbol_count == 0) {
        return true;
    }
    if (s->none_count == 0 &&
        vault_has_prefix(vault, s->type, s->symbol_count, code_pack(s->symbol, s->symbol_count))) {
        return true;
    }
    return !exact && allows_slip(s) && prefix_but_one(vault, s);
}

/*
 * The issued code that differs in one symbol: at each place only one symbol makes the check
 * right, so there are at most nine to ask for.
 */
static bool find_but_one(const struct sotto_vault *vault, const struct spelling *s,
                         sotto_span *value)
{
    uint8_t symbol[SOTTO_TOKEN_CODE_LEN];
    size_t found = 0;
    memcpy(symbol, s->symbol, sizeof(symbol));
    for (size_t i = 0; i < SOTTO_TOKEN_CODE_LEN; i++) {
        if (s->none_count != 0 && s->symbol[i] != CODE_NONE) {
            continue;
        }
        symbol[i] = code_solve(symbol, i);
        found += vault_find(vault, s->type, code_pack(symbol, SOTTO_TOKEN_CODE_LEN), value);
        symbol[i] = s->symbol[i];
    }
    return found == 1;
}

/* What follows a spelling, where that counts: 0 when the stream ends there. */
static enum spelling_verdict next_byte(sotto_span text, size_t at, bool ends, uint8_t *next)
{
    *next = at < text.len ? text.base[at] : 0;
    return at < text.len || ends ? SPELLING_WHOLE : SPELLING_MORE;
}

/*
 * An issued code.  Written apart, it must be followed by the end of a word: else the last piece
 * may be the beginning of one, behind a token that was cut off.
 */
static enum spelling_verdict judge_issued(const struct spelling *s, sotto_span text, bool ends)
{
    uint8_t next;
    if (!s->code_apart) {
        return SPELLING_WHOLE;
    }
    enum spelling_verdict verdict = next_byte(text, s->len, ends, &next);
    return is_alnum(next) ? SPELLING_NO : verdict;
}

/* A further capital or digit makes the code a longer one, which is no token with a slip. */
static enum spelling_verdict judge_slip(const struct sotto_vault *vault, sotto_span text, bool ends,
                                        struct restore_hit *hit)
{
    const struct spelling *s = &hit->spelling;
    uint8_t next;
    if (!allows_slip(s) || (s->none_count == 0 && code_sum(s->symbol) == 0) ||
        !find_but_one(vault, s, &hit->value)) {
        return SPELLING_NO;
    }
    enum spelling_verdict verdict = next_byte(text, s->len, ends, &next);
    return is_alnum(next) && !(next >= 'a' && next <= 'z') ? SPELLING_NO : verdict;
}

/* Whether `text` begins with a stand-in that is no token; the longest one counts. */
static enum spelling_verdict judge_form(const struct sotto_restore *r, sotto_span text, bool inside,
                                        bool ends, struct restore_hit *hit)
{
    const struct form_tree *forms = vault_forms(r->vault);
    const struct form *form;
    if (forms == NULL || !forms->begins[text.base[0]]) {
        return SPELLING_NO;
    }
    enum spelling_verdict verdict = form_read(forms, text, inside, ends, &form, &hit->spelling);
    if (verdict == SPELLING_WHOLE) {
        hit->value = vault_form_value(r->vault, form);
    }
    return verdict;
}

/* Whether `text` begins with a token that is restored; `exact`: only as issued. */
static enum spelling_verdict judge(const struct sotto_restore *r, sotto_span text, bool exact,
                                   bool ends, struct restore_hit *hit)
{
    const struct spelling *s = &hit->spelling;
    enum spelling_verdict form = judge_form(r, text, exact, ends, hit);
    if (form != SPELLING_NO || (exact && text.base[0] > 'Z')) {
        return form;
    }
    switch (spelling_read(text, r->types, exact, &hit->spelling)) {
    case SPELLING_NO:
        return SPELLING_NO;
    case SPELLING_MORE:
        return !ends && can_become(r->vault, s, exact) ? SPELLING_MORE : SPELLING_NO;
    case SPELLING_WHOLE:
        break;
    }
    if (s->none_count == 0 &&
        vault_find(r->vault, s->type, code_pack(s->symbol, SOTTO_TOKEN_CODE_LEN), &hit->value)) {
        return judge_issued(s, text, ends);
    }
    return exact ? SPELLING_NO : judge_slip(r->vault, text, ends, hit);
}

/* --- going through a text -------------------------------------------------------------------- */

static bool alnum_before(const struct sotto_restore *r, const struct restore_text *t)
{
    if (t->at != 0) {
        return is_alnum(t->in.base[t->at - 1]);
    }
    return r->before_len != 0 && is_alnum(r->before[r->before_len - 1]);
}

/* Whether the text before the place looked at ends with `mark`. */
static bool ends_with(const struct sotto_restore *r, const struct restore_text *t, const char *mark,
                      size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t back = len - i; /* distance from the place looked at */
        uint8_t c = 0;
        if (back <= t->at) {
            c = t->in.base[t->at - back];
        } else if (back - t->at <= r->before_len) {
            c = r->before[r->before_len - (back - t->at)];
        }
        if (c != (uint8_t)mark[i]) {
            return false;
        }
    }
    return true;
}

/* The marks that the spelling held go to the side of the value where they belong. */
static void place_marks(const struct sotto_restore *r, const struct restore_text *t,
                        const struct spelling *s, struct sotto_restored *hit)
{
    size_t len = s->mark_count, half = len / 2;
    if (len == 0) {
        return;
    }
    if (ends_with(r, t, s->mark, len)) { /* opened before the word, closed inside */
        hit->after = sotto_span_init(s->mark, len);
        return;
    }
    if (len % 2 == 0 && memcmp(s->mark, s->mark + half, half) == 0 &&
        ends_with(r, t, s->mark, half)) { /* closed inside and opened again */
        return;
    }
    hit->before = sotto_span_init(s->mark, len);
}

static enum sotto_err put_value(const struct sotto_restored *hit, struct sotto_buf *out)
{
    enum sotto_err err = sotto_buf_append(out, hit->before);
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, hit->value);
    }
    return err == SOTTO_OK ? sotto_buf_append(out, hit->after) : err;
}

static enum sotto_err put_text(struct restore_text *t, struct sotto_buf *out)
{
    sotto_span text = sotto_span_sub(t->in, t->copied, t->at);
    t->copied = t->at;
    return sotto_buf_append(out, text);
}

static enum sotto_err replace(struct sotto_restore *r, struct restore_text *t,
                              const struct restore_hit *found, struct sotto_buf *out)
{
    enum sotto_err err = put_text(t, out);
    if (err != SOTTO_OK) {
        return err;
    }
    struct sotto_restored hit = {
        .in_at = r->in_at + t->at,
        .spelled = sotto_span_sub(t->in, t->at, t->at + found->spelling.len),
        .value = found->value,
    };
    place_marks(r, t, &found->spelling, &hit);
    err = r->put != NULL ? r->put(r->put_ctx, &hit, out) : put_value(&hit, out);
    t->at += found->spelling.len;
    t->copied = t->at;
    return err;
}

/* Moves to the next place before `limit` where a token may begin. */
static bool next_place(const struct sotto_restore *r, struct restore_text *t, size_t limit,
                       bool *exact)
{
    const uint8_t *base = t->in.base;
    const struct form_tree *forms = vault_forms(r->vault);
    for (; t->at < limit; t->at++) {
        uint8_t c = base[t->at];
        if (forms != NULL && forms->begins[c]) {
            *exact = alnum_before(r, t);
            return true;
        }
        if ((spelling_first[c] & r->types) == 0) {
            continue;
        }
        *exact = alnum_before(r, t);
        if (*exact && c > 'Z') {
            continue;
        }
        bool last = t->at + 1 == t->in.len;
        if (last ? !t->ends : spelling_begins(c, base[t->at + 1], r->types)) {
            return true;
        }
    }
    return false;
}

/* Goes on to `limit`, or to where a spelling is cut off by the end of the text (`*more`). */
static enum sotto_err run(struct sotto_restore *r, struct restore_text *t, size_t limit,
                          struct sotto_buf *out, bool *more)
{
    enum sotto_err err = SOTTO_OK;
    bool exact = false;
    *more = false;
    while (err == SOTTO_OK && !*more && next_place(r, t, limit, &exact)) {
        struct restore_hit hit;
        switch (judge(r, sotto_span_skip(t->in, t->at), exact, t->ends, &hit)) {
        case SPELLING_NO:
            t->at++;
            break;
        case SPELLING_MORE:
            *more = true;
            break;
        case SPELLING_WHOLE:
            err = replace(r, t, &hit, out);
            break;
        }
    }
    return err == SOTTO_OK ? put_text(t, out) : err;
}

/* Notes that the bytes before the place looked at are done. */
static void consume(struct sotto_restore *r, const struct restore_text *t)
{
    size_t n = t->at < RESTORE_BEFORE ? t->at : RESTORE_BEFORE;
    size_t keep = r->before_len < RESTORE_BEFORE - n ? r->before_len : RESTORE_BEFORE - n;
    memmove(r->before, r->before + r->before_len - keep, keep);
    memcpy(r->before + keep, t->in.base + t->at - n, n);
    r->before_len = keep + n;
    r->in_at += t->at;
}

static void hold(struct sotto_restore *r, sotto_span text)
{
    assert(text.len <= SOTTO_RESTORE_HOLD);
    memcpy(r->held, text.base, text.len);
    r->held_len = text.len;
}

/* Decides about what is withheld, with the bytes that follow it; skips those it consumed. */
static enum sotto_err run_held(struct sotto_restore *r, sotto_span *chunk, struct sotto_buf *out)
{
    uint8_t window[SOTTO_RESTORE_HOLD + RESTORE_AHEAD];
    size_t held = r->held_len, take = chunk->len < RESTORE_AHEAD ? chunk->len : RESTORE_AHEAD;
    memcpy(window, r->held, held);
    memcpy(window + held, chunk->base, take);

    struct restore_text t = {.in = sotto_span_init(window, held + take)};
    bool more;
    enum sotto_err err = run(r, &t, held, out, &more);
    if (err == SOTTO_OK) {
        consume(r, &t);
        if (more) { /* then the window has the whole chunk */
            hold(r, sotto_span_skip(t.in, t.at));
            *chunk = sotto_span_skip(*chunk, take);
        } else {
            r->held_len = 0;
            *chunk = sotto_span_skip(*chunk, t.at - held);
        }
    }
    sotto_wipe(window, sizeof(window));
    return err;
}

static enum sotto_err run_chunk(struct sotto_restore *r, sotto_span chunk, struct sotto_buf *out)
{
    struct restore_text t = {.in = chunk};
    bool more;
    enum sotto_err err = run(r, &t, chunk.len, out, &more);
    if (err == SOTTO_OK) {
        consume(r, &t);
        hold(r, sotto_span_skip(chunk, t.at));
    }
    return err;
}

/* Ends every public call: on failure takes back what the call wrote and kills the restorer. */
static enum sotto_err settle(struct sotto_restore *r, struct sotto_buf *out, size_t start,
                             enum sotto_err err)
{
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, start);
        r->state = RESTORE_DEAD;
    }
    return err;
}

enum sotto_err sotto_restore_new(const struct sotto_vault *vault, struct sotto_restore **out)
{
    struct sotto_restore *r = sotto_calloc(1, sizeof(*r));
    if (r == NULL) {
        return SOTTO_ENOMEM;
    }
    r->vault = vault;
    r->types = vault_issued_types(vault);
    *out = r;
    return SOTTO_OK;
}

void sotto_restore_free(struct sotto_restore *r)
{
    sotto_free(r);
}

void sotto_restore_divert(struct sotto_restore *r, sotto_restore_put *put, void *ctx)
{
    r->put = put;
    r->put_ctx = ctx;
}

enum sotto_err sotto_restore_feed(struct sotto_restore *r, sotto_span chunk, struct sotto_buf *out)
{
    size_t start = out->len;
    if (r->state == RESTORE_DEAD) {
        return SOTTO_ESTATE;
    }
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && r->held_len != 0 && chunk.len != 0) {
        err = run_held(r, &chunk, out);
    }
    if (err == SOTTO_OK && chunk.len != 0) {
        err = run_chunk(r, chunk, out);
    }
    return settle(r, out, start, err);
}

enum sotto_err sotto_restore_end(struct sotto_restore *r, struct sotto_buf *out)
{
    size_t start = out->len;
    if (r->state == RESTORE_DEAD) {
        return SOTTO_ESTATE;
    }
    struct restore_text t = {.in = sotto_span_init(r->held, r->held_len), .ends = true};
    bool more;
    enum sotto_err err = run(r, &t, t.in.len, out, &more);
    err = settle(r, out, start, err);
    r->held_len = 0;
    r->state = RESTORE_DEAD;
    return err;
}

size_t sotto_restore_held(const struct sotto_restore *r)
{
    return r->held_len;
}
