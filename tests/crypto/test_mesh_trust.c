/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/mesh_trust.h"

#include "base/alloc.h"
#include "crypto/mesh.h"
#include "tap/tap.h"

#define NOW   1700000000
#define DAY_S 86400

/* Two meshes with the same names and other keys. */
static struct mesh_of_test {
    struct sotto_buf ca, leaf;
    struct sotto_mesh *mesh;
    uint8_t name[SOTTO_SHA256_BYTES];
    struct sotto_buf signature;
} meshes[2];

static const uint8_t digest[SOTTO_SHA256_BYTES] = {1, 2, 3};

static void make(struct mesh_of_test *m)
{
    sotto_buf_init(&m->ca, SOTTO_MESH_PEM_MAX);
    sotto_buf_init(&m->leaf, SOTTO_MESH_PEM_MAX);
    sotto_buf_init(&m->signature, 100);
    OK(sotto_mesh_make_ca(NOW, &m->ca) == SOTTO_OK &&
           sotto_mesh_make_leaf(sotto_buf_span(&m->ca), NOW, &m->leaf) == SOTTO_OK &&
           sotto_mesh_read(sotto_buf_span(&m->ca), sotto_buf_span(&m->leaf), &m->mesh) ==
               SOTTO_OK &&
           sotto_mesh_sign(m->mesh, digest, &m->signature) == SOTTO_OK,
       "a mesh");
    IS_INT(sotto_mesh_ca_name(sotto_mesh_ca(m->mesh), m->name), SOTTO_OK, "its authority's name");
    IS_MEM(m->name, SOTTO_SHA256_BYTES, sotto_mesh_ca_hash(m->mesh), SOTTO_SHA256_BYTES,
           "is the hash that the gateway publishes");
}

static void test_listed(void)
{
    const sotto_span one = sotto_mesh_ca(meshes[0].mesh), two = sotto_mesh_ca(meshes[1].mesh);
    struct sotto_buf file;
    sotto_buf_init(&file, 100000);
    IS_INT(sotto_mesh_ca_listed(one, meshes[0].name), SOTTO_OK, "a file with the authority");
    IS_INT(sotto_mesh_ca_listed(two, meshes[0].name), SOTTO_EDENIED, "a file with another one");
    OK(sotto_buf_append(&file, SOTTO_LIT("# ours\n")) == SOTTO_OK &&
           sotto_buf_append(&file, two) == SOTTO_OK && sotto_buf_append(&file, one) == SOTTO_OK,
       "a file with a comment and two");
    IS_INT(sotto_mesh_ca_listed(sotto_buf_span(&file), meshes[0].name), SOTTO_OK,
           "the second one counts too");
    uint8_t name[SOTTO_SHA256_BYTES] = {9}, before[SOTTO_SHA256_BYTES] = {9};
    IS_INT(sotto_mesh_ca_name(sotto_buf_span(&file), name), SOTTO_EFORMAT,
           "two are not one authority");
    IS_MEM(name, sizeof(name), before, sizeof(before), "and nothing is named");
    IS_INT(sotto_mesh_ca_listed(SOTTO_LIT(""), name), SOTTO_EFORMAT, "an empty file");
    IS_INT(sotto_mesh_ca_listed(SOTTO_LIT("garbage\n"), name), SOTTO_EFORMAT, "garbage");
    sotto_buf_truncate(&file, file.len - 200);
    IS_INT(sotto_mesh_ca_listed(sotto_buf_span(&file), meshes[1].name), SOTTO_EFORMAT,
           "half a certificate behind the one that is asked for");
    sotto_buf_free(&file);
}

static enum sotto_err check(size_t ca, size_t leaf, size_t signature, int64_t now_s)
{
    return sotto_mesh_signed(sotto_mesh_ca(meshes[ca].mesh), sotto_mesh_leaf(meshes[leaf].mesh),
                             now_s, digest, sotto_buf_span(&meshes[signature].signature));
}

static void test_signed(void)
{
    const uint8_t other[SOTTO_SHA256_BYTES] = {1, 2, 4};
    const sotto_span ca = sotto_mesh_ca(meshes[0].mesh), leaf = sotto_mesh_leaf(meshes[0].mesh);
    const sotto_span signature = sotto_buf_span(&meshes[0].signature);
    IS_INT(check(0, 0, 0, NOW), SOTTO_OK, "what the leaf signed");
    IS_INT(check(1, 0, 0, NOW), SOTTO_EAUTH, "under another authority of the same name");
    IS_INT(check(0, 1, 1, NOW), SOTTO_EAUTH, "by the leaf of another one");
    IS_INT(check(0, 0, 1, NOW), SOTTO_EAUTH, "another leaf's signature");
    IS_INT(check(0, 0, 0, NOW - DAY_S), SOTTO_EAUTH, "before the leaf is valid");
    IS_INT(check(0, 0, 0, NOW + (int64_t)(SOTTO_MESH_LEAF_DAYS + 1) * DAY_S), SOTTO_EAUTH,
           "after its end");
    IS_INT(sotto_mesh_signed(ca, leaf, NOW, other, signature), SOTTO_EAUTH, "another digest");
    IS_INT(sotto_mesh_signed(ca, leaf, NOW, digest, SOTTO_LIT("")), SOTTO_EAUTH, "no signature");
    IS_INT(sotto_mesh_signed(ca, SOTTO_LIT("x"), NOW, digest, signature), SOTTO_EFORMAT,
           "no certificate");
    IS_INT(sotto_mesh_signed(SOTTO_LIT("x"), leaf, NOW, digest, signature), SOTTO_EFORMAT,
           "no authority");
}

/* The private key of an authority signs what no leaf has signed. */
static void test_authority_as_leaf(void)
{
    struct sotto_mesh *mesh = NULL;
    struct sotto_buf signature;
    sotto_buf_init(&signature, 100);
    IS_INT(sotto_mesh_read(sotto_buf_span(&meshes[0].ca), sotto_buf_span(&meshes[0].ca), &mesh),
           SOTTO_OK, "an authority in the place of its leaf");
    IS_INT(sotto_mesh_sign(mesh, digest, &signature), SOTTO_OK, "signs");
    IS_INT(sotto_mesh_signed(sotto_mesh_ca(mesh), sotto_mesh_leaf(mesh), NOW, digest,
                             sotto_buf_span(&signature)),
           SOTTO_EAUTH, "and is not believed");
    sotto_mesh_free(mesh);
    sotto_buf_free(&signature);
}

/* Each bit of the leaf's certificate and of the signature, changed once. */
static void test_flipped(void)
{
    const sotto_span parts[] = {sotto_mesh_leaf(meshes[0].mesh),
                                sotto_buf_span(&meshes[0].signature)};
    size_t believed = 0;
    for (size_t which = 0; which < 2; which++) {
        uint8_t copy[SOTTO_MESH_PEM_MAX];
        memcpy(copy, parts[which].base, parts[which].len);
        for (size_t i = 0; i < parts[which].len; i++) {
            copy[i] ^= (uint8_t)(1U << i % 8);
            sotto_span changed = sotto_span_init(copy, parts[which].len);
            believed +=
                sotto_mesh_signed(sotto_mesh_ca(meshes[0].mesh), which == 0 ? changed : parts[0],
                                  NOW, digest, which == 1 ? changed : parts[1]) == SOTTO_OK;
            copy[i] ^= (uint8_t)(1U << i % 8);
        }
    }
    IS_SIZE(believed, 0, "no changed byte is believed");
}

static void test_memory(void)
{
    sotto_alloc_set_fault(0);
    IS_INT(check(0, 0, 0, NOW), SOTTO_OK, "with memory");
    size_t count = sotto_alloc_set_fault(0), held = 0;
    for (size_t i = 1; i <= count; i++) {
        sotto_alloc_set_fault(i);
        held += check(0, 1, 1, NOW) == SOTTO_OK;
    }
    sotto_alloc_set_fault(0);
    IS_SIZE(held, 0, "no lack of memory makes another leaf good (%zu allocations)", count);
}

int main(void)
{
    make(&meshes[0]);
    make(&meshes[1]);
    test_listed();
    test_signed();
    test_authority_as_leaf();
    test_flipped();
    test_memory();
    for (size_t i = 0; i < 2; i++) {
        sotto_mesh_free(meshes[i].mesh);
        sotto_buf_free(&meshes[i].ca);
        sotto_buf_free(&meshes[i].leaf);
        sotto_buf_free(&meshes[i].signature);
    }
    return done_testing();
}
