/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_JSON_JSON_H
#define SOTTO_JSON_JSON_H

/*
 * JSON documents (RFC 8259), read strictly and edited in place.  A thin contract over yyjson:
 * numbers stay the text they were, so what is not edited is written as it was read; memory comes
 * from the wiping allocator.
 *
 * Refused beyond the grammar: duplicate keys in an object, lone surrogates, invalid UTF-8, a BOM,
 * and nesting deeper than a limit.
 */

#include <yyjson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/** The wiping allocator in yyjson's shape. */
extern const yyjson_alc sotto_json_alc;

/** Where and why a text was refused.  Line and column count from 1, column in bytes. */
struct sotto_json_error {
    const char *what; /* static text, safe to show */
    size_t line;
    size_t column;
    size_t position; /* byte offset from 0 */
};

/**
 * Reads one JSON text.
 *
 * @param text       borrowed for the call
 * @param max_depth  greatest nesting of arrays and objects, at least 1
 * @param[out] out   set only on SOTTO_OK; the caller frees it with sotto_json_free()
 * @param[out] error set only on SOTTO_EFORMAT; may be NULL
 *
 * @retval SOTTO_EFORMAT  not a JSON text, or refused as the head of this file says
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_json_read(sotto_span text, size_t max_depth,
                                                yyjson_mut_doc **out,
                                                struct sotto_json_error *error);

/** An empty document for building; NULL when there is no memory. */
yyjson_mut_doc *sotto_json_new(void);

/** Wipes and frees; NULL is allowed. */
void sotto_json_free(yyjson_mut_doc *doc);

/**
 * Appends `val` as JSON text without white space.
 *
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_json_write(const yyjson_mut_val *val, struct sotto_buf *out);

/**
 * Appends `text` (valid UTF-8) as a JSON string, with or without the quotes around it.
 *
 * @retval SOTTO_ELIMIT, SOTTO_ENOMEM  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_json_quote(sotto_span text, bool quotes,
                                                 struct sotto_buf *out);

/** yyjson's accessors take pointers to what they do not change. */
static inline yyjson_mut_val *sotto_json_readable(const yyjson_mut_val *val)
{
    return (yyjson_mut_val *)(uintptr_t)val; /* NOLINT(performance-no-int-to-ptr) */
}

/** The text of a string or number value, borrowed until the value changes; else empty. */
static inline sotto_span sotto_json_text(const yyjson_mut_val *val)
{
    uint64_t type = val != NULL ? val->tag & YYJSON_TYPE_MASK : YYJSON_TYPE_NONE;
    if (type != YYJSON_TYPE_STR && type != YYJSON_TYPE_RAW) {
        return sotto_span_init(NULL, 0);
    }
    return sotto_span_init(val->uni.str, (size_t)(val->tag >> YYJSON_TAG_BIT));
}

/** Member `key`, of `len` bytes, of object `obj`; NULL when there is none. */
yyjson_mut_val *sotto_json_getn(yyjson_mut_val *obj, const char *key, size_t len);

/** Member `key` (a literal) of object `obj`; NULL when `obj` is no object or has no such member. */
static inline yyjson_mut_val *sotto_json_get(yyjson_mut_val *obj, const char *key)
{
    return sotto_json_getn(obj, key, strlen(key)); /* known when this is compiled */
}

/** Whether `val` is a string equal to `text`. */
bool sotto_json_is(const yyjson_mut_val *val, const char *text);

/** Whether `val` is a number; read numbers are raw text, built ones may be native. */
bool sotto_json_is_num(const yyjson_mut_val *val);

/**
 * The value of a number without fraction or exponent, or with ones that leave it whole (1.0).
 *
 * @retval SOTTO_EINVAL  `val` is no such number or does not fit; `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_json_int(const yyjson_mut_val *val, int64_t *out);

/**
 * The value of a number as a double.
 *
 * @retval SOTTO_EINVAL  `val` is not a number; `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_json_double(const yyjson_mut_val *val, double *out);

/**
 * Makes a string value of a copy of `text`, owned by `doc`; NULL when there is no memory.
 * Also used to replace: sotto_json_set_text().
 */
yyjson_mut_val *sotto_json_str(yyjson_mut_doc *doc, sotto_span text);

/** Replaces `val` by a string, a copy of `text` owned by `doc`.  @retval SOTTO_ENOMEM unchanged */
SOTTO_MUST_CHECK enum sotto_err sotto_json_set_text(yyjson_mut_doc *doc, yyjson_mut_val *val,
                                                    sotto_span text);

/**
 * Sets member `key` (a literal that outlives the document) of `obj`, replacing an old one.
 *
 * @param val  in no other container; NULL (a value that could not be made) gives SOTTO_ENOMEM
 * @retval SOTTO_ENOMEM  `obj` unchanged, or it is no object
 */
SOTTO_MUST_CHECK enum sotto_err sotto_json_put(yyjson_mut_doc *doc, yyjson_mut_val *obj,
                                               const char *key, yyjson_mut_val *val);

/** sotto_json_put() of a string, a copy of `text`, and of a whole number. */
SOTTO_MUST_CHECK enum sotto_err sotto_json_put_text(yyjson_mut_doc *doc, yyjson_mut_val *obj,
                                                    const char *key, sotto_span text);
SOTTO_MUST_CHECK enum sotto_err sotto_json_put_int(yyjson_mut_doc *doc, yyjson_mut_val *obj,
                                                   const char *key, int64_t number);

#endif
