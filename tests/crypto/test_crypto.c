/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/crypto.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "crypto/hash.h"
#include "tap/tap.h"

static void *hash_something(void *result)
{
    uint8_t out[SOTTO_SHA256_BYTES];
    *(enum sotto_err *)result = sotto_sha256(SOTTO_LIT("abc"), out);
    return NULL;
}

/* All threads race for the first call. */
static void test_threads(void)
{
    pthread_t thread[4];
    enum sotto_err result[4];
    for (size_t i = 0; i < SOTTO_COUNT(thread); i++) {
        OK(pthread_create(&thread[i], NULL, hash_something, &result[i]) == 0, "thread %zu", i);
    }
    for (size_t i = 0; i < SOTTO_COUNT(thread); i++) {
        pthread_join(thread[i], NULL);
        IS_INT(result[i], SOTTO_OK, "thread %zu finds OpenSSL ready", i);
    }
}

static void test_start(void)
{
    sotto_alloc_set_fault(SIZE_MAX);
    IS_INT(sotto_crypto_init(), SOTTO_OK, "another start succeeds");
    IS_SIZE(sotto_alloc_set_fault(0), 0, "and does nothing");
}

/* In a child, since a start that failed spoils OpenSSL for the process. */
static void test_failed_start(void)
{
    pid_t child = fork();
    if (child == 0) {
        sotto_alloc_set_fault(1);
        _exit(sotto_crypto_init() == SOTTO_ECRYPTO ? 0 : 1);
    }
    int status = -1;
    OK(child > 0 && waitpid(child, &status, 0) == child && status == 0,
       "a start without memory fails");
}

int main(void)
{
    test_failed_start();
    test_threads();
    test_start();
    return done_testing();
}
