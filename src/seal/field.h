/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_FIELD_H
#define SOTTO_SEAL_FIELD_H

/*
 * The cipher of Privatemode's messages: each field of a request and its answer sealed by itself.
 *
 *   field = id ":" nonce ":" iv ":" text
 *   id    = 44 symbols of base64, the name of the secret
 *   nonce = 12 bytes in lower-case hexadecimal, one for a request and its answer
 *   iv    = 12 bytes in lower-case hexadecimal, another one in every field
 *   text  = AES-256-GCM(secret, iv, nonce || number as 4 bytes little-endian, plain) || tag, in
 *           lower-case hexadecimal
 *
 * Requests and answers count their fields from 0, each for itself; an answer's count runs on over
 * the whole stream.  See docs/wire/privatemode.md, with what this format does not protect.
 *
 * Each field can be spelled in one way only, so that no byte of it can change unnoticed.
 */

#include "base/buf.h"

#define SOTTO_FIELD_ID_LEN       44
#define SOTTO_FIELD_SECRET_BYTES 32
#define SOTTO_FIELD_NONCE_BYTES  12
#define SOTTO_FIELD_IV_BYTES     12

/** How much longer than what is sealed a field is, before hexadecimal doubles it. */
#define SOTTO_FIELD_TAG_BYTES 16

/** Length of the field that `n` bytes become. */
#define SOTTO_FIELD_LEN(n)                                                                         \
    (SOTTO_FIELD_ID_LEN + 3 + 2 * (SOTTO_FIELD_NONCE_BYTES + SOTTO_FIELD_IV_BYTES) +               \
     2 * ((size_t)(n) + SOTTO_FIELD_TAG_BYTES))

/** Whether `text` has the shape of a sealed field; says nothing about who sealed it. */
bool sotto_field_is_sealed(sotto_span text);

/** The id in front of a field; empty where there is none. */
sotto_span sotto_field_id(sotto_span text);

/** One request and its answer.  Not thread-safe. */
struct sotto_field_cipher;

/**
 * @param secret    copied
 * @param id        the secret's name, SOTTO_FIELD_ID_LEN symbols, copied
 * @param[out] out  set only on SOTTO_OK; freed with sotto_field_cipher_free()
 *
 * @retval SOTTO_EINVAL  the id has another length
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_field_cipher_new(const uint8_t secret[SOTTO_FIELD_SECRET_BYTES], sotto_span id,
                       struct sotto_field_cipher **out);

/**
 * Makes the cipher the client's: it seals the request first, with a nonce of its own, then opens
 * the answer.  A field of the request that comes back as one of the answer does not open.
 *
 * @retval SOTTO_ESTATE  it was used
 * @retval SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_field_ask(struct sotto_field_cipher *c);

/** Wipes and frees; NULL is allowed. */
void sotto_field_cipher_free(struct sotto_field_cipher *c);

/**
 * Opens the next field of the request (a client: of the answer) and appends what was sealed.  The
 * first one sets the nonce of the exchange; all must bear the same.
 *
 * @retval SOTTO_EAUTH   anything is wrong with it; `plain` unchanged
 * @retval SOTTO_ESTATE  an answer was begun
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_field_open(struct sotto_field_cipher *c, sotto_span text,
                                                 struct sotto_buf *plain);

/** The nonce of the exchange; all zero before the first field was opened. */
const uint8_t *sotto_field_nonce(const struct sotto_field_cipher *c);

/**
 * Takes `n` numbers for fields of the answer (a client: of the request).
 *
 * @param[out] first  the first one; set only on SOTTO_OK
 * @retval SOTTO_ESTATE  nothing was opened; a client: something was
 * @retval SOTTO_ELIMIT  no more numbers
 * @retval SOTTO_ENOMEM  clients only
 */
SOTTO_MUST_CHECK enum sotto_err sotto_field_number(struct sotto_field_cipher *c, size_t n,
                                                   uint32_t *first);

/**
 * Appends `plain` as the field of the answer (a client: of the request) with this number.
 *
 * @param number  of sotto_field_number(), used once
 * @param iv      SOTTO_FIELD_IV_BYTES for tests with known answers; NULL: random ones
 *
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM, SOTTO_ECRYPTO  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_field_seal(struct sotto_field_cipher *c, uint32_t number,
                                                 const uint8_t *iv, sotto_span plain,
                                                 struct sotto_buf *out);

/**
 * Whether `mac`, lower-case hexadecimal, is the HMAC-SHA-256 of `text` under the secret.
 *
 * @retval SOTTO_EAUTH  it is not
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_field_check_mac(const uint8_t secret[SOTTO_FIELD_SECRET_BYTES], sotto_span text,
                      sotto_span mac);

#endif
