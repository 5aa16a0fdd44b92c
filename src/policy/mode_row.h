/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_POLICY_MODE_ROW_H
#define SOTTO_POLICY_MODE_ROW_H

/* Inside of modes: for mode.c, which asks them, and mode_make.c, which makes modes of one's own. */

#include "base/arena.h"
#include "policy/mode.h"

#define MODE_ALL_LABELS ((1U << SOTTO_LABEL_COUNT) - 1)

/* An exact type that does not go the way of its label. */
struct mode_exception {
    sotto_span finer;
    unsigned labels; /* set of labels for which it counts */
    enum sotto_action action;
};

struct sotto_mode {
    sotto_span name;
    sotto_span answer_name;
    unsigned tokenized; /* set of labels */
    bool content_passes;
    const struct mode_exception *exceptions; /* one for each exact type at most */
    size_t exception_count;
    struct sotto_mode_words agreements;
    struct sotto_mode_words regions;
    bool special;         /* special categories are flagged */
    unsigned generalised; /* set of labels, as are the two beside it; no label is in two of them */
    unsigned blocked;
    /** Agreements count also where the configuration does not require those of built-in modes. */
    bool agreements_count;
};

struct sotto_modes {
    struct sotto_arena arena;
    size_t count;
    struct sotto_mode items[];
};

/** The built-in modes, `standard` first. */
extern const struct sotto_mode mode_builtin[];
extern const size_t mode_builtin_count;

/**
 * Whether `mode` does to every finding what `least` does, or what is stricter; if not, `finer` and
 * `label` say where it does not.
 *
 * @param floor  it is enough that nothing passes which `least` does not let pass
 */
bool mode_covers_findings(const struct sotto_mode *mode, const struct sotto_mode *least, bool floor,
                          sotto_span *finer, enum sotto_label *label);

#endif
