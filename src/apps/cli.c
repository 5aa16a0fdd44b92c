/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CLI_HELP_COLUMN 30

SOTTO_PRINTF(1, 0)
static void complain(const char *fmt, va_list ap)
{
    char line[1024];
    vsnprintf(line, sizeof(line), fmt, ap);
    fflush(stdout); /* so that the order on a terminal is the order of events */
    fprintf(stderr, "sotto: %s\n", line);
}

int sotto_cli_fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain(fmt, ap);
    va_end(ap);
    return SOTTO_EXIT_FAILED;
}

int sotto_cli_misuse(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    complain(fmt, ap);
    va_end(ap);
    return SOTTO_EXIT_USAGE;
}

int sotto_cli_finish(int status)
{
    if (fflush(stdout) != 0 || ferror(stdout) != 0) {
        return sotto_cli_fail("standard output cannot be written: see that its disk has room and "
                              "its reader is alive");
    }
    return status;
}

static void print_help(const struct sotto_cli *cli)
{
    printf("usage: %s\n", cli->usage);
    if (cli->about != NULL) {
        printf("\n%s\n", cli->about);
    }
    printf("\n");
    for (size_t i = 0; i < cli->option_count; i++) {
        const struct sotto_cli_option *option = &cli->options[i];
        int n = printf("  %s%s%s", option->name, option->value != NULL ? " " : "",
                       option->value != NULL ? option->value : "");
        if (n >= CLI_HELP_COLUMN) {
            printf("\n");
            n = 0;
        }
        printf("%*s%s\n", CLI_HELP_COLUMN - n, "", option->help);
    }
    printf("  --help%*sprint this text\n", CLI_HELP_COLUMN - 8, "");
}

/* The option that `word` names, up to its '=' if it has one. */
static const struct sotto_cli_option *find_option(const struct sotto_cli *cli, const char *word)
{
    size_t len = strcspn(word, "=");
    for (size_t i = 0; i < cli->option_count; i++) {
        if (strlen(cli->options[i].name) == len && strncmp(cli->options[i].name, word, len) == 0) {
            return &cli->options[i];
        }
    }
    return NULL;
}

/* Takes the option at argv[*i] and moves *i to its last word. */
static int take_option(const struct sotto_cli *cli, int argc, char **argv, int *i)
{
    const char *word = argv[*i];
    const struct sotto_cli_option *option = find_option(cli, word);
    const char *equals = strchr(word, '=');
    if (option == NULL) {
        return sotto_cli_misuse("unknown option %.*s: see `%s --help`", (int)strcspn(word, "="),
                                word, argv[0]);
    }
    if (option->value == NULL) {
        if (equals != NULL) {
            return sotto_cli_misuse("%s takes no value: give it alone", option->name);
        }
        *option->flag = true;
        return SOTTO_CLI_GO;
    }
    if (*option->text != NULL) {
        return sotto_cli_misuse("%s is given twice: give it once", option->name);
    }
    if (equals != NULL) {
        *option->text = equals + 1;
    } else if (*i + 1 < argc) {
        *option->text = argv[++*i];
    } else {
        return sotto_cli_misuse("%s needs a value: %s %s", option->name, option->name,
                                option->value);
    }
    return SOTTO_CLI_GO;
}

static int check_operands(const struct sotto_cli *cli, const char *first_extra, size_t count)
{
    if (count > cli->operand_max) {
        return sotto_cli_misuse("'%s' is one word too many: usage: %s", first_extra, cli->usage);
    }
    if (count < cli->operand_min) {
        return sotto_cli_misuse("a word is missing: usage: %s", cli->usage);
    }
    return SOTTO_CLI_GO;
}

int sotto_cli_read(const struct sotto_cli *cli, int argc, char **argv, size_t *operand_count)
{
    size_t count = 0;
    bool options_end = false;
    for (int i = 1; i < argc; i++) {
        char *word = argv[i];
        if (!options_end && strcmp(word, "--") == 0) {
            options_end = true;
        } else if (!options_end && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            print_help(cli);
            return sotto_cli_finish(SOTTO_EXIT_OK);
        } else if (!options_end && word[0] == '-' && word[1] != '\0') {
            int status = take_option(cli, argc, argv, &i);
            if (status != SOTTO_CLI_GO) {
                return status;
            }
        } else {
            argv[++count] = word;
        }
    }
    if (operand_count != NULL) {
        *operand_count = count;
    }
    return check_operands(cli, count > cli->operand_max ? argv[cli->operand_max + 1] : "", count);
}
