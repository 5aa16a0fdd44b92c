/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_APPS_INPUT_H
#define SOTTO_APPS_INPUT_H

/*
 * Standard input of the commands that work on text: lines, or blocks of whole lines, in a memory
 * that does not grow with the input.
 */

#include "base/buf.h"

/** Longest line. */
#define SOTTO_INPUT_LINE_MAX ((size_t)64 << 20)

/** Longest block. */
#define SOTTO_INPUT_BLOCK_MAX ((size_t)1 << 20)

struct sotto_input {
    int fd;
    struct sotto_buf buf;
    size_t at;     /* what is before this was handed out */
    size_t line;   /* number of the line or block last handed out, from 1 */
    size_t offset; /* bytes handed out before it */
    size_t bad_at; /* byte of the input that is not UTF-8 */
    bool end;      /* nothing more can be read */
};

/** Input from a file descriptor, which stays the caller's. */
void sotto_input_init(struct sotto_input *in, int fd);

/** Wipes and frees. */
void sotto_input_free(struct sotto_input *in);

/**
 * The next line without its line end; a line that is too long is skipped.
 *
 * @param[out] line  valid until the next call
 *
 * @retval SOTTO_ECLOSED  there is none
 * @retval SOTTO_ELIMIT   the line is longer than SOTTO_INPUT_LINE_MAX; the next call goes on
 * @retval SOTTO_EIO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_input_line(struct sotto_input *in, sotto_span *line);

/**
 * The next block: all that is there, cut behind a line where one ends, else behind white space,
 * else between characters.  Errors as for lines, but for SOTTO_ELIMIT.
 */
SOTTO_MUST_CHECK enum sotto_err sotto_input_block(struct sotto_input *in, sotto_span *block);

/**
 * The next block, which must be UTF-8; what is not is told by sotto_input_status().
 *
 * @retval SOTTO_EFORMAT  the block is not UTF-8
 * @retval others         as for sotto_input_block()
 */
SOTTO_MUST_CHECK enum sotto_err sotto_input_text(struct sotto_input *in, sotto_span *block);

/**
 * Says on standard error why a run over the input ended early.
 *
 * @param in    may be NULL, where `err` is not SOTTO_EFORMAT
 * @param what  "detection"
 * @return      the exit status that `err` means
 */
int sotto_input_status(const struct sotto_input *in, enum sotto_err err, const char *what);

#endif
