/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Builds an answer from texts that the input makes up of tokens, mangled ones and its own bytes,
 * and sends it once whole and once as a stream of deltas cut where the input says.
 *
 * Oracles: each field restores to the same text both ways; tool arguments that are JSON stay JSON;
 * the texts of the logprobs, one behind the other, are the content, and their sum stays; a chunk
 * that is called empty has no text.
 */

#include <stdlib.h>

#include "pipeline/restoring.h"
#include "vault/token.h"

#define FUZZ_TOKENS  4
#define FUZZ_FIELDS  5
#define FUZZ_CHOICES 2
#define FUZZ_MAX     600

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum fuzz_field {
    FUZZ_CONTENT,
    FUZZ_REFUSAL,
    FUZZ_REASONING,
    FUZZ_TOOL_0, /* arguments of the first tool call: JSON in a string */
    FUZZ_TOOL_1,
};
static const char *const names[] = {"content", "refusal", "reasoning_content"};

static struct sotto_vault *vault;
static sotto_span token[FUZZ_TOKENS];

/* One answer: the texts as the upstream sent them, and as they came out in a stream. */
struct answer {
    struct sotto_buf sent[FUZZ_CHOICES][FUZZ_FIELDS];
    struct sotto_buf seen[FUZZ_CHOICES][FUZZ_FIELDS];
    struct sotto_buf spelled[FUZZ_CHOICES]; /* by the logprobs of the content */
    double sum[FUZZ_CHOICES];
};

static void require(bool true_always)
{
    if (!true_always) {
        abort();
    }
}

static void setup(void)
{
    static const uint8_t key[SOTTO_VAULT_KEY_BYTES] = {3};
    static const unsigned types[FUZZ_TOKENS] = {0, 2, 11, 0};
    static const char *const values[FUZZ_TOKENS] = {"Ann", "1 \"Rd\"\n\\z", "7", "J\xc3\xb6rg"};
    require(sotto_vault_new(key, SOTTO_LIT("fuzz"), SOTTO_STYLE_TOKEN, &vault) == SOTTO_OK);
    for (unsigned i = 0; i < FUZZ_TOKENS; i++) {
        require(sotto_vault_token(vault, types[i], false, sotto_span_str(values[i]), &token[i]) ==
                SOTTO_OK);
    }
}

static void append(struct sotto_buf *buf, sotto_span s)
{
    require(sotto_buf_append(buf, s) == SOTTO_OK);
}

/* Bytes from 0x80 on stand for pieces of tokens and for what models put between. */
static void append_piece(struct sotto_buf *buf, uint8_t c, bool json)
{
    static const char *const between[] = {"-",   " ",        "**",    "`",
                                          "\\_", "\xc3\xa9", "&#95;", "\xe2\x80\x8b"};
    static const char *const escapes[] = {"\\u002d", "\\n", "\\\"", "\\\\_", "\\u00ad", "\\u00e9"};
    sotto_span t = token[c % FUZZ_TOKENS];
    size_t word = t.len - SOTTO_TOKEN_CODE_LEN;
    if (c < 0x80) {
        if (c >= 0x20 && !(json && (c == '"' || c == '\\'))) {
            append(buf, sotto_span_init(&c, 1));
        }
    } else if (c < 0xa0) {
        append(buf, t);
    } else if (c < 0xb0) {
        append(buf, sotto_span_sub(t, 0, word));
    } else if (c < 0xc0) {
        append(buf, sotto_span_skip(t, word));
    } else if (c < 0xd0 && json) {
        require(sotto_buf_printf(buf, "\\u%04x", t.base[0]) == SOTTO_OK);
        append(buf, sotto_span_skip(t, 1));
    } else if (c < 0xe0 && json) {
        append(buf, sotto_span_str(escapes[c % SOTTO_COUNT(escapes)]));
    } else {
        const char *text = between[c % SOTTO_COUNT(between)];
        append(buf, sotto_span_str(json && text[0] == '\\' ? "\\\\_" : text));
    }
}

static bool is_json(sotto_span text)
{
    yyjson_mut_doc *doc = NULL;
    bool good = sotto_json_read(text, 16, &doc, NULL) == SOTTO_OK;
    sotto_json_free(doc);
    return good;
}

/* Each byte of the input goes to a choice and a field in turn, in runs. */
static void make_texts(sotto_span data, struct answer *a)
{
    for (size_t c = 0; c < FUZZ_CHOICES; c++) {
        append(&a->sent[c][FUZZ_TOOL_0], SOTTO_LIT("{\"k\":\""));
        append(&a->sent[c][FUZZ_TOOL_1], SOTTO_LIT("[\""));
    }
    for (size_t i = 0; i < data.len; i++) {
        size_t c = i / 16 % FUZZ_CHOICES, f = i / 32 % FUZZ_FIELDS;
        if (a->sent[c][f].len < FUZZ_MAX) {
            append_piece(&a->sent[c][f], data.base[i], f >= FUZZ_TOOL_0);
        }
    }
    for (size_t c = 0; c < FUZZ_CHOICES; c++) {
        append(&a->sent[c][FUZZ_TOOL_0], SOTTO_LIT("\"}"));
        append(&a->sent[c][FUZZ_TOOL_1], SOTTO_LIT("\"]"));
        require(is_json(sotto_buf_span(&a->sent[c][FUZZ_TOOL_0])));
        require(is_json(sotto_buf_span(&a->sent[c][FUZZ_TOOL_1])));
    }
}

static yyjson_mut_val *put(yyjson_mut_doc *doc, yyjson_mut_val *obj, const char *key,
                           yyjson_mut_val *val)
{
    require(sotto_json_put(doc, obj, key, val) == SOTTO_OK);
    return val;
}

/* Puts the text of a field where it belongs in a message or delta. */
static void put_field(yyjson_mut_doc *doc, yyjson_mut_val *message, size_t field, sotto_span text)
{
    if (field < FUZZ_TOOL_0) {
        put(doc, message, names[field], sotto_json_str(doc, text));
        return;
    }
    yyjson_mut_val *calls = sotto_json_get(message, "tool_calls");
    if (calls == NULL) {
        calls = put(doc, message, "tool_calls", yyjson_mut_arr(doc));
    }
    yyjson_mut_val *call = yyjson_mut_obj(doc);
    put(doc, call, "index", yyjson_mut_int(doc, (int64_t)(field - FUZZ_TOOL_0)));
    yyjson_mut_val *function = put(doc, call, "function", yyjson_mut_obj(doc));
    put(doc, function, "arguments", sotto_json_str(doc, text));
    require(yyjson_mut_arr_append(calls, call));
}

/* Appends the texts of a message or delta to those of a choice. */
static size_t take_fields(yyjson_mut_val *message, struct sotto_buf *seen)
{
    size_t i, n, len = 0;
    yyjson_mut_val *call;
    for (size_t f = 0; f < FUZZ_TOOL_0; f++) {
        sotto_span text = sotto_json_text(sotto_json_get(message, names[f]));
        append(&seen[f], text);
        len += text.len;
    }
    yyjson_mut_arr_foreach(sotto_json_get(message, "tool_calls"), i, n, call)
    {
        int64_t index = -1;
        require(sotto_json_int(sotto_json_get(call, "index"), &index) == SOTTO_OK);
        require(index == 0 || index == 1);
        yyjson_mut_val *function = sotto_json_get(call, "function");
        sotto_span text = sotto_json_text(sotto_json_get(function, "arguments"));
        append(&seen[FUZZ_TOOL_0 + (size_t)index], text);
        len += text.len;
    }
    return len;
}

static yyjson_mut_val *new_choice(yyjson_mut_doc *doc, size_t index)
{
    yyjson_mut_val *root = yyjson_mut_obj(doc), *choice = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    require(yyjson_mut_arr_append(put(doc, root, "choices", yyjson_mut_arr(doc)), choice));
    put(doc, choice, "index", yyjson_mut_int(doc, (int64_t)index));
    return choice;
}

static void put_logprob(yyjson_mut_doc *doc, yyjson_mut_val *choice, sotto_span text)
{
    yyjson_mut_val *logprobs = put(doc, choice, "logprobs", yyjson_mut_obj(doc));
    yyjson_mut_val *list = put(doc, logprobs, "content", yyjson_mut_arr(doc));
    yyjson_mut_val *entry = yyjson_mut_obj(doc);
    put(doc, entry, "token", sotto_json_str(doc, text));
    put(doc, entry, "logprob", yyjson_mut_real(doc, -1));
    require(yyjson_mut_arr_append(list, entry));
}

static void take_logprobs(yyjson_mut_val *choice, size_t c, struct answer *a)
{
    size_t i, n;
    yyjson_mut_val *entry;
    yyjson_mut_val *list = sotto_json_get(sotto_json_get(choice, "logprobs"), "content");
    yyjson_mut_arr_foreach(list, i, n, entry)
    {
        double logprob = 0;
        append(&a->spelled[c], sotto_json_text(sotto_json_get(entry, "token")));
        require(sotto_json_double(sotto_json_get(entry, "logprob"), &logprob) == SOTTO_OK);
        a->sum[c] += logprob;
    }
}

/* Sends one delta; returns what of the sum of logprobs it added. */
static double send(struct sotto_restoring *r, struct answer *a, size_t c, size_t field,
                   sotto_span text, bool finish)
{
    bool empty = false;
    double sent = 0;
    yyjson_mut_doc *doc = sotto_json_new();
    require(doc != NULL);
    yyjson_mut_val *choice = new_choice(doc, c);
    yyjson_mut_val *delta = put(doc, choice, "delta", yyjson_mut_obj(doc));
    if (!finish) {
        put_field(doc, delta, field, text);
        if (field == FUZZ_CONTENT) {
            put_logprob(doc, choice, text);
            sent = -1;
        }
    }
    put(doc, choice, "finish_reason", finish ? yyjson_mut_str(doc, "stop") : yyjson_mut_null(doc));
    require(sotto_restoring_chunk(r, doc, &empty) == SOTTO_OK);
    size_t len = take_fields(sotto_json_get(choice, "delta"), a->seen[c]);
    take_logprobs(choice, c, a);
    require(!empty || len == 0);
    sotto_json_free(doc);
    return sent;
}

/* A stream, the fields of all choices mixed, cut where the bytes say. */
static void stream(sotto_span cuts, struct answer *a)
{
    struct sotto_restoring *r = NULL;
    size_t at[FUZZ_CHOICES][FUZZ_FIELDS] = {{0}};
    double sum[FUZZ_CHOICES] = {0};
    bool more = true;
    require(sotto_restoring_new(vault, &r) == SOTTO_OK);
    for (size_t i = 0; more; i++) {
        more = false;
        for (size_t k = 0; k < (size_t)FUZZ_CHOICES * FUZZ_FIELDS; k++) {
            size_t c = k % FUZZ_CHOICES, f = k / FUZZ_CHOICES;
            sotto_span text = sotto_span_skip(sotto_buf_span(&a->sent[c][f]), at[c][f]);
            size_t n = cuts.len != 0 ? (size_t)(cuts.base[(i + k) % cuts.len] % 23) + 1 : text.len;
            n = n < text.len ? n : text.len;
            while (n < text.len && (text.base[n] & 0xc0) == 0x80) {
                n++; /* JSON strings are cut between characters */
            }
            if (n != 0) {
                sum[c] += send(r, a, c, f, sotto_span_sub(text, 0, n), false);
                at[c][f] += n;
                more = true;
            }
        }
    }
    for (size_t c = 0; c < FUZZ_CHOICES; c++) {
        send(r, a, c, 0, sotto_span_init(NULL, 0), true);
        require(a->sum[c] == sum[c]);
        require(sotto_span_eq(sotto_buf_span(&a->spelled[c]),
                              sotto_buf_span(&a->seen[c][FUZZ_CONTENT])));
    }
    sotto_restoring_free(r);
}

/* The whole answer restores to what the stream did. */
static void whole(struct answer *a)
{
    struct sotto_restoring *r = NULL;
    for (size_t c = 0; c < FUZZ_CHOICES; c++) {
        struct sotto_buf seen[FUZZ_FIELDS];
        yyjson_mut_doc *doc = sotto_json_new();
        require(doc != NULL && sotto_restoring_new(vault, &r) == SOTTO_OK);
        yyjson_mut_val *choice = new_choice(doc, c);
        yyjson_mut_val *message = put(doc, choice, "message", yyjson_mut_obj(doc));
        for (size_t f = 0; f < FUZZ_FIELDS; f++) {
            sotto_buf_init(&seen[f], SOTTO_BUF_UNBOUNDED);
            put_field(doc, message, f, sotto_buf_span(&a->sent[c][f]));
        }
        require(sotto_restoring_whole(r, doc) == SOTTO_OK);
        take_fields(message, seen);
        for (size_t f = 0; f < FUZZ_FIELDS; f++) {
            require(sotto_span_eq(sotto_buf_span(&seen[f]), sotto_buf_span(&a->seen[c][f])));
            require(f < FUZZ_TOOL_0 || is_json(sotto_buf_span(&seen[f])));
            sotto_buf_free(&seen[f]);
        }
        sotto_restoring_free(r);
        sotto_json_free(doc);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct answer a = {.sum = {0}};
    if (vault == NULL) {
        setup();
    }
    for (size_t c = 0; c < FUZZ_CHOICES; c++) {
        sotto_buf_init(&a.spelled[c], SOTTO_BUF_UNBOUNDED);
        for (size_t f = 0; f < FUZZ_FIELDS; f++) {
            sotto_buf_init(&a.sent[c][f], SOTTO_BUF_UNBOUNDED);
            sotto_buf_init(&a.seen[c][f], SOTTO_BUF_UNBOUNDED);
        }
    }
    sotto_span in = sotto_span_init(data, size < 4096 ? size : 4096);
    make_texts(in, &a);
    stream(in, &a);
    whole(&a);
    for (size_t c = 0; c < FUZZ_CHOICES; c++) {
        sotto_buf_free(&a.spelled[c]);
        for (size_t f = 0; f < FUZZ_FIELDS; f++) {
            sotto_buf_free(&a.sent[c][f]);
            sotto_buf_free(&a.seen[c][f]);
        }
    }
    return 0;
}
