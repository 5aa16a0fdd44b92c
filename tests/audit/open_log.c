/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Opens an audit log as a gateway does after a crash, and tells which ids it has.
 * usage: open_log FOLDER < IDS (22 symbols each)    prints the number of those that are missing
 */

#include <stdio.h>

#include "base/alloc.h"
#include "store/audit_log.h"

int main(int argc, char **argv)
{
    struct sotto_audit_log *log = NULL;
    struct sotto_audit_found_state found;
    char why[SOTTO_STORE_WHY_BYTES], id[SOTTO_AUDIT_ID_SYMBOLS];
    unsigned long missing = 0, erased = 0;
    uint64_t gone = 0;
    if (argc != 2) {
        return 2;
    }
    const struct sotto_audit_options options = {
        .folder = argv[1], .origin = SOTTO_LIT("test.example/log"), .strict = true};
    if (sotto_audit_open(&options, &log, &found, why) != SOTTO_OK) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    while (fread(id, sizeof(id), 1, stdin) == 1) {
        struct sotto_audit_entry e;
        if (sotto_audit_find(log, sotto_span_init(id, sizeof(id)), &e) != SOTTO_OK) {
            missing++;
            continue;
        }
        erased += e.erased;
        sotto_audit_entry_free(&e);
    }
    uint64_t entries = found.entries;
    sotto_audit_close(log);
    if (sotto_audit_check_records(argv[1], NULL, entries, &gone, why) != SOTTO_OK) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    printf("missing %lu erased %lu entries %llu recovered %llu torn %llu\n", missing, erased,
           (unsigned long long)entries, (unsigned long long)found.recovered,
           (unsigned long long)found.torn_bytes);
    return 0;
}
