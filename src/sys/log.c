/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/log.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/decimal.h"
#include "sys/clock.h"

/* Longest identifier that is written. */
#define LOG_ID_MAX 96

static atomic_int log_format = SOTTO_LOG_LOGFMT;
static atomic_int log_least = SOTTO_LOG_INFO;
static atomic_int log_fd = STDERR_FILENO;

/* A line in the making.  What does not fit is taken back to `mark` and the line is full. */
struct log_line {
    char text[SOTTO_LOG_LINE_MAX];
    size_t len;
    bool full;
    bool json;
};

/* Room for the closing brace and the line end is always kept. */
static void put(struct log_line *line, const char *text, size_t len)
{
    if (line->full || len > sizeof(line->text) - 3 - line->len) {
        line->full = true;
        return;
    }
    memcpy(line->text + line->len, text, len);
    line->len += len;
}

static void put_text(struct log_line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* A string in quotes, escaped so that both JSON and logfmt readers take it. */
static void put_quoted(struct log_line *line, const char *text)
{
    put(line, "\"", 1);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            put(line, "\\", 1);
            put(line, text, 1);
        } else if (c < 0x20 || c == 0x7f) {
            put(line, " ", 1);
        } else {
            put(line, text, 1);
        }
    }
    put(line, "\"", 1);
}

/* [A-Za-z0-9_.:/@-] */
static bool is_plain_byte(unsigned char c)
{
    unsigned char low = (unsigned char)(c | 0x20);
    return (low >= 'a' && low <= 'z') || (c >= '-' && c <= ':') || c == '_' || c == '@';
}

/* The length of a text that needs no quotes; 0: it needs some. */
static size_t plain_length(const char *text)
{
    size_t len = 0;
    while (len <= LOG_ID_MAX && is_plain_byte((unsigned char)text[len])) {
        len++;
    }
    return len <= LOG_ID_MAX && text[len] == '\0' ? len : 0;
}

static void put_number(struct log_line *line, int64_t number)
{
    char digits[1 + SOTTO_DECIMAL_MAX] = "-";
    uint64_t size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    size_t len = sotto_decimal(size, 1, digits + 1);
    put(line, digits + (number >= 0), len + (number < 0));
}

static void put_string(struct log_line *line, const char *text, size_t plain)
{
    if (line->json || plain == 0) {
        put_quoted(line, text);
    } else {
        put(line, text, plain);
    }
}

/* " name=", as one piece: it comes with each field. */
static void put_plain_name(struct log_line *line, const char *name)
{
    size_t len = strlen(name), lead = line->len != 0 ? 1 : 0;
    if (line->full || lead + len + 1 > sizeof(line->text) - 3 - line->len) {
        line->full = true;
        return;
    }
    char *to = line->text + line->len;
    to[0] = ' ';
    memcpy(to + lead, name, len);
    to[lead + len] = '=';
    line->len += lead + len + 1;
}

static void put_name(struct log_line *line, const char *name)
{
    if (line->json) {
        put_text(line, line->len == 0 ? "{" : ",");
        put_quoted(line, name);
        put_text(line, ":");
    } else {
        put_plain_name(line, name);
    }
}

static void put_field(struct log_line *line, const struct sotto_log_field *field)
{
    const char *text = field->text != NULL ? field->text : "";
    size_t plain = field->kind != SOTTO_LOG_KIND_INT ? plain_length(text) : 0;
    put_name(line, field->name);
    switch (field->kind) {
    case SOTTO_LOG_KIND_INT:
        put_number(line, field->number);
        break;
    case SOTTO_LOG_KIND_ID:
        put_string(line, plain != 0 ? text : "invalid", plain != 0 ? plain : strlen("invalid"));
        break;
    case SOTTO_LOG_KIND_TEXT:
    case SOTTO_LOG_KIND_NOTE:
        put_string(line, text, plain);
        break;
    }
}

static void add(struct log_line *line, const struct sotto_log_field *field)
{
    size_t mark = line->len;
    put_field(line, field);
    if (line->full) {
        line->len = mark;
    }
}

static const char *level_name(enum sotto_log_level level)
{
    switch (level) {
    case SOTTO_LOG_DEBUG:
        return "debug";
    case SOTTO_LOG_INFO:
        return "info";
    case SOTTO_LOG_WARN:
        return "warn";
    case SOTTO_LOG_ERROR:
        break;
    }
    return "error";
}

void sotto_log_setup(enum sotto_log_format format, enum sotto_log_level least)
{
    atomic_store(&log_format, (int)format);
    atomic_store(&log_least, (int)least);
}

int sotto_log_to(int fd)
{
    return atomic_exchange(&log_fd, fd);
}

/* Gathered lines of a thread; NULL: each line is written at once. */
static _Thread_local char *gathered;
static _Thread_local size_t gathered_len;

/* One write: lines of several threads do not mix.  A log that cannot be written must not stop the
 * work, and there is nobody left to tell. */
static void write_out(const char *text, size_t len)
{
    while (len != 0) {
        ssize_t n = write(atomic_load(&log_fd), text, len);
        if (n < 0 && errno != EINTR) {
            return;
        }
        size_t done = n > 0 ? (size_t)n : 0;
        text += done;
        len -= done;
    }
}

void sotto_log_gather(void)
{
    if (gathered == NULL) {
        gathered = sotto_alloc(SOTTO_LOG_GATHER_BYTES);
    }
}

void sotto_log_flush(void)
{
    write_out(gathered, gathered_len);
    gathered_len = 0;
}

void sotto_log_ungather(void)
{
    sotto_log_flush();
    sotto_free(gathered);
    gathered = NULL;
}

static void finish(const struct log_line *line)
{
    if (gathered == NULL) {
        write_out(line->text, line->len);
        return;
    }
    if (line->len > SOTTO_LOG_GATHER_BYTES - gathered_len) {
        sotto_log_flush();
    }
    memcpy(gathered + gathered_len, line->text, line->len);
    gathered_len += line->len;
}

void sotto_log_write(enum sotto_log_level level, const char *event,
                     const struct sotto_log_field *fields, size_t count)
{
    struct log_line line;
    line.len = 0;
    line.full = false;
    line.json = atomic_load(&log_format) == SOTTO_LOG_JSON;
    char now[SOTTO_WALL_TEXT_BYTES];
    if ((int)level < atomic_load(&log_least)) {
        return;
    }
    sotto_wall_text(sotto_wall_ms(), now);
    const struct sotto_log_field first[] = {
        {"time", SOTTO_LOG_KIND_NOTE, 0, now},
        {"level", SOTTO_LOG_KIND_TEXT, 0, level_name(level)},
        {"event", SOTTO_LOG_KIND_TEXT, 0, event},
    };
    for (size_t i = 0; i < SOTTO_COUNT(first); i++) {
        add(&line, &first[i]);
    }
    for (size_t i = 0; i < count && !line.full; i++) {
        add(&line, &fields[i]);
    }
    if (line.json) {
        line.text[line.len++] = '}';
    }
    line.text[line.len++] = '\n';
    finish(&line);
}
