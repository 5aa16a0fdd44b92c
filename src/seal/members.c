/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/members.h"

#include <stdlib.h>

/* A member and its place among the sealed ones. */
struct member {
    yyjson_mut_val *key, *value;
    bool sealed;
    uint32_t number;
};

struct members {
    size_t count;
    size_t sealed_count;
    struct member list[SOTTO_MEMBERS_MAX];
};

/* The next byte of a key as it is sorted. */
static int next_byte(sotto_span *rest, bool *escaped)
{
    if (rest->len == 0) {
        return -1;
    }
    uint8_t c = rest->base[0];
    if (!*escaped && (c == '.' || c == '?' || c == '*')) {
        *escaped = true;
        return '\\';
    }
    *escaped = false;
    *rest = sotto_span_skip(*rest, 1);
    return c;
}

static int compare_keys(sotto_span a, sotto_span b)
{
    bool a_escaped = false, b_escaped = false;
    int x, y;
    do {
        x = next_byte(&a, &a_escaped);
        y = next_byte(&b, &b_escaped);
    } while (x == y && x >= 0);
    return x - y;
}

static int compare_members(const void *a, const void *b)
{
    const struct member *x = *(const struct member *const *)a;
    const struct member *y = *(const struct member *const *)b;
    return compare_keys(sotto_json_text(x->key), sotto_json_text(y->key));
}

/* Numbers the sealed members in the order of their keys; lists them in `order`. */
static void number_members(struct members *m, struct member **order)
{
    size_t n = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (m->list[i].sealed) {
            order[n++] = &m->list[i];
        }
    }
    qsort(order, n, sizeof(struct member *), compare_members);
    for (size_t i = 0; i < n; i++) {
        order[i]->number = (uint32_t)i;
    }
    m->sealed_count = n;
}

/* False: no object, or one with too many members. */
static bool list_members(const yyjson_mut_val *object, sotto_members_rule *sealed,
                         struct members *m, struct member **order)
{
    yyjson_mut_val *root = sotto_json_readable(object);
    if (!yyjson_mut_is_obj(root) || yyjson_mut_obj_size(root) > SOTTO_MEMBERS_MAX) {
        return false;
    }
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(root);
    yyjson_mut_val *key;
    m->count = 0;
    while ((key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
        yyjson_mut_val *value = yyjson_mut_obj_iter_get_val(key);
        m->list[m->count++] = (struct member){
            .key = key,
            .value = value,
            .sealed = sealed(sotto_json_text(key), value),
        };
    }
    number_members(m, order);
    return true;
}

static enum sotto_err write_key(const struct member *one, bool first, struct sotto_buf *out)
{
    enum sotto_err err = sotto_buf_push(out, first ? '{' : ',');
    if (err == SOTTO_OK) {
        err = sotto_json_quote(sotto_json_text(one->key), true, out);
    }
    return err == SOTTO_OK ? sotto_buf_push(out, ':') : err;
}

static enum sotto_err close_object(const struct members *m, struct sotto_buf *out)
{
    return sotto_buf_append(out, m->count == 0 ? SOTTO_LIT("{}") : SOTTO_LIT("}"));
}

/* --- opening --------------------------------------------------------------------------------- */

/* A member whose text may have to be written in another way. */
static enum sotto_err open_special(struct sotto_field_cipher *c, const struct member *one,
                                   sotto_members_write *write, void *ctx, bool first,
                                   struct sotto_buf *plain)
{
    struct sotto_buf text;
    bool done = false;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_field_open(c, sotto_json_text(one->value), &text);
    if (err == SOTTO_OK) {
        size_t mark = plain->len;
        err = sotto_buf_push(plain, first ? '{' : ',');
        if (err == SOTTO_OK) {
            err = write(ctx, sotto_json_text(one->key), sotto_buf_span(&text), &done, plain);
        }
        if (err == SOTTO_OK && !done) {
            sotto_buf_truncate(plain, mark);
            err = write_key(one, first, plain);
            err = err == SOTTO_OK ? sotto_buf_append(plain, sotto_buf_span(&text)) : err;
        }
    }
    sotto_buf_free(&text);
    return err;
}

static enum sotto_err open_one(struct sotto_field_cipher *c, const struct member *one, bool first,
                               struct sotto_buf *plain)
{
    enum sotto_err err = write_key(one, first, plain);
    return err == SOTTO_OK ? sotto_field_open(c, sotto_json_text(one->value), plain) : err;
}

/* The sealed ones in the order of their numbers, then the rest. */
static enum sotto_err open_all(struct sotto_field_cipher *c, const struct members *m,
                               struct member *const *order, sotto_members_write *write, void *ctx,
                               struct sotto_buf *plain)
{
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; i < m->sealed_count && err == SOTTO_OK; i++) {
        if (!yyjson_mut_is_str(order[i]->value)) {
            return SOTTO_EAUTH;
        }
        err = write == NULL ? open_one(c, order[i], i == 0, plain)
                            : open_special(c, order[i], write, ctx, i == 0, plain);
    }
    for (size_t i = 0; i < m->count && err == SOTTO_OK; i++) {
        if (!m->list[i].sealed) {
            err = write_key(&m->list[i], false, plain);
            err = err == SOTTO_OK ? sotto_json_write(m->list[i].value, plain) : err;
        }
    }
    return err == SOTTO_OK ? sotto_buf_push(plain, '}') : err;
}

enum sotto_err sotto_members_open(struct sotto_field_cipher *c, const yyjson_mut_val *object,
                                  sotto_members_rule *sealed, sotto_members_write *write, void *ctx,
                                  struct sotto_buf *plain)
{
    SOTTO_UNINIT struct members m;
    SOTTO_UNINIT struct member *order[SOTTO_MEMBERS_MAX];
    size_t mark = plain->len;
    if (!list_members(object, sealed, &m, order) || m.sealed_count == 0) {
        return SOTTO_EAUTH;
    }
    enum sotto_err err = open_all(c, &m, order, write, ctx, plain);
    if (err != SOTTO_OK) {
        sotto_buf_truncate(plain, mark);
    }
    return err;
}

/* --- sealing --------------------------------------------------------------------------------- */

static enum sotto_err seal_one(struct sotto_field_cipher *c, const struct member *one,
                               uint32_t first, struct sotto_buf *scratch, struct sotto_buf *out)
{
    sotto_buf_truncate(scratch, 0);
    enum sotto_err err = sotto_json_write(one->value, scratch);
    if (err == SOTTO_OK) {
        err = sotto_buf_push(out, '"');
    }
    if (err == SOTTO_OK) {
        err = sotto_field_seal(c, first + one->number, NULL, sotto_buf_span(scratch), out);
    }
    return err == SOTTO_OK ? sotto_buf_push(out, '"') : err;
}

enum sotto_err sotto_members_seal(struct sotto_field_cipher *c, const yyjson_mut_val *object,
                                  sotto_members_rule *sealed, struct sotto_buf *scratch,
                                  struct sotto_buf *out)
{
    SOTTO_UNINIT struct members m;
    SOTTO_UNINIT struct member *order[SOTTO_MEMBERS_MAX];
    size_t mark = out->len;
    uint32_t first = 0;
    if (!list_members(object, sealed, &m, order)) {
        return SOTTO_EINVAL;
    }
    enum sotto_err err = sotto_field_number(c, m.sealed_count, &first);
    for (size_t i = 0; i < m.count && err == SOTTO_OK; i++) {
        err = write_key(&m.list[i], i == 0, out);
        if (err == SOTTO_OK) {
            err = m.list[i].sealed ? seal_one(c, &m.list[i], first, scratch, out)
                                   : sotto_json_write(m.list[i].value, out);
        }
    }
    if (err == SOTTO_OK) {
        err = close_object(&m, out);
    }
    sotto_buf_truncate(scratch, 0);
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}
