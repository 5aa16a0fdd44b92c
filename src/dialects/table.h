/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DIALECTS_TABLE_H
#define SOTTO_DIALECTS_TABLE_H

/* The dialects by name, each in its file. */

#include "dialects/dialect.h"

extern const struct sotto_dialect sotto_dialect_openai;
extern const struct sotto_dialect sotto_dialect_phi_header;
extern const struct sotto_dialect sotto_dialect_anonymize;

/** Not among those that are asked: a profile of seal/profile.h says whether a request is sealed. */
extern const struct sotto_dialect sotto_dialect_sealed_messages;

#endif
