/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_VAULT_TOKEN_H
#define SOTTO_VAULT_TOKEN_H

/*
 * The grammar of tokens.
 *
 *   token  = word code check
 *   word   = the type word: the label's name in capitals, "PERSON", "EMAIL", "ID" ...
 *   code   = 8 symbols
 *   check  = 1 symbol
 *   symbol = one of "23456789BCDFGHJKLMNPQRSTVWXYZ"   (29: digits and consonants, none that
 *            reads like another, no vowels and so no words)
 *
 * `check` makes the weighted sum of the symbols' values zero modulo 29, a prime: every single
 * wrong symbol and every swap of two neighbours shows.  A token is one word of letters and digits:
 * it survives JSON, URLs, Markdown and shells, and it looks like a value, which models copy,
 * rather than like a variable, which they fill in.
 */

#include "base/span.h"

#define SOTTO_TOKEN_CODE_LEN 9 /* code and check */
#define SOTTO_TOKEN_WORD_MAX 10
#define SOTTO_TOKEN_MAX      (SOTTO_TOKEN_WORD_MAX + SOTTO_TOKEN_CODE_LEN)

/** Number of type words; the first are those of enum sotto_label, in its order. */
#define SOTTO_TOKEN_WORD_COUNT 13

/** The type word number `type`, below SOTTO_TOKEN_WORD_COUNT. */
sotto_span sotto_token_word(unsigned type);

/**
 * Writes the token of a type whose code is taken from 8 pseudo-random bytes.
 *
 * @param[out] out  not NUL-terminated
 * @return          length of the token
 */
size_t sotto_token_make(unsigned type, const uint8_t random[8], char out[SOTTO_TOKEN_MAX]);

/** Whether `text` is exactly one well-formed token, check symbol included; whoever issued it. */
bool sotto_token_valid(sotto_span text);

#endif
