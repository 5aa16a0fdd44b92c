/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SYS_TSM_H
#define SOTTO_SYS_TSM_H

/*
 * Reports of the machine's security module through the kernel's interface for them (Linux 6.7 and
 * newer, Documentation/ABI/testing/configfs-tsm-report): a folder is made, what the report shall
 * vouch for is written to `inblob`, the report is read from `outblob`.
 */

#include "base/buf.h"

/** Where the kernel has it. */
#define SOTTO_TSM_PATH "/sys/kernel/config/tsm/report"

/** Longest report and longest table of certificates. */
#define SOTTO_TSM_BYTES_MAX ((size_t)32 << 10)

/** Longest data that a report vouches for. */
#define SOTTO_TSM_DATA_MAX 64

/** Bytes for the name of a provider ("sev_guest", "tdx_guest"), with its NUL. */
#define SOTTO_TSM_PROVIDER_BYTES 32

/**
 * Asks for one report.
 *
 * @param path           SOTTO_TSM_PATH, or a folder that behaves alike
 * @param name           of the folder to make in it; an own one for each call at a time.  One that
 *                       is there already is used and left
 * @param data           1 to SOTTO_TSM_DATA_MAX bytes
 * @param[out] provider  who made the report
 * @param[out] report    appended: the report
 * @param[out] table     appended: certificates that the host lends, where it does
 *
 * @retval SOTTO_EINVAL     `data`, or a path that is too long
 * @retval SOTTO_ENOTFOUND  this machine has no such module
 * @retval SOTTO_ESTATE     somebody else asked in the same folder meanwhile
 * @retval SOTTO_EDENIED, SOTTO_EIO, SOTTO_ELIMIT, SOTTO_ENOMEM
 *                          in each case the outputs are unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_tsm_report(const char *path, const char *name,
                                                 sotto_span data,
                                                 char provider[SOTTO_TSM_PROVIDER_BYTES],
                                                 struct sotto_buf *report, struct sotto_buf *table);

#endif
