/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/gateway_state.h"

/* So many in flight leave time for this. */
#define MEMORY_QUIET_REQUESTS 8

/* Fewer leave nothing that is worth it. */
#define MEMORY_MANY_REQUESTS 256

bool gateway_is_to_return_memory(struct sotto_gateway *g)
{
    uint64_t begun = 0, in_flight = 0;
    for (size_t i = 0; i < g->worker_count; i++) {
        uint64_t began, flying;
        sotto_metrics_count(sotto_worker_metrics(g->workers[i]), &began, &flying);
        begun += began;
        in_flight += flying;
    }
    if (in_flight > MEMORY_QUIET_REQUESTS || begun - g->returned_at < MEMORY_MANY_REQUESTS) {
        return false;
    }
    g->returned_at = begun;
    return true;
}
