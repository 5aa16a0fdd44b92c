/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/pieces.h"

/* Where a text stands: in a delta, or in a tool call of one. */
struct piece_place {
    yyjson_mut_val *choice;
    yyjson_mut_val *delta;
    yyjson_mut_val *call; /* of `tool_calls`; NULL: in the delta itself */
    const char *holder;   /* "function" or "custom" of the call, or "function_call" of the delta */
    sotto_span key;
    yyjson_mut_val *text;
};

static void look_at(struct piece_place *longest, const struct piece_place *here)
{
    if (yyjson_mut_is_str(here->text) &&
        (longest->text == NULL ||
         sotto_json_text(here->text).len > sotto_json_text(longest->text).len)) {
        *longest = *here;
    }
}

static void look_into(struct piece_place *longest, struct piece_place here, yyjson_mut_val *parent,
                      const char *holder, const char *key)
{
    here.holder = holder;
    here.key = sotto_span_str(key);
    here.text = sotto_json_get(sotto_json_get(parent, holder), key);
    look_at(longest, &here);
}

static void look_at_delta(struct piece_place *longest, struct piece_place here)
{
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(here.delta);
    yyjson_mut_val *key;
    while ((key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
        here.key = sotto_json_text(key);
        here.text = yyjson_mut_obj_iter_get_val(key);
        if (!sotto_span_eq(here.key, SOTTO_LIT("role"))) {
            look_at(longest, &here);
        }
    }
    look_into(longest, here, here.delta, "function_call", "arguments");
    yyjson_mut_arr_iter calls = yyjson_mut_arr_iter_with(sotto_json_get(here.delta, "tool_calls"));
    while ((here.call = yyjson_mut_arr_iter_next(&calls)) != NULL) {
        look_into(longest, here, here.call, "function", "arguments");
        look_into(longest, here, here.call, "custom", "input");
    }
}

static struct piece_place find_longest(yyjson_mut_doc *chunk)
{
    struct piece_place longest = {0};
    yyjson_mut_val *choices = sotto_json_get(yyjson_mut_doc_get_root(chunk), "choices");
    yyjson_mut_arr_iter iter = yyjson_mut_arr_iter_with(choices);
    yyjson_mut_val *choice;
    while ((choice = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        look_at_delta(&longest, (struct piece_place){
                                    .choice = choice,
                                    .delta = sotto_json_get(choice, "delta"),
                                });
    }
    return longest;
}

/* Bytes of the first piece: whole characters. */
static size_t first_piece(sotto_span text)
{
    size_t n = SOTTO_PIECE_BYTES;
    while ((text.base[n] & 0xc0) == 0x80) {
        n--;
    }
    return n;
}

static yyjson_mut_val *copy_of(yyjson_mut_doc *doc, yyjson_mut_val *val)
{
    return yyjson_mut_val_mut_copy(doc, val);
}

/* Adds a copy of each member of `from` but the one named `but`. */
static enum sotto_err copy_members(yyjson_mut_doc *doc, yyjson_mut_val *to, yyjson_mut_val *from,
                                   const char *but)
{
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(from);
    yyjson_mut_val *key;
    while ((key = yyjson_mut_obj_iter_next(&iter)) != NULL) {
        if (!sotto_json_is(key, but) &&
            !yyjson_mut_obj_add(to, copy_of(doc, key),
                                copy_of(doc, yyjson_mut_obj_iter_get_val(key)))) {
            return SOTTO_ENOMEM;
        }
    }
    return SOTTO_OK;
}

/* Takes a member that goes out once from the chunk into the piece. */
static enum sotto_err move_member(yyjson_mut_doc *doc, yyjson_mut_val *to, yyjson_mut_val *from,
                                  const char *key)
{
    yyjson_mut_val *val = sotto_json_get(from, key);
    if (val == NULL) {
        return SOTTO_OK;
    }
    enum sotto_err err = sotto_json_put(doc, to, key, copy_of(doc, val));
    if (err == SOTTO_OK) {
        (void)yyjson_mut_obj_remove_key(from, key);
    }
    return err;
}

/* {"key":text}, in its holder where it has one. */
static enum sotto_err put_text(yyjson_mut_doc *doc, yyjson_mut_val *to,
                               const struct piece_place *at, sotto_span text)
{
    yyjson_mut_val *parent = to;
    yyjson_mut_val *from = at->call != NULL ? at->call : at->delta;
    enum sotto_err err = SOTTO_OK;
    if (at->holder != NULL) {
        parent = yyjson_mut_obj(doc);
        err = sotto_json_put(doc, to, at->holder, parent);
        if (err == SOTTO_OK) {
            err = move_member(doc, parent, sotto_json_get(from, at->holder), "name");
        }
    }
    if (err == SOTTO_OK &&
        !yyjson_mut_obj_add(parent, sotto_json_str(doc, at->key), sotto_json_str(doc, text))) {
        err = SOTTO_ENOMEM;
    }
    return err;
}

static enum sotto_err put_call(yyjson_mut_doc *doc, yyjson_mut_val *delta,
                               const struct piece_place *at, sotto_span text)
{
    yyjson_mut_val *calls = yyjson_mut_arr(doc), *call = yyjson_mut_obj(doc);
    yyjson_mut_val *index = sotto_json_get(at->call, "index");
    enum sotto_err err = sotto_json_put(doc, delta, "tool_calls", calls);
    if (err == SOTTO_OK && (call == NULL || !yyjson_mut_arr_append(calls, call))) {
        err = SOTTO_ENOMEM;
    }
    if (err == SOTTO_OK && index != NULL) {
        err = sotto_json_put(doc, call, "index", copy_of(doc, index));
    }
    if (err == SOTTO_OK) {
        err = move_member(doc, call, at->call, "id");
    }
    if (err == SOTTO_OK) {
        err = move_member(doc, call, at->call, "type");
    }
    return err == SOTTO_OK ? put_text(doc, call, at, text) : err;
}

static enum sotto_err put_choice(yyjson_mut_doc *doc, yyjson_mut_val *root,
                                 const struct piece_place *at, sotto_span text)
{
    yyjson_mut_val *choices = yyjson_mut_arr(doc), *choice = yyjson_mut_obj(doc);
    yyjson_mut_val *delta = yyjson_mut_obj(doc);
    yyjson_mut_val *index = sotto_json_get(at->choice, "index");
    enum sotto_err err = sotto_json_put(doc, root, "choices", choices);
    if (err == SOTTO_OK && (choice == NULL || !yyjson_mut_arr_append(choices, choice))) {
        err = SOTTO_ENOMEM;
    }
    if (err == SOTTO_OK && index != NULL) {
        err = sotto_json_put(doc, choice, "index", copy_of(doc, index));
    }
    if (err == SOTTO_OK) {
        err = sotto_json_put(doc, choice, "delta", delta);
    }
    if (err == SOTTO_OK) {
        err = sotto_json_put(doc, choice, "finish_reason", yyjson_mut_null(doc));
    }
    if (err == SOTTO_OK) {
        err = move_member(doc, delta, at->delta, "role");
    }
    if (err != SOTTO_OK) {
        return err;
    }
    return at->call != NULL ? put_call(doc, delta, at, text) : put_text(doc, delta, at, text);
}

static enum sotto_err emit_piece(yyjson_mut_doc *chunk, const struct piece_place *at,
                                 sotto_span text, sotto_pieces_emit *emit, void *ctx)
{
    yyjson_mut_doc *piece = sotto_json_new();
    yyjson_mut_val *root = piece != NULL ? yyjson_mut_obj(piece) : NULL;
    enum sotto_err err = root != NULL ? SOTTO_OK : SOTTO_ENOMEM;
    if (err == SOTTO_OK) {
        yyjson_mut_doc_set_root(piece, root);
        err = copy_members(piece, root, yyjson_mut_doc_get_root(chunk), "choices");
    }
    if (err == SOTTO_OK && yyjson_mut_is_obj(sotto_json_get(root, "usage"))) {
        (void)yyjson_mut_obj_remove_key(root, "usage"); /* said once, at the end */
    }
    if (err == SOTTO_OK) {
        err = put_choice(piece, root, at, text);
    }
    if (err == SOTTO_OK) {
        err = emit(ctx, piece);
    }
    sotto_json_free(piece);
    return err;
}

enum sotto_err sotto_pieces_cut(yyjson_mut_doc *chunk, sotto_pieces_emit *emit, void *ctx,
                                bool *cut)
{
    struct piece_place at = find_longest(chunk);
    sotto_span text = sotto_json_text(at.text);
    enum sotto_err err = SOTTO_OK;
    *cut = text.len > SOTTO_PIECE_BYTES;
    if (!*cut) {
        return SOTTO_OK;
    }
    while (text.len > SOTTO_PIECE_BYTES && err == SOTTO_OK) {
        size_t n = first_piece(text);
        err = emit_piece(chunk, &at, sotto_span_sub(text, 0, n), emit, ctx);
        text = sotto_span_skip(text, n);
    }
    return err == SOTTO_OK ? sotto_json_set_text(chunk, at.text, text) : err;
}
