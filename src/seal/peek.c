/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/peek.h"

/* The byte at `i`, 0 behind the end; no JSON text has a NUL byte. */
static uint8_t at(sotto_span s, size_t i)
{
    return i < s.len ? s.base[i] : 0;
}

static size_t skip_space(sotto_span s, size_t i)
{
    while (at(s, i) == ' ' || at(s, i) == '\t' || at(s, i) == '\n' || at(s, i) == '\r') {
        i++;
    }
    return i;
}

/* From behind a string's first quote to behind its last one. */
static size_t skip_string(sotto_span s, size_t i)
{
    while (i < s.len && s.base[i] != '"') {
        i += s.base[i] == '\\' ? 2 : 1;
    }
    return i + 1;
}

/* An array or object, from behind its first bracket. */
static size_t skip_nested(sotto_span s, size_t i)
{
    size_t depth = 1;
    while (i < s.len && depth != 0) {
        uint8_t c = s.base[i++];
        if (c == '"') {
            i = skip_string(s, i);
        } else if (c == '[' || c == '{') {
            depth++;
        } else if (c == ']' || c == '}') {
            depth--;
        }
    }
    return i;
}

static size_t skip_value(sotto_span s, size_t i)
{
    uint8_t c = at(s, i);
    if (c == '"') {
        return skip_string(s, i + 1);
    }
    if (c == '[' || c == '{') {
        return skip_nested(s, i + 1);
    }
    while (i < s.len && s.base[i] != ',' && s.base[i] != '}') {
        i++;
    }
    return i;
}

bool sotto_peek_text(sotto_span body, sotto_span *text)
{
    sotto_span s =
        sotto_span_sub(body, 0, body.len < SOTTO_PEEK_BYTES ? body.len : SOTTO_PEEK_BYTES);
    size_t i = skip_space(s, 0);
    bool found = false;
    if (at(s, i) != '{') {
        return false;
    }
    do {
        i = skip_space(s, i + 1); /* behind the bracket or a comma */
        size_t key_at = i + 1;
        if (at(s, i) != '"') {
            break;
        }
        i = skip_string(s, key_at);
        if (i > s.len) {
            break;
        }
        sotto_span key = sotto_span_sub(s, key_at, i - 1);
        i = skip_space(s, i);
        if (at(s, i) != ':') {
            break;
        }
        i = skip_space(s, i + 1);
        bool is_messages = sotto_span_eq(key, SOTTO_LIT("messages"));
        bool is_text = at(s, i) == '"';
        if (is_text && (is_messages || sotto_span_eq(key, SOTTO_LIT("message")))) {
            *text = sotto_span_skip(s, i + 1);
            found = true;
        }
        if (is_messages) {
            return is_text;
        }
        i = skip_space(s, skip_value(s, i));
    } while (at(s, i) == ',');
    return found;
}
