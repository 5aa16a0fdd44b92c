/* SPDX-License-Identifier: Apache-2.0 */

#include "chat/estimate.h"

#include "tap/tap.h"

static uint64_t bytes_of(const char *json)
{
    yyjson_mut_doc *doc = NULL;
    struct sotto_json_error wrong;
    if (sotto_json_read(sotto_span_str(json), 128, &doc, &wrong) != SOTTO_OK) {
        abort();
    }
    uint64_t bytes = sotto_estimate_bytes(yyjson_mut_doc_get_root(doc));
    sotto_json_free(doc);
    return bytes;
}

int main(void)
{
    IS_SIZE(sotto_estimate_tokens(0), 0, "no text, no tokens");
    IS_SIZE(sotto_estimate_tokens(1), 1, "a part counts whole");
    IS_SIZE(sotto_estimate_tokens(8), 2, "four bytes a token");
    IS_SIZE(sotto_estimate_tokens(UINT64_MAX), SOTTO_ESTIMATE_MAX, "and there is an end");
    IS_SIZE(bytes_of("{\"a\":\"xyz\",\"b\":[\"12345\",{\"c\":\"\",\"d\":\"f\xc3\xbc\"}],\"e\":17}"),
            11, "all strings count, in bytes, and nothing else does");
    IS_SIZE(sotto_estimate_bytes(NULL), 0, "nothing has no text");

    char json[10100] = "{\"url\":\"data:image/png;base64,";
    size_t len = strlen(json);
    memset(json + len, 'A', 9000);
    memcpy(json + len + 9000, "\"}", 3);
    IS_SIZE(bytes_of(json), SOTTO_ESTIMATE_BLOB_BYTES, "an image counts as one, not by its bytes");
    memcpy(json, "{\"data\":\"AAAAAAAAAAAAAAAAAAAAA", 30);
    IS_SIZE(bytes_of(json), SOTTO_ESTIMATE_BLOB_BYTES, "and so does what is named data");
    memcpy(json, "{\"text\":\"AAAAAAAAAAAAAAAAAAAAA", 30);
    IS_SIZE(bytes_of(json), 9021, "a text of that length counts in full");
    return done_testing();
}
