/* SPDX-License-Identifier: Apache-2.0 */

/* Redacts a text, and restores an answer that comes in pieces of five bytes. */

#include <sotto/sotto.h>
#include <stdio.h>
#include <string.h>

static void print_piece(char *text)
{
    fputs(text, stdout);
    sotto_text_free(text);
}

static enum sotto_status restore(const struct sotto_conversation *c, const char *answer)
{
    struct sotto_restorer *restorer = NULL;
    char *text = NULL;
    enum sotto_status status = sotto_restorer_new(c, &restorer);
    while (status == SOTTO_STATUS_OK && *answer != '\0') {
        size_t left = strlen(answer), len = left < 5 ? left : 5;
        status = sotto_restorer_feed(restorer, answer, len, &text, NULL);
        if (status == SOTTO_STATUS_OK) {
            print_piece(text);
            answer += len;
        }
    }
    if (status == SOTTO_STATUS_OK) {
        status = sotto_restorer_end(restorer, &text, NULL);
    }
    if (status == SOTTO_STATUS_OK) {
        print_piece(text);
    }
    sotto_restorer_free(restorer);
    return status;
}

int main(void)
{
    static const char text[] = "Write to Margaret Thornbury, m.thornbury@example.org.";
    const struct sotto_engine_options options = {.size = sizeof(options), .mode = "hipaa"};
    struct sotto_engine *engine = NULL;
    struct sotto_conversation *c = NULL;
    char *safe = NULL, answer[256];
    enum sotto_status status = sotto_engine_new(&options, &engine);
    if (status == SOTTO_STATUS_OK) {
        status = sotto_conversation_new(engine, NULL, NULL, 0, &c);
    }
    if (status == SOTTO_STATUS_OK) {
        status = sotto_conversation_redact(c, text, strlen(text), &safe, NULL);
    }
    if (status == SOTTO_STATUS_OK) {
        printf("sent: %s\n", safe); /* this is what a provider may see */
        snprintf(answer, sizeof(answer), "You asked: %s\n", safe);
        status = restore(c, answer);
    }
    if (status != SOTTO_STATUS_OK) {
        fprintf(stderr, "stream: %s\n", sotto_status_text(status));
    }
    sotto_text_free(safe);
    sotto_conversation_free(c);
    sotto_engine_free(engine);
    return status == SOTTO_STATUS_OK ? 0 : 1;
}
