/* SPDX-License-Identifier: Apache-2.0 */

#include "presidio/operator.h"

#include "base/alloc.h"
#include "base/compiler.h"
#include "crypto/base64.h"
#include "crypto/cbc.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "text/utf8.h"

#define OPERATOR_SALT_MIN    16
#define OPERATOR_SALT_RANDOM 32

const char *const presidio_operator_names[2][9] = {
    [PRESIDIO_ANONYMIZE] = {"custom", "encrypt", "hash", "keep", "mask", "redact", "replace"},
    [PRESIDIO_DEANONYMIZE] = {"decrypt", "deanonymize_keep"},
};

/* One stretch of text in the hands of an operator. */
struct operation {
    yyjson_mut_val *params; /* NULL: none */
    sotto_span type, text;
    struct sotto_buf *out;
    struct presidio_answer *answer;
};

static const char *json_name(enum presidio_kind kind)
{
    switch (kind) {
    case PRESIDIO_STR:
        return "string";
    case PRESIDIO_BOOL:
        return "boolean";
    case PRESIDIO_INT:
        return "number";
    case PRESIDIO_LIST:
        return "array";
    case PRESIDIO_NONE:
    case PRESIDIO_FLOAT:
    case PRESIDIO_DICT:
        break;
    }
    return NULL;
}

/* A value of another type than `want`; what is falsy passes here, as in Presidio. */
static enum sotto_err check_type(const struct operation *op, const char *name,
                                 enum presidio_kind want)
{
    const yyjson_mut_val *val = sotto_json_get(op->params, name);
    enum presidio_kind kind = presidio_kind_of(val);
    bool fits = kind == want || (want == PRESIDIO_INT && kind == PRESIDIO_BOOL);
    if (fits || presidio_is_falsy(val)) {
        return SOTTO_OK;
    }
    if (json_name(kind) != NULL) {
        return presidio_refuse(op->answer, 422,
                               "Invalid parameter value for %s. Expecting '%s', but got '%s'.",
                               name, json_name(want), json_name(kind));
    }
    return presidio_refuse(op->answer, 422, "Invalid parameter value for '%s'.", name);
}

/* As check_type(), and the value must be there. */
static enum sotto_err check_param(const struct operation *op, const char *name,
                                  enum presidio_kind want)
{
    if (presidio_kind_of(sotto_json_get(op->params, name)) == PRESIDIO_NONE) {
        return presidio_refuse(op->answer, 422, "Expected parameter %s", name);
    }
    return check_type(op, name, want);
}

/* --- the operators ----------------------------------------------------------------------------- */

static enum sotto_err replace(const struct operation *op)
{
    const yyjson_mut_val *val = sotto_json_get(op->params, "new_value");
    enum sotto_err err = check_type(op, "new_value", PRESIDIO_STR);
    if (err != SOTTO_OK) {
        return err;
    }
    if (!presidio_is_falsy(val)) {
        return sotto_buf_append(op->out, sotto_json_text(val));
    }
    err = sotto_buf_push(op->out, '<');
    if (err == SOTTO_OK) {
        err = sotto_buf_append(op->out, op->type);
    }
    return err == SOTTO_OK ? sotto_buf_push(op->out, '>') : err;
}

static enum sotto_err redact(const struct operation *op)
{
    (void)op;
    return SOTTO_OK;
}

static enum sotto_err keep(const struct operation *op)
{
    return sotto_buf_append(op->out, op->text);
}

/* A function cannot come in JSON; Presidio's service answers 400 before it gets here. */
static enum sotto_err custom(const struct operation *op)
{
    return presidio_refuse(op->answer, 400, "Custom type anonymizer is not supported");
}

static enum sotto_err append_hex(const uint8_t *bytes, size_t len, struct sotto_buf *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *dst;
    enum sotto_err err = sotto_buf_extend(out, len * 2, &dst);
    for (size_t i = 0; i < len && err == SOTTO_OK; i++) {
        *dst++ = (uint8_t)digits[bytes[i] >> 4];
        *dst++ = (uint8_t)digits[bytes[i] & 15];
    }
    return err;
}

static enum sotto_err hash_type(const struct operation *op, bool *sha512)
{
    const yyjson_mut_val *val = sotto_json_get(op->params, "hash_type");
    *sha512 = sotto_json_is(val, "sha512");
    if (val == NULL || *sha512 || sotto_json_is(val, "sha256")) {
        return SOTTO_OK;
    }
    if (presidio_kind_of(val) == PRESIDIO_NONE) {
        return presidio_refuse(op->answer, 422, "Expected parameter hash_type");
    }
    return presidio_refuse(
        op->answer, 422,
        "Parameter hash_type value %.*s is not in range of values ['sha256', 'sha512']",
        SOTTO_FMT(presidio_word(presidio_str(val))));
}

static enum sotto_err hash_salt(const struct operation *op, uint8_t made[OPERATOR_SALT_RANDOM],
                                sotto_span *salt)
{
    const yyjson_mut_val *val = sotto_json_get(op->params, "salt");
    if (val == NULL) {
        *salt = sotto_span_init(made, OPERATOR_SALT_RANDOM);
        return sotto_crypto_random(made, OPERATOR_SALT_RANDOM);
    }
    if (presidio_kind_of(val) != PRESIDIO_STR) {
        return presidio_refuse_internal(op->answer);
    }
    *salt = sotto_json_text(val);
    if (salt->len == 0) {
        return presidio_refuse(op->answer, 422,
                               "Salt parameter cannot be empty. Either omit the salt parameter to "
                               "auto-generate a random salt, or provide a salt of at least 16 "
                               "bytes (128 bits).");
    }
    if (salt->len < OPERATOR_SALT_MIN) {
        return presidio_refuse(op->answer, 422,
                               "Salt must be at least 16 bytes (128 bits). Provided salt is %zu "
                               "bytes.",
                               salt->len);
    }
    return SOTTO_OK;
}

static enum sotto_err hash(const struct operation *op)
{
    uint8_t made[OPERATOR_SALT_RANDOM], digest[SOTTO_SHA512_BYTES];
    sotto_span salt = SOTTO_LIT("");
    bool sha512;
    enum sotto_err err = hash_type(op, &sha512);
    if (err == SOTTO_OK) {
        err = hash_salt(op, made, &salt);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    const sotto_span parts[] = {op->text, salt};
    err = sha512 ? sotto_sha512_parts(parts, SOTTO_COUNT(parts), digest)
                 : sotto_sha256_parts(parts, SOTTO_COUNT(parts), digest);
    if (err == SOTTO_OK) {
        err = append_hex(digest, sha512 ? SOTTO_SHA512_BYTES : SOTTO_SHA256_BYTES, op->out);
    }
    sotto_wipe(made, sizeof(made));
    sotto_wipe(digest, sizeof(digest));
    return err;
}

static enum sotto_err mask_params(const struct operation *op)
{
    const yyjson_mut_val *with = sotto_json_get(op->params, "masking_char");
    const yyjson_mut_val *count = sotto_json_get(op->params, "chars_to_mask");
    enum sotto_err err = check_param(op, "masking_char", PRESIDIO_STR);
    if (err != SOTTO_OK) {
        return err;
    }
    if (presidio_kind_of(with) != PRESIDIO_STR) {
        return presidio_refuse_internal(op->answer);
    }
    if (sotto_utf8_count(sotto_json_text(with)) > 1) {
        return presidio_refuse(op->answer, 422, "Invalid input, masking_char must be a character");
    }
    if ((err = check_param(op, "chars_to_mask", PRESIDIO_INT)) != SOTTO_OK ||
        (err = check_param(op, "from_end", PRESIDIO_BOOL)) != SOTTO_OK) {
        return err;
    }
    enum presidio_kind kind = presidio_kind_of(count);
    return kind == PRESIDIO_INT || kind == PRESIDIO_BOOL || kind == PRESIDIO_FLOAT
               ? SOTTO_OK
               : presidio_refuse_internal(op->answer);
}

/* The byte offset of character number `chars`. */
static size_t byte_at(sotto_span text, size_t chars)
{
    size_t at = 0;
    for (; chars > 0; chars--) {
        (void)sotto_utf8_next(text, &at);
    }
    return at;
}

static enum sotto_err mask(const struct operation *op)
{
    enum sotto_err err = mask_params(op);
    if (err != SOTTO_OK) {
        return err;
    }
    sotto_span with = sotto_json_text(sotto_json_get(op->params, "masking_char"));
    bool from_end = !presidio_is_falsy(sotto_json_get(op->params, "from_end"));
    int64_t wanted = presidio_int(sotto_json_get(op->params, "chars_to_mask"));
    size_t chars = sotto_utf8_count(op->text);
    size_t count = wanted <= 0 ? 0 : (uint64_t)wanted < chars ? (size_t)wanted : chars;
    size_t cut = byte_at(op->text, from_end ? chars - count : count);

    if (from_end) {
        err = sotto_buf_append(op->out, sotto_span_sub(op->text, 0, cut));
    }
    for (size_t i = 0; i < count && err == SOTTO_OK; i++) {
        err = sotto_buf_append(op->out, with);
    }
    return err == SOTTO_OK && !from_end ? sotto_buf_append(op->out, sotto_span_skip(op->text, cut))
                                        : err;
}

static enum sotto_err read_key(const struct operation *op, sotto_span *key)
{
    const yyjson_mut_val *val = sotto_json_get(op->params, "key");
    if (presidio_kind_of(val) == PRESIDIO_NONE) {
        return presidio_refuse(op->answer, 422, "Expected parameter key");
    }
    *key = presidio_kind_of(val) == PRESIDIO_STR ? sotto_json_text(val) : SOTTO_LIT("");
    if (presidio_kind_of(val) != PRESIDIO_STR) {
        return presidio_is_falsy(val)
                   ? presidio_refuse_internal(op->answer)
                   : presidio_refuse(op->answer, 422, "Invalid parameter value for 'key'.");
    }
    return sotto_cbc_key_valid(key->len)
               ? SOTTO_OK
               : presidio_refuse(op->answer, 422,
                                 "Invalid input, key must be of length 128, 192 or 256 bits");
}

static void exchange(uint8_t *text, size_t len, uint8_t from, uint8_t to)
{
    for (size_t i = 0; i < len; i++) {
        text[i] = text[i] == from ? to : text[i];
    }
}

static enum sotto_err encrypt(const struct operation *op)
{
    struct sotto_buf sealed;
    sotto_span key;
    size_t mark = op->out->len;
    enum sotto_err err = read_key(op, &key);
    sotto_buf_init(&sealed, SOTTO_BUF_UNBOUNDED);
    if (err == SOTTO_OK) {
        err = sotto_cbc_encrypt(key, op->text, &sealed);
    }
    if (err == SOTTO_OK) {
        err = sotto_base64_write(sotto_buf_span(&sealed), op->out);
    }
    if (err == SOTTO_OK) { /* the alphabet of URLs (RFC 4648, 5) */
        exchange(op->out->base + mark, op->out->len - mark, '+', '-');
        exchange(op->out->base + mark, op->out->len - mark, '/', '_');
    }
    sotto_buf_free(&sealed);
    return err;
}

static enum sotto_err decrypt(const struct operation *op)
{
    struct sotto_buf sealed, text;
    sotto_span key;
    size_t mark = op->out->len;
    enum sotto_err err = read_key(op, &key);
    if (err != SOTTO_OK) {
        return err;
    }
    sotto_buf_init(&sealed, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    err = sotto_buf_append(&text, op->text);
    if (err == SOTTO_OK) {
        exchange(text.base, text.len, '-', '+');
        exchange(text.base, text.len, '_', '/');
        err = sotto_base64_read(sotto_buf_span(&text), &sealed);
    }
    if (err == SOTTO_OK) {
        err = sotto_cbc_decrypt(key, sotto_buf_span(&sealed), op->out);
    }
    if (err == SOTTO_OK &&
        !sotto_utf8_valid(sotto_span_skip(sotto_buf_span(op->out), mark), NULL)) {
        sotto_buf_truncate(op->out, mark);
        err = SOTTO_EFORMAT;
    }
    sotto_buf_free(&sealed);
    sotto_buf_free(&text);
    return err == SOTTO_EFORMAT ? presidio_refuse_internal(op->answer) : err;
}

static const struct {
    const char *name;
    enum presidio_direction direction;
    enum sotto_err (*run)(const struct operation *op);
} operators[] = {
    {"replace", PRESIDIO_ANONYMIZE, replace},
    {"redact", PRESIDIO_ANONYMIZE, redact},
    {"hash", PRESIDIO_ANONYMIZE, hash},
    {"mask", PRESIDIO_ANONYMIZE, mask},
    {"encrypt", PRESIDIO_ANONYMIZE, encrypt},
    {"keep", PRESIDIO_ANONYMIZE, keep},
    {"custom", PRESIDIO_ANONYMIZE, custom},
    {"decrypt", PRESIDIO_DEANONYMIZE, decrypt},
    {"deanonymize_keep", PRESIDIO_DEANONYMIZE, keep},
};

/* --- choosing one ------------------------------------------------------------------------------ */

enum sotto_err presidio_operators_check(yyjson_mut_val *config, enum presidio_direction direction,
                                        struct presidio_answer *answer)
{
    bool custom_seen = false;
    if (presidio_kind_of(config) == PRESIDIO_NONE) {
        return SOTTO_OK;
    }
    if (presidio_kind_of(config) != PRESIDIO_DICT) {
        return presidio_refuse_internal(answer);
    }
    size_t i, max;
    yyjson_mut_val *key, *item;
    yyjson_mut_obj_foreach(config, i, max, key, item)
    {
        const yyjson_mut_val *type = sotto_json_get(item, "type");
        if (presidio_kind_of(item) != PRESIDIO_DICT) {
            return presidio_refuse_internal(answer);
        }
        if (presidio_is_falsy(type)) {
            return presidio_refuse(answer, 422,
                                   "Invalid input, operator config must contain operator_name");
        }
        custom_seen |= direction == PRESIDIO_ANONYMIZE && sotto_json_is(type, "custom");
    }
    return custom_seen ? presidio_refuse(answer, 400, "Custom type anonymizer is not supported")
                       : SOTTO_OK;
}

enum sotto_err presidio_operate(yyjson_mut_val *config, enum presidio_direction direction,
                                sotto_span type, sotto_span text, struct sotto_buf *out,
                                sotto_span *name, struct presidio_answer *answer)
{
    struct operation op = {.type = type, .text = text, .out = out, .answer = answer};
    op.params = sotto_json_getn(config, (const char *)type.base, type.len);
    if (op.params == NULL) {
        op.params = sotto_json_get(config, "DEFAULT");
    }
    *name = SOTTO_LIT("replace");
    if (op.params != NULL) {
        *name = presidio_str(sotto_json_get(op.params, "type"));
    } else if (direction == PRESIDIO_DEANONYMIZE) {
        return presidio_refuse_internal(answer);
    }
    for (size_t i = 0; i < SOTTO_COUNT(operators); i++) {
        if (operators[i].direction == direction &&
            sotto_span_eq(*name, sotto_span_str(operators[i].name))) {
            return operators[i].run(&op);
        }
    }
    return presidio_refuse(answer, 422, "Invalid operator class '%.*s'.",
                           SOTTO_FMT(presidio_word(*name)));
}
