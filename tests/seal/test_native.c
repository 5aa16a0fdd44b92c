/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/native.h"

#include "crypto/hpke.h"
#include "vectors/known.h"

static struct sotto_buf text_of(yyjson_mut_val *obj, const char *key)
{
    struct sotto_buf out;
    sotto_buf_init(&out, (size_t)1 << 20);
    if (sotto_buf_append(&out, sotto_json_text(sotto_json_get(obj, key))) != SOTTO_OK) {
        exit(1);
    }
    return out;
}

/* The exchange, from the client's side: with its seed and the ciphertext. */
static void check_exchange(yyjson_mut_val *v, const struct sotto_suite *suite)
{
    struct sotto_buf seed = known_bytes(v, "client_seed"), want = known_bytes(v, "shared");
    struct sotto_buf ciphertext = known_bytes(v, "ciphertext");
    struct sotto_kem_pair *pair = NULL;
    uint8_t shared[SOTTO_KEM_SECRET_BYTES];
    IS_INT(sotto_kem_pair_from_seed(suite->kem, sotto_buf_span(&seed), &pair), SOTTO_OK,
           "%s: the client's pair", suite->name);
    IS_INT(sotto_hpke_receive(suite->kem, pair, sotto_buf_span(&ciphertext),
                              SOTTO_LIT(SOTTO_NATIVE_HPKE_INFO),
                              SOTTO_LIT(SOTTO_NATIVE_HPKE_CONTEXT), shared),
           SOTTO_OK, "opens the ciphertext");
    IS_MEM(shared, sizeof(shared), want.base, want.len, "and has the shared secret");
    sotto_kem_pair_free(pair);
    sotto_buf_free(&seed);
    sotto_buf_free(&want);
    sotto_buf_free(&ciphertext);
}

static void check_session(yyjson_mut_val *v)
{
    struct sotto_buf suite = text_of(v, "suite"), tee = text_of(v, "tee");
    struct sotto_buf public_key = known_bytes(v, "public_key");
    struct sotto_buf ciphertext = known_bytes(v, "ciphertext");
    struct sotto_buf random = known_bytes(v, "random"), shared = known_bytes(v, "shared");
    struct sotto_buf seed = known_bytes(v, "signing_seed"), key = known_bytes(v, "signing_key");
    struct sotto_buf digest = known_bytes(v, "transcript"), secret = known_bytes(v, "secret");
    struct sotto_buf signature = known_bytes(v, "signature");
    struct sotto_native_terms terms = {
        .suite = sotto_suite_find(sotto_buf_span(&suite)),
        .public_key = sotto_buf_span(&public_key),
        .ciphertext = sotto_buf_span(&ciphertext),
        .lifetime_s = (uint32_t)known_int(v, "expires_in"),
        .tee = sotto_buf_span(&tee),
    };
    uint8_t transcript[SOTTO_SHA256_BYTES], to_sign[SOTTO_NATIVE_SIGNED_BYTES];
    uint8_t got[SOTTO_ED25519_SIG_BYTES];
    check_exchange(v, terms.suite);
    memcpy(terms.random, random.base, sizeof(terms.random));
    memcpy(terms.signing_key, key.base, sizeof(terms.signing_key));
    IS_INT(sotto_native_transcript(&terms, transcript), SOTTO_OK, "a transcript");
    IS_MEM(transcript, sizeof(transcript), digest.base, digest.len, "as in the file");
    IS_INT(sotto_native_secret(shared.base, transcript, got), SOTTO_OK, "its secret");
    IS_MEM(got, SOTTO_NATIVE_SECRET_BYTES, secret.base, secret.len, "as in the file");
    sotto_native_signed(transcript, to_sign);
    IS_INT(sotto_ed25519_sign(seed.base, sotto_span_init(to_sign, sizeof(to_sign)), got), SOTTO_OK,
           "its signature");
    IS_MEM(got, sizeof(got), signature.base, signature.len, "as in the file");

    static char long_tee[257];
    memset(long_tee, 'x', sizeof(long_tee) - 1);
    terms.tee = sotto_span_str(long_tee);
    IS_INT(sotto_native_transcript(&terms, transcript), SOTTO_EINVAL, "a name that is too long");
    struct sotto_buf *all[] = {&suite, &tee, &public_key, &ciphertext, &random,   &shared,
                               &seed,  &key, &digest,     &secret,     &signature};
    for (size_t i = 0; i < SOTTO_COUNT(all); i++) {
        sotto_buf_free(all[i]);
    }
}

/* Where a message goes; the buffers own what the place points to. */
struct place {
    struct sotto_buf method, path, model;
    struct sotto_native_place place;
};

static void place_of(yyjson_mut_val *v, struct place *p)
{
    p->method = text_of(v, "method");
    p->path = text_of(v, "path");
    p->model = text_of(v, "model");
    p->place = (struct sotto_native_place){sotto_buf_span(&p->method), sotto_buf_span(&p->path),
                                           sotto_buf_span(&p->model)};
}

static void place_free(struct place *p)
{
    sotto_buf_free(&p->method);
    sotto_buf_free(&p->path);
    sotto_buf_free(&p->model);
}

static enum sotto_err seal_text(struct sotto_native_channel *channel, sotto_span text, bool last,
                                struct sotto_buf *out)
{
    struct sotto_buf *to;
    enum sotto_err err = sotto_native_begin(channel, &to);
    if (err == SOTTO_OK) {
        err = sotto_buf_append(to, text);
    }
    return err == SOTTO_OK ? sotto_native_seal(channel, last, out) : err;
}

static void check_request(yyjson_mut_val *v, size_t number)
{
    struct sotto_buf secret = known_bytes(v, "secret"), nonce = known_bytes(v, "request_nonce");
    struct sotto_buf body = known_bytes(v, "body"), text = text_of(v, "text"), out;
    struct sotto_native_channel *channel = NULL;
    struct place p;
    bool last = false;
    place_of(v, &p);
    sotto_buf_init(&out, (size_t)1 << 20);
    size_t head = SOTTO_NATIVE_REQUEST_HEAD + p.model.len;
    sotto_span record = sotto_span_skip(sotto_buf_span(&body), head);
    IS_INT(sotto_native_request_channel(secret.base, nonce.base, &p.place, &channel), SOTTO_OK,
           "request %zu: a channel", number);
    IS_INT(seal_text(channel, sotto_buf_span(&text), true, &out), SOTTO_OK, "seals");
    IS_MEM(out.base, out.len, record.base, record.len, "as in the file");
    sotto_native_channel_free(channel);
    sotto_buf_truncate(&out, 0);
    IS_INT(sotto_native_request_channel(secret.base, nonce.base, &p.place, &channel), SOTTO_OK,
           "another one");
    IS_INT(sotto_native_open(channel, record, &last, &out), SOTTO_OK, "opens");
    OK(last, "the one record");
    IS_MEM(out.base, out.len, text.base, text.len, "as in the file");
    sotto_native_channel_free(channel);
    place_free(&p);
    sotto_buf_free(&secret);
    sotto_buf_free(&nonce);
    sotto_buf_free(&body);
    sotto_buf_free(&text);
    sotto_buf_free(&out);
}

static void check_answer(yyjson_mut_val *v, size_t number)
{
    struct sotto_buf secret = known_bytes(v, "secret"), nonce = known_bytes(v, "request_nonce");
    struct sotto_buf own = known_bytes(v, "answer_nonce"), out;
    struct sotto_native_channel *seals = NULL, *opens = NULL;
    yyjson_mut_val *texts = sotto_json_get(v, "texts"), *records = sotto_json_get(v, "records");
    int status = (int)known_int(v, "status");
    struct place p;
    place_of(v, &p);
    sotto_buf_init(&out, (size_t)1 << 20);
    IS_INT(sotto_native_answer_channel(secret.base, nonce.base, own.base, status, &p.place, &seals),
           SOTTO_OK, "answer %zu: a channel", number);
    IS_INT(sotto_native_answer_channel(secret.base, nonce.base, own.base, status, &p.place, &opens),
           SOTTO_OK, "and another");
    size_t count = yyjson_mut_arr_size(texts);
    for (size_t i = 0; i < count; i++) {
        sotto_span text = sotto_json_text(yyjson_mut_arr_get(texts, i));
        sotto_span hex = sotto_json_text(yyjson_mut_arr_get(records, i));
        struct sotto_buf want = known_hex(hex);
        bool last = false;
        sotto_buf_truncate(&out, 0);
        IS_INT(seal_text(seals, text, i + 1 == count, &out), SOTTO_OK, "record %zu", i);
        IS_MEM(out.base, out.len, want.base, want.len, "as in the file");
        sotto_buf_truncate(&out, 0);
        IS_INT(sotto_native_open(opens, sotto_buf_span(&want), &last, &out), SOTTO_OK, "opens");
        IS_MEM(out.base, out.len, text.base, text.len, "to its text");
        IS_INT(last, i + 1 == count, "and says whether it is the last");
        sotto_buf_free(&want);
    }
    sotto_native_channel_free(seals);
    sotto_native_channel_free(opens);
    place_free(&p);
    sotto_buf_free(&secret);
    sotto_buf_free(&nonce);
    sotto_buf_free(&own);
    sotto_buf_free(&out);
}

static void test_known_answers(yyjson_mut_val *root)
{
    yyjson_mut_val *v;
    size_t i, n, count = 0;
    yyjson_mut_arr_foreach(sotto_json_get(root, "sessions"), i, n, v)
    {
        check_session(v);
        count++;
    }
    yyjson_mut_arr_foreach(sotto_json_get(root, "requests"), i, n, v)
    {
        check_request(v, i);
        count++;
    }
    yyjson_mut_arr_foreach(sotto_json_get(root, "answers"), i, n, v)
    {
        check_answer(v, i);
        count++;
    }
    IS_SIZE(count, 8, "all known answers were there");
}

static void test_padding(void)
{
    IS_SIZE(sotto_native_padded(0), 256, "nothing");
    IS_SIZE(sotto_native_padded(252), 256, "just fits");
    IS_SIZE(sotto_native_padded(253), 512, "one more");
    IS_SIZE(sotto_native_padded(16380), 16384, "the last short one");
    IS_SIZE(sotto_native_padded(16381), 20480, "the first long one");
}

static void test_places(void)
{
    static const uint8_t secret[32], nonce[16];
    static char text[SOTTO_NATIVE_PATH_MAX + 1];
    struct sotto_native_channel *channel = NULL;
    memset(text, 'a', sizeof(text));
    sotto_span too_long = sotto_span_init(text, sizeof(text)), fine = SOTTO_LIT("x");
    const struct sotto_native_place places[] = {
        {too_long, fine, fine}, {fine, too_long, fine}, {fine, fine, too_long}};
    for (size_t i = 0; i < SOTTO_COUNT(places); i++) {
        IS_INT(sotto_native_request_channel(secret, nonce, &places[i], &channel), SOTTO_EINVAL,
               "place %zu does not fit", i);
    }
    OK(channel == NULL, "nothing was handed out");
    sotto_native_channel_free(NULL);
}

int main(int argc, char **argv)
{
    yyjson_mut_doc *doc = known_read(argc, argv);
    test_known_answers(yyjson_mut_doc_get_root(doc));
    test_padding();
    test_places();
    sotto_json_free(doc);
    return done_testing();
}
