/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_TAGGER_H
#define SOTTO_DETECT_NER_TAGGER_H

/*
 * The neural layer of detection: it finds names, places, organisations, dates, ages, occupations and
 * the rest in English, German, French, Spanish and Italian.  A convolution over words reads everything;
 * an encoder (reading.h), some sixty times slower, may read again what it is unsure of, or all.
 *
 * A tagger is immutable and shared by all threads; its weights are read in place.  A job belongs to
 * one thread, holds constant memory (about 250 KiB, 0.9 MiB more with an encoder) whatever the text,
 * and is used again for the next text.  It works in small steps: with any budget one step lasts half
 * a millisecond at most (in portable C 2.5) plus the time for the budget, so an event loop can do
 * other things in between.
 *
 * The findings depend on the text and the weights alone: not on the budgets, not on what the job did
 * before, and not on the processor, because all kernels compute the same numbers to the bit.
 *
 * Findings come out sorted by start, without overlaps, on the boundaries of tokens (runs of letters,
 * runs of digits, single signs); a line break or a sign at an end is left out.  The score is the
 * network's mean probability that there is anything, whatever the label, with what the model adds in
 * favour of finding (see model/README.md): 500 is "as likely as not".
 *
 * Among them are hints (SOTTO_RULE_TAGGER_HINT): words that are probably nothing but may be something,
 * for those who know more; SOTTO_TAG_HINT_MIN and above.
 */

#include "detect/finding.h"

/** Least score of a hint. */
#define SOTTO_TAG_HINT_MIN 110

/** Who reads. */
enum sotto_tagger_kind {
    SOTTO_TAGGER_SMALL,   /* the convolution alone */
    SOTTO_TAGGER_CASCADE, /* the encoder too, passages where the convolution is unsure */
    SOTTO_TAGGER_LARGE,   /* the encoder too, every passage */
};

struct sotto_tagger;
struct sotto_tag_job;

/** Model files; borrowed, must outlive the tagger; aligned to 64 bytes; hostile input. */
struct sotto_tagger_files {
    sotto_span small; /* docs/wire/model-file.md */
    sotto_span large; /* docs/wire/encoder-file.md; not read for SOTTO_TAGGER_SMALL */
};

/**
 * Opens the models that are part of the program.
 *
 * @param[out] out  set only on SOTTO_OK; the caller frees it with sotto_tagger_free()
 *
 * @retval SOTTO_EFORMAT  the program was built with a damaged model
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_tagger_new(enum sotto_tagger_kind kind,
                                                 struct sotto_tagger **out);

/**
 * Opens model files.
 *
 * @param kernels   name of the kernels ("reference", "avx2", "avx512", "vnni"); NULL: the fastest
 * @param[out] out  set only on SOTTO_OK; the caller frees it with sotto_tagger_free()
 *
 * @retval SOTTO_EFORMAT  not a model file of this version, or damaged
 * @retval SOTTO_ECRYPTO
 * @retval SOTTO_EINVAL   this processor cannot run the named kernels
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_tagger_open(const struct sotto_tagger_files *files,
                                                  enum sotto_tagger_kind kind, const char *kernels,
                                                  struct sotto_tagger **out);

/** Frees; NULL is allowed.  All jobs of it must be gone. */
void sotto_tagger_free(struct sotto_tagger *tagger);

/** Name of the kernels in use. */
const char *sotto_tagger_kernels(const struct sotto_tagger *tagger);

/** The model files that are part of the program, for tests and benchmarks. */
struct sotto_tagger_files sotto_tagger_weights(void);

/** Makes a job.  @param tagger borrowed, must outlive the job.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_tag_job_new(const struct sotto_tagger *tagger,
                                                  struct sotto_tag_job **out);

/** Wipes and frees; NULL is allowed. */
void sotto_tag_job_free(struct sotto_tag_job *job);

/**
 * Starts on a text; what was unfinished is dropped.
 *
 * @param text  valid UTF-8 of less than 4 GiB; borrowed until the job is done, begun anew or freed
 */
void sotto_tag_begin(struct sotto_tag_job *job, sotto_span text);

/**
 * Does a part of the work and appends what it found.
 *
 * @param budget     about how many bytes of text to go over, at least one piece of work is done;
 *                   SIZE_MAX: all
 * @param list       the same in all steps of a text; kept sorted by what is appended
 * @param[out] done  whether the text is finished; further steps do nothing
 *
 * @retval SOTTO_ENOMEM  from `list`; the job must be begun anew
 */
SOTTO_MUST_CHECK enum sotto_err sotto_tag_step(struct sotto_tag_job *job, size_t budget,
                                               struct sotto_findings *list, bool *done);

/** Wipes what the job holds of its text and of those before; it must be begun anew. */
void sotto_tag_forget(struct sotto_tag_job *job);

/** What the last step used of its budget, in bytes. */
size_t sotto_tag_spent(const struct sotto_tag_job *job);

#endif
