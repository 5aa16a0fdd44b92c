/* SPDX-License-Identifier: Apache-2.0 */

#include "chat/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Copies what fits; a cut text does not end inside a UTF-8 sequence. */
static void keep(char *dst, size_t size, const char *src)
{
    size_t len = src != NULL ? strlen(src) : 0;
    if (len >= size) {
        len = size - 1;
        while (len != 0 && ((unsigned char)src[len] & 0xC0U) == 0x80U) {
            len--;
        }
    }
    if (len != 0) {
        memcpy(dst, src, len);
    }
    dst[len] = '\0';
}

SOTTO_PRINTF(6, 0)
static void fill(struct sotto_problem *problem, int status, const char *type, const char *code,
                 const char *param, const char *fmt, va_list ap)
{
    char message[2 * sizeof(problem->message)];
    *problem = (struct sotto_problem){.status = status, .type = type, .code = code};
    keep(problem->param, sizeof(problem->param), param);
    if (vsnprintf(message, sizeof(message), fmt, ap) < 0) {
        message[0] = '\0';
    }
    keep(problem->message, sizeof(problem->message), message);
}

void sotto_problem_set(struct sotto_problem *problem, int status, const char *type,
                       const char *code, const char *param, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(problem, status, type, code, param, fmt, ap);
    va_end(ap);
}

void sotto_problem_invalid(struct sotto_problem *problem, const char *param, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(problem, 400, "invalid_request_error", NULL, param, fmt, ap);
    va_end(ap);
}
