/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/detect.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "tap/tap.h"
#include "text/utf8.h"

static struct sotto_detector *make(const struct sotto_detector_options *options)
{
    struct sotto_detector *detector;
    char why[256] = "";
    if (sotto_detector_new(options, &detector, why) != SOTTO_OK) {
        printf("# %s\n", why);
        abort();
    }
    return detector;
}

static struct sotto_detect_job *make_job(const struct sotto_detector *detector)
{
    struct sotto_detect_job *job;
    if (sotto_detect_job_new(detector, &job) != SOTTO_OK) {
        abort();
    }
    return job;
}

static bool is_same(const struct sotto_findings *a, const struct sotto_findings *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0);
}

/* A text of several windows with names at every place of a line. */
static void long_text(struct sotto_buf *out)
{
    sotto_buf_init(out, SOTTO_BUF_UNBOUNDED);
    for (int i = 0; i < 900; i++) {
        enum sotto_err err = sotto_buf_printf(
            out, "%.*sDr. Jane Doe and Peter Meier wrote to Zo\xc3\xab of Lyon. %s", i % 40,
            "the quick brown fox jumps over the lazy dog, says", i % 7 == 0 ? "\n" : "");
        if (err != SOTTO_OK) {
            abort();
        }
    }
}

static void copy(const struct sotto_findings *from, struct sotto_findings *to)
{
    sotto_findings_clear(to);
    for (size_t i = 0; i < from->count; i++) {
        if (sotto_findings_add(to, from->items[i]) != SOTTO_OK) {
            abort();
        }
    }
}

static void test_steps(bool tagger)
{
    static const size_t budgets[] = {1, 100, 4096, 5000, 16384, 65536};
    struct sotto_detector_options options = {.tagger =
                                                 tagger ? SOTTO_DETECT_SMALL : SOTTO_DETECT_NONE};
    struct sotto_detector *detector = make(&options);
    struct sotto_detect_job *job = make_job(detector);
    struct sotto_findings whole = {0};
    struct sotto_buf text;
    bool done = false;

    long_text(&text);
    sotto_detect_begin(job, sotto_buf_span(&text));
    IS_INT(sotto_detect_step(job, SIZE_MAX, &done), SOTTO_OK, "one step over all");
    OK(done, "is all");
    copy(sotto_detect_result(job), &whole);
    OK(whole.count > 1000, "names are found");
    size_t wrong = 0;
    for (size_t i = 0; i < whole.count; i++) {
        const struct sotto_finding *f = &whole.items[i];
        wrong += f->start >= f->end || f->end > text.len ||
                 (i > 0 && f->start < whole.items[i - 1].end) ||
                 !sotto_utf8_boundary(sotto_buf_span(&text), f->start) ||
                 !sotto_utf8_boundary(sotto_buf_span(&text), f->end);
    }
    IS_SIZE(wrong, 0, "findings are sorted, apart, and cut no character");
    sotto_detect_forget(job);
    IS_SIZE(sotto_detect_result(job)->count, 0, "a job that forgot has found nothing");
    for (size_t b = 0; b < SOTTO_COUNT(budgets); b++) {
        size_t steps = 0;
        sotto_detect_begin(job, sotto_buf_span(&text));
        for (done = false; !done; steps++) {
            if (sotto_detect_step(job, budgets[b], &done) != SOTTO_OK) {
                break;
            }
        }
        OK(is_same(sotto_detect_result(job), &whole), "steps of %zu bytes give the same",
           budgets[b]);
        OK(steps >= text.len / (budgets[b] + 8192), "and are steps: %zu", steps);
    }
    sotto_detect_begin(job, SOTTO_LIT(""));
    IS_INT(sotto_detect_step(job, 1, &done), SOTTO_OK, "the empty text");
    OK(done && sotto_detect_result(job)->count == 0, "has nothing in it");
    sotto_findings_free(&whole);
    sotto_buf_free(&text);
    sotto_detect_job_free(job);
    sotto_detector_free(detector);
}

/* "PERSON:Jane|..." with the default score hidden. */
static void find(const struct sotto_detector *detector, const char *in, char *out, size_t cap)
{
    struct sotto_detect_job *job = make_job(detector);
    sotto_span text = sotto_span_str(in);
    bool done;
    size_t n = 0;
    out[0] = '\0';
    sotto_detect_begin(job, text);
    if (sotto_detect_step(job, SIZE_MAX, &done) != SOTTO_OK) {
        abort();
    }
    const struct sotto_findings *list = sotto_detect_result(job);
    for (size_t i = 0; i < list->count && n < cap; i++) {
        const struct sotto_finding *f = &list->items[i];
        const char *finer = sotto_detect_finer(detector, f);
        n += (size_t)snprintf(out + n, cap - n, "%s%s/%s/%s:%.*s", n == 0 ? "" : "|",
                              sotto_label_name((enum sotto_label)f->label),
                              finer != NULL ? finer : "-", sotto_detect_rule(detector, f),
                              SOTTO_FMT(sotto_span_sub(text, f->start, f->end)));
    }
    sotto_detect_job_free(job);
}

static void test_options(void)
{
    static const sotto_span words[] = {{(const uint8_t *)"Falcon", 6}};
    static const struct sotto_detect_word allow[] = {
        {.text = {(const uint8_t *)"Jane Doe", 8}},
        {.text = {(const uint8_t *)"Peter Meier AG", 14}},
    };
    static const struct sotto_detect_word deny[] = {
        {.text = {(const uint8_t *)"blue whale", 10}, .label = SOTTO_LABEL_ORG},
    };
    struct sotto_detect_custom custom = {.name = SOTTO_LIT("CODENAME"),
                                         .label = SOTTO_LABEL_ID,
                                         .words = words,
                                         .word_count = 1,
                                         .score = 700};
    struct sotto_detector_options options = {.allow = allow,
                                             .allow_count = 2,
                                             .deny = deny,
                                             .deny_count = 1,
                                             .custom = &custom,
                                             .custom_count = 1};
    char got[512];
    struct sotto_detector *plain = make(NULL), *detector = make(&options);
    find(plain, "Dr. Jane Doe", got, sizeof(got));
    IS_TEXT(got, strlen(got), "PERSON/-/tagger:Jane Doe", "a name is found");
    find(detector, "Dr. JANE  DOE", got, sizeof(got));
    IS_TEXT(got, strlen(got), "", "but not one of the allow list");
    find(detector, "Dr. Jane Doermann", got, sizeof(got));
    IS_TEXT(got, strlen(got), "PERSON/-/tagger:Jane Doermann", "the allow list has whole words");
    find(detector, "we met Peter Meier AG", got, sizeof(got));
    IS_TEXT(got, strlen(got), "", "what lies inside an allowed phrase is allowed");
    find(detector, "the Blue Whale swims", got, sizeof(got));
    IS_TEXT(got, strlen(got), "ORG/-/list.deny:Blue Whale", "the deny list is found");
    find(detector, "operation falcon", got, sizeof(got));
    IS_TEXT(got, strlen(got), "ID/CODENAME/custom:falcon", "a recognizer of one's own is found");
    sotto_detector_free(detector);

    options = (struct sotto_detector_options){.tagger = SOTTO_DETECT_NONE};
    detector = make(&options);
    find(detector, "Dr. Jane Doe", got, sizeof(got));
    IS_TEXT(got, strlen(got), "PERSON/-/name.cue:Jane Doe", "the tagger can be left out");
    sotto_detector_free(detector);

    static const uint8_t more[] = {SOTTO_DETECT_CASCADE, SOTTO_DETECT_LARGE};
    for (size_t i = 0; i < SOTTO_COUNT(more); i++) {
        options = (struct sotto_detector_options){.tagger = more[i]};
        detector = make(&options);
        find(detector, "My colleague Maria Gonzalez called.", got, sizeof(got));
        IS_TEXT(got, strlen(got), "PERSON/-/tagger:Maria Gonzalez", "a larger tagger: %d", more[i]);
        sotto_detector_free(detector);
    }

    options = (struct sotto_detector_options){.tagger = SOTTO_DETECT_NONE, .names_off = true};
    detector = make(&options);
    find(detector, "Dr. Jane Doe", got, sizeof(got));
    IS_TEXT(got, strlen(got), "", "and so can the layer of names");
    sotto_detector_free(detector);

    options = (struct sotto_detector_options){.tagger = SOTTO_DETECT_NONE};
    options.threshold[SOTTO_LABEL_PERSON] = 1000;
    detector = make(&options);
    find(detector, "Dr. Jane Doe", got, sizeof(got));
    IS_TEXT(got, strlen(got), "", "a threshold drops what is below it");
    sotto_detector_free(detector);
    sotto_detector_free(plain);
}

/* What is found last, when the names are whole, is held to the options like all else. */
static void test_ages_behind_names(void)
{
    static const struct sotto_detect_word allow[] = {{.text = {(const uint8_t *)"34", 2}}};
    const char *text = "The police arrested Maria Gonzalez (34) and her sister in Leeds.";
    struct sotto_detector_options options = {0};
    char got[512];

    struct sotto_detector *detector = make(NULL);
    find(detector, text, got, sizeof(got));
    IS_TEXT(got, strlen(got),
            "PERSON/-/tagger:Maria Gonzalez|AGE/-/age:34|LOCATION/CITY/tagger:Leeds",
            "an age behind a name stands between the others");
    sotto_detector_free(detector);

    options.threshold[SOTTO_LABEL_AGE] = 1000;
    detector = make(&options);
    find(detector, text, got, sizeof(got));
    OK(strstr(got, "AGE") == NULL, "a threshold drops it");
    sotto_detector_free(detector);

    options = (struct sotto_detector_options){.allow = allow, .allow_count = 1};
    detector = make(&options);
    find(detector, text, got, sizeof(got));
    OK(strstr(got, "AGE") == NULL, "and so does the allow list");
    sotto_detector_free(detector);
}

static void test_refused_options(void)
{
    static const struct sotto_detect_word blank[] = {{.text = {(const uint8_t *)"?!", 2}}};
    struct sotto_detector_options options = {.deny = blank, .deny_count = 1};
    struct sotto_detector *detector = NULL;
    char why[256] = "";
    IS_INT(sotto_detector_new(&options, &detector, why), SOTTO_EINVAL, "an empty word is refused");
    IS_TEXT(why, strlen(why), "deny list, entry 1: has no letter or digit, or is too long",
            "and the reason named");
    OK(detector == NULL, "and nothing made");
}

static void test_failed_allocations(void)
{
    struct sotto_detector *detector = NULL;
    (void)sotto_alloc_set_fault(SIZE_MAX);
    detector = make(NULL);
    size_t total = sotto_alloc_set_fault(0);
    sotto_detector_free(detector);
    for (size_t n = 1; n <= total; n++) {
        detector = NULL;
        (void)sotto_alloc_set_fault(n);
        IS_INT(sotto_detector_new(NULL, &detector, NULL), SOTTO_ENOMEM,
               "detector: allocation %zu of %zu fails", n, total);
        (void)sotto_alloc_set_fault(0);
        OK(detector == NULL, "nothing is made");
    }
    detector = make(NULL);
    for (size_t n = 1; n <= 20; n++) {
        struct sotto_detect_job *job = NULL;
        bool done = false;
        (void)sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_detect_job_new(detector, &job);
        if (err == SOTTO_OK) {
            sotto_detect_begin(job, SOTTO_LIT("Dr. Jane Doe met Peter Meier in Lyon."));
            err = sotto_detect_step(job, SIZE_MAX, &done);
        }
        (void)sotto_alloc_set_fault(0);
        OK(err == SOTTO_ENOMEM || err == SOTTO_OK, "job: allocation %zu fails", n);
        sotto_detect_job_free(job);
    }
    sotto_detector_free(detector);
}

int main(void)
{
    test_steps(false);
    test_steps(true);
    test_options();
    test_ages_behind_names();
    test_refused_options();
    test_failed_allocations();
    return done_testing();
}
