/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_AUDIT_BYTES_H
#define SOTTO_AUDIT_BYTES_H

#include "base/reader.h"

/* Big-endian numbers of this module's formats. */

static inline void audit_put_u16(uint8_t *to, uint16_t n)
{
    to[0] = (uint8_t)(n >> 8);
    to[1] = (uint8_t)n;
}

static inline void audit_put_u32(uint8_t *to, uint32_t n)
{
    audit_put_u16(to, (uint16_t)(n >> 16));
    audit_put_u16(to + 2, (uint16_t)n);
}

static inline void audit_put_u64(uint8_t *to, uint64_t n)
{
    audit_put_u32(to, (uint32_t)(n >> 32));
    audit_put_u32(to + 4, (uint32_t)n);
}

static inline uint32_t audit_read_u32(struct sotto_reader *rd)
{
    uint32_t high = sotto_read_u16(rd);
    return high << 16 | sotto_read_u16(rd);
}

static inline uint64_t audit_read_u64(struct sotto_reader *rd)
{
    uint64_t high = audit_read_u32(rd);
    return high << 32 | audit_read_u32(rd);
}

#endif
