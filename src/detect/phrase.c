/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/phrase.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "text/fold.h"
#include "text/utf8.h"
#include "text/word.h"

#define PHRASE_MAX_BYTES  1024
#define PHRASE_BUCKETS    1024 /* a power of two */
#define PHRASE_HASH_START 0xcbf29ce484222325U

struct phrase_entry {
    struct phrase_entry *next; /* in the bucket of the first word */
    uint64_t hash;             /* of the first word in lower case */
    sotto_span text;           /* lower case, spaces collapsed; behind the entry */
    size_t word_at;            /* where its first word begins */
    uint32_t id;
};

struct sotto_phrases {
    struct phrase_entry *bucket[PHRASE_BUCKETS];
    size_t count;
    size_t longest; /* bytes */
};

static uint64_t hash_add(uint64_t hash, uint32_t c)
{
    return (hash ^ c) * 0x100000001b3U;
}

/* The hash of the run of letters and digits at `at`; moves `at` behind it. */
static uint64_t hash_run(sotto_span text, size_t *at)
{
    uint64_t hash = PHRASE_HASH_START;
    size_t end = sotto_word_run_end(text, *at);
    while (*at < end) {
        uint32_t c = sotto_utf8_next(text, at);
        if ((sotto_char_classes(c) & SOTTO_CHAR_HIDDEN) == 0) {
            hash = hash_add(hash, sotto_lower(c));
        }
    }
    return hash;
}

/* Appends `in` in lower case with collapsed white space. */
static enum sotto_err normalise(sotto_span in, struct sotto_buf *out)
{
    enum sotto_err err = SOTTO_OK;
    bool gap = false;
    for (size_t at = 0; at < in.len && err == SOTTO_OK;) {
        uint8_t bytes[4];
        uint32_t c = sotto_utf8_next(in, &at);
        unsigned classes = sotto_char_classes(c);
        if ((classes & SOTTO_CHAR_SPACE) != 0) {
            gap = out->len != 0;
        } else if ((classes & SOTTO_CHAR_HIDDEN) == 0) {
            err = gap ? sotto_buf_push(out, ' ') : SOTTO_OK;
            gap = false;
            if (err == SOTTO_OK) {
                err = sotto_buf_append(
                    out, sotto_span_init(bytes, sotto_utf8_put(sotto_lower(c), bytes)));
            }
        }
    }
    return err;
}

enum sotto_err sotto_phrases_new(struct sotto_phrases **out)
{
    struct sotto_phrases *phrases = sotto_calloc(1, sizeof(*phrases));
    if (phrases == NULL) {
        return SOTTO_ENOMEM;
    }
    *out = phrases;
    return SOTTO_OK;
}

void sotto_phrases_free(struct sotto_phrases *phrases)
{
    for (size_t i = 0; phrases != NULL && i < PHRASE_BUCKETS; i++) {
        while (phrases->bucket[i] != NULL) {
            struct phrase_entry *entry = phrases->bucket[i];
            phrases->bucket[i] = entry->next;
            sotto_free(entry);
        }
    }
    sotto_free(phrases);
}

static enum sotto_err link_entry(struct sotto_phrases *phrases, sotto_span text, uint32_t id)
{
    size_t word_at = 0;
    if (sotto_word_next(text, &word_at).len == 0) {
        return SOTTO_EINVAL;
    }
    struct phrase_entry *entry = sotto_alloc(sizeof(*entry) + text.len);
    if (entry == NULL) {
        return SOTTO_ENOMEM;
    }
    uint8_t *copy = (uint8_t *)(entry + 1);
    memcpy(copy, text.base, text.len);
    *entry = (struct phrase_entry){.text = sotto_span_init(copy, text.len), .id = id};
    while (!sotto_word_char_at(entry->text, entry->word_at)) {
        (void)sotto_utf8_next(entry->text, &entry->word_at);
    }
    word_at = entry->word_at;
    entry->hash = hash_run(entry->text, &word_at);
    struct phrase_entry **bucket = &phrases->bucket[entry->hash % PHRASE_BUCKETS];
    entry->next = *bucket;
    *bucket = entry;
    phrases->count++;
    phrases->longest = text.len > phrases->longest ? text.len : phrases->longest;
    return SOTTO_OK;
}

enum sotto_err sotto_phrases_add(struct sotto_phrases *phrases, sotto_span text, uint32_t id)
{
    struct sotto_buf lower;
    if (text.len > PHRASE_MAX_BYTES || !sotto_utf8_valid(text, NULL)) {
        return SOTTO_EINVAL;
    }
    sotto_buf_init(&lower, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = normalise(text, &lower);
    if (err == SOTTO_OK) {
        err = link_entry(phrases, sotto_buf_span(&lower), id);
    }
    sotto_buf_free(&lower);
    return err;
}

bool sotto_phrases_empty(const struct sotto_phrases *phrases)
{
    return phrases->count == 0;
}

/* Twice the length: room for wider spaces, hidden characters and capitals of more bytes. */
size_t sotto_phrases_reach(const struct sotto_phrases *phrases)
{
    return 2 * phrases->longest + 16;
}

/* The next character of a text as normalise() leaves it; false at the end. */
static bool next_char(sotto_span text, size_t *at, uint32_t *c)
{
    while (*at < text.len) {
        *c = sotto_lower(sotto_utf8_next(text, at));
        unsigned classes = sotto_char_classes(*c);
        if ((classes & SOTTO_CHAR_SPACE) != 0) {
            for (size_t next = *at; next < text.len; *at = next) {
                if ((sotto_char_classes(sotto_utf8_next(text, &next)) & SOTTO_CHAR_SPACE) == 0) {
                    break;
                }
            }
            *c = ' ';
        }
        if ((classes & SOTTO_CHAR_HIDDEN) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the phrase's word at word_at stands at `at`; gives the bounds of the whole phrase. */
static bool matches(const struct phrase_entry *entry, sotto_span text, size_t at, size_t *start,
                    size_t *end)
{
    size_t mine = entry->word_at, theirs = at;
    while (mine < entry->text.len) {
        uint32_t c, want = sotto_utf8_next(entry->text, &mine);
        if (!next_char(text, &theirs, &c) || c != want) {
            return false;
        }
    }
    if (sotto_word_char_before(entry->text, mine) && !sotto_word_edge(text, theirs)) {
        return false;
    }
    *end = theirs;
    *start = at;
    for (mine = entry->word_at; mine > 0;) {
        if (*start == 0 ||
            sotto_lower(sotto_utf8_before(text, start)) != sotto_utf8_before(entry->text, &mine)) {
            return false;
        }
    }
    return true;
}

static enum sotto_err look_up(const struct sotto_phrases *phrases, sotto_span text, size_t at,
                              uint64_t hash, sotto_phrase_seen *seen, void *ctx)
{
    enum sotto_err err = SOTTO_OK;
    const struct phrase_entry *entry = phrases->bucket[hash % PHRASE_BUCKETS];
    for (; entry != NULL && err == SOTTO_OK; entry = entry->next) {
        size_t start, end;
        if (entry->hash == hash && matches(entry, text, at, &start, &end)) {
            err = seen(ctx, start, end, entry->id);
        }
    }
    return err;
}

enum sotto_err sotto_phrases_scan(const struct sotto_phrases *phrases, sotto_span text,
                                  size_t start, size_t end, sotto_phrase_seen *seen, void *ctx)
{
    enum sotto_err err = SOTTO_OK;
    size_t at = start;
    if (at > 0 && at < end && !sotto_word_edge(text, at)) {
        at = sotto_word_run_end(text, at);
    }
    while (at < end && err == SOTTO_OK) {
        size_t word = at;
        unsigned classes = sotto_char_classes(sotto_utf8_next(text, &at));
        if ((classes & SOTTO_CHAR_WORD) != 0) {
            at = word;
            uint64_t hash = hash_run(text, &at);
            err = look_up(phrases, text, word, hash, seen, ctx);
        }
    }
    return err;
}
