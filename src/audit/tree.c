/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/tree.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/ct.h"
#include "crypto/hash.h"

#define TREE_SIZE_MAX ((uint64_t)1 << 62)

static enum sotto_err node(const struct sotto_audit_hash *left,
                           const struct sotto_audit_hash *right, struct sotto_audit_hash *out)
{
    uint8_t in[1 + 2 * SOTTO_AUDIT_HASH_BYTES] = {1};
    memcpy(in + 1, left->bytes, SOTTO_AUDIT_HASH_BYTES);
    memcpy(in + 1 + SOTTO_AUDIT_HASH_BYTES, right->bytes, SOTTO_AUDIT_HASH_BYTES);
    return sotto_sha256(sotto_span_init(in, sizeof(in)), out->bytes);
}

enum sotto_err sotto_audit_leaf(sotto_span entry, struct sotto_audit_hash *out)
{
    static const uint8_t zero[1];
    const sotto_span parts[] = {sotto_span_init(zero, 1), entry};
    return sotto_sha256_parts(parts, 2, out->bytes);
}

unsigned sotto_audit_width(uint64_t size, unsigned level, uint64_t n)
{
    uint64_t hashes = size >> (8 * level), full = hashes / SOTTO_AUDIT_TILE_WIDTH;
    return n < full    ? SOTTO_AUDIT_TILE_WIDTH
           : n == full ? (unsigned)(hashes % SOTTO_AUDIT_TILE_WIDTH)
                       : 0;
}

/* Root of `count` hashes, a power of two of at most 256. */
static enum sotto_err perfect(const struct sotto_audit_hash *hashes, size_t count,
                              struct sotto_audit_hash *out)
{
    struct sotto_audit_hash row[SOTTO_AUDIT_TILE_WIDTH / 2];
    enum sotto_err err = SOTTO_OK;
    if (count == 1) {
        *out = hashes[0];
        return SOTTO_OK;
    }
    for (size_t i = 0; i < count / 2 && err == SOTTO_OK; i++) {
        err = node(&hashes[2 * i], &hashes[2 * i + 1], &row[i]);
    }
    for (count /= 2; count > 1; count /= 2) {
        for (size_t i = 0; i < count / 2 && err == SOTTO_OK; i++) {
            err = node(&row[2 * i], &row[2 * i + 1], &row[i]);
        }
    }
    *out = row[0];
    return err;
}

enum sotto_err sotto_audit_tree_add(struct sotto_audit_tree *tree,
                                    const struct sotto_audit_hash *leaf, unsigned *full)
{
    struct sotto_audit_hash hash = *leaf;
    *full = 0;
    if (tree->size >= TREE_SIZE_MAX) {
        return SOTTO_ELIMIT;
    }
    for (unsigned level = 0; level < SOTTO_AUDIT_LEVELS; level++) {
        unsigned at = sotto_audit_edge(tree->size, level);
        tree->tiles[level][at] = hash;
        if (at + 1 < SOTTO_AUDIT_TILE_WIDTH) {
            break;
        }
        *full = level + 1;
        enum sotto_err err = perfect(tree->tiles[level], SOTTO_AUDIT_TILE_WIDTH, &hash);
        if (err != SOTTO_OK) {
            return err;
        }
    }
    tree->size++;
    return SOTTO_OK;
}

/* Puts the hashes of one level, the largest perfect subtrees first, to the left of `acc`. */
static enum sotto_err fold_level(const struct sotto_audit_hash *hashes, unsigned width,
                                 struct sotto_audit_hash *acc, bool *any)
{
    for (unsigned bit = 1; bit < SOTTO_AUDIT_TILE_WIDTH; bit <<= 1) {
        struct sotto_audit_hash left;
        if ((width & bit) == 0) {
            continue;
        }
        width -= bit;
        enum sotto_err err = perfect(hashes + width, bit, &left);
        if (err == SOTTO_OK && *any) {
            err = node(&left, acc, &left);
        }
        if (err != SOTTO_OK) {
            return err;
        }
        *acc = left;
        *any = true;
    }
    return SOTTO_OK;
}

enum sotto_err sotto_audit_tree_root(const struct sotto_audit_tree *tree,
                                     struct sotto_audit_hash *out)
{
    bool any = false;
    for (unsigned level = 0; level < SOTTO_AUDIT_LEVELS; level++) {
        enum sotto_err err =
            fold_level(tree->tiles[level], sotto_audit_edge(tree->size, level), out, &any);
        if (err != SOTTO_OK) {
            return err;
        }
    }
    return any ? SOTTO_OK : sotto_sha256(sotto_span_init(NULL, 0), out->bytes);
}

enum sotto_err sotto_audit_tree_load(struct sotto_audit_tree *tree, uint64_t size,
                                     const struct sotto_audit_tiles *tiles)
{
    tree->size = size;
    for (unsigned level = 0; level < SOTTO_AUDIT_LEVELS; level++) {
        unsigned width = sotto_audit_edge(size, level);
        uint64_t n = level == SOTTO_AUDIT_LEVELS - 1 ? 0 : size >> (8 * (level + 1));
        if (width != 0) {
            enum sotto_err err = tiles->read(tiles->ctx, level, n, width, tree->tiles[level]);
            if (err != SOTTO_OK) {
                return err;
            }
        }
    }
    return SOTTO_OK;
}

/* --- roots of ranges --------------------------------------------------------------------------- */

/* What a walk over the tree needs: the tiles and how large the tree is, hence how wide they are. */
struct tree_walk {
    const struct sotto_audit_tiles *tiles;
    uint64_t size;
    struct sotto_audit_hash tile[SOTTO_AUDIT_TILE_WIDTH];
};

/* Root of `count` leaves from `start` on: a power of two, at a multiple of it, inside the tree. */
static enum sotto_err subtree(struct tree_walk *w, uint64_t start, uint64_t count,
                              struct sotto_audit_hash *out)
{
    unsigned level = 0;
    while (count > 1 && level < SOTTO_AUDIT_LEVELS - 1 && count >= SOTTO_AUDIT_TILE_WIDTH) {
        level++;
        start >>= 8;
        count >>= 8;
    }
    uint64_t n = start / SOTTO_AUDIT_TILE_WIDTH;
    unsigned width = sotto_audit_width(w->size, level, n);
    enum sotto_err err = w->tiles->read(w->tiles->ctx, level, n, width, w->tile);
    return err == SOTTO_OK ? perfect(w->tile + start % SOTTO_AUDIT_TILE_WIDTH, (size_t)count, out)
                           : err;
}

/* Largest power of two below `n`, which is more than 1. */
static uint64_t split_of(uint64_t n)
{
    uint64_t k = 1;
    while (k < n - k) {
        k *= 2;
    }
    return k;
}

/* Root of the leaves [start, end), where start is a multiple of a power of two not below end -
 * start.  From the right: what is to the right of a perfect subtree is folded already. */
static enum sotto_err range_root(struct tree_walk *w, uint64_t start, uint64_t end,
                                 struct sotto_audit_hash *out)
{
    bool any = false;
    uint64_t left = end - start;
    while (left != 0) {
        struct sotto_audit_hash hash;
        uint64_t bit = left & (~left + 1);
        left -= bit;
        enum sotto_err err = subtree(w, start + left, bit, &hash);
        if (err == SOTTO_OK && any) {
            err = node(&hash, out, &hash);
        }
        if (err != SOTTO_OK) {
            return err;
        }
        *out = hash;
        any = true;
    }
    return any ? SOTTO_OK : sotto_sha256(sotto_span_init(NULL, 0), out->bytes);
}

enum sotto_err sotto_audit_root_at(const struct sotto_audit_tiles *tiles, uint64_t count,
                                   uint64_t size, struct sotto_audit_hash *out)
{
    struct tree_walk w = {.tiles = tiles, .size = size};
    return range_root(&w, 0, count, out);
}

static void reverse(struct sotto_audit_path *path)
{
    for (size_t i = 0, j = path->count; i + 1 < j; i++) {
        struct sotto_audit_hash swap = path->hashes[i];
        path->hashes[i] = path->hashes[--j];
        path->hashes[j] = swap;
    }
}

static enum sotto_err step(struct tree_walk *w, uint64_t start, uint64_t end,
                           struct sotto_audit_path *out)
{
    return out->count < SOTTO_AUDIT_PATH_MAX ? range_root(w, start, end, &out->hashes[out->count++])
                                             : SOTTO_ELIMIT;
}

enum sotto_err sotto_audit_inclusion(const struct sotto_audit_tiles *tiles, uint64_t index,
                                     uint64_t size, struct sotto_audit_path *out)
{
    struct tree_walk w = {.tiles = tiles, .size = size};
    uint64_t start = 0, end = size;
    enum sotto_err err = index < size ? SOTTO_OK : SOTTO_EINVAL;
    out->count = 0;
    while (err == SOTTO_OK && end - start > 1) { /* from the root down */
        uint64_t middle = start + split_of(end - start);
        if (index < middle) {
            err = step(&w, middle, end, out);
            end = middle;
        } else {
            err = step(&w, start, middle, out);
            start = middle;
        }
    }
    reverse(out);
    return err;
}

enum sotto_err sotto_audit_consistency(const struct sotto_audit_tiles *tiles, uint64_t old,
                                       uint64_t size, struct sotto_audit_path *out)
{
    struct tree_walk w = {.tiles = tiles, .size = size};
    uint64_t start = 0, end = size;
    bool whole = true; /* the old tree is a node of the new one so far: the verifier knows it */
    enum sotto_err err = old != 0 && old <= size ? SOTTO_OK : SOTTO_EINVAL;
    out->count = 0;
    while (err == SOTTO_OK && old != end) {
        uint64_t middle = start + split_of(end - start);
        if (old <= middle) {
            err = step(&w, middle, end, out);
            end = middle;
        } else {
            err = step(&w, start, middle, out);
            start = middle;
            whole = false;
        }
    }
    if (err == SOTTO_OK && !whole) {
        err = step(&w, start, end, out);
    }
    reverse(out);
    return err;
}

enum sotto_err sotto_audit_inclusion_check(const struct sotto_audit_hash *leaf, uint64_t index,
                                           uint64_t size, const struct sotto_audit_path *path,
                                           const struct sotto_audit_hash *root)
{
    struct sotto_audit_hash hash = *leaf;
    uint64_t at = index, last = size - 1;
    if (index >= size) {
        return SOTTO_EAUTH;
    }
    for (size_t i = 0; i < path->count; i++) {
        enum sotto_err err;
        if (last == 0) {
            return SOTTO_EAUTH;
        }
        if ((at & 1) != 0 || at == last) {
            err = node(&path->hashes[i], &hash, &hash);
            while ((at & 1) == 0 && at != 0) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            err = node(&hash, &path->hashes[i], &hash);
        }
        if (err != SOTTO_OK) {
            return err;
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0 && sotto_ct_equal(hash.bytes, root->bytes, SOTTO_AUDIT_HASH_BYTES)
               ? SOTTO_OK
               : SOTTO_EAUTH;
}

/* --- paths ------------------------------------------------------------------------------------- */

void sotto_audit_tile_path(unsigned level, uint64_t n, unsigned width,
                           char out[SOTTO_AUDIT_TILE_PATH_BYTES])
{
    uint64_t unit = 1;
    int len = level == SOTTO_AUDIT_ENTRIES
                  ? snprintf(out, SOTTO_AUDIT_TILE_PATH_BYTES, "tile/entries")
                  : snprintf(out, SOTTO_AUDIT_TILE_PATH_BYTES, "tile/%u", level);
    while (n / unit >= 1000) {
        unit *= 1000;
    }
    for (; unit != 0; unit /= 1000) {
        len += snprintf(out + len, SOTTO_AUDIT_TILE_PATH_BYTES - (size_t)len, "/%s%03" PRIu64,
                        unit > 1 ? "x" : "", n / unit % 1000);
    }
    if (width != SOTTO_AUDIT_TILE_WIDTH) {
        snprintf(out + len, SOTTO_AUDIT_TILE_PATH_BYTES - (size_t)len, ".p/%u", width);
    }
}

/* Takes up to `max` decimal digits off the front.  Returns how many. */
static size_t take_digits(sotto_span *text, size_t max, uint64_t *n)
{
    size_t count = 0;
    while (count < max && text->len != 0 && text->base[0] >= '0' && text->base[0] <= '9') {
        *n = *n * 10 + (uint64_t)(text->base[0] - '0');
        *text = sotto_span_skip(*text, 1);
        count++;
    }
    return count;
}

static bool take(sotto_span *text, sotto_span prefix)
{
    if (!sotto_span_starts(*text, prefix)) {
        return false;
    }
    *text = sotto_span_skip(*text, prefix.len);
    return true;
}

enum sotto_err sotto_audit_tile_parse(sotto_span path, unsigned *level, uint64_t *n,
                                      unsigned *width)
{
    char again[SOTTO_AUDIT_TILE_PATH_BYTES];
    sotto_span rest = path;
    uint64_t lev = SOTTO_AUDIT_ENTRIES, number = 0, wide = SOTTO_AUDIT_TILE_WIDTH;
    size_t groups = 0;
    bool more;
    if (!take(&rest, SOTTO_LIT("tile/"))) {
        return SOTTO_EFORMAT;
    }
    if (!take(&rest, SOTTO_LIT("entries/"))) {
        lev = 0;
        if (take_digits(&rest, 1, &lev) != 1 || !take(&rest, SOTTO_LIT("/"))) {
            return SOTTO_EFORMAT;
        }
    }
    do {
        more = take(&rest, SOTTO_LIT("x"));
        if (++groups > 6 || take_digits(&rest, 3, &number) != 3 ||
            (more && !take(&rest, SOTTO_LIT("/")))) {
            return SOTTO_EFORMAT;
        }
    } while (more);
    if (rest.len != 0) {
        wide = 0;
        if (!take(&rest, SOTTO_LIT(".p/")) || take_digits(&rest, 3, &wide) == 0 || wide == 0 ||
            wide >= SOTTO_AUDIT_TILE_WIDTH) {
            return SOTTO_EFORMAT;
        }
    }
    /* The one form: written again it is the same, so "x000/001" and ".p/07" are none. */
    sotto_audit_tile_path((unsigned)lev, number, (unsigned)wide, again);
    if (lev > SOTTO_AUDIT_ENTRIES || !sotto_span_eq(path, sotto_span_str(again)) ||
        (lev == SOTTO_AUDIT_ENTRIES && !sotto_span_starts(path, SOTTO_LIT("tile/e")))) {
        return SOTTO_EFORMAT;
    }
    *level = (unsigned)lev;
    *n = number;
    *width = (unsigned)wide;
    return SOTTO_OK;
}
