/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/guide.h"

#include <stdio.h>
#include <string.h>

/* Longest "https://[host]:port" that is printed. */
#define GUIDE_URL_BYTES 320

static void write_url(char out[GUIDE_URL_BYTES], const char *scheme, sotto_span host, uint16_t port)
{
    bool v6 = host.len != 0 && memchr(host.base, ':', host.len) != NULL;
    snprintf(out, GUIDE_URL_BYTES, "%s://%s%.*s%s:%u", scheme, v6 ? "[" : "", SOTTO_FMT(host),
             v6 ? "]" : "", port);
}

static void print_addresses(const struct sotto_config *config,
                            const struct sotto_gateway_ports *ports, const char *url)
{
    char other[GUIDE_URL_BYTES];
    printf("\n  playground  %s/\n  base URL    %s/v1\n", url, url);
    if (ports->plain != 0 && ports->tls != 0) {
        write_url(other, "https", config->tls.listen.host, ports->tls);
        printf("  over TLS    %s/v1\n", other);
    }
    if (ports->admin != 0) {
        write_url(other, "http", config->admin.host, ports->admin);
        printf("  health      %s/readyz\n", other);
    }
}

static void print_models(const struct sotto_config *config)
{
    for (size_t i = 0; i < config->model_count; i++) {
        const struct sotto_config_model *model = &config->models[i];
        sotto_span kind = config->upstreams[model->upstream].kind;
        printf("  %s %.*s by %.*s\n", i == 0 ? "models     " : "           ",
               SOTTO_FMT(model->name), SOTTO_FMT(model->upstream_name));
        if (sotto_span_eq(kind, SOTTO_LIT("mirror"))) {
            printf("              the built-in stand-in: it says back what a provider would see.\n"
                   "              Set OPENAI_API_KEY, MISTRAL_API_KEY or ANTHROPIC_API_KEY for a "
                   "provider.\n");
        }
    }
}

static void print_request(const char *url, const char *key)
{
    printf("\n  curl %s/v1/chat/completions \\\n"
           "    -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' \\\n"
           "    -H 'x-sotto-explain: 1' \\\n"
           "    -d '{\"model\":\"gpt-4\",\"messages\":[{\"role\":\"user\",\"content\":"
           "\"Write to Margaret Thornbury, m.thornbury@example.org.\"}]}'\n",
           url, key[0] != '\0' ? key : "ql_...");
    if (key[0] == '\0') {
        printf("\n  The key was printed at the first start. Another one: sotto keys create\n");
    }
    printf("\n");
}

void sotto_guide_print(const struct sotto_config *config, const struct sotto_gateway_ports *ports,
                       const char *key)
{
    char url[GUIDE_URL_BYTES];
    bool plain = ports->plain != 0;
    write_url(url, plain ? "http" : "https", plain ? config->listen.host : config->tls.listen.host,
              plain ? ports->plain : ports->tls);
    print_addresses(config, ports, url);
    print_models(config);
    print_request(url, key);
    fflush(stdout);
}
