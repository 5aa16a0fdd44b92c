/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_LIBRARY_ENGINE_H
#define SOTTO_LIBRARY_ENGINE_H

#include <sotto/sotto.h>

#include "pipeline/finder.h"

/**
 * A finder over the engine's detector, for one thread.
 *
 * @param[out] out  set only on SOTTO_OK; freed with sotto_finder_free()
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_engine_finder(const struct sotto_engine *engine,
                                                    struct sotto_finder **out);

#endif
