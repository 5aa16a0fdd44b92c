/* SPDX-License-Identifier: Apache-2.0 */

#include "dialects/dialect.h"

#include "asking.h"

int main(void)
{
    static const struct {
        const char *head, *want;
    } cases[] = {
        {CHAT, "openai"},
        {CHAT "x-openai-key: s\r\n", "phi_header"},
        {CHAT "X-CompliantChatGPT-Key: s\r\n", "phi_header"},
        {CHAT "x-openai-key: \r\n", "phi_header"},
        {"POST /v1/chat/completions?x=1\r\nx-openai-key: s\r\n", "phi_header"},
        {"GET /v1/models\r\nx-openai-key: s\r\n", "openai"},
        {"POST /v1/ai/completions\r\n", "anonymize"},
        {"POST /v1/ai/completions\r\nx-openai-key: s\r\n", "anonymize"},
        {"GET /v1/ai/models?a=b\r\n", "anonymize"},
        {"GET /v1/ai/unknown\r\n", "anonymize"},
        {"GET /v1/airports\r\n", "openai"},
        {"POST /v1/embeddings\r\n", "openai"},
        {"GET /nothing\r\n", "openai"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_http_head head;
        char block[512];
        snprintf(block, sizeof(block), "%s\r\n", cases[i].head);
        IS_INT(sotto_http_head_index(sotto_span_str(block), true, &head), SOTTO_OK, "a head");
        IS_STR(sotto_dialect_of(&head)->name, cases[i].want, "who answers case %zu", i);
    }
    return done_testing();
}
