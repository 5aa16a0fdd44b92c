/* SPDX-License-Identifier: Apache-2.0 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apps/cli.h"
#include "apps/command.h"
#include "crypto/crypto.h"
#include "gateway/room_process.h"
#include "sys/harden.h"
#include "sys/log.h"
#include "sys/signals.h"

static bool read_count(const char *text, size_t *out)
{
    size_t count = 0;
    for (; *text >= '0' && *text <= '9' && count <= SOTTO_ROOM_WORKERS_MAX; text++) {
        count = count * 10 + (size_t)(*text - '0');
    }
    *out = count;
    return *text == '\0' && count >= 1 && count <= SOTTO_ROOM_WORKERS_MAX;
}

static const char *get_env(const char *name)
{
    return getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
}

/* Front or back as a process; `sotto serve` starts it, with its doors as open descriptors. */
int sotto_cmd_room(int argc, char **argv)
{
    bool required = false, json = false;
    size_t count = 0;
    const struct sotto_cli_option options[] = {
        {"--require-sandbox", NULL, "end where the room cannot be closed off", NULL, &required},
        {"--json-log", NULL, "log as JSON", NULL, &json},
    };
    const struct sotto_cli cli = {
        .usage = "sotto room front|back WORKERS",
        .about = "A part of the gateway; `sotto serve` starts it.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
        .operand_min = 2,
        .operand_max = 2,
    };
    int signals;
    int status = sotto_cli_read(&cli, argc, argv, &count);
    if (status != SOTTO_CLI_GO) {
        return status;
    }
    bool front = strcmp(argv[1], "front") == 0;
    size_t workers = 0;
    if ((!front && strcmp(argv[1], "back") != 0) || !read_count(argv[2], &workers)) {
        return sotto_cli_misuse("room: front or back, and the number of workers");
    }
    /* Signals are for the vault, which tells its rooms; a terminal sends them to all. */
    if (sotto_crypto_init() != SOTTO_OK || sotto_harden() != SOTTO_OK ||
        sotto_signals_open(&signals) != SOTTO_OK) {
        return sotto_cli_fail("the process cannot be protected: no cryptography or no limits");
    }
    close(signals);
    sotto_raise_file_limit();
    sotto_log_setup(json ? SOTTO_LOG_JSON : SOTTO_LOG_LOGFMT, SOTTO_LOG_INFO);
    sotto_ignore(sotto_lock_memory()); /* the vault has said it where it fails */
    const struct sotto_back_trust trust = {get_env("SSL_CERT_FILE"), get_env("SSL_CERT_DIR")};
    return front ? sotto_front_process(workers, required)
                 : sotto_back_process(workers, required, &trust);
}
