/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_VECTORS_KNOWN_H
#define SOTTO_TESTS_VECTORS_KNOWN_H

/*
 * Reader of the files with known answers in tests/vectors/, which are JSON: bytes are strings of
 * lower-case hexadecimal digits.  Test programs get the path as their argument.
 */

#include "base/alloc.h"
#include "tap/tap.h"
#include "json/json.h"

/** Ends the program where the file cannot be read: there is nothing to test then. */
static inline yyjson_mut_doc *known_read(int argc, char **argv)
{
    yyjson_mut_doc *doc = NULL;
    struct sotto_buf text;
    uint8_t piece[4096];
    FILE *file = argc > 1 ? fopen(argv[1], "rb") : NULL;
    sotto_buf_init(&text, (size_t)1 << 24);
    for (size_t n = 1; file != NULL && n != 0;) {
        n = fread(piece, 1, sizeof(piece), file);
        sotto_ignore(sotto_buf_append(&text, sotto_span_init(piece, n))); /* cut: not JSON then */
    }
    if (file == NULL || sotto_json_read(sotto_buf_span(&text), 16, &doc, NULL) != SOTTO_OK) {
        printf("Bail out! %s cannot be read\n", argc > 1 ? argv[1] : "the argument is missing");
        exit(1);
    }
    fclose(file);
    sotto_buf_free(&text);
    return doc;
}

static inline uint8_t known_digit(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/** The bytes of a text of hexadecimal digits, to be freed with sotto_buf_free(). */
static inline struct sotto_buf known_hex(sotto_span text)
{
    struct sotto_buf out;
    sotto_buf_init(&out, (size_t)1 << 24);
    for (size_t i = 0; i + 1 < text.len; i += 2) {
        uint8_t byte = (uint8_t)(known_digit(text.base[i]) << 4 | known_digit(text.base[i + 1]));
        if (sotto_buf_push(&out, byte) != SOTTO_OK) {
            exit(1);
        }
    }
    return out;
}

/** The bytes of member `key`; empty where there is none. */
static inline struct sotto_buf known_bytes(yyjson_mut_val *obj, const char *key)
{
    return known_hex(sotto_json_text(sotto_json_get(obj, key)));
}

static inline int64_t known_int(yyjson_mut_val *obj, const char *key)
{
    int64_t number = -1;
    sotto_ignore(sotto_json_int(sotto_json_get(obj, key), &number)); /* -1 says it */
    return number;
}

#endif
