/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_PATTERN_WORDS_H
#define SOTTO_DETECT_PATTERN_WORDS_H

/*
 * The words that recognizers know, in English, German, French, Italian and Spanish: months,
 * units of age, kinds of streets, and the labels and context of identifiers.  Compared without
 * case and diacritics; phrases are rows too.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

/* What a word does. */
enum {
    ROLE_FILLER = 1 << 0,       /* may stand between a label and its value */
    ROLE_NUMBER = 1 << 1,       /* "number", "Nr.", "n°": makes the word before it a label */
    ROLE_LABEL = 1 << 2,        /* a value directly behind it belongs to it */
    ROLE_MONTH = 1 << 3,        /* `value` 1 to 12 */
    ROLE_YEARS = 1 << 4,        /* unit of age */
    ROLE_MONTHS = 1 << 5,       /* unit of age of the small: months, weeks, days */
    ROLE_OLD = 1 << 6,          /* "old", "alt", "d'âge" behind the unit */
    ROLE_AGED = 1 << 7,         /* "aged", "edad", "Alter" before the number */
    ROLE_STREET_LAST = 1 << 8,  /* "Street": kind of street behind its name */
    ROLE_STREET_FIRST = 1 << 9, /* "rue": kind of street before its name */
    ROLE_COMPASS = 1 << 10,     /* "North", "SW" */
    ROLE_UNIT_PART = 1 << 11,   /* "Apt", "Suite", "étage" */
    ROLE_BOX = 1 << 12,         /* "Postfach" */
    ROLE_STATE = 1 << 13,       /* US state or its abbreviation */
    ROLE_COUNTRY = 1 << 14,     /* country as the last line of an address */
    ROLE_YEAR_CUE = 1 << 15,    /* "since", "seit": a bare year follows */
    ROLE_SECRET = 1 << 16,      /* "password", "api key": label of a secret */
    ROLE_SECRET_HEAD = 1 << 17, /* "ghp", "sk": a secret begins with it */
    ROLE_TLD = 1 << 18,         /* top-level domain; `value` 1: also a common word */
    ROLE_WEEKDAY = 1 << 19,
    ROLE_MEASURE = 1 << 20,  /* "mg", "km": the number before it is an amount */
    ROLE_PERSON = 1 << 21,   /* "man", "patient", "Frau": an age beside it is somebody's */
    ROLE_LINK = 1 << 22,     /* "de", "of": inside street names and dates */
    ROLE_CODE = 1 << 23,     /* "begin": start of a PEM block, "http", "www" */
    ROLE_NEGATIVE = 1 << 24, /* "version", "ISBN", "page": the number is not personal */
    ROLE_TENS = 1 << 25,     /* "ninety"; `value` is the number */
    ROLE_ONES = 1 << 26,     /* "four", "seventeen" */
    ROLE_USER = 1 << 27,     /* "username", "login" */
    ROLE_SOCIAL = 1 << 28,   /* host of profiles: "linkedin" */
    ROLE_PROFILE = 1 << 29,  /* part of a path or a query that names somebody: "users" */
    ROLE_ADDRESS = 1 << 30,  /* "Domicilio": an address follows */
};

/* What a word says about a number near it.  The order decides nothing. */
enum context_kind {
    CTX_NONE,
    CTX_PHONE,
    CTX_FAX,
    CTX_DOB,
    CTX_DATE,
    CTX_ZIP,
    CTX_ID, /* an identifier of an unknown kind */
    CTX_MRN,
    CTX_HEALTH_PLAN,
    CTX_POLICY,
    CTX_ACCOUNT,
    CTX_BANK,
    CTX_ROUTING,
    CTX_CARD,
    CTX_CVV,
    CTX_IBAN,
    CTX_BIC,
    CTX_CASE,
    CTX_LICENSE,
    CTX_DRIVER,
    CTX_PASSPORT,
    CTX_NATIONAL,
    CTX_TAX,
    CTX_PLATE,
    CTX_VIN,
    CTX_IMEI,
    CTX_DEVICE,
    CTX_EMPLOYEE,
    CTX_CUSTOMER,
    CTX_PIN,
    CTX_SSN,
    CTX_ITIN,
    CTX_EIN,
    CTX_NPI,
    CTX_DEA,
    CTX_MBI,
    CTX_NHS,
    CTX_NINO,
    CTX_AHV,
    CTX_UID,
    CTX_VEKA,
    CTX_GLN,
    CTX_ZSR,
    CTX_QR,
    CTX_STEUER,
    CTX_RVNR,
    CTX_KVNR,
    CTX_HRB,
    CTX_ID_CARD,
    CTX_SVNR,
    CTX_NIR,
    CTX_SIREN,
    CTX_CF,
    CTX_PIVA,
    CTX_DNI,
    CTX_NASS,
    CTX_NIF,
    CTX_BE,
    CTX_BSN,
    CTX_PESEL,
    CTX_SE,
    CTX_FI,
    CTX_NO,
    CTX_DK,
    CTX_PPS,
    CTX_CNP,
    CTX_RC,
    CTX_AMKA,
    CTX_AADHAAR,
    CTX_CN,
    CTX_CPF,
    CTX_ZA,
    CTX_VAT,
    CTX_ISIN,
    CTX_LEI,
    CTX_CRYPTO,
    CTX_USER,
    CTX_NEGATIVE,
    CTX_COUNT
};

struct context_set {
    uint64_t bits[2];
};

static inline bool context_in(const struct context_set *set, enum context_kind kind)
{
    return (set->bits[kind >> 6] >> (kind & 63) & 1) != 0;
}

static inline void context_put(struct context_set *set, enum context_kind kind)
{
    set->bits[kind >> 6] |= (uint64_t)1 << (kind & 63);
}

struct word {
    uint64_t hash; /* 0: empty slot */
    struct context_set context;
    uint32_t roles;
    uint8_t kind; /* enum context_kind that a label names, the first row's */
    uint8_t value;
};

#define WORDS_SLOTS      8192
#define WORDS_BLOOM_BITS 65536
#define WORDS_CALLS_BITS 16384

/** Roles of words that call for a recognizer by themselves. */
#define ROLES_CALLING                                                                              \
    ((uint32_t)(ROLE_MONTH | ROLE_STREET_FIRST | ROLE_BOX | ROLE_SECRET | ROLE_SECRET_HEAD |       \
                ROLE_TENS | ROLE_USER | ROLE_CODE | ROLE_ADDRESS))

#define WORDS_LATIN 0x180 /* code points with a fold and classes at hand */

struct words {
    uint8_t fold[WORDS_LATIN];             /* sotto_fold(), '?' for what is not ASCII */
    uint8_t classes[WORDS_LATIN];          /* sotto_char_classes() */
    uint64_t bloom[WORDS_BLOOM_BITS / 64]; /* of all rows */
    uint64_t calls[WORDS_CALLS_BITS / 64]; /* of rows with a role of ROLES_CALLING */
    struct word slots[WORDS_SLOTS];
};

/** Fills the table from the built-in rows. */
void words_build(struct words *words);

/** Room for a folded word; the hash reads it in pieces of 16 bytes. */
#define WORDS_FOLDED 48

static inline uint64_t words_mix(uint64_t low, uint64_t high)
{
    uint64_t hash = (low ^ (high * 0x9e3779b97f4a7c15U)) * 0xff51afd7ed558ccdU;
    return hash ^ hash >> 32;
}

/** The hash of a folded word; the bytes behind its `len` are zero up to WORDS_FOLDED. */
static inline uint64_t words_hash(const char folded[WORDS_FOLDED], size_t len)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < len; i += 16) {
        uint64_t piece[2];
        memcpy(piece, folded + i, sizeof(piece));
        hash = words_mix(piece[0] ^ hash, piece[1]);
    }
    return hash;
}

/** The hash of a phrase from that of its beginning and that of its last word. */
static inline uint64_t words_join(uint64_t phrase, uint64_t word)
{
    return (phrase * 0x100000001b3U + (word >> 7)) * 0xff51afd7ed558ccdU;
}

static inline size_t words_slot(uint64_t hash)
{
    return (size_t)(hash >> 20);
}

/** Whether the word may be one of ROLES_CALLING. */
static inline bool words_may_call(const struct words *words, uint64_t hash)
{
    size_t bit = (size_t)hash % WORDS_CALLS_BITS;
    return (words->calls[bit / 64] >> (bit % 64) & 1) != 0;
}

/** The row with this hash, or NULL. */
static inline const struct word *words_find(const struct words *words, uint64_t hash)
{
    size_t bit = (size_t)(hash >> 40) % WORDS_BLOOM_BITS;
    if ((words->bloom[bit / 64] >> (bit % 64) & 1) == 0) {
        return NULL;
    }
    for (size_t i = words_slot(hash) % WORDS_SLOTS;; i = (i + 1) % WORDS_SLOTS) {
        if (words->slots[i].hash == hash) {
            return &words->slots[i];
        }
        if (words->slots[i].hash == 0) {
            return NULL;
        }
    }
}

#endif
