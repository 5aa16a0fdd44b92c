/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PIPELINE_MASKING_H
#define SOTTO_PIPELINE_MASKING_H

/*
 * Masks a request: finds personal data in every text slot of a call's document, decides by the
 * mode what is replaced, and puts tokens in its place.  Works in steps of bounded size, so that an
 * event loop can serve others in between; the result does not depend on the steps.
 *
 * After it is done the document holds no value that the mode replaces, and the vault holds what
 * the answer needs.  On any failure the document must not be sent.
 *
 * One object serves one request.  Not thread-safe.
 */

#include "chat/call.h"
#include "chat/problem.h"
#include "detect/cache.h"
#include "detect/detect.h"
#include "policy/mode.h"
#include "vault/vault.h"

/** Length of what stands for `user`: enough that tenants' users do not collide. */
#define SOTTO_MASKING_USER_LEN 32

/** Keys of one tenant; see store/secrets.h for how they are derived. */
struct sotto_masking_keys {
    uint8_t token[SOTTO_VAULT_KEY_BYTES]; /* codes of tokens, names of conversations */
    uint8_t user[SOTTO_VAULT_KEY_BYTES];  /* hashes of `user` and `safety_identifier` */
    uint8_t cache[SOTTO_VAULT_KEY_BYTES]; /* names in the cache of findings */
};

struct sotto_masking_options {
    const struct sotto_detector *detector; /* of the job */
    const struct sotto_mode *mode;
    const struct sotto_masking_keys *keys;
    enum sotto_style style;
    bool pass_user;            /* leave `user` and `safety_identifier` as they are */
    size_t max_depth;          /* of JSON inside strings */
    struct sotto_cache *cache; /* of this detector; NULL: every text is gone over */
    int64_t now_ms;            /* for the cache */
};

/** What was done, for headers, log and audit: numbers, never text. */
struct sotto_masking_counts {
    uint32_t found[SOTTO_LABEL_COUNT];
    uint32_t replaced[SOTTO_LABEL_COUNT];
    uint32_t replaced_total;
    uint32_t blocked[SOTTO_LABEL_COUNT]; /* what the mode lets no request have */
    uint32_t blocked_total;
    uint32_t special;        /* findings of special categories, to be flagged */
    uint64_t detected_bytes; /* of text that detection went over */
    uint64_t recalled_bytes; /* of text whose findings were in the cache */
    unsigned unprotected;    /* bits of enum sotto_unprotected that passed */
};

struct sotto_masking;

/**
 * Collects the slots.
 *
 * @param call      its document is changed by the steps; must outlive the object
 * @param options   borrowed until the object is freed, with all it points to
 * @param job       lent until a step says done or fails; of `options->detector`
 * @param[out] out  set only on SOTTO_OK; freed with sotto_masking_free()
 *
 * @retval SOTTO_EINVAL  the mode refuses content that cannot be protected; `problem` says where
 * @retval SOTTO_ELIMIT  too many texts; `problem` says so
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_masking_new(struct sotto_call *call,
                                                  const struct sotto_masking_options *options,
                                                  struct sotto_detect_job *job,
                                                  struct sotto_masking **out,
                                                  struct sotto_problem *problem);

/** Wipes and frees, the vault too unless it was taken; NULL is allowed. */
void sotto_masking_free(struct sotto_masking *m);

/**
 * Does a part of the work.
 *
 * @param budget     about how many bytes of text to go over; SIZE_MAX: all
 * @param[out] done  whether the document is masked
 *
 * @retval SOTTO_EDENIED  the mode blocks what was found: the counts say what, all of it
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO, SOTTO_ELIMIT  the document must not be sent
 */
SOTTO_MUST_CHECK enum sotto_err sotto_masking_step(struct sotto_masking *m, size_t budget,
                                                   bool *done);

/** Hands the vault over to the caller, who frees it; once, when done.  NULL: nothing was found. */
struct sotto_vault *sotto_masking_take_vault(struct sotto_masking *m);

/** The keyed hash of the request's `user`; empty: it had none.  Borrowed until it is freed. */
sotto_span sotto_masking_user(const struct sotto_masking *m);

const struct sotto_masking_counts *sotto_masking_counts(const struct sotto_masking *m);

/**
 * For x-sotto-explain, when done: {"sent": the masked texts, "findings": [...]}, made only where
 * the call asks for it.  Hands it over to the caller; NULL when it was not asked for.
 */
yyjson_mut_doc *sotto_masking_take_explanation(struct sotto_masking *m);

#endif
