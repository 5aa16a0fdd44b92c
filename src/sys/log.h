/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_LOG_H
#define SOTTO_SYS_LOG_H

/*
 * The log: one line an event on standard error, as logfmt or JSON, written with one write(2).
 *
 *     time=2026-11-22T14:27:00.123Z level=info event=request status=200 total_us=812
 *
 * What may be said is what the types allow: numbers, literals, identifiers the gateway made and
 * sentences about its own configuration.  There is no function that takes bytes of a request or
 * an answer.  Thread-safe.
 *
 *     SOTTO_LOG(SOTTO_LOG_INFO, "request", SOTTO_LOG_INT("status", 200),
 *               SOTTO_LOG_ID("key", key_id), SOTTO_LOG_US("total_us", us));
 */

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"

enum sotto_log_level {
    SOTTO_LOG_DEBUG,
    SOTTO_LOG_INFO,
    SOTTO_LOG_WARN,
    SOTTO_LOG_ERROR,
};

enum sotto_log_format {
    SOTTO_LOG_LOGFMT,
    SOTTO_LOG_JSON,
};

enum sotto_log_kind {
    SOTTO_LOG_KIND_INT,
    SOTTO_LOG_KIND_TEXT, /* a literal */
    SOTTO_LOG_KIND_ID,   /* [A-Za-z0-9_.:/@-], at most 96; anything else is written as "invalid" */
    SOTTO_LOG_KIND_NOTE, /* a sentence about configuration or files, quoted and escaped */
};

struct sotto_log_field {
    const char *name; /* a literal */
    enum sotto_log_kind kind;
    int64_t number;
    const char *text;
};

#define SOTTO_LOG_INT(name_, value_)                                                               \
    ((struct sotto_log_field){"" name_, SOTTO_LOG_KIND_INT, (int64_t)(value_), 0})
/** A duration in microseconds; the name ends in _us. */
#define SOTTO_LOG_US(name_, value_) SOTTO_LOG_INT(name_, value_)
/** A string literal; nothing else compiles. */
#define SOTTO_LOG_TEXT(name_, literal_)                                                            \
    ((struct sotto_log_field){"" name_, SOTTO_LOG_KIND_TEXT, 0, "" literal_})
/** The static text of an error code. */
#define SOTTO_LOG_ERR(name_, err_)                                                                 \
    ((struct sotto_log_field){"" name_, SOTTO_LOG_KIND_NOTE, 0, sotto_err_text(err_)})
/** An identifier that the gateway made: a key's public id, an audit id, a configured name. */
#define SOTTO_LOG_ID(name_, id_) ((struct sotto_log_field){"" name_, SOTTO_LOG_KIND_ID, 0, (id_)})
/** What the program says about its own configuration, files and sockets; never about a request. */
#define SOTTO_LOG_NOTE(name_, text_)                                                               \
    ((struct sotto_log_field){"" name_, SOTTO_LOG_KIND_NOTE, 0, (text_)})

#define SOTTO_LOG(level_, event_, ...)                                                             \
    sotto_log_write((level_), "" event_, (const struct sotto_log_field[]){__VA_ARGS__},            \
                    sizeof((const struct sotto_log_field[]){__VA_ARGS__}) /                        \
                        sizeof(struct sotto_log_field))

/** Longest line; a longer one is cut between fields. */
#define SOTTO_LOG_LINE_MAX 2048

/** Sets what is written and how.  At the start: logfmt, info, descriptor 2. */
void sotto_log_setup(enum sotto_log_format format, enum sotto_log_level least);

/** Where lines go; for tests.  Returns the former descriptor. */
int sotto_log_to(int fd);

/**
 * From now on lines of the calling thread are gathered, up to SOTTO_LOG_GATHER_BYTES, and written
 * together by sotto_log_flush(): for an event loop, which flushes at the end of a round.
 */
void sotto_log_gather(void);
#define SOTTO_LOG_GATHER_BYTES ((size_t)16 << 10)

/** Writes what the calling thread has gathered. */
void sotto_log_flush(void);

/** Flushes and gathers no more: before the thread ends. */
void sotto_log_ungather(void);

/** Writes one line.  Through SOTTO_LOG(), so that names and events are literals. */
void sotto_log_write(enum sotto_log_level level, const char *event,
                     const struct sotto_log_field *fields, size_t count);

#endif
