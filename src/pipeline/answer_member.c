/* SPDX-License-Identifier: Apache-2.0 */

#include "pipeline/answer_member.h"

bool answer_is_structural(enum answer_place place, const yyjson_mut_val *key)
{
    if (ANSWER_NAMED(key, "id") || ANSWER_NAMED(key, "object") || ANSWER_NAMED(key, "model") ||
        ANSWER_NAMED(key, "created") || ANSWER_NAMED(key, "finish_reason") ||
        ANSWER_NAMED(key, "index") || ANSWER_NAMED(key, "role") || ANSWER_NAMED(key, "type") ||
        ANSWER_NAMED(key, "tool_call_id") || ANSWER_NAMED(key, "service_tier") ||
        ANSWER_NAMED(key, "system_fingerprint") || ANSWER_NAMED(key, "embedding") ||
        ANSWER_NAMED(key, "b64_json")) {
        return true;
    }
    switch (place) {
    case ANSWER_CALLED:
    case ANSWER_CUSTOM:
        return ANSWER_NAMED(key, "name");
    case ANSWER_AUDIO:
        return ANSWER_NAMED(key, "data");
    case ANSWER_ANY:
    case ANSWER_ANNOTATIONS:
        return false;
    }
    return false;
}

enum answer_place answer_place_within(enum answer_place place, const yyjson_mut_val *key)
{
    if (ANSWER_NAMED(key, "function") || ANSWER_NAMED(key, "function_call")) {
        return ANSWER_CALLED;
    }
    if (ANSWER_NAMED(key, "custom")) {
        return ANSWER_CUSTOM;
    }
    if (ANSWER_NAMED(key, "audio")) {
        return ANSWER_AUDIO;
    }
    if (ANSWER_NAMED(key, "annotations")) {
        return ANSWER_ANNOTATIONS;
    }
    return place == ANSWER_ANNOTATIONS ? place : ANSWER_ANY;
}

enum strand_kind answer_kind(enum answer_place place, const yyjson_mut_val *key)
{
    return place == ANSWER_CALLED && ANSWER_NAMED(key, "arguments") ? STRAND_JSON : STRAND_TEXT;
}
