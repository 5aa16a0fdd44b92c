/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_UPSTREAM_TABLE_H
#define SOTTO_UPSTREAM_TABLE_H

/* The providers by name, each in its file. */

#include "upstream/provider.h"

extern const struct sotto_provider sotto_provider_openai;
extern const struct sotto_provider sotto_provider_azure;
extern const struct sotto_provider sotto_provider_mistral;
extern const struct sotto_provider sotto_provider_anthropic;

#endif
