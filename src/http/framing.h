/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_HTTP_FRAMING_H
#define SOTTO_HTTP_FRAMING_H

/*
 * Where the body of a message ends (RFC 9112 6): by length, by chunks, or by the end of the
 * connection.  Chunked is read strictly: hexadecimal size, extensions (`;name`, `;name=value`,
 * `;name="value"`, no white space), CRLF, data, CRLF; then trailers, which
 * must not bear names that say where a message ends.  Extensions and trailers are dropped.  Used inside
 * http/ only.
 */

#include "http/lines.h"

/** Most bytes of extensions in one body; of trailers. */
#define SOTTO_FRAMING_EXTENSIONS_MAX (16u << 10)
#define SOTTO_FRAMING_TRAILERS_MAX   (16u << 10)

enum framing_state {
    FRAMING_SIZE, /* before the first digit of a chunk size */
    FRAMING_SIZE_MORE,
    FRAMING_NAME,   /* of an extension */
    FRAMING_VALUE,  /* behind its '=' */
    FRAMING_QUOTED, /* inside "..." */
    FRAMING_ESCAPED,
    FRAMING_UNQUOTED, /* behind the closing quote */
    FRAMING_SIZE_LF,
    FRAMING_CHUNK, /* inside the data of a chunk */
    FRAMING_DATA_CR,
    FRAMING_DATA_LF,
    FRAMING_TRAILERS,
    FRAMING_LENGTH, /* inside a body of known length */
    FRAMING_CLOSE,  /* inside a body that ends with the connection */
    FRAMING_DONE,
};

struct sotto_framing {
    enum framing_state state;
    uint64_t left;            /* of the chunk or the body */
    uint32_t digits;          /* of the chunk size */
    uint32_t extension_bytes; /* so far, in this body */
    uint32_t trailer_bytes;
    uint32_t word_bytes; /* of the extension's name or value, of the trailer's name */
    uint8_t name[24];    /* start of the name of a trailer, in lower case */
    bool in_value;       /* trailers: behind the colon of this line */
    struct sotto_lines trailers;
};

/** A body of `len` bytes; 0: there is none. */
struct sotto_framing sotto_framing_length(uint64_t len);
struct sotto_framing sotto_framing_chunked(void);
struct sotto_framing sotto_framing_until_close(void);

static inline bool sotto_framing_done(const struct sotto_framing *f)
{
    return f->state == FRAMING_DONE;
}

/**
 * Reads up to the end of the next piece of the body, at the latest when all of `in` is consumed or
 * the body is complete.
 *
 * @param[out] used   consumed bytes; set always
 * @param[out] piece  part of `in`, may be empty; set always
 *
 * @retval SOTTO_EFORMAT  the framing is broken
 * @retval SOTTO_ELIMIT   too long extensions or trailers
 */
SOTTO_MUST_CHECK enum sotto_err sotto_framing_next(struct sotto_framing *f, sotto_span in,
                                                   size_t *used, sotto_span *piece);

#endif
