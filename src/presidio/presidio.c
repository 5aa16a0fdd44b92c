/* SPDX-License-Identifier: Apache-2.0 */

#include "presidio/presidio.h"

#include "base/alloc.h"
#include "base/compiler.h"
#include "detect/rule.h"
#include "presidio/analyze.h"
#include "presidio/anonymize.h"
#include "presidio/entity.h"
#include "text/utf8.h"

struct sotto_presidio {
    yyjson_mut_doc *doc;              /* the body; NULL: none was read */
    struct presidio_analyze *analyze; /* NULL: the answer is complete */
    struct presidio_answer answer;
};

/* --- bodies ------------------------------------------------------------------------------------ */

/* What the two services answer to a body that is no JSON; `what` is ours. */
static enum sotto_err refuse_body(enum sotto_presidio_route route,
                                  const struct sotto_json_error *error,
                                  struct presidio_answer *answer)
{
    /* Presidio's analyzer loses the client's error in one of its own. */
    int status = route == SOTTO_PRESIDIO_ANALYZE ? 500 : 400;
    return presidio_refuse(answer, status, "The body is not JSON: %s at line %zu, column %zu.",
                           error->what, error->line, error->column);
}

static enum sotto_err refuse_type(enum sotto_presidio_route route, struct presidio_answer *answer)
{
    return presidio_refuse(answer, route == SOTTO_PRESIDIO_ANALYZE ? 500 : 415,
                           "Did not attempt to load JSON data because the request Content-Type "
                           "was not 'application/json'.");
}

/* application/json, or anything with the suffix +json. */
static bool is_json(sotto_span type)
{
    size_t end = 0;
    while (end < type.len && type.base[end] != ';') {
        end++;
    }
    type = sotto_span_trim(sotto_span_sub(type, 0, end));
    size_t suffix = sizeof("+json") - 1;
    return sotto_span_ieq(type, SOTTO_LIT("application/json")) ||
           (type.len > suffix &&
            sotto_span_ieq(sotto_span_skip(type, type.len - suffix), SOTTO_LIT("+json")));
}

static enum sotto_err read_body(struct sotto_presidio *p,
                                const struct sotto_presidio_request *request)
{
    struct sotto_json_error error;
    size_t bad_at;
    if (!is_json(request->content_type)) {
        return refuse_type(request->route, &p->answer);
    }
    if (!sotto_utf8_valid(request->body, &bad_at)) {
        return presidio_refuse(&p->answer, 400, "The body is not UTF-8 at byte %zu.", bad_at);
    }
    enum sotto_err err = sotto_json_read(request->body, request->max_depth, &p->doc, &error);
    return err == SOTTO_EFORMAT ? refuse_body(request->route, &error, &p->answer) : err;
}

/* --- lists ------------------------------------------------------------------------------------- */

static enum sotto_err answer_list(const char *const *names, struct presidio_answer *answer)
{
    struct sotto_buf *out = &answer->body;
    enum sotto_err err = sotto_buf_push(out, '[');
    for (size_t i = 0; names[i] != NULL && err == SOTTO_OK; i++) {
        err = sotto_buf_printf(out, "%s\"%s\"", i != 0 ? "," : "", names[i]);
    }
    answer->status = 200;
    answer->type = "application/json";
    return err == SOTTO_OK ? sotto_buf_append(out, SOTTO_LIT("]\n")) : err;
}

static enum sotto_err answer_recognizers(struct presidio_answer *answer)
{
    const char *names[SOTTO_RULE_COUNT + 1];
    size_t count = 0;
    for (unsigned i = 1; i < SOTTO_RULE_COUNT; i++) {
        names[count++] = sotto_rule_name(i);
    }
    names[count] = NULL;
    return answer_list(names, answer);
}

static enum sotto_err answer_entities(const struct sotto_presidio_request *request,
                                      struct presidio_answer *answer)
{
    answer->status = 200;
    answer->type = "application/json";
    return presidio_entity_list(request->detector, request->language, &answer->body);
}

/* --- requests ---------------------------------------------------------------------------------- */

bool sotto_presidio_is_heavy(enum sotto_presidio_route route, sotto_span body)
{
    /* The last one: a key may be written with escapes. */
    static const char *const words[] = {"ad_hoc_recognizers", "allow_list_match", "\\u00"};
    for (size_t i = 0; i < SOTTO_COUNT(words) && route == SOTTO_PRESIDIO_ANALYZE; i++) {
        if (body.len != 0 && memmem(body.base, body.len, words[i], strlen(words[i])) != NULL) {
            return true;
        }
    }
    return false;
}

static enum sotto_err begin(struct sotto_presidio *p, const struct sotto_presidio_request *request)
{
    enum sotto_err err = SOTTO_OK;
    switch (request->route) {
    case SOTTO_PRESIDIO_ANALYZE:
        err = read_body(p, request);
        return err == SOTTO_OK
                   ? presidio_analyze_new(yyjson_mut_doc_get_root(p->doc), request->detector,
                                          request->job, &p->analyze, &p->answer)
                   : err;
    case SOTTO_PRESIDIO_ANONYMIZE:
    case SOTTO_PRESIDIO_DEANONYMIZE:
        err = read_body(p, request);
        return err == SOTTO_OK ? presidio_anonymize(yyjson_mut_doc_get_root(p->doc),
                                                    request->route == SOTTO_PRESIDIO_ANONYMIZE
                                                        ? PRESIDIO_ANONYMIZE
                                                        : PRESIDIO_DEANONYMIZE,
                                                    &p->answer)
                               : err;
    case SOTTO_PRESIDIO_RECOGNIZERS:
    case SOTTO_PRESIDIO_SUPPORTED_ENTITIES:
        if (request->language.len != 0 && !presidio_language_known(request->language)) {
            return presidio_refuse(&p->answer, 500,
                                   "No matching recognizers were found to serve the request.");
        }
        return request->route == SOTTO_PRESIDIO_RECOGNIZERS ? answer_recognizers(&p->answer)
                                                            : answer_entities(request, &p->answer);
    case SOTTO_PRESIDIO_ANONYMIZERS:
        return answer_list(presidio_operator_names[PRESIDIO_ANONYMIZE], &p->answer);
    case SOTTO_PRESIDIO_DEANONYMIZERS:
        return answer_list(presidio_operator_names[PRESIDIO_DEANONYMIZE], &p->answer);
    case SOTTO_PRESIDIO_HEALTH:
        p->answer.status = 200;
        p->answer.type = "text/html; charset=utf-8";
        return sotto_buf_append(&p->answer.body, SOTTO_LIT("Presidio Analyzer service is up"));
    }
    return SOTTO_ENOTFOUND;
}

enum sotto_err sotto_presidio_new(const struct sotto_presidio_request *request,
                                  struct sotto_presidio **out)
{
    struct sotto_presidio *p = sotto_calloc(1, sizeof(*p));
    if (p == NULL) {
        return SOTTO_ENOMEM;
    }
    sotto_buf_init(&p->answer.body, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = begin(p, request);
    if (err == SOTTO_EINVAL && p->answer.status != 0) {
        err = SOTTO_OK;
    }
    if (err != SOTTO_OK) {
        sotto_presidio_free(p);
        return err;
    }
    *out = p;
    return SOTTO_OK;
}

void sotto_presidio_free(struct sotto_presidio *p)
{
    if (p != NULL) {
        presidio_analyze_free(p->analyze);
        sotto_json_free(p->doc);
        sotto_buf_free(&p->answer.body);
        sotto_free(p);
    }
}

enum sotto_err sotto_presidio_step(struct sotto_presidio *p, size_t budget, bool *done)
{
    *done = p->analyze == NULL;
    return *done ? SOTTO_OK : presidio_analyze_step(p->analyze, budget, done, &p->answer);
}

void sotto_presidio_answer(const struct sotto_presidio *p, int *status, const char **type,
                           sotto_span *body)
{
    *status = p->answer.status;
    *type = p->answer.type;
    *body = sotto_buf_span(&p->answer.body);
}
