/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_FINDING_H
#define SOTTO_DETECT_FINDING_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/*
 * What detection finds: a stretch of text with a label.  Findings never hold the text itself.
 *
 *   X(enumerator suffix, name as printed)
 */
#define SOTTO_LABEL_TABLE(X)                                                                       \
    X(PERSON, "PERSON")                                                                            \
    X(LOCATION, "LOCATION")                                                                        \
    X(ADDRESS, "ADDRESS")                                                                          \
    X(ORG, "ORG")                                                                                  \
    X(DATE, "DATE")                                                                                \
    X(AGE, "AGE")                                                                                  \
    X(OCCUPATION, "OCCUPATION")                                                                    \
    X(NRP, "NRP")                                                                                  \
    X(PHONE, "PHONE")                                                                              \
    X(EMAIL, "EMAIL")                                                                              \
    X(URL, "URL")                                                                                  \
    X(ID, "ID")                                                                                    \
    X(SECRET, "SECRET")

enum sotto_label {
#define X(suffix, name) SOTTO_LABEL_##suffix,
    SOTTO_LABEL_TABLE(X)
#undef X
};

#define SOTTO_LABEL_COUNT 13

/** Greatest score: certain. */
#define SOTTO_SCORE_MAX 1000

/** Which layer made a finding; a later layer wins ties against an earlier one. */
enum sotto_layer {
    SOTTO_LAYER_TAGGER,     /* the neural model */
    SOTTO_LAYER_NAMES,      /* name lists and cues */
    SOTTO_LAYER_RECOGNIZER, /* pattern, checksum, context words */
    SOTTO_LAYER_KNOWN,      /* a value found elsewhere in the conversation */
    SOTTO_LAYER_LIST,       /* deny list and custom recognizers of the configuration */
};

/** One stretch of text; offsets are bytes into valid UTF-8, on character boundaries. */
struct sotto_finding {
    uint32_t start;
    uint32_t end;   /* greater than start */
    uint16_t score; /* 0 to SOTTO_SCORE_MAX */
    uint16_t finer; /* exact type: index into the table of detect/finer.h; 0: none */
    uint16_t rule;  /* what made it: index into the table of detect/rule.h; 0: the layer itself */
    uint8_t label;  /* enum sotto_label */
    uint8_t layer;  /* enum sotto_layer */
};

/** A growing list of findings.  Zero-initialised is empty and valid. */
struct sotto_findings {
    struct sotto_finding *items;
    size_t count;
    size_t cap;
};

/** Appends one.  @retval SOTTO_ENOMEM  list unchanged */
SOTTO_MUST_CHECK enum sotto_err sotto_findings_add(struct sotto_findings *list,
                                                   struct sotto_finding finding);

/** Empties the list and keeps its memory. */
void sotto_findings_clear(struct sotto_findings *list);

/** Wipes and frees; the list is empty afterwards and may be used again. */
void sotto_findings_free(struct sotto_findings *list);

/** The name of a label as printed, "PERSON". */
const char *sotto_label_name(enum sotto_label label);

/** The label with this name; false when there is none, `out` unchanged. */
bool sotto_label_parse(sotto_span name, enum sotto_label *out);

#endif
