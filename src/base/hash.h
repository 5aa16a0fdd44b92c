/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_BASE_HASH_H
#define SOTTO_BASE_HASH_H

#include "base/span.h"

/** Length of a key of sotto_hash64(). */
#define SOTTO_HASH_KEY_BYTES 16

/**
 * SipHash-1-3 of `in` (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012, with the
 * round counts that Rust and Python use for tables).  For hash tables that hold what strangers
 * chose; never for tokens, which need the full strength of HMAC.
 */
uint64_t sotto_hash64(const uint8_t key[SOTTO_HASH_KEY_BYTES], sotto_span in);

#endif
