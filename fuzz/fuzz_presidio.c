/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Presidio's API: the first byte chooses the route, the rest is the body.  Oracles: every body has
 * an answer, which is JSON; steps give what one step gives; what anonymize answers has its items
 * where it says.
 */

#include <stdlib.h>

#include "base/buf.h"
#include "presidio/presidio.h"
#include "text/utf8.h"
#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static struct sotto_detector *detector;
static struct sotto_detect_job *job;

/* The answer; false: an expression of the caller was stopped. */
static bool ask(enum sotto_presidio_route route, sotto_span body, size_t budget, int *status,
                struct sotto_buf *out)
{
    const struct sotto_presidio_request request = {.route = route,
                                                   .content_type = SOTTO_LIT("application/json"),
                                                   .body = body,
                                                   .max_depth = 32,
                                                   .detector = detector,
                                                   .job = job};
    struct sotto_presidio *p = NULL;
    const char *type = NULL;
    sotto_span text;
    bool done = false;
    must(sotto_presidio_new(&request, &p) == SOTTO_OK);
    while (!done) {
        enum sotto_err err = sotto_presidio_step(p, budget, &done);
        must(err == SOTTO_OK || err == SOTTO_ELIMIT);
        if (err != SOTTO_OK) {
            sotto_presidio_free(p);
            return false;
        }
    }
    sotto_presidio_answer(p, status, &type, &text);
    must(*status >= 200 && *status <= 599 && type != NULL);
    must(sotto_buf_append(out, text) == SOTTO_OK);
    sotto_presidio_free(p);
    return true;
}

/* Code points [start, end) of the text are the item's. */
static void check_item(sotto_span text, yyjson_mut_val *item)
{
    int64_t start, end;
    size_t at = 0, from = 0;
    must(sotto_json_int(sotto_json_get(item, "start"), &start) == SOTTO_OK);
    must(sotto_json_int(sotto_json_get(item, "end"), &end) == SOTTO_OK);
    must(start >= 0 && start <= end && (size_t)end <= sotto_utf8_count(text));
    for (int64_t i = 0; i < end; i++) {
        from = i == start ? at : from;
        (void)sotto_utf8_next(text, &at);
    }
    from = start == end ? at : from;
    must(sotto_span_eq(sotto_span_sub(text, from, at),
                       sotto_json_text(sotto_json_get(item, "text"))));
}

static void check(enum sotto_presidio_route route, int status, sotto_span answer)
{
    yyjson_mut_doc *doc = NULL;
    must(sotto_json_read(answer, 64, &doc, NULL) == SOTTO_OK);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (status != 200) {
        must(yyjson_mut_is_str(sotto_json_get(root, "error")));
    } else if (route == SOTTO_PRESIDIO_ANALYZE) {
        must(yyjson_mut_is_arr(root));
    } else {
        size_t i, max;
        yyjson_mut_val *item;
        sotto_span text = sotto_json_text(sotto_json_get(root, "text"));
        yyjson_mut_arr_foreach(sotto_json_get(root, "items"), i, max, item)
        {
            check_item(text, item);
        }
    }
    sotto_json_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum sotto_presidio_route routes[] = {
        SOTTO_PRESIDIO_ANALYZE, SOTTO_PRESIDIO_ANONYMIZE, SOTTO_PRESIDIO_DEANONYMIZE};
    if (detector == NULL) {
        const struct sotto_detector_options options = {.tagger = SOTTO_DETECT_NONE};
        must(sotto_detector_new(&options, &detector, NULL) == SOTTO_OK);
        must(sotto_detect_job_new(detector, &job) == SOTTO_OK);
    }
    if (size == 0) {
        return 0;
    }
    enum sotto_presidio_route route = routes[data[0] % 3];
    sotto_span body = sotto_span_init(data + 1, size - 1);
    struct sotto_buf whole, parts;
    int status = 0, again = 0;
    sotto_buf_init(&whole, SOTTO_BUF_UNBOUNDED);
    sotto_buf_init(&parts, SOTTO_BUF_UNBOUNDED);
    if (ask(route, body, SIZE_MAX, &status, &whole)) {
        check(route, status, sotto_buf_span(&whole));
        if (route == SOTTO_PRESIDIO_ANALYZE && ask(route, body, 7, &again, &parts)) {
            must(again == status && sotto_span_eq(sotto_buf_span(&whole), sotto_buf_span(&parts)));
        }
    }
    sotto_buf_free(&whole);
    sotto_buf_free(&parts);
    return 0;
}
