/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_CLI_H
#define SOTTO_APPS_CLI_H

/*
 * What all commands share: options as a table, help made from it, and one way to complain.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

#define SOTTO_EXIT_OK     0
#define SOTTO_EXIT_FAILED 1
#define SOTTO_EXIT_USAGE  2

/** One option, given as `--name VALUE` or `--name=VALUE`; a flag takes no value. */
struct sotto_cli_option {
    const char *name;  /* with its dashes: "--config" */
    const char *value; /* what help calls its value: "FILE"; NULL: a flag */
    const char *help;  /* a phrase without a full stop */
    const char **text; /* an option's value goes here (a pointer into argv); else NULL */
    bool *flag;        /* a flag sets this; else NULL */
};

/** A command line. */
struct sotto_cli {
    const char *usage; /* "sotto check --config FILE" */
    const char *about; /* one or more lines of text, without a newline at the end; may be NULL */
    const struct sotto_cli_option *options; /* --help is understood without a row */
    size_t option_count;
    size_t operand_min; /* words that are not options */
    size_t operand_max;
};

/** What sotto_cli_read() returns when the command is to go on. */
#define SOTTO_CLI_GO (-1)

/**
 * Reads the words behind argv[0].  Operands are moved to the front: argv[1] and so on.  `--help`
 * prints the help on standard output; anything wrong is one line on standard error.
 *
 * @param[out] operand_count  number of operands; may be NULL where none is allowed
 * @return  SOTTO_CLI_GO, or the exit status with which the command ends
 */
SOTTO_MUST_CHECK int sotto_cli_read(const struct sotto_cli *cli, int argc, char **argv,
                                    size_t *operand_count);

/** Prints `sotto: ` and the text and a newline on standard error.  @return SOTTO_EXIT_FAILED */
SOTTO_PRINTF(1, 2) int sotto_cli_fail(const char *fmt, ...);

/** The same for wrong usage.  @return SOTTO_EXIT_USAGE */
SOTTO_PRINTF(1, 2) int sotto_cli_misuse(const char *fmt, ...);

/**
 * Flushes standard output; output that could not be written is a failure, not a shorter output.
 *
 * @return  `status`, or SOTTO_EXIT_FAILED with a line on standard error
 */
int sotto_cli_finish(int status);

#endif
