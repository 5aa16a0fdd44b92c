/* SPDX-License-Identifier: Apache-2.0 */

/* Checks what GET /v1/audit/ID answered: library-proof LOG_KEY ID < answer */

#include <inttypes.h>
#include <sotto/proof.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    static char answer[1 << 20];
    size_t len = fread(answer, 1, sizeof(answer), stdin);
    const struct sotto_proof_trust trust = {.size = sizeof(trust), .log = argc > 1 ? argv[1] : ""};
    struct sotto_proof_place place = {.size = sizeof(place)};
    char *record = NULL;
    enum sotto_status status =
        sotto_proof_answer(&trust, argc > 2 ? argv[2] : "", answer, len, &record, NULL, &place);
    if (status != SOTTO_STATUS_OK) {
        fprintf(stderr, "proof: %s\n", sotto_status_text(status));
        return 1;
    }
    printf("entry %" PRIu64 " of %" PRIu64 ": %s\n", place.index, place.entries,
           record != NULL ? record : "erased");
    sotto_text_free(record);
    return 0;
}
