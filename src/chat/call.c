/* SPDX-License-Identifier: Apache-2.0 */

#include "chat/call.h"

void sotto_call_init(struct sotto_call *call)
{
    *call = (struct sotto_call){.kind = SOTTO_CALL_CHAT, .anonymize = true, .choices = 1};
}

void sotto_call_free(struct sotto_call *call)
{
    sotto_json_free(call->doc);
    sotto_arena_free(&call->arena);
    sotto_call_init(call);
}
