/* SPDX-License-Identifier: Apache-2.0 */

#include <malloc.h>

#include "golden.h"
#include "small_encoder.h"
#include "tap/tap.h"

#include "base/alloc.h"
#include "detect/ner/kernel.h"
#include "detect/ner/tagger.h"
#include "detect/rule.h"

static void tag(const struct sotto_tagger *tagger, sotto_span text, size_t budget,
                struct sotto_findings *list)
{
    struct sotto_tag_job *job = NULL;
    bool done = false;

    sotto_findings_clear(list);
    if (sotto_tag_job_new(tagger, &job) != SOTTO_OK) {
        abort();
    }
    sotto_tag_begin(job, text);
    while (!done) {
        if (sotto_tag_step(job, budget, list, &done) != SOTTO_OK) {
            abort();
        }
    }
    sotto_tag_job_free(job);
}

static bool same(const struct sotto_findings *a, const struct sotto_findings *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof(a->items[0])) == 0);
}

/* Findings that are no hints. */
static size_t entities(const struct sotto_findings *list)
{
    size_t n = 0;
    for (size_t i = 0; i < list->count; i++) {
        n += list->items[i].rule != SOTTO_RULE_TAGGER_HINT;
    }
    return n;
}

/* Int8 against floating point: both see the same spans but for a few near ties. */
static void test_golden(const struct sotto_tagger *tagger, const struct golden_file *file)
{
    struct sotto_findings list = {0};
    size_t want = 0, got = 0, both = 0;

    for (size_t i = 0; i < file->count; i++) {
        const struct golden_text *g = &file->texts[i];
        tag(tagger, g->text, SIZE_MAX, &list);
        want += g->span_count;
        got += entities(&list);
        for (size_t j = 0; j < g->span_count; j++) {
            for (size_t k = 0; k < list.count; k++) {
                both += list.items[k].start == g->spans[j].start &&
                        list.items[k].end == g->spans[j].end &&
                        strcmp(sotto_label_name(list.items[k].label), g->spans[j].label) == 0;
            }
        }
    }
    OK(both * 100 >= want * 97 && both * 100 >= got * 97,
       "%zu spans in floating point, %zu in integers, %zu the same", want, got, both);
    sotto_findings_free(&list);
}

static void test_kernels(const struct sotto_tagger_files *files, enum sotto_tagger_kind kind,
                         const struct golden_file *file)
{
    struct sotto_findings want = {0}, got = {0};
    struct sotto_tagger *reference = NULL, *other = NULL;

    if (sotto_tagger_open(files, kind, "reference", &reference) != SOTTO_OK) {
        abort();
    }
    for (size_t k = 1; sotto_ner_kernels_all[k] != NULL; k++) {
        const char *name = sotto_ner_kernels_all[k]->name;
        if (!sotto_ner_kernels_all[k]->usable()) {
            IS_INT(sotto_tagger_open(files, kind, name, &other), SOTTO_EINVAL,
                   "%s is refused on this processor", name);
            continue;
        }
        IS_INT(sotto_tagger_open(files, kind, name, &other), SOTTO_OK, "%s opens", name);
        size_t differ = 0;
        for (size_t i = 0; i < file->count; i++) {
            tag(reference, file->texts[i].text, SIZE_MAX, &want);
            tag(other, file->texts[i].text, SIZE_MAX, &got);
            differ += !same(&want, &got);
        }
        IS_SIZE(differ, 0, "%s finds what the reference finds, scores included", name);
        sotto_tagger_free(other);
    }
    sotto_tagger_free(reference);
    sotto_findings_free(&want);
    sotto_findings_free(&got);
}

/* The longest text of the golden file goes over several windows. */
static void test_budgets(const struct sotto_tagger *tagger, const struct golden_file *file)
{
    static const size_t budgets[] = {0, 1, 60, 777, 5000};
    struct sotto_findings want = {0}, got = {0};

    for (size_t i = 0; i < SOTTO_COUNT(budgets); i++) {
        size_t differ = 0;
        for (size_t j = 0; j < file->count; j++) {
            tag(tagger, file->texts[j].text, SIZE_MAX, &want);
            tag(tagger, file->texts[j].text, budgets[i], &got);
            differ += !same(&want, &got);
        }
        IS_SIZE(differ, 0, "steps of %zu bytes find the same", budgets[i]);
    }
    sotto_findings_free(&want);
    sotto_findings_free(&got);
}

/* A job that was in the middle of another text. */
static void test_reuse(const struct sotto_tagger *tagger, const struct golden_file *file)
{
    const struct golden_text *last = &file->texts[file->count - 1];
    struct sotto_findings want = {0}, got = {0}, other = {0};
    struct sotto_tag_job *job = NULL;
    size_t differ = 0;

    if (sotto_tag_job_new(tagger, &job) != SOTTO_OK) {
        abort();
    }
    for (size_t i = 0; i < file->count; i++) {
        bool done = false;
        sotto_tag_begin(job, last->text);
        for (size_t j = 0; j < i && !done; j++) {
            sotto_ignore(sotto_tag_step(job, 100, &other, &done)); /* only the next text counts */
        }
        sotto_findings_clear(&got);
        sotto_tag_begin(job, file->texts[i].text);
        for (done = false; !done;) {
            if (sotto_tag_step(job, SIZE_MAX, &got, &done) != SOTTO_OK) {
                abort();
            }
        }
        tag(tagger, file->texts[i].text, SIZE_MAX, &want);
        differ += !same(&want, &got);
    }
    IS_SIZE(differ, 0, "a job is as new after sotto_tag_begin()");
    sotto_tag_job_free(job);
    sotto_findings_free(&want);
    sotto_findings_free(&got);
    sotto_findings_free(&other);
}

/* Far text does not matter: behind a window's worth of full stops the same names are found. */
static void test_far_text(const struct sotto_tagger *tagger)
{
    sotto_span tail =
        SOTTO_LIT("\n\nMy colleague Maria Gonzalez lives in Hamburg with her son Peter.");
    struct sotto_findings near = {0}, far = {0};

    for (size_t words = 200; words < 420; words += 7) {
        char text[4096];
        size_t n = 0;
        for (size_t i = 0; i < words; i++) {
            n +=
                (size_t)snprintf(text + n, sizeof(text) - n, "%s", i % 8 == 7 ? "are. " : "so it ");
        }
        size_t filler = n;
        memcpy(text + n, tail.base, tail.len);
        tag(tagger, sotto_span_init(text + filler - 60, tail.len + 60), SIZE_MAX, &near);
        tag(tagger, sotto_span_init(text, n + tail.len), SIZE_MAX, &far);
        bool equal = near.count > 0 && far.count >= near.count;
        for (size_t i = 0; i < near.count && equal; i++) {
            struct sotto_finding f = far.items[far.count - near.count + i];
            equal = f.start == near.items[i].start + filler - 60 && f.label == near.items[i].label;
        }
        OK(equal, "the same names behind %zu words", words);
    }
    sotto_findings_free(&near);
    sotto_findings_free(&far);
}

static void test_hostile_text(const struct sotto_tagger *tagger)
{
    static const char *const units[] = {
        "a",  " ",           "\n", "1", "!", "\xcc\x81", "\xe2\x80\x8b", "A B", "\xf0\x9f\x98\x80",
        "O'", "\xe2\x80\xae"};
    static char text[30000];
    struct sotto_findings list = {0};

    for (size_t i = 0; i < SOTTO_COUNT(units); i++) {
        size_t n = 0, unit = strlen(units[i]);
        for (; n + unit <= sizeof(text); n += unit) {
            memcpy(text + n, units[i], unit);
        }
        tag(tagger, sotto_span_init(text, n), SIZE_MAX, &list);
        bool valid = true;
        for (size_t j = 0; j < list.count; j++) {
            struct sotto_finding f = list.items[j];
            valid = valid && f.start < f.end && f.end <= n && f.score <= SOTTO_SCORE_MAX &&
                    f.label < SOTTO_LABEL_COUNT && (j == 0 || list.items[j - 1].end <= f.start) &&
                    ((uint8_t)text[f.start] & 0xc0) != 0x80;
        }
        OK(valid, "unit %zu repeated: %zu findings, all valid", i, list.count);
    }
    tag(tagger, sotto_span_init(NULL, 0), SIZE_MAX, &list);
    IS_SIZE(list.count, 0, "nothing in an empty text");
    sotto_findings_free(&list);
}

static void test_allocation_failure(const struct sotto_tagger *tagger)
{
    struct sotto_tagger *none = NULL;
    struct sotto_tag_job *job = NULL;
    struct sotto_findings list = {0};
    bool done = false;

    (void)sotto_alloc_set_fault(1);
    IS_INT(sotto_tagger_new(SOTTO_TAGGER_SMALL, &none), SOTTO_ENOMEM, "no memory for a tagger");
    (void)sotto_alloc_set_fault(1);
    IS_INT(sotto_tag_job_new(tagger, &job), SOTTO_ENOMEM, "no memory for a job");
    OK(none == NULL && job == NULL, "nothing was made");
    (void)sotto_alloc_set_fault(0);
    IS_INT(sotto_tag_job_new(tagger, &job), SOTTO_OK, "a job");
    sotto_tag_begin(job, SOTTO_LIT("My name is Maria Gonzalez."));
    (void)sotto_alloc_set_fault(1);
    IS_INT(sotto_tag_step(job, SIZE_MAX, &list, &done), SOTTO_ENOMEM, "no memory for a finding");
    (void)sotto_alloc_set_fault(0);
    sotto_tag_begin(job, SOTTO_LIT("My name is Maria Gonzalez."));
    IS_INT(sotto_tag_step(job, SIZE_MAX, &list, &done), SOTTO_OK, "begun anew");
    OK(done && list.count == 1 && list.items[0].label == SOTTO_LABEL_PERSON, "the name is found");
    sotto_findings_free(&list);
    sotto_tag_job_free(job);
}

/* Two jobs that read different texts, and forgot them, are the same to the last byte. */
static void test_forgetting(const struct golden_file *file)
{
    struct sotto_tagger *tagger = NULL;
    struct sotto_tag_job *a = NULL, *b = NULL;
    struct sotto_findings list = {0};
    size_t differ = 0;

    if (sotto_tagger_new(SOTTO_TAGGER_SMALL, &tagger) != SOTTO_OK ||
        sotto_tag_job_new(tagger, &a) != SOTTO_OK || sotto_tag_job_new(tagger, &b) != SOTTO_OK) {
        abort();
    }
    size_t size = malloc_usable_size(a);
    sotto_tag_forget(b);
    for (size_t i = 0; i < file->count; i++) {
        bool done = false;
        sotto_tag_begin(a, file->texts[i].text);
        for (size_t k = 0; k <= i && !done; k++) { /* some to the end */
            if (sotto_tag_step(a, 300, &list, &done) != SOTTO_OK) {
                abort();
            }
        }
        bool equal = memcmp(a, b, size) == 0;
        sotto_tag_forget(a);
        differ += equal || memcmp(a, b, size) != 0;
    }
    IS_SIZE(differ, 0, "nothing is left of a text that is forgotten");
    sotto_tag_job_free(a);
    sotto_tag_job_free(b);
    sotto_tagger_free(tagger);
    sotto_findings_free(&list);
}

/* Everything that must hold whoever reads. */
static void test_reading(const struct sotto_tagger_files *files, enum sotto_tagger_kind kind,
                         const struct golden_file *file)
{
    struct sotto_tagger *tagger = NULL;

    IS_INT(sotto_tagger_open(files, kind, NULL, &tagger), SOTTO_OK, "kind %d opens", kind);
    if (tagger != NULL) {
        printf("# kind %d, kernels: %s\n", kind, sotto_tagger_kernels(tagger));
        test_kernels(files, kind, file);
        test_budgets(tagger, file);
        test_reuse(tagger, file);
        test_hostile_text(tagger);
    }
    sotto_tagger_free(tagger);
}

/* With an encoder: everything it reads changes what is found; in doubt, a part. */
static void test_encoder(const struct golden_file *file)
{
    struct small_encoder e = small_encoder_new(3);
    struct sotto_tagger_files files = sotto_tagger_weights();
    struct sotto_tagger *of[3] = {NULL, NULL, NULL};
    struct sotto_findings found[3] = {{0}, {0}, {0}};
    size_t differ[3] = {0, 0, 0};

    files.large = sotto_span_init(e.base, e.len);
    test_reading(&files, SOTTO_TAGGER_CASCADE, file);
    test_reading(&files, SOTTO_TAGGER_LARGE, file);
    for (int kind = SOTTO_TAGGER_SMALL; kind <= SOTTO_TAGGER_LARGE; kind++) {
        if (sotto_tagger_open(&files, (enum sotto_tagger_kind)kind, NULL, &of[kind]) != SOTTO_OK) {
            abort();
        }
    }
    for (size_t i = 0; i < file->count; i++) {
        for (int kind = SOTTO_TAGGER_SMALL; kind <= SOTTO_TAGGER_LARGE; kind++) {
            tag(of[kind], file->texts[i].text, SIZE_MAX, &found[kind]);
            differ[kind] += !same(&found[SOTTO_TAGGER_SMALL], &found[kind]);
        }
    }
    OK(differ[SOTTO_TAGGER_LARGE] > 0, "an encoder that reads everything changes %zu of %zu texts",
       differ[SOTTO_TAGGER_LARGE], file->count);
    OK(differ[SOTTO_TAGGER_CASCADE] <= differ[SOTTO_TAGGER_LARGE], "one that is asked in doubt %zu",
       differ[SOTTO_TAGGER_CASCADE]);
    for (int kind = SOTTO_TAGGER_SMALL; kind <= SOTTO_TAGGER_LARGE; kind++) {
        sotto_tagger_free(of[kind]);
        sotto_findings_free(&found[kind]);
    }
    e.base[0] ^= 1;
    struct sotto_tagger *none = NULL;
    IS_INT(sotto_tagger_open(&files, SOTTO_TAGGER_LARGE, NULL, &none), SOTTO_EFORMAT,
           "a damaged encoder is refused");
    IS_INT(sotto_tagger_open(&files, SOTTO_TAGGER_SMALL, NULL, &none), SOTTO_OK,
           "where it is asked for");
    sotto_tagger_free(none);
    free(e.base);
}

/* The encoder that is part of the program. */
static void test_large(void)
{
    const struct sotto_tagger_files files = sotto_tagger_weights();
    static const enum sotto_tagger_kind kinds[] = {SOTTO_TAGGER_CASCADE, SOTTO_TAGGER_LARGE};
    struct sotto_findings list = {0};
    struct sotto_tagger *tagger = NULL;

    IS_INT(sotto_tagger_open(&files, SOTTO_TAGGER_LARGE, NULL, &tagger), SOTTO_OK,
           "the checksum of the encoder in the program is right");
    sotto_tagger_free(tagger);
    for (size_t i = 0; i < SOTTO_COUNT(kinds); i++) {
        tagger = NULL;
        IS_INT(sotto_tagger_new(kinds[i], &tagger), SOTTO_OK, "kind %d opens", kinds[i]);
        tag(tagger, SOTTO_LIT("My colleague Maria Gonzalez lives in Hamburg."), SIZE_MAX, &list);
        bool person = false;
        for (size_t k = 0; k < list.count; k++) {
            person |= list.items[k].start == 13 && list.items[k].end == 27 &&
                      list.items[k].label == SOTTO_LABEL_PERSON;
        }
        OK(person, "it finds a name");
        sotto_tagger_free(tagger);
    }
    sotto_findings_free(&list);
}

int main(int argc, char **argv)
{
    const struct sotto_tagger_files files = sotto_tagger_weights();
    struct golden_file file;
    struct sotto_tagger *tagger = NULL;

    if (argc < 2 || !golden_load(argv[1], &file)) {
        SKIP_ALL("no golden file");
    }
    IS_INT(sotto_tagger_new(SOTTO_TAGGER_SMALL, &tagger), SOTTO_OK,
           "the weights in the program open");
    if (tagger != NULL) {
        test_golden(tagger, &file);
        test_far_text(tagger);
        test_allocation_failure(tagger);
    }
    test_reading(&files, SOTTO_TAGGER_SMALL, &file);
    test_forgetting(&file);
    test_encoder(&file);
    test_large();
    sotto_tagger_free(tagger);
    golden_free(&file);
    return done_testing();
}
