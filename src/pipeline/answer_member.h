/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PIPELINE_ANSWER_MEMBER_H
#define SOTTO_PIPELINE_ANSWER_MEMBER_H

/*
 * What the members of an answer are: names and ids that stay as they are, text, JSON in a string.
 * For the files of this folder.
 */

#include <string.h>

#include "pipeline/strand.h"
#include "json/json.h"

/** What a walk is inside of, and so what its strings are. */
enum answer_place {
    ANSWER_ANY,
    ANSWER_CALLED,      /* `function` of a tool call, `function_call`: `arguments` is JSON */
    ANSWER_CUSTOM,      /* `custom` of a tool call */
    ANSWER_AUDIO,       /* `data` is sound */
    ANSWER_ANNOTATIONS, /* each comes whole, also in streams */
};

/** Whether a member has this name, a literal.  The length settles nearly all comparisons. */
#define ANSWER_NAMED(key, name) answer_is_named(key, name, sizeof(name) - 1)

static inline bool answer_is_named(const yyjson_mut_val *key, const char *name, size_t len)
{
    sotto_span text = sotto_json_text(key);
    return text.len == len && memcmp(text.base, name, len) == 0;
}

/** Whether the member `key` is never text. */
bool answer_is_structural(enum answer_place place, const yyjson_mut_val *key);

/** What the value of the member `key` is the inside of. */
enum answer_place answer_place_within(enum answer_place place, const yyjson_mut_val *key);

/** What the text of the member `key` is. */
enum strand_kind answer_kind(enum answer_place place, const yyjson_mut_val *key);

#endif
