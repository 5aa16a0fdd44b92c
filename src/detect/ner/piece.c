/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/piece.h"

#include "base/alloc.h"
#include "detect/ner/hash_index.h"
#include "detect/ner/token.h"

/* What the hash of a piece that continues a token begins with differs by this. */
#define PIECE_CONTINUES 0x23230000U

/* -1: there is none. */
static int32_t lookup(const struct sotto_ner_vocabulary *v, uint32_t hash)
{
    uint32_t at = sotto_ner_hash_find(v->index, v->hash, v->count, hash);
    return at < v->count ? v->id[at] : -1;
}

/* The longest piece at the beginning of the points; returns its length, 0: there is none. */
static size_t longest(const struct sotto_ner_vocabulary *v, uint32_t basis, const uint32_t *points,
                      size_t count, uint16_t *id)
{
    uint32_t hash[SOTTO_NER_TOKEN_MAX + 1];

    hash[0] = basis;
    for (size_t i = 0; i < count; i++) {
        hash[i + 1] = (hash[i] ^ points[i]) * SOTTO_NER_HASH_PRIME;
    }
    for (size_t n = count; n > 0; n--) {
        int32_t found = lookup(v, sotto_ner_mix(hash[n]));
        if (found >= 0) {
            *id = (uint16_t)found;
            return n;
        }
    }
    return 0;
}

size_t sotto_ner_pieces(const struct sotto_ner_vocabulary *vocabulary, sotto_span bytes,
                        uint8_t kind, uint16_t ids[SOTTO_NER_TOKEN_PIECES])
{
    uint32_t points[SOTTO_NER_TOKEN_MAX], basis = SOTTO_NER_HASH_BASIS;
    size_t n = 0;

    if (kind == SOTTO_NER_BREAK) {
        ids[0] = SOTTO_NER_PIECE_END;
        return 1;
    }
    size_t count = sotto_ner_points(bytes, kind, points);
    for (size_t at = 0; at < count;) {
        uint16_t id = 0;
        size_t len = longest(vocabulary, basis, points + at, count - at, &id);
        if (len == 0) {
            n = 0;
            break;
        }
        if (n < SOTTO_NER_TOKEN_PIECES) {
            ids[n++] = id;
        }
        at += len;
        basis = SOTTO_NER_HASH_BASIS ^ PIECE_CONTINUES;
    }
    sotto_wipe(points, sizeof(points));
    if (n == 0) {
        ids[n++] = SOTTO_NER_PIECE_UNKNOWN;
    }
    return n;
}
