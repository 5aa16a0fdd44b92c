/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_NER_READING_H
#define SOTTO_DETECT_NER_READING_H

/*
 * A second neural reader: an encoder (BERT, with weights of eight bits) that reads a passage of
 * tokens as a whole and gives each the numbers of its tags, as the head of the tagger's own network
 * does.
 *
 *     sotto_ner_reading_begin(r);
 *     while (there is a token && sotto_ner_reading_add(r, ...)) { take the next one }
 *     while (!sotto_ner_reading_step(r)) { do something else }
 *     sotto_ner_reading_logits(r, 0, out); ...
 *
 * An encoder is immutable and shared by all threads; its weights are read in place.  A reading
 * belongs to one thread and is used again for the next passage.  It holds constant memory, 0.9 MiB
 * for an encoder of width 384 and inner width 1536 and at most 1.2 MiB.
 *
 * The numbers depend on the tokens and the weights alone: not on the steps, not on what the reading
 * did before, and not on the processor (see detect/ner/encoder_kernel.h and encoder_math.h).
 */

#include "detect/ner/encoder_model.h"
#include "detect/ner/model.h"
#include "detect/ner/token.h"

/** Most pieces of a passage, without the one before them and the one behind them. */
#define SOTTO_NER_PIECES (SOTTO_NER_ENCODER_POSITIONS - 2)

/** Multiply-adds of a step, about. */
#define SOTTO_NER_STEP_MACS ((size_t)4 << 20)

/** Size of the greatest number that comes out. */
#define SOTTO_NER_LOGIT_MAX (1 << 20)

struct sotto_ner_encoder;
struct sotto_ner_reading;

/**
 * Opens a file of an encoder.
 *
 * @param file      borrowed, must outlive the encoder; aligned to 64 bytes; hostile input
 * @param trusted   whether the checksum may be left out: for a file that is part of the program
 * @param kernels   name of the kernels ("reference", "avx2", "avx512", "vnni"); NULL: the fastest
 * @param[out] out  set only on SOTTO_OK; the caller frees it with sotto_ner_encoder_free()
 *
 * @retval SOTTO_EFORMAT  not such a file of this version, damaged or not aligned
 * @retval SOTTO_ECRYPTO
 * @retval SOTTO_EINVAL   this processor cannot run the named kernels
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_ner_encoder_open(sotto_span file, bool trusted,
                                                       const char *kernels,
                                                       struct sotto_ner_encoder **out);

/** Frees; NULL is allowed.  All readings of it must be gone. */
void sotto_ner_encoder_free(struct sotto_ner_encoder *encoder);

/** What the file says of the encoder; as long-lived as the encoder. */
const struct sotto_ner_encoder_model *
sotto_ner_encoder_model(const struct sotto_ner_encoder *encoder);

/** Name of the kernels in use. */
const char *sotto_ner_encoder_kernels(const struct sotto_ner_encoder *encoder);

/**
 * Makes a reading, with a passage of no tokens begun.
 *
 * @param encoder   borrowed, must outlive the reading
 * @param[out] out  set only on SOTTO_OK; the caller frees it with sotto_ner_reading_free()
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_ner_reading_new(const struct sotto_ner_encoder *encoder,
                                                      struct sotto_ner_reading **out);

/** Wipes and frees; NULL is allowed. */
void sotto_ner_reading_free(struct sotto_ner_reading *reading);

/** Begins a passage of no tokens; what was unfinished is dropped, and what was read is wiped. */
void sotto_ner_reading_begin(struct sotto_ner_reading *reading);

/**
 * Adds a token to a passage of which no step has been done.
 *
 * @param text   of which the token is text[start, end); not needed any more afterwards
 * @param kind   enum sotto_ner_kind
 * @param shape  of the token, see struct sotto_ner_token
 * @param flags  of its word in the lexicon, see sotto_ner_model_lookup(); of anything else 0
 * @return whether it was added; false: there is no room, nothing has changed.  The first token of a
 *         passage always fits.
 */
bool sotto_ner_reading_add(struct sotto_ner_reading *reading, sotto_span text, uint32_t start,
                           uint32_t end, uint8_t kind, uint8_t shape, uint16_t flags);

/** Tokens of the passage. */
size_t sotto_ner_reading_count(const struct sotto_ner_reading *reading);

/** Does about SOTTO_NER_STEP_MACS multiply-adds.  @return whether the passage is read */
bool sotto_ner_reading_step(struct sotto_ner_reading *reading);

/** The same for another amount, at least one piece of work; SIZE_MAX: all. */
bool sotto_ner_reading_run(struct sotto_ner_reading *reading, size_t macs);

/**
 * The numbers of a token of a passage that is read, in 1/256 and at most SOTTO_NER_LOGIT_MAX in
 * size; those behind the SOTTO_NER_TAGS tags are 0.
 *
 * @param at  which token, 0: the first one added
 */
void sotto_ner_reading_logits(const struct sotto_ner_reading *reading, size_t at,
                              int32_t out[SOTTO_NER_HEAD]);

#endif
