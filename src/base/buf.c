/* SPDX-License-Identifier: Apache-2.0 */

#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"

/* Large enough for a typical SSE event, so that most answers allocate once. */
#define BUF_MIN_CAP 1024

/* Doubles until `need` fits.  `need` does not exceed buf->max. */
static enum sotto_err grow(struct sotto_buf *buf, size_t need)
{
    size_t cap = buf->cap > BUF_MIN_CAP ? buf->cap : BUF_MIN_CAP;
    while (cap < need && cap <= SIZE_MAX / 2) {
        cap *= 2;
    }
    if (cap < need || cap > buf->max) {
        cap = buf->max;
    }

    uint8_t *base = sotto_alloc(cap);
    if (base == NULL) {
        return SOTTO_ENOMEM;
    }
    if (buf->base != NULL) {
        memcpy(base, buf->base, buf->len);
    }
    sotto_free(buf->base);
    buf->base = base;
    buf->cap = cap;
    return SOTTO_OK;
}

void sotto_buf_init(struct sotto_buf *buf, size_t max)
{
    *buf = (struct sotto_buf){.max = max};
}

void sotto_buf_free(struct sotto_buf *buf)
{
    sotto_free(buf->base);
    sotto_buf_init(buf, buf->max);
}

enum sotto_err sotto_buf_reserve(struct sotto_buf *buf, size_t n)
{
    if (n > buf->max - buf->len) {
        return SOTTO_ELIMIT;
    }
    return n <= buf->cap - buf->len ? SOTTO_OK : grow(buf, buf->len + n);
}

enum sotto_err sotto_buf_extend(struct sotto_buf *buf, size_t n, uint8_t **dst)
{
    enum sotto_err err = sotto_buf_reserve(buf, n);
    if (err == SOTTO_OK) {
        *dst = buf->base != NULL ? buf->base + buf->len : NULL;
        buf->len += n;
    }
    return err;
}

enum sotto_err sotto_buf_append_growing(struct sotto_buf *buf, sotto_span src)
{
    enum sotto_err err = sotto_buf_reserve(buf, src.len);
    if (err == SOTTO_OK) {
        assert(buf->base != NULL);
        memcpy(buf->base + buf->len, src.base, src.len);
        buf->len += src.len;
    }
    return err;
}

enum sotto_err sotto_buf_printf(struct sotto_buf *buf, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        return SOTTO_EINVAL;
    }
    enum sotto_err err = sotto_buf_reserve(buf, (size_t)n + 1); /* the NUL is not counted in */
    if (err == SOTTO_OK) {
        va_start(ap, fmt);
        vsnprintf((char *)buf->base + buf->len, (size_t)n + 1, fmt, ap);
        va_end(ap);
        buf->len += (size_t)n;
    }
    return err;
}

void sotto_buf_truncate(struct sotto_buf *buf, size_t len)
{
    assert(len <= buf->len);
    if (len < buf->len) {
        sotto_wipe(buf->base + len, buf->len - len);
        buf->len = len;
    }
}

void sotto_buf_consume(struct sotto_buf *buf, size_t n)
{
    assert(n <= buf->len);
    if (n != 0) {
        memmove(buf->base, buf->base + n, buf->len - n);
        sotto_buf_truncate(buf, buf->len - n);
    }
}
