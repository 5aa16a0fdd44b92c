/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_TESTS_DETECT_NER_GOLDEN_H
#define SOTTO_TESTS_DETECT_NER_GOLDEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/span.h"

/*
 * Reader of golden.txt: texts with the tokens and spans that the training code sees in them.  Lines are
 * `text`, then its `token`s and `span`s, fields separated by tabs; in texts \\ \n \r \t \0 are escaped.
 */

struct golden_token {
    uint32_t start, end, hash, shape, gram_count, gram_sum;
};

struct golden_span {
    uint32_t start, end;
    char label[16];
};

struct golden_text {
    size_t number;
    sotto_span text;
    struct golden_token *tokens;
    size_t token_count;
    struct golden_span *spans;
    size_t span_count;
};

struct golden_file {
    char *raw;
    struct golden_text *texts;
    size_t count;
};

static inline void *golden_grow(void *items, size_t count, size_t size)
{
    /* powers of two only */
    if (count != 0 && (count & (count - 1)) != 0) {
        return items;
    }
    void *more = realloc(items, (count == 0 ? 1 : count * 2) * size);
    if (more == NULL) {
        abort();
    }
    return more;
}

static inline size_t golden_unescape(char *s)
{
    char *out = s;
    for (char *in = s; *in != '\0'; in++) {
        if (*in == '\\' && in[1] != '\0') {
            in++;
            *out++ = *in == 'n'   ? '\n'
                     : *in == 'r' ? '\r'
                     : *in == 't' ? '\t'
                     : *in == '0' ? '\0'
                                  : *in;
        } else {
            *out++ = *in;
        }
    }
    return (size_t)(out - s);
}

static inline void golden_line(struct golden_file *file, char *line)
{
    struct golden_text *text = file->count != 0 ? &file->texts[file->count - 1] : NULL;

    if (strncmp(line, "text\t", 5) == 0) {
        file->texts = golden_grow(file->texts, file->count, sizeof(*file->texts));
        text = &file->texts[file->count];
        memset(text, 0, sizeof(*text));
        text->number = file->count++;
        text->text = sotto_span_init(line + 5, golden_unescape(line + 5));
    } else if (text != NULL && strncmp(line, "token\t", 6) == 0) {
        text->tokens = golden_grow(text->tokens, text->token_count, sizeof(*text->tokens));
        struct golden_token *t = &text->tokens[text->token_count++];
        memset(t, 0, sizeof(*t));
        if (sscanf(line, "token\t%u\t%u\t%x\t%u\t%u\t%u", &t->start, &t->end, &t->hash, &t->shape,
                   &t->gram_count, &t->gram_sum) != 6) {
            abort();
        }
    } else if (text != NULL && strncmp(line, "span\t", 5) == 0) {
        text->spans = golden_grow(text->spans, text->span_count, sizeof(*text->spans));
        struct golden_span *s = &text->spans[text->span_count++];
        memset(s, 0, sizeof(*s));
        if (sscanf(line, "span\t%u\t%u\t%15s", &s->start, &s->end, s->label) != 3) {
            abort();
        }
    }
}

/** Whole file with a NUL behind it; NULL when it cannot be read. */
static inline char *golden_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rbe");
    char *raw = NULL;

    if (f == NULL) {
        return NULL;
    }
    long size = fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;
    if (size >= 0 && (raw = malloc((size_t)size + 1)) != NULL) {
        rewind(f);
        *len = fread(raw, 1, (size_t)size, f);
        raw[*len] = '\0';
    }
    (void)fclose(f);
    return raw;
}

static inline bool golden_load(const char *path, struct golden_file *file)
{
    size_t len = 0;

    memset(file, 0, sizeof(*file));
    file->raw = golden_read(path, &len);
    if (file->raw == NULL) {
        return false;
    }
    for (char *line = file->raw; line != NULL && *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end != NULL) {
            *end = '\0';
        }
        golden_line(file, line);
        line = end != NULL ? end + 1 : NULL;
    }
    return true;
}

static inline void golden_free(struct golden_file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        free(file->texts[i].tokens);
        free(file->texts[i].spans);
    }
    free(file->texts);
    free(file->raw);
}

#endif
