/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CONFIG_CONFIG_H
#define SOTTO_CONFIG_CONFIG_H

/*
 * The configuration: one YAML file, or the environment alone.
 *
 * It is read strictly.  An unknown or doubled key, a wrong type, a value out of range, a reference
 * to what is not there: each is a problem with its place and a sentence, all of them are found at
 * once, and a configuration with a problem is none.  `${NAME}` in a value is replaced by the
 * environment variable, `${NAME:-text}` by `text` where the variable is not set, `$${` stands for
 * `${`.  Anchors, aliases, tags and several documents are refused.
 *
 * What fields there are, their ranges and defaults stand in one table (config/schema.c), from
 * which the JSON Schema and docs/configuration.md are made too.
 *
 * A configuration is immutable and may be shared by threads.  Its secrets (keys of upstreams, the
 * master secret) are wiped with it.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "detect/detect.h"
#include "policy/mode.h"

/** Largest file, deepest nesting and most values. */
#define SOTTO_CONFIG_MAX_BYTES ((size_t)4 << 20)
#define SOTTO_CONFIG_MAX_DEPTH 16
#define SOTTO_CONFIG_MAX_NODES 100000

/** Money is counted in thousand-millionths of the currency of the prices, whichever that is. */
#define SOTTO_CONFIG_NANO UINT64_C(1000000000)

struct sotto_config_list {
    const sotto_span *items;
    size_t count;
};

/** Where to listen; an empty host: not at all. */
struct sotto_config_address {
    sotto_span host; /* numeric IPv4 or IPv6 address without brackets */
    uint16_t port;   /* 0: any free one */
};

struct sotto_config_url {
    sotto_span host; /* name or address, without brackets */
    uint16_t port;
    bool tls;
    sotto_span base_path; /* "/v1", without a slash at the end; may be empty */
};

struct sotto_config_upstream {
    sotto_span name;
    sotto_span kind;             /* "openai", "azure", "mistral", "anthropic", "mirror" */
    struct sotto_config_url url; /* kind "mirror": empty */
    sotto_span key;              /* empty: none */
    sotto_span region;
    struct sotto_config_list agreements;
    bool trusted;                    /* gets the text as it is */
    sotto_span api_version;          /* Azure's dated api-version; empty: its v1 path */
    struct sotto_config_list models; /* served under their own names, beside what `models` says */
    uint64_t connect_ms, first_byte_ms, idle_ms; /* those of `limits` where not given */
    uint64_t max_connections;                    /* for each thread */
    bool http2;                                  /* offered to it where its URL is https */
};

/** Which upstream serves a model. */
struct sotto_config_model {
    sotto_span name; /* exact, "prefix*" or "*" */
    sotto_span upstream_name;
    size_t upstream;                /* index */
    sotto_span as;                  /* the upstream's name of it; empty: as the caller says */
    uint64_t input_price_nano;      /* of a million tokens; 0: none */
    uint64_t output_price_nano;     /* the same */
    struct sotto_config_list tasks; /* what it is for, as lists of models say; may be empty */
};

struct sotto_config_limits {
    uint64_t body_bytes;      /* of a request (413) */
    uint64_t header_bytes;    /* of a request (431) */
    uint64_t depth;           /* of JSON (400) */
    uint64_t event_bytes;     /* one event of an upstream's stream (502) */
    uint64_t answer_bytes;    /* a whole answer of an upstream (502) */
    uint64_t connect_ms;      /* to an upstream (504) */
    uint64_t first_byte_ms;   /* of an upstream's answer (504) */
    uint64_t idle_ms;         /* between two pieces of an upstream's answer */
    uint64_t slow_after_ms;   /* a request may be slower than slow_rate for so long (408) */
    uint64_t slow_rate_bytes; /* a second */
    uint64_t keep_open_ms;    /* an idle client connection stays open */
    uint64_t heartbeat_ms;    /* between comments in a stream when nothing comes */
    uint64_t head_after_ms;   /* a stream's head is sent after so much silence */
    uint64_t drain_ms;        /* from SIGTERM to the end */
    uint64_t connections;     /* of clients, in the process */
};

struct sotto_config_quotas {
    uint64_t requests_per_minute; /* 0: no limit */
    uint64_t tokens_per_minute;
    uint64_t monthly_requests;
    uint64_t monthly_tokens;
    uint64_t monthly_cost_nano;
};

/** What the gateways of a fleet share: limits, and the sessions of sealed conversations. */
struct sotto_config_valkey {
    struct sotto_config_url url; /* empty host: none; the path is the number of the database */
    sotto_span username, password;
    sotto_span certificates; /* path of a PEM file; empty: the system's alone */
    sotto_span prefix;
    uint64_t wait_ms; /* for a connection and for each answer */
    uint64_t hold_ms; /* until what a dead gateway reserved is free */
};

struct sotto_config {
    struct sotto_arena arena; /* owns what the fields point to */

    struct sotto_config_address listen; /* plain HTTP; empty host: only TLS */
    struct sotto_config_address admin;  /* empty host: off */
    struct {
        struct sotto_config_address listen; /* empty host: no TLS */
        sotto_span certificate, key;        /* paths of PEM files */
    } tls;
    sotto_span state; /* folder; empty: the caller's default */
    uint64_t threads; /* event loops; 0: one for each core */

    struct sotto_config_upstream *upstreams; /* at least one */
    size_t upstream_count;
    struct sotto_config_model
        *models; /* exact names first, then prefixes, longest first, then "*" */
    size_t model_count;
    bool models_public; /* GET /v1/models needs no key */

    struct {
        sotto_span mode;  /* name of one of `modes` */
        sotto_span style; /* "token", "angle", "surrogate", "redact" */
        bool user_passes; /* `user` and `safety_identifier` go to the provider as they are */
        struct sotto_detector_options detect; /* allow, deny, recognizers, thresholds */
        struct sotto_modes *modes;
        uint64_t cache_bytes; /* of the cache of findings; 0: none */
    } privacy;

    struct {
        sotto_span master; /* empty: made in the state folder */
    } secrets;
    struct {
        sotto_span postgres; /* URL; empty: SQLite in the state folder */
        uint64_t trust_ms;   /* keys in memory, while PostgreSQL does not answer */
        struct sotto_config_valkey valkey;
    } stores;
    struct {
        bool require_agreements;
    } policy;
    struct {
        sotto_span origin;
        bool strict;                        /* durability */
        bool fleet;                         /* sequencer: PostgreSQL, else the journal */
        bool open;                          /* public */
        struct sotto_config_list witnesses; /* keys, as text */
    } audit;
    struct {
        bool json; /* else logfmt */
    } log;
    struct {
        uint64_t grace_ms; /* an old secret works for so long after a rotation */
    } keys;
    struct {
        uint64_t life_ms;    /* of an exchanged secret */
        sotto_span tsm;      /* the kernel's folder for reports of the machine */
        bool needs_evidence; /* without any, the gateway does not start */
    } sealing;
    struct sotto_config_quotas quotas;
    struct sotto_config_limits limits;
};

/** Where values of `${NAME}` come from. */
struct sotto_config_env {
    /** The variable's value, valid until the reading ends; NULL: not set. */
    const char *(*get)(void *ctx, const char *name);
    void *ctx;
};

/** One thing that is wrong. */
struct sotto_config_problem {
    uint32_t line; /* from 1; 0: not about a place in the file */
    uint32_t column;
    char *text; /* "limits.body: must be a size such as 32MiB, not 'abc'"; never holds a secret */
};

/** Problems in the order of their places.  Zero-initialised is empty and valid. */
struct sotto_config_problems {
    struct sotto_config_problem *items;
    size_t count;
    size_t cap;
};

/** Frees; the list is empty afterwards. */
void sotto_config_problems_free(struct sotto_config_problems *problems);

/**
 * Appends all problems, one a line: "line 12, column 9: limits.body: must be ...".
 *
 * @retval SOTTO_ENOMEM, SOTTO_ELIMIT  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err
sotto_config_problems_print(const struct sotto_config_problems *problems, struct sotto_buf *out);

/**
 * Reads a file's bytes.  Without `upstreams` and `models` the providers of the environment count,
 * as in sotto_config_from_env().
 *
 * @param yaml           borrowed for the call
 * @param[out] out       set only on SOTTO_OK; freed with sotto_config_free()
 * @param[out] problems  (empty before) on SOTTO_EINVAL what is wrong: at least one
 *
 * @retval SOTTO_EINVAL
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_config_read(sotto_span yaml,
                                                  const struct sotto_config_env *env,
                                                  struct sotto_config **out,
                                                  struct sotto_config_problems *problems);

/**
 * The configuration without a file: defaults, and providers from OPENAI_API_KEY, OPENAI_BASE_URL,
 * MISTRAL_API_KEY, ANTHROPIC_API_KEY, AZURE_OPENAI_ENDPOINT with AZURE_OPENAI_API_KEY; with none
 * of them the built-in `mirror`.  Arguments and errors as for sotto_config_read().
 */
SOTTO_MUST_CHECK enum sotto_err sotto_config_from_env(const struct sotto_config_env *env,
                                                      struct sotto_config **out,
                                                      struct sotto_config_problems *problems);

/** Wipes and frees; NULL is allowed. */
void sotto_config_free(struct sotto_config *config);

/**
 * Who serves a model: the exact name, else the longest prefix, else "*".
 *
 * @return  NULL: nobody
 */
const struct sotto_config_model *sotto_config_route(const struct sotto_config *config,
                                                    sotto_span model);

/**
 * Parses "127.0.0.1:8484" or "[::1]:8484", as on the command line.
 *
 * @param text      borrowed: `out->host` points into it
 * @retval SOTTO_EFORMAT  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_config_parse_address(sotto_span text,
                                                           struct sotto_config_address *out);

/**
 * Parses "https://host[:port][/path]".  No user, query or fragment.
 *
 * @param text            borrowed: `out` points into it
 * @retval SOTTO_EFORMAT  `out` unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_config_parse_url(sotto_span text,
                                                       struct sotto_config_url *out);

/** The same for "rediss://host[:port][/database]", and "redis://" without TLS. */
SOTTO_MUST_CHECK enum sotto_err sotto_config_parse_valkey_url(sotto_span text,
                                                              struct sotto_config_url *out);

/** Appends the JSON Schema (draft 2020-12) of the file.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT */
SOTTO_MUST_CHECK enum sotto_err sotto_config_print_schema(struct sotto_buf *out);

/** Appends the reference in Markdown: docs/configuration.md.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT */
SOTTO_MUST_CHECK enum sotto_err sotto_config_print_reference(struct sotto_buf *out);

/** Appends the manual page: docs/man/sotto.conf.5.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT */
SOTTO_MUST_CHECK enum sotto_err sotto_config_print_manual(struct sotto_buf *out);

#endif
