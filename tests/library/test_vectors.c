/* SPDX-License-Identifier: Apache-2.0 */

/* The answers of tests/vectors/audit.json, which the SDKs are tested with, through the library. */

#include <sotto/proof.h>

#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "tap/tap.h"

static const char *member(yyjson_val *of, const char *name)
{
    return yyjson_get_str(yyjson_obj_get(of, name));
}

static void check_row(const struct sotto_proof_trust *trust, yyjson_val *row)
{
    yyjson_val *answer = yyjson_obj_get(row, "answer");
    const char *what = member(row, "what"), *step = member(row, "step");
    struct sotto_proof_place place = {.size = sizeof(place), .entries = 0};
    char *record = NULL;
    enum sotto_status status = sotto_proof_answer(trust, member(row, "id"), yyjson_get_str(answer),
                                                  yyjson_get_len(answer), &record, NULL, &place);
    OK(step == NULL ? status == SOTTO_STATUS_OK
                    : status == SOTTO_STATUS_REFUSED || status == SOTTO_STATUS_FORMAT,
       "%s", what);
    OK((place.entries != 0) == (step == NULL), "%s: a place where it was proved", what);
    OK(step == NULL || record == NULL, "%s: a record only where all of it holds", what);
    sotto_text_free(record);
}

int main(void)
{
    char path[4096];
    const char *root = getenv("SOTTO_SOURCE"); /* NOLINT(concurrency-mt-unsafe) */
    snprintf(path, sizeof(path), "%s/tests/vectors/audit.json", root != NULL ? root : ".");
    yyjson_doc *doc = yyjson_read_file(path, 0, NULL, NULL);
    yyjson_val *known = yyjson_doc_get_root(doc);
    const struct sotto_proof_trust trust = {.size = sizeof(trust), .log = member(known, "vkey")};
    size_t i, count;
    yyjson_val *row;
    OK(yyjson_arr_size(yyjson_obj_get(known, "answers")) > 40, "there are known answers");
    yyjson_arr_foreach(yyjson_obj_get(known, "answers"), i, count, row)
    {
        check_row(&trust, row);
    }
    yyjson_doc_free(doc);
    return done_testing();
}
