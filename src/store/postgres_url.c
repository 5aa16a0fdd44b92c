/* SPDX-License-Identifier: Apache-2.0 */

#include "store/postgres_url.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* Longest URL. */
#define URL_MAX_BYTES 4096
/* PostgreSQL's. */
#define URL_PORT 5432

static const char *find(const PQconninfoOption *options, const char *name)
{
    for (; options->keyword != NULL; options++) {
        if (strcmp(options->keyword, name) == 0) {
            return options->val != NULL ? options->val : "";
        }
    }
    return "";
}

/* One of a list with commas: a socket's folder, or a name of this machine. */
static bool is_here(sotto_span host)
{
    return host.len == 0 || host.base[0] == '/' || host.base[0] == '@' ||
           sotto_span_eq(host, SOTTO_LIT("localhost")) ||
           sotto_span_eq(host, SOTTO_LIT("127.0.0.1")) || sotto_span_eq(host, SOTTO_LIT("::1"));
}

static bool all_here(const char *hosts)
{
    sotto_span rest = sotto_span_str(hosts);
    for (;;) {
        const uint8_t *comma = rest.len != 0 ? memchr(rest.base, ',', rest.len) : NULL;
        size_t len = comma != NULL ? (size_t)(comma - rest.base) : rest.len;
        if (!is_here(sotto_span_sub(rest, 0, len))) {
            return false;
        }
        if (comma == NULL) {
            return true;
        }
        rest = sotto_span_skip(rest, len + 1);
    }
}

/* "5432" or "5432,5433"; one counts for all hosts, an empty one is the usual one. */
static enum sotto_err read_ports(const char *text, uint16_t ports[POSTGRES_PORTS + 1])
{
    size_t count = 0;
    uint32_t port = 0;
    for (const char *at = text;; at++) {
        if (*at >= '0' && *at <= '9') {
            port = port * 10 + (uint32_t)(*at - '0');
        } else if ((*at != ',' && *at != '\0') || count == POSTGRES_PORTS) {
            return SOTTO_EINVAL;
        } else {
            ports[count++] = port != 0 ? (uint16_t)port : URL_PORT;
            port = 0;
        }
        if (port > UINT16_MAX) {
            return SOTTO_EINVAL;
        }
        if (*at == '\0') {
            ports[count] = 0;
            return SOTTO_OK;
        }
    }
}

static enum sotto_err fill(const PQconninfoOption *options, struct postgres_url *out)
{
    static const char *const files[] = {"sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile"};
    _Static_assert(SOTTO_COUNT(files) == POSTGRES_FILES, "each has its place");
    const char *host = find(options, "host"), *address = find(options, "hostaddr");
    const char *shown = host[0] != '\0' ? host : address[0] != '\0' ? address : "(local socket)";
    const char *port = find(options, "port");
    bool has_port = port[strspn(port, ",")] != '\0'; /* for several hosts, commas stand there */
    snprintf(out->name, sizeof(out->name), "%.60s%s%.10s/%.40s", shown, has_port ? ":" : "",
             has_port ? port : "", find(options, "dbname"));
    out->remote = !all_here(address[0] != '\0' ? address : host);
    enum sotto_err err = read_ports(port, out->ports);
    for (size_t i = 0; err == SOTTO_OK && i < SOTTO_COUNT(files); i++) {
        const char *path = find(options, files[i]);
        if (strlen(path) >= sizeof(out->files[i])) {
            return SOTTO_EINVAL;
        }
        snprintf(out->files[i], sizeof(out->files[i]), "%s", path);
    }
    return err;
}

enum sotto_err postgres_url_read(sotto_span url, struct postgres_url *out)
{
    bool form = sotto_span_starts(url, SOTTO_LIT("postgresql://")) ||
                sotto_span_starts(url, SOTTO_LIT("postgres://"));
    if (!form || url.len > URL_MAX_BYTES || memchr(url.base, '\0', url.len) != NULL) {
        return SOTTO_EINVAL;
    }
    char *text = sotto_calloc(1, url.len + 1);
    if (text == NULL) {
        return SOTTO_ENOMEM;
    }
    memcpy(text, url.base, url.len);
    char *why = NULL; /* quotes the URL, so nobody is told */
    struct postgres_url found = {.remote = false};
    PQconninfoOption *options = PQconninfoParse(text, &why);
    enum sotto_err err = options != NULL ? fill(options, &found) : SOTTO_EINVAL;
    if (err == SOTTO_OK) {
        *out = found;
    }
    PQconninfoFree(options);
    PQfreemem(why);
    sotto_free(text);
    return err;
}
