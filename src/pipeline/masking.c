/* SPDX-License-Identifier: Apache-2.0 */

#include "pipeline/masking.h"

#include "base/alloc.h"
#include "chat/slots.h"
#include "crypto/base62.h"
#include "crypto/hmac.h"
#include "detect/known.h"
#include "detect/merge.h"
#include "pipeline/explain.h"
#include "policy/generalise.h"

/* Stages in the order in which they are passed; each goes once over all slots. */
enum masking_stage {
    MASKING_DETECT,
    MASKING_KNOWN,
    MASKING_SHIELD,
    MASKING_REPLACE,
    MASKING_DONE,
    MASKING_DEAD,
};

/* The findings of one slot: a stretch of one common list. */
struct masking_range {
    size_t first;
    size_t count;
};

struct sotto_masking {
    struct sotto_call *call;
    const struct sotto_masking_options *options;
    struct sotto_detect_job *job;
    struct sotto_slots slots;
    enum masking_stage stage;
    size_t at;                      /* slot that the stage is at */
    bool begun;                     /* the job is in the middle of slot `at` */
    struct sotto_buf text;          /* what is detected: context and text of a slot */
    size_t context_len;             /* how much of it is context */
    struct masking_range *range;    /* one for each slot */
    struct sotto_findings found;    /* of all slots */
    struct sotto_findings merged;   /* of the slot at hand */
    struct sotto_hmac *namer;       /* names texts in the cache; NULL: there is none */
    struct sotto_cache_name name;   /* of the slot at hand */
    struct sotto_findings recalled; /* findings of the slot at hand from the cache */
    struct sotto_known *known;
    struct sotto_vault *vault; /* NULL until something was found */
    struct sotto_masking_counts counts;
    char user[SOTTO_MASKING_USER_LEN]; /* hash of the first identifier of the end user */
    size_t user_len;
    struct sotto_explain *explain; /* NULL: not asked for */
};

static const char *unprotected_name(unsigned bits)
{
    if ((bits & SOTTO_UNPROTECTED_IMAGE) != 0) {
        return "image";
    }
    return (bits & SOTTO_UNPROTECTED_AUDIO) != 0 ? "audio" : "file";
}

static enum sotto_err check_content(struct sotto_masking *m, struct sotto_problem *problem)
{
    unsigned bits = m->slots.unprotected;
    if (bits == 0 || sotto_mode_content_passes(m->options->mode)) {
        m->counts.unprotected = bits;
        return SOTTO_OK;
    }
    char param[64] = "messages";
    if (m->slots.unprotected_message != SOTTO_SLOT_NO_MESSAGE) {
        snprintf(param, sizeof(param), "messages[%u].content", m->slots.unprotected_message);
    }
    sotto_problem_set(problem, 400, "invalid_request_error", "content_not_protected", param,
                      "This %s cannot be protected, and the compliance mode does not let it pass.",
                      unprotected_name(bits));
    return SOTTO_EINVAL;
}

/* The conversation's name: the header, else the first text of the user; embeddings have one name
 * per tenant, so that what was embedded once is found again. */
static sotto_span conversation(const struct sotto_masking *m)
{
    if (m->call->kind == SOTTO_CALL_EMBEDDINGS) {
        return SOTTO_LIT("embeddings");
    }
    if (m->call->conversation.len != 0) {
        return m->call->conversation;
    }
    for (size_t i = 0; i < m->slots.count; i++) {
        if (m->slots.items[i].from_user) {
            return sotto_slot_text(&m->slots.items[i]);
        }
    }
    return SOTTO_LIT("");
}

enum sotto_err sotto_masking_new(struct sotto_call *call,
                                 const struct sotto_masking_options *options,
                                 struct sotto_detect_job *job, struct sotto_masking **out,
                                 struct sotto_problem *problem)
{
    struct sotto_masking *m = sotto_calloc(1, sizeof(*m));
    if (m == NULL) {
        return SOTTO_ENOMEM;
    }
    m->call = call;
    m->options = options;
    m->job = job;
    sotto_buf_init(&m->text, SOTTO_BUF_UNBOUNDED);

    enum sotto_err err = sotto_slots_collect(call->doc, call->kind, options->max_depth, &m->slots);
    if (err == SOTTO_ELIMIT) {
        sotto_problem_set(problem, 413, "invalid_request_error", NULL, NULL,
                          "The request has more than %d texts.", SOTTO_SLOTS_MAX);
    }
    if (err == SOTTO_OK) {
        err = check_content(m, problem);
    }
    if (err == SOTTO_OK) {
        m->range = sotto_calloc(m->slots.count + 1, sizeof(*m->range));
        err = m->range == NULL ? SOTTO_ENOMEM : sotto_known_new(&m->known);
    }
    if (err == SOTTO_OK && options->cache != NULL) {
        err = sotto_hmac_new(sotto_span_init(options->keys->cache, sizeof(options->keys->cache)),
                             &m->namer);
    }
    if (err == SOTTO_OK && call->explain) {
        err = sotto_explain_new(&m->explain);
    }
    if (err != SOTTO_OK) {
        sotto_masking_free(m);
        return err;
    }
    *out = m;
    return SOTTO_OK;
}

void sotto_masking_free(struct sotto_masking *m)
{
    if (m == NULL) {
        return;
    }
    sotto_slots_free(&m->slots);
    sotto_buf_free(&m->text);
    sotto_findings_free(&m->found);
    sotto_findings_free(&m->merged);
    sotto_findings_free(&m->recalled);
    sotto_hmac_free(m->namer);
    sotto_known_free(m->known);
    sotto_vault_free(m->vault);
    sotto_explain_free(m->explain);
    sotto_free(m->range);
    sotto_free(m);
}

/* A value in JSON is detected behind its key, which says what it is: "ssn: 123-45-6789". */
static enum sotto_err begin_slot(struct sotto_masking *m, const struct sotto_slot *slot)
{
    sotto_span text = sotto_slot_text(slot);
    m->begun = true;
    m->context_len = 0;
    if (slot->context.len == 0) {
        sotto_detect_begin(m->job, text);
        return SOTTO_OK;
    }
    sotto_buf_truncate(&m->text, 0);
    enum sotto_err err = sotto_buf_append(&m->text, slot->context);
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&m->text, SOTTO_LIT(": "));
    }
    m->context_len = m->text.len;
    if (err == SOTTO_OK) {
        err = sotto_buf_append(&m->text, text);
    }
    if (err == SOTTO_OK) {
        sotto_detect_begin(m->job, sotto_buf_span(&m->text));
    }
    return err;
}

/* Takes over the findings of a slot without those in its context. */
static enum sotto_err end_slot(struct sotto_masking *m, const struct sotto_slot *slot,
                               const struct sotto_findings *result)
{
    struct masking_range *range = &m->range[m->at];
    sotto_span text = sotto_slot_text(slot);

    m->begun = false;
    range->first = m->found.count;
    for (size_t i = 0; i < result->count; i++) {
        struct sotto_finding f = result->items[i];
        if (f.end <= m->context_len) {
            continue;
        }
        f.start = f.start > m->context_len ? f.start - (uint32_t)m->context_len : 0;
        f.end -= (uint32_t)m->context_len;
        enum sotto_err err = sotto_findings_add(&m->found, f);
        if (err == SOTTO_OK) {
            err = sotto_known_add(m->known, sotto_span_sub(text, f.start, f.end), &f);
        }
        if (err != SOTTO_OK) {
            return err;
        }
        range->count++;
    }
    return SOTTO_OK;
}

/* A hash of a text costs about as much as detection of a hundredth of it. */
#define MASKING_RECALL_COST 100

/* Takes the findings of a slot from the cache, if it has them. */
static enum sotto_err recall_slot(struct sotto_masking *m, const struct sotto_slot *slot,
                                  size_t *budget, bool *known)
{
    sotto_span text = sotto_slot_text(slot);
    size_t cost = text.len / MASKING_RECALL_COST + 1;
    *known = false;
    if (m->namer == NULL) {
        return SOTTO_OK;
    }
    *budget -= cost < *budget ? cost : *budget;
    sotto_findings_clear(&m->recalled);
    enum sotto_err err = sotto_cache_name(m->namer, slot->context, text, &m->name);
    if (err == SOTTO_OK) {
        err = sotto_cache_get(m->options->cache, &m->name, m->options->now_ms, &m->recalled, known);
    }
    if (err == SOTTO_OK && *known) {
        m->context_len = slot->context.len != 0 ? slot->context.len + 2 : 0; /* as begin_slot() */
        m->counts.recalled_bytes += text.len;
        err = end_slot(m, slot, &m->recalled);
        m->at++;
    }
    return err;
}

/* Detection of a slot is complete. */
static enum sotto_err detected_slot(struct sotto_masking *m, const struct sotto_slot *slot)
{
    const struct sotto_findings *result = sotto_detect_result(m->job);
    if (m->namer != NULL) {
        sotto_cache_put(m->options->cache, &m->name, m->options->now_ms, result);
    }
    m->counts.detected_bytes += sotto_slot_text(slot).len;
    enum sotto_err err = end_slot(m, slot, result);
    m->at++;
    return err;
}

static enum sotto_err detect_slot(struct sotto_masking *m, size_t *budget)
{
    const struct sotto_slot *slot = &m->slots.items[m->at];
    enum sotto_err err = SOTTO_OK;
    bool done = false, known = false;
    size_t len = sotto_slot_text(slot).len;

    if (slot->kind == SOTTO_SLOT_USER || len == 0) {
        m->at++;
        return SOTTO_OK;
    }
    if (len > UINT32_MAX / 2) {
        return SOTTO_ELIMIT;
    }
    if (!m->begun) {
        err = recall_slot(m, slot, budget, &known);
        if (err != SOTTO_OK || known) {
            return err;
        }
        err = begin_slot(m, slot);
    }
    if (err == SOTTO_OK) {
        err = sotto_detect_step(m->job, *budget, &done);
    }
    size_t spent = sotto_detect_spent(m->job);
    *budget -= spent < *budget ? spent : *budget;
    return err == SOTTO_OK && done ? detected_slot(m, slot) : err;
}

/* Findings of the slot at hand and the known values in it, as one list. */
static enum sotto_err known_slot(struct sotto_masking *m, size_t *budget)
{
    const struct sotto_slot *slot = &m->slots.items[m->at];
    struct masking_range *range = &m->range[m->at];
    sotto_span text = sotto_slot_text(slot);
    enum sotto_err err = SOTTO_OK;

    *budget -= text.len < *budget ? text.len : *budget;
    m->at++;
    if (slot->kind == SOTTO_SLOT_USER) {
        return SOTTO_OK;
    }
    sotto_findings_clear(&m->merged);
    err = sotto_known_scan(m->known, text, &m->merged);
    if (err == SOTTO_OK && m->merged.count != 0) {
        err = sotto_merge_known(text, m->found.items + range->first, range->count, &m->merged);
    }
    if (err != SOTTO_OK || m->merged.count == 0) {
        return err;
    }
    range->first = m->found.count;
    range->count = m->merged.count;
    for (size_t i = 0; i < m->merged.count && err == SOTTO_OK; i++) {
        err = sotto_findings_add(&m->found, m->merged.items[i]);
    }
    return err;
}

static enum sotto_err shield_slot(struct sotto_masking *m, size_t *budget)
{
    sotto_span text = sotto_slot_text(&m->slots.items[m->at]);
    *budget -= text.len < *budget ? text.len : *budget;
    m->at++;
    return sotto_vault_shield(m->vault, text);
}

static bool is_foldable(const struct sotto_masking *m, const struct sotto_finding *f)
{
    switch ((enum sotto_label)f->label) {
    case SOTTO_LABEL_PERSON:
    case SOTTO_LABEL_LOCATION:
    case SOTTO_LABEL_ORG:
    case SOTTO_LABEL_ADDRESS:
    case SOTTO_LABEL_EMAIL:
    case SOTTO_LABEL_PHONE:
        return true;
    case SOTTO_LABEL_ID: {
        const char *finer = sotto_detect_finer(m->options->detector, f);
        return finer != NULL && strcmp(finer, "IBAN") == 0;
    }
    case SOTTO_LABEL_DATE:
    case SOTTO_LABEL_AGE:
    case SOTTO_LABEL_OCCUPATION:
    case SOTTO_LABEL_NRP:
    case SOTTO_LABEL_URL:
    case SOTTO_LABEL_SECRET:
        return false;
    }
    return false;
}

/* What stands in the place of a value; empty: the value itself stays.
 *
 * @param general  room for a text that lives as long as the call */
static enum sotto_err stand_in(struct sotto_masking *m, const struct sotto_finding *f,
                               sotto_span value, char general[SOTTO_GENERALISE_BYTES],
                               sotto_span *out)
{
    const char *finer = sotto_detect_finer(m->options->detector, f);
    enum sotto_label label = (enum sotto_label)f->label;
    *out = sotto_span_init(NULL, 0);
    switch (sotto_mode_action(m->options->mode, label, finer, value)) {
    case SOTTO_ACTION_PASS:
        return SOTTO_OK;
    case SOTTO_ACTION_GENERALISE:
        sotto_generalise(label, finer, value, general);
        *out = sotto_span_str(general);
        break;
    case SOTTO_ACTION_TOKENIZE: {
        enum sotto_err err = sotto_vault_token(m->vault, f->label, is_foldable(m, f), value, out);
        if (err != SOTTO_OK) {
            return err;
        }
        break;
    }
    case SOTTO_ACTION_BLOCK: /* the request ends when all of it was gone through */
        m->counts.blocked[label]++;
        m->counts.blocked_total++;
        return SOTTO_OK;
    }
    m->counts.replaced[label]++;
    m->counts.replaced_total++;
    return SOTTO_OK;
}

/* Appends the text up to and including one finding, replaced or as it is. */
static enum sotto_err replace_finding(struct sotto_masking *m, const struct sotto_slot *slot,
                                      const struct sotto_finding *f, size_t *copied,
                                      struct sotto_buf *out)
{
    char general[SOTTO_GENERALISE_BYTES];
    sotto_span text = sotto_slot_text(slot), token = {NULL, 0};
    sotto_span value = sotto_span_sub(text, f->start, f->end);

    m->counts.found[f->label]++;
    m->counts.special += sotto_mode_is_special(m->options->mode, (enum sotto_label)f->label,
                                               sotto_detect_finer(m->options->detector, f))
                             ? 1
                             : 0;
    enum sotto_err err = stand_in(m, f, value, general, &token);
    if (err == SOTTO_OK && token.len != 0) {
        err = sotto_buf_append(out, sotto_span_sub(text, *copied, f->start));
        if (err == SOTTO_OK) {
            err = sotto_buf_append(out, token);
        }
        *copied = f->end;
    }
    if (err == SOTTO_OK && m->explain != NULL) {
        err = sotto_explain_add(m->explain, slot, m->options->detector, f, token);
    }
    return err;
}

/* An identifier of the end user becomes a keyed hash that is stable for the tenant. */
static enum sotto_err replace_user(struct sotto_masking *m)
{
    const struct sotto_slot *slot = &m->slots.items[m->at];
    uint8_t mac[SOTTO_HMAC_BYTES];
    char name[SOTTO_MASKING_USER_LEN];

    enum sotto_err err =
        sotto_hmac_sha256(sotto_span_init(m->options->keys->user, sizeof(m->options->keys->user)),
                          sotto_slot_text(slot), mac);
    if (err == SOTTO_OK) {
        sotto_base62_digest(mac, sizeof(mac), name, sizeof(name));
        if (m->user_len == 0) {
            memcpy(m->user, name, sizeof(name));
            m->user_len = sizeof(name);
        }
    }
    if (err == SOTTO_OK && !m->options->pass_user) {
        err = sotto_slots_set(&m->slots, m->at, sotto_span_init(name, sizeof(name)));
    }
    sotto_wipe(mac, sizeof(mac));
    return err;
}

static enum sotto_err replace_slot(struct sotto_masking *m, size_t *budget)
{
    const struct sotto_slot *slot = &m->slots.items[m->at];
    const struct masking_range *range = &m->range[m->at];
    sotto_span text = sotto_slot_text(slot);
    enum sotto_err err = SOTTO_OK;
    size_t copied = 0;

    *budget -= text.len < *budget ? text.len : *budget;
    if (slot->kind == SOTTO_SLOT_USER) {
        err = replace_user(m);
    } else {
        sotto_buf_truncate(&m->text, 0);
        for (size_t i = 0; i < range->count && err == SOTTO_OK; i++) {
            err = replace_finding(m, slot, &m->found.items[range->first + i], &copied, &m->text);
        }
        if (err == SOTTO_OK && copied != 0) {
            err = sotto_buf_append(&m->text, sotto_span_skip(text, copied));
            if (err == SOTTO_OK) {
                err = sotto_slots_set(&m->slots, m->at, sotto_buf_span(&m->text));
            }
        }
    }
    m->at++;
    return err;
}

static enum sotto_err step_stage(struct sotto_masking *m, size_t *budget)
{
    switch (m->stage) {
    case MASKING_DETECT:
        return detect_slot(m, budget);
    case MASKING_KNOWN:
        return known_slot(m, budget);
    case MASKING_SHIELD:
        return shield_slot(m, budget);
    case MASKING_REPLACE:
        return replace_slot(m, budget);
    case MASKING_DONE:
    case MASKING_DEAD:
        break;
    }
    return SOTTO_ESTATE;
}

/* Nothing was found: known values and tokens have nothing to do, identifiers of users have.  Else
 * the conversation is named while its text is still the caller's. */
static enum sotto_err next_stage(struct sotto_masking *m)
{
    m->at = 0;
    if (m->stage == MASKING_DETECT && m->found.count == 0) {
        m->stage = MASKING_REPLACE;
        return SOTTO_OK;
    }
    m->stage = (enum masking_stage)(m->stage + 1);
    return m->stage == MASKING_SHIELD ? sotto_vault_new(m->options->keys->token, conversation(m),
                                                        m->options->style, &m->vault)
                                      : SOTTO_OK;
}

static enum sotto_err finish(struct sotto_masking *m)
{
    if (m->counts.blocked_total != 0) {
        return SOTTO_EDENIED;
    }
    enum sotto_err err = sotto_slots_finish(&m->slots);
    if (err == SOTTO_OK && m->explain != NULL) {
        err = sotto_explain_sent(m->explain, m->call);
    }
    return err;
}

enum sotto_err sotto_masking_step(struct sotto_masking *m, size_t budget, bool *done)
{
    enum sotto_err err = m->stage == MASKING_DEAD ? SOTTO_ESTATE : SOTTO_OK;
    while (err == SOTTO_OK && m->stage < MASKING_DONE && budget != 0) {
        if (m->at < m->slots.count) {
            err = step_stage(m, &budget);
            budget -= budget != 0; /* a slot without text is work as well */
            continue;
        }
        err = next_stage(m);
        if (err == SOTTO_OK && m->stage == MASKING_DONE) {
            err = finish(m);
        }
    }
    if (err != SOTTO_OK) {
        m->stage = MASKING_DEAD;
        return err;
    }
    *done = m->stage == MASKING_DONE;
    return SOTTO_OK;
}

struct sotto_vault *sotto_masking_take_vault(struct sotto_masking *m)
{
    struct sotto_vault *vault = m->vault;
    m->vault = NULL;
    return vault;
}

sotto_span sotto_masking_user(const struct sotto_masking *m)
{
    return sotto_span_init(m->user, m->user_len);
}

const struct sotto_masking_counts *sotto_masking_counts(const struct sotto_masking *m)
{
    return &m->counts;
}

yyjson_mut_doc *sotto_masking_take_explanation(struct sotto_masking *m)
{
    return m->explain != NULL ? sotto_explain_take(m->explain) : NULL;
}
