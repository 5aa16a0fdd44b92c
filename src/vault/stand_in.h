/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_VAULT_STAND_IN_H
#define SOTTO_VAULT_STAND_IN_H

/*
 * Realistic stand-ins for values (style `surrogate`), none of which can be anybody's:
 *
 *   PERSON    one or two invented words, as many as the value has; the words are in no list of
 *             names                                             "Velonakrel Torumilusk"
 *   EMAIL     an invented word at example.com, .org, .net (RFC 2606)
 *   URL       an invented host under .example (RFC 2606)
 *   PHONE     555-0100 to 555-0199 of a North American area (reserved for fiction)
 *   LOCATION, ADDRESS, ORG  an invented word and what makes it one
 *   ID        by the form of the value: a card number whose check digit is wrong, an IBAN with the
 *             check digits 00 (ISO 13616 uses 02 to 98), an SSN of area 000, IP addresses for
 *             documentation (RFC 5737, RFC 3849), a MAC address for documentation (RFC 7042)
 *
 * There are none for other types and identifiers: they get a token.  For the files of this folder.
 */

#include "base/span.h"
#include "vault/form.h"

/** Pseudo-random bytes that a stand-in is taken from. */
#define STAND_IN_RANDOM 32

/** Most forms of one stand-in. */
#define STAND_IN_FORMS 6

struct stand_in {
    char text[FORM_MAX];
    size_t len;
    struct {
        char text[FORM_MAX];
        size_t len;
        enum form_part part;
    } form[STAND_IN_FORMS]; /* ways to write it; the first is the text itself */
    size_t form_count;
    bool every_word; /* no word of it may stand in the request's text; else not all of them */
};

/** Makes a stand-in; false: there is none for such a value. */
bool stand_in_make(unsigned type, sotto_span value, const uint8_t random[STAND_IN_RANDOM],
                   struct stand_in *out);

/** Makes "<PERSON_7>". */
void stand_in_angle(unsigned type, unsigned number, struct stand_in *out);

/**
 * The forms of a stand-in that was made earlier, of either style, from its text alone.
 *
 * @return false: too long, or no text that a stand-in could have
 */
bool stand_in_read(sotto_span text, struct stand_in *out);

/** The invented word number `i`; `i` modulo STAND_IN_WORDS.  Returns its length. */
#define STAND_IN_WORDS 32768
size_t stand_in_word(unsigned i, char out[16]);

#endif
