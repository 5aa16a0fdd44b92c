/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How fast are the recognizers on one core?  Two megabytes of prose with about five entities a
 * kilobyte, and the same without, in windows of 4 KiB as the detector uses them; CPU time.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "detect/pattern/pattern.h"

#define BENCH_BYTES  2000000
#define BENCH_WINDOW 4096
#define BENCH_ROUNDS 15

static const char *const bench_prose[] = {
    "The committee met in the afternoon and went through the list of open questions one by one. ",
    "Most of the members agreed that the plan was sound, although some had doubts about the cost. ",
    "Nothing in the report suggests that the measure would have been effective without support. ",
    "Il faut que les enfants apprennent à lire avant de savoir écrire, disait souvent la dame. ",
    "Die meisten Besucher kamen am Morgen, als die Straßen noch leer waren und der Markt schlief. ",
    "She put the kettle on, looked out of the window and thought about what had been said. ",
    "La casa estaba en silencio y nadie se atrevía a decir lo que todos pensaban desde hacía "
    "días. ",
};

static const char *const bench_entities[] = {
    "Write to jane.doe@example.org. ",
    "Call +41 44 668 18 00. ",
    "Paid with 4111 1111 1111 1111. ",
    "SSN 123-45-6789. ",
    "IBAN CH93 0076 2011 6238 5295 7. ",
    "Seen on March 3, 2021. ",
    "See https://example.org/users/42. ",
    "From 192.168.17.24 again. ",
    "MRN: 483-22-91. ",
    "At 12 Main Street, Springfield, IL 62704. ",
    "She is 94 years old. ",
    "AHV 756.9217.0769.85. ",
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Fills `text`; after each `every` bytes comes an entity (0: none). */
static size_t compose(char *text, size_t every)
{
    size_t len = 0, since = 0, p = 0, e = 0;
    for (;;) {
        bool entity = every != 0 && since >= every;
        const char *piece = entity ? bench_entities[e++ % SOTTO_COUNT(bench_entities)]
                                   : bench_prose[p++ % SOTTO_COUNT(bench_prose)];
        size_t n = strlen(piece);
        if (len + n > BENCH_BYTES) {
            return len;
        }
        memcpy(text + len, piece, n);
        len += n;
        since = entity ? 0 : since + n;
    }
}

static size_t scan(const struct sotto_patterns *patterns, struct sotto_patterns_scratch *scratch,
                   sotto_span text, struct sotto_findings *found)
{
    sotto_findings_clear(found);
    for (size_t at = 0; at < text.len; at += BENCH_WINDOW) {
        size_t end = text.len - at > BENCH_WINDOW ? at + BENCH_WINDOW : text.len;
        if (sotto_patterns_scan(patterns, scratch, text, at, end, found) != SOTTO_OK) {
            abort();
        }
    }
    return found->count;
}

static void measure(const struct sotto_patterns *patterns, const char *name, size_t every)
{
    static char bytes[BENCH_BYTES];
    struct sotto_patterns_scratch *scratch;
    struct sotto_findings found = {0};
    sotto_span text = sotto_span_init(bytes, compose(bytes, every));
    double rate[BENCH_ROUNDS];
    if (sotto_patterns_scratch_new(&scratch) != SOTTO_OK) {
        abort();
    }
    size_t count = 0;
    for (size_t i = 0; i < BENCH_ROUNDS; i++) {
        double start = now();
        count = scan(patterns, scratch, text, &found);
        rate[i] = (double)text.len / (now() - start) / 1e6;
    }
    qsort(rate, BENCH_ROUNDS, sizeof(rate[0]), by_value);
    printf("recognizers, %s: median %.1f MB/s (%.1f to %.1f), %.1f findings a KB\n", name,
           rate[BENCH_ROUNDS / 2], rate[0], rate[BENCH_ROUNDS - 1],
           (double)count * 1024 / (double)text.len);
    sotto_findings_free(&found);
    sotto_patterns_scratch_free(scratch);
}

int main(void)
{
    struct sotto_patterns *patterns;
    double start = now();
    if (sotto_patterns_new(&patterns) != SOTTO_OK) {
        return 1;
    }
    printf("recognizers, start: %.2f ms\n", (now() - start) * 1e3);
    measure(patterns, "prose with five entities a KB", 170);
    measure(patterns, "prose without", 0);
    sotto_patterns_free(patterns);
    return 0;
}
