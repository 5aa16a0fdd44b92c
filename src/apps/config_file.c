/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/config_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "apps/cli.h"
#include "sys/files.h"

const char *sotto_get_env(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
}

static const char *get_env(void *ctx, const char *name)
{
    (void)ctx;
    return sotto_get_env(name);
}

static const struct sotto_config_env environment = {.get = get_env};

static void complain(const char *file, const struct sotto_config_problems *problems)
{
    struct sotto_buf text;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    if (sotto_config_problems_print(problems, &text) == SOTTO_OK) {
        fprintf(stderr, "sotto: %s is not valid: correct it, `sotto check` helps\n%.*s",
                file != NULL ? file : "the environment", SOTTO_FMT(sotto_buf_span(&text)));
    }
    sotto_buf_free(&text);
}

struct sotto_config *sotto_config_file_read(const char *file)
{
    struct sotto_config_problems problems = {0};
    struct sotto_config *config = NULL;
    struct sotto_buf text;
    enum sotto_err err;

    sotto_buf_init(&text, SOTTO_CONFIG_MAX_BYTES);
    if (file == NULL) {
        err = sotto_config_from_env(&environment, &config, &problems);
    } else {
        err = sotto_file_read(file, SOTTO_CONFIG_MAX_BYTES, &text);
        if (err != SOTTO_OK) {
            sotto_cli_fail("cannot read %s: %s", file, sotto_err_text(err));
            sotto_buf_free(&text);
            return NULL;
        }
        err = sotto_config_read(sotto_buf_span(&text), &environment, &config, &problems);
    }
    if (err == SOTTO_EINVAL) {
        complain(file, &problems);
    } else if (err != SOTTO_OK) {
        sotto_cli_fail("cannot read the configuration: %s", sotto_err_text(err));
    }
    sotto_config_problems_free(&problems);
    sotto_buf_free(&text);
    return err == SOTTO_OK ? config : NULL;
}
