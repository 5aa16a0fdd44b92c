/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/finding.h"

#include "base/alloc.h"

#define FINDING_FIRST_CAP 16

static const char *const label_names[SOTTO_LABEL_COUNT] = {
#define X(suffix, name) [SOTTO_LABEL_##suffix] = name,
    SOTTO_LABEL_TABLE(X)
#undef X
};

static enum sotto_err grow(struct sotto_findings *list)
{
    size_t cap = list->cap == 0 ? FINDING_FIRST_CAP : list->cap * 2;
    if (cap > SIZE_MAX / 2 / sizeof(*list->items)) {
        return SOTTO_ENOMEM;
    }
    struct sotto_finding *items = sotto_resize(list->items, cap * sizeof(*items));
    if (items == NULL) {
        return SOTTO_ENOMEM;
    }
    list->items = items;
    list->cap = cap;
    return SOTTO_OK;
}

enum sotto_err sotto_findings_add(struct sotto_findings *list, struct sotto_finding finding)
{
    if (list->count == list->cap) {
        enum sotto_err err = grow(list);
        if (err != SOTTO_OK) {
            return err;
        }
    }
    list->items[list->count++] = finding;
    return SOTTO_OK;
}

void sotto_findings_clear(struct sotto_findings *list)
{
    list->count = 0;
}

void sotto_findings_free(struct sotto_findings *list)
{
    sotto_free(list->items);
    *list = (struct sotto_findings){0};
}

const char *sotto_label_name(enum sotto_label label)
{
    return label_names[label];
}

bool sotto_label_parse(sotto_span name, enum sotto_label *out)
{
    for (size_t i = 0; i < SOTTO_LABEL_COUNT; i++) {
        if (sotto_span_eq(name, sotto_span_str(label_names[i]))) {
            *out = (enum sotto_label)i;
            return true;
        }
    }
    return false;
}
