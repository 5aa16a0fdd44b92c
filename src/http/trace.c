/* SPDX-License-Identifier: Apache-2.0 */

#include "http/trace.h"

/* Where the parts of a traceparent begin, and how long version 00 is. */
#define TRACE_ID_AT     3
#define TRACE_PARENT_AT 36
#define TRACE_FLAGS_AT  53
#define TRACE_LEN       55

static bool is_hex(sotto_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.base[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

static bool is_zero(sotto_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.base[i] != '0') {
            return false;
        }
    }
    return true;
}

static bool is_printable(sotto_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.base[i] < 0x20 || text.base[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

bool sotto_trace_parent_valid(sotto_span value, sotto_span *trace_id)
{
    if (value.len < TRACE_LEN || value.len > SOTTO_TRACE_PARENT_MAX || value.base[2] != '-' ||
        value.base[TRACE_PARENT_AT - 1] != '-' || value.base[TRACE_FLAGS_AT - 1] != '-') {
        return false;
    }
    sotto_span version = sotto_span_sub(value, 0, 2);
    sotto_span id = sotto_span_sub(value, TRACE_ID_AT, TRACE_PARENT_AT - 1);
    sotto_span parent = sotto_span_sub(value, TRACE_PARENT_AT, TRACE_FLAGS_AT - 1);
    sotto_span flags = sotto_span_sub(value, TRACE_FLAGS_AT, TRACE_LEN);
    bool first = sotto_span_eq(version, SOTTO_LIT("00"));
    if (!is_hex(version) || !is_hex(id) || !is_hex(parent) || !is_hex(flags) || is_zero(id) ||
        is_zero(parent) || sotto_span_eq(version, SOTTO_LIT("ff"))) {
        return false;
    }
    if (value.len > TRACE_LEN && (first || value.base[TRACE_LEN] != '-' ||
                                  !is_printable(sotto_span_skip(value, TRACE_LEN)))) {
        return false;
    }
    if (trace_id != NULL) {
        *trace_id = id;
    }
    return true;
}

bool sotto_trace_state_valid(sotto_span value)
{
    return value.len != 0 && value.len <= SOTTO_TRACE_STATE_MAX && is_printable(value);
}
