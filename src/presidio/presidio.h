/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_PRESIDIO_PRESIDIO_H
#define SOTTO_PRESIDIO_PRESIDIO_H

/*
 * The REST API of Presidio's analyzer and anonymizer (2.2.366) over Sotto's detection: fields,
 * operators, answers and status codes are theirs; docs/wire/presidio.md has the differences.
 * Bytes in, bytes out: no I/O, no keys.
 *
 * One object is one request.  It works in steps of bounded size; the answer does not depend on
 * them.  Not thread-safe.
 */

#include "detect/detect.h"

/** What the two services answer; the paths are those below "/presidio/". */
enum sotto_presidio_route {
    SOTTO_PRESIDIO_ANALYZE,
    SOTTO_PRESIDIO_ANONYMIZE,
    SOTTO_PRESIDIO_DEANONYMIZE,
    SOTTO_PRESIDIO_RECOGNIZERS,
    SOTTO_PRESIDIO_SUPPORTED_ENTITIES,
    SOTTO_PRESIDIO_ANONYMIZERS,
    SOTTO_PRESIDIO_DEANONYMIZERS,
    SOTTO_PRESIDIO_HEALTH,
};

struct sotto_presidio_request {
    enum sotto_presidio_route route;
    sotto_span content_type; /* of a POST */
    sotto_span language;     /* of a GET: the parameter `language`; empty: not given */
    sotto_span body;         /* of a POST */
    size_t max_depth;        /* of JSON */
    const struct sotto_detector *detector;
    struct sotto_detect_job *job; /* of the detector; lent until the last step */
};

struct sotto_presidio;

/**
 * Whether a request is to be served off an event loop's thread whatever its size: expressions of
 * the caller may take long at one place.
 */
bool sotto_presidio_is_heavy(enum sotto_presidio_route route, sotto_span body);

/**
 * Reads a request.  What Presidio refuses is an answer, not an error.
 *
 * @param request   borrowed for the call, but for detector and job
 * @param[out] out  set only on SOTTO_OK; freed with sotto_presidio_free()
 *
 * @retval SOTTO_ENOMEM, SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_presidio_new(const struct sotto_presidio_request *request,
                                                   struct sotto_presidio **out);

/** Wipes and frees; NULL is allowed. */
void sotto_presidio_free(struct sotto_presidio *p);

/**
 * Does a part of the work.
 *
 * @param budget     about how many bytes of text to go over; SIZE_MAX: all
 * @param[out] done  whether the answer is complete
 *
 * @retval SOTTO_ELIMIT  an expression is too slow on this text
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_presidio_step(struct sotto_presidio *p, size_t budget,
                                                    bool *done);

/** The complete answer; the body is borrowed until the object is freed. */
void sotto_presidio_answer(const struct sotto_presidio *p, int *status, const char **type,
                           sotto_span *body);

#endif
