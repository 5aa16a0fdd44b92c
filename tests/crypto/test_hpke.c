/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/hpke.h"

#include "crypto/hkdf.h"
#include "vectors/known.h"

static const struct sotto_kem *kem_of(int64_t id)
{
    return id == sotto_kem_mlkem512.hpke_id ? &sotto_kem_mlkem512
           : id == sotto_kem_xwing.hpke_id  ? &sotto_kem_xwing
                                            : NULL;
}

static void check_schedule(yyjson_mut_val *v, size_t number)
{
    uint16_t kem = (uint16_t)known_int(v, "kem_id"), aead = (uint16_t)known_int(v, "aead_id");
    struct sotto_buf shared = known_bytes(v, "shared_secret"), info = known_bytes(v, "info");
    struct sotto_buf want = known_bytes(v, "exporter_secret");
    uint8_t exporter[SOTTO_HPKE_EXPORTER_BYTES], out[32];
    IS_INT(sotto_hpke_schedule(kem, aead, sotto_buf_span(&shared), sotto_buf_span(&info), exporter),
           SOTTO_OK, "vector %zu: schedule", number);
    IS_MEM(exporter, sizeof(exporter), want.base, want.len, "exporter secret");

    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(sotto_json_get(v, "exports"));
    for (yyjson_mut_val *e; (e = yyjson_mut_arr_iter_next(&iter)) != NULL;) {
        struct sotto_buf context = known_bytes(e, "exporter_context");
        struct sotto_buf value = known_bytes(e, "exported_value");
        IS_INT(sotto_hpke_export(kem, aead, exporter, sotto_buf_span(&context), out, sizeof(out)),
               SOTTO_OK, "an export");
        IS_MEM(out, sizeof(out), value.base, value.len, "as published");
        sotto_buf_free(&context);
        sotto_buf_free(&value);
    }
    sotto_buf_free(&shared);
    sotto_buf_free(&info);
    sotto_buf_free(&want);
}

static void check_kem(yyjson_mut_val *v, const struct sotto_kem *kem, size_t number)
{
    struct sotto_buf seed = known_bytes(v, "skRm"), public_key = known_bytes(v, "pkRm");
    struct sotto_buf randomness = known_bytes(v, "ikmE"), enc = known_bytes(v, "enc");
    struct sotto_buf shared = known_bytes(v, "shared_secret");
    uint8_t ciphertext[SOTTO_KEM_CIPHERTEXT_MAX], secret[SOTTO_KEM_SECRET_BYTES];
    struct sotto_kem_pair *pair = NULL;

    IS_INT(sotto_kem_pair_from_seed(kem, sotto_buf_span(&seed), &pair), SOTTO_OK,
           "vector %zu, %s: a pair from its seed", number, kem->name);
    sotto_span own = sotto_kem_public(pair);
    IS_MEM(own.base, own.len, public_key.base, public_key.len, "has the public key");
    IS_INT(sotto_kem_encapsulate_with(kem, own, sotto_buf_span(&randomness), ciphertext, secret),
           SOTTO_OK, "encapsulating");
    IS_MEM(ciphertext, kem->ciphertext_len, enc.base, enc.len, "gives the ciphertext");
    IS_MEM(secret, sizeof(secret), shared.base, shared.len, "and the secret");
    memset(secret, 0, sizeof(secret));
    IS_INT(sotto_kem_decapsulate(pair, sotto_buf_span(&enc), secret), SOTTO_OK, "decapsulating");
    IS_MEM(secret, sizeof(secret), shared.base, shared.len, "gives the secret");

    sotto_kem_pair_free(pair);
    sotto_buf_free(&seed);
    sotto_buf_free(&public_key);
    sotto_buf_free(&randomness);
    sotto_buf_free(&enc);
    sotto_buf_free(&shared);
}

static void test_known_answers(yyjson_mut_doc *doc)
{
    yyjson_mut_val *vectors = sotto_json_get(yyjson_mut_doc_get_root(doc), "vectors");
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(vectors);
    size_t number = 0;
    for (yyjson_mut_val *v; (v = yyjson_mut_arr_iter_next(&iter)) != NULL; number++) {
        const struct sotto_kem *kem = kem_of(known_int(v, "kem_id"));
        check_schedule(v, number);
        if (kem != NULL) {
            check_kem(v, kem, number);
        }
    }
    IS_SIZE(number, 5, "all vectors were there");
}

static void test_both_sides(const struct sotto_kem *kem)
{
    struct sotto_kem_pair *pair = NULL;
    uint8_t enc[SOTTO_KEM_CIPHERTEXT_MAX], sent[32], got[32], other[32];
    const sotto_span info = SOTTO_LIT("info"), context = SOTTO_LIT("context");
    IS_INT(sotto_kem_pair_new(kem, NULL, &pair), SOTTO_OK, "%s: a pair", kem->name);
    IS_INT(sotto_hpke_send(kem, sotto_kem_public(pair), info, context, enc, sent), SOTTO_OK,
           "one side sends");
    sotto_span ciphertext = sotto_span_init(enc, kem->ciphertext_len);
    IS_INT(sotto_hpke_receive(kem, pair, ciphertext, info, context, got), SOTTO_OK,
           "the other receives");
    IS_MEM(got, sizeof(got), sent, sizeof(sent), "both have the same secret");
    IS_INT(sotto_hpke_receive(kem, pair, ciphertext, context, info, other), SOTTO_OK,
           "with another info");
    OK(memcmp(other, sent, sizeof(other)) != 0, "it is another one");
    enc[5] ^= 1;
    IS_INT(sotto_hpke_receive(kem, pair, ciphertext, info, context, other), SOTTO_OK,
           "as with another ciphertext");
    OK(memcmp(other, sent, sizeof(other)) != 0, "which ML-KEM rejects in silence");

    const uint8_t zeros[32] = {0};
    ciphertext.len--;
    IS_INT(sotto_hpke_receive(kem, pair, ciphertext, info, context, other), SOTTO_EAUTH,
           "a shorter one is refused");
    IS_MEM(other, sizeof(other), zeros, sizeof(zeros), "and the secret wiped");
    sotto_kem_pair_free(pair);
}

static void test_limits(void)
{
    static uint8_t text[SOTTO_HPKE_INFO_MAX + 1];
    uint8_t exporter[32] = {1}, out[32];
    const uint8_t zeros[32] = {0};
    sotto_span too_long = sotto_span_init(text, sizeof(text));
    IS_INT(sotto_hpke_schedule(64, 1, SOTTO_LIT("s"), too_long, out), SOTTO_EINVAL, "long info");
    IS_MEM(out, sizeof(out), zeros, sizeof(zeros), "wiped");
    memset(out, 1, sizeof(out));
    IS_INT(sotto_hpke_export(64, 1, exporter, too_long, out, sizeof(out)), SOTTO_EINVAL,
           "long context");
    IS_MEM(out, sizeof(out), zeros, sizeof(zeros), "wiped");
    uint8_t *much = sotto_alloc(SOTTO_HKDF_MAX_BYTES + 1);
    IS_INT(sotto_hpke_export(64, 1, exporter, SOTTO_LIT(""), much, SOTTO_HKDF_MAX_BYTES + 1),
           SOTTO_EINVAL, "more than HKDF gives");
    sotto_free(much);
}

int main(int argc, char **argv)
{
    yyjson_mut_doc *doc = known_read(argc, argv);
    test_known_answers(doc);
    test_both_sides(&sotto_kem_mlkem512);
    test_both_sides(&sotto_kem_xwing);
    test_limits();
    sotto_json_free(doc);
    return done_testing();
}
