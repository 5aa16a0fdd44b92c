/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/read.h"
#include "config/value.h"
#include "detect/finer.h"
#include "policy/violation.h"

struct check_run {
    const struct config_node *root;
    struct config_draft *draft;
    struct config_problems *problems;
};

/* --- complaints ------------------------------------------------------------------------------ */

/* Keys from the top of the file to a value; "[3]" is an item of a list. */
struct check_path {
    const sotto_span *keys;
    size_t count;
};

#define PATH(...)                                                                                  \
    (struct check_path)                                                                            \
    {                                                                                              \
        (const sotto_span[]){__VA_ARGS__},                                                         \
            sizeof((const sotto_span[]){__VA_ARGS__}) / sizeof(sotto_span)                         \
    }
#define KEY(literal) SOTTO_LIT(literal)

static sotto_span index_key(size_t i, char out[24])
{
    int n = snprintf(out, 24, "[%zu]", i);
    return sotto_span_init(out, (size_t)n);
}

/* The node that a key leads to. */
static const struct config_node *follow(const struct config_node *node, sotto_span key)
{
    uint64_t i = 0;
    if (key.len > 2 && key.base[0] == '[' && key.base[key.len - 1] == ']' &&
        config_parse_count(sotto_span_sub(key, 1, key.len - 1), &i) == SOTTO_OK) {
        return config_node_at(node, (size_t)i);
    }
    return config_node_child(node, key);
}

/* A sentence about a value; where it was not given, at the last of its keys that was. */
SOTTO_PRINTF(3, 4)
static void complain(const struct check_run *run, struct check_path path, const char *fmt, ...)
{
    char text[300] = "", sentence[300];
    size_t len = 0;
    const struct config_node *node = run->root, *last = NULL;
    for (size_t i = 0; i < path.count; i++) {
        char shown[CONFIG_SHOW_BYTES];
        config_show(path.keys[i], shown);
        int n = snprintf(text + len, sizeof(text) - len, "%s%s",
                         len != 0 && shown[0] != '[' ? "." : "", shown);
        len += (size_t)n < sizeof(text) - len ? (size_t)n : 0;
        node = follow(node, path.keys[i]);
        last = node != NULL ? node : last;
    }
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sentence, sizeof(sentence), fmt, ap);
    va_end(ap);
    if (last == NULL) {
        config_problem(run->problems, 0, 0, text, "%s", sentence);
    } else if (node != NULL) {
        config_problem(run->problems, last->line, last->column, text, "%s", sentence);
    } else {
        config_problem(run->problems, last->key_line, last->key_column, text, "%s", sentence);
    }
}

/* --- listeners ------------------------------------------------------------------------------- */

static bool same_address(const struct sotto_config_address *a, const struct sotto_config_address *b)
{
    return a->host.len != 0 && a->port != 0 && a->port == b->port &&
           sotto_span_eq(a->host, b->host);
}

static void check_listeners(const struct check_run *run)
{
    const struct sotto_config *c = &run->draft->c;
    bool tls = c->tls.listen.host.len != 0;
    if (!tls && c->listen.host.len == 0) {
        complain(run, PATH(KEY("listen")), "must not be off where tls.listen is off");
    }
    if (tls && c->tls.certificate.len == 0) {
        complain(run, PATH(KEY("tls"), KEY("certificate")), "is missing");
    }
    if (tls && c->tls.key.len == 0) {
        complain(run, PATH(KEY("tls"), KEY("key")), "is missing");
    }
    if (!tls && (c->tls.certificate.len != 0 || c->tls.key.len != 0)) {
        complain(run, PATH(KEY("tls"), KEY("listen")),
                 "is missing: a certificate without a listener has no use");
    }
    if (same_address(&c->admin, &c->listen) || same_address(&c->admin, &c->tls.listen)) {
        complain(run, PATH(KEY("admin")), "must not be the address of another listener");
    }
    if (same_address(&c->listen, &c->tls.listen)) {
        complain(run, PATH(KEY("tls"), KEY("listen")), "must not be the address of listen");
    }
}

/* --- upstreams ------------------------------------------------------------------------------- */

static bool is_kind(const struct sotto_config_upstream *up, const char *kind)
{
    return sotto_span_eq(up->kind, sotto_span_str(kind));
}

/* The public address of a provider; NULL: it has none. */
static const char *public_url(const struct sotto_config_upstream *up)
{
    if (is_kind(up, "openai")) {
        return "https://api.openai.com/v1";
    }
    if (is_kind(up, "mistral")) {
        return "https://api.mistral.ai/v1";
    }
    return is_kind(up, "anthropic") ? "https://api.anthropic.com/v1" : NULL;
}

static bool was_given(const struct check_run *run, const struct sotto_config_upstream *up,
                      const char *field)
{
    const struct config_node *upstreams = config_node_child(run->root, KEY("upstreams"));
    return config_node_child(config_node_child(upstreams, up->name), sotto_span_str(field)) != NULL;
}

static void check_upstream_url(const struct check_run *run, struct sotto_config_upstream *up)
{
    const char *url = public_url(up);
    bool given = was_given(run, up, "url");
    if (is_kind(up, "mirror")) {
        if (given) {
            complain(run, PATH(KEY("upstreams"), up->name, KEY("url")),
                     "must not be given: the mirror is built in");
        }
    } else if (!given && up->url.host.len == 0 && url == NULL) {
        complain(run, PATH(KEY("upstreams"), up->name, KEY("url")), "is missing");
    } else if (!given && up->url.host.len == 0) {
        sotto_ignore(sotto_config_parse_url(sotto_span_str(url), &up->url)); /* known good */
        if (up->key.len == 0 && !was_given(run, up, "key")) {
            complain(run, PATH(KEY("upstreams"), up->name, KEY("key")),
                     "is missing: the provider's public address wants one");
        }
    }
}

/* Names stand in logs, where they must need no quotes. */
static bool is_plain_name(sotto_span name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.base[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_' || c == '.')) {
            return false;
        }
    }
    return name.len != 0 && name.len <= 60;
}

static void preset_time(uint64_t *time_ms, uint64_t otherwise_ms)
{
    *time_ms = *time_ms != 0 ? *time_ms : otherwise_ms;
}

static void check_upstreams(const struct check_run *run)
{
    struct sotto_config *c = &run->draft->c;
    for (size_t i = 0; i < c->upstream_count; i++) {
        struct sotto_config_upstream *up = &c->upstreams[i];
        if (!is_plain_name(up->name)) {
            complain(run, PATH(KEY("upstreams"), up->name),
                     "the name must be 1 to 60 letters, digits, hyphens, dots and underscores");
        }
        if (up->kind.len != 0) {
            check_upstream_url(run, up);
        }
        if (up->api_version.len != 0 && !is_kind(up, "azure")) {
            complain(run, PATH(KEY("upstreams"), up->name, KEY("api_version")),
                     "is for the kind azure only");
        }
        if (c->policy.require_agreements && !up->trusted && !is_kind(up, "mirror") &&
            up->agreements.count == 0) {
            complain(run, PATH(KEY("upstreams"), up->name, KEY("agreements")),
                     "must name one, for policy.require_agreements is true");
        }
        preset_time(&up->connect_ms, c->limits.connect_ms);
        preset_time(&up->first_byte_ms, c->limits.first_byte_ms);
        preset_time(&up->idle_ms, c->limits.idle_ms);
    }
}

/* --- models ---------------------------------------------------------------------------------- */

static size_t find_upstream(const struct sotto_config *c, sotto_span name)
{
    size_t i = 0;
    while (i < c->upstream_count && !sotto_span_eq(c->upstreams[i].name, name)) {
        i++;
    }
    return i;
}

/* "openai, house or mirror" */
static void list_upstreams(const struct sotto_config *c, char out[200])
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < c->upstream_count; i++) {
        const char *before = i == 0 ? "" : i + 1 < c->upstream_count ? ", " : " or ";
        char shown[CONFIG_SHOW_BYTES];
        config_show(c->upstreams[i].name, shown);
        int n = snprintf(out + len, 200 - len, "%s%s", before, shown);
        len += (size_t)n < 200 - len ? (size_t)n : 0;
    }
    out[len] = '\0';
}

static void check_model_upstream(const struct check_run *run, struct sotto_config_model *model)
{
    const struct sotto_config *c = &run->draft->c;
    char names[200];
    if (model->upstream_name.len == 0 && c->upstream_count == 1) {
        model->upstream_name = c->upstreams[0].name;
    }
    model->upstream = find_upstream(c, model->upstream_name);
    if (model->upstream < c->upstream_count || c->upstream_count == 0) {
        return;
    }
    list_upstreams(c, names);
    if (model->upstream_name.len == 0) {
        complain(run, PATH(KEY("models"), model->name, KEY("upstream")),
                 "is missing: it must be %s", names);
    } else {
        complain(run, PATH(KEY("models"), model->name, KEY("upstream")),
                 "must be the name of an upstream: %s", names);
    }
}

/* What is wrong with the name of a model; NULL: nothing. */
static const char *model_name_fault(sotto_span name)
{
    const uint8_t *star = name.len != 0 ? memchr(name.base, '*', name.len) : NULL;
    if (name.len == 0 || name.len > 200) {
        return "the name must be 1 to 200 bytes long";
    }
    return star != NULL && (size_t)(star - name.base) != name.len - 1
               ? "a * may only be the last character"
               : NULL;
}

static void check_model_name(const struct check_run *run, const struct sotto_config_model *model)
{
    const char *fault = model_name_fault(model->name);
    if (fault != NULL) {
        complain(run, PATH(KEY("models"), model->name), "%s", fault);
    }
}

/* The names in the list of an upstream. */
static void check_listed_models(const struct check_run *run, const struct sotto_config_upstream *up)
{
    for (size_t i = 0; i < up->models.count; i++) {
        char index[24];
        const char *fault = model_name_fault(up->models.items[i]);
        if (fault != NULL) {
            complain(run, PATH(KEY("upstreams"), up->name, KEY("models"), index_key(i, index)),
                     "%s", fault);
        }
    }
}

/* Exact names before prefixes, long prefixes before short ones; else by name. */
static int compare_models(const void *a, const void *b)
{
    const struct sotto_config_model *x = a, *y = b;
    bool x_star = sotto_span_ends(x->name, SOTTO_LIT("*"));
    bool y_star = sotto_span_ends(y->name, SOTTO_LIT("*"));
    if (x_star != y_star) {
        return x_star ? 1 : -1;
    }
    if (x_star && x->name.len != y->name.len) {
        return x->name.len > y->name.len ? -1 : 1;
    }
    size_t common = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = common != 0 ? memcmp(x->name.base, y->name.base, common) : 0;
    if (order == 0 && x->name.len != y->name.len) {
        order = x->name.len < y->name.len ? -1 : 1;
    }
    return order;
}

/* The routes: those of `models`, the lists of the upstreams, and "*" to an only upstream. */
static enum sotto_err collect_models(const struct check_run *run)
{
    struct sotto_config *c = &run->draft->c;
    size_t room = c->model_count + 1, count = 0;
    for (size_t i = 0; i < c->upstream_count; i++) {
        room += c->upstreams[i].models.count;
    }
    struct sotto_config_model *all = sotto_arena_calloc(&c->arena, room, sizeof(*all));
    if (all == NULL) {
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < c->model_count; i++) {
        all[count++] = c->models[i];
    }
    for (size_t i = 0; i < c->upstream_count; i++) {
        const struct sotto_config_upstream *up = &c->upstreams[i];
        for (size_t j = 0; j < up->models.count; j++) {
            all[count++] = (struct sotto_config_model){
                .name = up->models.items[j], .upstream_name = up->name, .upstream = i};
        }
    }
    if (count == 0 && c->upstream_count == 1) {
        all[count++] =
            (struct sotto_config_model){.name = KEY("*"), .upstream_name = c->upstreams[0].name};
    }
    c->models = all;
    c->model_count = count;
    qsort(all, count, sizeof(*all), compare_models);
    return SOTTO_OK;
}

/* Two routes for one name: one of them is from the list of an upstream. */
static void check_model_doubles(const struct check_run *run)
{
    const struct sotto_config *c = &run->draft->c;
    for (size_t i = 1; i < c->model_count; i++) {
        const struct sotto_config_model *a = &c->models[i - 1], *b = &c->models[i];
        if (sotto_span_eq(a->name, b->name)) {
            char shown[CONFIG_SHOW_BYTES];
            config_show(b->name, shown);
            complain(run, PATH(KEY("upstreams"), b->upstream_name, KEY("models")),
                     "%s is served by another entry already", shown);
        }
    }
}

static enum sotto_err check_models(const struct check_run *run)
{
    struct sotto_config *c = &run->draft->c;
    for (size_t i = 0; i < c->model_count; i++) {
        check_model_name(run, &c->models[i]);
        check_model_upstream(run, &c->models[i]);
    }
    for (size_t i = 0; i < c->upstream_count; i++) {
        check_listed_models(run, &c->upstreams[i]);
    }
    enum sotto_err err = collect_models(run);
    if (err == SOTTO_OK) {
        check_model_doubles(run);
    }
    if (err == SOTTO_OK && c->model_count == 0 && c->upstream_count > 1) {
        complain(run, PATH(KEY("models")),
                 "is missing: with several upstreams it must say which serves which model");
    }
    return err;
}

/* --- privacy --------------------------------------------------------------------------------- */

static bool is_finer_name(sotto_span name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.base[i];
        if (!((c >= 'A' && c <= 'Z') || (i != 0 && ((c >= '0' && c <= '9') || c == '_')))) {
            return false;
        }
    }
    return name.len != 0;
}

static bool is_builtin_word(sotto_span name)
{
    enum sotto_label label;
    for (unsigned i = 1; i < SOTTO_FINER_COUNT; i++) {
        if (sotto_span_eq(sotto_span_str(sotto_finer_name(i)), name)) {
            return true;
        }
    }
    return sotto_label_parse(name, &label);
}

static void check_recognizer(const struct check_run *run, size_t i)
{
    const struct config_recognizer *r = &run->draft->recognizers[i];
    char index[24];
    sotto_span item = index_key(i, index);
    if (r->name.len != 0 && !is_finer_name(r->name)) {
        complain(run, PATH(KEY("privacy"), KEY("recognizers"), item, KEY("name")),
                 "must be capitals, digits and underscores, beginning with a capital");
    } else if (is_builtin_word(r->name)) {
        complain(run, PATH(KEY("privacy"), KEY("recognizers"), item, KEY("name")),
                 "is the name of a built-in type");
    }
    for (size_t j = 0; j < i; j++) {
        if (r->name.len != 0 && sotto_span_eq(run->draft->recognizers[j].name, r->name)) {
            complain(run, PATH(KEY("privacy"), KEY("recognizers"), item, KEY("name")),
                     "is the name of another recognizer");
            break;
        }
    }
    if ((r->pattern.len != 0) == (r->words.count != 0)) {
        complain(run, PATH(KEY("privacy"), KEY("recognizers"), item),
                 "must have either pattern or words");
    }
}

static enum sotto_err fill_detector_options(const struct check_run *run)
{
    struct config_draft *d = run->draft;
    struct sotto_detector_options *o = &d->c.privacy.detect;
    struct sotto_arena *arena = &d->c.arena;
    struct sotto_detect_word *allow = sotto_arena_calloc(arena, d->allow.count + 1, sizeof(*allow));
    struct sotto_detect_word *deny = sotto_arena_calloc(arena, d->deny_count + 1, sizeof(*deny));
    struct sotto_detect_custom *custom =
        sotto_arena_calloc(arena, d->recognizer_count + 1, sizeof(*custom));
    if (allow == NULL || deny == NULL || custom == NULL) {
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < d->allow.count; i++) {
        allow[i].text = d->allow.items[i];
    }
    for (size_t i = 0; i < d->deny_count; i++) {
        deny[i] = (struct sotto_detect_word){d->deny[i].text, d->deny[i].label};
    }
    for (size_t i = 0; i < d->recognizer_count; i++) {
        const struct config_recognizer *r = &d->recognizers[i];
        custom[i] = (struct sotto_detect_custom){.name = r->name,
                                                 .label = r->label,
                                                 .pattern = r->pattern,
                                                 .words = r->words.items,
                                                 .word_count = r->words.count,
                                                 .context = r->context.items,
                                                 .context_count = r->context.count,
                                                 .checksum = r->checksum,
                                                 .score = r->score};
    }
    o->allow = allow;
    o->allow_count = d->allow.count;
    o->deny = deny;
    o->deny_count = d->deny_count;
    o->custom = custom;
    o->custom_count = d->recognizer_count;
    return SOTTO_OK;
}

static void complain_mode(const struct check_run *run, const struct sotto_mode_error *wrong)
{
    sotto_span name = run->draft->modes[wrong->def].name;
    char index[24];
    if (wrong->field == NULL) {
        complain(run, PATH(KEY("privacy"), KEY("modes"), name), "%s", wrong->sentence);
    } else if (strcmp(wrong->field, "inherits") == 0) {
        complain(run, PATH(KEY("privacy"), KEY("modes"), name, KEY("inherits")), "%s",
                 wrong->sentence);
    } else {
        complain(run,
                 PATH(KEY("privacy"), KEY("modes"), name, sotto_span_str(wrong->field),
                      index_key(wrong->item, index)),
                 "%s", wrong->sentence);
    }
}

/* Makes the set of modes; `modes` stays NULL where one of them is wrong. */
static enum sotto_err make_modes(const struct check_run *run)
{
    struct config_draft *d = run->draft;
    struct sotto_arena *arena = &d->c.arena;
    struct sotto_mode_def *defs = sotto_arena_calloc(arena, d->mode_count + 1, sizeof(*defs));
    struct sotto_finer_word *words =
        sotto_arena_calloc(arena, d->recognizer_count + 1, sizeof(*words));
    struct sotto_mode_error wrong = {0};
    if (defs == NULL || words == NULL) {
        return SOTTO_ENOMEM;
    }
    for (size_t i = 0; i < d->mode_count; i++) {
        const struct config_mode *m = &d->modes[i];
        defs[i] = (struct sotto_mode_def){.name = m->name,
                                          .inherits = m->inherits,
                                          .tokenize = m->tokenize.items,
                                          .tokenize_count = m->tokenize.count,
                                          .pass = m->pass.items,
                                          .pass_count = m->pass.count,
                                          .generalise = m->generalise.items,
                                          .generalise_count = m->generalise.count,
                                          .block = m->block.items,
                                          .block_count = m->block.count,
                                          .agreements = m->agreements.items,
                                          .agreement_count = m->agreements.count,
                                          .regions = m->regions.items,
                                          .region_count = m->regions.count,
                                          .content = m->content};
        if (m->inherits.len == 0) {
            return SOTTO_OK; /* was said to be missing */
        }
    }
    for (size_t i = 0; i < d->recognizer_count; i++) {
        words[i] = (struct sotto_finer_word){d->recognizers[i].name, d->recognizers[i].label};
    }
    enum sotto_err err = sotto_modes_new(defs, d->mode_count, words, d->recognizer_count,
                                         &d->c.privacy.modes, &wrong);
    if (err == SOTTO_EINVAL) {
        complain_mode(run, &wrong);
        err = SOTTO_OK;
    }
    return err;
}

/* The violations of one mode by all upstreams, one sentence behind the other. */
struct check_sentences {
    char text[280];
    size_t len;
};

static void add_sentence(void *ctx, const struct sotto_violation *violation)
{
    struct check_sentences *s = ctx;
    int n = snprintf(s->text + s->len, sizeof(s->text) - s->len, " %s", violation->sentence);
    s->len += n > 0 && (size_t)n < sizeof(s->text) - s->len ? (size_t)n : 0;
}

/* A mode under which no upstream may be used refuses every request: that is a mistake. */
static void check_mode_providers(const struct check_run *run, const struct sotto_mode *mode,
                                 struct check_path path)
{
    const struct sotto_config *c = &run->draft->c;
    struct check_sentences said = {.len = 0};
    for (size_t i = 0; i < c->upstream_count; i++) {
        const struct sotto_config_upstream *up = &c->upstreams[i];
        const struct sotto_policy_facts facts = {
            .mode = mode,
            .require_agreements = c->policy.require_agreements,
            .has_upstream = true,
            .trusted = up->trusted || is_kind(up, "mirror"),
            .upstream = up->name,
            .region = up->region,
            .agreements = {up->agreements.items, up->agreements.count},
        };
        if (sotto_policy_violations(&facts, add_sentence, &said) == 0) {
            return;
        }
    }
    if (c->upstream_count != 0) {
        complain(run, path, "no upstream may be used:%s", said.text);
    }
}

static void check_providers(const struct check_run *run)
{
    const struct config_draft *d = run->draft;
    const struct sotto_modes *modes = d->c.privacy.modes;
    const struct sotto_mode *mode = sotto_modes_find(modes, d->c.privacy.mode);
    if (mode != NULL) {
        check_mode_providers(run, mode, PATH(KEY("privacy"), KEY("mode")));
    }
    for (size_t i = 0; i < d->mode_count; i++) {
        const struct sotto_mode *own = sotto_modes_find(modes, d->modes[i].name);
        if (own != NULL && own != mode) {
            check_mode_providers(run, own, PATH(KEY("privacy"), KEY("modes"), d->modes[i].name));
        }
    }
}

static enum sotto_err check_privacy(const struct check_run *run)
{
    struct config_draft *d = run->draft;
    for (size_t i = 0; i < d->recognizer_count; i++) {
        check_recognizer(run, i);
    }
    enum sotto_err err = fill_detector_options(run);
    if (err == SOTTO_OK) {
        err = make_modes(run);
    }
    if (err == SOTTO_OK && d->c.privacy.modes != NULL && d->c.privacy.mode.len != 0 &&
        sotto_modes_find(d->c.privacy.modes, d->c.privacy.mode) == NULL) {
        complain(run, PATH(KEY("privacy"), KEY("mode")), "must be the name of a mode");
    }
    if (err == SOTTO_OK && d->c.privacy.modes != NULL) {
        check_providers(run);
    }
    return err;
}

static void check_stores(const struct check_run *run)
{
    sotto_span url = run->draft->c.stores.postgres;
    if (url.len == 0) {
        if (run->draft->c.audit.fleet) {
            complain(run, PATH(KEY("audit"), KEY("sequencer")),
                     "postgres needs stores.postgres: give the fleet's database");
        }
        return;
    }
    if (!sotto_span_starts(url, SOTTO_LIT("postgresql://")) &&
        !sotto_span_starts(url, SOTTO_LIT("postgres://"))) {
        complain(run, PATH(KEY("stores"), KEY("postgres")),
                 "must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE");
    }
    if (run->draft->c.secrets.master.len == 0) {
        complain(run, PATH(KEY("stores"), KEY("postgres")),
                 "the gateways of a fleet share secrets.master: give it, too");
    }
}

enum sotto_err config_check_draft(const struct config_node *root, struct config_draft *draft,
                                  struct config_problems *problems)
{
    const struct check_run run = {root, draft, problems};
    check_listeners(&run);
    check_upstreams(&run);
    check_stores(&run);
    enum sotto_err err = check_models(&run);
    if (err == SOTTO_OK) {
        err = check_privacy(&run);
    }
    return err == SOTTO_OK && problems->no_memory ? SOTTO_ENOMEM : err;
}
