/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/pieces.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "tap/tap.h"

/* A string of `n` bytes of two-byte characters behind one of a byte. */
static char *long_text(size_t n)
{
    char *text = malloc(n + 1);
    text[0] = 'x';
    for (size_t i = 1; i + 1 < n; i += 2) {
        memcpy(text + i, "\xc3\xa9", 2);
    }
    text[n] = '\0';
    return text;
}

static yyjson_mut_doc *read_doc(const char *before, const char *text, const char *behind)
{
    struct sotto_buf all;
    yyjson_mut_doc *doc = NULL;
    sotto_buf_init(&all, SOTTO_BUF_UNBOUNDED);
    if (sotto_buf_printf(&all, "%s%s%s", before, text, behind) != SOTTO_OK ||
        sotto_json_read(sotto_buf_span(&all), 64, &doc, NULL) != SOTTO_OK) {
        printf("Bail out! no document\n");
        exit(1);
    }
    sotto_buf_free(&all);
    return doc;
}

/* What came out: the texts of one place put together, and the forms around them. */
struct gathered {
    struct sotto_buf text;
    struct sotto_buf forms;
    size_t longest;
    bool arguments;
};

static yyjson_mut_val *text_of(yyjson_mut_val *root, bool arguments)
{
    yyjson_mut_val *choice = yyjson_mut_arr_get_first(sotto_json_get(root, "choices"));
    yyjson_mut_val *delta = sotto_json_get(choice, "delta");
    if (!arguments) {
        return sotto_json_get(delta, "content");
    }
    yyjson_mut_val *call = yyjson_mut_arr_get_first(sotto_json_get(delta, "tool_calls"));
    return sotto_json_get(sotto_json_get(call, "function"), "arguments");
}

static enum sotto_err gather(void *ctx, yyjson_mut_doc *piece)
{
    struct gathered *g = ctx;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(piece);
    yyjson_mut_val *val = text_of(root, g->arguments);
    sotto_span text = sotto_json_text(val);
    g->longest = text.len > g->longest ? text.len : g->longest;
    enum sotto_err err = sotto_buf_append(&g->text, text);
    if (err == SOTTO_OK) {
        err = sotto_json_set_text(piece, val, SOTTO_LIT("*"));
    }
    if (err == SOTTO_OK) {
        err = sotto_json_write(root, &g->forms);
    }
    return err == SOTTO_OK ? sotto_buf_push(&g->forms, '\n') : err;
}

static void check(const char *before, const char *behind, bool arguments, const char *want)
{
    char *text = long_text(10001);
    yyjson_mut_doc *doc = read_doc(before, text, behind);
    struct gathered g = {.arguments = arguments};
    bool cut = false;
    sotto_buf_init(&g.text, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&g.forms, SOTTO_BUF_UNBOUNDED);
    IS_INT(sotto_pieces_cut(doc, gather, &g, &cut), SOTTO_OK, "a long text is cut");
    OK(cut, "and it is said");
    IS_INT(gather(&g, doc), SOTTO_OK, "the last piece");
    IS_TEXT(g.text.base, g.text.len, text, "the text is whole");
    IS_SIZE(g.longest, SOTTO_PIECE_BYTES, "pieces are as long as whole characters allow");
    IS_TEXT(g.forms.base, g.forms.len, want, "and in their form");
    cut = true;
    IS_INT(sotto_pieces_cut(doc, gather, &g, &cut), SOTTO_OK, "what is short");
    OK(!cut, "is not cut");
    sotto_buf_free(&g.text);
    sotto_buf_free(&g.forms);
    sotto_json_free(doc);
    free(text);
}

static enum sotto_err ignore_piece(void *ctx, yyjson_mut_doc *piece)
{
    (void)ctx;
    (void)piece;
    return SOTTO_OK;
}

static void test_faults(void)
{
    char *text = long_text(9001);
    for (size_t n = 0, total = 0; n <= total; n++) {
        yyjson_mut_doc *doc =
            read_doc("{\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"",
                     text, "\"}}]}");
        bool cut;
        (void)sotto_alloc_set_fault(n == 0 ? SIZE_MAX : n);
        enum sotto_err err = sotto_pieces_cut(doc, ignore_piece, NULL, &cut);
        size_t used = sotto_alloc_set_fault(0);
        total = n == 0 ? used : total;
        OK(n == 0 ? err == SOTTO_OK : err == SOTTO_ENOMEM || err == SOTTO_OK,
           "allocation %zu fails", n);
        sotto_json_free(doc);
    }
    free(text);
}

int main(void)
{
    check("{\"id\":\"i\",\"usage\":{\"a\":1},\"choices\":[{\"index\":3,\"delta\":{\"role\":"
          "\"assistant\","
          "\"content\":\"",
          "\",\"refusal\":null},\"logprobs\":{\"content\":[]},\"finish_reason\":\"stop\"}]}", false,
          "{\"id\":\"i\",\"choices\":[{\"index\":3,\"delta\":{\"role\":\"assistant\",\"content\":"
          "\"*\"},\"finish_reason\":null}]}\n"
          "{\"id\":\"i\",\"choices\":[{\"index\":3,\"delta\":{\"content\":\"*\"},"
          "\"finish_reason\":null}]}\n"
          "{\"id\":\"i\",\"usage\":{\"a\":1},\"choices\":[{\"index\":3,\"delta\":{\"content\":"
          "\"*\",\"refusal\":null},\"logprobs\":{\"content\":[]},\"finish_reason\":\"stop\"}]}\n");
    check(
        "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"c\",\"type\":"
        "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"",
        "\"}}]}}]}", true,
        "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"id\":\"c\",\"type\":"
        "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"*\"}}]},\"finish_reason\":null}]"
        "}\n"
        "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":"
        "{\"arguments\":\"*\"}}]},\"finish_reason\":null}]}\n"
        "{\"choices\":[{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":1,\"function\":"
        "{\"arguments\":\"*\"}}]}}]}\n");
    test_faults();
    yyjson_mut_doc *doc = read_doc("{\"choices\":[{\"delta\":7},5],\"x\":\"", "y", "\"}");
    bool cut = true;
    IS_INT(sotto_pieces_cut(doc, ignore_piece, NULL, &cut), SOTTO_OK, "odd chunks");
    OK(!cut, "are left alone");
    sotto_json_free(doc);
    return done_testing();
}
