/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"
#include "crypto/random.h"
#include "library/engine.h"
#include "library/status.h"
#include "vault/restore_text.h"
#include "vault/vault.h"

struct sotto_conversation {
    struct sotto_finder *finder;
    struct sotto_vault *vault;
    struct sotto_findings found; /* of the text at hand */
};

struct sotto_restorer {
    struct sotto_restore *restore;
};

static enum sotto_err make_vault(const unsigned char *key, sotto_span name,
                                 struct sotto_vault **out)
{
    uint8_t secret[SOTTO_VAULT_KEY_BYTES];
    _Static_assert(SOTTO_VAULT_KEY_BYTES == SOTTO_CONVERSATION_KEY_BYTES, "one length");
    enum sotto_err err = SOTTO_OK;
    if (key != NULL) {
        memcpy(secret, key, sizeof(secret));
    } else {
        err = sotto_crypto_random(secret, sizeof(secret));
    }
    if (err == SOTTO_OK) {
        err = sotto_vault_new(secret, name, SOTTO_STYLE_TOKEN, out);
    }
    sotto_wipe(secret, sizeof(secret));
    return err;
}

enum sotto_status sotto_conversation_new(const struct sotto_engine *engine,
                                         const unsigned char *key, const char *name,
                                         size_t name_len, struct sotto_conversation **out)
{
    struct sotto_conversation *c = sotto_calloc(1, sizeof(*c));
    if (c == NULL) {
        return SOTTO_STATUS_MEMORY;
    }
    enum sotto_err err = sotto_engine_finder(engine, &c->finder);
    if (err == SOTTO_OK) {
        err = make_vault(key, sotto_span_init(name, name_len), &c->vault);
    }
    if (err != SOTTO_OK) {
        sotto_conversation_free(c);
        return sotto_status_of(err);
    }
    *out = c;
    return SOTTO_STATUS_OK;
}

void sotto_conversation_free(struct sotto_conversation *c)
{
    if (c != NULL) {
        sotto_findings_free(&c->found);
        sotto_finder_free(c->finder);
        sotto_vault_free(c->vault);
        sotto_free(c);
    }
}

static enum sotto_err redact(struct sotto_conversation *c, sotto_span text, struct sotto_buf *out)
{
    size_t copied = 0;
    enum sotto_err err = sotto_finder_run(c->finder, text, sotto_span_str(NULL), &c->found);
    if (err == SOTTO_OK) {
        err = sotto_vault_shield(c->vault, text);
    }
    for (size_t i = 0; i < c->found.count && err == SOTTO_OK; i++) {
        const struct sotto_finding *f = &c->found.items[i];
        sotto_span token;
        err = sotto_vault_token(c->vault, f->label, sotto_finder_foldable(c->finder, f),
                                sotto_span_sub(text, f->start, f->end), &token);
        if (err == SOTTO_OK) {
            err = sotto_buf_append(out, sotto_span_sub(text, copied, f->start));
        }
        if (err == SOTTO_OK) {
            err = sotto_buf_append(out, token);
        }
        copied = f->end;
    }
    return err == SOTTO_OK ? sotto_buf_append(out, sotto_span_skip(text, copied)) : err;
}

enum sotto_status sotto_conversation_redact(struct sotto_conversation *c, const char *text,
                                            size_t len, char **out, size_t *out_len)
{
    struct sotto_buf buf;
    sotto_span span = sotto_span_init(text, len);
    enum sotto_status status = sotto_status_of_text(span);
    if (status != SOTTO_STATUS_OK) {
        return status;
    }
    sotto_buf_init(&buf, SOTTO_BUF_UNBOUNDED);
    return sotto_status_put(redact(c, span, &buf), &buf, out, out_len);
}

enum sotto_status sotto_conversation_restore(const struct sotto_conversation *c, const char *text,
                                             size_t len, char **out, size_t *out_len)
{
    struct sotto_buf buf;
    sotto_span span = sotto_span_init(text, len);
    enum sotto_status status = sotto_status_of_text(span);
    if (status != SOTTO_STATUS_OK) {
        return status;
    }
    sotto_buf_init(&buf, SOTTO_BUF_UNBOUNDED);
    return sotto_status_put(sotto_restore_text(c->vault, span, &buf), &buf, out, out_len);
}

size_t sotto_conversation_count(const struct sotto_conversation *c)
{
    return sotto_vault_count(c->vault);
}

enum sotto_status sotto_restorer_new(const struct sotto_conversation *c,
                                     struct sotto_restorer **out)
{
    struct sotto_restorer *r = sotto_calloc(1, sizeof(*r));
    enum sotto_err err = r == NULL ? SOTTO_ENOMEM : sotto_restore_new(c->vault, &r->restore);
    if (err != SOTTO_OK) {
        sotto_restorer_free(r);
        return sotto_status_of(err);
    }
    *out = r;
    return SOTTO_STATUS_OK;
}

void sotto_restorer_free(struct sotto_restorer *r)
{
    if (r != NULL) {
        sotto_restore_free(r->restore);
        sotto_free(r);
    }
}

enum sotto_status sotto_restorer_feed(struct sotto_restorer *r, const char *piece, size_t len,
                                      char **out, size_t *out_len)
{
    struct sotto_buf buf;
    sotto_buf_init(&buf, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_restore_feed(r->restore, sotto_span_init(piece, len), &buf);
    return sotto_status_put(err, &buf, out, out_len);
}

enum sotto_status sotto_restorer_end(struct sotto_restorer *r, char **out, size_t *out_len)
{
    struct sotto_buf buf;
    sotto_buf_init(&buf, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_restore_end(r->restore, &buf);
    return sotto_status_put(err, &buf, out, out_len);
}
