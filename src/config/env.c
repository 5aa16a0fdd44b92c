/* SPDX-License-Identifier: Apache-2.0 */

#include "config/read.h"

#define ENV_PROVIDERS_MAX 4
#define ENV_MODELS_MAX    4

/* What is being put together. */
struct env_run {
    const struct sotto_config_env *env;
    struct config_draft *draft;
    struct config_problems *problems;
    struct sotto_config_upstream *upstreams;
    struct sotto_config_model *models;
    bool no_memory;
};

/* The value of a variable, in the arena; empty: not set, or set to nothing. */
static sotto_span get(struct env_run *run, const char *name)
{
    const char *value = run->env != NULL ? run->env->get(run->env->ctx, name) : NULL;
    sotto_span copy = {NULL, 0};
    if (value != NULL && value[0] != '\0') {
        run->no_memory =
            sotto_arena_copy(&run->draft->c.arena, sotto_span_str(value), &copy) != SOTTO_OK ||
            run->no_memory;
    }
    return copy;
}

/* A credential that will stand in a header line. */
static sotto_span get_key(struct env_run *run, const char *name)
{
    sotto_span key = get(run, name);
    for (size_t i = 0; i < key.len; i++) {
        if (key.base[i] < 0x20 || key.base[i] > 0x7e) {
            config_problem(run->problems, 0, 0, name,
                           "must not hold line breaks, control characters or what is not ASCII");
            break;
        }
    }
    return key;
}

static struct sotto_config_upstream *add_upstream(struct env_run *run, const char *kind,
                                                  sotto_span key)
{
    struct sotto_config *c = &run->draft->c;
    struct sotto_config_upstream *up = &run->upstreams[c->upstream_count++];
    up->name = sotto_span_str(kind);
    up->kind = sotto_span_str(kind);
    up->key = key;
    up->max_connections = 1024;
    up->http2 = true;
    return up;
}

static void add_model(struct env_run *run, const char *pattern,
                      const struct sotto_config_upstream *up)
{
    struct sotto_config *c = &run->draft->c;
    run->models[c->model_count++] =
        (struct sotto_config_model){.name = sotto_span_str(pattern),
                                    .upstream_name = up->name,
                                    .upstream = (size_t)(up - run->upstreams)};
}

static void read_url(struct env_run *run, const char *name, sotto_span text,
                     struct sotto_config_url *out)
{
    if (text.len != 0 && sotto_config_parse_url(text, out) != SOTTO_OK) {
        config_problem(run->problems, 0, 0, name,
                       "must be a URL such as https://api.example.com/v1");
        out->host = SOTTO_LIT("invalid"); /* so that nothing else is said about it */
    }
}

static struct sotto_config_upstream *add_openai(struct env_run *run)
{
    sotto_span key = get_key(run, "OPENAI_API_KEY");
    sotto_span url = get(run, "OPENAI_BASE_URL");
    if (key.len == 0 && url.len == 0) {
        return NULL;
    }
    struct sotto_config_upstream *up = add_upstream(run, "openai", key);
    read_url(run, "OPENAI_BASE_URL", url, &up->url);
    return up;
}

static struct sotto_config_upstream *add_azure(struct env_run *run)
{
    sotto_span key = get_key(run, "AZURE_OPENAI_API_KEY");
    sotto_span url = get(run, "AZURE_OPENAI_ENDPOINT");
    if (key.len == 0 && url.len == 0) {
        return NULL;
    }
    if (key.len == 0 || url.len == 0) {
        config_problem(run->problems, 0, 0,
                       key.len == 0 ? "AZURE_OPENAI_API_KEY" : "AZURE_OPENAI_ENDPOINT",
                       "is not set, but %s is",
                       key.len == 0 ? "AZURE_OPENAI_ENDPOINT" : "AZURE_OPENAI_API_KEY");
    }
    struct sotto_config_upstream *up = add_upstream(run, "azure", key);
    up->url.host = url.len == 0 ? SOTTO_LIT("invalid") : up->url.host;
    read_url(run, "AZURE_OPENAI_ENDPOINT", url, &up->url);
    up->api_version = get(run, "OPENAI_API_VERSION");
    return up;
}

/* A provider that serves models with one prefix. */
static struct sotto_config_upstream *add_by_prefix(struct env_run *run, const char *kind,
                                                   const char *variable, const char *pattern)
{
    sotto_span key = get_key(run, variable);
    if (key.len == 0) {
        return NULL;
    }
    struct sotto_config_upstream *up = add_upstream(run, kind, key);
    add_model(run, pattern, up);
    return up;
}

enum sotto_err config_add_providers(const struct sotto_config_env *env, struct config_draft *draft,
                                    struct config_problems *problems)
{
    struct sotto_config *c = &draft->c;
    struct env_run run = {.env = env, .draft = draft, .problems = problems};
    run.upstreams = sotto_arena_calloc(&c->arena, ENV_PROVIDERS_MAX, sizeof(*run.upstreams));
    run.models = sotto_arena_calloc(&c->arena, ENV_MODELS_MAX, sizeof(*run.models));
    if (run.upstreams == NULL || run.models == NULL) {
        return SOTTO_ENOMEM;
    }
    c->upstreams = run.upstreams;
    c->models = run.models;

    const struct sotto_config_upstream *rest = add_openai(&run);
    const struct sotto_config_upstream *azure = add_azure(&run);
    if (rest != NULL && azure != NULL) {
        config_problem(problems, 0, 0, "",
                       "the environment names both OpenAI and Azure OpenAI: unset one of them, or "
                       "write a configuration that says which serves which model");
    }
    add_by_prefix(&run, "mistral", "MISTRAL_API_KEY", "mistral-*");
    add_by_prefix(&run, "anthropic", "ANTHROPIC_API_KEY", "claude-*");
    if (c->upstream_count == 0) {
        rest = add_upstream(&run, "mirror", (sotto_span){NULL, 0});
    } else if (c->upstream_count == 1) {
        rest = run.upstreams; /* the only one serves all */
    } else if (rest == NULL) {
        rest = azure;
    }
    if (rest != NULL) {
        add_model(&run, "*", rest);
    }
    return run.no_memory || problems->no_memory ? SOTTO_ENOMEM : SOTTO_OK;
}
