/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_FLEET_RESP_H
#define SOTTO_FLEET_RESP_H

/*
 * RESP2, what Valkey and Redis speak (https://valkey.io/topics/protocol): commands are lists of
 * byte strings, replies are texts, errors, integers, byte strings, or a flat list of these.  Bytes
 * in, bytes out; a list inside a list is refused, because nothing that is asked here answers one.
 */

#include "base/buf.h"

/** Longest line, longest byte string and most items of a list in a reply. */
#define SOTTO_RESP_LINE_MAX  1024
#define SOTTO_RESP_BULK_MAX  ((size_t)64 << 10)
#define SOTTO_RESP_ITEMS_MAX 16

enum sotto_resp_kind {
    SOTTO_RESP_TEXT,  /* +OK */
    SOTTO_RESP_ERROR, /* -ERR ... */
    SOTTO_RESP_INT,
    SOTTO_RESP_BULK,
    SOTTO_RESP_NULL, /* of either kind */
    SOTTO_RESP_LIST,
};

struct sotto_resp_value {
    enum sotto_resp_kind kind;
    int64_t number;  /* INT */
    sotto_span text; /* TEXT, ERROR, BULK: a view into what was read */
};

struct sotto_resp_reply {
    struct sotto_resp_value value;
    size_t count; /* LIST */
    struct sotto_resp_value items[SOTTO_RESP_ITEMS_MAX];
};

/** Appends a command.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT  `out` unchanged */
SOTTO_MUST_CHECK enum sotto_err sotto_resp_write(const sotto_span *words, size_t count,
                                                 struct sotto_buf *out);

/**
 * Reads the reply at the start of `in`.
 *
 * @param[out] reply  set when *used is not 0; views into `in`
 * @param[out] used   how long it is; 0: it is not whole yet
 *
 * @retval SOTTO_EFORMAT  this is no reply, or one over the limits
 */
SOTTO_MUST_CHECK enum sotto_err sotto_resp_read(sotto_span in, struct sotto_resp_reply *reply,
                                                size_t *used);

#endif
