/* SPDX-License-Identifier: Apache-2.0 */

#include "pipeline/logprobs.h"

#include "base/alloc.h"
#include "pipeline/strand.h"
#include "text/utf8.h"

/* An entry and the stretch of the text that it spells. */
struct logprobs_entry {
    yyjson_mut_val *val;
    size_t start;
    size_t end;
};

/* A token that is restored: the stretch it takes, and what stands for it in `texts`. */
struct logprobs_hit {
    size_t start;
    size_t end;
    size_t text_at;
    size_t text_len;
};

struct logprobs {
    struct strand *strand;
    yyjson_mut_doc *kept;     /* owns the entries that are withheld; NULL: none */
    struct sotto_buf entries; /* struct logprobs_entry, not put out yet */
    struct sotto_buf hits;    /* struct logprobs_hit, not put out yet */
    struct sotto_buf texts;   /* of the hits */
    struct sotto_buf spelled; /* of the entries, from `base` on */
    size_t base;              /* place in the text */
    size_t fed;
    struct sotto_buf sink; /* what is restored, known already from the hits */
};

static size_t entry_count(const struct logprobs *l)
{
    return l->entries.len / sizeof(struct logprobs_entry);
}

static struct logprobs_entry entry_at(const struct logprobs *l, size_t i)
{
    struct logprobs_entry entry;
    memcpy(&entry, l->entries.base + i * sizeof(entry), sizeof(entry));
    return entry;
}

static size_t hit_count(const struct logprobs *l)
{
    return l->hits.len / sizeof(struct logprobs_hit);
}

static struct logprobs_hit hit_at(const struct logprobs *l, size_t i)
{
    struct logprobs_hit hit;
    memcpy(&hit, l->hits.base + i * sizeof(hit), sizeof(hit));
    return hit;
}

/* --- reading --------------------------------------------------------------------------------- */

static enum sotto_err note_hit(void *ctx, size_t in_at, size_t in_len, sotto_span text)
{
    struct logprobs *l = ctx;
    struct logprobs_hit noted = {in_at, in_at + in_len, l->texts.len, text.len};
    enum sotto_err err = sotto_buf_append(&l->texts, text);
    return err == SOTTO_OK ? sotto_buf_append(&l->hits, sotto_span_init(&noted, sizeof(noted)))
                           : err;
}

/* Appends the bytes an entry stands for: its `bytes`, else its `token`. */
static enum sotto_err append_bytes(yyjson_mut_val *val, struct sotto_buf *out)
{
    yyjson_mut_val *bytes = sotto_json_get(val, "bytes"), *byte;
    size_t i, n, mark = out->len;
    if (!yyjson_mut_is_arr(bytes)) {
        return sotto_buf_append(out, sotto_json_text(sotto_json_get(val, "token")));
    }
    yyjson_mut_arr_foreach(bytes, i, n, byte)
    {
        int64_t number = -1;
        if (sotto_json_int(byte, &number) != SOTTO_OK || number < 0 || number > 255) {
            sotto_buf_truncate(out, mark);
            return sotto_buf_append(out, sotto_json_text(sotto_json_get(val, "token")));
        }
        enum sotto_err err = sotto_buf_push(out, (uint8_t)number);
        if (err != SOTTO_OK) {
            return err;
        }
    }
    return SOTTO_OK;
}

/* Takes all entries of the list in. */
static enum sotto_err read_list(struct logprobs *l, yyjson_mut_val *list)
{
    size_t i, n;
    yyjson_mut_val *val;
    yyjson_mut_arr_foreach(list, i, n, val)
    {
        size_t mark = l->spelled.len;
        struct logprobs_entry entry = {val, l->fed, 0};
        enum sotto_err err = append_bytes(val, &l->spelled);
        if (err == SOTTO_OK) {
            sotto_span bytes = sotto_span_skip(sotto_buf_span(&l->spelled), mark);
            l->fed += bytes.len;
            err = strand_feed(l->strand, bytes, false, &l->sink);
        }
        entry.end = l->fed;
        if (err == SOTTO_OK) {
            err = sotto_buf_append(&l->entries, sotto_span_init(&entry, sizeof(entry)));
        }
        if (err != SOTTO_OK) {
            return err;
        }
        sotto_buf_truncate(&l->sink, 0);
    }
    return SOTTO_OK;
}

/* --- writing --------------------------------------------------------------------------------- */

static bool overlap(struct logprobs_entry entry, struct logprobs_hit hit)
{
    return entry.start < hit.end && hit.start < entry.end;
}

/*
 * How many entries from `first` on go together, because tokens span them, and how many tokens
 * they have from number `hit` on.  0: the last of them is not there yet.
 */
static size_t group_len(const struct logprobs *l, size_t first, size_t hit, size_t released,
                        size_t *hits)
{
    size_t count = 0, total = entry_count(l);
    bool joined = true; /* the next entry belongs to the group */
    *hits = 0;
    while (joined && first + count < total) {
        struct logprobs_entry entry = entry_at(l, first + count);
        if (entry.end > released) {
            return 0;
        }
        count++;
        joined = false;
        while (hit + *hits < hit_count(l) && overlap(entry, hit_at(l, hit + *hits))) {
            if (hit_at(l, hit + *hits).end > entry.end) {
                joined = true; /* this token goes on in the next entry */
                break;
            }
            ++*hits;
        }
    }
    return joined ? 0 : count;
}

/* Appends what a group spells after restoring. */
static enum sotto_err group_text(const struct logprobs *l, size_t first, size_t count, size_t hit,
                                 size_t hits, struct sotto_buf *out)
{
    sotto_span spelled = sotto_buf_span(&l->spelled), texts = sotto_buf_span(&l->texts);
    size_t at = entry_at(l, first).start;
    enum sotto_err err = SOTTO_OK;
    for (size_t i = hit; i < hit + hits && err == SOTTO_OK; i++) {
        struct logprobs_hit h = hit_at(l, i);
        err = sotto_buf_append(out, sotto_span_sub(spelled, at - l->base, h.start - l->base));
        if (err == SOTTO_OK) {
            err = sotto_buf_append(out, sotto_span_sub(texts, h.text_at, h.text_at + h.text_len));
        }
        at = h.end;
    }
    size_t end = entry_at(l, first + count - 1).end;
    return err == SOTTO_OK
               ? sotto_buf_append(out, sotto_span_sub(spelled, at - l->base, end - l->base))
               : err;
}

/* Sets `token`; the beginning or end of a character alone becomes U+FFFD, as the models have it. */
static enum sotto_err set_token(yyjson_mut_doc *doc, yyjson_mut_val *val, sotto_span text)
{
    yyjson_mut_val *token = sotto_json_get(val, "token");
    if (!yyjson_mut_is_str(token)) {
        return SOTTO_OK;
    }
    if (sotto_utf8_valid(text, NULL)) {
        return sotto_json_set_text(doc, token, text);
    }
    struct sotto_buf lossy;
    sotto_buf_init(&lossy, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = SOTTO_OK;
    for (size_t at = 0; at < text.len && err == SOTTO_OK;) {
        uint8_t bytes[4];
        size_t n = sotto_utf8_put(sotto_utf8_next(text, &at), bytes);
        err = sotto_buf_append(&lossy, sotto_span_init(bytes, n));
    }
    if (err == SOTTO_OK) {
        err = sotto_json_set_text(doc, token, sotto_buf_span(&lossy));
    }
    sotto_buf_free(&lossy);
    return err;
}

static enum sotto_err set_bytes(yyjson_mut_doc *doc, yyjson_mut_val *val, sotto_span text)
{
    yyjson_mut_val *bytes = sotto_json_get(val, "bytes");
    if (!yyjson_mut_is_arr(bytes)) {
        return SOTTO_OK;
    }
    yyjson_mut_arr_clear(bytes);
    for (size_t i = 0; i < text.len; i++) {
        if (!yyjson_mut_arr_add_uint(doc, bytes, text.base[i])) {
            return SOTTO_ENOMEM;
        }
    }
    return SOTTO_OK;
}

/* The first entry of a group, copied into `doc`, made to stand for all. */
static enum sotto_err merge(const struct logprobs *l, yyjson_mut_doc *doc, size_t first,
                            size_t count, sotto_span text, yyjson_mut_val *val)
{
    double sum = 0, part = 0;
    bool known = true;
    for (size_t i = first; i < first + count; i++) {
        yyjson_mut_val *logprob = sotto_json_get(entry_at(l, i).val, "logprob");
        known = known && sotto_json_double(logprob, &part) == SOTTO_OK;
        sum += known ? part : 0;
    }
    if (known && count > 1) {
        yyjson_mut_set_real(sotto_json_get(val, "logprob"), sum);
    }
    yyjson_mut_arr_clear(sotto_json_get(val, "top_logprobs"));
    enum sotto_err err = set_token(doc, val, text);
    return err == SOTTO_OK ? set_bytes(doc, val, text) : err;
}

static enum sotto_err put_group(const struct logprobs *l, yyjson_mut_doc *doc, size_t first,
                                size_t count, size_t hit, size_t hits, yyjson_mut_val *list)
{
    struct sotto_buf text;
    yyjson_mut_val *val = yyjson_mut_val_mut_copy(doc, entry_at(l, first).val);
    enum sotto_err err = val != NULL && yyjson_mut_arr_append(list, val) ? SOTTO_OK : SOTTO_ENOMEM;
    if (err != SOTTO_OK || hits == 0) {
        return err;
    }
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    err = group_text(l, first, count, hit, hits, &text);
    if (err == SOTTO_OK) {
        err = merge(l, doc, first, count, sotto_buf_span(&text), val);
    }
    sotto_buf_free(&text);
    return err;
}

/* Copies the entries that are left into a document of their own and forgets the others. */
static enum sotto_err keep_rest(struct logprobs *l, size_t done, size_t done_hits)
{
    yyjson_mut_doc *kept = NULL;
    enum sotto_err err = SOTTO_OK;
    size_t left = entry_count(l) - done;
    if (left > LOGPROBS_MAX_HELD) {
        return SOTTO_ELIMIT;
    }
    if (left != 0 && (kept = sotto_json_new()) == NULL) {
        return SOTTO_ENOMEM;
    }
    sotto_buf_consume(&l->entries, done * sizeof(struct logprobs_entry));
    for (size_t i = 0; i < left && err == SOTTO_OK; i++) {
        struct logprobs_entry entry = entry_at(l, i);
        entry.val = yyjson_mut_val_mut_copy(kept, entry.val);
        err = entry.val != NULL ? SOTTO_OK : SOTTO_ENOMEM;
        memcpy(l->entries.base + i * sizeof(entry), &entry, sizeof(entry));
    }
    sotto_json_free(l->kept);
    l->kept = kept;
    sotto_buf_consume(&l->hits, done_hits * sizeof(struct logprobs_hit));
    if (l->hits.len == 0) {
        sotto_buf_truncate(&l->texts, 0);
    }
    size_t base = left != 0 ? entry_at(l, 0).start : l->fed;
    sotto_buf_consume(&l->spelled, base - l->base);
    l->base = base;
    return err;
}

/* Puts out what lies before the end of what is free. */
static enum sotto_err put_free(struct logprobs *l, yyjson_mut_doc *doc, yyjson_mut_val *list)
{
    size_t released = l->fed - strand_held(l->strand), done = 0, hit = 0;
    enum sotto_err err = SOTTO_OK;
    while (err == SOTTO_OK && done < entry_count(l)) {
        size_t hits, count = group_len(l, done, hit, released, &hits);
        if (count == 0) {
            break;
        }
        err = put_group(l, doc, done, count, hit, hits, list);
        done += count;
        hit += hits;
    }
    return err == SOTTO_OK ? keep_rest(l, done, hit) : err;
}

enum sotto_err logprobs_new(const struct sotto_vault *vault, struct logprobs **out)
{
    struct logprobs *l = sotto_calloc(1, sizeof(*l));
    if (l == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = strand_new(vault, STRAND_TEXT, &l->strand);
    if (err != SOTTO_OK) {
        sotto_free(l);
        return err;
    }
    strand_watch(l->strand, note_hit, l);
    sotto_buf_init(&l->entries, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&l->hits, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&l->texts, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&l->spelled, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&l->sink, SOTTO_BUF_UNBOUNDED);
    *out = l;
    return SOTTO_OK;
}

void logprobs_free(struct logprobs *l)
{
    if (l != NULL) {
        strand_free(l->strand);
        sotto_json_free(l->kept);
        sotto_buf_free(&l->entries);
        sotto_buf_free(&l->hits);
        sotto_buf_free(&l->texts);
        sotto_buf_free(&l->spelled);
        sotto_buf_free(&l->sink);
        sotto_free(l);
    }
}

enum sotto_err logprobs_feed(struct logprobs *l, yyjson_mut_doc *doc, yyjson_mut_val *list,
                             bool ends)
{
    bool idle = entry_count(l) == 0;
    enum sotto_err err = read_list(l, list);
    if (err == SOTTO_OK && ends) {
        err = strand_feed(l->strand, sotto_span_init(NULL, 0), true, &l->sink);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    if (idle && l->hits.len == 0 && strand_held(l->strand) == 0) {
        /* Nothing to do with these: the list stays as it is. */
        sotto_buf_truncate(&l->entries, 0);
        sotto_buf_truncate(&l->spelled, 0);
        l->base = l->fed;
        return SOTTO_OK;
    }
    yyjson_mut_arr_clear(list);
    return put_free(l, doc, list);
}

bool logprobs_holds(const struct logprobs *l)
{
    return entry_count(l) != 0;
}
