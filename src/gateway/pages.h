/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_PAGES_H
#define SOTTO_GATEWAY_PAGES_H

/*
 * The pages that the gateway serves itself: the playground at `/`, and on the admin listener what
 * the metrics say.  They are part of the program and load nothing from elsewhere; a content
 * security policy makes the browser hold to that.  They need no key, since they hold nothing:
 * whoever uses the playground gives one.
 */

#include "base/span.h"

/** What to answer with. */
struct sotto_page_answer {
    const char *head; /* header lines, static */
    sotto_span body;  /* static */
};

/**
 * Looks at a request.
 *
 * @param block     its head, as http/head.h describes
 * @param admin     whether it came to the admin listener
 * @param[out] out  set where it asks for a page (GET or HEAD)
 * @return  whether it does
 */
bool sotto_page_find(sotto_span block, bool admin, struct sotto_page_answer *out);

#endif
