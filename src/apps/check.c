/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apps/cli.h"
#include "config/config.h"
#include "sys/files.h"
#include "sys/harden.h"

/* The words of `sotto check`. */
struct check_words {
    const char *config;
    bool schema, reference, manual;
};

static const char *get_env(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
}

/* --- what it will do ------------------------------------------------------------------------- */

static void print_address(const char *what, const struct sotto_config_address *address)
{
    bool v6 = address->host.len != 0 && memchr(address->host.base, ':', address->host.len) != NULL;
    if (address->host.len != 0) {
        printf("%s %s%.*s%s:%u\n", what, v6 ? "[" : "", SOTTO_FMT(address->host), v6 ? "]" : "",
               address->port);
    }
}

static void print_upstream(const struct sotto_config_upstream *up)
{
    printf("upstream %.*s: %.*s", SOTTO_FMT(up->name), SOTTO_FMT(up->kind));
    if (up->url.host.len != 0) {
        bool v6 = memchr(up->url.host.base, ':', up->url.host.len) != NULL;
        printf(" at %s://%s%.*s%s:%u%.*s", up->url.tls ? "https" : "http", v6 ? "[" : "",
               SOTTO_FMT(up->url.host), v6 ? "]" : "", up->url.port, SOTTO_FMT(up->url.base_path));
        printf(", %s", up->key.len != 0 ? "with a key" : "without a key");
    }
    if (up->region.len != 0) {
        printf(", region %.*s", SOTTO_FMT(up->region));
    }
    for (size_t i = 0; i < up->agreements.count; i++) {
        printf("%s%.*s", i == 0 ? ", agreements " : " ", SOTTO_FMT(up->agreements.items[i]));
    }
    printf("%s\n", up->trusted ? ", TRUSTED: gets the text as it is" : "");
}

static void print_model(const struct sotto_config_model *model)
{
    printf("model %.*s: %.*s", SOTTO_FMT(model->name), SOTTO_FMT(model->upstream_name));
    if (model->as.len != 0) {
        printf(" as %.*s", SOTTO_FMT(model->as));
    }
    printf("\n");
}

static void print_modes(const struct sotto_config *config)
{
    const struct sotto_mode *mode = sotto_modes_find(config->privacy.modes, config->privacy.mode);
    printf("privacy: mode %.*s, style %.*s", SOTTO_FMT(sotto_mode_name(mode)),
           SOTTO_FMT(config->privacy.style));
    for (size_t i = 4; i < sotto_modes_count(config->privacy.modes); i++) { /* not built in */
        sotto_span name = sotto_mode_name(sotto_modes_at(config->privacy.modes, i));
        printf("%s%.*s", i == 4 ? ", own modes " : " ", SOTTO_FMT(name));
    }
    printf("\n");
}

static int print_summary(const struct sotto_config *config)
{
    printf("ok\n");
    print_address("listen", &config->listen);
    print_address("listen with TLS", &config->tls.listen);
    print_address("admin", &config->admin);
    for (size_t i = 0; i < config->upstream_count; i++) {
        print_upstream(&config->upstreams[i]);
    }
    for (size_t i = 0; i < config->model_count; i++) {
        print_model(&config->models[i]);
    }
    print_modes(config);
    return sotto_cli_finish(SOTTO_EXIT_OK);
}

/* --- checking -------------------------------------------------------------------------------- */

/* What only making a detector can tell: patterns that do not compile, checksums nobody knows. */
static int check_detector(const struct sotto_config *config)
{
    struct sotto_detector *detector = NULL;
    char why[256] = "";
    struct sotto_detector_options options = config->privacy.detect;
    options.names_off = true; /* what the file says nothing about */
    if (sotto_detector_new(&options, &detector, why) != SOTTO_OK) {
        return sotto_cli_fail("privacy: %s", why[0] != '\0' ? why : "detection cannot start");
    }
    sotto_detector_free(detector);
    return SOTTO_CLI_GO;
}

static int complain(const char *file, const struct sotto_config_problems *problems)
{
    struct sotto_buf text;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    if (sotto_config_problems_print(problems, &text) == SOTTO_OK) {
        fwrite(text.base, 1, text.len, stdout);
    }
    sotto_buf_free(&text);
    return sotto_cli_fail("%s has %zu problem%s: correct what is listed",
                          file != NULL ? file : "the environment", problems->count,
                          problems->count == 1 ? "" : "s");
}

static int check_text(const char *file, sotto_span yaml)
{
    static const struct sotto_config_env env = {.get = get_env};
    struct sotto_config *config = NULL;
    struct sotto_config_problems problems = {0};
    enum sotto_err err = file != NULL ? sotto_config_read(yaml, &env, &config, &problems)
                                      : sotto_config_from_env(&env, &config, &problems);
    int status;
    if (err == SOTTO_EINVAL) {
        status = complain(file, &problems);
    } else if (err != SOTTO_OK) {
        status = sotto_cli_fail("%s: give the process more memory", sotto_err_text(err));
    } else if ((status = check_detector(config)) == SOTTO_CLI_GO) {
        status = print_summary(config);
    }
    sotto_config_problems_free(&problems);
    sotto_config_free(config);
    return status;
}

static int check_file(const char *file)
{
    struct sotto_buf text;
    if (file == NULL) {
        return check_text(NULL, sotto_span_init(NULL, 0));
    }
    sotto_buf_init(&text, SOTTO_CONFIG_MAX_BYTES + 1);
    enum sotto_err err = sotto_file_read(file, SOTTO_CONFIG_MAX_BYTES, &text);
    int status = err == SOTTO_OK ? check_text(file, sotto_buf_span(&text))
                                 : sotto_cli_fail("%s: %s: see to the file and its permissions",
                                                  file, sotto_err_text(err));
    sotto_buf_free(&text);
    return status;
}

static int print_text(enum sotto_err (*print)(struct sotto_buf *out))
{
    struct sotto_buf text;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = print(&text);
    if (err == SOTTO_OK) {
        fwrite(text.base, 1, text.len, stdout);
    }
    sotto_buf_free(&text);
    return err == SOTTO_OK
               ? sotto_cli_finish(SOTTO_EXIT_OK)
               : sotto_cli_fail("%s: give the process more memory", sotto_err_text(err));
}

int sotto_cmd_check(int argc, char **argv)
{
    struct check_words words = {0};
    const struct sotto_cli_option options[] = {
        {"--config", "FILE", "the configuration (default: $SOTTO_CONFIG)", &words.config, NULL},
        {"--schema", NULL, "print the JSON Schema of configurations", NULL, &words.schema},
        {"--reference", NULL, "print the reference of all fields (Markdown)", NULL,
         &words.reference},
        {"--manual", NULL, "print the manual page sotto.conf(5)", NULL, &words.manual},
    };
    const struct sotto_cli cli = {
        .usage = "sotto check --config FILE",
        .about = "Says what is wrong with a configuration, each problem with its line and column,\n"
                 "or `ok` and what the gateway would do with it. Without a file the environment "
                 "is\nchecked. Secrets are never printed.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
    };
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status != SOTTO_CLI_GO) {
        return status;
    }
    if (words.schema) {
        return print_text(sotto_config_print_schema);
    }
    if (words.manual) {
        return print_text(sotto_config_print_manual);
    }
    if (words.reference) {
        return print_text(sotto_config_print_reference);
    }
    sotto_ignore(sotto_harden()); /* no core dump has a secret in it; else as before */
    const char *file = words.config != NULL ? words.config : get_env(NULL, "SOTTO_CONFIG");
    return check_file(file != NULL && file[0] != '\0' ? file : NULL);
}
