/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A configuration is either valid, and then whole, or has problems, each with words and a place
 * inside of the file.  Reading it twice says the same.
 */

#include <stdlib.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* What the environment has; no sentence may repeat it. */
#define SECRET "sk-secret"

/* The fuzzer reads our comparisons: it may write the secret into the file. */
static bool holds_secret(sotto_span yaml)
{
    return yaml.len != 0 && memmem(yaml.base, yaml.len, SECRET, strlen(SECRET)) != NULL;
}

static const char *get_variable(void *ctx, const char *name)
{
    (void)ctx;
    return name[0] == 'K' ? SECRET : name[0] == 'P' ? "9000" : NULL;
}

static void check_config(const struct sotto_config *c)
{
    demand(c->upstream_count != 0 && c->privacy.modes != NULL);
    demand(sotto_modes_find(c->privacy.modes, c->privacy.mode) != NULL);
    demand(c->listen.host.len != 0 || c->tls.listen.host.len != 0);
    for (size_t i = 0; i < c->upstream_count; i++) {
        const struct sotto_config_upstream *up = &c->upstreams[i];
        bool mirror = sotto_span_eq(up->kind, SOTTO_LIT("mirror"));
        demand(up->kind.len != 0 && up->name.len != 0 && (up->url.host.len != 0) == !mirror);
        demand(up->connect_ms != 0 && up->first_byte_ms != 0 && up->idle_ms != 0);
        for (size_t j = 0; j < up->key.len; j++) {
            demand(up->key.base[j] >= 0x20 && up->key.base[j] < 0x7f); /* no header injection */
        }
    }
    for (size_t i = 0; i < c->model_count; i++) {
        demand(c->models[i].upstream < c->upstream_count);
        demand(sotto_config_route(c, c->models[i].name) != NULL);
    }
    for (unsigned i = 0; i < SOTTO_LABEL_COUNT; i++) {
        demand(c->privacy.detect.threshold[i] <= SOTTO_SCORE_MAX);
    }
}

/* Appends what was said about the input. */
static enum sotto_err read_once(sotto_span yaml, size_t lines, struct sotto_buf *said)
{
    const struct sotto_config_env env = {.get = get_variable};
    struct sotto_config *config = NULL;
    struct sotto_config_problems problems = {0};
    enum sotto_err err = sotto_config_read(yaml, &env, &config, &problems);
    demand(err == SOTTO_OK || err == SOTTO_EINVAL);
    demand((err == SOTTO_OK) == (config != NULL) && (err == SOTTO_OK) == (problems.count == 0));
    for (size_t i = 0; i < problems.count; i++) {
        const struct sotto_config_problem *p = &problems.items[i];
        demand(p->text[0] != '\0' && p->line <= lines + 1 && (p->line == 0) == (p->column == 0));
        demand(holds_secret(yaml) || strstr(p->text, SECRET) == NULL);
    }
    demand(sotto_config_problems_print(&problems, said) == SOTTO_OK);
    if (config != NULL) {
        check_config(config);
    }
    sotto_config_problems_free(&problems);
    sotto_config_free(config);
    return err;
}

/* Lines as YAML counts them: CR, LF, CRLF, NEL, LS and PS end one. */
static size_t count_lines(const uint8_t *data, size_t size)
{
    size_t lines = 1;
    for (size_t i = 0; i < size; i++) {
        lines += data[i] == '\n' || data[i] == '\r' || data[i] == 0x85 || data[i] == 0xa8 ||
                 data[i] == 0xa9;
    }
    return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sotto_span yaml = sotto_span_init(data, size);
    struct sotto_buf first, second;
    sotto_buf_init(&first, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&second, SOTTO_BUF_UNBOUNDED);
    size_t lines = count_lines(data, size);
    demand(read_once(yaml, lines, &first) == read_once(yaml, lines, &second));
    demand(sotto_span_eq(sotto_buf_span(&first), sotto_buf_span(&second)));
    sotto_buf_free(&first);
    sotto_buf_free(&second);
    return 0;
}
