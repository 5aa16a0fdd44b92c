/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/pages.h"

#include <string.h>

#include "http/head.h"

/* A file of web/, as scripts/embed writes it. */
struct embed {
    const char *name;
    const uint8_t *plain;
    size_t plain_len;
    const uint8_t *gzip; /* RFC 1952 */
    size_t gzip_len;
};

#include "gateway/pages.inc"

/* Only what this gateway serves, and no markup made by scripts. */
#define PAGES_POLICY                                                                               \
    "default-src 'none'; script-src 'self'; style-src " EMBED_STYLE "; connect-src 'self'; "       \
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "                 \
    "require-trusted-types-for 'script'; trusted-types 'none'"

#define PAGES_LINES                                                                                \
    "Content-Security-Policy: " PAGES_POLICY "\r\n"                                                \
    "X-Content-Type-Options: nosniff\r\n"                                                          \
    "Referrer-Policy: no-referrer\r\n"                                                             \
    "Cross-Origin-Opener-Policy: same-origin\r\n"                                                  \
    "Cross-Origin-Resource-Policy: same-origin\r\n"                                                \
    "Cache-Control: no-cache\r\n"                                                                  \
    "Vary: Accept-Encoding\r\n"

#define PAGES_GZIP "Content-Encoding: gzip\r\n"

struct page {
    bool admin; /* of the admin listener; else of clients' */
    const char *path;
    const char *file;
    const char *plain_head;
    const char *gzip_head;
};

#define PAGES_HEAD(type) "Content-Type: " type "; charset=utf-8\r\n" PAGES_LINES
#define PAGES_ROW(admin_, path_, file_, type)                                                      \
    {                                                                                              \
        admin_, path_, file_, PAGES_HEAD(type), PAGES_HEAD(type) PAGES_GZIP                        \
    }

static const struct page pages[] = {
    PAGES_ROW(false, "/", "index.html", "text/html"),
    PAGES_ROW(false, "/playground.js", "playground.js", "text/javascript"),
    /* The client for JavaScript, which seals in the page. */
    PAGES_ROW(false, "/seal/audit.js", "audit.js", "text/javascript"),
    PAGES_ROW(false, "/seal/bytes.js", "bytes.js", "text/javascript"),
    PAGES_ROW(false, "/seal/certificate.js", "certificate.js", "text/javascript"),
    PAGES_ROW(false, "/seal/errors.js", "errors.js", "text/javascript"),
    PAGES_ROW(false, "/seal/fetch.js", "fetch.js", "text/javascript"),
    PAGES_ROW(false, "/seal/index.js", "index.js", "text/javascript"),
    PAGES_ROW(false, "/seal/kem.js", "kem.js", "text/javascript"),
    PAGES_ROW(false, "/seal/profile_native.js", "profile_native.js", "text/javascript"),
    PAGES_ROW(false, "/seal/profile_privatemode.js", "profile_privatemode.js", "text/javascript"),
    PAGES_ROW(false, "/seal/records.js", "records.js", "text/javascript"),
    PAGES_ROW(false, "/seal/session.js", "session.js", "text/javascript"),
    PAGES_ROW(false, "/seal/sha3.js", "sha3.js", "text/javascript"),
#ifdef EMBED_HAS_ML_KEM_JS /* for browsers that lack it; not every build brings it */
    PAGES_ROW(false, "/seal/ml-kem.js", "ml-kem.js", "text/javascript"),
#endif
    PAGES_ROW(true, "/", "admin.html", "text/html"),
    PAGES_ROW(true, "/admin.js", "admin.js", "text/javascript"),
};

static const struct page *find_page(sotto_span path, bool admin)
{
    for (size_t i = 0; i < SOTTO_COUNT(pages); i++) {
        if (pages[i].admin == admin && sotto_span_eq(path, sotto_span_str(pages[i].path))) {
            return &pages[i];
        }
    }
    return NULL;
}

static const struct embed *find_file(const char *name)
{
    size_t i = 0;
    while (strcmp(embeds[i].name, name) != 0) {
        i++;
    }
    return &embeds[i];
}

/* RFC 9110 12.5.3, as far as browsers use it: gzip is named and not refused by a weight of 0. */
static bool takes_gzip(const struct sotto_http_head *head)
{
    sotto_span rest = sotto_http_get(head, "accept-encoding");
    for (; rest.len >= 4; rest = sotto_span_skip(rest, 1)) {
        if (sotto_span_ieq(sotto_span_sub(rest, 0, 4), SOTTO_LIT("gzip"))) {
            return !sotto_span_starts(sotto_span_skip(rest, 4), SOTTO_LIT(";q=0"));
        }
    }
    return false;
}

/* Most requests are for no page: they are told apart before anything is parsed. */
static bool may_be_page(sotto_span block)
{
    return sotto_span_starts(block, SOTTO_LIT("GET /")) ||
           sotto_span_starts(block, SOTTO_LIT("HEAD /"));
}

bool sotto_page_find(sotto_span block, bool admin, struct sotto_page_answer *out)
{
    SOTTO_UNINIT struct sotto_http_head head;
    if (!may_be_page(block) || sotto_http_head_index(block, true, &head) != SOTTO_OK) {
        return false;
    }
    const struct page *page = find_page(sotto_http_path(&head), admin);
    if (page == NULL) {
        return false;
    }
    const struct embed *file = find_file(page->file);
    bool gzip = takes_gzip(&head);
    out->head = gzip ? page->gzip_head : page->plain_head;
    out->body = gzip ? sotto_span_init(file->gzip, file->gzip_len)
                     : sotto_span_init(file->plain, file->plain_len);
    return true;
}
