/* SPDX-License-Identifier: Apache-2.0 */

#include "config/problems.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

#define PROBLEM_TEXT_MAX 600

static bool make_room(struct sotto_config_problems *list)
{
    if (list->count < list->cap) {
        return true;
    }
    size_t cap = list->cap != 0 ? list->cap * 2 : 8;
    struct sotto_config_problem *items = sotto_resize(list->items, cap * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    list->items = items;
    list->cap = cap;
    return true;
}

static char *copy_text(const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = sotto_alloc(len);
    return copy != NULL ? memcpy(copy, text, len) : NULL;
}

/* As config_show() shows it. */
static char shown_byte(char c)
{
    return (uint8_t)c < 0x20 || c == 0x7f ? '?' : c;
}

/* How much of the text is this value; 0: none.  Sentences show long values cut. */
static size_t match_hidden(const char *text, const char *value)
{
    size_t n = 0;
    while (value[n] != '\0' && text[n] == shown_byte(value[n])) {
        n++;
    }
    bool ends = value[n] == '\0' || text[n] == '\0' || strncmp(text + n, "...", 3) == 0;
    return ends && n >= CONFIG_HIDDEN_MIN ? n : 0;
}

/* The name of the variable that the text begins with the value of; NULL: none does. */
static const char *find_hidden(const struct config_problems *problems, const char *text,
                               size_t *used)
{
    const char *name = NULL;
    *used = 0;
    for (const struct config_hidden *h = problems->hidden; h != NULL; h = h->next) {
        size_t n = match_hidden(text, h->value);
        if (n > *used) {
            *used = n;
            name = h->name;
        }
    }
    return name;
}

/* Copies the text with the names of variables where their values were. */
static void hide_values(const struct config_problems *problems, const char *text,
                        char out[PROBLEM_TEXT_MAX])
{
    size_t len = 0;
    while (*text != '\0' && len < PROBLEM_TEXT_MAX - 1) {
        size_t used, room = PROBLEM_TEXT_MAX - len;
        const char *name = find_hidden(problems, text, &used);
        if (name != NULL) {
            int n = snprintf(out + len, room, "${%s}", name);
            len += (size_t)n < room ? (size_t)n : room - 1;
            text += used;
        } else {
            out[len++] = *text++;
        }
    }
    out[len] = '\0';
}

void config_problem(struct config_problems *problems, uint32_t line, uint32_t column,
                    const char *path, const char *fmt, ...)
{
    struct sotto_config_problems *list = problems->list;
    if (list->count >= CONFIG_PROBLEMS_MAX) {
        return;
    }
    char text[PROBLEM_TEXT_MAX], shown[PROBLEM_TEXT_MAX];
    size_t at = 0;
    if (path[0] != '\0') {
        int n = snprintf(text, sizeof(text) / 2, "%s: ", path);
        at = (size_t)n < sizeof(text) / 2 ? (size_t)n : sizeof(text) / 2 - 1;
    }
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text + at, sizeof(text) - at, fmt, ap);
    va_end(ap);

    hide_values(problems, text, shown);
    char *copy = copy_text(shown);
    if (copy == NULL || !make_room(list)) {
        sotto_free(copy);
        problems->no_memory = true;
        return;
    }
    list->items[list->count++] = (struct sotto_config_problem){line, column, copy};
}

/* Insertion sort: it keeps the order of problems at one place, and there are few. */
void config_problems_sort(struct config_problems *problems)
{
    struct sotto_config_problem *items = problems->list->items;
    for (size_t i = 1; i < problems->list->count; i++) {
        struct sotto_config_problem one = items[i];
        size_t j = i;
        while (j > 0 && (items[j - 1].line > one.line ||
                         (items[j - 1].line == one.line && items[j - 1].column > one.column))) {
            items[j] = items[j - 1];
            j--;
        }
        items[j] = one;
    }
}

void config_show(sotto_span text, char out[CONFIG_SHOW_BYTES])
{
    bool cut = text.len > CONFIG_SHOW_BYTES - 4;
    size_t len = cut ? CONFIG_SHOW_BYTES - 4 : text.len;
    while (cut && len > 0 && (text.base[len] & 0xc0) == 0x80) {
        len--; /* not inside a character */
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = shown_byte((char)text.base[i]);
    }
    memcpy(out + len, cut ? "..." : "", cut ? 4 : 1);
}

void sotto_config_problems_free(struct sotto_config_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        sotto_free(problems->items[i].text);
    }
    sotto_free(problems->items);
    *problems = (struct sotto_config_problems){0};
}

enum sotto_err sotto_config_problems_print(const struct sotto_config_problems *problems,
                                           struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = SOTTO_OK;
    for (size_t i = 0; err == SOTTO_OK && i < problems->count; i++) {
        const struct sotto_config_problem *p = &problems->items[i];
        if (p->line != 0) {
            err = sotto_buf_printf(out, "line %u, column %u: ", p->line, p->column);
        }
        if (err == SOTTO_OK) {
            err = sotto_buf_printf(out, "%s\n", p->text);
        }
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}
