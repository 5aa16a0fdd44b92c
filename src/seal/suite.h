/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_SUITE_H
#define SOTTO_SEAL_SUITE_H

#include "crypto/kem.h"

/** What `encryption` may ask for: a way of agreeing on a key of AES-256-GCM.  A row of a table. */
struct sotto_suite {
    const char *name;     /* in requests and answers: "kyber512", "x-wing", "rsa4096" */
    const char *standard; /* what that is, exactly */
    const struct sotto_kem *kem;
    int strength;        /* a suite with a smaller number is weaker */
    int64_t pair_life_s; /* for how long the gateway uses a key pair of its own */
    bool ephemeral;      /* clients send a fresh public key; else they encrypt to a published one */
};

#define SOTTO_SUITE_COUNT 3

/** All suites, the strongest first. */
extern const struct sotto_suite sotto_suites[SOTTO_SUITE_COUNT];

/** The suite of a word; "auto" is the strongest one; NULL: none has this name. */
const struct sotto_suite *sotto_suite_find(sotto_span word);

/** Place of a suite in the table. */
static inline size_t sotto_suite_index(const struct sotto_suite *suite)
{
    return (size_t)(suite - sotto_suites);
}

#endif
