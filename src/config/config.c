/* SPDX-License-Identifier: Apache-2.0 */

#include "config/config.h"

#include "base/alloc.h"
#include "config/read.h"

/* Presets, values, providers and checks, in this order.  `root` is NULL without a file. */
static enum sotto_err fill(const struct config_node *root, const struct sotto_config_env *env,
                           struct config_draft *draft, struct config_problems *problems)
{
    enum sotto_err err = config_read_draft(root, draft, problems);
    bool silent =
        draft->c.upstream_count == 0 && draft->c.model_count == 0 && problems->list->count == 0;
    if (err == SOTTO_OK && silent) {
        err = config_add_providers(env, draft, problems);
    } else if (err == SOTTO_OK && draft->c.upstream_count == 0 && draft->c.model_count != 0) {
        const struct config_node *models = config_node_child(root, SOTTO_LIT("models"));
        config_problem(problems, models != NULL ? models->key_line : 0,
                       models != NULL ? models->key_column : 0, "models",
                       "needs upstreams that serve them");
    }
    return err == SOTTO_OK ? config_check_draft(root, draft, problems) : err;
}

static enum sotto_err finish(struct config_draft *draft, struct config_problems *problems,
                             enum sotto_err err, struct sotto_config **out)
{
    struct sotto_config *config = NULL;
    config_problems_sort(problems);
    if (err == SOTTO_OK && problems->list->count != 0) {
        err = SOTTO_EINVAL;
    }
    if (err == SOTTO_OK && (config = sotto_alloc(sizeof(*config))) == NULL) {
        err = SOTTO_ENOMEM;
    }
    if (err != SOTTO_OK) {
        sotto_modes_free(draft->c.privacy.modes);
        sotto_arena_free(&draft->c.arena);
        return err;
    }
    *config = draft->c;
    *out = config;
    return SOTTO_OK;
}

enum sotto_err sotto_config_read(sotto_span yaml, const struct sotto_config_env *env,
                                 struct sotto_config **out, struct sotto_config_problems *problems)
{
    struct config_problems collected = {.list = problems};
    struct config_draft draft = {0};
    struct config_node *root = NULL;
    enum sotto_err err = config_tree_read(yaml, env, &draft.c.arena, &collected, &root);
    if (err == SOTTO_OK) {
        err = fill(root, env, &draft, &collected);
    }
    return finish(&draft, &collected, err, out);
}

enum sotto_err sotto_config_from_env(const struct sotto_config_env *env, struct sotto_config **out,
                                     struct sotto_config_problems *problems)
{
    struct config_problems collected = {.list = problems};
    struct config_draft draft = {0};
    enum sotto_err err = fill(NULL, env, &draft, &collected);
    return finish(&draft, &collected, err, out);
}

void sotto_config_free(struct sotto_config *config)
{
    if (config != NULL) {
        sotto_modes_free(config->privacy.modes);
        sotto_arena_free(&config->arena);
        sotto_free(config);
    }
}

static bool serves(const struct sotto_config_model *route, sotto_span model)
{
    if (!sotto_span_ends(route->name, SOTTO_LIT("*"))) {
        return sotto_span_eq(route->name, model);
    }
    return sotto_span_starts(model, sotto_span_sub(route->name, 0, route->name.len - 1));
}

/* The routes are sorted: the first that fits is the most exact one. */
const struct sotto_config_model *sotto_config_route(const struct sotto_config *config,
                                                    sotto_span model)
{
    for (size_t i = 0; i < config->model_count; i++) {
        if (serves(&config->models[i], model)) {
            return &config->models[i];
        }
    }
    return NULL;
}
