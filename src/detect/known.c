/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/known.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "detect/names/lexicon.h"
#include "detect/rule.h"
#include "text/fold.h"
#include "text/utf8.h"
#include "text/word.h"

/*
 * An Aho-Corasick automaton over folded text: letters in lower case without diacritics, runs of
 * white space, dots, hyphens and underscores as one separator, hidden characters left out.  So
 * "Jane Doe", "JANE  DOE", "jane.doe" and "jane_doe" are one pattern; "janedoe" is a second one.
 * What it finds is checked against the bytes where the label compares bytes.
 */

#define KNOWN_SEPARATOR 1U /* stands for a run of separators in folded text */

/* Letters and digits from which on a value counts inside other words. */
#define KNOWN_INSIDE_CHARS 5

/* Bytes that are looked at to see that an ending is short. */
#define KNOWN_ENDING_BYTES 16

/* Longer values are not looked for: they are whole documents, keys, tables. */
#define KNOWN_VALUE_MAX 4096

/* Shortest value that counts at all, in letters and digits. */
#define KNOWN_CHARS_MIN 2

struct known_node {
    uint32_t child, sibling; /* 0: none */
    uint32_t parent;
    uint32_t fail;
    uint32_t output; /* nearest node down the failure links, itself included, that ends a value */
    uint32_t value;  /* number of the value that ends here, plus 1; 0: none */
    uint32_t symbol;
};

struct known_value {
    size_t at, len;   /* the spelling, in `spellings` */
    uint32_t symbols; /* length of the pattern */
    uint32_t chars;   /* letters and digits */
    uint16_t score, finer;
    uint8_t label;
    bool exact; /* the bytes must be equal */
    bool part;  /* of a full name: must be capitalised */
    bool plain; /* a full name of ordinary words: must be capitalised */
};

struct sotto_known {
    struct known_node *nodes;
    uint32_t node_count, node_cap;
    uint32_t *edges; /* hash table of children; 0: free */
    uint32_t edge_mask;
    struct known_value *values;
    uint32_t value_count, value_cap;
    struct sotto_buf spellings;
    uint32_t root[128];   /* children of the root by ASCII symbol, made with the links */
    bool linked;          /* failure links are made */
    uint8_t begins[256];  /* by byte, a bit for each class of values that may begin with it, */
    uint8_t follows[256]; /* and by the byte behind that; both made with the links */
};

/* A walk over folded text. */
struct known_walk {
    sotto_span text;
    size_t at;
    size_t start; /* of the last symbol */
    bool in_separator;
};

/* Where the last symbols began; a power of two, and no pattern is longer. */
struct known_ring {
    size_t count;
    uint32_t starts[KNOWN_VALUE_MAX];
};

static inline bool is_separator(uint32_t c)
{
    if (c < 128) {
        return c == '.' || c == '-' || c == '_' || c == '\'' ||
               (sotto_char_ascii[c] & SOTTO_CHAR_SPACE) != 0;
    }
    return c == 0x2019 || c == 0x2010 || c == 0x2011 ||
           (sotto_char_wide(c) & SOTTO_CHAR_SPACE) != 0;
}

/* The next symbol of folded text; false at the end.  A separator's symbol comes at its start. */
static bool next_symbol(struct known_walk *walk, uint32_t *symbol)
{
    while (walk->at < walk->text.len) {
        walk->start = walk->at;
        uint32_t c = sotto_utf8_next(walk->text, &walk->at);
        if (is_separator(c)) {
            if (!walk->in_separator) {
                walk->in_separator = true;
                *symbol = KNOWN_SEPARATOR;
                return true;
            }
            continue;
        }
        if (c >= 128 && (sotto_char_classes(c) & (SOTTO_CHAR_HIDDEN | SOTTO_CHAR_MARK)) != 0) {
            continue;
        }
        walk->in_separator = false;
        *symbol = sotto_fold(c);
        return true;
    }
    return false;
}

static uint32_t edge_slot(uint32_t node, uint32_t symbol)
{
    uint64_t h = ((uint64_t)node << 32 | symbol) * 0x9e3779b97f4a7c15U;
    return (uint32_t)(h >> 32);
}

static uint32_t ask_edges(const struct sotto_known *known, uint32_t node, uint32_t symbol)
{
    uint32_t at = edge_slot(node, symbol) & known->edge_mask;
    uint32_t child;
    while ((child = known->edges[at]) != 0 &&
           (known->nodes[child].parent != node || known->nodes[child].symbol != symbol)) {
        at = (at + 1) & known->edge_mask;
    }
    return child;
}

/* Most nodes have one child or none. */
static inline uint32_t find_child(const struct sotto_known *known, uint32_t node, uint32_t symbol)
{
    uint32_t child = known->nodes[node].child;
    if (child == 0 || known->nodes[child].symbol == symbol) {
        return child;
    }
    return known->nodes[child].sibling == 0 ? 0 : ask_edges(known, node, symbol);
}

/* As find_child(), once the links are made: most steps are from the root. */
static inline uint32_t step(const struct sotto_known *known, uint32_t node, uint32_t symbol)
{
    return node == 0 && symbol < SOTTO_COUNT(known->root) ? known->root[symbol]
                                                          : find_child(known, node, symbol);
}

static void add_edge(uint32_t *edges, uint32_t mask, const struct known_node *nodes, uint32_t child)
{
    uint32_t at = edge_slot(nodes[child].parent, nodes[child].symbol) & mask;
    while (edges[at] != 0) {
        at = (at + 1) & mask;
    }
    edges[at] = child;
}

static enum sotto_err reserve_nodes(struct sotto_known *known, size_t symbols)
{
    size_t cap = known->node_cap == 0 ? 64 : known->node_cap;
    while (cap - known->node_count < symbols) {
        cap *= 2;
    }
    if (cap == known->node_cap) {
        return SOTTO_OK;
    }
    if (cap > UINT32_MAX / 4) {
        return SOTTO_ENOMEM;
    }
    uint32_t *edges = sotto_calloc(cap * 2, sizeof(*edges));
    struct known_node *nodes =
        edges != NULL ? sotto_resize(known->nodes, cap * sizeof(*nodes)) : NULL;
    if (nodes == NULL) {
        sotto_free(edges);
        return SOTTO_ENOMEM;
    }
    uint32_t mask = (uint32_t)(cap * 2 - 1);
    for (uint32_t i = 1; i < known->node_count; i++) {
        add_edge(edges, mask, nodes, i);
    }
    sotto_free(known->edges);
    known->nodes = nodes;
    known->node_cap = (uint32_t)cap;
    known->edges = edges;
    known->edge_mask = mask;
    return SOTTO_OK;
}

/* Makes room so that adding nodes and a value cannot fail half-way. */
static enum sotto_err reserve(struct sotto_known *known, size_t symbols)
{
    enum sotto_err err = reserve_nodes(known, symbols);
    if (err != SOTTO_OK) {
        return err;
    }
    if (known->value_count == known->value_cap) {
        uint32_t cap = known->value_cap == 0 ? 16 : known->value_cap * 2;
        struct known_value *values = sotto_resize(known->values, (size_t)cap * sizeof(*values));
        if (values == NULL) {
            return SOTTO_ENOMEM;
        }
        known->values = values;
        known->value_cap = cap;
    }
    return SOTTO_OK;
}

/* Walks the pattern of `spelling` into the tree; `joined` leaves the separators out. */
static uint32_t insert(struct sotto_known *known, sotto_span spelling, bool joined,
                       uint32_t *symbols)
{
    struct known_walk walk = {.text = spelling};
    uint32_t node = 0, symbol;
    *symbols = 0;
    while (next_symbol(&walk, &symbol)) {
        if (joined && symbol == KNOWN_SEPARATOR) {
            continue;
        }
        uint32_t child = find_child(known, node, symbol);
        if (child == 0) {
            child = known->node_count++;
            known->nodes[child] = (struct known_node){
                .symbol = symbol, .parent = node, .sibling = known->nodes[node].child};
            known->nodes[node].child = child;
            add_edge(known->edges, known->edge_mask, known->nodes, child);
        }
        node = child;
        (*symbols)++;
    }
    return node;
}

static uint32_t count_chars(sotto_span text)
{
    uint32_t n = 0;
    for (size_t at = 0; at < text.len;) {
        n += (sotto_char_classes(sotto_utf8_next(text, &at)) &
              (SOTTO_CHAR_LETTER | SOTTO_CHAR_DIGIT)) != 0;
    }
    return n;
}

/* Adds one pattern; the first value with a pattern keeps it, so the order of adding decides. */
static enum sotto_err add_pattern(struct sotto_known *known, sotto_span spelling, bool joined,
                                  struct known_value value)
{
    size_t mark = known->spellings.len;
    enum sotto_err err = sotto_buf_append(&known->spellings, spelling);
    if (err == SOTTO_OK && (err = reserve(known, spelling.len + 1)) != SOTTO_OK) {
        sotto_buf_truncate(&known->spellings, mark);
    }
    if (err != SOTTO_OK) {
        return err;
    }
    uint32_t node = insert(known, spelling, joined, &value.symbols);
    if (node == 0 ||
        (known->nodes[node].value != 0 && !known->values[known->nodes[node].value - 1].part)) {
        sotto_buf_truncate(&known->spellings, mark);
        return SOTTO_OK;
    }
    value.at = mark;
    value.len = spelling.len;
    value.chars = count_chars(spelling);
    known->values[known->value_count++] = value;
    known->nodes[node].value = known->value_count;
    known->linked = false;
    return SOTTO_OK;
}

static bool has_separator(sotto_span text)
{
    for (size_t at = 0; at < text.len;) {
        if (is_separator(sotto_utf8_next(text, &at))) {
            return true;
        }
    }
    return false;
}

/* Whether a word of a full name identifies somebody by itself. */
static bool stands_alone(sotto_span word)
{
    size_t at = 0;
    uint32_t flags = sotto_lexicon_word(word);
    return count_chars(word) >= 3 &&
           (sotto_char_classes(sotto_utf8_next(word, &at)) & SOTTO_CHAR_UPPER) != 0 &&
           (flags & ((uint32_t)SOTTO_LEXICON_WORD | SOTTO_LEXICON_NOUN | SOTTO_LEXICON_TITLE |
                     SOTTO_LEXICON_PARTICLE | SOTTO_LEXICON_SUFFIX | SOTTO_LEXICON_CALENDAR)) == 0;
}

/* Whether all words of a full name are ordinary ones: "Mark An" in "mark an item". */
static bool is_plain(sotto_span name)
{
    size_t at = 0;
    sotto_span word = sotto_word_next(name, &at);
    size_t first = 0;
    if (word.len == 0 ||
        (sotto_char_classes(sotto_utf8_next(word, &first)) & SOTTO_CHAR_UPPER) == 0) {
        return false;
    }
    for (; word.len != 0; word = sotto_word_next(name, &at)) {
        if ((sotto_lexicon_word(word) & ((uint32_t)SOTTO_LEXICON_WORD | SOTTO_LEXICON_NOUN)) == 0) {
            return false;
        }
    }
    return true;
}

static enum sotto_err add_parts(struct sotto_known *known, sotto_span name,
                                struct known_value value)
{
    enum sotto_err err = SOTTO_OK;
    size_t at = 0;
    sotto_span word;
    value.part = true;
    value.plain = false;
    while (err == SOTTO_OK && (word = sotto_word_next(name, &at)).len != 0) {
        if (word.len < name.len && stands_alone(word)) {
            err = add_pattern(known, word, false, value);
        }
    }
    return err;
}

/* Whether a one-word name is an ordinary word too: then it counts only in a full name. */
static bool is_ordinary(sotto_span value)
{
    return !has_separator(value) &&
           (sotto_lexicon_word(value) & ((uint32_t)SOTTO_LEXICON_WORD | SOTTO_LEXICON_NOUN)) != 0;
}

enum sotto_err sotto_known_new(struct sotto_known **out)
{
    struct sotto_known *known = sotto_calloc(1, sizeof(*known));
    if (known == NULL) {
        return SOTTO_ENOMEM;
    }
    sotto_buf_init(&known->spellings, SOTTO_BUF_UNBOUNDED);
    if (reserve(known, 64) != SOTTO_OK) {
        sotto_known_free(known);
        return SOTTO_ENOMEM;
    }
    known->nodes[0] = (struct known_node){0};
    known->node_count = 1;
    *out = known;
    return SOTTO_OK;
}

void sotto_known_free(struct sotto_known *known)
{
    if (known != NULL) {
        sotto_free(known->nodes);
        sotto_free(known->edges);
        sotto_free(known->values);
        sotto_buf_free(&known->spellings);
        sotto_free(known);
    }
}

/* Without separators at the ends: a text ends its sentence with the value or does not. */
static sotto_span strip(sotto_span value)
{
    size_t start = 0, end = value.len;
    for (size_t at = start; at < end; start = at) {
        if (!is_separator(sotto_utf8_next(value, &at))) {
            break;
        }
    }
    for (size_t at = end; at > start; end = at) {
        if (!is_separator(sotto_utf8_before(value, &at))) {
            break;
        }
    }
    return sotto_span_sub(value, start, end);
}

enum sotto_err sotto_known_add(struct sotto_known *known, sotto_span value,
                               const struct sotto_finding *finding)
{
    struct known_value entry = {
        .label = finding->label, .score = finding->score, .finer = finding->finer};
    bool bytes = finding->label == SOTTO_LABEL_SECRET || finding->label == SOTTO_LABEL_ID;
    bool wanted = bytes || finding->label == SOTTO_LABEL_PERSON ||
                  finding->label == SOTTO_LABEL_EMAIL || finding->label == SOTTO_LABEL_PHONE ||
                  finding->label == SOTTO_LABEL_ADDRESS;
    value = bytes ? value : strip(value);
    if (!wanted || value.len > KNOWN_VALUE_MAX || count_chars(value) < KNOWN_CHARS_MIN) {
        return SOTTO_OK;
    }
    if (finding->label == SOTTO_LABEL_PERSON && is_ordinary(value)) {
        return SOTTO_OK;
    }
    bool person = finding->label == SOTTO_LABEL_PERSON, parted = has_separator(value);
    entry.exact = bytes || (person && count_chars(value) == KNOWN_CHARS_MIN); /* "Xu", not "XU" */
    entry.part = person && !parted;
    entry.plain = person && parted && is_plain(value);
    enum sotto_err err = add_pattern(known, value, false, entry);
    bool joinable = (person && !entry.plain) || finding->label == SOTTO_LABEL_PHONE;
    if (err == SOTTO_OK && joinable && parted) {
        err = add_pattern(known, value, true, entry);
    }
    if (err == SOTTO_OK && person && parted) {
        err = add_parts(known, value, entry);
    }
    return err;
}

/* Lets `symbol` stand in `table` for the classes of `bits`, as each byte that it may come from.
 * What is not ASCII may fold to anything, or be hidden. */
static void allow(uint8_t table[256], uint32_t symbol, uint8_t bits)
{
    for (unsigned byte = 0; symbol == KNOWN_SEPARATOR && byte < 128; byte++) {
        table[byte] |= is_separator(byte) ? bits : 0;
    }
    if (symbol < 128 && symbol != KNOWN_SEPARATOR) {
        table[symbol] |= bits;
        table[symbol >= 'a' && symbol <= 'z' ? symbol - 0x20 : symbol] |= bits;
    }
}

/* Most of a text cannot begin a value: tables of the first two bytes, by a class of the first
 * symbol, let the scan pass over it. */
static void note_beginnings(struct sotto_known *known)
{
    const struct known_node *n = known->nodes;
    memset(known->begins, 0, 128);
    memset(known->follows, 0, 128);
    memset(known->begins + 128, 0xff, 128);
    memset(known->follows + 128, 0xff, 128);
    memset(known->root, 0, sizeof(known->root));
    for (uint32_t child = n[0].child; child != 0; child = n[child].sibling) {
        uint8_t bits = n[child].symbol < 128 ? (uint8_t)(1U << n[child].symbol % 8) : 0xff;
        if (n[child].symbol < SOTTO_COUNT(known->root)) {
            known->root[n[child].symbol] = child;
        }
        allow(known->begins, n[child].symbol, bits);
        if (n[child].value != 0) {
            memset(known->follows, 0xff, sizeof(known->follows)); /* one symbol is a value */
        }
        for (uint32_t next = n[child].child; next != 0; next = n[next].sibling) {
            allow(known->follows, n[next].symbol, bits);
        }
    }
}

/* Moves on to where a value may begin. */
static void pass_over(const struct sotto_known *known, struct known_walk *walk)
{
    const uint8_t *base = walk->text.base;
    size_t at = walk->at, len = walk->text.len;
    while (at + 1 < len && (known->begins[base[at]] & known->follows[base[at + 1]]) == 0) {
        at++;
    }
    walk->in_separator &= at == walk->at;
    walk->at = at;
}

/* Breadth first: the links of shorter patterns are there when longer ones need them. */
static enum sotto_err link_failures(struct sotto_known *known)
{
    uint32_t *queue = sotto_calloc(known->node_count, sizeof(*queue));
    if (queue == NULL) {
        return SOTTO_ENOMEM;
    }
    uint32_t head = 0, tail = 0;
    note_beginnings(known);
    queue[tail++] = 0;
    while (head < tail) {
        uint32_t node = queue[head++];
        struct known_node *n = known->nodes;
        for (uint32_t c = n[node].child; c != 0; c = n[c].sibling) {
            uint32_t fail = n[node].fail, next = 0;
            while (node != 0 && (next = step(known, fail, n[c].symbol)) == 0 && fail != 0) {
                fail = n[fail].fail;
            }
            n[c].fail = next;
            n[c].output = n[c].value != 0 ? c : n[next].output;
            queue[tail++] = c;
        }
    }
    sotto_free(queue);
    known->linked = true;
    return SOTTO_OK;
}

static bool is_capital_at(sotto_span text, size_t at)
{
    return at < text.len &&
           (sotto_char_classes(sotto_utf8_next(text, &at)) & SOTTO_CHAR_UPPER) != 0;
}

static unsigned classes_at(sotto_span text, size_t at)
{
    return at < text.len ? sotto_char_classes(sotto_utf8_next(text, &at)) : 0;
}

/* A single name counts inside a word only where a new word begins by case or digit ("xSmith42"),
 * or before a short ending ("Smiths"): "Martin" is no part of "Martinique". */
static bool is_joint(sotto_span text, size_t start, size_t end)
{
    sotto_span near = text; /* as far as the ending may reach, or a long word would be read often */
    near.len = text.len - end > KNOWN_ENDING_BYTES ? end + KNOWN_ENDING_BYTES : text.len;
    bool joint =
        (classes_at(text, end) & SOTTO_CHAR_LOWER) == 0 || sotto_word_run_end(near, end) <= end + 2;
    return joint && is_capital_at(text, start);
}

/* Whether the value may count at [start, end); widens it to whole words where it may. */
static bool accept(const struct sotto_known *known, const struct known_value *value,
                   sotto_span text, size_t *start, size_t *end)
{
    bool starts = sotto_word_edge(text, *start), ends = sotto_word_edge(text, *end);
    if (value->plain && !is_capital_at(text, *start)) {
        return false;
    }
    if (starts && ends) {
        if (value->part && value->chars < KNOWN_INSIDE_CHARS && !is_capital_at(text, *start)) {
            return false;
        }
    } else if (value->chars < KNOWN_INSIDE_CHARS ||
               (value->part && !is_joint(text, *start, *end))) {
        return false;
    }
    sotto_span spelling =
        sotto_span_sub(sotto_buf_span(&known->spellings), value->at, value->at + value->len);
    sotto_span found = sotto_span_sub(text, *start, *end);
    if (value->exact && !sotto_span_eq(found, spelling)) {
        return false;
    }
    if (memmem(found.base, found.len, ". ", 2) != NULL &&
        memmem(spelling.base, spelling.len, ".", 1) == NULL) {
        return false; /* the end of a sentence lies between the words */
    }
    *start = starts ? *start : sotto_word_run_start(text, *start);
    *end = ends ? *end : sotto_word_run_end(text, *end);
    return true;
}

/* Notes a match that ends at `end`; of two that overlap the longer stays, then the earlier. */
static enum sotto_err note(const struct sotto_known *known, const struct known_value *value,
                           sotto_span text, size_t start, size_t end, size_t mark,
                           struct sotto_findings *out)
{
    if ((out->count > mark && out->items[out->count - 1].end >= end) ||
        !accept(known, value, text, &start, &end)) {
        return SOTTO_OK;
    }
    struct sotto_finding finding = {.start = (uint32_t)start,
                                    .end = (uint32_t)end,
                                    .score = value->score,
                                    .finer = value->finer,
                                    .rule = SOTTO_RULE_KNOWN_VALUE,
                                    .label = value->label,
                                    .layer = SOTTO_LAYER_KNOWN};
    size_t keep = out->count;
    while (keep > mark && out->items[keep - 1].end > finding.start) {
        const struct sotto_finding *last = &out->items[keep - 1];
        if (last->end - last->start >= finding.end - finding.start) {
            return SOTTO_OK;
        }
        keep--;
    }
    out->count = keep;
    return sotto_findings_add(out, finding);
}

/* Goes over all values that end at `node`, the longest first. */
static enum sotto_err note_all(const struct sotto_known *known, uint32_t node, sotto_span text,
                               const struct known_ring *ring, size_t end, size_t mark,
                               struct sotto_findings *out)
{
    enum sotto_err err = SOTTO_OK;
    uint32_t o = known->nodes[node].output;
    while (o != 0 && err == SOTTO_OK) {
        const struct known_value *value = &known->values[known->nodes[o].value - 1];
        size_t start = ring->starts[(ring->count - value->symbols) % KNOWN_VALUE_MAX];
        err = note(known, value, text, start, end, mark, out);
        o = known->nodes[known->nodes[o].fail].output;
    }
    return err;
}

enum sotto_err sotto_known_scan(struct sotto_known *known, sotto_span text,
                                struct sotto_findings *out)
{
    if (known->value_count == 0) {
        return SOTTO_OK;
    }
    enum sotto_err err = known->linked ? SOTTO_OK : link_failures(known);
    size_t mark = out->count;
    struct known_walk walk = {.text = text};
    SOTTO_UNINIT struct known_ring ring;
    ring.count = 0;
    uint32_t node = 0, symbol;
    pass_over(known, &walk);
    while (err == SOTTO_OK && next_symbol(&walk, &symbol)) {
        uint32_t next;
        ring.starts[ring.count++ % KNOWN_VALUE_MAX] = (uint32_t)walk.start;
        while ((next = step(known, node, symbol)) == 0 && node != 0) {
            node = known->nodes[node].fail;
        }
        node = next;
        if (known->nodes[node].output != 0) {
            err = note_all(known, node, text, &ring, walk.at, mark, out);
        }
        if (node == 0) {
            pass_over(known, &walk);
        }
    }
    if (err != SOTTO_OK) {
        out->count = mark;
    }
    return err;
}
