/* SPDX-License-Identifier: Apache-2.0 */

#include "chat/call.h"

#include <stdlib.h>

#include "tap/tap.h"

int main(void)
{
    struct sotto_call call;
    sotto_call_init(&call);
    IS_INT(call.kind, SOTTO_CALL_CHAT, "a call is a chat until it is said otherwise");
    OK(call.anonymize, "its text is replaced");
    IS_INT(call.choices, 1, "one choice is wanted");
    OK(!call.stream && !call.include_usage && !call.ndjson && !call.explain, "nothing else is");

    if (sotto_json_read(SOTTO_LIT("{}"), 8, &call.doc, NULL) != SOTTO_OK ||
        sotto_arena_copy(&call.arena, SOTTO_LIT("m"), &call.model) != SOTTO_OK) {
        abort();
    }
    call.stream = true;
    sotto_call_free(&call);
    OK(call.doc == NULL && call.model.len == 0 && !call.stream, "freed, it is as at the start");
    sotto_call_free(&call);
    OK(true, "and may be freed again");
    return done_testing();
}
