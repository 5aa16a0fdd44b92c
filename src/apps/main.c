/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/command.h"

#include <stdio.h>
#include <string.h>

#include "apps/cli.h"
#include "base/alloc.h"
#include "base/compiler.h"
#include "sys/harden.h"

struct main_command {
    const char *name;
    const char *about;
    int (*run)(int argc, char **argv);
};

/* The last row is always there, so that the table is never empty. */
static const struct main_command commands[] = {
#ifdef SOTTO_HAVE_SERVE
    {"serve", "run the gateway", sotto_cmd_serve},
#endif
#ifdef SOTTO_HAVE_CHECK
    {"check", "check a configuration and say what it does", sotto_cmd_check},
#endif
#ifdef SOTTO_HAVE_PROXY
    {"proxy", "run on the user's machine and seal what leaves it", sotto_cmd_proxy},
#endif
#ifdef SOTTO_HAVE_KEYS
    {"keys", "create, list, rotate and revoke API keys", sotto_cmd_keys},
#endif
#ifdef SOTTO_HAVE_DETECT
    {"detect", "find personal data in a text", sotto_cmd_detect},
#endif
#ifdef SOTTO_HAVE_REDACT
    {"redact", "replace personal data in a text", sotto_cmd_redact},
#endif
#ifdef SOTTO_HAVE_RESTORE
    {"restore", "put back what redact replaced", sotto_cmd_restore},
#endif
#ifdef SOTTO_HAVE_AUDIT
    {"audit", "verify, show and export the audit log", sotto_cmd_audit},
#endif
    {"version", "print the version", sotto_cmd_version},
#ifdef SOTTO_HAVE_ROOM
    {"room", NULL, sotto_cmd_room}, /* not for people: help does not list it */
#endif
};

static void print_help(FILE *out)
{
    fprintf(out, "usage: sotto COMMAND [WORDS...]\n\n"
                 "Sotto takes chat requests, replaces the personal data in them by tokens, sends\n"
                 "only that to the model provider, and puts the values back into the answer.\n\n");
    for (size_t i = 0; i < SOTTO_COUNT(commands); i++) {
        if (commands[i].about != NULL) {
            fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].about);
        }
    }
    fprintf(out, "\n`sotto COMMAND --help` says more.\n");
}

/* Whether texts of others pass through the command for as long as it runs. */
static bool serves(const char *word)
{
    return strcmp(word, "serve") == 0 || strcmp(word, "proxy") == 0;
}

static int run(const struct main_command *command, int argc, char **argv)
{
    char name[32];
    snprintf(name, sizeof(name), "sotto %s", command->name); /* for its complaints */
    argv[0] = name;
    return command->run(argc, argv);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return SOTTO_EXIT_USAGE;
    }
    const char *word = argv[1];
    if (serves(word)) {
        sotto_bind_now(argv);
        sotto_alloc_return_large();
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_help(stdout);
        return sotto_cli_finish(SOTTO_EXIT_OK);
    }
    if (strcmp(word, "--version") == 0) {
        word = "version";
    }
    for (size_t i = 0; i < SOTTO_COUNT(commands); i++) {
        if (strcmp(commands[i].name, word) == 0) {
            return run(&commands[i], argc - 1, argv + 1);
        }
    }
    return sotto_cli_misuse("unknown command %s: see `sotto --help`", word);
}
