/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/keys_mesh.h"

#include <stdio.h>

#include "apps/cli.h"
#include "apps/state_folder.h"
#include "store/mesh.h"
#include "store/store.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "json/json.h"

static int open_mesh(const char *state, struct sotto_mesh **mesh)
{
    char folder[SOTTO_PATH_BYTES], why[SOTTO_STORE_WHY_BYTES];
    if (!sotto_state_folder(state, folder)) {
        return sotto_cli_fail("there is no state folder: give one with --state");
    }
    if (sotto_store_folder(folder, why) != SOTTO_OK) {
        return sotto_cli_fail("%s", why);
    }
    if (sotto_mesh_open(folder, sotto_wall_s(), mesh, why) != SOTTO_OK) {
        return sotto_cli_fail("%s", why);
    }
    return SOTTO_CLI_GO;
}

static void hash_text(const struct sotto_mesh *mesh, char out[2 * SOTTO_SHA256_BYTES + 1])
{
    const uint8_t *hash = sotto_mesh_ca_hash(mesh);
    for (size_t i = 0; i < SOTTO_SHA256_BYTES; i++) {
        snprintf(out + 2 * i, 3, "%02x", hash[i]);
    }
}

static int print_json(const struct sotto_mesh *mesh, const char *hash)
{
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err =
        sotto_buf_printf(&out, "{\"sha256\":\"%s\",\"expires\":%lld,\"certificate\":", hash,
                         (long long)sotto_mesh_ca_until(mesh));
    if (err == SOTTO_OK) {
        err = sotto_json_quote(sotto_mesh_ca(mesh), true, &out);
    }
    if (err == SOTTO_OK) {
        printf("%.*s}\n", SOTTO_FMT(sotto_buf_span(&out)));
    }
    sotto_buf_free(&out);
    return err == SOTTO_OK ? sotto_cli_finish(SOTTO_EXIT_OK)
                           : sotto_cli_fail("%s", sotto_err_text(err));
}

static int print_mesh(const struct sotto_mesh *mesh, const char *file, bool json)
{
    char hash[2 * SOTTO_SHA256_BYTES + 1], until[SOTTO_WALL_TEXT_BYTES];
    hash_text(mesh, hash);
    if (file != NULL) {
        enum sotto_err err = sotto_file_write(file, sotto_mesh_ca(mesh));
        if (err != SOTTO_OK) {
            return sotto_cli_fail("cannot write %s: %s", file, sotto_err_text(err));
        }
    }
    if (json) {
        return print_json(mesh, hash);
    }
    sotto_wall_text(sotto_mesh_ca_until(mesh) * 1000, until);
    printf("mesh CA, until %s\nsha256 %s\n", until, hash);
    if (file == NULL) {
        printf("%.*s", SOTTO_FMT(sotto_mesh_ca(mesh)));
    }
    return sotto_cli_finish(SOTTO_EXIT_OK);
}

int sotto_keys_mesh(int argc, char **argv)
{
    const char *state = NULL, *file = NULL;
    bool json = false;
    const struct sotto_cli_option options[] = {
        {"--export", "FILE", "write the certificate there instead", &file, NULL},
        {"--state", "DIR", "the state folder", &state, NULL},
        {"--json", NULL, "print JSON", NULL, &json},
    };
    const struct sotto_cli cli = {
        .usage = "sotto keys mesh [--export FILE] [--json] [--state DIR]",
        .about =
            "Prints the certificate of the authority with which exchanges of secrets are\n"
            "signed, for clients that are to trust this gateway. Makes it where there is none.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
    };
    struct sotto_mesh *mesh = NULL;
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO) {
        status = open_mesh(state, &mesh);
    }
    if (status == SOTTO_CLI_GO) {
        status = print_mesh(mesh, file, json);
    }
    sotto_mesh_free(mesh);
    return status;
}
