/* SPDX-License-Identifier: Apache-2.0 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "apps/cli.h"
#include "apps/command.h"
#include "client/profile.h"
#include "client/proxy.h"
#include "config/config.h"
#include "crypto/crypto.h"
#include "net/resolver.h"
#include "net/tls.h"
#include "sys/harden.h"
#include "sys/signals.h"

#define PROXY_LISTEN     "127.0.0.1:8486"
#define PROXY_PATH_BYTES 4096

struct proxy_words {
    const char *gateway, *key, *listen, *profile, *trust, *roots, *mode, *suite;
    bool anonymize;
};

/* Everything that runs, in the order in which it is made. */
struct proxy_run {
    struct sotto_watch watch;
    int signals;
    struct sotto_loop *loop;
    struct sotto_resolver *resolver;
    struct sotto_tls_context *tls;
    struct sotto_pool *pool;
    struct sotto_veil *veil;
    struct sotto_proxy *proxy;
};

static const char *get_env(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* $XDG_CONFIG_HOME/sotto/known_gateways, as the SDKs have it; another file for other profiles. */
static bool known_path(const char *file, char out[PROXY_PATH_BYTES])
{
    const char *config = get_env("XDG_CONFIG_HOME"), *home = get_env("HOME");
    int n = config != NULL ? snprintf(out, PROXY_PATH_BYTES, "%s/sotto/%s", config, file)
            : home != NULL ? snprintf(out, PROXY_PATH_BYTES, "%s/.config/sotto/%s", home, file)
                           : -1;
    return n > 0 && n < PROXY_PATH_BYTES;
}

static bool is_loopback(sotto_span host)
{
    return sotto_span_ieq(host, SOTTO_LIT("localhost")) || sotto_span_eq(host, SOTTO_LIT("::1")) ||
           sotto_span_starts(host, SOTTO_LIT("127."));
}

static void on_signal(struct sotto_watch *watch, uint32_t events)
{
    struct proxy_run *run = SOTTO_CONTAINER(watch, struct proxy_run, watch);
    enum sotto_signal signal;
    (void)events;
    while ((signal = sotto_signals_next(run->signals)) != SOTTO_SIGNAL_NONE) {
        if (signal == SOTTO_SIGNAL_STOP) {
            sotto_proxy_drain(run->proxy);
        }
    }
}

static enum sotto_err make(struct proxy_run *run, const struct proxy_words *w,
                           struct sotto_link_options *link)
{
    const struct sotto_client_limits limits = sotto_client_limits_default();
    enum sotto_err err = sotto_loop_new(&run->loop);
    if (err == SOTTO_OK) {
        err = sotto_resolver_new(&run->resolver);
    }
    if (err == SOTTO_OK && link->origin.tls) {
        err = sotto_tls_client_new(NULL, &run->tls);
    }
    if (err == SOTTO_OK) {
        err = sotto_pool_new(run->loop, run->resolver, run->tls, &limits, &run->pool);
    }
    if (err == SOTTO_OK && w->anonymize) {
        err = sotto_veil_new(sotto_span_str(w->mode), &run->veil);
    }
    if (err == SOTTO_OK) {
        link->pool = run->pool;
        const struct sotto_proxy_options options = {
            .loop = run->loop, .link = *link, .veil = run->veil};
        err = sotto_proxy_new(&options, &run->proxy);
    }
    if (err == SOTTO_OK) {
        err = sotto_loop_watch_level(run->loop, &run->watch, run->signals, on_signal);
    }
    return err;
}

static void end(struct proxy_run *run)
{
    if (run->watch.watched) {
        sotto_loop_unwatch(run->loop, &run->watch);
    }
    sotto_proxy_free(run->proxy);
    sotto_pool_free(run->pool);
    sotto_veil_free(run->veil);
    sotto_tls_context_drop(run->tls);
    sotto_resolver_free(run->resolver);
    sotto_loop_free(run->loop);
}

static int listen_and_run(struct proxy_run *run, const struct proxy_words *w,
                          const struct sotto_config_address *address)
{
    char host[64];
    uint16_t port = 0;
    snprintf(host, sizeof(host), "%.*s", SOTTO_FMT(address->host));
    enum sotto_err err = sotto_proxy_listen(run->proxy, host, address->port, &port);
    if (err != SOTTO_OK) {
        return sotto_cli_fail("cannot listen on %s: %s", w->listen, sotto_err_text(err));
    }
    bool v6 = strchr(host, ':') != NULL;
    printf("ready: http://%s%s%s:%u\n", v6 ? "[" : "", host, v6 ? "]" : "", (unsigned)port);
    fflush(stdout);
    err = sotto_loop_run(run->loop);
    return err == SOTTO_OK ? SOTTO_EXIT_OK
                           : sotto_cli_fail("the proxy stopped: %s", sotto_err_text(err));
}

static int run_proxy(const struct proxy_words *w, const struct sotto_config_address *address,
                     struct sotto_link_options *link)
{
    struct proxy_run run = {.signals = -1};
    if (sotto_crypto_init() != SOTTO_OK || sotto_harden() != SOTTO_OK ||
        sotto_signals_open(&run.signals) != SOTTO_OK) {
        return sotto_cli_fail("the process cannot be protected: no cryptography or no limits");
    }
    enum sotto_err err = make(&run, w, link);
    int status = err == SOTTO_OK ? listen_and_run(&run, w, address)
                 : err == SOTTO_ENOTFOUND
                     ? sotto_cli_misuse("--mode: there is no mode %s", w->mode)
                     : sotto_cli_fail("the proxy cannot start: %s", sotto_err_text(err));
    end(&run);
    close(run.signals);
    return status;
}

/* Which gateway is believed: "evidence", "evidence:HEX,...", a file of keys, or nothing. */
static int read_trust(const struct proxy_words *w, char path[PROXY_PATH_BYTES],
                      struct sotto_vouch_policy *policy, struct sotto_link_options *link)
{
    static const char word[] = "evidence";
    const size_t len = sizeof(word) - 1;
    bool asked = w->trust != NULL && strncmp(w->trust, word, len) == 0 &&
                 (w->trust[len] == '\0' || w->trust[len] == ':');
    if (asked && w->trust[len] == ':' &&
        sotto_vouch_measurements(policy, sotto_span_str(w->trust + len + 1)) != SOTTO_OK) {
        return sotto_cli_misuse("--trust evidence: takes at most %d measurements of 96 hexadecimal "
                                "digits, with commas between them",
                                SOTTO_VOUCH_MEASUREMENTS_MAX);
    }
    if (w->roots != NULL &&
        (!asked || sotto_vouch_roots(policy, sotto_span_str(w->roots)) != SOTTO_OK)) {
        return sotto_cli_misuse("--roots takes at most %d hashes of 64 hexadecimal digits, and "
                                "goes with --trust evidence",
                                SOTTO_VOUCH_ROOTS_MAX);
    }
    if (w->trust == NULL && !known_path(link->profile->known_file, path)) {
        return sotto_cli_misuse("there is no HOME to keep known gateways in: give --trust FILE");
    }
    link->evidence = asked ? policy : NULL;
    link->known_path = path;
    link->pinned_path = asked ? NULL : w->trust;
    return SOTTO_CLI_GO;
}

/* Fills what the words say; SOTTO_CLI_GO: they are fine. */
static int read_words(struct proxy_words *w, struct sotto_config_address *address,
                      struct sotto_link_options *link)
{
    struct sotto_config_url url;
    w->listen = w->listen != NULL ? w->listen : PROXY_LISTEN;
    w->mode = w->mode != NULL ? w->mode : "standard";
    w->suite = w->suite != NULL ? w->suite : "auto";
    w->key = w->key != NULL ? w->key : get_env("SOTTO_API_KEY");
    if (w->gateway == NULL ||
        sotto_config_parse_url(sotto_span_str(w->gateway), &url) != SOTTO_OK) {
        return sotto_cli_misuse("--gateway must be a URL such as https://gateway.example/v1");
    }
    if (w->key == NULL) {
        return sotto_cli_misuse("--key or SOTTO_API_KEY must be a key of the gateway (ql_...)");
    }
    if (sotto_config_parse_address(sotto_span_str(w->listen), address) != SOTTO_OK ||
        !is_loopback(address->host)) {
        return sotto_cli_misuse("--listen: %s is not ADDRESS:PORT of this machine itself: write "
                                "127.0.0.1:8486",
                                w->listen);
    }
    link->suite = sotto_suite_find(sotto_span_str(w->suite));
    if (link->suite == NULL) {
        return sotto_cli_misuse("--suite must be auto, x-wing, kyber512 or rsa4096");
    }
    link->profile = sotto_client_profile_find(w->profile != NULL ? sotto_span_str(w->profile)
                                                                 : SOTTO_LIT("native"));
    if (link->profile == NULL) {
        return sotto_cli_misuse("--profile must be native or privatemode");
    }
    if (!link->profile->suites && link->suite != sotto_suite_find(SOTTO_LIT("x-wing"))) {
        return sotto_cli_misuse("--suite %s: the profile %s knows x-wing only", w->suite,
                                link->profile->name);
    }
    link->origin = (struct sotto_origin){.host = url.host, .port = url.port, .tls = url.tls};
    link->base_path = url.base_path.len != 0 ? url.base_path : SOTTO_LIT("/v1");
    link->api_key = sotto_span_str(w->key);
    return SOTTO_CLI_GO;
}

int sotto_cmd_proxy(int argc, char **argv)
{
    struct proxy_words w = {0};
    char path[PROXY_PATH_BYTES];
    struct sotto_config_address address;
    struct sotto_vouch_policy policy = {.root_count = 0};
    struct sotto_link_options link = {0};
    const struct sotto_cli_option options[] = {
        {"--gateway", "URL", "the gateway, with /v1", &w.gateway, NULL},
        {"--key", "KEY", "a key of the gateway (else SOTTO_API_KEY, which `ps` does not show)",
         &w.key, NULL},
        {"--listen", "ADDR:PORT", "where clients of this machine connect (127.0.0.1:8486)",
         &w.listen, NULL},
        {"--anonymize", NULL, "replace personal data before it leaves this machine", NULL,
         &w.anonymize},
        {"--mode", "MODE", "what --anonymize replaces (standard)", &w.mode, NULL},
        {"--profile", "NAME", "native or privatemode: how it is sealed (native)", &w.profile, NULL},
        {"--suite", "NAME", "auto, x-wing, kyber512 or rsa4096 (auto)", &w.suite, NULL},
        {"--trust", "WHOM", "a FILE of signing keys or mesh CAs, or evidence[:MEASUREMENT,...]",
         &w.trust, NULL},
        {"--roots", "HEX,...", "SHA-256 of further makers' root keys, for --trust evidence",
         &w.roots, NULL},
    };
    const struct sotto_cli cli = {
        .usage = "sotto proxy --gateway URL --key KEY [--listen 127.0.0.1:8486] [--anonymize]",
        .about = "Runs on the user's machine: any client of the OpenAI API talks plain HTTP to it, "
                 "and\nall that leaves is sealed to the gateway.  The first signing key of a "
                 "gateway (of the\nprofile privatemode: the first mesh CA) is remembered and no "
                 "other one believed, unless\n--trust says which.",
        .options = options,
        .option_count = SOTTO_COUNT(options),
    };
    int status = sotto_cli_read(&cli, argc, argv, NULL);
    if (status == SOTTO_CLI_GO) {
        status = read_words(&w, &address, &link);
    }
    if (status == SOTTO_CLI_GO) {
        status = read_trust(&w, path, &policy, &link);
    }
    return status == SOTTO_CLI_GO ? run_proxy(&w, &address, &link) : status;
}
