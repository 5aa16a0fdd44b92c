/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_ADMIN_API_H
#define SOTTO_GATEWAY_ADMIN_API_H

/*
 * The admin API: JSON below /admin/v1/, with a key whose scope has `admin`.
 *
 *   GET    /admin/v1/keys              all keys, oldest first; never a secret
 *   POST   /admin/v1/keys              a new key; its text is in the answer this once
 *   GET    /admin/v1/keys/ID           one key
 *   POST   /admin/v1/keys/ID/rotate    a new secret; {"grace": "48h"}
 *   POST   /admin/v1/keys/ID/revoke    ends it, as does DELETE /admin/v1/keys/ID
 *   GET    /admin/v1/usage?month=2026-11   what each key used in a month
 *   POST   /admin/v1/reload            reads the configuration again
 *
 * It writes to disk, so it runs in the side thread, which owns the store.  Errors are OpenAI's.
 */

#include "base/buf.h"
#include "keys/table.h"
#include "store/store.h"

/** What the API works on: all of the side thread, but the slot. */
struct sotto_admin_api {
    struct sotto_store *store;
    struct sotto_limits *limits;
    struct sotto_key_slot *keys;
    struct sotto_key_table *handle; /* of the side thread; NULL at first */
    void (*read_keys)(void *ctx);   /* puts the newest keys into the slot */
    void *ctx;
};

struct sotto_admin_answer {
    int status;
    bool reload; /* the configuration is to be read again before this is sent; `body` is empty */
    struct sotto_buf body;
};

/**
 * Answers one request.
 *
 * @param head         block of http/head.h; borrowed for the call
 * @param now_s        seconds since 1970
 * @param[out] answer  its buffer is initialised by the caller and freed by him
 */
void sotto_admin_api_run(struct sotto_admin_api *api, sotto_span head, sotto_span body,
                         int64_t now_s, struct sotto_admin_answer *answer);

/** Makes `answer` an error; what does not fit into memory is left out. */
SOTTO_PRINTF(4, 5)
void sotto_admin_api_fail(struct sotto_admin_answer *answer, int status, const char *code,
                          const char *fmt, ...);

#endif
