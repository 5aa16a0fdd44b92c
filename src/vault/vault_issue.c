/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "base/alloc.h"
#include "text/canon.h"
#include "vault/code.h"
#include "vault/spelling.h"
#include "vault/stand_in.h"
#include "vault/vault_state.h"

/* Entries of the table at its first growth, and of its index by value. */
#define VAULT_MIN_ENTRIES 32

/* So many collisions in a row never happen by chance. */
#define VAULT_MAX_COUNTER 4096

/* In the order of the type words; what type words mean for the canonical form. */
enum vault_type {
    VAULT_TYPE_PHONE = 8,
    VAULT_TYPE_ID = 11,
};

#define REDACTED(word)                                                                             \
    {                                                                                              \
        (const uint8_t *)("[" word "]"), sizeof("[" word "]") - 1                                  \
    }
static const sotto_span vault_redacted[] = {
    REDACTED("PERSON"), REDACTED("LOCATION"), REDACTED("ADDRESS"),    REDACTED("ORG"),
    REDACTED("DATE"),   REDACTED("AGE"),      REDACTED("OCCUPATION"), REDACTED("NRP"),
    REDACTED("PHONE"),  REDACTED("EMAIL"),    REDACTED("URL"),        REDACTED("ID"),
    REDACTED("SECRET"),
};
#undef REDACTED
_Static_assert(SOTTO_COUNT(vault_redacted) == SOTTO_TOKEN_WORD_COUNT, "one for each type");

/* --- canonical form -------------------------------------------------------------------------- */

/* Digits, and a plus sign before them.  Nothing appended: it has no digits. */
static enum sotto_err canon_phone(sotto_span value, struct sotto_buf *out)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; i < value.len && err == SOTTO_OK; i++) {
        uint8_t c = value.base[i];
        if ((c >= '0' && c <= '9') || (c == '+' && out->len == 0)) {
            err = sotto_buf_push(out, c);
        }
    }
    if (err == SOTTO_OK && out->len == 1 && out->base[0] == '+') {
        sotto_buf_truncate(out, 0);
    }
    return err;
}

static void drop_spaces(struct sotto_buf *buf)
{
    size_t len = 0;
    for (size_t i = 0; i < buf->len; i++) {
        if (buf->base[i] != ' ') {
            buf->base[len++] = buf->base[i];
        }
    }
    sotto_buf_truncate(buf, len);
}

/* Leaves the canonical form in vault->canon. */
static enum sotto_err canonical(struct sotto_vault *vault, unsigned type, bool foldable,
                                sotto_span value)
{
    struct sotto_buf *out = &vault->canon;
    sotto_buf_truncate(out, 0);
    if (foldable && type == VAULT_TYPE_PHONE) {
        enum sotto_err err = canon_phone(value, out);
        if (err != SOTTO_OK || out->len != 0) {
            return err;
        }
    }
    if (foldable) {
        enum sotto_err err = sotto_canon(value, out);
        if (err == SOTTO_OK && type == VAULT_TYPE_ID) {
            drop_spaces(out);
        }
        if (err != SOTTO_EFORMAT) {
            return err;
        }
    }
    return sotto_buf_append(out, value);
}

/* --- table ----------------------------------------------------------------------------------- */

/* The place in the index by value of what vault->canon holds. */
static size_t value_place(const struct sotto_vault *vault, unsigned type, bool foldable,
                          sotto_span canon)
{
    size_t mask = vault->cap * 2 - 1;
    uint64_t hash = sotto_hash64(vault->hash_key, canon);
    size_t at = (size_t)(hash ^ type ^ (foldable ? 64U : 0U)) & mask;
    for (; vault->by_value[at] != 0; at = (at + 1) & mask) {
        const struct vault_entry *entry = vault->entry[vault->by_value[at] - 1];
        if (entry->type == type && entry->foldable == foldable &&
            sotto_span_eq(entry->canon, canon)) {
            break;
        }
    }
    return at;
}

static enum sotto_err grow_table(struct sotto_vault *vault)
{
    if (vault->count < vault->cap) {
        return SOTTO_OK;
    }
    size_t cap = vault->cap != 0 ? vault->cap * 2 : VAULT_MIN_ENTRIES;
    const size_t pointer_bytes = sizeof(void *);
    struct vault_entry **entry = sotto_calloc(cap, pointer_bytes);
    size_t *by_value = sotto_calloc(cap, 2 * sizeof(*by_value));
    if (entry == NULL || by_value == NULL) {
        sotto_free(entry);
        sotto_free(by_value);
        return SOTTO_ENOMEM;
    }
    if (vault->count != 0) {
        memcpy(entry, vault->entry, vault->count * pointer_bytes);
    }
    sotto_free(vault->entry);
    sotto_free(vault->by_value);
    vault->entry = entry;
    vault->by_value = by_value;
    vault->cap = cap;
    for (size_t i = 0; i < vault->count; i++) {
        const struct vault_entry *old = entry[i];
        by_value[value_place(vault, old->type, old->foldable, old->canon)] = i + 1;
    }
    return SOTTO_OK;
}

static const struct vault_entry *find_value(const struct sotto_vault *vault, unsigned type,
                                            bool foldable, size_t *index)
{
    if (vault->cap == 0) {
        return NULL;
    }
    size_t at = value_place(vault, type, foldable, sotto_buf_span(&vault->canon));
    if (vault->by_value[at] == 0) {
        return NULL;
    }
    *index = vault->by_value[at] - 1;
    return vault->entry[*index];
}

/* Takes apart what is one token from end to end. */
bool vault_read_token(sotto_span token, unsigned *type, uint8_t symbol[SOTTO_TOKEN_CODE_LEN])
{
    struct spelling s;
    if (spelling_read(token, UINT32_MAX, true, &s) != SPELLING_WHOLE || s.len != token.len) {
        return false;
    }
    *type = s.type;
    memcpy(symbol, s.symbol, sizeof(s.symbol));
    return true;
}

/* --- issuing --------------------------------------------------------------------------------- */

/* Whether the request's text holds the code, or one that tolerance would take for it. */
static bool is_shielded(const struct sotto_vault *vault, unsigned type,
                        const uint8_t code[SOTTO_TOKEN_CODE_LEN])
{
    uint8_t other[SOTTO_TOKEN_CODE_LEN];
    if (vault->shield.count == 0) {
        return false;
    }
    memcpy(other, code, sizeof(other));
    for (size_t i = 0; i < SOTTO_TOKEN_CODE_LEN; i++) {
        for (uint8_t symbol = 0; symbol <= CODE_NONE; symbol++) {
            other[i] = symbol;
            uint64_t packed = code_pack(other, SOTTO_TOKEN_CODE_LEN);
            if (code_map_get(&vault->shield, code_key(type, SOTTO_TOKEN_CODE_LEN, packed), NULL)) {
                return true;
            }
        }
        other[i] = code[i];
    }
    return false;
}

static enum sotto_err derive(const struct sotto_vault *vault, uint8_t says,
                             const struct vault_entry *entry, unsigned counter,
                             uint8_t mac[SOTTO_HMAC_BYTES])
{
    const uint8_t head[] = {entry->type, entry->foldable ? 1 : 0, (uint8_t)(counter >> 8),
                            (uint8_t)counter};
    const sotto_span parts[] = {
        sotto_span_init(&says, 1),
        sotto_span_init(vault->name, sizeof(vault->name)),
        sotto_span_init(head, sizeof(head)),
        entry->canon,
    };
    return sotto_hmac_parts(vault->hmac, parts, SOTTO_COUNT(parts), mac);
}

/* Derives codes until one is free. */
static enum sotto_err derive_token(struct sotto_vault *vault, struct vault_entry *entry,
                                   uint8_t symbol[SOTTO_TOKEN_CODE_LEN])
{
    for (unsigned counter = 0; counter < VAULT_MAX_COUNTER; counter++) {
        uint8_t mac[SOTTO_HMAC_BYTES];
        enum sotto_err err = derive(vault, VAULT_SAYS_TOKEN, entry, counter, mac);
        if (err != SOTTO_OK) {
            return err;
        }
        entry->token_len = (uint8_t)sotto_token_make(entry->type, mac, entry->token);
        sotto_wipe(mac, sizeof(mac));
        const char *code = entry->token + entry->token_len - SOTTO_TOKEN_CODE_LEN;
        for (size_t i = 0; i < SOTTO_TOKEN_CODE_LEN; i++) {
            symbol[i] = code_symbol((uint8_t)code[i]);
        }
        if (!vault_find(vault, entry->type, code_pack(symbol, SOTTO_TOKEN_CODE_LEN), NULL) &&
            !is_shielded(vault, entry->type, symbol)) {
            return SOTTO_OK;
        }
    }
    return SOTTO_ECRYPTO;
}

/* There is room. */
static void add_to_table(struct sotto_vault *vault, struct vault_entry *entry)
{
    size_t place = value_place(vault, entry->type, entry->foldable, entry->canon);
    vault->entry[vault->count++] = entry;
    if (vault->by_value[place] == 0) {
        vault->by_value[place] = vault->count;
    }
}

/* Enters a finished entry.  Everything that can fail comes before the first change that counts. */
static enum sotto_err enter(struct sotto_vault *vault, struct vault_entry *entry,
                            const uint8_t symbol[SOTTO_TOKEN_CODE_LEN])
{
    enum sotto_err err = code_map_reserve(&vault->codes, SOTTO_TOKEN_CODE_LEN);
    if (err != SOTTO_OK || (err = grow_table(vault)) != SOTTO_OK) {
        return err;
    }
    for (size_t n = 1; n <= SOTTO_TOKEN_CODE_LEN; n++) {
        code_map_put(&vault->codes, code_key(entry->type, n, code_pack(symbol, n)),
                     (uint32_t)vault->count);
    }
    add_to_table(vault, entry);
    vault->types |= 1U << entry->type;
    return SOTTO_OK;
}

/* --- stand-ins that are no tokens -------------------------------------------------------------- */

/* Whether another value has it, or the request's text could mean it. */
static bool is_taken(const struct sotto_vault *vault, const struct stand_in *s)
{
    for (size_t i = 0; i < s->form_count; i++) {
        if (form_known(&vault->forms, sotto_span_init(s->form[i].text, s->form[i].len))) {
            return true;
        }
    }
    return seen_words(&vault->seen, sotto_span_init(s->text, s->len), s->every_word);
}

/* SOTTO_ENOTFOUND: there is none for this value, or none that is free. */
static enum sotto_err find_surrogate(const struct sotto_vault *vault,
                                     const struct vault_entry *entry, struct stand_in *out)
{
    for (unsigned counter = 0; counter < VAULT_MAX_COUNTER; counter++) {
        uint8_t mac[SOTTO_HMAC_BYTES];
        enum sotto_err err = derive(vault, VAULT_SAYS_STAND_IN, entry, counter, mac);
        if (err != SOTTO_OK) {
            return err;
        }
        bool made = stand_in_make(entry->type, entry->value, mac, out);
        sotto_wipe(mac, sizeof(mac));
        if (!made) {
            break;
        }
        if (!is_taken(vault, out)) {
            return SOTTO_OK;
        }
    }
    return SOTTO_ENOTFOUND;
}

/* The next number of its type that the request's text does not hold. */
static void next_angle(struct sotto_vault *vault, const struct vault_entry *entry,
                       struct stand_in *out)
{
    unsigned *number = &vault->numbers[entry->type];
    do {
        (*number)++;
    } while (seen_number(&vault->seen, entry->type, *number));
    stand_in_angle(entry->type, *number, out);
}

static enum sotto_err enter_stand_in(struct sotto_vault *vault, struct vault_entry *entry,
                                     const struct stand_in *s)
{
    enum sotto_err err = form_reserve(&vault->forms, s->form_count);
    if (err != SOTTO_OK || (err = grow_table(vault)) != SOTTO_OK ||
        (err = sotto_arena_copy(&vault->arena, sotto_span_init(s->text, s->len),
                                &entry->stand_in)) != SOTTO_OK) {
        return err;
    }
    for (size_t i = 0; i < s->form_count; i++) {
        form_add(&vault->forms, sotto_span_init(s->form[i].text, s->form[i].len),
                 (uint32_t)vault->count, s->form[i].part);
    }
    add_to_table(vault, entry);
    return SOTTO_OK;
}

/* SOTTO_ENOTFOUND: the value gets a token. */
static enum sotto_err issue_stand_in(struct sotto_vault *vault, struct vault_entry *entry)
{
    struct stand_in s;
    enum sotto_err err = SOTTO_OK;
    if (vault->style == SOTTO_STYLE_ANGLE) {
        next_angle(vault, entry, &s);
    } else {
        err = find_surrogate(vault, entry, &s);
    }
    return err == SOTTO_OK ? enter_stand_in(vault, entry, &s) : err;
}

sotto_span vault_token_of(const struct vault_entry *entry)
{
    return entry->stand_in.len != 0 ? entry->stand_in
                                    : sotto_span_init(entry->token, entry->token_len);
}

/* --- entries ----------------------------------------------------------------------------------- */

static enum sotto_err new_entry(struct sotto_vault *vault, unsigned type, bool foldable,
                                sotto_span canon, sotto_span value, struct vault_entry **out)
{
    struct vault_entry *entry = sotto_arena_calloc(&vault->arena, 1, sizeof(*entry));
    if (entry == NULL || vault->count == UINT32_MAX) {
        return SOTTO_ENOMEM;
    }
    entry->type = (uint8_t)type;
    entry->foldable = foldable;
    enum sotto_err err = sotto_arena_copy(&vault->values, canon, &entry->canon);
    if (err == SOTTO_OK) {
        err = sotto_arena_copy(&vault->values, value, &entry->value);
    }
    *out = entry;
    return err;
}

static enum sotto_err issue(struct sotto_vault *vault, unsigned type, bool foldable,
                            sotto_span value, sotto_span *token)
{
    uint8_t symbol[SOTTO_TOKEN_CODE_LEN];
    struct vault_entry *entry = NULL;
    sotto_span canon = sotto_buf_span(&vault->canon);
    enum sotto_err err = new_entry(vault, type, foldable, canon, value, &entry);
    if (err == SOTTO_OK) {
        err = vault->style == SOTTO_STYLE_TOKEN ? SOTTO_ENOTFOUND : issue_stand_in(vault, entry);
    }
    if (err == SOTTO_ENOTFOUND && (err = derive_token(vault, entry, symbol)) == SOTTO_OK) {
        err = enter(vault, entry, symbol);
    }
    if (err == SOTTO_OK) {
        *token = vault_token_of(entry);
    }
    return err;
}

enum sotto_err sotto_vault_token(struct sotto_vault *vault, unsigned type, bool foldable,
                                 sotto_span value, sotto_span *token)
{
    size_t index = 0;
    assert(type < SOTTO_TOKEN_WORD_COUNT);
    assert(vault->hmac != NULL || vault->style == SOTTO_STYLE_REDACT);
    if (vault->style == SOTTO_STYLE_REDACT) {
        *token = vault_redacted[type];
        return SOTTO_OK;
    }
    enum sotto_err err = canonical(vault, type, foldable, value);
    if (err != SOTTO_OK) {
        return err;
    }
    if (find_value(vault, type, foldable, &index) == NULL) {
        return issue(vault, type, foldable, value, token);
    }
    struct vault_entry *entry = vault->entry[index];
    if (!sotto_span_eq(entry->value, value)) {
        err = sotto_arena_copy(&vault->values, value, &entry->value);
    }
    if (err == SOTTO_OK) {
        *token = vault_token_of(entry);
    }
    return err;
}

static enum sotto_err adopt_stand_in(struct sotto_vault *vault, sotto_span text, sotto_span value)
{
    struct vault_entry *entry = NULL;
    struct stand_in s;
    if (!stand_in_read(text, &s)) {
        return SOTTO_EFORMAT;
    }
    if (form_known(&vault->forms, text)) {
        return SOTTO_EEXISTS;
    }
    enum sotto_err err = new_entry(vault, VAULT_TYPE_ID, false, value, value, &entry);
    return err == SOTTO_OK ? enter_stand_in(vault, entry, &s) : err;
}

enum sotto_err sotto_vault_adopt(struct sotto_vault *vault, sotto_span token, sotto_span value)
{
    uint8_t symbol[SOTTO_TOKEN_CODE_LEN];
    unsigned type;
    struct vault_entry *entry = NULL;
    if (!vault_read_token(token, &type, symbol) || code_sum(symbol) != 0) {
        return adopt_stand_in(vault, token, value);
    }
    if (vault_find(vault, type, code_pack(symbol, SOTTO_TOKEN_CODE_LEN), NULL)) {
        return SOTTO_EEXISTS;
    }
    enum sotto_err err = new_entry(vault, type, false, value, value, &entry);
    if (err != SOTTO_OK) {
        return err;
    }
    memcpy(entry->token, token.base, token.len);
    entry->token_len = (uint8_t)token.len;
    return enter(vault, entry, symbol);
}
