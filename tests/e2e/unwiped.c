/* SPDX-License-Identifier: Apache-2.0 */

/* What wipes memory, doing nothing: for the control of test_retention.py alone. */

#include <stddef.h>

void __wrap_explicit_bzero(void *p, size_t n);
void __wrap___explicit_bzero_chk(void *p, size_t n, size_t room);
void __wrap_OPENSSL_cleanse(void *p, size_t n);

void __wrap_explicit_bzero(void *p, size_t n)
{
    (void)p;
    (void)n;
}

void __wrap___explicit_bzero_chk(void *p, size_t n, size_t room)
{
    (void)p;
    (void)n;
    (void)room;
}

void __wrap_OPENSSL_cleanse(void *p, size_t n)
{
    (void)p;
    (void)n;
}
