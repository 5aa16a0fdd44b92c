/* SPDX-License-Identifier: Apache-2.0 */

#include "http/head.h"

sotto_span sotto_http_path(const struct sotto_http_head *head)
{
    const uint8_t *query =
        head->target.len != 0 ? memchr(head->target.base, '?', head->target.len) : NULL;
    size_t n = query != NULL ? (size_t)(query - head->target.base) : head->target.len;
    return sotto_span_init(head->target.base, n);
}

sotto_span sotto_http_find(const struct sotto_http_head *head, sotto_span name)
{
    for (size_t i = 0; i < head->field_count; i++) {
        if (sotto_span_ieq(head->fields[i].name, name)) {
            /* Present but empty differs from absent: its base is never NULL. */
            return head->fields[i].value;
        }
    }
    return sotto_span_init(NULL, 0);
}

size_t sotto_http_count(const struct sotto_http_head *head, const char *name)
{
    sotto_span wanted = sotto_span_str(name);
    size_t count = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        count += sotto_span_ieq(head->fields[i].name, wanted) ? 1 : 0;
    }
    return count;
}

/* Takes a line and its CRLF off the block.  False: there is none. */
static bool take_line(sotto_span *block, sotto_span *line)
{
    const uint8_t *lf = block->len != 0 ? memchr(block->base, '\n', block->len) : NULL;
    if (lf == NULL || lf == block->base || lf[-1] != '\r') {
        return false;
    }
    size_t n = (size_t)(lf - block->base);
    *line = sotto_span_init(block->base, n - 1);
    *block = sotto_span_skip(*block, n + 1);
    return true;
}

static bool read_request_line(sotto_span line, struct sotto_http_head *head)
{
    const uint8_t *space = line.len != 0 ? memchr(line.base, ' ', line.len) : NULL;
    size_t n = space != NULL ? (size_t)(space - line.base) : 0;
    if (n == 0 || n + 1 == line.len) {
        return false;
    }
    head->method = sotto_span_init(line.base, n);
    head->target = sotto_span_skip(line, n + 1);
    return true;
}

static bool read_status_line(sotto_span line, struct sotto_http_head *head)
{
    int status = 0;
    if (line.len != 3) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        if (line.base[i] < '0' || line.base[i] > '9') {
            return false;
        }
        status = status * 10 + (line.base[i] - '0');
    }
    head->status = status;
    return true;
}

static bool read_field(sotto_span line, struct sotto_http_field *field)
{
    const uint8_t *colon = memchr(line.base, ':', line.len);
    if (colon == NULL || colon == line.base) {
        return false;
    }
    size_t n = (size_t)(colon - line.base);
    field->name = sotto_span_init(line.base, n);
    field->value = sotto_span_trim(sotto_span_skip(line, n + 1));
    return true;
}

/* The block without its first line, into `fields`.  False: not such a block, or too many. */
static bool read_fields(sotto_span block, struct sotto_http_field *fields, size_t *count)
{
    sotto_span line;
    size_t n = 0;
    while (take_line(&block, &line)) {
        if (line.len == 0) {
            *count = n;
            return block.len == 0;
        }
        if (n == SOTTO_HTTP_FIELDS_MAX || !read_field(line, &fields[n++])) {
            return false;
        }
    }
    return false;
}

enum sotto_err sotto_http_head_index(sotto_span block, bool request, struct sotto_http_head *head)
{
    SOTTO_UNINIT struct sotto_http_head found; /* 4 KiB, of which few are needed */
    sotto_span line;
    found.method = found.target = sotto_span_init(NULL, 0);
    found.status = 0;
    found.field_count = 0;
    if (!take_line(&block, &line) ||
        !(request ? read_request_line(line, &found) : read_status_line(line, &found)) ||
        !read_fields(block, found.fields, &found.field_count)) {
        return SOTTO_EFORMAT;
    }
    head->method = found.method;
    head->target = found.target;
    head->status = found.status;
    head->field_count = found.field_count;
    memcpy(head->fields, found.fields, found.field_count * sizeof(found.fields[0]));
    return SOTTO_OK;
}
