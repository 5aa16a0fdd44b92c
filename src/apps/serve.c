/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <unistd.h>

#include "apps/cli.h"
#include "apps/command.h"
#include "apps/config_file.h"
#include "apps/guide.h"
#include "apps/state_folder.h"
#include "base/alloc.h"
#include "crypto/crypto.h"
#include "gateway/gateway.h"
#include "store/store.h"
#include "sys/files.h"
#include "sys/harden.h"
#include "sys/log.h"
#include "sys/notify.h"
#include "sys/signals.h"

/* Of standard output; ours, so that it can be wiped: the first key passes through it. */
static char output[4096];

/* What the command line says; options win over the configuration. */
struct serve_words {
    const char *config, *state, *listen, *admin, *tls_listen, *tls_cert, *tls_key;
    bool single_process, require_sandbox;
    bool guide;
    char first_key[SOTTO_KEY_TEXT_BYTES]; /* what this start made, until it was shown; else "" */
};

static bool set_address(const char *option, const char *word, struct sotto_config_address *to)
{
    if (word == NULL || sotto_config_parse_address(sotto_span_str(word), to) == SOTTO_OK) {
        return true;
    }
    sotto_cli_misuse("%s: %s is not ADDRESS:PORT: write 127.0.0.1:8484 or [::1]:8484", option,
                     word);
    return false;
}

/* The words live as long as the program, so the configuration may point to them. */
static bool apply_words(const struct serve_words *w, struct sotto_config *config)
{
    if (!set_address("--listen", w->listen, &config->listen) ||
        !set_address("--admin", w->admin, &config->admin) ||
        !set_address("--tls-listen", w->tls_listen, &config->tls.listen)) {
        return false;
    }
    if (w->tls_cert != NULL) {
        config->tls.certificate = sotto_span_str(w->tls_cert);
    }
    if (w->tls_key != NULL) {
        config->tls.key = sotto_span_str(w->tls_key);
    }
    return true;
}

/* SIGHUP: the file again, under the same command line. */
static struct sotto_config *reload(void *ctx)
{
    const struct serve_words *w = ctx;
    struct sotto_config *config = sotto_config_file_read(w->config);
    if (config == NULL || !apply_words(w, config)) {
        SOTTO_LOG(SOTTO_LOG_ERROR, "reload_refused",
                  SOTTO_LOG_TEXT("why", "the configuration is not valid; the old one stays"));
        sotto_config_free(config);
        return NULL;
    }
    sotto_log_setup(config->log.json ? SOTTO_LOG_JSON : SOTTO_LOG_LOGFMT, SOTTO_LOG_INFO);
    return config;
}

/* --- the first key ----------------------------------------------------------------------------- */

/* SOTTO_API_KEY is the first key, or one more; without it the first start makes one. */
static int first_key(struct serve_words *w, struct sotto_store *store)
{
    const struct sotto_key key = {.name = SOTTO_LIT("first"), .anonymize = true};
    const char *given = sotto_get_env("SOTTO_API_KEY");
    enum sotto_err err;

    if (given != NULL && given[0] != '\0') {
        err = sotto_store_key_adopt(store, &key, sotto_span_str(given));
        if (err == SOTTO_EFORMAT) {
            return sotto_cli_fail("SOTTO_API_KEY is not a key: it has the form ql_, 12 letters or "
                                  "digits, _, 32 letters or digits");
        }
    } else {
        err = sotto_store_key_first(store, &key, w->first_key);
        if (err == SOTTO_OK) {
            printf("api key: %s\n", w->first_key);
        }
        err = err == SOTTO_EEXISTS ? SOTTO_OK : err;
    }
    return err == SOTTO_OK
               ? SOTTO_CLI_GO
               : sotto_cli_fail("cannot make the first key: %s", sotto_store_why(store));
}

static int prepare_state(struct serve_words *w, const struct sotto_config *config,
                         const char *folder)
{
    char why[SOTTO_STORE_WHY_BYTES];
    struct sotto_store *store;
    if (sotto_store_connect(folder, config->stores.postgres, &store, why) != SOTTO_OK) {
        return sotto_cli_fail("%s", why);
    }
    int status = first_key(w, store);
    sotto_store_close(store);
    return status;
}

/* --- running ----------------------------------------------------------------------------------- */

static void print_ready(const struct sotto_config *config, const struct sotto_gateway *gateway)
{
    struct sotto_gateway_ports ports = sotto_gateway_ports(gateway);
    bool plain = ports.plain != 0;
    sotto_span host = plain ? config->listen.host : config->tls.listen.host;
    bool v6 = memchr(host.base, ':', host.len) != NULL;
    unsigned port = plain ? ports.plain : ports.tls;
    printf("ready: %s://%s%.*s%s:%u\n", plain ? "http" : "https", v6 ? "[" : "", SOTTO_FMT(host),
           v6 ? "]" : "", port);
    fflush(stdout);
}

/* It was shown: neither we nor stdio keep it. */
static void wipe_first_key(struct serve_words *w)
{
    sotto_wipe(w->first_key, sizeof(w->first_key));
    fflush(stdout);
    sotto_wipe(output, sizeof(output));
}

static int run(struct serve_words *w, struct sotto_config *config, const char *folder, int signals)
{
    char why[SOTTO_GATEWAY_WHY_BYTES];
    struct sotto_gateway *gateway;
    struct sotto_gateway_options options = {
        .config = config,
        .folder = folder,
        .config_file = w->config,
        .signals = signals,
        .separate = !w->single_process,
        .required = w->require_sandbox,
        .reload = reload,
        .ctx = w,
    };
    if (sotto_gateway_new(&options, &gateway, why) != SOTTO_OK) {
        sotto_config_free(config);
        return sotto_cli_fail("%s", why);
    }
    print_ready(config, gateway);
    if (w->guide) {
        struct sotto_gateway_ports ports = sotto_gateway_ports(gateway);
        sotto_guide_print(config, &ports, w->first_key);
    }
    wipe_first_key(w);
    sotto_notify_ready();
    enum sotto_err err = sotto_gateway_run(gateway);
    sotto_gateway_free(gateway);
    return err == SOTTO_OK ? SOTTO_EXIT_OK
                           : sotto_cli_fail("the gateway stopped: %s", sotto_err_text(err));
}

static int serve(struct serve_words *w)
{
    char folder[SOTTO_PATH_BYTES], given[SOTTO_PATH_BYTES];
    int signals = -1;
    struct sotto_config *config = sotto_config_file_read(w->config);
    if (config == NULL) {
        return SOTTO_EXIT_FAILED;
    }
    if (!apply_words(w, config)) {
        sotto_config_free(config);
        return SOTTO_EXIT_USAGE;
    }
    sotto_log_setup(config->log.json ? SOTTO_LOG_JSON : SOTTO_LOG_LOGFMT, SOTTO_LOG_INFO);
    if (sotto_lock_memory() != SOTTO_OK) {
        SOTTO_LOG(SOTTO_LOG_WARN, "memory_may_be_swapped",
                  SOTTO_LOG_TEXT("why", "RLIMIT_MEMLOCK is not unlimited and there is swap"));
    }
    snprintf(given, sizeof(given), "%.*s", SOTTO_FMT(config->state));
    int status = SOTTO_CLI_GO;
    if (!sotto_state_folder(w->state != NULL ? w->state : given, folder)) {
        status = sotto_cli_fail("there is no folder for the state: give one with --state DIR");
    }
    if (status == SOTTO_CLI_GO) {
        status = prepare_state(w, config, folder);
    }
    if (status == SOTTO_CLI_GO && sotto_signals_open(&signals) != SOTTO_OK) {
        status = sotto_cli_fail("signals cannot be received");
    }
    if (status != SOTTO_CLI_GO) {
        sotto_config_free(config);
        return status;
    }
    status = run(w, config, folder, signals);
    close(signals);
    return status;
}

int sotto_cmd_serve(int argc, char **argv)
{
    struct serve_words w = {.config = sotto_get_env("SOTTO_CONFIG")};
    const struct sotto_cli_option options[] = {
        {"--config", "FILE", "configuration (else the environment)", &w.config, NULL},
        {"--state", "DIR", "where keys and secrets are kept", &w.state, NULL},
        {"--listen", "ADDR:PORT", "plain HTTP (127.0.0.1:8484)", &w.listen, NULL},
        {"--admin", "ADDR:PORT", "health and administration (127.0.0.1:8485)", &w.admin, NULL},
        {"--tls-listen", "ADDR:PORT", "HTTPS", &w.tls_listen, NULL},
        {"--tls-cert", "FILE", "certificate chain, PEM", &w.tls_cert, NULL},
        {"--tls-key", "FILE", "private key, PEM", &w.tls_key, NULL},
        {"--guide", NULL, "say where to look and what to try", NULL, &w.guide},
        {"--single-process", NULL, "run all rooms in one process", NULL, &w.single_process},
        {"--require-sandbox", NULL, "do not start where a room cannot be closed off", NULL,
         &w.require_sandbox},
    };
    const struct sotto_cli cli = {
        .usage = "sotto serve [--config FILE] [--state DIR] [--listen ADDR:PORT]",
        .about = "Runs the gateway in the foreground until SIGTERM or SIGINT.  SIGHUP reads the\n"
                 "configuration again.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
    };
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status != SOTTO_CLI_GO) {
        return status;
    }
    if (w.config != NULL && w.config[0] == '\0') {
        w.config = NULL;
    }
    if (sotto_crypto_init() != SOTTO_OK || sotto_harden() != SOTTO_OK) {
        return sotto_cli_fail("the process cannot be protected: no cryptography or no limits");
    }
    sotto_raise_file_limit();
    if (sotto_notify_open(sotto_get_env("NOTIFY_SOCKET")) != SOTTO_OK) {
        return sotto_cli_fail("NOTIFY_SOCKET cannot be opened: unset it");
    }
    setvbuf(stdout, output, _IOLBF, sizeof(output));
    status = serve(&w);
    sotto_wipe(w.first_key, sizeof(w.first_key));
    return status;
}
