/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/form.h"

#include <assert.h>

#include "base/alloc.h"
#include "base/compiler.h"

/* Stands for a run of separators; no form holds this byte. */
#define FORM_SEPARATOR 1

/* Most separators in a run, as between word and code of a token. */
#define FORM_RUN 6

/* A walk over a spelling. */
struct form_walk {
    sotto_span text;
    size_t at;
    struct spelling *spelling; /* collects marks */
};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(uint8_t c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* --- symbols ----------------------------------------------------------------------------------- */

/* "&lt;" and "&gt;".  SPELLING_NO: not one of them. */
static enum spelling_verdict bracket(struct form_walk *walk, uint8_t *symbol)
{
    static const char *const names[] = {"&lt;", "&gt;"};
    sotto_span rest = sotto_span_skip(walk->text, walk->at);
    for (size_t i = 0; i < SOTTO_COUNT(names); i++) {
        size_t n = rest.len < 4 ? rest.len : 4;
        if (sotto_span_eq(sotto_span_sub(rest, 0, n), sotto_span_init(names[i], n))) {
            *symbol = i == 0 ? '<' : '>';
            walk->at += n;
            return n == 4 ? SPELLING_WHOLE : SPELLING_MORE;
        }
    }
    return SPELLING_NO;
}

/* A run of separators; SPELLING_NO: none begins here. */
static enum spelling_verdict separators(struct form_walk *walk, uint8_t *symbol)
{
    size_t count = 0;
    while (walk->at < walk->text.len) {
        size_t n = spelling_separator(sotto_span_skip(walk->text, walk->at));
        if (n == SIZE_MAX) {
            return SPELLING_MORE;
        }
        if (n == 0 || count == FORM_RUN) {
            break;
        }
        char c = (char)walk->text.base[walk->at];
        if ((c == '*' || c == '`') && walk->spelling->mark_count < SPELLING_MARKS) {
            walk->spelling->mark[walk->spelling->mark_count++] = c;
        }
        walk->at += n;
        count++;
    }
    if (count == 0) {
        return SPELLING_NO;
    }
    *symbol = FORM_SEPARATOR;
    return walk->at < walk->text.len ? SPELLING_WHOLE : SPELLING_MORE;
}

/* The next symbol; SPELLING_MORE: the text ends inside of it or before it. */
static enum spelling_verdict next_symbol(struct form_walk *walk, uint8_t *symbol)
{
    if (walk->at == walk->text.len) {
        return SPELLING_MORE;
    }
    enum spelling_verdict verdict = bracket(walk, symbol);
    if (verdict == SPELLING_NO) {
        verdict = separators(walk, symbol);
    }
    if (verdict != SPELLING_NO) {
        return verdict;
    }
    uint8_t c = walk->text.base[walk->at];
    if (c == '\\') { /* Markdown's escape of what comes next */
        if (walk->at + 1 == walk->text.len) {
            return SPELLING_MORE;
        }
        c = walk->text.base[++walk->at];
        if (is_alnum(c) || c == '\\') {
            return SPELLING_NO;
        }
    }
    walk->at++;
    *symbol = lower(c);
    return c > ' ' ? SPELLING_WHOLE : SPELLING_NO;
}

/* --- the tree ---------------------------------------------------------------------------------- */

static uint32_t find_child(const struct form_tree *tree, uint32_t node, uint8_t symbol)
{
    uint32_t child = tree->nodes[node].child;
    while (child != 0 && tree->nodes[child].symbol != symbol) {
        child = tree->nodes[child].sibling;
    }
    return child;
}

enum sotto_err form_reserve(struct form_tree *tree, size_t n)
{
    size_t nodes = tree->node_count + n * FORM_MAX + 1, forms = tree->form_count + n;
    if (nodes > UINT32_MAX / 2) {
        return SOTTO_ENOMEM;
    }
    if (nodes > tree->node_cap) {
        size_t cap = nodes * 2;
        struct form_node *grown = sotto_resize(tree->nodes, cap * sizeof(*grown));
        if (grown == NULL) {
            return SOTTO_ENOMEM;
        }
        tree->nodes = grown;
        tree->node_cap = cap;
    }
    if (forms > tree->form_cap) {
        size_t cap = forms * 2;
        struct form *grown = sotto_resize(tree->forms, cap * sizeof(*grown));
        if (grown == NULL) {
            return SOTTO_ENOMEM;
        }
        tree->forms = grown;
        tree->form_cap = cap;
    }
    if (tree->node_count == 0) {
        tree->nodes[tree->node_count++] = (struct form_node){0};
    }
    return SOTTO_OK;
}

static void note_beginning(struct form_tree *tree, uint8_t c)
{
    tree->begins[c] = true;
    if (c >= 'a' && c <= 'z') {
        tree->begins[c & ~0x20U] = true;
    } else if (!is_alnum(c)) {
        tree->begins['\\'] = true;
        tree->begins['&'] |= c == '<';
    }
}

void form_add(struct form_tree *tree, sotto_span text, uint32_t entry, enum form_part part)
{
    struct spelling unused = {0};
    struct form_walk walk = {.text = text, .spelling = &unused};
    uint32_t node = 0;
    uint8_t symbol;
    assert(text.len != 0 && text.len <= FORM_MAX);
    while (next_symbol(&walk, &symbol) == SPELLING_WHOLE) {
        uint32_t child = find_child(tree, node, symbol);
        if (child == 0) {
            child = (uint32_t)tree->node_count++;
            tree->nodes[child] =
                (struct form_node){.symbol = symbol, .sibling = tree->nodes[node].child};
            tree->nodes[node].child = child;
        }
        node = child;
    }
    if (tree->nodes[node].form != 0) {
        return;
    }
    struct form *form = &tree->forms[tree->form_count++];
    *form = (struct form){.entry = entry, .part = (uint8_t)part, .len = (uint8_t)text.len};
    memcpy(form->text, text.base, text.len);
    tree->nodes[node].form = (uint32_t)tree->form_count;
    note_beginning(tree, lower(text.base[0]));
}

bool form_known(const struct form_tree *tree, sotto_span text)
{
    struct spelling unused = {0};
    struct form_walk walk = {.text = text, .spelling = &unused};
    uint32_t node = 0;
    uint8_t symbol;
    if (tree->form_count == 0) {
        return false;
    }
    while (next_symbol(&walk, &symbol) == SPELLING_WHOLE) {
        if ((node = find_child(tree, node, symbol)) == 0) {
            return false;
        }
    }
    return tree->nodes[node].form != 0;
}

void form_free(struct form_tree *tree)
{
    sotto_free(tree->nodes);
    sotto_free(tree->forms);
    *tree = (struct form_tree){0};
}

/* --- reading ----------------------------------------------------------------------------------- */

/* Whether a form may stand in text[0, len). */
static bool may_stand(const struct form *form, sotto_span text, size_t len, bool inside)
{
    uint8_t next = len < text.len ? text.base[len] : 0;
    uint8_t last = (uint8_t)form->text[form->len - 1];
    bool exact =
        sotto_span_eq(sotto_span_sub(text, 0, len), sotto_span_init(form->text, form->len));
    if ((inside && (is_digit((uint8_t)form->text[0]) || form->part != FORM_WHOLE)) ||
        (is_digit(last) && is_digit(next))) {
        return false;
    }
    if (form->part == FORM_BARE) {
        size_t word = (size_t)((const char *)memchr(form->text, '_', form->len) - form->text);
        return sotto_span_starts(text, sotto_span_init(form->text, word)) && !is_alnum(next);
    }
    return exact || (!inside && !(is_alnum(last) && is_alnum(next)));
}

enum spelling_verdict form_read(const struct form_tree *tree, sotto_span text, bool inside,
                                bool ends, const struct form **form, struct spelling *spelling)
{
    struct spelling seen = {0};
    bool cut = text.len >= SPELLING_MAX;
    sotto_span near = sotto_span_sub(text, 0, cut ? SPELLING_MAX : text.len);
    struct form_walk walk = {.text = near, .spelling = &seen};
    enum spelling_verdict verdict = SPELLING_WHOLE;
    bool found = false;
    uint32_t node = 0;
    uint8_t symbol;
    while (tree->form_count != 0 && (verdict = next_symbol(&walk, &symbol)) == SPELLING_WHOLE &&
           (node = find_child(tree, node, symbol)) != 0) {
        const struct form *here =
            tree->nodes[node].form != 0 ? &tree->forms[tree->nodes[node].form - 1] : NULL;
        if (here != NULL && may_stand(here, text, walk.at, inside)) {
            found = true;
            *form = here;
            *spelling = seen;
            spelling->len = walk.at;
        }
    }
    if (verdict == SPELLING_MORE && !ends && !cut) {
        return SPELLING_MORE;
    }
    return found ? SPELLING_WHOLE : SPELLING_NO;
}
