/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Writes an audit log until it has so many entries: for tests of what others say about it.
 * usage: write_log FOLDER ENTRIES
 */

#include <stdio.h>
#include <stdlib.h>

#include "store/audit_log.h"

static int fail(const char *why)
{
    fprintf(stderr, "write_log: %s\n", why);
    return 1;
}

int main(int argc, char **argv)
{
    static char ids[SOTTO_AUDIT_BATCH_MAX][SOTTO_AUDIT_ID_SYMBOLS + 1];
    struct sotto_audit_item items[SOTTO_AUDIT_BATCH_MAX];
    struct sotto_audit_log *log = NULL;
    struct sotto_audit_found_state found;
    char why[SOTTO_STORE_WHY_BYTES];
    if (argc != 3) {
        return fail("usage: write_log FOLDER ENTRIES");
    }
    unsigned long total = strtoul(argv[2], NULL, 10);
    const struct sotto_audit_options options = {.folder = argv[1],
                                                .origin = SOTTO_LIT("test.example/log")};
    if (sotto_audit_open(&options, &log, &found, why) != SOTTO_OK) {
        return fail(why);
    }
    for (unsigned long n = found.entries; n < total;) {
        size_t count = 0;
        for (; count < SOTTO_AUDIT_BATCH_MAX && n < total && count < 1 + n % 97; count++, n++) {
            snprintf(ids[count], sizeof(ids[count]), "id%020lu", n);
            items[count] =
                (struct sotto_audit_item){ids[count], SOTTO_LIT("key"), SOTTO_LIT("{\"v\":1}")};
        }
        if (sotto_audit_append(log, items, count) != SOTTO_OK) {
            return fail("append");
        }
        if (n % 1013 < 97 && sotto_audit_publish(log, NULL) != SOTTO_OK) {
            return fail("publish");
        }
    }
    if (sotto_audit_publish(log, NULL) != SOTTO_OK) {
        return fail("publish");
    }
    sotto_audit_close(log);
    return 0;
}
