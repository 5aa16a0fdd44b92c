/* SPDX-License-Identifier: Apache-2.0 */

#include "dialects/event.h"

enum sotto_err sotto_event_write(const yyjson_mut_val *val, bool ndjson, struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = SOTTO_OK;
    if (!ndjson) {
        err = sotto_buf_append(out, SOTTO_LIT("data: "));
    }
    if (err == SOTTO_OK) {
        err = sotto_json_write(val, out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, ndjson ? SOTTO_LIT("\n") : SOTTO_LIT("\n\n"));
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

enum sotto_err sotto_event_done(bool ndjson, struct sotto_buf *out)
{
    return ndjson ? SOTTO_OK : sotto_buf_append(out, SOTTO_LIT("data: [DONE]\n\n"));
}
