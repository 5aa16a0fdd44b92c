/* SPDX-License-Identifier: Apache-2.0 */

#include "config/schema.h"

#define FIELDS(table)                                                                              \
    {                                                                                              \
        table, SOTTO_COUNT(table)                                                                  \
    }
#define IN(member) offsetof(struct config_draft, member)
#define UP(member) offsetof(struct sotto_config_upstream, member)

#define SCHEMA_KIB (1ULL << 10)
#define SCHEMA_MIB (1ULL << 20)
#define SCHEMA_GIB (1ULL << 30)
#define SCHEMA_S   1000ULL
#define SCHEMA_DAY (86400ULL * SCHEMA_S)

/* Highest count that a quota may have: twice of it fits any sum. */
#define SCHEMA_QUOTA_MAX 1000000000000ULL

/* Highest price of a million tokens, and highest sum of a month: their products fit. */
#define SCHEMA_PRICE_MAX (10000ULL * SOTTO_CONFIG_NANO)
#define SCHEMA_COST_MAX  (1000000000ULL * SOTTO_CONFIG_NANO)

static const char *const kinds[] = {"openai", "azure", "mistral", "anthropic", "mirror", NULL};
static const char *const styles[] = {"token", "angle", "surrogate", "redact", NULL};
static const char *const contents[] = {"pass", "refuse", NULL};
static const char *const http2s[] = {"off", "auto", NULL};
static const char *const evidences[] = {"offered", "required", NULL};
static const char *const users[] = {"hash", "pass", NULL};
static const char *const durabilities[] = {"batched", "strict", NULL};
static const char *const sequencers[] = {"journal", "postgres", NULL};
static const char *const formats[] = {"logfmt", "json", NULL};

static const struct config_field tls_fields[] = {
    {.name = "listen",
     .type = CONFIG_ADDRESS,
     .offset = IN(c.tls.listen),
     .off = true,
     .preset = "off",
     .about =
         "Address and port for HTTPS (TLS 1.3, with post-quantum key exchange where the "
         "client has it). Clients that offer HTTP/2 in the handshake get it; the plain listener "
         "speaks HTTP/1.1 only. Plain and TLS listeners may run at once."},
    {.name = "certificate",
     .type = CONFIG_TEXT,
     .offset = IN(c.tls.certificate),
     .min = 1,
     .max = 4096,
     .about = "PEM file with the certificate and the chain behind it."},
    {.name = "key",
     .type = CONFIG_TEXT,
     .offset = IN(c.tls.key),
     .min = 1,
     .max = 4096,
     .about = "PEM file with the private key of the certificate."},
};

static const struct config_field upstream_fields[] = {
    {.name = "kind",
     .type = CONFIG_WORD,
     .offset = UP(kind),
     .words = kinds,
     .required = true,
     .about = "Which API it speaks. `openai` is also vLLM, Ollama, llama-server and whatever else "
              "is compatible; `mirror` is the built-in stand-in."},
    {.name = "url",
     .type = CONFIG_URL,
     .offset = UP(url),
     .about = "Base URL, with the version where the provider has one: "
              "`https://api.openai.com/v1`, `https://NAME.openai.azure.com`.",
     .preset_about = "the provider's public one; `azure` has none"},
    {.name = "key",
     .type = CONFIG_SECRET,
     .offset = UP(key),
     .max = 4096,
     .about = "Credential. Write `${NAME}` and keep it out of the file."},
    {.name = "region",
     .type = CONFIG_TEXT,
     .offset = UP(region),
     .min = 1,
     .max = 100,
     .about = "Where it processes data: `us`, `eu`, `ch`; see `privacy.modes.NAME.regions`."},
    {.name = "agreements",
     .type = CONFIG_TEXTS,
     .offset = UP(agreements),
     .min = 1,
     .max = 100,
     .about = "Contracts you have with it, such as `baa` or `dpa`; see "
              "`policy.require_agreements`."},
    {.name = "trusted",
     .type = CONFIG_BOOL,
     .offset = UP(trusted),
     .preset = "false",
     .about = "Gets the text as it is, without tokens. Only for what runs in your own house."},
    {.name = "api_version",
     .type = CONFIG_TEXT,
     .offset = UP(api_version),
     .min = 1,
     .max = 40,
     .about = "`azure` only: the dated `api-version` of its classic API. Without it, its v1 API "
              "is used."},
    {.name = "models",
     .type = CONFIG_TEXTS,
     .offset = UP(models),
     .min = 1,
     .max = 200,
     .about = "Models it serves under their own names, beside what `models` says."},
    {.name = "connect",
     .type = CONFIG_DURATION,
     .offset = UP(connect_ms),
     .min = 1,
     .max = 600 * SCHEMA_S,
     .about = "As in `limits`, for this upstream.",
     .preset_about = "`limits.connect`"},
    {.name = "first_byte",
     .type = CONFIG_DURATION,
     .offset = UP(first_byte_ms),
     .min = 1,
     .max = SCHEMA_DAY,
     .about = "As in `limits`, for this upstream.",
     .preset_about = "`limits.first_byte`"},
    {.name = "idle",
     .type = CONFIG_DURATION,
     .offset = UP(idle_ms),
     .min = 1,
     .max = SCHEMA_DAY,
     .about = "As in `limits`, for this upstream.",
     .preset_about = "`limits.idle`"},
    {.name = "max_connections",
     .type = CONFIG_COUNT,
     .offset = UP(max_connections),
     .min = 1,
     .max = 100000,
     .preset = "1024",
     .about = "Connections that each event loop opens to it at most. More requests wait."},
    {.name = "http2",
     .type = CONFIG_EITHER,
     .offset = UP(http2),
     .words = http2s,
     .preset = "auto",
     .about =
         "`auto`: HTTP/2 where its URL is `https` and its server agrees to it in the handshake "
         "(ALPN), else HTTP/1.1. `off`: always HTTP/1.1."},
};

static const struct config_field model_fields[] = {
    {.name = "upstream",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct sotto_config_model, upstream_name),
     .min = 1,
     .max = 100,
     .about = "Name of the upstream that serves it.",
     .preset_about = "the only upstream, where there is one"},
    {.name = "as",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct sotto_config_model, as),
     .min = 1,
     .max = 200,
     .about = "The upstream's name of it.",
     .preset_about = "as the caller says"},
    {.name = "input_price",
     .type = CONFIG_MONEY,
     .offset = offsetof(struct sotto_config_model, input_price_nano),
     .max = SCHEMA_PRICE_MAX,
     .preset = "0",
     .about = "What a million tokens of requests cost, in any one currency: for "
              "`quotas.monthly_cost` and the figures of use."},
    {.name = "output_price",
     .type = CONFIG_MONEY,
     .offset = offsetof(struct sotto_config_model, output_price_nano),
     .max = SCHEMA_PRICE_MAX,
     .preset = "0",
     .about = "The same for tokens of answers."},
    {.name = "tasks",
     .type = CONFIG_TEXTS,
     .offset = offsetof(struct sotto_config_model, tasks),
     .min = 1,
     .max = 100,
     .about = "What it can do, for clients of Privatemode, which choose by it: `generate`, "
              "`tool_calling`, `vision`, `embed`, `transcribe`. Told in `GET /v1/models`."},
};

static const struct config_field deny_fields[] = {
    {.name = "text",
     .type = CONFIG_TEXT,
     .offset = offsetof(struct config_deny, text),
     .min = 1,
     .max = 1000,
     .required = true,
     .about = "The words."},
    {.name = "label",
     .type = CONFIG_LABEL,
     .offset = offsetof(struct config_deny, label),
     .preset = "ID",
     .about = "What they count as."},
};

#define REC(member) offsetof(struct config_recognizer, member)

static const struct config_field recognizer_fields[] = {
    {.name = "name",
     .type = CONFIG_TEXT,
     .offset = REC(name),
     .min = 1,
     .max = 60,
     .required = true,
     .about = "Exact type of what it finds: capitals, digits and underscores, such as "
              "`STAFF_NUMBER`."},
    {.name = "label",
     .type = CONFIG_LABEL,
     .offset = REC(label),
     .preset = "ID",
     .about = "Label of what it finds."},
    {.name = "pattern",
     .type = CONFIG_TEXT,
     .offset = REC(pattern),
     .min = 1,
     .max = 1000,
     .about = "Regular expression (PCRE2 syntax, without back-references). Either this or "
              "`words`."},
    {.name = "words",
     .type = CONFIG_TEXTS,
     .offset = REC(words),
     .min = 1,
     .max = 1000,
     .about = "Literal words, in any case."},
    {.name = "context",
     .type = CONFIG_TEXTS,
     .offset = REC(context),
     .min = 1,
     .max = 100,
     .about = "Words of which one must stand near."},
    {.name = "checksum",
     .type = CONFIG_TEXT,
     .offset = REC(checksum),
     .min = 1,
     .max = 40,
     .about = "Check that a match must pass, such as `luhn` or `mod97`."},
    {.name = "score",
     .type = CONFIG_SCORE,
     .offset = REC(score),
     .preset = "0.9",
     .about = "How certain a match is."},
};

#define MODE(member) offsetof(struct config_mode, member)

static const struct config_field mode_fields[] = {
    {.name = "inherits",
     .type = CONFIG_TEXT,
     .offset = MODE(inherits),
     .min = 1,
     .max = 100,
     .required = true,
     .about = "Mode to begin with: `standard`, `hipaa`, `gdpr`, `sox` or one of "
              "your own."},
    {.name = "tokenize",
     .type = CONFIG_TEXTS,
     .offset = MODE(tokenize),
     .min = 1,
     .max = 60,
     .about = "Labels and exact types that are replaced. A label moves with all its exact types."},
    {.name = "pass",
     .type = CONFIG_TEXTS,
     .offset = MODE(pass),
     .min = 1,
     .max = 60,
     .about = "Labels and exact types that stay. What `standard` replaces cannot be named."},
    {.name = "generalise",
     .type = CONFIG_TEXTS,
     .offset = MODE(generalise),
     .min = 1,
     .max = 60,
     .about =
         "`DATE`, `DATE_OF_BIRTH` (the year stays), `AGE`, `AGE_OVER_89` (ten years, or `90 or "
         "older`), `POSTCODE` (of a US ZIP code the first three digits): something coarser "
         "goes to the provider, without a way back."},
    {.name = "block",
     .type = CONFIG_TEXTS,
     .offset = MODE(block),
     .min = 1,
     .max = 60,
     .about = "Labels and exact types that no request may have: it is refused (400 "
              "`content_blocked`)."},
    {.name = "agreements",
     .type = CONFIG_TEXTS,
     .offset = MODE(agreements),
     .min = 1,
     .max = 100,
     .about = "Contracts of which an upstream must name all, unless it is trusted; see "
              "`upstreams.NAME.agreements`.",
     .preset_about = "as inherited; `hipaa` has `baa` and `gdpr` has `dpa`, which count where "
                     "`policy.require_agreements` is true"},
    {.name = "regions",
     .type = CONFIG_TEXTS,
     .offset = MODE(regions),
     .min = 1,
     .max = 100,
     .about = "Regions of which an upstream must be in one, unless it is trusted.",
     .preset_about = "as inherited; any"},
    {.name = "content",
     .type = CONFIG_WORD,
     .offset = MODE(content),
     .words = contents,
     .about = "Images, audio and files, which cannot be protected: `pass`, and the answer says "
              "so, or `refuse`.",
     .preset_about = "as inherited; only `standard` lets them pass"},
};

static const struct config_field privacy_fields[] = {
    {.name = "mode",
     .type = CONFIG_TEXT,
     .offset = IN(c.privacy.mode),
     .min = 1,
     .max = 100,
     .preset = "standard",
     .about = "Compliance mode for keys and requests that name none: `standard`, `hipaa`, `gdpr`, "
              "`sox` or one of `privacy.modes`."},
    {.name = "style",
     .type = CONFIG_WORD,
     .offset = IN(c.privacy.style),
     .words = styles,
     .preset = "token",
     .about = "What stands in place of a value: `token`, `angle` (`<PERSON_1>`) and `surrogate` "
              "(invented names, reserved numbers and domains) are put back in the answer, "
              "`redact` (`[PERSON]`) has no way back."},
    {.name = "user",
     .type = CONFIG_EITHER,
     .offset = IN(c.privacy.user_passes),
     .words = users,
     .preset = "hash",
     .about = "`user` and `safety_identifier` of requests: `hash` replaces them by a keyed hash, "
              "`pass` leaves them."},
    {.name = "allow",
     .type = CONFIG_TEXTS,
     .offset = IN(allow),
     .min = 1,
     .max = 1000,
     .about = "Words that are never personal data, in any case: your own product, your address "
              "for support."},
    {.name = "deny",
     .type = CONFIG_ITEMS,
     .offset = IN(deny),
     .count_offset = IN(deny_count),
     .item_bytes = sizeof(struct config_deny),
     .fields = FIELDS(deny_fields),
     .short_for = "text",
     .about = "Words that are always replaced, in any case: names of projects, code words."},
    {.name = "recognizers",
     .type = CONFIG_ITEMS,
     .offset = IN(recognizers),
     .count_offset = IN(recognizer_count),
     .item_bytes = sizeof(struct config_recognizer),
     .fields = FIELDS(recognizer_fields),
     .about = "Recognizers of your own, for what only your house has."},
    {.name = "thresholds",
     .type = CONFIG_SCORES,
     .offset = IN(c.privacy.detect.threshold),
     .about = "Findings with a lower score than their label's are left alone: "
              "`{PERSON: 0.6}`.",
     .preset_about = "each label's own"},
    {.name = "modes",
     .type = CONFIG_ENTRIES,
     .offset = IN(modes),
     .count_offset = IN(mode_count),
     .item_bytes = sizeof(struct config_mode),
     .fields = FIELDS(mode_fields),
     .about = "Modes of your own, by name."},
};

static const struct config_field detection_fields[] = {
    {.name = "tagger",
     .type = CONFIG_CHOICE,
     .offset = IN(c.privacy.detect.tagger),
     .words = sotto_detect_taggers,
     .preset = "small",
     .about = "The neural model beside the recognizers and word lists. `small` finds most names, "
              "places and organisations and takes most of the time of detection; `large` reads "
              "everything a second time with a model that is far slower, `cascade` only what "
              "`small` is unsure of; `none` leaves it out."},
    {.name = "cache",
     .type = CONFIG_SIZE,
     .offset = IN(c.privacy.cache_bytes),
     .max = (uint64_t)1 << 40,
     .preset = "16MiB",
     .about = "Memory for findings of texts that were seen in the last ten minutes, so that a "
              "conversation costs detection of its new messages only. It holds offsets and "
              "labels under a keyed hash of the text, for each tenant apart; `0` turns it off."},
};

static const struct config_field secrets_fields[] = {
    {.name = "master",
     .type = CONFIG_SECRET,
     .offset = IN(c.secrets.master),
     .min = 32,
     .max = 1024,
     .about = "Secret from which the keys of tenants are derived: at least 32 random characters, "
              "such as `openssl rand -hex 32` prints. Gateways that share a fleet share it.",
     .preset_about = "made in the state folder"},
};

#define VALKEY(member) IN(c.stores.valkey.member)

static const struct config_field valkey_fields[] = {
    {.name = "url",
     .type = CONFIG_VALKEY,
     .offset = VALKEY(url),
     .required = true,
     .about =
         "The server: `rediss://HOST:PORT/DATABASE` verifies its certificate and name, "
         "`redis://` is in the clear, for a server in the same machine. Port 6379 and database "
         "0 unless given. Redis 6 or newer, any Valkey; no cluster; `maxmemory-policy` "
         "`noeviction`, because a counter that is dropped limits nobody."},
    {.name = "username",
     .type = CONFIG_TEXT,
     .offset = VALKEY(username),
     .min = 1,
     .max = 200,
     .about = "User of the server's access control list.",
     .preset_about = "the server's `default`"},
    {.name = "password",
     .type = CONFIG_SECRET,
     .offset = VALKEY(password),
     .max = 4096,
     .about = "Write `${NAME}` and keep it out of the file."},
    {.name = "certificates",
     .type = CONFIG_TEXT,
     .offset = VALKEY(certificates),
     .min = 1,
     .max = 4096,
     .about = "PEM file with certificate authorities that are trusted beside the system's."},
    {.name = "prefix",
     .type = CONFIG_TEXT,
     .offset = VALKEY(prefix),
     .min = 1,
     .max = 64,
     .preset = "sotto:",
     .about = "Before the name of each entry, for fleets that share a server."},
    {.name = "wait",
     .type = CONFIG_DURATION,
     .offset = VALKEY(wait_ms),
     .min = 10,
     .max = 60 * SCHEMA_S,
     .preset = "1s",
     .about = "For a connection and for each answer. Then the server counts as lost, and requests "
              "that need it get 503 `store_unavailable` until it is there again."},
    {.name = "hold",
     .type = CONFIG_DURATION,
     .offset = VALKEY(hold_ms),
     .min = SCHEMA_S,
     .max = SCHEMA_DAY,
     .preset = "15m",
     .about = "What a request has reserved of its month is free again after so long, when its "
              "gateway died before its end. One that runs longer is counted at its end."},
};

static const struct config_field stores_fields[] = {
    {.name = "postgres",
     .type = CONFIG_SECRET,
     .offset = IN(c.stores.postgres),
     .min = 13,
     .max = 4096,
     .about = "Keys and what they used lie in this PostgreSQL (15 or newer), which the gateways of "
              "a fleet share: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, as libpq reads it. "
              "To another machine it is TLS with `sslmode=verify-full` unless the URL says "
              "otherwise. Needs `secrets.master`. See [operating.md](operating.md#a-fleet).",
     .preset_about = "SQLite in the state folder"},
    {.name = "trust_keys",
     .type = CONFIG_DURATION,
     .offset = IN(c.stores.trust_ms),
     .min = 3 * SCHEMA_S,
     .max = SCHEMA_DAY,
     .preset = "60s",
     .about = "So long after PostgreSQL last answered, the keys in memory are trusted; then "
              "requests get 503, because a key that was revoked meanwhile would not be known."},
    {.name = "valkey",
     .type = CONFIG_SECTION,
     .fields = FIELDS(valkey_fields),
     .about = "A Valkey or Redis server in which the gateways of a fleet share limits, sessions of "
              "sealed conversations and what was opened under them. Give all of them the same "
              "`secrets.master`."},
};

static const struct config_field policy_fields[] = {
    {.name = "require_agreements",
     .type = CONFIG_BOOL,
     .offset = IN(c.policy.require_agreements),
     .preset = "false",
     .about = "Refuse a configuration in which an upstream that is not trusted names no "
              "agreement, and requests in `hipaa` and `gdpr` for an upstream without `baa` or "
              "`dpa`."},
};

static const struct config_field audit_fields[] = {
    {.name = "origin",
     .type = CONFIG_TEXT,
     .offset = IN(c.audit.origin),
     .min = 1,
     .max = 200,
     .preset = "sotto.local/log",
     .about = "Name of the audit log in its checkpoints."},
    {.name = "durability",
     .type = CONFIG_EITHER,
     .offset = IN(c.audit.strict),
     .words = durabilities,
     .preset = "strict",
     .about = "`strict`: an answer ends when its entry is on disk. `batched`: entries reach the "
              "disk within a second, and a power cut may lose them."},
    {.name = "sequencer",
     .type = CONFIG_EITHER,
     .offset = IN(c.audit.fleet),
     .words = sequencers,
     .preset = "journal",
     .about = "Who gives entries their order. `journal`: this gateway, whose log is its own. "
              "`postgres`: the database of `stores.postgres`; all gateways that share it have "
              "one log, and each a copy of it in its state folder. See "
              "[audit-log.md](audit-log.md#one-log-for-a-fleet)."},
    {.name = "public",
     .type = CONFIG_BOOL,
     .offset = IN(c.audit.open),
     .preset = "false",
     .about = "`/log/` may be read without a key. It holds ids and commitments, no records."},
    {.name = "witnesses",
     .type = CONFIG_TEXTS,
     .offset = IN(c.audit.witnesses),
     .min = 1,
     .max = 400,
     .about = "Keys of witnesses (`NAME+HASH+KEY`, C2SP tlog-cosignature). A log that is shorter "
              "than what one of them cosigned, or begins otherwise, is not opened."},
};

static const struct config_field log_fields[] = {
    {.name = "format",
     .type = CONFIG_EITHER,
     .offset = IN(c.log.json),
     .words = formats,
     .preset = "logfmt",
     .about = "Form of the log on standard error."},
};

static const struct config_field keys_fields[] = {
    {.name = "grace",
     .type = CONFIG_DURATION,
     .offset = IN(c.keys.grace_ms),
     .max = 365 * SCHEMA_DAY,
     .preset = "48h",
     .about = "After `sotto keys rotate` the old secret of a key works for so long beside the new "
              "one."},
};

static const struct config_field sealing_fields[] = {
    {.name = "life",
     .type = CONFIG_DURATION,
     .offset = IN(c.sealing.life_ms),
     .min = SCHEMA_S,
     .max = SCHEMA_DAY,
     .preset = "1h",
     .about = "What a client shares with the gateway (a session, a secret) serves it for so long; "
              "then it begins anew. Privatemode's clients expect an hour. Read at the start."},
    {.name = "evidence",
     .type = CONFIG_EITHER,
     .offset = IN(c.sealing.needs_evidence),
     .words = evidences,
     .preset = "offered",
     .about = "Evidence of SEV-SNP or TDX for clients that seal: `offered` where the machine has "
              "it, else answers say `attested: false`; `required`: without it the gateway does "
              "not start. Read at the start."},
    {.name = "tsm",
     .type = CONFIG_TEXT,
     .offset = IN(c.sealing.tsm),
     .max = 200,
     .preset = "/sys/kernel/config/tsm/report",
     .about = "The kernel's folder for reports of the machine. Read at the start."},
};

static const struct config_field quotas_fields[] = {
    {.name = "requests_per_minute",
     .type = CONFIG_COUNT,
     .offset = IN(c.quotas.requests_per_minute),
     .max = 1000000,
     .preset = "0",
     .about = "Requests of one key in any minute; 0: no limit."},
    {.name = "tokens_per_minute",
     .type = CONFIG_COUNT,
     .offset = IN(c.quotas.tokens_per_minute),
     .max = SCHEMA_QUOTA_MAX,
     .preset = "0",
     .about = "Tokens of one key in any minute, of requests and answers; 0: no limit. A request "
              "reserves an estimate (a token for four bytes) and what it states as `max_tokens`, "
              "and gives back what it did not use."},
    {.name = "monthly_requests",
     .type = CONFIG_COUNT,
     .offset = IN(c.quotas.monthly_requests),
     .max = SCHEMA_QUOTA_MAX,
     .preset = "0",
     .about = "Requests of one key in a calendar month (UTC); 0: no limit."},
    {.name = "monthly_tokens",
     .type = CONFIG_COUNT,
     .offset = IN(c.quotas.monthly_tokens),
     .max = SCHEMA_QUOTA_MAX,
     .preset = "0",
     .about = "Tokens of one key in a calendar month; 0: no limit."},
    {.name = "monthly_cost",
     .type = CONFIG_MONEY,
     .offset = IN(c.quotas.monthly_cost_nano),
     .max = SCHEMA_COST_MAX,
     .preset = "0",
     .about = "What one key may cost in a calendar month, by the prices of `models`; 0: no limit. "
              "Requests with a provider key of their own cost nothing."},
};

#define LIMIT(member) IN(c.limits.member)

static const struct config_field limits_fields[] = {
    {.name = "body",
     .type = CONFIG_SIZE,
     .offset = LIMIT(body_bytes),
     .min = SCHEMA_KIB,
     .max = SCHEMA_GIB,
     .preset = "32MiB",
     .about = "Body of a request (413)."},
    {.name = "header",
     .type = CONFIG_SIZE,
     .offset = LIMIT(header_bytes),
     .min = 4 * SCHEMA_KIB,
     .max = SCHEMA_MIB,
     .preset = "64KiB",
     .about = "Head of a request (431)."},
    {.name = "depth",
     .type = CONFIG_COUNT,
     .offset = LIMIT(depth),
     .min = 8,
     .max = 1000,
     .preset = "128",
     .about = "Nesting of JSON in a request (400)."},
    {.name = "event",
     .type = CONFIG_SIZE,
     .offset = LIMIT(event_bytes),
     .min = 64 * SCHEMA_KIB,
     .max = SCHEMA_GIB,
     .preset = "16MiB",
     .about = "One event of an upstream's stream (502)."},
    {.name = "answer",
     .type = CONFIG_SIZE,
     .offset = LIMIT(answer_bytes),
     .min = 64 * SCHEMA_KIB,
     .max = SCHEMA_GIB,
     .preset = "64MiB",
     .about = "A whole answer of an upstream (502)."},
    {.name = "connect",
     .type = CONFIG_DURATION,
     .offset = LIMIT(connect_ms),
     .min = 1,
     .max = 600 * SCHEMA_S,
     .preset = "5s",
     .about = "Until an upstream is connected (504)."},
    {.name = "first_byte",
     .type = CONFIG_DURATION,
     .offset = LIMIT(first_byte_ms),
     .min = 1,
     .max = SCHEMA_DAY,
     .preset = "300s",
     .about = "Until an upstream's answer begins (504)."},
    {.name = "idle",
     .type = CONFIG_DURATION,
     .offset = LIMIT(idle_ms),
     .min = 1,
     .max = SCHEMA_DAY,
     .preset = "300s",
     .about = "Between two pieces of an upstream's answer (an error in the stream)."},
    {.name = "slow_after",
     .type = CONFIG_DURATION,
     .offset = LIMIT(slow_after_ms),
     .min = 100,
     .max = 600 * SCHEMA_S,
     .preset = "10s",
     .about = "A request may come slower than `slow_rate` for so long (408)."},
    {.name = "slow_rate",
     .type = CONFIG_SIZE,
     .offset = LIMIT(slow_rate_bytes),
     .min = 1,
     .max = SCHEMA_MIB,
     .preset = "1KiB",
     .about = "Bytes a second; see `slow_after`."},
    {.name = "keep_open",
     .type = CONFIG_DURATION,
     .offset = LIMIT(keep_open_ms),
     .min = SCHEMA_S,
     .max = SCHEMA_DAY,
     .preset = "75s",
     .about = "An idle connection of a client stays open."},
    {.name = "heartbeat",
     .type = CONFIG_DURATION,
     .offset = LIMIT(heartbeat_ms),
     .min = 100,
     .max = 600 * SCHEMA_S,
     .preset = "10s",
     .about = "Silence in a stream after which a comment `: keepalive` is sent."},
    {.name = "head_after",
     .type = CONFIG_DURATION,
     .offset = LIMIT(head_after_ms),
     .min = 100,
     .max = 600 * SCHEMA_S,
     .preset = "30s",
     .about = "Silence of an upstream after which a stream's head is sent all the same."},
    {.name = "drain",
     .type = CONFIG_DURATION,
     .offset = LIMIT(drain_ms),
     .min = 0,
     .max = SCHEMA_DAY,
     .preset = "600s",
     .about = "From SIGTERM to the end: what still runs then is cut."},
    {.name = "connections",
     .type = CONFIG_COUNT,
     .offset = LIMIT(connections),
     .min = 1,
     .max = 1000000,
     .preset = "50000",
     .about = "Connections of clients at once."},
};

static const struct config_field top_fields[] = {
    {.name = "listen",
     .type = CONFIG_ADDRESS,
     .offset = IN(c.listen),
     .preset = "127.0.0.1:8484",
     .off = true,
     .about = "Address and port for plain HTTP; `off`: only TLS. Port 0 takes a free "
              "one."},
    {.name = "admin",
     .type = CONFIG_ADDRESS,
     .offset = IN(c.admin),
     .preset = "127.0.0.1:8485",
     .off = true,
     .about = "Address and port of the admin listener; `off`: none."},
    {.name = "tls",
     .type = CONFIG_SECTION,
     .fields = FIELDS(tls_fields),
     .about = "The listener for HTTPS."},
    {.name = "state",
     .type = CONFIG_TEXT,
     .offset = IN(c.state),
     .min = 1,
     .max = 4000,
     .about = "State folder: keys, usage, the master secret.",
     .preset_about = "`$SOTTO_STATE`, else `$XDG_STATE_HOME/sotto`, else `~/.local/state/sotto`, "
                     "for root `/var/lib/sotto`"},
    {.name = "threads",
     .type = CONFIG_COUNT,
     .offset = IN(c.threads),
     .max = 256,
     .preset = "0",
     .about = "Event loops; 0: one for each core."},
    {.name = "upstreams",
     .type = CONFIG_ENTRIES,
     .offset = IN(c.upstreams),
     .count_offset = IN(c.upstream_count),
     .item_bytes = sizeof(struct sotto_config_upstream),
     .fields = FIELDS(upstream_fields),
     .about = "Providers, by a name of your choice. Without `upstreams`, those that the "
              "environment names count."},
    {.name = "models",
     .type = CONFIG_ENTRIES,
     .offset = IN(c.models),
     .count_offset = IN(c.model_count),
     .item_bytes = sizeof(struct sotto_config_model),
     .fields = FIELDS(model_fields),
     .short_for = "upstream",
     .flag = "public",
     .flag_offset = IN(c.models_public),
     .about = "Which upstream serves a model: by its exact name, else by the longest `prefix*`, "
              "else by `\"*\"`. With one upstream and no `models`, it serves all. The key "
              "`public: true` is no model: it lets everybody read `GET /v1/models`."},
    {.name = "privacy",
     .type = CONFIG_SECTION,
     .fields = FIELDS(privacy_fields),
     .about = "What is found and what is replaced."},
    {.name = "detection",
     .type = CONFIG_SECTION,
     .fields = FIELDS(detection_fields),
     .about = "How personal data is found."},
    {.name = "secrets",
     .type = CONFIG_SECTION,
     .fields = FIELDS(secrets_fields),
     .about = "Secrets of the gateway itself."},
    {.name = "stores",
     .type = CONFIG_SECTION,
     .fields = FIELDS(stores_fields),
     .about = "What the gateways of a fleet share. Read at the start only."},
    {.name = "policy",
     .type = CONFIG_SECTION,
     .fields = FIELDS(policy_fields),
     .about = "Rules about providers."},
    {.name = "audit",
     .type = CONFIG_SECTION,
     .fields = FIELDS(audit_fields),
     .about = "The audit log. It lies in the folder `audit` of the state folder."},
    {.name = "log",
     .type = CONFIG_SECTION,
     .fields = FIELDS(log_fields),
     .about = "The log of requests, which never holds content."},
    {.name = "keys", .type = CONFIG_SECTION, .fields = FIELDS(keys_fields), .about = "API keys."},
    {.name = "sealing",
     .type = CONFIG_SECTION,
     .fields = FIELDS(sealing_fields),
     .about = "Sealed conversations."},
    {.name = "quotas",
     .type = CONFIG_SECTION,
     .fields = FIELDS(quotas_fields),
     .about = "Quotas of keys that have none of their own."},
    {.name = "limits",
     .type = CONFIG_SECTION,
     .fields = FIELDS(limits_fields),
     .about = "Sizes and times."},
};

const struct config_fields config_schema = FIELDS(top_fields);
