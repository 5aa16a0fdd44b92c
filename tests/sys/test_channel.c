/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/channel.h"

#include <stdint.h>

#include "sys/signals.h"
#include "tap/tap.h"

int main(void)
{
    static uint8_t block[1 << 16];
    uint8_t got[8];
    int one = -1, other = -1;
    size_t n = 99, total = 0;
    sotto_signals_ignore_pipe();
    IS_INT(sotto_channel_open(&one, &other), SOTTO_OK, "a pair");
    IS_INT(sotto_channel_read(other, got, sizeof(got), &n), SOTTO_OK, "nothing has come");
    IS_SIZE(n, 0, "which is no error");
    IS_INT(sotto_channel_write(one, "abc", 3, &n), SOTTO_OK, "three bytes");
    IS_SIZE(n, 3, "are taken");
    IS_INT(sotto_channel_read(other, got, sizeof(got), &n), SOTTO_OK, "and come");
    IS_MEM(got, n, "abc", 3, "as they were");
    do {
        IS_INT(sotto_channel_write(one, block, sizeof(block), &n), SOTTO_OK, "as much as fits");
        total += n;
    } while (n != 0 && total < (size_t)64 << 20);
    IS_SIZE(n, 0, "goes in, and no more");
    sotto_channel_close(other);
    IS_INT(sotto_channel_write(one, "x", 1, &n), SOTTO_ECLOSED, "the end of the other side shows");
    IS_INT(sotto_channel_read(one, got, sizeof(got), &n), SOTTO_ECLOSED, "on reading, too");
    sotto_channel_close(one);
    sotto_channel_close(-1);
    return done_testing();
}
