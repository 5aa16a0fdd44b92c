/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/vault.h"

#include "base/alloc.h"
#include "vault/code.h"
#include "vault/spelling.h"
#include "vault/vault_state.h"

/* --- keys ------------------------------------------------------------------------------------ */

static enum sotto_err name_conversation(struct sotto_vault *vault, sotto_span tenant_key,
                                        sotto_span conversation)
{
    static const uint8_t says = VAULT_SAYS_CONVERSATION;
    const sotto_span parts[] = {sotto_span_init(&says, 1), conversation};
    enum sotto_err err = sotto_hmac_new(tenant_key, &vault->hmac);
    if (err == SOTTO_OK) {
        err = sotto_hmac_parts(vault->hmac, parts, SOTTO_COUNT(parts), vault->name);
    }
    if (err == SOTTO_OK) {
        memcpy(vault->hash_key, vault->name, sizeof(vault->hash_key));
        memcpy(vault->seen.key, vault->name, sizeof(vault->seen.key));
        memcpy(&vault->codes.seed, vault->name + 16, 8);
        memcpy(&vault->shield.seed, vault->name + 24, 8);
    }
    return err;
}

/* --- the request's own text ------------------------------------------------------------------ */

enum sotto_err sotto_vault_shield(struct sotto_vault *vault, sotto_span text)
{
    if (vault->style == SOTTO_STYLE_REDACT) {
        return SOTTO_OK;
    }
    if (vault->style != SOTTO_STYLE_TOKEN) {
        enum sotto_err err = seen_add(&vault->seen, text);
        if (err != SOTTO_OK) {
            return err;
        }
    }
    for (size_t i = 0; i + 1 < text.len; i++) {
        struct spelling s;
        if (!spelling_begins(text.base[i], text.base[i + 1], UINT32_MAX) ||
            spelling_read(sotto_span_skip(text, i), UINT32_MAX, false, &s) != SPELLING_WHOLE) {
            continue;
        }
        enum sotto_err err = code_map_reserve(&vault->shield, 1);
        if (err != SOTTO_OK) {
            return err;
        }
        uint64_t packed = code_pack(s.symbol, SOTTO_TOKEN_CODE_LEN);
        code_map_put(&vault->shield, code_key(s.type, SOTTO_TOKEN_CODE_LEN, packed), 0);
    }
    return SOTTO_OK;
}

/* --- looking up ------------------------------------------------------------------------------ */

unsigned vault_issued_types(const struct sotto_vault *vault)
{
    return vault->types;
}

bool vault_find(const struct sotto_vault *vault, unsigned type, uint64_t packed, sotto_span *value)
{
    uint32_t index;
    if (vault->taken_out ||
        !code_map_get(&vault->codes, code_key(type, SOTTO_TOKEN_CODE_LEN, packed), &index)) {
        return false;
    }
    if (value != NULL) {
        *value = vault->entry[index]->value;
    }
    return true;
}

bool vault_has_prefix(const struct sotto_vault *vault, unsigned type, size_t count, uint64_t packed)
{
    return code_map_get(&vault->codes, code_key(type, count, packed), NULL);
}

const struct form_tree *vault_forms(const struct sotto_vault *vault)
{
    return vault->forms.form_count != 0 && !vault->taken_out ? &vault->forms : NULL;
}

/* The first or the last word of a name, without a comma behind it. */
static sotto_span word_of(sotto_span name, bool first)
{
    const uint8_t *space =
        first ? memchr(name.base, ' ', name.len) : memrchr(name.base, ' ', name.len);
    size_t at = space != NULL ? (size_t)(space - name.base) : 0;
    if (space != NULL) {
        name = first ? sotto_span_sub(name, 0, at) : sotto_span_skip(name, at + 1);
    }
    return sotto_span_ends(name, SOTTO_LIT(",")) ? sotto_span_sub(name, 0, name.len - 1) : name;
}

sotto_span vault_form_value(const struct sotto_vault *vault, const struct form *form)
{
    sotto_span value = vault->entry[form->entry]->value;
    switch ((enum form_part)form->part) {
    case FORM_WHOLE:
    case FORM_BARE:
        return value;
    case FORM_FIRST_WORD:
        return word_of(value, true);
    case FORM_LAST_WORD:
        return word_of(value, false);
    }
    return value;
}

bool sotto_vault_lookup(const struct sotto_vault *vault, sotto_span token, sotto_span *value)
{
    uint8_t symbol[SOTTO_TOKEN_CODE_LEN];
    const struct form *form;
    struct spelling s;
    unsigned type;
    if (vault_forms(vault) != NULL &&
        form_read(&vault->forms, token, false, true, &form, &s) == SPELLING_WHOLE &&
        s.len == token.len && form->part == FORM_WHOLE) {
        *value = vault_form_value(vault, form);
        return true;
    }
    return vault_read_token(token, &type, symbol) &&
           vault_find(vault, type, code_pack(symbol, SOTTO_TOKEN_CODE_LEN), value);
}

/* --- taken out ------------------------------------------------------------------------------- */

enum sotto_err sotto_vault_take_out(struct sotto_vault *vault, struct sotto_buf *values)
{
    size_t total = 0;
    if (vault->taken_out) {
        return SOTTO_ESTATE;
    }
    for (size_t i = 0; i < vault->count; i++) {
        total += vault->entry[i]->value.len;
    }
    enum sotto_err err = sotto_buf_reserve(values, total);
    if (err != SOTTO_OK) {
        return err;
    }
    for (size_t i = 0; i < vault->count; i++) {
        struct vault_entry *entry = vault->entry[i];
        sotto_ignore(sotto_buf_append(values, entry->value)); /* there is room */
        entry->value.base = NULL;
        entry->canon = sotto_span_init(NULL, 0);
    }
    sotto_arena_free(&vault->values);
    sotto_buf_free(&vault->canon);
    sotto_hmac_free(vault->hmac);
    vault->hmac = NULL;
    sotto_wipe(vault->name, sizeof(vault->name));
    seen_free(&vault->seen);
    vault->taken_out = true;
    return SOTTO_OK;
}

enum sotto_err sotto_vault_put_back(struct sotto_vault *vault, sotto_span values)
{
    sotto_span copy = {NULL, 0};
    size_t total = 0;
    if (!vault->taken_out) {
        return SOTTO_ESTATE;
    }
    for (size_t i = 0; i < vault->count; i++) {
        total += vault->entry[i]->value.len;
    }
    if (total > values.len) {
        return SOTTO_EFORMAT;
    }
    enum sotto_err err = sotto_arena_copy(&vault->values, sotto_span_sub(values, 0, total), &copy);
    if (err != SOTTO_OK) {
        return err;
    }
    for (size_t i = 0; i < vault->count; i++) {
        struct vault_entry *entry = vault->entry[i];
        entry->value.base = copy.base;
        copy = sotto_span_skip(copy, entry->value.len);
    }
    vault->taken_out = false;
    return SOTTO_OK;
}

size_t sotto_vault_count(const struct sotto_vault *vault)
{
    return vault->count;
}

unsigned sotto_vault_entry_type(const struct sotto_vault *vault, size_t i)
{
    return vault->entry[i]->type;
}

void sotto_vault_entry(const struct sotto_vault *vault, size_t i, sotto_span *token,
                       sotto_span *value)
{
    const struct vault_entry *entry = vault->entry[i];
    if (token != NULL) {
        *token = vault_token_of(entry);
    }
    if (value != NULL) {
        *value = entry->value;
    }
}

/* --- life ------------------------------------------------------------------------------------ */

bool sotto_style_parse(sotto_span name, enum sotto_style *out)
{
    static const char *const names[] = {
        [SOTTO_STYLE_TOKEN] = "token",
        [SOTTO_STYLE_REDACT] = "redact",
        [SOTTO_STYLE_ANGLE] = "angle",
        [SOTTO_STYLE_SURROGATE] = "surrogate",
    };
    for (size_t i = 0; i < SOTTO_COUNT(names); i++) {
        if (sotto_span_eq(name, sotto_span_str(names[i]))) {
            *out = (enum sotto_style)i;
            return true;
        }
    }
    return false;
}

enum sotto_err sotto_vault_new(const uint8_t tenant_key[SOTTO_VAULT_KEY_BYTES],
                               sotto_span conversation, enum sotto_style style,
                               struct sotto_vault **out)
{
    struct sotto_vault *vault = sotto_calloc(1, sizeof(*vault));
    if (vault == NULL) {
        return SOTTO_ENOMEM;
    }
    vault->style = style;
    sotto_buf_init(&vault->canon, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = SOTTO_OK;
    if (style != SOTTO_STYLE_REDACT) {
        err = name_conversation(vault, sotto_span_init(tenant_key, SOTTO_VAULT_KEY_BYTES),
                                conversation);
    }
    if (err != SOTTO_OK) {
        sotto_vault_free(vault);
        return err;
    }
    *out = vault;
    return SOTTO_OK;
}

void sotto_vault_free(struct sotto_vault *vault)
{
    if (vault != NULL) {
        sotto_hmac_free(vault->hmac);
        sotto_arena_free(&vault->arena);
        sotto_arena_free(&vault->values);
        sotto_buf_free(&vault->canon);
        code_map_free(&vault->codes);
        code_map_free(&vault->shield);
        form_free(&vault->forms);
        seen_free(&vault->seen);
        sotto_free(vault->by_value);
        sotto_free(vault->entry);
        sotto_free(vault);
    }
}
