/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How fast is the neural layer on one core?  Prints for each kernel that this processor can run the
 * median and the spread of MB/s of processor time over repeated runs on one text, and the longest step.
 *
 *   bench_tagger [FILE [RUNS]]     FILE: UTF-8 text; without one, invented sentences
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "detect/ner/kernel.h"
#include "detect/ner/tagger.h"

#define TEXT_BYTES (256U * 1024)
#define RUNS_MAX   101

static const char sample[] =
    "Dear Ms. Okafor,\n\nthank you for your call on 3 March 2024 about the delivery to 12 Elm "
    "Street, "
    "Springfield. The parcel was handed to your neighbour, Mr. Tom Brandt, who signed for it at "
    "noon. "
    "Please tell us by Friday whether everything is in order, and keep the number A-4471 for your "
    "records. Our colleague Lucia Ferri in Turin will gladly help with any question that is left.\n"
    "The patient is a 67-year-old man with shortness of breath and a history of hypertension; he "
    "was "
    "seen by Dr. Weber at the clinic in Hamburg and started on a low dose of a diuretic.\n";

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static char *read_text(const char *path, size_t *len)
{
    FILE *f = path != NULL ? fopen(path, "rbe") : NULL;
    size_t room = f != NULL ? 16U << 20 : TEXT_BYTES;
    char *text = malloc(room);

    if (text == NULL || (path != NULL && f == NULL)) {
        fprintf(stderr, "bench_tagger: cannot read the text\n");
        exit(1);
    }
    *len = 0;
    if (f != NULL) {
        *len = fread(text, 1, room, f);
        (void)fclose(f);
    } else {
        for (; *len + sizeof(sample) <= room; *len += sizeof(sample) - 1) {
            memcpy(text + *len, sample, sizeof(sample) - 1);
        }
    }
    return text;
}

/* Seconds for one pass in small steps; `longest` is raised to the longest step. */
static double one_run(struct sotto_tag_job *job, sotto_span text, size_t *found, double *longest)
{
    struct sotto_findings list = {0};
    bool done = false;
    double began = now(), before = began;

    sotto_tag_begin(job, text);
    while (!done) {
        if (sotto_tag_step(job, 1, &list, &done) != SOTTO_OK) {
            exit(1);
        }
        double after = now();
        *longest = after - before > *longest ? after - before : *longest;
        before = after;
    }
    *found = list.count;
    sotto_findings_free(&list);
    return before - began;
}

static void bench(const char *name, enum sotto_tagger_kind kind, const char *kernels,
                  sotto_span text, size_t runs)
{
    const struct sotto_tagger_files files = sotto_tagger_weights();
    struct sotto_tagger *tagger;
    struct sotto_tag_job *job;
    double seconds[RUNS_MAX], longest = 0;
    size_t found = 0;

    if (sotto_tagger_open(&files, kind, kernels, &tagger) != SOTTO_OK ||
        sotto_tag_job_new(tagger, &job) != SOTTO_OK) {
        fprintf(stderr, "bench_tagger: cannot start\n");
        exit(1);
    }
    for (size_t i = 0; i < runs; i++) {
        seconds[i] = one_run(job, text, &found, &longest);
    }
    qsort(seconds, runs, sizeof(seconds[0]), by_value);
    double mb = (double)text.len / 1e6;
    printf(
        "%-7s %-10s %7.4f MB/s (%.3f to %.3f), longest step %.0f us, %zu findings in %zu bytes\n",
        name, kernels, mb / seconds[runs / 2], mb / seconds[runs - 1], mb / seconds[0],
        longest * 1e6, found, text.len);
    sotto_tag_job_free(job);
    sotto_tagger_free(tagger);
}

int main(int argc, char **argv)
{
    size_t len, runs = argc > 2 ? strtoul(argv[2], NULL, 10) : 11;
    char *text = read_text(argc > 1 ? argv[1] : NULL, &len);

    runs = runs < 1 ? 1 : runs > RUNS_MAX ? RUNS_MAX : runs;
    for (size_t i = 0; sotto_ner_kernels_all[i] != NULL; i++) {
        const char *kernels = sotto_ner_kernels_all[i]->name;
        bool slow = i == 0; /* the reference is no contender */
        size_t part = len > 16384 ? 16384 : len;
        if (sotto_ner_kernels_all[i]->usable()) {
            bench("small", SOTTO_TAGGER_SMALL, kernels, sotto_span_init(text, slow ? part : len),
                  slow ? 1 : runs);
            bench("cascade", SOTTO_TAGGER_CASCADE, kernels, sotto_span_init(text, part), 1);
            bench("large", SOTTO_TAGGER_LARGE, kernels, sotto_span_init(text, part), 1);
        }
    }
    free(text);
    return 0;
}
