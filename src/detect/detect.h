/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_DETECT_H
#define SOTTO_DETECT_DETECT_H

/*
 * Detection of personal data in one text: all layers, then one merge.
 *
 * A detector is immutable and shared by all threads.  A job belongs to one thread; it goes over
 * one text in steps of bounded work, so that an event loop can do other things in between, and is
 * used again for the next text.  The result depends on the text and the detector alone: not on
 * the sizes of the steps, not on what the job did before.
 *
 * Findings come out sorted by start, without overlaps, on whole words in the sense of Unicode.
 */

#include "detect/finding.h"

struct sotto_detector;
struct sotto_detect_job;

/** A word of an allow list (never a finding) or a deny list (always one). */
struct sotto_detect_word {
    sotto_span text;        /* compared without case */
    enum sotto_label label; /* deny list only */
};

/** A recognizer from the configuration. */
struct sotto_detect_custom {
    sotto_span name; /* shows as FINER and in explanations */
    enum sotto_label label;
    sotto_span pattern; /* regular expression (PCRE2 syntax without back-references), or empty */
    const sotto_span *words; /* literal words, or none */
    size_t word_count;
    const sotto_span *context; /* words of which one must stand near; none: not needed */
    size_t context_count;
    sotto_span checksum; /* name of a check in detect/validate/, or empty */
    uint16_t score;
};

/** The neural layer, which finds most names and costs most of the time. */
enum sotto_detect_tagger {
    SOTTO_DETECT_SMALL,   /* a convolution over words */
    SOTTO_DETECT_CASCADE, /* and an encoder where that is unsure */
    SOTTO_DETECT_LARGE,   /* and an encoder everywhere */
    SOTTO_DETECT_NONE,    /* left out */
};

/** Their names, as configuration and commands take them; ends with NULL. */
extern const char *const sotto_detect_taggers[];

struct sotto_detector_options {
    uint16_t threshold[SOTTO_LABEL_COUNT]; /* findings below are dropped; 0: the built-in default */
    const struct sotto_detect_word *allow;
    size_t allow_count;
    const struct sotto_detect_word *deny;
    size_t deny_count;
    const struct sotto_detect_custom *custom;
    size_t custom_count;
    bool names_off; /* leave out the layer of name lists and cues */
    uint8_t tagger; /* enum sotto_detect_tagger */
};

/**
 * Makes a detector.
 *
 * @param options   borrowed for the call; NULL: all defaults
 * @param[out] out  set only on SOTTO_OK; the caller frees it with sotto_detector_free()
 * @param[out] why  on SOTTO_EINVAL a sentence about the option that is wrong; may be NULL
 *
 * @retval SOTTO_EINVAL  a custom recognizer cannot be compiled, a checksum has no such name
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_detector_new(const struct sotto_detector_options *options,
                                                   struct sotto_detector **out, char why[256]);

/** Frees; NULL is allowed.  All jobs of it must be gone. */
void sotto_detector_free(struct sotto_detector *detector);

/** Makes a job.  @param detector borrowed, must outlive the job.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_detect_job_new(const struct sotto_detector *detector,
                                                     struct sotto_detect_job **out);

/** Wipes and frees; NULL is allowed. */
void sotto_detect_job_free(struct sotto_detect_job *job);

/**
 * Starts on a text.
 *
 * @param text  valid UTF-8 of less than 4 GiB; borrowed until the job is done, begun anew or freed
 */
void sotto_detect_begin(struct sotto_detect_job *job, sotto_span text);

/**
 * Says in which language the text is; before the first step.  Without it the layers guess.
 *
 * @param code  "en", "de", "fr", "es", "it"; anything else, empty too: guess
 */
void sotto_detect_language(struct sotto_detect_job *job, sotto_span code);

/** Wipes what the tagger holds of the texts; the job must be begun anew. */
void sotto_detect_forget(struct sotto_detect_job *job);

/**
 * Does a part of the work.
 *
 * @param budget     about how many bytes of text to go over; SIZE_MAX: all
 * @param[out] done  whether the findings are complete
 *
 * @retval SOTTO_ELIMIT  a custom recognizer is too slow on this text
 * @retval SOTTO_ENOMEM  the job must be begun anew, as for the other
 */
SOTTO_MUST_CHECK enum sotto_err sotto_detect_step(struct sotto_detect_job *job, size_t budget,
                                                  bool *done);

/** What the last step used of its budget, in bytes; more than the budget by up to a piece of work. */
size_t sotto_detect_spent(const struct sotto_detect_job *job);

/** The findings; complete when a step said so; valid until the job is begun anew or freed. */
const struct sotto_findings *sotto_detect_result(const struct sotto_detect_job *job);

/** The name of the exact type of a finding ("CH_AHV", the name of a custom recognizer), or NULL. */
const char *sotto_detect_finer(const struct sotto_detector *detector,
                               const struct sotto_finding *finding);

/** The name of the rule that made a finding, for explanations; never NULL. */
const char *sotto_detect_rule(const struct sotto_detector *detector,
                              const struct sotto_finding *finding);

#endif
