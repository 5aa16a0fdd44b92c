/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_WINDOW_H
#define SOTTO_DETECT_WINDOW_H

#include "base/span.h"

/** Windows begin near multiples of so many bytes. */
#define SOTTO_WINDOW_BYTES 4096

/** No window is longer. */
#define SOTTO_WINDOW_MAX (2 * SOTTO_WINDOW_BYTES)

/**
 * The end of the window that begins at `start`, itself the end of a window or 0.  Cuts depend on
 * the text alone: the first end of a line behind a multiple of SOTTO_WINDOW_BYTES, else the first
 * white space, else the first place between two characters.
 */
size_t sotto_window_end(sotto_span text, size_t start);

#endif
