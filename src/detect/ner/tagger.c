/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/tagger.h"

#include "base/alloc.h"
#include "detect/ner/decode.h"
#include "detect/ner/kernel.h"
#include "detect/ner/model.h"
#include "detect/ner/passage.h"
#include "detect/ner/report.h"
#include "detect/ner/token.h"

/*
 * A text goes through a window of TAG_WINDOW tokens.  A convolution sees `reach` tokens to each side,
 * so the outermost `reach` tokens of a window are context only, except at the ends of the text; the
 * next window begins 2 * reach tokens before this one's end.  The numbers that come out are exactly
 * those of one window as long as the text.
 *
 *   FILL ---> LAYER (each, in pieces) ---> HEAD (in pieces) ---> DECODE ---> FILL ... ---> DONE
 *                                           |                    ^
 *                                           +--> LISTEN <-> READ -+      with an encoder
 *
 * The encoder reads passages of the tokens that have come out (passage.h): all of them, or those
 * where the convolution is unsure.  The numbers of a token are then the mean of what both say of it.
 * Tokens behind the last passage that is known to be whole wait for the next window.
 */
#define TAG_WINDOW          256
#define TAG_PIECE           60 /* tokens of a piece of work */
#define TAG_BYTES_PER_TOKEN 5

/* What a step of the encoder counts, in bytes: as much as any step may last. */
#define TAG_READ_COST 256

/* Rows around the activations that stay zero: a text has zeros for neighbours. */
#define TAG_PAD  SOTTO_NER_REACH_MAX
#define TAG_ROWS (TAG_WINDOW + SOTTO_NER_SLACK)

_Static_assert(TAG_WINDOW + 64 + SOTTO_NER_PASSAGE_MAX <= SOTTO_NER_PATH_MAX,
               "a window, undecided tokens and those of a passage that goes on wait together");
_Static_assert(TAG_PIECE % SOTTO_NER_TILE == 0, "a piece ends where a tile ends");
_Static_assert(4 * SOTTO_NER_REACH_MAX < TAG_WINDOW, "a window moves on");

enum tag_stage {
    TAG_FILL,
    TAG_LAYER,
    TAG_HEAD,
    TAG_LISTEN,
    TAG_READ,
    TAG_DECODE,
    TAG_DONE,
};

struct sotto_tagger {
    struct sotto_ner_model model;
    const struct sotto_ner_kernels *kernels;
    struct sotto_ner_encoder *encoder; /* NULL: the convolution reads alone */
    bool doubts_only;                  /* the encoder reads where the convolution is unsure */
};

struct sotto_tag_job {
    const struct sotto_tagger *tagger;
    enum tag_stage stage;
    struct sotto_ner_cursor cursor;
    bool last;         /* the window holds the end of the text */
    size_t count;      /* tokens in the window */
    size_t most;       /* in any window since all was forgotten */
    size_t context;    /* of them at its beginning, context only */
    size_t layer;      /* stage LAYER: which */
    size_t at;         /* stages LAYER and HEAD: next token */
    size_t spent;      /* bytes of the budget, by the last step */
    size_t path_count; /* tokens waiting to be decoded */
    size_t path_leant; /* of them, seen by a decoding before */
    size_t path_final; /* of them, with numbers that stay */
    size_t passage;    /* stage READ: tokens from path_final on that are being read */
    struct sotto_ner_reading *reading; /* NULL without an encoder */
    struct sotto_ner_place window[TAG_WINDOW];
    struct sotto_ner_place path_places[SOTTO_NER_PATH_MAX];
    struct sotto_ner_path path;
    struct sotto_ner_entity entities[SOTTO_NER_PATH_MAX];
    int16_t tail[2 * SOTTO_NER_REACH_MAX * SOTTO_NER_WIDTH]; /* embedding of the window's end */
    int16_t h[TAG_ROWS * SOTTO_NER_WIDTH];
    uint8_t a[(TAG_PAD + TAG_ROWS + TAG_PAD) * SOTTO_NER_WIDTH];
    int32_t logits[(SOTTO_NER_PATH_MAX + SOTTO_NER_SLACK) * SOTTO_NER_HEAD];
};

/* --- one token ------------------------------------------------------------------------------- */

/* Returns the flags of its word. */
static uint16_t embed(const struct sotto_tagger *tagger, const struct sotto_ner_token *token,
                      int16_t *h)
{
    const struct sotto_ner_model *m = &tagger->model;
    const int8_t *rows[3 + SOTTO_NER_FLAGS + 1];
    const int8_t *grams[SOTTO_NER_GRAMS_MAX];
    uint32_t flags = 0;
    size_t n = 0;

    rows[n++] = m->word + (size_t)(token->hash & m->word_mask) * SOTTO_NER_WIDTH;
    rows[n++] = m->word +
                (size_t)(sotto_ner_mix(token->hash ^ 0x9e3779b9U) & m->word_mask) * SOTTO_NER_WIDTH;
    rows[n++] = m->shape + (size_t)token->shape * SOTTO_NER_WIDTH;
    if (token->kind == SOTTO_NER_WORD) {
        uint32_t cluster;
        flags = sotto_ner_model_lookup(m, token->hash, &cluster);
        for (size_t bit = 0; bit < SOTTO_NER_FLAGS; bit++) {
            if ((flags >> bit & 1) != 0) {
                rows[n++] = m->flag + bit * SOTTO_NER_WIDTH;
            }
        }
        if (cluster != 0) {
            rows[n++] = m->cluster + (size_t)cluster * SOTTO_NER_WIDTH;
        }
    }
    for (size_t i = 0; i < token->gram_count; i++) {
        grams[i] = m->gram + (size_t)(token->grams[i] & m->gram_mask) * SOTTO_NER_WIDTH;
    }
    tagger->kernels->embed(rows, n, grams, token->gram_count, h);
    return (uint16_t)flags;
}

/* --- the stages ------------------------------------------------------------------------------ */

static uint8_t *activations(struct sotto_tag_job *job)
{
    return job->a + (size_t)TAG_PAD * SOTTO_NER_WIDTH;
}

static void activate(struct sotto_tag_job *job)
{
    job->tagger->kernels->activate(job->h, job->count, activations(job));
    job->at = 0;
}

/* Keeps what the next window begins with, before the layers write over it. */
static void keep_tail(struct sotto_tag_job *job)
{
    size_t keep = 2 * (size_t)job->tagger->model.reach;

    memcpy(job->tail, job->h + (job->count - keep) * SOTTO_NER_WIDTH,
           keep * SOTTO_NER_WIDTH * sizeof(job->tail[0]));
}

static void fill(struct sotto_tag_job *job)
{
    struct sotto_ner_token token;
    size_t stop = job->count + TAG_PIECE;

    while (job->count < TAG_WINDOW && job->count < stop) {
        if (!sotto_ner_next(&job->cursor, &token)) {
            job->last = true;
            break;
        }
        job->window[job->count] = (struct sotto_ner_place){
            .start = token.start,
            .end = token.end,
            .kind = token.kind,
            .sign = token.sign,
            .shape = token.shape,
            .flags = embed(job->tagger, &token, job->h + job->count * SOTTO_NER_WIDTH)};
        job->count++;
    }
    job->most = job->count > job->most ? job->count : job->most;
    if (!job->last && job->count < TAG_WINDOW) {
        return;
    }
    if (!job->last) {
        keep_tail(job);
    }
    /* Rows behind a short last window may hold an older window's activations. */
    memset(activations(job) + job->count * SOTTO_NER_WIDTH, 0,
           (TAG_ROWS + TAG_PAD - job->count) * SOTTO_NER_WIDTH);
    activate(job);
    job->layer = 0;
    job->stage = TAG_LAYER;
}

static size_t piece(const struct sotto_tag_job *job, size_t end)
{
    return end - job->at < TAG_PIECE ? end - job->at : TAG_PIECE;
}

static void convolve(struct sotto_tag_job *job)
{
    const struct sotto_ner_model *m = &job->tagger->model;
    size_t n = piece(job, job->count);

    if (n != 0) {
        job->tagger->kernels->convolve(
            &m->layer[job->layer], activations(job) + job->at * SOTTO_NER_WIDTH,
            m->dilation[job->layer], n, job->h + job->at * SOTTO_NER_WIDTH);
    }
    job->at += n;
    if (job->at == job->count) {
        activate(job);
        if (++job->layer == m->layer_count) {
            job->at = job->context;
            job->stage = TAG_HEAD;
        }
    }
}

/* Tokens from `context` up to here come out of this window. */
static size_t core_end(const struct sotto_tag_job *job)
{
    return job->last ? job->count : job->count - job->tagger->model.reach;
}

static void score_tags(struct sotto_tag_job *job)
{
    size_t end = core_end(job), n = piece(job, end);

    if (n != 0) {
        job->tagger->kernels->head(&job->tagger->model.head,
                                   activations(job) + job->at * SOTTO_NER_WIDTH, n,
                                   job->logits + job->path_count * SOTTO_NER_HEAD);
        memcpy(job->path_places + job->path_count, job->window + job->at,
               n * sizeof(job->window[0]));
    }
    job->path_count += n;
    job->at += n;
    if (job->at == end && job->reading == NULL) {
        job->path_final = job->path_count;
        job->stage = TAG_DECODE;
    } else if (job->at == end) {
        job->stage = TAG_LISTEN;
    }
}

/* Whether the convolution is unsure of one of the next `count` tokens. */
static bool doubts(const struct sotto_tag_job *job, size_t count)
{
    const struct sotto_ner_encoder_model *m = sotto_ner_encoder_model(job->tagger->encoder);
    uint8_t label;

    for (size_t i = job->path_final; i < job->path_final + count; i++) {
        unsigned score = sotto_ner_presence(job->logits + i * SOTTO_NER_HEAD, &label);
        if (score >= m->unsure_from && score <= m->unsure_to) {
            return true;
        }
    }
    return false;
}

/* Begins with the next passage, or passes over it. */
static void listen(struct sotto_tag_job *job)
{
    size_t n = sotto_ner_passage(job->reading, job->cursor.text, job->path_places + job->path_final,
                                 job->path_count - job->path_final, job->last);
    if (n == 0) {
        job->stage = TAG_DECODE;
    } else if (job->tagger->doubts_only && !doubts(job, n)) {
        job->path_final += n;
    } else {
        job->passage = n;
        job->stage = TAG_READ;
    }
}

/* What both say counts half each: they err in different places. */
static void take_reading(struct sotto_tag_job *job)
{
    int32_t said[SOTTO_NER_HEAD];

    for (size_t i = 0; i < job->passage; i++) {
        int32_t *logits = job->logits + (job->path_final + i) * SOTTO_NER_HEAD;
        sotto_ner_reading_logits(job->reading, i, said);
        for (size_t tag = 0; tag < SOTTO_NER_TAGS; tag++) {
            logits[tag] = (logits[tag] + said[tag]) / 2;
        }
    }
    sotto_wipe(said, sizeof(said));
    job->path_final += job->passage;
    job->stage = TAG_LISTEN;
}

static void read_on(struct sotto_tag_job *job)
{
    if (sotto_ner_reading_step(job->reading)) {
        take_reading(job);
    }
}

/* The next window begins with the last 2 * reach tokens of this one. */
static void move_on(struct sotto_tag_job *job)
{
    size_t keep = 2 * (size_t)job->tagger->model.reach;

    memmove(job->window, job->window + job->count - keep, keep * sizeof(job->window[0]));
    memcpy(job->h, job->tail, keep * SOTTO_NER_WIDTH * sizeof(job->h[0]));
    job->context = job->tagger->model.reach;
    job->count = keep;
    job->stage = TAG_FILL;
}

static enum sotto_err decode(struct sotto_tag_job *job, struct sotto_findings *list)
{
    size_t done;
    size_t n = sotto_ner_decode(&job->tagger->model, job->logits, job->path_final, job->path_leant,
                                job->last, &job->path, job->entities, &done);
    const struct sotto_ner_path_tokens tokens = {
        .text = job->cursor.text, .places = job->path_places, .logits = job->logits};
    enum sotto_err err = sotto_ner_report(&tokens, job->entities, n, done, list);

    job->path_count -= done;
    job->path_final -= done;
    job->path_leant = job->path_final;
    memmove(job->path_places, job->path_places + done,
            job->path_count * sizeof(job->path_places[0]));
    memmove(job->logits, job->logits + done * SOTTO_NER_HEAD,
            job->path_count * SOTTO_NER_HEAD * sizeof(job->logits[0]));
    if (job->last) {
        job->stage = TAG_DONE;
    } else {
        move_on(job);
    }
    return err;
}

/* --- jobs ------------------------------------------------------------------------------------ */

enum sotto_err sotto_tag_job_new(const struct sotto_tagger *tagger, struct sotto_tag_job **out)
{
    struct sotto_tag_job *job = sotto_calloc(1, sizeof(*job));

    if (job == NULL) {
        return SOTTO_ENOMEM;
    }
    job->tagger = tagger;
    job->stage = TAG_DONE;
    if (tagger->encoder != NULL) {
        enum sotto_err err = sotto_ner_reading_new(tagger->encoder, &job->reading);
        if (err != SOTTO_OK) {
            sotto_tag_job_free(job);
            return err;
        }
    }
    *out = job;
    return SOTTO_OK;
}

void sotto_tag_job_free(struct sotto_tag_job *job)
{
    if (job != NULL) {
        sotto_ner_reading_free(job->reading);
        sotto_free(job);
    }
}

void sotto_tag_forget(struct sotto_tag_job *job)
{
    size_t most = job->most; /* nothing lies behind so many tokens */
    size_t path = most < TAG_WINDOW ? most : SOTTO_NER_PATH_MAX;

    sotto_wipe(job->window, most * sizeof(job->window[0]));
    sotto_wipe(job->h, (most + SOTTO_NER_SLACK) * SOTTO_NER_WIDTH * sizeof(job->h[0]));
    sotto_wipe(activations(job), (most + SOTTO_NER_SLACK) * SOTTO_NER_WIDTH);
    sotto_wipe(job->tail, most < TAG_WINDOW ? 0 : sizeof(job->tail));
    sotto_wipe(job->path_places, path * sizeof(job->path_places[0]));
    sotto_wipe(&job->path, sizeof(job->path));
    sotto_wipe(job->entities, path * sizeof(job->entities[0]));
    sotto_wipe(job->logits, (path + SOTTO_NER_SLACK) * SOTTO_NER_HEAD * sizeof(job->logits[0]));
    if (job->reading != NULL) {
        sotto_ner_reading_begin(job->reading);
    }
    sotto_tag_begin(job, sotto_span_init(NULL, 0));
    job->stage = TAG_DONE;
    job->most = job->layer = job->at = job->spent = job->passage = 0;
}

void sotto_tag_begin(struct sotto_tag_job *job, sotto_span text)
{
    job->cursor = (struct sotto_ner_cursor){.text = text, .space = true};
    job->stage = TAG_FILL;
    job->last = false;
    job->count = 0;
    job->context = 0;
    job->path_count = 0;
    job->path_leant = 0;
    job->path_final = 0;
}

/* Bytes that the next piece of work is worth: a window's stages share its bytes evenly.  What a text
 * has no room for is not charged, so that many short texts cost what one of their length does. */
static size_t piece_cost(const struct sotto_tag_job *job)
{
    size_t tokens = TAG_PIECE;
    if (job->stage == TAG_READ) {
        return TAG_READ_COST;
    }
    if (job->last && job->count < TAG_PIECE) {
        tokens = job->count + SOTTO_NER_TILE;
    }
    return tokens * TAG_BYTES_PER_TOKEN / (job->tagger->model.layer_count + 2);
}

enum sotto_err sotto_tag_step(struct sotto_tag_job *job, size_t budget, struct sotto_findings *list,
                              bool *done)
{
    enum sotto_err err = SOTTO_OK;

    for (job->spent = 0;
         err == SOTTO_OK && job->stage != TAG_DONE && (job->spent == 0 || job->spent < budget);) {
        job->spent += piece_cost(job);
        switch (job->stage) {
        case TAG_FILL:
            fill(job);
            break;
        case TAG_LAYER:
            convolve(job);
            break;
        case TAG_HEAD:
            score_tags(job);
            break;
        case TAG_LISTEN:
            listen(job);
            break;
        case TAG_READ:
            read_on(job);
            break;
        case TAG_DECODE:
            err = decode(job, list);
            break;
        case TAG_DONE:
            break;
        }
    }
    *done = job->stage == TAG_DONE;
    return err;
}

size_t sotto_tag_spent(const struct sotto_tag_job *job)
{
    return job->spent;
}

/* --- taggers --------------------------------------------------------------------------------- */

extern const uint8_t sotto_ner_small_begin[], sotto_ner_small_end[];
extern const uint8_t sotto_ner_large_begin[], sotto_ner_large_end[];

struct sotto_tagger_files sotto_tagger_weights(void)
{
    return (struct sotto_tagger_files){
        .small = sotto_span_init(sotto_ner_small_begin,
                                 (size_t)(sotto_ner_small_end - sotto_ner_small_begin)),
        .large = sotto_span_init(sotto_ner_large_begin,
                                 (size_t)(sotto_ner_large_end - sotto_ner_large_begin)),
    };
}

static const struct sotto_ner_kernels *kernels_named(const char *name)
{
    if (name == NULL) {
        return sotto_ner_kernels_best();
    }
    for (size_t i = 0; sotto_ner_kernels_all[i] != NULL; i++) {
        if (strcmp(sotto_ner_kernels_all[i]->name, name) == 0 &&
            sotto_ner_kernels_all[i]->usable()) {
            return sotto_ner_kernels_all[i];
        }
    }
    return NULL;
}

static enum sotto_err open_tagger(const struct sotto_tagger_files *files,
                                  enum sotto_tagger_kind kind, bool trusted, const char *kernels,
                                  struct sotto_tagger **out)
{
    struct sotto_tagger *tagger = sotto_calloc(1, sizeof(*tagger));
    enum sotto_err err = SOTTO_ENOMEM;

    if (tagger == NULL) {
        goto out;
    }
    tagger->doubts_only = kind == SOTTO_TAGGER_CASCADE;
    err = sotto_ner_model_open(files->small, trusted, &tagger->model);
    tagger->kernels = kernels_named(kernels);
    if (err == SOTTO_OK && tagger->kernels == NULL) {
        err = SOTTO_EINVAL;
    }
    if (err == SOTTO_OK && kind != SOTTO_TAGGER_SMALL) {
        err = sotto_ner_encoder_open(files->large, trusted, kernels, &tagger->encoder);
    }
    if (err == SOTTO_OK) {
        *out = tagger;
        tagger = NULL; /* transferred */
    }

out:
    sotto_tagger_free(tagger);
    return err;
}

enum sotto_err sotto_tagger_new(enum sotto_tagger_kind kind, struct sotto_tagger **out)
{
    struct sotto_tagger_files files = sotto_tagger_weights();
    return open_tagger(&files, kind, true, NULL, out);
}

enum sotto_err sotto_tagger_open(const struct sotto_tagger_files *files,
                                 enum sotto_tagger_kind kind, const char *kernels,
                                 struct sotto_tagger **out)
{
    return open_tagger(files, kind, false, kernels, out);
}

void sotto_tagger_free(struct sotto_tagger *tagger)
{
    if (tagger != NULL) {
        sotto_ner_encoder_free(tagger->encoder);
        sotto_free(tagger);
    }
}

const char *sotto_tagger_kernels(const struct sotto_tagger *tagger)
{
    return tagger->kernels->name;
}
