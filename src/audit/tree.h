/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_AUDIT_TREE_H
#define SOTTO_AUDIT_TREE_H

/*
 * The Merkle tree of the log (RFC 6962, 2.1) and its tiles (C2SP tlog-tiles).
 *
 *   leaf = SHA-256(0x00 entry)        node = SHA-256(0x01 left right)
 *
 * A tile of level L and number N holds up to 256 hashes: the roots of the perfect subtrees of
 * 256^L leaves from number 256 N on.  A full one has 8192 bytes and never changes; of an
 * incomplete one each width is a file of its own.  All hashes of the tree can be computed from
 * tiles, so that anybody can check it who can read files.
 *
 * Pure: tiles are read through a function of the caller.
 */

#include "base/err.h"
#include "base/span.h"

#define SOTTO_AUDIT_HASH_BYTES 32
#define SOTTO_AUDIT_TILE_WIDTH 256
/** Levels of tiles: enough for 2^64 leaves. */
#define SOTTO_AUDIT_LEVELS 8
/** Most hashes in a proof. */
#define SOTTO_AUDIT_PATH_MAX 64
/** Room for a tile's path: "tile/entries/" and seven groups of three digits. */
#define SOTTO_AUDIT_TILE_PATH_BYTES 64

struct sotto_audit_hash {
    uint8_t bytes[SOTTO_AUDIT_HASH_BYTES];
};

/** Hash of an entry.  @retval SOTTO_ECRYPTO  `out` wiped */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_leaf(sotto_span entry, struct sotto_audit_hash *out);

/** The right edge of a growing tree: for each level the hashes of its last, incomplete tile. */
struct sotto_audit_tree {
    uint64_t size;
    struct sotto_audit_hash tiles[SOTTO_AUDIT_LEVELS][SOTTO_AUDIT_TILE_WIDTH];
};

/** Hashes in the incomplete tile of a level, of a tree of `size` leaves: 0 to 255. */
static inline unsigned sotto_audit_edge(uint64_t size, unsigned level)
{
    return (unsigned)(size >> (8 * level) & (SOTTO_AUDIT_TILE_WIDTH - 1));
}

/** Hashes in tile `n` of a level, of a tree of `size` leaves: 0 to 256. */
unsigned sotto_audit_width(uint64_t size, unsigned level, uint64_t n);

/**
 * Adds a leaf.
 *
 * @param[out] full  how many levels, from 0 on, have a full tile in `tiles` now: to be written
 *                   before the next leaf is added
 *
 * @retval SOTTO_ELIMIT   2^62 leaves
 * @retval SOTTO_ECRYPTO  the tree must not be used any more
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_tree_add(struct sotto_audit_tree *tree,
                                                     const struct sotto_audit_hash *leaf,
                                                     unsigned *full);

/** Root of the tree; of an empty one SHA-256 of nothing.  @retval SOTTO_ECRYPTO  `out` wiped */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_tree_root(const struct sotto_audit_tree *tree,
                                                      struct sotto_audit_hash *out);

/** Where tiles come from. */
struct sotto_audit_tiles {
    void *ctx;
    /**
     * Reads the first `width` hashes of a tile.
     * @retval SOTTO_ENOTFOUND, SOTTO_EFORMAT, SOTTO_EIO, SOTTO_ENOMEM
     */
    enum sotto_err (*read)(void *ctx, unsigned level, uint64_t n, unsigned width,
                           struct sotto_audit_hash *out);
};

/** Reads the right edge of a tree of `size` leaves.  Errors of `tiles`; `tree` undefined then. */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_tree_load(struct sotto_audit_tree *tree, uint64_t size,
                                                      const struct sotto_audit_tiles *tiles);

struct sotto_audit_path {
    size_t count;
    struct sotto_audit_hash hashes[SOTTO_AUDIT_PATH_MAX];
};

/**
 * Root that the tree had with `count` leaves.  Errors of `tiles`, SOTTO_ECRYPTO.
 *
 * @param size  of the tree now, hence of its tiles: those of an earlier size may be gone; `count`
 *              is not more
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_root_at(const struct sotto_audit_tiles *tiles,
                                                    uint64_t count, uint64_t size,
                                                    struct sotto_audit_hash *out);

/**
 * The hashes that lead from leaf `index` to the root of `size` leaves (RFC 6962, 2.1.1).
 *
 * @retval SOTTO_EINVAL   `index` is not below `size`
 * @retval SOTTO_ECRYPTO, errors of `tiles`
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_inclusion(const struct sotto_audit_tiles *tiles,
                                                      uint64_t index, uint64_t size,
                                                      struct sotto_audit_path *out);

/**
 * The hashes that show that `old` leaves are the beginning of `size` leaves (RFC 6962, 2.1.2).
 *
 * @retval SOTTO_EINVAL   `old` is 0 or more than `size`
 * @retval SOTTO_ECRYPTO, errors of `tiles`
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_consistency(const struct sotto_audit_tiles *tiles,
                                                        uint64_t old, uint64_t size,
                                                        struct sotto_audit_path *out);

/**
 * Whether the path leads from the leaf to the root (RFC 9162, 2.1.3.2).
 *
 * @retval SOTTO_EAUTH  it does not
 * @retval SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_inclusion_check(const struct sotto_audit_hash *leaf,
                                                            uint64_t index, uint64_t size,
                                                            const struct sotto_audit_path *path,
                                                            const struct sotto_audit_hash *root);

/** What stands for a level in sotto_audit_tile_path(): the entries themselves. */
#define SOTTO_AUDIT_ENTRIES SOTTO_AUDIT_LEVELS

/** Path of a tile below the log's folder: "tile/0/x001/234", with ".p/7" where `width` is 7. */
void sotto_audit_tile_path(unsigned level, uint64_t n, unsigned width,
                           char out[SOTTO_AUDIT_TILE_PATH_BYTES]);

/**
 * Reads such a path.
 *
 * @retval SOTTO_EFORMAT  it is none in the one form it can have
 */
SOTTO_MUST_CHECK enum sotto_err sotto_audit_tile_parse(sotto_span path, unsigned *level,
                                                       uint64_t *n, unsigned *width);

#endif
