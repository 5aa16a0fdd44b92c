/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/restore_text.h"

enum sotto_err sotto_restore_text(const struct sotto_vault *vault, sotto_span text,
                                  struct sotto_buf *out)
{
    size_t mark = out->len;
    struct sotto_restore *r = NULL;
    enum sotto_err err = sotto_restore_new(vault, &r);
    if (err == SOTTO_OK) {
        err = sotto_restore_feed(r, text, out);
    }
    if (err == SOTTO_OK) {
        err = sotto_restore_end(r, out);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    sotto_restore_free(r);
    return err;
}
