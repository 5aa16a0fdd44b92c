/* SPDX-License-Identifier: Apache-2.0 */

#include "client/veil.h"

#include "base/alloc.h"
#include "crypto/random.h"
#include "pipeline/masking.h"
#include "pipeline/restoring.h"

/* Nesting of JSON in requests, inside their strings, and in answers. */
#define VEIL_DEPTH_MAX 128

struct sotto_veil {
    struct sotto_detector *detector;
    struct sotto_modes *modes;
    const struct sotto_mode *mode;
    struct sotto_masking_keys keys;
};

struct sotto_veil_answer {
    struct sotto_vault *vault; /* NULL: nothing was found */
    struct sotto_restoring *restoring;
};

enum sotto_err sotto_veil_new(sotto_span mode, struct sotto_veil **out)
{
    struct sotto_veil *veil = sotto_calloc(1, sizeof(*veil));
    if (veil == NULL) {
        return SOTTO_ENOMEM;
    }
    struct sotto_mode_error wrong;
    enum sotto_err err = sotto_crypto_random(&veil->keys, sizeof(veil->keys));
    if (err == SOTTO_OK) {
        err = sotto_modes_new(NULL, 0, NULL, 0, &veil->modes, &wrong);
    }
    if (err == SOTTO_OK) {
        veil->mode = sotto_modes_find(veil->modes, mode);
        err =
            veil->mode != NULL ? sotto_detector_new(NULL, &veil->detector, NULL) : SOTTO_ENOTFOUND;
    }
    if (err != SOTTO_OK) {
        sotto_veil_free(veil);
        return err;
    }
    *out = veil;
    return SOTTO_OK;
}

void sotto_veil_free(struct sotto_veil *veil)
{
    if (veil != NULL) {
        sotto_detector_free(veil->detector);
        sotto_modes_free(veil->modes);
        sotto_free(veil);
    }
}

void sotto_veil_answer_free(struct sotto_veil_answer *answer)
{
    if (answer != NULL) {
        sotto_restoring_free(answer->restoring);
        sotto_vault_free(answer->vault);
        sotto_free(answer);
    }
}

/* The call of the narrow waist that the document is. */
static void fill_call(yyjson_mut_doc *doc, struct sotto_call *call)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    sotto_call_init(call);
    call->doc = doc;
    call->kind = sotto_json_get(root, "messages") != NULL ? SOTTO_CALL_CHAT : SOTTO_CALL_EMBEDDINGS;
}

static enum sotto_err mask(const struct sotto_veil *veil, struct sotto_call *call,
                           struct sotto_vault **vault)
{
    const struct sotto_masking_options options = {.detector = veil->detector,
                                                  .mode = veil->mode,
                                                  .keys = &veil->keys,
                                                  .style = SOTTO_STYLE_TOKEN,
                                                  .max_depth = VEIL_DEPTH_MAX};
    struct sotto_problem problem = {0};
    struct sotto_detect_job *job = NULL;
    struct sotto_masking *masking = NULL;
    bool done = false;
    enum sotto_err err = sotto_detect_job_new(veil->detector, &job);
    if (err == SOTTO_OK) {
        err = sotto_masking_new(call, &options, job, &masking, &problem);
    }
    while (err == SOTTO_OK && !done) {
        err = sotto_masking_step(masking, SIZE_MAX, &done);
    }
    if (err == SOTTO_OK) {
        *vault = sotto_masking_take_vault(masking);
    }
    sotto_masking_free(masking);
    sotto_detect_job_free(job);
    return err;
}

enum sotto_err sotto_veil_request(struct sotto_veil *veil, yyjson_mut_doc *doc,
                                  struct sotto_veil_answer **out)
{
    struct sotto_call call;
    struct sotto_veil_answer *answer = sotto_calloc(1, sizeof(*answer));
    if (answer == NULL) {
        return SOTTO_ENOMEM;
    }
    fill_call(doc, &call);
    enum sotto_err err = mask(veil, &call, &answer->vault);
    call.doc = NULL; /* the caller's */
    sotto_call_free(&call);
    if (err == SOTTO_OK && answer->vault != NULL) {
        err = sotto_restoring_new(answer->vault, &answer->restoring);
    }
    if (err != SOTTO_OK) {
        sotto_veil_answer_free(answer);
        return err;
    }
    *out = answer;
    return SOTTO_OK;
}

enum sotto_err sotto_veil_restore(struct sotto_veil_answer *answer, sotto_span text, bool chunk,
                                  struct sotto_buf *out)
{
    struct sotto_json_error where;
    yyjson_mut_doc *doc = NULL;
    bool empty = false;
    if (answer->restoring == NULL) {
        return sotto_buf_append(out, text);
    }
    enum sotto_err err = sotto_json_read(text, VEIL_DEPTH_MAX, &doc, &where);
    if (err != SOTTO_OK) {
        return err == SOTTO_ENOMEM ? err : SOTTO_EFORMAT;
    }
    err = chunk ? sotto_restoring_chunk(answer->restoring, doc, &empty)
                : sotto_restoring_whole(answer->restoring, doc);
    if (err == SOTTO_OK && !empty) {
        err = sotto_json_write(yyjson_mut_doc_get_root(doc), out);
    }
    sotto_json_free(doc);
    return err;
}
