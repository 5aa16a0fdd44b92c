/* SPDX-License-Identifier: Apache-2.0 */

#include "config/config.h"

#include "base/alloc.h"
#include "tap/tap.h"

/* --- an environment --------------------------------------------------------------------------- */

struct variable {
    const char *name, *value;
};

/* What is set now. */
static const struct variable *environment;

static const char *get_variable(void *ctx, const char *name)
{
    (void)ctx;
    for (const struct variable *v = environment; v != NULL && v->name != NULL; v++) {
        if (strcmp(v->name, name) == 0) {
            return v->value;
        }
    }
    return NULL;
}

static const struct variable some_variables[] = {
    {"PORT", "9000"},
    {"KEY", "sk-secret-value"},
    {"EMPTY", ""},
    {"BROKEN", "a\nb"},
    {"LONG", "sk-a-secret-value-that-is-longer-than-what-a-sentence-shows-of-any-value-at-all-"},
    {NULL, NULL}};

static struct sotto_config_env env_of(const struct variable *variables)
{
    environment = variables;
    return (struct sotto_config_env){.get = get_variable};
}

/* Reads a text that has to be good. */
static struct sotto_config *read_good(const char *yaml, const struct variable *variables)
{
    struct sotto_config *config = NULL;
    struct sotto_config_problems problems = {0};
    struct sotto_config_env env = env_of(variables);
    if (!OK(sotto_config_read(sotto_span_str(yaml), &env, &config, &problems) == SOTTO_OK,
            "it is valid")) {
        for (size_t i = 0; i < problems.count; i++) {
            printf("# %u:%u %s\n", problems.items[i].line, problems.items[i].column,
                   problems.items[i].text);
        }
        fflush(stdout);
        abort();
    }
    IS_SIZE(problems.count, 0, "without problems");
    sotto_config_problems_free(&problems);
    return config;
}

#define IS_SPAN(span, want, ...) IS_TEXT((span).base, (span).len, want, __VA_ARGS__)

/* --- values ----------------------------------------------------------------------------------- */

static void test_defaults(void)
{
    struct sotto_config *c = read_good("", NULL);
    IS_SPAN(c->listen.host, "127.0.0.1", "it listens on loopback");
    IS_INT(c->listen.port, 8484, "port 8484");
    IS_INT(c->admin.port, 8485, "the admin listener on 8485");
    IS_SIZE(c->tls.listen.host.len, 0, "no TLS");
    IS_SIZE(c->state.len, 0, "the state folder is the caller's");
    IS_INT(c->limits.body_bytes, 32 << 20, "a body has 32 MiB");
    IS_INT(c->limits.header_bytes, 64 << 10, "a head 64 KiB");
    IS_INT(c->limits.depth, 128, "JSON is 128 deep");
    IS_INT(c->limits.event_bytes, 16 << 20, "an event has 16 MiB");
    IS_INT(c->limits.connect_ms, 5000, "5 s to connect");
    IS_INT(c->limits.first_byte_ms, 300000, "300 s to the first byte");
    IS_INT(c->limits.idle_ms, 300000, "300 s between two");
    IS_INT(c->limits.drain_ms, 600000, "600 s to drain");
    IS_INT(c->limits.slow_after_ms, 10000, "10 s of slowness");
    IS_INT(c->limits.slow_rate_bytes, 1024, "below 1 KiB/s");
    IS_INT(c->limits.heartbeat_ms, 10000, "a comment after 10 s");
    IS_INT(c->limits.head_after_ms, 30000, "a head after 30 s");
    IS_INT(c->keys.grace_ms, 48 * 3600000, "48 hours of grace");
    IS_INT(c->quotas.requests_per_minute, 0, "no quotas");
    IS_SPAN(c->privacy.mode, "standard", "mode standard");
    IS_SPAN(c->privacy.style, "token", "style token");
    OK(!c->privacy.user_passes && c->privacy.detect.tagger == SOTTO_DETECT_SMALL &&
           !c->policy.require_agreements && !c->log.json && c->audit.strict && !c->audit.open &&
           !c->models_public,
       "switches");
    IS_SIZE(c->upstream_count, 1, "one upstream");
    IS_SPAN(c->upstreams[0].kind, "mirror", "the mirror");
    IS_SIZE(c->model_count, 1, "that serves");
    IS_SPAN(c->models[0].name, "*", "all models");
    for (unsigned i = 0; i < SOTTO_LABEL_COUNT; i++) {
        IS_INT(c->privacy.detect.threshold[i], 0, "label %u has its own threshold", i);
    }
    sotto_config_free(c);
    sotto_config_free(NULL);
}

static const char full_yaml[] =
    "listen: 0.0.0.0:80\n"
    "admin: off\n"
    "tls: {listen: \"[::]:443\", certificate: c.pem, key: k.pem}\n"
    "state: /var/lib/sotto\n"
    "threads: 3\n"
    "upstreams:\n"
    "  openai: {kind: openai, key: ${KEY}, region: us, agreements: [baa, dpa], connect: 1s}\n"
    "  house: {kind: openai, url: http://127.0.0.1:${PORT}/v1, trusted: true, models: [llama, "
    "qwen]}\n"
    "  azure:\n"
    "    kind: azure\n"
    "    url: https://x.openai.azure.com/\n"
    "    key: k\n"
    "    api_version: 2024-10-21\n"
    "    max_connections: 7\n    http2: off\n"
    "  mistral: {kind: mistral, key: m}\n"
    "  claude: {kind: anthropic, key: a}\n"
    "models:\n"
    "  public: true\n"
    "  \"*\": openai\n"
    "  gpt-4: {upstream: openai, as: gpt-4o}\n"
    "  mistral-*: mistral\n"
    "  mistral-large-*: {upstream: azure}\n"
    "privacy:\n"
    "  mode: clinic\n"
    "  style: redact\n"
    "  user: pass\n"
    "  allow: [Sotto, \"Muster AG\"]\n"
    "  deny: [Falke, {text: Adler, label: ORG}]\n"
    "  recognizers:\n"
    "    - {name: BED, pattern: 'B-[0-9]{4}', context: [bed, Bett], score: 0.85, checksum: luhn}\n"
    "    - {name: WARD, label: ORG, words: [Station 4]}\n"
    "  thresholds: {PERSON: 0.6, ID: 0}\n"
    "  modes:\n"
    "    clinic: {inherits: hipaa, tokenize: [OCCUPATION], pass: [CITY]}\n"
    "detection: {tagger: none}\n"
    "secrets: {master: 0123456789abcdef0123456789abcdef}\n"
    "policy: {require_agreements: false}\n"
    "audit: {origin: log.example.org/a, durability: batched, public: true}\n"
    "log: {format: json}\n"
    "quotas: {requests_per_minute: 60, tokens_per_minute: 1, monthly_requests: 2, monthly_tokens: "
    "3, monthly_cost: 12.50}\n"
    "limits: {body: 1MiB, header: 8KiB, depth: 64, event: 1MiB, answer: 2MiB, connect: 250ms,\n"
    "  first_byte: 1m, idle: 2m, slow_after: 1s, slow_rate: 512, keep_open: 5s, heartbeat: 15s,\n"
    "  head_after: 20s, drain: 1h, connections: 10}\n";

static void test_upstreams(const struct sotto_config *c)
{
    const struct sotto_config_upstream *u = c->upstreams;
    IS_SIZE(c->upstream_count, 5, "five upstreams");
    IS_SPAN(u[0].name, "openai", "in the order of the file");
    IS_SPAN(u[0].url.host, "api.openai.com", "with the provider's own address");
    IS_SPAN(u[0].url.base_path, "/v1", "and its path");
    OK(u[0].url.tls && u[0].url.port == 443, "over TLS");
    IS_SPAN(u[0].key, "sk-secret-value", "the key is from the environment");
    IS_SPAN(u[0].region, "us", "region");
    IS_SIZE(u[0].agreements.count, 2, "two agreements");
    IS_SPAN(u[0].agreements.items[1], "dpa", "the second");
    OK(u[0].connect_ms == 1000 && u[0].idle_ms == 120000 && u[0].first_byte_ms == 60000,
       "own times, else those of limits");
    IS_INT(u[0].max_connections, 1024, "connections have a default");
    OK(u[0].http2 && !u[2].http2, "HTTP/2 is spoken where it may");
    OK(!u[0].trusted && u[1].trusted, "one is trusted");
    IS_INT(u[1].url.port, 9000, "a reference inside a value");
    OK(!u[1].url.tls, "plain HTTP");
    IS_SPAN(u[2].api_version, "2024-10-21", "Azure's version");
    IS_SPAN(u[2].url.base_path, "", "a slash at the end is dropped");
    IS_INT(u[2].max_connections, 7, "own number of connections");
    IS_SPAN(u[3].url.host, "api.mistral.ai", "Mistral's address");
    IS_SPAN(u[4].url.host, "api.anthropic.com", "Anthropic's address");
}

static void test_routes(const struct sotto_config *c)
{
    static const struct {
        const char *model, *upstream, *as;
    } cases[] = {
        {"gpt-4", "openai", "gpt-4o"},
        {"gpt-4x", "openai", ""},
        {"llama", "house", ""},
        {"qwen", "house", ""},
        {"mistral-", "mistral", ""},
        {"mistral-small", "mistral", ""},
        {"mistral-large-2", "azure", ""},
        {"mistra", "openai", ""},
        {"", "openai", ""},
        {"public", "openai", ""},
    };
    OK(c->models_public, "the list of models is public");
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        const struct sotto_config_model *m = sotto_config_route(c, sotto_span_str(cases[i].model));
        OK(m != NULL, "'%s' is served", cases[i].model);
        if (m != NULL) {
            IS_SPAN(m->upstream_name, cases[i].upstream, "'%s': by whom", cases[i].model);
            IS_SPAN(c->upstreams[m->upstream].name, cases[i].upstream, "'%s': the index",
                    cases[i].model);
            IS_SPAN(m->as, cases[i].as, "'%s': as what", cases[i].model);
        }
    }
}

static void test_taggers(void)
{
    static const char *const words[] = {"small", "cascade", "large", "none"};
    for (size_t i = 0; i < SOTTO_COUNT(words); i++) {
        char yaml[100];
        snprintf(yaml, sizeof(yaml), "detection: {tagger: %s}\n", words[i]);
        struct sotto_config *c = read_good(yaml, NULL);
        IS_INT(c->privacy.detect.tagger, (int)i, "tagger: %s", words[i]);
        sotto_config_free(c);
    }
}

static void test_privacy(const struct sotto_config *c)
{
    const struct sotto_detector_options *o = &c->privacy.detect;
    IS_SPAN(c->privacy.mode, "clinic", "a mode of one's own is the default");
    const struct sotto_mode *mode = sotto_modes_find(c->privacy.modes, c->privacy.mode);
    OK(mode != NULL && sotto_mode_action(mode, SOTTO_LABEL_OCCUPATION, NULL, SOTTO_LIT("nurse")) ==
                           SOTTO_ACTION_TOKENIZE,
       "and does what it says");
    IS_SPAN(c->privacy.style, "redact", "style");
    OK(c->privacy.user_passes, "user passes");
    OK(c->privacy.detect.tagger == SOTTO_DETECT_NONE, "no tagger");
    OK(o->allow_count == 2 && o->deny_count == 2 && o->custom_count == 2, "lists");
    IS_SPAN(o->allow[1].text, "Muster AG", "an allowed word");
    OK(o->deny[0].label == SOTTO_LABEL_ID && o->deny[1].label == SOTTO_LABEL_ORG, "denied words");
    IS_SPAN(o->deny[1].text, "Adler", "a denied word");
    IS_SPAN(o->custom[0].pattern, "B-[0-9]{4}", "a pattern");
    IS_INT(o->custom[0].score, 850, "its score");
    IS_SPAN(o->custom[0].checksum, "luhn", "its checksum");
    IS_SIZE(o->custom[0].context_count, 2, "its context");
    OK(o->custom[0].label == SOTTO_LABEL_ID, "its label");
    IS_SIZE(o->custom[1].word_count, 1, "words");
    IS_SPAN(o->custom[1].words[0], "Station 4", "the first");
    IS_INT(o->custom[1].score, 900, "a score by default");
    IS_INT(o->threshold[SOTTO_LABEL_PERSON], 600, "a threshold");
    IS_INT(o->threshold[SOTTO_LABEL_ID], 1, "zero is the lowest threshold, not the built-in one");
    IS_INT(o->threshold[SOTTO_LABEL_ORG], 0, "no threshold is the built-in one");
}

static void test_every_field(void)
{
    struct sotto_config *c = read_good(full_yaml, some_variables);
    IS_SPAN(c->listen.host, "0.0.0.0", "listen");
    IS_SIZE(c->admin.host.len, 0, "admin is off");
    IS_SPAN(c->tls.listen.host, "::", "TLS on IPv6");
    IS_SPAN(c->tls.certificate, "c.pem", "its certificate");
    IS_SPAN(c->tls.key, "k.pem", "its key");
    IS_SPAN(c->state, "/var/lib/sotto", "state");
    IS_INT(c->threads, 3, "threads");
    test_upstreams(c);
    test_routes(c);
    test_privacy(c);
    IS_SPAN(c->secrets.master, "0123456789abcdef0123456789abcdef", "master secret");
    IS_SPAN(c->audit.origin, "log.example.org/a", "audit origin");
    OK(!c->audit.strict && c->audit.open && c->log.json, "switches");
    OK(c->quotas.requests_per_minute == 60 && c->quotas.tokens_per_minute == 1 &&
           c->quotas.monthly_requests == 2 && c->quotas.monthly_tokens == 3 &&
           c->quotas.monthly_cost_nano == 12500000000,
       "quotas");
    OK(c->limits.body_bytes == 1 << 20 && c->limits.header_bytes == 8192 && c->limits.depth == 64 &&
           c->limits.event_bytes == 1 << 20 && c->limits.answer_bytes == 2 << 20 &&
           c->limits.connect_ms == 250 && c->limits.slow_after_ms == 1000 &&
           c->limits.slow_rate_bytes == 512 && c->limits.keep_open_ms == 5000 &&
           c->limits.heartbeat_ms == 15000 && c->limits.head_after_ms == 20000 &&
           c->limits.drain_ms == 3600000 && c->limits.connections == 10,
       "limits");
    sotto_config_free(c);
}

static void test_references(void)
{
    static const struct {
        const char *yaml, *want;
    } cases[] = {
        {"state: ${KEY}", "sk-secret-value"},
        {"state: \"${KEY}\"", "sk-secret-value"},
        {"state: '/a/${KEY}/b'", "/a/sk-secret-value/b"},
        {"{state: ${KEY}}", "sk-secret-value"},
        {"{state: /a/${KEY}/${PORT}, log: {format: ${NONE:-json}}}", "/a/sk-secret-value/9000"},
        {"state: ${NONE:-/tmp/x}", "/tmp/x"},
        {"state: x${EMPTY:-/tmp/x}", "x"},
        {"state: x${NONE:-}", "x"},
        {"state: $${KEY}", "${KEY}"},
        {"{state: $${KEY}}", "${KEY}"},
        {"state: $KEY", "$KEY"},
        {"state: a$", "a$"},
        {"state: \"$$\"", "$$"},
        {"state: ${KEY} # a ${COMMENT} is not read", "sk-secret-value"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct sotto_config *c = read_good(cases[i].yaml, some_variables);
        IS_SPAN(c->state, cases[i].want, "%s", cases[i].yaml);
        sotto_config_free(c);
    }
}

/* --- problems --------------------------------------------------------------------------------- */

struct bad {
    const char *yaml;
    const char *want; /* all that is printed */
};

#define UP "upstreams: {a: {kind: openai, key: k}, b: {kind: mistral, key: k}}\n"

static const struct bad bad_yaml[] = {
    /* the language */
    {"a: &x 1", "line 1, column 4: anchors are not allowed\n"},
    {"a: *x", "line 1, column 4: aliases are not allowed\n"},
    {"a: !!str x", "line 1, column 4: tags are not allowed\n"},
    {"a: !<x> {}", "line 1, column 4: tags are not allowed\n"},
    {"---\nthreads: 1\n---\n", "line 3, column 1: the file must be one document\n"},
    {"? [a]\n: b", "line 1, column 3: a key must be a single value\n"},
    {"a: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]",
     "line 1, column 19: the values are nested too deep\n"},
    {"threads: 1\n  x: 2",
     "line 2, column 4: is not YAML: mapping values are not allowed in this context\n"},
    {"a: \xff", "line 1, column 4: is not YAML: invalid leading UTF-8 octet\n"},
    {"a: \x01", "line 1, column 4: is not YAML: control characters are not allowed\n"},
    {"{a: 1", "line 2, column 1: is not YAML: while parsing a flow mapping, "
              "did not find expected ',' or '}'\n"},
    {"- a", "line 1, column 1: the file must be a mapping (key: value)\n"},
    {"word", "line 1, column 1: the file must be a mapping (key: value)\n"},
    {"a: \xef\xb7\x90", "the file holds noncharacters (U+FDD0, U+FDD1)\n"},
    /* keys */
    {"listn: off", "line 1, column 1: listn: is not a known key; did you mean listen?\n"},
    {"zzzzzzz: 1", "line 1, column 1: zzzzzzz: is not a known key\n"},
    {"\"a\\x1bb\": 1", "line 1, column 1: a?b: is not a known key\n"},
    {"limits:\n  bodyy: 1",
     "line 2, column 3: limits.bodyy: is not a known key; did you mean body?\n"},
    {"threads: 1\nlog: {}\nthreads: 2",
     "line 3, column 1: threads: is given twice, before in line 1\n"},
    {"tls: {key: a, key: b}", "line 1, column 1: tls.listen: is missing: a certificate without a "
                              "listener has no use\n"
                              "line 1, column 15: key: is given twice, before in line 1\n"},
    /* types and ranges */
    {"threads:", "line 1, column 9: threads: has no value\n"},
    {"threads: ~", "line 1, column 10: threads: has no value\n"},
    {"threads: \"\"", "line 1, column 10: threads: must be a whole number, not ''\n"},
    {"threads: x", "line 1, column 10: threads: must be a whole number, not 'x'\n"},
    {"threads: -1", "line 1, column 10: threads: must be a whole number, not '-1'\n"},
    {"threads: 300", "line 1, column 10: threads: must be between 0 and 256, not '300'\n"},
    {"threads: [1]", "line 1, column 10: threads: must be a single value\n"},
    {"threads: ${KEY}", "line 1, column 10: threads: must be a whole number\n"},
    {"limits: 1", "line 1, column 9: limits: must be a mapping (key: value)\n"},
    {"limits: {body: abc}",
     "line 1, column 16: limits.body: must be a size such as 32MiB, not 'abc'\n"},
    {"limits: {body: 1}",
     "line 1, column 16: limits.body: must be between 1KiB and 1GiB, not '1'\n"},
    {"limits: {idle: 5}", "line 1, column 16: limits.idle: must be a duration such as 300s, 5m or "
                          "48h, not '5'\n"},
    {"limits: {idle: 2d}",
     "line 1, column 16: limits.idle: must be between 1ms and 1d, not '2d'\n"},
    {"listen: localhost:80", "line 1, column 9: listen: must be an address and a port such as "
                             "127.0.0.1:8484, or off, not 'localhost:80'\n"},
    {"models: {public: yes}",
     "line 1, column 18: models.public: must be true or false, not 'yes'\n"},
    {"log: {format: text}", "line 1, column 15: log.format: must be logfmt or json, not 'text'\n"},
    {"privacy: {style: emoji}",
     "line 1, column 18: privacy.style: must be token, angle, surrogate or redact, not 'emoji'\n"},
    {"privacy: {allow: x}",
     "line 1, column 18: privacy.allow: must be a list such as [one, two], not 'x'\n"},
    {"privacy: {allow: [a, [b]]}", "line 1, column 22: privacy.allow[1]: must be a single value\n"},
    {"privacy: {allow: [\"\"]}", "line 1, column 19: privacy.allow[0]: must not be empty\n"},
    {"privacy: {allow: [\"a\\nb\"]}", "line 1, column 19: privacy.allow[0]: must not hold line "
                                      "breaks or other control characters\n"},
    {"privacy: {deny: {}}", "line 1, column 17: privacy.deny: must be a list\n"},
    {"privacy: {deny: [[a]]}",
     "line 1, column 18: privacy.deny[0]: must be a mapping (key: value)\n"},
    {"privacy: {deny: [{label: ID}]}", "line 1, column 18: privacy.deny[0].text: is missing\n"},
    {"privacy: {deny: [{text: a, label: NAME}]}", "line 1, column 35: privacy.deny[0].label: must "
                                                  "be a label such as PERSON or ID, not 'NAME'\n"},
    {"detection: {tagger: huge}",
     "line 1, column 21: detection.tagger: must be small, cascade, large or none, not 'huge'\n"},
    {"privacy: {thresholds: [1]}",
     "line 1, column 23: privacy.thresholds: must be a mapping such as {PERSON: 0.6}\n"},
    {"privacy: {thresholds: {NAME: 1}}",
     "line 1, column 24: privacy.thresholds.NAME: is not a label such as PERSON or ID\n"},
    {"privacy: {thresholds: {ID: 2}}",
     "line 1, column 28: privacy.thresholds.ID: must be a number from 0 to 1, not '2'\n"},
    {"secrets: {master: short}",
     "line 1, column 19: secrets.master: must be at least 32 characters long\n"},
    {"secrets: {master: \"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
     "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}",
     "line 1, column 19: secrets.master: must be ASCII\n"},
    {"log: {format: 123456789012345678901234567890123456789012345678901234567890123456789012345678"
     "90}",
     "line 1, column 15: log.format: must be logfmt or json, not "
     "'1234567890123456789012345678901234567890123456789012345678901234567890123456...'\n"},
    /* the environment */
    {"state: ${NONE}", "line 1, column 8: the environment variable NONE is not set\n"},
    {"state: x${", "line 1, column 8: '${' without a '}'; write $${ for the two characters "
                   "themselves\n"},
    {"state: \"${}\"", "line 1, column 8: '${' must be followed by the name of an environment "
                       "variable and a '}'\n"},
    {"state: \"${a b}\"", "line 1, column 8: '${' must be followed by the name of an environment "
                          "variable and a '}'\n"},
    {"state: ${BROKEN}", "line 1, column 8: state: must not hold line breaks or other control "
                         "characters\n"},
    {"log: {format: ${KEY}}", "line 1, column 15: log.format: must be logfmt or json\n"},
    /* listeners */
    {"listen: off", "line 1, column 9: listen: must not be off where tls.listen is off\n"},
    {"tls: {listen: 127.0.0.1:1}", "line 1, column 1: tls.certificate: is missing\n"
                                   "line 1, column 1: tls.key: is missing\n"},
    {"tls: {certificate: a, key: b}", "line 1, column 1: tls.listen: is missing: a certificate "
                                      "without a listener has no use\n"},
    {"admin: 127.0.0.1:8484",
     "line 1, column 8: admin: must not be the address of another listener\n"},
    {"listen: 127.0.0.1:1\ntls: {listen: 127.0.0.1:1, certificate: a, key: b}",
     "line 2, column 15: tls.listen: must not be the address of listen\n"},
    /* upstreams */
    {"upstreams: [a]", "line 1, column 12: upstreams: must be a mapping (name: ...)\n"},
    {"upstreams: {a: b}", "line 1, column 16: upstreams.a: must be a mapping (key: value)\n"},
    {"upstreams:\n  a:\n", "line 2, column 3: upstreams.a.kind: is missing\n"},
    {"upstreams: {a: {}}", "line 1, column 13: upstreams.a.kind: is missing\n"},
    {"upstreams: {a: {kind: cohere}}",
     "line 1, column 23: upstreams.a.kind: must be openai, azure, "
     "mistral, anthropic or mirror, not 'cohere'\n"},
    {"upstreams: {a: {kind: azure, key: k}}", "line 1, column 13: upstreams.a.url: is missing\n"},
    {"upstreams: {a: {kind: openai}}", "line 1, column 13: upstreams.a.key: is missing: the "
                                       "provider's public address wants one\n"},
    {"upstreams: {a: {kind: openai, url: ftp://x}}",
     "line 1, column 36: upstreams.a.url: must be a URL such as https://api.example.com/v1, not "
     "'ftp://x'\n"},
    {"upstreams: {a: {kind: openai, url: \"http://${KEY}@x\"}}",
     "line 1, column 36: upstreams.a.url: must be a URL such as https://api.example.com/v1\n"},
    {"upstreams: {a: {kind: openai, key: \"a\\rb\"}}",
     "line 1, column 36: upstreams.a.key: must not hold line breaks or other control characters\n"},
    {"upstreams: {a: {kind: mirror, url: http://x}}",
     "line 1, column 36: upstreams.a.url: must not be given: the mirror is built in\n"},
    {"upstreams: {a b: {kind: mirror}}",
     "line 1, column 18: upstreams.a b: the name must be 1 to 60 "
     "letters, digits, hyphens, dots and underscores\n"},
    {"upstreams: {a: {kind: openai, key: k, api_version: 1}}",
     "line 1, column 52: upstreams.a.api_version: is for the kind azure only\n"},
    {"policy: {require_agreements: true}\nupstreams: {a: {kind: openai, key: k}}",
     "line 2, column 13: upstreams.a.agreements: must name one, for policy.require_agreements is "
     "true\n"},
    /* models */
    {UP, "models: is missing: with several upstreams it must say which serves which model\n"},
    {UP "models: {x: c}",
     "line 2, column 10: models.x.upstream: must be the name of an upstream: a or b\n"},
    {UP "models: {x: {upstream: a, input_price: cheap}}",
     "line 2, column 40: models.x.input_price: must be a number such as 2.50, from 0 to 10000, not "
     "'cheap'\n"},
    {UP "models: {x: {upstream: a, output_price: -1}}",
     "line 2, column 41: models.x.output_price: must be a number such as 2.50, from 0 to 10000, "
     "not '-1'\n"},
    {UP "models: {x: {upstream: a, output_price: 10000.01}}",
     "line 2, column 41: models.x.output_price: must be a number such as 2.50, from 0 to 10000, "
     "not '10000.01'\n"},
    {UP "models: {x: {upstream: a, tasks: embed}}",
     "line 2, column 34: models.x.tasks: must be a list such as [one, two], not 'embed'\n"},
    {"quotas: {monthly_cost: much}",
     "line 1, column 24: quotas.monthly_cost: must be a number such as 2.50, from 0 to "
     "1000000000, not 'much'\n"},
    {UP "models: {x: {as: y}}",
     "line 2, column 10: models.x.upstream: is missing: it must be a or b\n"},
    {UP "models: {x*y: a}", "line 2, column 15: models.x*y: a * may only be the last character\n"},
    {UP "models: {\"\": a}", "line 2, column 14: models.: the name must be 1 to 200 bytes long\n"},
    {"upstreams: {a: {kind: mirror, models: [x, 'y*z']}}",
     "line 1, column 43: upstreams.a.models[1]: a * may only be the last character\n"},
    {"models: {x: a}", "line 1, column 1: models: needs upstreams that serve them\n"},
    {"upstreams: {a: {kind: mirror, models: [x]}}\nmodels: {x: a}",
     "line 1, column 39: upstreams.a.models: x is served by another entry already\n"},
    /* privacy */
    {"privacy: {mode: strict}", "line 1, column 17: privacy.mode: must be the name of a mode\n"},
    {"upstreams: {a: {kind: openai, key: k, region: us}}\n"
     "privacy: {mode: x, modes: {x: {inherits: gdpr, regions: [ch]}}}",
     "line 2, column 17: privacy.mode: no upstream may be used: The mode x lets data go to ch "
     "only, "
     "and the upstream a is in us.\n"},
    {"upstreams: {a: {kind: openai, key: k}}\n"
     "privacy: {modes: {x: {inherits: hipaa, agreements: [baa]}}}",
     "line 2, column 22: privacy.modes.x: no upstream may be used: The mode x asks for the "
     "agreement "
     "baa, which the upstream a does not have.\n"},
    {"privacy: {modes: {x: {inherits: gdpr, block: [ID], tokenize: [ID]}}}",
     "line 1, column 47: privacy.modes.x.block[0]: must not stand in tokenize as well\n"},
    {"privacy: {modes: {x: {inherits: gdpr, content: some}}}",
     "line 1, column 48: privacy.modes.x.content: must be pass or refuse, not 'some'\n"},
    {"privacy: {modes: {x: {}}}", "line 1, column 19: privacy.modes.x.inherits: is missing\n"},
    {"privacy: {modes: {x: {inherits: y}}}",
     "line 1, column 33: privacy.modes.x.inherits: must be the name of a mode\n"},
    {"privacy: {modes: {X: {inherits: gdpr}}}",
     "line 1, column 22: privacy.modes.X: the name must be 1 to 48 lower-case letters, digits and "
     "hyphens, beginning with a letter\n"},
    {"privacy: {modes: {x: {inherits: gdpr, pass: [AGE, PERSN]}}}",
     "line 1, column 51: privacy.modes.x.pass[1]: must be a label or an exact type, not 'PERSN'\n"},
    {"privacy: {modes: {x: {inherits: gdpr, pass: [PERSON]}}}",
     "line 1, column 46: privacy.modes.x.pass[0]: would let PERSON pass, which standard "
     "tokenizes\n"},
    {"privacy: {recognizers: [{pattern: a}]}",
     "line 1, column 25: privacy.recognizers[0].name: is missing\n"},
    {"privacy: {recognizers: [{name: bed, pattern: a}]}",
     "line 1, column 32: privacy.recognizers[0].name: must be capitals, digits and underscores, "
     "beginning with a capital\n"},
    {"privacy: {recognizers: [{name: IBAN, pattern: a}]}",
     "line 1, column 32: privacy.recognizers[0].name: is the name of a built-in type\n"},
    {"privacy: {recognizers: [{name: BED, pattern: a}, {name: BED, pattern: b}]}",
     "line 1, column 57: privacy.recognizers[1].name: is the name of another recognizer\n"},
    {"privacy: {recognizers: [{name: BED}]}",
     "line 1, column 25: privacy.recognizers[0]: must have either pattern or words\n"},
    {"privacy: {recognizers: [{name: BED, pattern: a, words: [b]}]}",
     "line 1, column 25: privacy.recognizers[0]: must have either pattern or words\n"},
    {"privacy: {recognizers: [{name: BED, pattern: a, score: high}]}",
     "line 1, column 56: privacy.recognizers[0].score: must be a number from 0 to 1, not "
     "'high'\n"},
    /* what came from the environment is named, never shown */
    {"upstreams: {a: {kind: mirror, models: ['${KEY}', '${KEY}']}}",
     "line 1, column 39: upstreams.a.models: ${KEY} is served by another entry already\n"},
    {"upstreams: {a: {kind: mirror}}\nprivacy: {modes: {x: {inherits: gdpr, tokenize: "
     "['x${KEY}y']}}}",
     "line 2, column 50: privacy.modes.x.tokenize[0]: must be a label or an exact type, not "
     "'x${KEY}y'\n"},
    {"upstreams: {a: {kind: mirror, models: ['${LONG}', '${LONG}']}}",
     "line 1, column 39: upstreams.a.models: ${LONG}... is served by another entry already\n"},
    {"upstreams: {a: {kind: openai, url: 'https://a/', key: x, region: '${KEY}'}}\nmodels: {m: a}\n"
     "privacy: {mode: x, modes: {x: {inherits: gdpr, regions: [eu]}}}",
     "line 3, column 17: privacy.mode: no upstream may be used: The mode x lets data go to eu "
     "only, "
     "and the upstream a is in ${KEY}.\n"},
    /* several at once, in the order of the file */
    {"limits: {idle: x}\nthreads: y\nfoo: 1\nlog: {format: z}",
     "line 1, column 16: limits.idle: must be a duration such as 300s, 5m or 48h, not 'x'\n"
     "line 2, column 10: threads: must be a whole number, not 'y'\n"
     "line 3, column 1: foo: is not a known key; did you mean log?\n"
     "line 4, column 15: log.format: must be logfmt or json, not 'z'\n"},
};

static void test_sentences(void)
{
    struct sotto_config_env env = env_of(some_variables);
    for (size_t i = 0; i < SOTTO_COUNT(bad_yaml); i++) {
        struct sotto_config *config = NULL;
        struct sotto_config_problems problems = {0};
        struct sotto_buf out;
        sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
        IS_INT(sotto_config_read(sotto_span_str(bad_yaml[i].yaml), &env, &config, &problems),
               SOTTO_EINVAL, "bad text %zu is refused", i);
        OK(config == NULL, "bad text %zu: nothing comes out", i);
        IS_INT(sotto_config_problems_print(&problems, &out), SOTTO_OK, "it is printed");
        IS_TEXT(out.base, out.len, bad_yaml[i].want, "bad text %zu: what is said", i);
        sotto_buf_free(&out);
        sotto_config_problems_free(&problems);
    }
}

static void test_sizes(void)
{
    struct sotto_config_env env = env_of(NULL);
    struct sotto_config *config = NULL;
    struct sotto_config_problems problems = {0};
    struct sotto_buf yaml;
    sotto_buf_init(&yaml, SOTTO_BUF_UNBOUNDED);
    for (int i = 0; i < 5000; i++) {
        sotto_ignore(sotto_buf_printf(&yaml, "key%d: 1\n", i));
    }
    IS_INT(sotto_config_read(sotto_buf_span(&yaml), &env, &config, &problems), SOTTO_EINVAL,
           "five thousand unknown keys");
    IS_SIZE(problems.count, 100, "a hundred of them are named");
    sotto_config_problems_free(&problems);
    sotto_buf_truncate(&yaml, 0);
    sotto_ignore(sotto_buf_append(&yaml, SOTTO_LIT("privacy: {allow: [")));
    for (int i = 0; i < 100000; i++) {
        sotto_ignore(sotto_buf_append(&yaml, SOTTO_LIT("a,")));
    }
    sotto_ignore(sotto_buf_append(&yaml, SOTTO_LIT("]}")));
    IS_INT(sotto_config_read(sotto_buf_span(&yaml), &env, &config, &problems), SOTTO_EINVAL,
           "more values than allowed");
    IS_TEXT(problems.items[0].text, strlen(problems.items[0].text),
            "the file holds too many values", "it says so");
    sotto_config_problems_free(&problems);
    uint8_t *dst = NULL;
    sotto_buf_truncate(&yaml, 0);
    sotto_ignore(sotto_buf_extend(&yaml, SOTTO_CONFIG_MAX_BYTES + 1, &dst));
    memset(dst, '#', SOTTO_CONFIG_MAX_BYTES + 1);
    IS_INT(sotto_config_read(sotto_buf_span(&yaml), &env, &config, &problems), SOTTO_EINVAL,
           "a file that is too long");
    IS_TEXT(problems.items[0].text, strlen(problems.items[0].text), "the file is longer than 4 MiB",
            "it says so");
    sotto_config_problems_free(&problems);
    sotto_buf_free(&yaml);
}

/* --- without a file --------------------------------------------------------------------------- */

struct environment_case {
    const char *name;
    struct variable variables[6];
    const char *want; /* "name=kind@host:port/path+key ..." then "; " and routes; or problems */
};

static void describe(const struct sotto_config *c, struct sotto_buf *out)
{
    for (size_t i = 0; i < c->upstream_count; i++) {
        const struct sotto_config_upstream *u = &c->upstreams[i];
        sotto_ignore(sotto_buf_printf(
            out, "%.*s=%.*s@%s%.*s:%u%.*s+%.*s%.*s ", SOTTO_FMT(u->name), SOTTO_FMT(u->kind),
            u->url.tls ? "" : "http:", SOTTO_FMT(u->url.host), u->url.port,
            SOTTO_FMT(u->url.base_path), SOTTO_FMT(u->key), SOTTO_FMT(u->api_version)));
    }
    for (size_t i = 0; i < c->model_count; i++) {
        sotto_ignore(sotto_buf_printf(out, "%.*s>%.*s ", SOTTO_FMT(c->models[i].name),
                                      SOTTO_FMT(c->upstreams[c->models[i].upstream].name)));
    }
}

static const struct environment_case environment_cases[] = {
    {"nothing", {{NULL, NULL}}, "mirror=mirror@http::0+ *>mirror "},
    {"set to nothing", {{"OPENAI_API_KEY", ""}, {NULL, NULL}}, "mirror=mirror@http::0+ *>mirror "},
    {"an OpenAI key",
     {{"OPENAI_API_KEY", "k"}, {NULL, NULL}},
     "openai=openai@api.openai.com:443/v1+k *>openai "},
    {"a base URL alone",
     {{"OPENAI_BASE_URL", "http://127.0.0.1:8000/v1"}, {NULL, NULL}},
     "openai=openai@http:127.0.0.1:8000/v1+ *>openai "},
    {"a base URL and a key",
     {{"OPENAI_BASE_URL", "http://h/v1/"}, {"OPENAI_API_KEY", "k"}, {NULL, NULL}},
     "openai=openai@http:h:80/v1+k *>openai "},
    {"OpenAI, Mistral and Anthropic",
     {{"OPENAI_API_KEY", "k"}, {"MISTRAL_API_KEY", "m"}, {"ANTHROPIC_API_KEY", "a"}, {NULL, NULL}},
     "openai=openai@api.openai.com:443/v1+k mistral=mistral@api.mistral.ai:443/v1+m "
     "anthropic=anthropic@api.anthropic.com:443/v1+a mistral-*>mistral claude-*>anthropic "
     "*>openai "},
    {"Mistral alone",
     {{"MISTRAL_API_KEY", "m"}, {NULL, NULL}},
     "mistral=mistral@api.mistral.ai:443/v1+m mistral-*>mistral *>mistral "},
    {"Mistral and Anthropic",
     {{"MISTRAL_API_KEY", "m"}, {"ANTHROPIC_API_KEY", "a"}, {NULL, NULL}},
     "mistral=mistral@api.mistral.ai:443/v1+m anthropic=anthropic@api.anthropic.com:443/v1+a "
     "mistral-*>mistral claude-*>anthropic "},
    {"Azure",
     {{"AZURE_OPENAI_ENDPOINT", "https://x.openai.azure.com/"},
      {"AZURE_OPENAI_API_KEY", "z"},
      {NULL, NULL}},
     "azure=azure@x.openai.azure.com:443+z *>azure "},
    {"Azure with a version, and Mistral",
     {{"AZURE_OPENAI_ENDPOINT", "https://x.openai.azure.com"},
      {"AZURE_OPENAI_API_KEY", "z"},
      {"OPENAI_API_VERSION", "2024-10-21"},
      {"MISTRAL_API_KEY", "m"},
      {NULL, NULL}},
     "azure=azure@x.openai.azure.com:443+z2024-10-21 mistral=mistral@api.mistral.ai:443/v1+m "
     "mistral-*>mistral *>azure "},
    {"half of Azure",
     {{"AZURE_OPENAI_API_KEY", "z"}, {NULL, NULL}},
     "AZURE_OPENAI_ENDPOINT: is not set, but AZURE_OPENAI_API_KEY is\n"},
    {"the other half",
     {{"AZURE_OPENAI_ENDPOINT", "https://x"}, {NULL, NULL}},
     "AZURE_OPENAI_API_KEY: is not set, but AZURE_OPENAI_ENDPOINT is\n"},
    {"Azure and OpenAI",
     {{"AZURE_OPENAI_ENDPOINT", "https://x"},
      {"AZURE_OPENAI_API_KEY", "z"},
      {"OPENAI_API_KEY", "k"},
      {NULL, NULL}},
     "the environment names both OpenAI and Azure OpenAI: unset one of them, or write a "
     "configuration that says which serves which model\n"},
    {"a bad base URL",
     {{"OPENAI_BASE_URL", "127.0.0.1:8000"}, {NULL, NULL}},
     "OPENAI_BASE_URL: must be a URL such as https://api.example.com/v1\n"},
    {"a key with a line break",
     {{"OPENAI_API_KEY", "k\n"}, {NULL, NULL}},
     "OPENAI_API_KEY: must not hold line breaks, control characters or what is not ASCII\n"},
};

static void test_environment(void)
{
    for (size_t i = 0; i < SOTTO_COUNT(environment_cases); i++) {
        struct sotto_config_env env = env_of(environment_cases[i].variables);
        for (int with_file = 0; with_file < 2; with_file++) {
            struct sotto_config *c = NULL;
            struct sotto_config_problems problems = {0};
            struct sotto_buf out;
            sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
            enum sotto_err err =
                with_file != 0 ? sotto_config_read(SOTTO_LIT("threads: 1"), &env, &c, &problems)
                               : sotto_config_from_env(&env, &c, &problems);
            if (err == SOTTO_OK) {
                describe(c, &out);
            } else {
                sotto_ignore(sotto_config_problems_print(&problems, &out));
            }
            IS_TEXT(out.base, out.len, environment_cases[i].want, "%s, %s",
                    environment_cases[i].name,
                    with_file != 0 ? "beside a file without upstreams" : "without a file");
            sotto_buf_free(&out);
            sotto_config_problems_free(&problems);
            sotto_config_free(c);
        }
    }
}

/* --- the rest --------------------------------------------------------------------------------- */

static void test_nobody_serves(void)
{
    struct sotto_config *c = read_good(UP "models: {x: a, y-*: b}", NULL);
    OK(sotto_config_route(c, SOTTO_LIT("z")) == NULL, "a model that nobody serves");
    OK(sotto_config_route(c, SOTTO_LIT("x1")) == NULL, "an exact name is exact");
    OK(sotto_config_route(c, SOTTO_LIT("y-1")) == &c->models[1], "a prefix");
    sotto_config_free(c);
    c = read_good("upstreams: {a: {kind: mirror}}\nmodels: {x: {as: y}}", NULL);
    IS_SPAN(c->models[0].upstream_name, "a", "the only upstream need not be named");
    OK(sotto_config_route(c, SOTTO_LIT("z")) == NULL, "given models are all there are");
    sotto_config_free(c);
}

static void test_every_allocation_failure(void)
{
    struct sotto_config_env env = env_of(some_variables);
    enum sotto_err err = SOTTO_ENOMEM;
    size_t n = 0;
    bool clean = true;
    while (err == SOTTO_ENOMEM) {
        struct sotto_config *c = NULL;
        struct sotto_config_problems problems = {0};
        sotto_alloc_set_fault(++n);
        err = sotto_config_read(sotto_span_str(full_yaml), &env, &c, &problems);
        sotto_alloc_set_fault(0);
        clean = clean && (err == SOTTO_OK) == (c != NULL) && problems.count == 0;
        sotto_config_problems_free(&problems);
        sotto_config_free(c);
    }
    OK(err == SOTTO_OK && n > 10, "each of %zu allocations fails once", n - 1);
    OK(clean, "and nothing comes out");

    n = 0;
    do {
        struct sotto_config *c = NULL;
        struct sotto_config_problems problems = {0};
        sotto_alloc_set_fault(++n);
        err = sotto_config_read(SOTTO_LIT("foo: 1\nbar: 2\nthreads: x"), &env, &c, &problems);
        sotto_alloc_set_fault(0);
        clean = clean && c == NULL;
        sotto_config_problems_free(&problems);
    } while (err == SOTTO_ENOMEM && n < 1000);
    OK(err == SOTTO_EINVAL && clean, "also where there are problems");
}

/* --- the files made from the table -------------------------------------------------------------- */

static void check_file(const char *path, enum sotto_err (*print)(struct sotto_buf *out))
{
    const char *root = getenv("SOTTO_SOURCE"); /* NOLINT(concurrency-mt-unsafe) */
    char full[4096];
    struct sotto_buf out;
    snprintf(full, sizeof(full), "%s/%s", root != NULL ? root : ".", path);
    FILE *file = fopen(full, "rbe");
    char *text = calloc(1, 1 << 20);
    size_t len = file != NULL && text != NULL ? fread(text, 1, 1 << 20, file) : 0;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    IS_INT(print(&out), SOTTO_OK, "%s can be made", path);
    OK(len == out.len && (len == 0 || memcmp(text, out.base, len) == 0),
       "%s is what `sotto check` prints: run scripts/make-reference", path);
    if (file != NULL) {
        fclose(file);
    }
    free(text);
    sotto_buf_free(&out);
}

int main(void)
{
    test_defaults();
    test_every_field();
    test_references();
    test_taggers();
    test_sentences();
    test_sizes();
    test_environment();
    test_nobody_serves();
    test_every_allocation_failure();
    check_file("deploy/sotto.schema.json", sotto_config_print_schema);
    check_file("docs/configuration.md", sotto_config_print_reference);
    check_file("docs/man/sotto.conf.5", sotto_config_print_manual);
    return done_testing();
}
