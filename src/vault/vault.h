/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_VAULT_VAULT_H
#define SOTTO_VAULT_VAULT_H

/*
 * The vault: the table token <-> value of one request.  It exists only while the request is in
 * flight and is wiped with it.
 *
 * A token's code is HMAC-SHA-256(tenant key, conversation, type, canonical value, counter): the
 * same value has the same token in every turn of a conversation although nothing is stored, and
 * another conversation or tenant has others.  The counter is 0 unless two values of a request
 * would share a token, or the token stands in the request's own text (sotto_vault_shield()).
 *
 * Not thread-safe; one request.
 */

#include "base/buf.h"
#include "base/err.h"

struct sotto_vault;

/** How a value is replaced. */
enum sotto_style {
    SOTTO_STYLE_TOKEN,     /* PERSON4KQ7XM2BT */
    SOTTO_STYLE_REDACT,    /* [PERSON]; no way back */
    SOTTO_STYLE_ANGLE,     /* <PERSON_1>: numbers in the order of the request */
    SOTTO_STYLE_SURROGATE, /* Velonakrel Torumilusk: see vault/stand_in.h; a token where there is
                              none */
};

/** The style with this name, "token", "redact", "angle" or "surrogate"; false: there is none. */
bool sotto_style_parse(sotto_span name, enum sotto_style *out);

/** Length of a tenant's token key. */
#define SOTTO_VAULT_KEY_BYTES 32

/**
 * @param tenant_key    borrowed for the call
 * @param conversation  any bytes that name the conversation; borrowed for the call
 * @param[out] out      set only on SOTTO_OK; freed with sotto_vault_free()
 *
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_vault_new(const uint8_t tenant_key[SOTTO_VAULT_KEY_BYTES],
                                                sotto_span conversation, enum sotto_style style,
                                                struct sotto_vault **out);

/** Wipes and frees; NULL is allowed. */
void sotto_vault_free(struct sotto_vault *vault);

/**
 * Tells the vault a text of the request before tokens are issued, so that none is issued that the
 * text already holds.  Appends nothing.
 *
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_vault_shield(struct sotto_vault *vault, sotto_span text);

/**
 * The stand-in for a value; the same for every spelling with the same canonical form (case, NFC,
 * spacing for PERSON, LOCATION, ORG, ADDRESS, EMAIL, PHONE and IBAN; else byte for byte).
 *
 * @param type        type word, see vault/token.h; equals enum sotto_label
 * @param foldable    compare in canonical form
 * @param value       copied; what the token comes back as is the last spelling given
 * @param[out] token  set only on SOTTO_OK; valid as long as the vault
 *
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO  vault unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_vault_token(struct sotto_vault *vault, unsigned type,
                                                  bool foldable, sotto_span value,
                                                  sotto_span *token);

/**
 * Takes in a token, or a stand-in of another style, that another vault issued, as a map file holds
 * it, so that it is restored.
 *
 * @param token  copied, as is `value`
 *
 * @retval SOTTO_EFORMAT  not a text that could be one
 * @retval SOTTO_EEXISTS  the vault has the token already
 * @retval SOTTO_ENOMEM   vault unchanged, as for the others
 */
SOTTO_MUST_CHECK enum sotto_err sotto_vault_adopt(struct sotto_vault *vault, sotto_span token,
                                                  sotto_span value);

/** The value of an issued token, exactly as issued; false: not of this request, `value` unchanged. */
bool sotto_vault_lookup(const struct sotto_vault *vault, sotto_span token, sotto_span *value);

/**
 * Takes the values out while nobody needs them: appends them to `values` and wipes them, and what
 * else would lead to them, here.  No token can be issued any longer and none is restored until
 * sotto_vault_put_back().
 *
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT  both unchanged
 * @retval SOTTO_ESTATE                they were taken out before
 */
SOTTO_MUST_CHECK enum sotto_err sotto_vault_take_out(struct sotto_vault *vault,
                                                     struct sotto_buf *values);

/**
 * Puts the values back, so that tokens are restored again.
 *
 * @param values  begins with the bytes that were taken out; copied
 *
 * @retval SOTTO_EFORMAT  too short
 * @retval SOTTO_ESTATE   nothing was taken out
 * @retval SOTTO_ENOMEM   the vault is unchanged, as for the others
 */
SOTTO_MUST_CHECK enum sotto_err sotto_vault_put_back(struct sotto_vault *vault, sotto_span values);

/** Number of tokens issued. */
size_t sotto_vault_count(const struct sotto_vault *vault);

/** Type of entry number `i` (below the count). */
unsigned sotto_vault_entry_type(const struct sotto_vault *vault, size_t i);

/** Token and value number `i` (below the count), in the order of issue; either may be NULL. */
void sotto_vault_entry(const struct sotto_vault *vault, size_t i, sotto_span *token,
                       sotto_span *value);

#endif
