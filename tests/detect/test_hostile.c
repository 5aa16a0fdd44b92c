/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Texts that somebody wrote to hide values or to wear detection down: hidden characters, letters
 * that look alike, marks by the thousand, megabytes without a space.
 */

#include "base/alloc.h"
#include "base/buf.h"
#include "detect/detect.h"
#include "tap/tap.h"
#include "text/utf8.h"

static struct sotto_detect_job *job;

static const struct sotto_findings *detect(sotto_span text)
{
    bool done = false;
    sotto_detect_begin(job, text);
    if (sotto_detect_step(job, SIZE_MAX, &done) != SOTTO_OK || !done) {
        abort();
    }
    return sotto_detect_result(job);
}

static bool is_sound(sotto_span text, const struct sotto_findings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct sotto_finding *f = &list->items[i];
        if (f->start >= f->end || f->end > text.len ||
            (i != 0 && f->start < list->items[i - 1].end) || !sotto_utf8_boundary(text, f->start) ||
            !sotto_utf8_boundary(text, f->end)) {
            return false;
        }
    }
    return true;
}

/* `value` with `what` behind each of its characters but the last. */
static void hide(const char *before, const char *value, const char *what, const char *after,
                 struct sotto_buf *out)
{
    sotto_span v = sotto_span_str(value);
    sotto_buf_init(out, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_buf_append(out, sotto_span_str(before));
    for (size_t i = 0; i < v.len && err == SOTTO_OK; i++) {
        err = sotto_buf_push(out, v.base[i]);
        if (err == SOTTO_OK && i % 3 == 1 && i + 1 < v.len) {
            err = sotto_buf_append(out, sotto_span_str(what));
        }
    }
    if (err != SOTTO_OK || sotto_buf_append(out, sotto_span_str(after)) != SOTTO_OK) {
        abort();
    }
}

static void test_hidden(void)
{
    static const struct {
        const char *name, *bytes;
    } hidden[] = {
        {"zero-width space", "\xe2\x80\x8b"},       {"zero-width joiner", "\xe2\x80\x8d"},
        {"zero-width non-joiner", "\xe2\x80\x8c"},  {"soft hyphen", "\xc2\xad"},
        {"byte order mark", "\xef\xbb\xbf"},        {"left-to-right mark", "\xe2\x80\x8e"},
        {"right-to-left override", "\xe2\x80\xae"}, {"word joiner", "\xe2\x81\xa0"},
        {"first strong isolate", "\xe2\x81\xa8"},
    };
    static const struct {
        const char *before, *value, *after;
        enum sotto_label label;
    } values[] = {
        {"Patient ", "Margaret Thornbury", " called.", SOTTO_LABEL_PERSON},
        {"Write to ", "m.thornbury@example.org", " today.", SOTTO_LABEL_EMAIL},
        {"Call ", "+1 202-555-0147", " now.", SOTTO_LABEL_PHONE},
        {"Card ", "4111 1111 1111 1111", " expired.", SOTTO_LABEL_ID},
        {"SSN ", "219-09-9999", " is hers.", SOTTO_LABEL_ID},
    };
    for (size_t h = 0; h < SOTTO_COUNT(hidden); h++) {
        for (size_t v = 0; v < SOTTO_COUNT(values); v++) {
            struct sotto_buf text;
            size_t start = strlen(values[v].before);
            bool found = false;
            hide(values[v].before, values[v].value, hidden[h].bytes, values[v].after, &text);
            size_t end = text.len - strlen(values[v].after);
            const struct sotto_findings *list = detect(sotto_buf_span(&text));
            for (size_t i = 0; i < list->count; i++) {
                found |= list->items[i].label == values[v].label && list->items[i].start <= start &&
                         list->items[i].end >= end;
            }
            OK(found && is_sound(sotto_buf_span(&text), list), "%s is found with a %s inside",
               sotto_label_name(values[v].label), hidden[h].name);
            sotto_buf_free(&text);
        }
    }
}

static void test_look_alikes(void)
{
    /* Cyrillic a and o; full width; combining marks in place of letters with accents. */
    static const char *const texts[] = {
        "Patient M\xd0\xb0rgaret Th\xd0\xbernbury called.",
        "Patient \xef\xbc\xad\xef\xbd\x81\xef\xbd\x92\xef\xbd\x87\xef\xbd\x81\xef\xbd\x92\xef\xbd"
        "\x85\xef\xbd\x94 \xef\xbc\xb4\xef\xbd\x88\xef\xbd\x8f\xef\xbd\x92\xef\xbd\x8e\xef\xbd\x82"
        "\xef\xbd\x95\xef\xbd\x92\xef\xbd\x99 called.",
        "Patient Margare\xcc\x81t Thornbu\xcc\x88ry called.",
    };
    for (size_t i = 0; i < SOTTO_COUNT(texts); i++) {
        sotto_span text = sotto_span_str(texts[i]);
        const struct sotto_findings *list = detect(text);
        OK(list->count == 1 && list->items[0].label == SOTTO_LABEL_PERSON &&
               list->items[0].start == 8 && list->items[0].end == text.len - 8,
           "a name in letters that look alike is one finding (%zu)", i);
    }
}

/* `len` bytes and a little, of `piece` again and again. */
static void repeat(const char *piece, size_t len, struct sotto_buf *out)
{
    sotto_buf_init(out, SOTTO_BUF_UNBOUNDED);
    while (out->len < len) {
        if (sotto_buf_append(out, sotto_span_str(piece)) != SOTTO_OK) {
            abort();
        }
    }
}

static void test_long(void)
{
    static const char *const pieces[] = {
        "a",  "1",  "e\xcc\x81", "\xcc\x81", "\xe2\x80\x8b",     "\xe2\x80\xae",
        "A.", "a@", "Margaret",  "\xd0\xb0", "\xf0\x9f\x98\x80", "\xe4\xb8\xad",
        ".",  "'",
    };
    for (size_t i = 0; i < SOTTO_COUNT(pieces); i++) {
        struct sotto_buf text;
        repeat(pieces[i], 1U << 20, &text);
        OK(is_sound(sotto_buf_span(&text), detect(sotto_buf_span(&text))),
           "a megabyte without a space, piece %zu", i);
        sotto_buf_free(&text);
    }
}

static void test_marks(void)
{
    struct sotto_buf marks, text;
    repeat("\xcc\x81", 6000, &marks);
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    if (sotto_buf_append(&text, SOTTO_LIT("Patient Ma")) != SOTTO_OK ||
        sotto_buf_append(&text, sotto_buf_span(&marks)) != SOTTO_OK ||
        sotto_buf_append(&text, SOTTO_LIT("rgaret Thornbury called.")) != SOTTO_OK) {
        abort();
    }
    const struct sotto_findings *list = detect(sotto_buf_span(&text));
    OK(list->count == 1 && list->items[0].start == 8 && list->items[0].end == text.len - 8,
       "a name with three thousand marks on one letter is one finding");
    sotto_buf_free(&text);
    sotto_buf_free(&marks);
}

int main(void)
{
    struct sotto_detector *whole = NULL, *lists = NULL;
    const struct sotto_detector_options without = {.tagger = SOTTO_DETECT_NONE};
    if (sotto_detector_new(NULL, &whole, NULL) != SOTTO_OK ||
        sotto_detector_new(&without, &lists, NULL) != SOTTO_OK ||
        sotto_detect_job_new(whole, &job) != SOTTO_OK) {
        OK(false, "set up");
        return done_testing();
    }
    test_hidden();
    test_look_alikes();
    test_marks();
    sotto_detect_job_free(job);
    if (sotto_detect_job_new(lists, &job) != SOTTO_OK) {
        abort();
    }
    test_hidden();
    test_long(); /* the tagger reads windows of fixed size: tests/detect/ner/ */
    sotto_detect_job_free(job);
    sotto_detector_free(whole);
    sotto_detector_free(lists);
    return done_testing();
}
