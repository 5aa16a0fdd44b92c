/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_CACHE_H
#define SOTTO_DETECT_CACHE_H

/*
 * Findings of texts that were seen a short time ago, so that a conversation whose history comes
 * with every request costs detection of its new messages only.
 *
 * An entry is the keyed hash of a text and its findings: offsets, labels, scores and rules, never
 * a byte of the text.  The key is the tenant's, so tenants never meet.  An entry is gone ten
 * minutes after its last use, or earlier when there is no more room; what goes is wiped.  A cache
 * belongs to one detector.
 *
 * Thread-safe.  Work under a lock is a look-up or a copy of findings.
 */

#include "crypto/hmac.h"
#include "detect/finding.h"

/** How long an entry lives after its last use. */
#define SOTTO_CACHE_KEEP_MS ((int64_t)600000)

struct sotto_cache;

/** The name of a text: an HMAC under the tenant's key. */
struct sotto_cache_name {
    uint8_t mac[SOTTO_HMAC_BYTES];
};

/**
 * @param max_bytes  about what all entries may take; the least used go first
 * @param[out] out   set only on SOTTO_OK; freed with sotto_cache_free()
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_cache_new(size_t max_bytes, struct sotto_cache **out);

/** Wipes and frees; NULL is allowed. */
void sotto_cache_free(struct sotto_cache *cache);

/**
 * Names a text.
 *
 * @param tenant   with the tenant's key for this use
 * @param context  what detection saw before the text; may be empty
 *
 * @retval SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_cache_name(struct sotto_hmac *tenant, sotto_span context,
                                                 sotto_span text, struct sotto_cache_name *out);

/**
 * Appends the findings of a text and keeps them for another while.
 *
 * @param now_ms      of one clock that never goes back
 * @param[out] known  whether there were any to append, or the text is known to have none
 *
 * @retval SOTTO_ENOMEM  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_cache_get(struct sotto_cache *cache,
                                                const struct sotto_cache_name *name, int64_t now_ms,
                                                struct sotto_findings *out, bool *known);

/** Keeps the findings of a text; without memory for them, not. */
void sotto_cache_put(struct sotto_cache *cache, const struct sotto_cache_name *name, int64_t now_ms,
                     const struct sotto_findings *found);

/** Wipes what is too old, a bounded number of entries at a time; to be called every second. */
void sotto_cache_sweep(struct sotto_cache *cache, int64_t now_ms);

/** What the entries take now, in bytes. */
size_t sotto_cache_bytes(struct sotto_cache *cache);

#endif
