/* SPDX-License-Identifier: Apache-2.0 */

#include "upstream/tool_id.h"

#include "base/hash.h"

#define TOOL_ID_LEN 9

enum sotto_err sotto_tool_id_map(yyjson_mut_doc *doc, yyjson_mut_val *holder, const char *key,
                                 bool (*takes)(sotto_span id))
{
    static const char symbols[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    /* Not a secret: the ids are the provider's own, and the mapping must outlast the process. */
    static const uint8_t hash_key[SOTTO_HASH_KEY_BYTES] = "sotto tool ids";
    yyjson_mut_val *id = sotto_json_get(holder, key);
    if (!yyjson_mut_is_str(id) || takes(sotto_json_text(id))) {
        return SOTTO_OK;
    }
    uint64_t rest = sotto_hash64(hash_key, sotto_json_text(id));
    uint8_t text[TOOL_ID_LEN];
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t)symbols[rest % (sizeof(symbols) - 1)];
        rest /= sizeof(symbols) - 1;
    }
    return sotto_json_set_text(doc, id, sotto_span_init(text, sizeof(text)));
}
