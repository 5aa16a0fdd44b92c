/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_COMMAND_H
#define SOTTO_APPS_COMMAND_H

/*
 * The commands of the program `sotto`, one file each.  A command gets its own words: argv[0] is
 * its name ("sotto check"), argc counts it in.  It returns an exit status of apps/cli.h.
 *
 * A command exists where the build finds its file: src/apps/meson.build then defines
 * SOTTO_HAVE_<NAME>, and main.c has a row for it.
 */

int sotto_cmd_serve(int argc, char **argv);
int sotto_cmd_check(int argc, char **argv);
int sotto_cmd_proxy(int argc, char **argv);
int sotto_cmd_keys(int argc, char **argv);
int sotto_cmd_detect(int argc, char **argv);
int sotto_cmd_redact(int argc, char **argv);
int sotto_cmd_restore(int argc, char **argv);
int sotto_cmd_audit(int argc, char **argv);
int sotto_cmd_room(int argc, char **argv);
int sotto_cmd_version(int argc, char **argv);

#endif
