/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/whole.h"

#include <string.h>

#include "base/compiler.h"
#include "detect/finer.h"
#include "text/word.h"

static bool is_one_of(sotto_span word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (sotto_span_eq(word, sotto_span_str(list[i]))) {
            return true;
        }
    }
    return false;
}

/* What may stand between two parts of one name. */
static bool is_hyphen(sotto_span gap)
{
    static const char *const hyphens[] = {"-", ".-", " - ", "\xe2\x80\x90", "\xe2\x80\x91"};
    return is_one_of(gap, hyphens, SOTTO_COUNT(hyphens));
}

static bool is_particle(sotto_span gap)
{
    static const char *const particles[] = {" of ", " von ", " van ", " de ", " di ",
                                            " da ", " du ",  " zu ",  " d'"};
    return is_one_of(gap, particles, SOTTO_COUNT(particles));
}

static bool is_roman(uint8_t c)
{
    return c == 'I' || c == 'V' || c == 'X';
}

/* "Charles II", "Friedrich II." */
static bool ends_in_number(sotto_span name)
{
    size_t end = name.len, start;
    if (end > 0 && name.base[end - 1] == '.') {
        end--;
    }
    for (start = end; start > 0 && is_roman(name.base[start - 1]); start--) {
    }
    return start < end && start > 0 && name.base[start - 1] == ' ';
}

static bool is_part(sotto_span text, const struct sotto_finding *a, const struct sotto_finding *b)
{
    sotto_span gap = sotto_span_sub(text, a->end, b->start);

    if (b->label == SOTTO_LABEL_PERSON) {
        return is_hyphen(gap) || is_particle(gap);
    }
    return b->label == SOTTO_LABEL_LOCATION && is_particle(gap) &&
           ends_in_number(sotto_span_sub(text, a->start, a->end));
}

/* The end of a name with what belongs to it from `end` on, before `limit`. */
static size_t suffix_end(sotto_span text, size_t end, size_t limit)
{
    static const char *const suffixes[] = {" Jr.", ", Jr.", " Jr", ", Jr", " Sr.", ", Sr.",
                                           " Sr",  " III",  " II", " IV.", " IV"};
    for (size_t i = 0; i < SOTTO_COUNT(suffixes); i++) {
        size_t len = strlen(suffixes[i]);
        if (len <= limit - end && memcmp(text.base + end, suffixes[i], len) == 0 &&
            (suffixes[i][len - 1] == '.' || !sotto_word_char_at(text, end + len))) {
            return end + len;
        }
    }
    /* An initial that ends the entry of a list: "Kara S, Hollmann F;". */
    bool initial = limit - end >= 2 && text.base[end] == ' ' && text.base[end + 1] >= 'A' &&
                   text.base[end + 1] <= 'Z';
    bool ends =
        initial && end + 2 < text.len && (text.base[end + 2] == ',' || text.base[end + 2] == ';');
    return ends ? end + 2 : end;
}

/* The start of a name with a style of the peerage that is half of it: "Lord Byron", from `floor`. */
static size_t style_start(sotto_span text, size_t start, size_t floor)
{
    static const char *const styles[] = {"Lord ", "Lady ", "Lord Justice ", "Lady Justice "};
    for (size_t i = 0; i < SOTTO_COUNT(styles); i++) {
        size_t len = strlen(styles[i]);
        if (len <= start - floor && memcmp(text.base + start - len, styles[i], len) == 0 &&
            !sotto_word_char_before(text, start - len)) {
            return start - len;
        }
    }
    return start;
}

/* The start of a name with a first name before it that is mostly shortened: "M.ª Jesús Marín". */
static size_t shortened_start(sotto_span text, size_t start, size_t floor)
{
    static const char maria[] = "M.\xc2\xaa ";
    size_t len = sizeof(maria) - 1;
    bool stands = len <= start - floor && memcmp(text.base + start - len, maria, len) == 0 &&
                  !sotto_word_char_before(text, start - len);
    return stands ? start - len : start;
}

/* Whether what ends at `at` goes on within a sentence: a capital there is no sentence's. */
static bool is_within_sentence(sotto_span text, size_t at)
{
    if (at < 2 || text.base[at - 1] != ' ') {
        return false;
    }
    uint8_t b = text.base[at - 2];
    bool letter_of_latin_1 = b >= 0x80 && at >= 3 && text.base[at - 3] == 0xc3;
    return (b >= 'a' && b <= 'z') || b == ',' || letter_of_latin_1;
}

/* The start of a surname with the particle that begins it: "Di Lorenzo", from `floor`. */
static size_t particle_start(sotto_span text, size_t start, size_t floor)
{
    static const char *const particles[] = {"Di ", "De ", "Del ", "Della ", "Dal ", "Da ", "Lo ",
                                            "La ", "Le ", "Van ", "Von ",   "El ",  "Dos "};
    for (size_t i = 0; i < SOTTO_COUNT(particles); i++) {
        size_t len = strlen(particles[i]);
        if (len <= start - floor && memcmp(text.base + start - len, particles[i], len) == 0 &&
            is_within_sentence(text, start - len)) {
            return start - len;
        }
    }
    return start;
}

/* Whether what is before `start`, from `floor` on, ends with the whole words `head`. */
static bool stands_before(sotto_span text, size_t start, size_t floor, const char *head)
{
    size_t len = strlen(head);
    return len <= start - floor && memcmp(text.base + start - len, head, len) == 0 &&
           !sotto_word_char_before(text, start - len);
}

/*
 * The start of a hospital that is named for a place or a person: "CH de Saint-Dizier", "Klinikum
 * Straubing", from `floor`.
 */
static size_t hospital_start(sotto_span text, size_t start, size_t floor)
{
    static const char *const heads[] = {"CH",
                                        "CHU",
                                        "CHR",
                                        "CHRU",
                                        "CHI",
                                        "CHS",
                                        "Polyclinique",
                                        "Clinique",
                                        "H\xc3\xb4pital",
                                        "EHPAD",
                                        "MVZ",
                                        "Klinikum",
                                        "Klinik",
                                        "Uniklinik",
                                        "Krankenhaus",
                                        "Universit\xc3\xa4tsklinikum",
                                        "Universitaetsklinikum",
                                        "Hochschule"};
    static const char *const links[] = {" ",       " de ", " du ", " d'", " d\xe2\x80\x99",
                                        " de la ", " des "};
    for (size_t i = 0; i < SOTTO_COUNT(links); i++) {
        size_t len = strlen(links[i]);
        if (len > start - floor || memcmp(text.base + start - len, links[i], len) != 0) {
            continue;
        }
        for (size_t k = 0; k < SOTTO_COUNT(heads); k++) {
            if (stands_before(text, start - len, floor, heads[k])) {
                return start - len - strlen(heads[k]);
            }
        }
    }
    return start;
}

void sotto_whole_names(sotto_span text, struct sotto_findings *findings)
{
    size_t kept = 0;
    for (size_t i = 0; i < findings->count; i++) {
        struct sotto_finding f = findings->items[i];
        struct sotto_finding *last = kept != 0 ? &findings->items[kept - 1] : NULL;
        if (last != NULL && last->label == SOTTO_LABEL_PERSON && is_part(text, last, &f)) {
            last->end = f.end;
            continue;
        }
        findings->items[kept++] = f;
    }
    findings->count = kept;
    for (size_t i = 0; i < kept; i++) {
        struct sotto_finding *f = &findings->items[i];
        size_t limit = i + 1 < kept ? findings->items[i + 1].start : text.len;
        size_t floor = i == 0 ? 0 : findings->items[i - 1].end;
        if (f->label == SOTTO_LABEL_PERSON) {
            f->start = (uint32_t)style_start(text, f->start, floor);
            f->start = (uint32_t)shortened_start(text, f->start, floor);
            f->start = (uint32_t)particle_start(text, f->start, floor);
            f->end = (uint32_t)suffix_end(text, f->end, limit);
        } else if (f->label == SOTTO_LABEL_LOCATION || f->label == SOTTO_LABEL_ORG) {
            size_t start = hospital_start(text, f->start, floor);
            f->finer = start < f->start ? SOTTO_FINER_NONE : f->finer;
            f->start = (uint32_t)start;
        }
    }
}
