/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/tree.h"

#include "base/alloc.h"
#include "crypto/hash.h"
#include "tap/tap.h"

#define LEAVES 600

/* All tiles of a tree in memory, as the files would hold them. */
static struct sotto_audit_hash tiles[3][4][SOTTO_AUDIT_TILE_WIDTH];
static struct sotto_audit_hash leaves[LEAVES], roots[LEAVES + 1];
static int reads;

static enum sotto_err read_tile(void *ctx, unsigned level, uint64_t n, unsigned width,
                                struct sotto_audit_hash *out)
{
    (void)ctx;
    reads++;
    if (level >= 3 || n >= 4) {
        return SOTTO_ENOTFOUND;
    }
    memcpy(out, tiles[level][n], width * sizeof(*out));
    return SOTTO_OK;
}

static const struct sotto_audit_tiles source = {NULL, read_tile};

/* RFC 6962, 2.1, by its words: without tiles. */
static struct sotto_audit_hash slow_root(size_t start, size_t end)
{
    struct sotto_audit_hash out;
    uint8_t in[65] = {1};
    if (end - start == 1) {
        return leaves[start];
    }
    size_t k = 1;
    while (2 * k < end - start) {
        k *= 2;
    }
    struct sotto_audit_hash left = slow_root(start, start + k), right = slow_root(start + k, end);
    memcpy(in + 1, left.bytes, 32);
    memcpy(in + 33, right.bytes, 32);
    if (sotto_sha256(sotto_span_init(in, sizeof(in)), out.bytes) != SOTTO_OK) {
        abort();
    }
    return out;
}

static void grow(void)
{
    static struct sotto_audit_tree tree;
    bool all = true;
    struct sotto_audit_hash want;
    if (sotto_audit_tree_root(&tree, &roots[0]) != SOTTO_OK ||
        sotto_sha256(sotto_span_init(NULL, 0), want.bytes) != SOTTO_OK) {
        abort();
    }
    IS_MEM(roots[0].bytes, 32, want.bytes, 32, "an empty tree has the hash of nothing");
    for (size_t i = 0; i < LEAVES; i++) {
        char text[16];
        unsigned full;
        snprintf(text, sizeof(text), "leaf %zu", i);
        if (sotto_audit_leaf(sotto_span_str(text), &leaves[i]) != SOTTO_OK ||
            sotto_audit_tree_add(&tree, &leaves[i], &full) != SOTTO_OK) {
            abort();
        }
        for (unsigned level = 0; level < 3; level++) {
            size_t n = (i + 1) >> (8 * (level + 1));
            if (level < full) {
                memcpy(tiles[level][n - 1], tree.tiles[level], sizeof(tiles[level][0]));
            } else {
                memcpy(tiles[level][n], tree.tiles[level],
                       sotto_audit_edge(tree.size, level) * sizeof(tiles[0][0][0]));
            }
        }
        want = slow_root(0, i + 1);
        all = all && sotto_audit_tree_root(&tree, &roots[i + 1]) == SOTTO_OK &&
              memcmp(&want, &roots[i + 1], sizeof(want)) == 0;
    }
    OK(all, "each of %d roots is that of RFC 6962", LEAVES);
}

static void test_load(void)
{
    static struct sotto_audit_tree tree;
    bool all = true;
    for (uint64_t size = 0; size <= LEAVES; size += size < 520 && size > 500 ? 1 : 7) {
        struct sotto_audit_hash root;
        all = all && sotto_audit_tree_load(&tree, size, &source) == SOTTO_OK &&
              sotto_audit_tree_root(&tree, &root) == SOTTO_OK &&
              memcmp(&root, &roots[size], sizeof(root)) == 0 &&
              sotto_audit_root_at(&source, size, size, &root) == SOTTO_OK &&
              memcmp(&root, &roots[size], sizeof(root)) == 0 &&
              sotto_audit_root_at(&source, size, LEAVES, &root) == SOTTO_OK &&
              memcmp(&root, &roots[size], sizeof(root)) == 0;
    }
    OK(all, "a tree of any size is read from tiles, and its root is the one it had, also from the "
            "tiles of a larger one");
}

static void test_inclusion(void)
{
    struct sotto_audit_path path;
    bool all = true, none = true;
    for (uint64_t size = 1; size <= LEAVES; size += size < 40 ? 1 : 97) {
        for (uint64_t i = 0; i < size; i += size < 40 ? 1 : 13) {
            all = all && sotto_audit_inclusion(&source, i, size, &path) == SOTTO_OK &&
                  sotto_audit_inclusion_check(&leaves[i], i, size, &path, &roots[size]) == SOTTO_OK;
            none = none &&
                   (i + 1 >= size || sotto_audit_inclusion_check(&leaves[i], i + 1, size, &path,
                                                                 &roots[size]) == SOTTO_EAUTH) &&
                   sotto_audit_inclusion_check(&leaves[(i + 1) % LEAVES], i, size, &path,
                                               &roots[size]) == SOTTO_EAUTH &&
                   sotto_audit_inclusion_check(&leaves[i], i, size, &path, &roots[size - 1]) ==
                       SOTTO_EAUTH;
            for (size_t h = 0; h < path.count; h++) {
                path.hashes[h].bytes[h % 32] ^= 1;
                none = none && sotto_audit_inclusion_check(&leaves[i], i, size, &path,
                                                           &roots[size]) == SOTTO_EAUTH;
                path.hashes[h].bytes[h % 32] ^= 1;
            }
        }
    }
    OK(all, "every leaf of every size has a path to the root");
    OK(none, "which leads nowhere for another leaf, index, root, or with a bit changed");
    IS_INT(sotto_audit_inclusion(&source, 5, 5, &path), SOTTO_EINVAL, "no path for no leaf");
    IS_INT(sotto_audit_inclusion_check(&leaves[0], 0, 0, &path, &roots[0]), SOTTO_EAUTH,
           "nothing is in an empty tree");
}

/* RFC 9162, 2.1.4.2. */
static bool consistent(uint64_t old, uint64_t size, const struct sotto_audit_path *path)
{
    struct sotto_audit_hash fr, sr;
    uint64_t fn = old - 1, sn = size - 1;
    size_t at = 0;
    if (old == size) {
        return path->count == 0;
    }
    while ((fn & 1) != 0) {
        fn >>= 1;
        sn >>= 1;
    }
    if ((old & (old - 1)) == 0) {
        fr = roots[old];
    } else {
        fr = path->hashes[at++];
    }
    sr = fr;
    for (; at < path->count; at++) {
        uint8_t in[65] = {1};
        if (sn == 0) {
            return false;
        }
        if ((fn & 1) != 0 || fn == sn) {
            memcpy(in + 1, path->hashes[at].bytes, 32);
            memcpy(in + 33, fr.bytes, 32);
            sotto_ignore(sotto_sha256(sotto_span_init(in, 65), fr.bytes)); /* compared below */
            memcpy(in + 33, sr.bytes, 32);
            sotto_ignore(sotto_sha256(sotto_span_init(in, 65), sr.bytes));
            while (fn != 0 && (fn & 1) == 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            memcpy(in + 1, sr.bytes, 32);
            memcpy(in + 33, path->hashes[at].bytes, 32);
            sotto_ignore(sotto_sha256(sotto_span_init(in, 65), sr.bytes));
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(&fr, &roots[old], 32) == 0 && memcmp(&sr, &roots[size], 32) == 0;
}

static void test_consistency(void)
{
    struct sotto_audit_path path;
    bool all = true;
    for (uint64_t size = 1; size <= LEAVES; size += size < 40 ? 1 : 97) {
        for (uint64_t old = 1; old <= size; old += size < 40 ? 1 : 13) {
            all = all && sotto_audit_consistency(&source, old, size, &path) == SOTTO_OK &&
                  consistent(old, size, &path);
        }
    }
    OK(all, "every size is shown to be the beginning of every later one");
    IS_INT(sotto_audit_consistency(&source, 0, 5, &path), SOTTO_EINVAL, "nothing begins nothing");
    IS_INT(sotto_audit_consistency(&source, 6, 5, &path), SOTTO_EINVAL, "nor the other way round");
}

static void test_paths(void)
{
    static const struct {
        unsigned level;
        uint64_t n;
        unsigned width;
        const char *path;
    } cases[] = {
        {0, 0, 256, "tile/0/000"},
        {0, 0, 7, "tile/0/000.p/7"},
        {1, 999, 256, "tile/1/999"},
        {0, 1000, 255, "tile/0/x001/000.p/255"},
        {0, 1234067, 256, "tile/0/x001/x234/067"},
        {SOTTO_AUDIT_ENTRIES, 42, 1, "tile/entries/042.p/1"},
        {7, 1, 256, "tile/7/001"},
    };
    static const char *const bad[] = {"",
                                      "tile/0",
                                      "tile/0/",
                                      "tile/0/0",
                                      "tile/0/0000",
                                      "tile/8/000",
                                      "tile/9/000",
                                      "tile/00/000",
                                      "tile/0/x000/001",
                                      "tile/0/001.p/",
                                      "tile/0/001.p/0",
                                      "tile/0/001.p/256",
                                      "tile/0/001.p/07",
                                      "tile/0/001.p/1/",
                                      "tile/0/../key",
                                      "tile/entries/",
                                      "tile/entries/x01/000",
                                      "tile/0/x001/",
                                      "tile/x/001",
                                      "/tile/0/001",
                                      "tile/0/001.q/1",
                                      "tile/0/x001/x001/x001/x001/x001/x001/x001/001"};
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        char path[SOTTO_AUDIT_TILE_PATH_BYTES];
        unsigned level = 99, width = 99;
        uint64_t n = 99;
        sotto_audit_tile_path(cases[i].level, cases[i].n, cases[i].width, path);
        IS_TEXT(path, strlen(path), cases[i].path, "path of a tile");
        IS_INT(sotto_audit_tile_parse(sotto_span_str(path), &level, &n, &width), SOTTO_OK, "read");
        OK(level == cases[i].level && n == cases[i].n && width == cases[i].width, "as written");
    }
    for (size_t i = 0; i < SOTTO_COUNT(bad); i++) {
        unsigned level = 99, width = 99;
        uint64_t n = 99;
        IS_INT(sotto_audit_tile_parse(sotto_span_str(bad[i]), &level, &n, &width), SOTTO_EFORMAT,
               "no tile: '%s'", bad[i]);
    }
}

static void test_widths(void)
{
    IS_INT(sotto_audit_width(600, 0, 0), 256, "a full tile");
    IS_INT(sotto_audit_width(600, 0, 2), 600 - 512, "an incomplete one");
    IS_INT(sotto_audit_width(600, 0, 3), 0, "none");
    IS_INT(sotto_audit_width(600, 1, 0), 2, "of level 1");
    IS_INT(sotto_audit_width(512, 0, 2), 0, "at the border");
}

int main(void)
{
    grow();
    test_load();
    test_inclusion();
    test_consistency();
    test_paths();
    test_widths();
    return done_testing();
}
