/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_BASE_BUF_H
#define SOTTO_BASE_BUF_H

#include "base/err.h"
#include "base/span.h"

/**
 * Growable byte buffer with a hard ceiling.  Memory that leaves the buffer (growth, truncation,
 * free) is wiped, so it may hold payload.  Invariants: len <= cap <= max; base is NULL iff
 * cap is 0.
 */
struct sotto_buf {
    uint8_t *base;
    size_t len; /* bytes in use */
    size_t cap; /* bytes allocated */
    size_t max; /* ceiling for cap, set once */
};

/** A ceiling for buffers whose content is bounded elsewhere. */
#define SOTTO_BUF_UNBOUNDED (SIZE_MAX / 2)

/** Empty buffer that may grow to `max` bytes.  Allocates nothing. */
void sotto_buf_init(struct sotto_buf *buf, size_t max);

/** Wipes and releases the memory; the buffer is empty afterwards and may be used again. */
void sotto_buf_free(struct sotto_buf *buf);

/** What is in the buffer; valid until the buffer changes. */
static inline sotto_span sotto_buf_span(const struct sotto_buf *buf)
{
    return sotto_span_init(buf->base, buf->len);
}

/**
 * Makes room for `n` more bytes behind the content, without changing it.
 *
 * Invalidates spans into the buffer.
 *
 * @retval SOTTO_ELIMIT  the content could get longer than `max`; buffer unchanged
 * @retval SOTTO_ENOMEM  buffer unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_buf_reserve(struct sotto_buf *buf, size_t n);

/**
 * Makes the buffer `n` bytes longer and hands out the new bytes for the caller to fill.
 *
 * Invalidates spans into the buffer.  Errors as for sotto_buf_reserve().
 *
 * @param[out] dst  start of the new bytes, set only on SOTTO_OK; may be NULL when `n` is 0
 */
SOTTO_MUST_CHECK enum sotto_err sotto_buf_extend(struct sotto_buf *buf, size_t n, uint8_t **dst);

/** Appends where the buffer has to grow first; use sotto_buf_append(). */
SOTTO_MUST_CHECK enum sotto_err sotto_buf_append_growing(struct sotto_buf *buf, sotto_span src);

/**
 * Copies `src` to the end of the buffer.
 *
 * Invalidates spans into the buffer.  `src` must not point into it.  Errors as for
 * sotto_buf_reserve().
 */
SOTTO_MUST_CHECK static inline enum sotto_err sotto_buf_append(struct sotto_buf *buf,
                                                               sotto_span src)
{
    if (src.len > buf->cap - buf->len) {
        return sotto_buf_append_growing(buf, src);
    }
    if (src.len != 0) {
        memcpy(buf->base + buf->len, src.base, src.len);
        buf->len += src.len;
    }
    return SOTTO_OK;
}

/** Appends one byte.  Errors as for sotto_buf_reserve(). */
SOTTO_MUST_CHECK static inline enum sotto_err sotto_buf_push(struct sotto_buf *buf, uint8_t byte)
{
    if (buf->len == buf->cap) {
        return sotto_buf_append_growing(buf, sotto_span_init(&byte, 1));
    }
    buf->base[buf->len++] = byte;
    return SOTTO_OK;
}

/** Appends formatted text.  Errors as for sotto_buf_reserve(). */
SOTTO_MUST_CHECK SOTTO_PRINTF(2, 3) enum sotto_err
    sotto_buf_printf(struct sotto_buf *buf, const char *fmt, ...);

/** Drops and wipes everything after the first `len` bytes; `len` must not exceed buf->len. */
void sotto_buf_truncate(struct sotto_buf *buf, size_t len);

/** Drops and wipes the first `n` bytes and moves the rest down; `n` must not exceed buf->len. */
void sotto_buf_consume(struct sotto_buf *buf, size_t n);

#endif
