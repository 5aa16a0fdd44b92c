/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CONFIG_PROBLEMS_H
#define SOTTO_CONFIG_PROBLEMS_H

#include "config/config.h"

/** More are not kept: who has a hundred problems starts with the first ones. */
#define CONFIG_PROBLEMS_MAX 100

/** Values of the environment shorter than this are shown: they are no secrets, but part of words. */
#define CONFIG_HIDDEN_MIN 6

/** A value that came from the environment; the strings live as long as the problems are added. */
struct config_hidden {
    const struct config_hidden *next;
    const char *name;
    const char *value;
};

/** Collects problems.  A failed allocation is remembered, so that adding needs no check. */
struct config_problems {
    struct sotto_config_problems *list;
    const struct config_hidden *hidden;
    bool no_memory;
};

/**
 * Adds a problem; "PATH: SENTENCE", or the sentence alone where the path is empty.  Where a hidden
 * value, or the beginning of one that was cut, would stand in it, "${NAME}" does.
 */
SOTTO_PRINTF(5, 6)
void config_problem(struct config_problems *problems, uint32_t line, uint32_t column,
                    const char *path, const char *fmt, ...);

/** Puts them into the order of their places. */
void config_problems_sort(struct config_problems *problems);

/** Room for a text made by config_show(). */
#define CONFIG_SHOW_BYTES 80

/**
 * Makes bytes of the file fit to be shown in a sentence: control characters become '?', long ones
 * are cut.  NUL-terminated.
 */
void config_show(sotto_span text, char out[CONFIG_SHOW_BYTES]);

#endif
