/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/random.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap/tap.h"

/* Two processes must not make the same key: what is in stock does not survive a fork. */
static void test_fork(void)
{
    uint8_t ours[16] = {0}, theirs[16] = {0};
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0) {
        SKIP(2, "no pipe");
        return;
    }
    IS_INT(sotto_crypto_random(ours, sizeof(ours)), SOTTO_OK, "randomness before a fork");
    fflush(stdout);
    if (fork() == 0) {
        bool done = sotto_crypto_random(theirs, sizeof(theirs)) == SOTTO_OK &&
                    write(pipes[1], theirs, sizeof(theirs)) == (ssize_t)sizeof(theirs);
        _exit(done ? 0 : 1);
    }
    bool told = read(pipes[0], theirs, sizeof(theirs)) == (ssize_t)sizeof(theirs);
    bool drawn = sotto_crypto_random(ours, sizeof(ours)) == SOTTO_OK;
    wait(NULL);
    OK(told && drawn && memcmp(ours, theirs, sizeof(ours)) != 0, "differs after it");
    close(pipes[0]);
    close(pipes[1]);
}

int main(void)
{
    uint8_t a[64] = {0}, b[64] = {0}, zero[64] = {0};

    IS_INT(sotto_crypto_random(a, sizeof(a)), SOTTO_OK, "there is randomness");
    IS_INT(sotto_crypto_random(b, sizeof(b)), SOTTO_OK, "and more of it");
    OK(memcmp(a, b, sizeof(a)) != 0, "two draws differ");
    OK(memcmp(a, zero, sizeof(a)) != 0, "a draw is not all zeros");
    IS_INT(sotto_crypto_random(a, 0), SOTTO_OK, "nothing may be asked for");

    sotto_crypto_random_set_fault(2);
    IS_INT(sotto_crypto_random(a, sizeof(a)), SOTTO_OK, "the first call before the fault");
    IS_INT(sotto_crypto_random(a, sizeof(a)), SOTTO_ECRYPTO, "the second fails");
    IS_MEM(a, sizeof(a), zero, sizeof(zero), "what failed left zeros");
    IS_INT(sotto_crypto_random(a, sizeof(a)), SOTTO_OK, "the third succeeds");
    IS_SIZE(sotto_crypto_random_set_fault(0), 3, "calls are counted");
    test_fork();
    return done_testing();
}
