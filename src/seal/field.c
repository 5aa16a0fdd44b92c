/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/field.h"

#include "base/alloc.h"
#include "base/ct.h"
#include "crypto/aead.h"
#include "crypto/hmac.h"
#include "crypto/random.h"

_Static_assert(SOTTO_FIELD_SECRET_BYTES == SOTTO_AEAD_KEY_BYTES, "a secret is a key");
_Static_assert(SOTTO_FIELD_IV_BYTES == SOTTO_AEAD_NONCE_BYTES, "an iv is GCM's nonce");
_Static_assert(SOTTO_FIELD_TAG_BYTES == SOTTO_AEAD_TAG_BYTES, "as in GCM");

/* Places of the parts in a field. */
#define NONCE_AT ((size_t)SOTTO_FIELD_ID_LEN + 1)
#define IV_AT    (NONCE_AT + 2 * SOTTO_FIELD_NONCE_BYTES + 1)
#define TEXT_AT  (IV_AT + 2 * SOTTO_FIELD_IV_BYTES + 1)
_Static_assert(TEXT_AT + (size_t)2 * SOTTO_FIELD_TAG_BYTES == SOTTO_FIELD_LEN(0),
               "parts of a field");

/* Random initialisation vectors that one call of the generator gives. */
#define IVS_AT_ONCE 16

struct sotto_field_cipher {
    struct sotto_aead *aead;
    struct sotto_buf scratch; /* ciphertext on its way from or to hexadecimal */
    uint8_t id[SOTTO_FIELD_ID_LEN];
    uint8_t nonce[SOTTO_FIELD_NONCE_BYTES];
    bool asks;      /* it is the client's */
    bool begun;     /* the nonce is set */
    bool answering; /* numbers were taken for what is sealed */
    uint32_t opened;
    uint32_t sealed;
    struct sotto_buf sent; /* the client's: the vector of each field of the request */
    size_t iv_left;
    uint8_t ivs[IVS_AT_ONCE][SOTTO_FIELD_IV_BYTES];
};

/* --- hexadecimal ----------------------------------------------------------------------------- */

/* Value of each digit, with the fifth bit set; all else is 0.  Upper case is no spelling of ours. */
static const uint8_t digit_values[256] = {
    ['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14, ['5'] = 0x15,
    ['6'] = 0x16, ['7'] = 0x17, ['8'] = 0x18, ['9'] = 0x19, ['a'] = 0x1a, ['b'] = 0x1b,
    ['c'] = 0x1c, ['d'] = 0x1d, ['e'] = 0x1e, ['f'] = 0x1f,
};

/* Reads 2 * n digits; false: one of them is none. */
static bool from_hex(const uint8_t *text, uint8_t *out, size_t n)
{
    uint8_t all = 0x10;
    for (size_t i = 0; i < n; i++) {
        uint8_t high = digit_values[text[2 * i]], low = digit_values[text[2 * i + 1]];
        all &= high & low;
        out[i] = (uint8_t)((high << 4) | (low & 15));
    }
    return all != 0;
}

static void to_hex(const uint8_t *bytes, size_t n, uint8_t *out)
{
    static const uint8_t digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

/* --- the form of a field --------------------------------------------------------------------- */

static bool is_base64(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
}

sotto_span sotto_field_id(sotto_span text)
{
    if (text.len <= SOTTO_FIELD_ID_LEN || text.base[SOTTO_FIELD_ID_LEN] != ':') {
        return sotto_span_init(NULL, 0);
    }
    for (size_t i = 0; i < SOTTO_FIELD_ID_LEN; i++) {
        if (!is_base64(text.base[i])) {
            return sotto_span_init(NULL, 0);
        }
    }
    return sotto_span_sub(text, 0, SOTTO_FIELD_ID_LEN);
}

bool sotto_field_is_sealed(sotto_span text)
{
    if (text.len < SOTTO_FIELD_LEN(0) || (text.len - TEXT_AT) % 2 != 0 ||
        sotto_field_id(text).len == 0 || text.base[IV_AT - 1] != ':' ||
        text.base[TEXT_AT - 1] != ':') {
        return false;
    }
    uint8_t all = 0x10;
    for (size_t i = NONCE_AT; i < text.len; i++) {
        if (i == IV_AT - 1 || i == TEXT_AT - 1) {
            continue;
        }
        all &= digit_values[text.base[i]];
    }
    return all != 0;
}

/* --- the cipher ------------------------------------------------------------------------------ */

enum sotto_err sotto_field_cipher_new(const uint8_t secret[SOTTO_FIELD_SECRET_BYTES], sotto_span id,
                                      struct sotto_field_cipher **out)
{
    if (id.len != SOTTO_FIELD_ID_LEN) {
        return SOTTO_EINVAL;
    }
    struct sotto_field_cipher *c = sotto_calloc(1, sizeof(*c));
    if (c == NULL) {
        return SOTTO_ENOMEM;
    }
    memcpy(c->id, id.base, SOTTO_FIELD_ID_LEN);
    sotto_buf_init(&c->scratch, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&c->sent, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_aead_new(secret, &c->aead);
    if (err != SOTTO_OK) {
        sotto_field_cipher_free(c);
        return err;
    }
    *out = c;
    return SOTTO_OK;
}

void sotto_field_cipher_free(struct sotto_field_cipher *c)
{
    if (c != NULL) {
        sotto_aead_free(c->aead);
        sotto_buf_free(&c->scratch);
        sotto_buf_free(&c->sent);
        sotto_free(c);
    }
}

enum sotto_err sotto_field_ask(struct sotto_field_cipher *c)
{
    if (c->begun) {
        return SOTTO_ESTATE;
    }
    enum sotto_err err = sotto_crypto_random(c->nonce, sizeof(c->nonce));
    c->asks = c->begun = err == SOTTO_OK;
    return err;
}

const uint8_t *sotto_field_nonce(const struct sotto_field_cipher *c)
{
    return c->nonce;
}

/* What a field's tag covers beside its text. */
struct field_aad {
    uint8_t bytes[SOTTO_FIELD_NONCE_BYTES + 4];
};

static struct field_aad make_aad(const uint8_t *nonce, uint32_t number)
{
    struct field_aad aad;
    memcpy(aad.bytes, nonce, SOTTO_FIELD_NONCE_BYTES);
    for (size_t i = 0; i < 4; i++) {
        aad.bytes[SOTTO_FIELD_NONCE_BYTES + i] = (uint8_t)(number >> (8 * i));
    }
    return aad;
}

/* Reads the form and puts the ciphertext into `scratch`. */
static enum sotto_err take_apart(struct sotto_field_cipher *c, sotto_span text, uint8_t *nonce,
                                 uint8_t *iv)
{
    uint8_t *bytes;
    if (text.len < SOTTO_FIELD_LEN(0) || (text.len - TEXT_AT) % 2 != 0 ||
        text.base[NONCE_AT - 1] != ':' || text.base[IV_AT - 1] != ':' ||
        text.base[TEXT_AT - 1] != ':' || !sotto_ct_equal(text.base, c->id, SOTTO_FIELD_ID_LEN)) {
        return SOTTO_EAUTH;
    }
    size_t n = (text.len - TEXT_AT) / 2;
    sotto_buf_truncate(&c->scratch, 0);
    enum sotto_err err = sotto_buf_extend(&c->scratch, n, &bytes);
    if (err != SOTTO_OK) {
        return err;
    }
    bool well_formed = from_hex(text.base + NONCE_AT, nonce, SOTTO_FIELD_NONCE_BYTES) &&
                       from_hex(text.base + IV_AT, iv, SOTTO_FIELD_IV_BYTES) &&
                       from_hex(text.base + TEXT_AT, bytes, n);
    return well_formed ? SOTTO_OK : SOTTO_EAUTH;
}

/* Key and AAD are the same in both directions: only its vector tells a field that was sent from one
 * of the answer with its number. */
static bool was_sent(const struct sotto_field_cipher *c, uint32_t number, const uint8_t *iv)
{
    size_t at = (size_t)number * SOTTO_FIELD_IV_BYTES;
    return at < c->sent.len && sotto_ct_equal(c->sent.base + at, iv, SOTTO_FIELD_IV_BYTES);
}

enum sotto_err sotto_field_open(struct sotto_field_cipher *c, sotto_span text,
                                struct sotto_buf *plain)
{
    uint8_t nonce[SOTTO_FIELD_NONCE_BYTES], iv[SOTTO_FIELD_IV_BYTES];
    if ((c->answering && !c->asks) || c->opened == UINT32_MAX) {
        return SOTTO_ESTATE;
    }
    enum sotto_err err = take_apart(c, text, nonce, iv);
    if (err != SOTTO_OK) {
        return err;
    }
    if ((c->begun && !sotto_ct_equal(nonce, c->nonce, sizeof(nonce))) ||
        was_sent(c, c->opened, iv)) {
        return SOTTO_EAUTH;
    }
    struct field_aad aad = make_aad(nonce, c->opened);
    err = sotto_aead_open(c->aead, iv, sotto_span_init(aad.bytes, sizeof(aad.bytes)),
                          sotto_buf_span(&c->scratch), plain);
    if (err == SOTTO_OK) {
        memcpy(c->nonce, nonce, sizeof(nonce));
        c->begun = true;
        c->opened++;
    }
    return err;
}

enum sotto_err sotto_field_number(struct sotto_field_cipher *c, size_t n, uint32_t *first)
{
    uint8_t *ivs = NULL;
    if (!c->begun || (c->asks && c->opened != 0)) {
        return SOTTO_ESTATE;
    }
    if (n > UINT32_MAX - c->sealed) {
        return SOTTO_ELIMIT;
    }
    enum sotto_err err =
        c->asks ? sotto_buf_extend(&c->sent, n * SOTTO_FIELD_IV_BYTES, &ivs) : SOTTO_OK;
    if (err != SOTTO_OK) {
        return err;
    }
    if (ivs != NULL) {
        memset(ivs, 0, n * SOTTO_FIELD_IV_BYTES);
    }
    c->answering = true;
    *first = c->sealed;
    c->sealed += (uint32_t)n;
    return SOTTO_OK;
}

/* A vector from the store of random ones: a call of the generator costs more than sealing a word. */
static enum sotto_err next_iv(struct sotto_field_cipher *c, const uint8_t **iv)
{
    if (c->iv_left == 0) {
        enum sotto_err err = sotto_crypto_random(c->ivs, sizeof(c->ivs));
        if (err != SOTTO_OK) {
            return err;
        }
        c->iv_left = IVS_AT_ONCE;
    }
    *iv = c->ivs[--c->iv_left];
    return SOTTO_OK;
}

enum sotto_err sotto_field_seal(struct sotto_field_cipher *c, uint32_t number, const uint8_t *iv,
                                sotto_span plain, struct sotto_buf *out)
{
    uint8_t *dst = NULL;
    enum sotto_err err = iv == NULL ? next_iv(c, &iv) : SOTTO_OK;
    if (err != SOTTO_OK) {
        return err;
    }
    struct field_aad aad = make_aad(c->nonce, number);
    sotto_buf_truncate(&c->scratch, 0);
    err = sotto_aead_seal(c->aead, iv, sotto_span_init(aad.bytes, sizeof(aad.bytes)), plain,
                          &c->scratch);
    if (err == SOTTO_OK) {
        err = sotto_buf_extend(out, SOTTO_FIELD_LEN(plain.len), &dst);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    if (c->asks) {
        memcpy(c->sent.base + (size_t)number * SOTTO_FIELD_IV_BYTES, iv, SOTTO_FIELD_IV_BYTES);
    }
    memcpy(dst, c->id, SOTTO_FIELD_ID_LEN);
    dst[NONCE_AT - 1] = dst[IV_AT - 1] = dst[TEXT_AT - 1] = ':';
    to_hex(c->nonce, SOTTO_FIELD_NONCE_BYTES, dst + NONCE_AT);
    to_hex(iv, SOTTO_FIELD_IV_BYTES, dst + IV_AT);
    to_hex(c->scratch.base, c->scratch.len, dst + TEXT_AT);
    return SOTTO_OK;
}

enum sotto_err sotto_field_check_mac(const uint8_t secret[SOTTO_FIELD_SECRET_BYTES],
                                     sotto_span text, sotto_span mac)
{
    uint8_t want[SOTTO_HMAC_BYTES], got[SOTTO_HMAC_BYTES];
    if (mac.len != sizeof(got) * 2 || !from_hex(mac.base, got, sizeof(got))) {
        return SOTTO_EAUTH;
    }
    enum sotto_err err =
        sotto_hmac_sha256(sotto_span_init(secret, SOTTO_FIELD_SECRET_BYTES), text, want);
    if (err == SOTTO_OK && !sotto_ct_equal(want, got, sizeof(got))) {
        err = SOTTO_EAUTH;
    }
    sotto_wipe(want, sizeof(want));
    return err;
}
