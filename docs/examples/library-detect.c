/* SPDX-License-Identifier: Apache-2.0 */

/* Prints what is found in the text of the first argument. */

#include <sotto/sotto.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    const char *text = argc > 1 ? argv[1] : "Call Margaret Thornbury on +1 212 555 0187.";
    struct sotto_engine *engine = NULL;
    struct sotto_entities *found = NULL;
    enum sotto_status status = sotto_engine_new(NULL, &engine);
    if (status == SOTTO_STATUS_OK) {
        status = sotto_engine_detect(engine, text, strlen(text), &found);
    }
    if (status != SOTTO_STATUS_OK) {
        fprintf(stderr, "detect: %s\n", sotto_status_text(status));
        sotto_engine_free(engine);
        return 1;
    }
    for (size_t i = 0; i < sotto_entities_count(found); i++) {
        const struct sotto_entity *e = sotto_entities_at(found, i);
        printf("%s %.*s\n", e->label, (int)(e->end - e->start), text + e->start);
    }
    sotto_entities_free(found);
    sotto_engine_free(engine);
    return 0;
}
