/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/map.h"

#include "apps/cli.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "crypto/random.h"
#include "sys/files.h"
#include "vault/token.h"
#include "json/json.h"

#define MAP_DEPTH 8

/* All tokens of a map are of one conversation. */
#define MAP_CONVERSATION SOTTO_LIT("map")

struct sotto_map {
    const char *path; /* NULL: none */
    uint8_t key[SOTTO_VAULT_KEY_BYTES];
    enum sotto_style style;
    struct sotto_vault *vault;
    struct sotto_buf fold; /* one byte for each token of the vault, in its order */
};

static int refuse(const char *path, const char *what)
{
    return sotto_cli_fail("the map %s %s: name another file with --map", path, what);
}

static bool read_hex(sotto_span hex, uint8_t *out, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len * 2; i++) {
        const char *digit =
            hex.len == len * 2 && hex.base[i] != 0 ? strchr(digits, (char)hex.base[i]) : NULL;
        if (digit == NULL) {
            return false;
        }
        unsigned value = (unsigned)(digit - digits);
        out[i / 2] = (uint8_t)(i % 2 == 0 ? value << 4 : out[i / 2] | value);
    }
    return true;
}

/* The type word that a well-formed token begins with. */
static bool token_type(sotto_span token, unsigned *type)
{
    for (unsigned i = 0; i < SOTTO_TOKEN_WORD_COUNT; i++) {
        sotto_span word = sotto_token_word(i);
        if (token.len == word.len + SOTTO_TOKEN_CODE_LEN && sotto_span_starts(token, word)) {
            *type = i;
            return true;
        }
    }
    return false;
}

/* The type of a stand-in that is no token, as the file names it. */
static bool word_type(sotto_span word, unsigned *type)
{
    for (unsigned i = 0; i < SOTTO_TOKEN_WORD_COUNT; i++) {
        if (sotto_span_eq(word, sotto_token_word(i))) {
            *type = i;
            return true;
        }
    }
    return false;
}

static enum sotto_err note_fold(struct sotto_map *map, bool foldable)
{
    size_t count = sotto_vault_count(map->vault);
    return map->fold.len < count ? sotto_buf_push(&map->fold, foldable) : SOTTO_OK;
}

/* Issues a token of the file again, so that its value keeps it; else takes it in as it is. */
static enum sotto_err take_over(struct sotto_map *map, sotto_span token, sotto_span word,
                                sotto_span value, bool foldable)
{
    unsigned type = 0;
    sotto_span again;
    if (!(sotto_token_valid(token) && token_type(token, &type)) && !word_type(word, &type)) {
        return SOTTO_EFORMAT;
    }
    enum sotto_err err = sotto_vault_token(map->vault, type, foldable, value, &again);
    if (err == SOTTO_OK) {
        err = note_fold(map, foldable);
    }
    if (err == SOTTO_OK && !sotto_span_eq(token, again)) {
        err = sotto_vault_adopt(map->vault, token, value);
        err = err == SOTTO_EEXISTS ? SOTTO_OK : err;
        err = err == SOTTO_OK ? note_fold(map, foldable) : err;
    }
    return err;
}

static enum sotto_err take_values(struct sotto_map *map, yyjson_mut_val *values)
{
    enum sotto_err err = yyjson_mut_is_arr(values) ? SOTTO_OK : SOTTO_EFORMAT;
    yyjson_mut_arr_iter iter;
    yyjson_mut_val *item;
    if (err != SOTTO_OK) {
        return err;
    }
    iter = yyjson_mut_arr_iter_with(values);
    while (err == SOTTO_OK && (item = yyjson_mut_arr_iter_next(&iter)) != NULL) {
        yyjson_mut_val *value = sotto_json_get(item, "value");
        err = yyjson_mut_is_str(value)
                  ? take_over(map, sotto_json_text(sotto_json_get(item, "token")),
                              sotto_json_text(sotto_json_get(item, "type")), sotto_json_text(value),
                              yyjson_mut_is_true(sotto_json_get(item, "fold")))
                  : SOTTO_EFORMAT;
    }
    return err;
}

static enum sotto_err make_vault(struct sotto_map *map)
{
    return sotto_vault_new(map->key, MAP_CONVERSATION, map->style, &map->vault);
}

static enum sotto_err parse(struct sotto_map *map, sotto_span text)
{
    yyjson_mut_doc *doc;
    enum sotto_err err = sotto_json_read(text, MAP_DEPTH, &doc, NULL);
    if (err != SOTTO_OK) {
        return err;
    }
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    int64_t version = 0;
    sotto_span key = sotto_json_text(sotto_json_get(root, "key"));
    if (sotto_json_int(sotto_json_get(root, "sotto_map"), &version) != SOTTO_OK || version != 1 ||
        !read_hex(key, map->key, sizeof(map->key))) {
        err = SOTTO_EFORMAT;
    }
    if (err == SOTTO_OK) {
        err = make_vault(map);
    }
    if (err == SOTTO_OK) {
        err = take_values(map, sotto_json_get(root, "values"));
    }
    sotto_json_free(doc);
    return err;
}

/* Reads the file; SOTTO_ENOTFOUND is left to the caller. */
static enum sotto_err load(struct sotto_map *map)
{
    struct sotto_buf text;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_file_read(map->path, SOTTO_MAP_MAX_BYTES, &text);
    if (err == SOTTO_OK) {
        err = parse(map, sotto_buf_span(&text));
    }
    sotto_buf_free(&text);
    return err;
}

static struct sotto_map *make(const char *path, enum sotto_style style)
{
    struct sotto_map *map = sotto_calloc(1, sizeof(*map));
    if (map != NULL) {
        map->path = path;
        map->style = style;
        sotto_buf_init(&map->fold, SOTTO_BUF_UNBOUNDED);
    }
    return map;
}

static int complain(const struct sotto_map *map, enum sotto_err err)
{
    if (err == SOTTO_EFORMAT || err == SOTTO_EINVAL) {
        return refuse(map->path, "is not a map that Sotto wrote");
    }
    if (map->path == NULL || err == SOTTO_ENOMEM || err == SOTTO_ECRYPTO) {
        return sotto_cli_fail("tokens cannot be made, %s: try again", sotto_err_text(err));
    }
    return sotto_cli_fail("the map %s cannot be read, %s: check the file and its folder", map->path,
                          sotto_err_text(err));
}

int sotto_map_open(const char *path, enum sotto_style style, struct sotto_map **out)
{
    struct sotto_map *map = make(path, style);
    if (map == NULL) {
        return sotto_cli_fail("out of memory: free some and try again");
    }
    enum sotto_err err = path != NULL ? load(map) : SOTTO_ENOTFOUND;
    bool is_new = err == SOTTO_ENOTFOUND;
    if (is_new) {
        err = sotto_crypto_random(map->key, sizeof(map->key));
        err = err == SOTTO_OK ? make_vault(map) : err;
    }
    int status = err == SOTTO_OK ? SOTTO_CLI_GO : complain(map, err);
    if (status == SOTTO_CLI_GO && is_new && sotto_map_save(map) != SOTTO_EXIT_OK) {
        status = SOTTO_EXIT_FAILED;
    }
    if (status != SOTTO_CLI_GO) {
        sotto_map_free(map);
        return status;
    }
    *out = map;
    return SOTTO_CLI_GO;
}

int sotto_map_read(const char *path, struct sotto_map **out)
{
    struct sotto_map *map = make(path, SOTTO_STYLE_TOKEN);
    if (map == NULL) {
        return sotto_cli_fail("out of memory: free some and try again");
    }
    enum sotto_err err = load(map);
    if (err != SOTTO_OK) {
        int status = complain(map, err);
        sotto_map_free(map);
        return status;
    }
    *out = map;
    return SOTTO_CLI_GO;
}

void sotto_map_free(struct sotto_map *map)
{
    if (map != NULL) {
        sotto_vault_free(map->vault);
        sotto_buf_free(&map->fold);
        sotto_free(map);
    }
}

struct sotto_vault *sotto_map_vault(struct sotto_map *map)
{
    return map->vault;
}

enum sotto_err sotto_map_token(struct sotto_map *map, enum sotto_label label, bool foldable,
                               sotto_span value, sotto_span *token)
{
    enum sotto_err err = sotto_vault_token(map->vault, (unsigned)label, foldable, value, token);
    return err == SOTTO_OK ? note_fold(map, foldable) : err;
}

static enum sotto_err put_values(const struct sotto_map *map, struct sotto_buf *out)
{
    enum sotto_err err = SOTTO_OK;
    size_t count = sotto_vault_count(map->vault);
    for (size_t i = 0; i < count && err == SOTTO_OK; i++) {
        sotto_span token, value;
        bool foldable = i < map->fold.len && map->fold.base[i] != 0;
        sotto_vault_entry(map->vault, i, &token, &value);
        sotto_span word = sotto_token_word(sotto_vault_entry_type(map->vault, i));
        err = sotto_buf_printf(out, "%s\n{\"token\":\"%.*s\",\"type\":\"%.*s\",\"value\":",
                               i == 0 ? "" : ",", SOTTO_FMT(token), SOTTO_FMT(word));
        if (err == SOTTO_OK) {
            err = sotto_json_quote(value, true, out);
        }
        if (err == SOTTO_OK) {
            err = sotto_buf_printf(out, ",\"fold\":%s}", foldable ? "true" : "false");
        }
    }
    return err;
}

static enum sotto_err serialise(const struct sotto_map *map, struct sotto_buf *out)
{
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("{\"sotto_map\":1,\"key\":\""));
    for (size_t i = 0; i < sizeof(map->key) && err == SOTTO_OK; i++) {
        err = sotto_buf_printf(out, "%02x", map->key[i]);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_append(out, SOTTO_LIT("\",\"values\":["));
    }
    if (err == SOTTO_OK) {
        err = put_values(map, out);
    }
    return err == SOTTO_OK ? sotto_buf_append(out, SOTTO_LIT("]}\n")) : err;
}

int sotto_map_save(const struct sotto_map *map)
{
    struct sotto_buf text;
    if (map->path == NULL) {
        return SOTTO_EXIT_OK;
    }
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = serialise(map, &text);
    if (err == SOTTO_OK) {
        err = sotto_file_write(map->path, sotto_buf_span(&text));
    }
    sotto_buf_free(&text);
    return err == SOTTO_OK ? SOTTO_EXIT_OK
                           : sotto_cli_fail("the map %s cannot be written, %s: check its folder",
                                            map->path, sotto_err_text(err));
}
