/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_GUIDE_H
#define SOTTO_APPS_GUIDE_H

/*
 * `sotto serve --guide`: what somebody sees who starts the gateway for the first time, behind the
 * ready line.  Names addresses, what serves the models, and a request to paste.
 */

#include "config/config.h"
#include "gateway/gateway.h"

/**
 * Prints the guide on standard output.
 *
 * @param key  the key that this start made; "" where there was one already: the guide then says
 *             how to get another
 */
void sotto_guide_print(const struct sotto_config *config, const struct sotto_gateway_ports *ports,
                       const char *key);

#endif
