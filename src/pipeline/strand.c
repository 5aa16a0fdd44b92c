/* SPDX-License-Identifier: Apache-2.0 */

#include "pipeline/strand.h"

#include "base/alloc.h"
#include "vault/restore.h"
#include "json/json.h"

/* Shifts remembered for offsets; later ones are of no account. */
#define STRAND_MAX_SHIFTS 4096

/* JSON in a string is worked off in pieces of so many bytes. */
#define STRAND_PIECE 4096

/* Longest escape that may be cut off: all of "\uXXXX" but its last digit. */
#define STRAND_ESCAPE_LEN 6

/* Stands for what no token has: half of a surrogate pair. */
#define STRAND_OPAQUE 0xff

/* Whether a text is a JSON document, told by how it begins. */
enum strand_json {
    STRAND_BLANK,  /* white space so far */
    STRAND_OPENED, /* and a bracket or brace, and white space */
    STRAND_PROSE,
    STRAND_DOCUMENT,
};

/* A token that was restored, in code points. */
struct strand_shift {
    size_t in_at;
    size_t in_len;
    size_t out_at;
    size_t out_len;
};

struct strand {
    enum strand_kind kind;
    bool dead; /* a call failed */
    struct sotto_restore *restore;

    /* STRAND_TEXT */
    enum strand_json json;
    uint8_t opener;    /* of STRAND_OPENED */
    bool in_string;    /* of STRAND_DOCUMENT */
    bool after_escape; /* a backslash stands before */
    size_t noted;      /* length of the output that the fields above and below take account of */
    size_t in_chars;
    size_t out_chars;
    struct sotto_buf shifts; /* struct strand_shift */
    strand_seen *seen;       /* NULL: nobody watches */
    void *seen_ctx;

    /* STRAND_JSON */
    struct sotto_buf raw;   /* text as it came, not yet put out */
    struct sotto_buf plain; /* what the piece at hand means */
    struct sotto_buf ends;  /* uint32_t: for each byte meant and not put out, its end in `raw` */
    struct sotto_buf sink;  /* the restorer's own output, of no use here */
    struct sotto_buf *out;  /* of the call at hand */
    size_t in_base;         /* place in the stream of the first of `ends` */
    size_t raw_done;        /* bytes of `raw` that the call at hand has put out */
};

/* --- text ------------------------------------------------------------------------------------ */

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void note_json(struct strand *s, uint8_t c)
{
    switch (s->json) {
    case STRAND_BLANK:
        if (c == '{' || c == '[') {
            s->opener = c;
            s->json = STRAND_OPENED;
        } else if (!is_space(c)) {
            s->json = STRAND_PROSE;
        }
        break;
    case STRAND_OPENED:
        if (c == '"' || (s->opener == '[' && (c == '{' || c == '['))) {
            s->json = STRAND_DOCUMENT;
            s->in_string = c == '"';
        } else if (!is_space(c)) {
            s->json = STRAND_PROSE;
        }
        break;
    case STRAND_DOCUMENT:
        if (s->after_escape) {
            s->after_escape = false;
        } else if (c == '"') {
            s->in_string = !s->in_string;
        } else {
            s->after_escape = c == '\\' && s->in_string;
        }
        break;
    case STRAND_PROSE:
        break;
    }
}

static size_t count_chars(sotto_span text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += (text.base[i] & 0xc0) != 0x80;
    }
    return count;
}

/* Takes account of text that passed unchanged. */
static void note_output(struct strand *s, const struct sotto_buf *out)
{
    sotto_span passed = sotto_span_skip(sotto_buf_span(out), s->noted);
    size_t chars = count_chars(passed);
    for (size_t i = 0; i < passed.len && s->json != STRAND_PROSE; i++) {
        note_json(s, passed.base[i]);
    }
    s->in_chars += chars;
    s->out_chars += chars;
    s->noted = out->len;
}

/* Whether a value can stand in a JSON string as it is, as one that was found in JSON text can. */
static bool fits_string(sotto_span value)
{
    static const char escapes[] = {'"', '\\', '/', 'b', 'f', 'n', 'r', 't', 'u'};
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.base[i];
        if (c < 0x20 || c == '"') {
            return false;
        }
        if (c == '\\') {
            i++;
            if (i == value.len || memchr(escapes, value.base[i], sizeof(escapes)) == NULL) {
                return false;
            }
        }
    }
    return true;
}

static enum sotto_err note_shift(struct strand *s, sotto_span spelled, sotto_span put)
{
    struct strand_shift shift = {s->in_chars, count_chars(spelled), s->out_chars, count_chars(put)};
    s->in_chars += shift.in_len;
    s->out_chars += shift.out_len;
    if (s->shifts.len / sizeof(shift) == STRAND_MAX_SHIFTS) {
        return SOTTO_OK;
    }
    return sotto_buf_append(&s->shifts, sotto_span_init(&shift, sizeof(shift)));
}

static enum sotto_err put_text(void *ctx, const struct sotto_restored *hit, struct sotto_buf *out)
{
    struct strand *s = ctx;
    note_output(s, out);
    bool quote = s->json == STRAND_DOCUMENT && s->in_string && !fits_string(hit->value);
    size_t mark = out->len;
    enum sotto_err err = sotto_buf_append(out, hit->before);
    if (err == SOTTO_OK) {
        err = quote ? sotto_json_quote(hit->value, false, out) : sotto_buf_append(out, hit->value);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, hit->after);
    }
    sotto_span put = sotto_span_skip(sotto_buf_span(out), mark);
    if (err == SOTTO_OK) {
        err = note_shift(s, hit->spelled, put);
    }
    if (err == SOTTO_OK && s->seen != NULL) {
        err = s->seen(s->seen_ctx, hit->in_at, hit->spelled.len, put);
    }
    if (s->json == STRAND_BLANK || s->json == STRAND_OPENED) {
        s->json = STRAND_PROSE;
    }
    s->noted = out->len;
    return err;
}

static enum sotto_err feed_text(struct strand *s, sotto_span in, bool ends, struct sotto_buf *out)
{
    size_t mark = out->len;
    s->noted = mark;
    enum sotto_err err = sotto_restore_feed(s->restore, in, out);
    if (err == SOTTO_OK && ends) {
        err = sotto_restore_end(s->restore, out);
    }
    if (err == SOTTO_OK) {
        note_output(s, out);
    } else {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

/* --- JSON in a string ------------------------------------------------------------------------ */

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The meaning of a character of the Basic Multilingual Plane, or of half of a pair. */
static size_t put_char(unsigned c, uint8_t out[3])
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c >= 0xd800 && c < 0xe000) {
        out[0] = STRAND_OPAQUE;
        return 1;
    }
    out[0] = (uint8_t)(0xe0 | c >> 12);
    out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    out[2] = (uint8_t)(0x80 | (c & 0x3f));
    return 3;
}

/* The hexadecimal escape at `in`, which begins with "\u"; as read_escape(). */
static size_t read_hex(sotto_span in, uint8_t *out, size_t *out_len)
{
    unsigned c = 0;
    for (size_t i = 2; i < STRAND_ESCAPE_LEN; i++) {
        if (i == in.len) {
            return 0;
        }
        int digit = hex_value(in.base[i]);
        if (digit < 0) {
            out[0] = '\\';
            *out_len = 1;
            return 1;
        }
        c = c << 4 | (unsigned)digit;
    }
    *out_len = put_char(c, out);
    return STRAND_ESCAPE_LEN;
}

/*
 * What the escape at `in` means; a backslash that begins none is itself.  Returns how many bytes
 * it takes, 0 when it is cut off.
 */
static size_t read_escape(sotto_span in, uint8_t out[3], size_t *out_len)
{
    static const char names[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    if (in.len == 1) {
        return 0;
    }
    if (in.base[1] == 'u') {
        return read_hex(in, out, out_len);
    }
    const char *name = memchr(names, in.base[1], sizeof(names) - 1);
    *out_len = 1;
    out[0] = name != NULL ? (uint8_t)meant[name - names] : '\\';
    return name != NULL ? 2 : 1;
}

/* The end in s->raw of byte number `i` of those meant and not put out. */
static size_t raw_end(const struct strand *s, size_t i)
{
    uint32_t end;
    memcpy(&end, s->ends.base + i * sizeof(end), sizeof(end));
    return end;
}

/* Notes `n` bytes that an escape means, which ends at `end`. */
static enum sotto_err mean(struct strand *s, const uint8_t *bytes, size_t n, size_t end)
{
    uint32_t ends[3] = {(uint32_t)end, (uint32_t)end, (uint32_t)end};
    enum sotto_err err = sotto_buf_append(&s->plain, sotto_span_init(bytes, n));
    return err == SOTTO_OK ? sotto_buf_append(&s->ends, sotto_span_init(ends, n * sizeof(*ends)))
                           : err;
}

/* Notes bytes that mean themselves, which begin at `at`. */
static enum sotto_err mean_same(struct strand *s, sotto_span bytes, size_t at)
{
    uint8_t *ends = NULL;
    enum sotto_err err = sotto_buf_append(&s->plain, bytes);
    if (err == SOTTO_OK) {
        err = sotto_buf_extend(&s->ends, bytes.len * sizeof(uint32_t), &ends);
    }
    for (size_t i = 0; i < bytes.len && err == SOTTO_OK; i++) {
        uint32_t end = (uint32_t)(at + i + 1);
        memcpy(ends + i * sizeof(end), &end, sizeof(end));
    }
    return err;
}

/* Fills s->plain with the meaning of s->raw from `at` on, but for an escape that is cut off. */
static enum sotto_err decode(struct strand *s, size_t at, bool ends)
{
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && at < s->raw.len) {
        sotto_span rest = sotto_span_skip(sotto_buf_span(&s->raw), at);
        const uint8_t *escape = memchr(rest.base, '\\', rest.len);
        if (escape != rest.base) {
            size_t run = escape != NULL ? (size_t)(escape - rest.base) : rest.len;
            err = mean_same(s, sotto_span_sub(rest, 0, run), at);
            at += run;
            continue;
        }
        uint8_t meant[3] = {'\\'};
        size_t n = 1, used = read_escape(rest, meant, &n);
        if (used == 0 && !ends) {
            break;
        }
        if (used == 0) { /* nothing more comes: the backslash is itself */
            meant[0] = '\\';
            used = n = 1;
        }
        at += used;
        err = mean(s, meant, n, at);
    }
    return err;
}

/* Puts out the text as it came, up to byte number `i` of those meant. */
static enum sotto_err put_raw(struct strand *s, size_t i)
{
    size_t end = i != 0 ? raw_end(s, i - 1) : 0;
    if (end <= s->raw_done) {
        return SOTTO_OK;
    }
    sotto_span raw = sotto_span_sub(sotto_buf_span(&s->raw), s->raw_done, end);
    s->raw_done = end;
    return sotto_buf_append(s->out, raw);
}

static enum sotto_err put_quoted(void *ctx, const struct sotto_restored *hit,
                                 struct sotto_buf *sink)
{
    struct strand *s = ctx;
    size_t at = hit->in_at - s->in_base;
    (void)sink;
    enum sotto_err err = put_raw(s, at);
    if (err != SOTTO_OK || (err = sotto_json_quote(hit->before, false, s->out)) != SOTTO_OK ||
        (err = sotto_json_quote(hit->value, false, s->out)) != SOTTO_OK ||
        (err = sotto_json_quote(hit->after, false, s->out)) != SOTTO_OK) {
        return err;
    }
    s->raw_done = raw_end(s, at + hit->spelled.len - 1);
    return SOTTO_OK;
}

/* Forgets what was put out. */
static void drop_done(struct strand *s, size_t done)
{
    size_t raw = done != 0 ? raw_end(s, done - 1) : 0;
    sotto_buf_consume(&s->raw, raw);
    sotto_buf_consume(&s->ends, done * sizeof(uint32_t));
    for (size_t i = 0; i < s->ends.len / sizeof(uint32_t); i++) {
        uint32_t end = (uint32_t)(raw_end(s, i) - raw);
        memcpy(s->ends.base + i * sizeof(end), &end, sizeof(end));
    }
    s->in_base += done;
    s->raw_done = 0;
    sotto_buf_truncate(&s->plain, 0);
    sotto_buf_truncate(&s->sink, 0);
}

static enum sotto_err feed_piece(struct strand *s, sotto_span in, bool ends)
{
    size_t count = s->ends.len / sizeof(uint32_t);
    size_t decoded = count != 0 ? raw_end(s, count - 1) : 0;
    enum sotto_err err = sotto_buf_append(&s->raw, in);
    if (err != SOTTO_OK || (err = decode(s, decoded, ends)) != SOTTO_OK ||
        (err = sotto_restore_feed(s->restore, sotto_buf_span(&s->plain), &s->sink)) != SOTTO_OK ||
        (ends && (err = sotto_restore_end(s->restore, &s->sink)) != SOTTO_OK)) {
        return err;
    }
    count = s->ends.len / sizeof(uint32_t) - sotto_restore_held(s->restore);
    err = put_raw(s, count);
    drop_done(s, count);
    return err;
}

/* In pieces, since four bytes are kept for each byte at hand. */
static enum sotto_err feed_json(struct strand *s, sotto_span in, bool ends, struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err;
    s->out = out;
    do {
        size_t n = in.len < STRAND_PIECE ? in.len : STRAND_PIECE;
        err = feed_piece(s, sotto_span_sub(in, 0, n), ends && n == in.len);
        in = sotto_span_skip(in, n);
    } while (err == SOTTO_OK && in.len != 0);
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

/* --- both ------------------------------------------------------------------------------------ */

enum sotto_err strand_new(const struct sotto_vault *vault, enum strand_kind kind,
                          struct strand **out)
{
    struct strand *s = sotto_calloc(1, sizeof(*s));
    if (s == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = sotto_restore_new(vault, &s->restore);
    if (err != SOTTO_OK) {
        sotto_free(s);
        return err;
    }
    s->kind = kind;
    sotto_buf_init(&s->shifts, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&s->raw, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&s->plain, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&s->ends, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&s->sink, SOTTO_BUF_UNBOUNDED);
    sotto_restore_divert(s->restore, kind == STRAND_TEXT ? put_text : put_quoted, s);
    *out = s;
    return SOTTO_OK;
}

void strand_free(struct strand *s)
{
    if (s != NULL) {
        sotto_restore_free(s->restore);
        sotto_buf_free(&s->shifts);
        sotto_buf_free(&s->raw);
        sotto_buf_free(&s->plain);
        sotto_buf_free(&s->ends);
        sotto_buf_free(&s->sink);
        sotto_free(s);
    }
}

enum sotto_err strand_feed(struct strand *s, sotto_span in, bool ends, struct sotto_buf *out)
{
    if (s->dead) {
        return SOTTO_ESTATE;
    }
    enum sotto_err err =
        s->kind == STRAND_TEXT ? feed_text(s, in, ends, out) : feed_json(s, in, ends, out);
    s->dead = err != SOTTO_OK;
    return err;
}

bool strand_holds(const struct strand *s)
{
    return sotto_restore_held(s->restore) != 0 || s->raw.len != 0;
}

void strand_watch(struct strand *s, strand_seen *seen, void *ctx)
{
    s->seen = seen;
    s->seen_ctx = ctx;
}

size_t strand_held(const struct strand *s)
{
    return sotto_restore_held(s->restore);
}

size_t strand_place(const struct strand *s, size_t chars, bool end)
{
    size_t in_at = 0, out_at = 0; /* the end of the last shift before the place */
    for (size_t i = 0; i < s->shifts.len / sizeof(struct strand_shift); i++) {
        struct strand_shift shift;
        memcpy(&shift, s->shifts.base + i * sizeof(shift), sizeof(shift));
        if (chars <= shift.in_at) {
            break;
        }
        if (chars < shift.in_at + shift.in_len) {
            return end ? shift.out_at + shift.out_len : shift.out_at;
        }
        in_at = shift.in_at + shift.in_len;
        out_at = shift.out_at + shift.out_len;
    }
    return out_at + (chars - in_at);
}
