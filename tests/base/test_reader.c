/* SPDX-License-Identifier: Apache-2.0 */

#include "base/reader.h"

#include "tap/tap.h"

int main(void)
{
    static const uint8_t in[] = {1, 2, 3, 4, 5, 6};
    struct sotto_reader rd = sotto_reader_init(sotto_span_init(in, sizeof(in)));
    IS_INT(sotto_read_u8(&rd), 1, "a byte");
    IS_INT(sotto_read_u16(&rd), 0x0203, "two bytes, big-endian");
    sotto_span rest = sotto_read_rest(&rd);
    OK(rest.len == 3 && rest.base == in + 3, "the rest is a view");
    OK(!rd.failed, "nothing failed");
    IS_INT(sotto_read_u8(&rd), 0, "past the end is zero");
    OK(rd.failed, "and fails");

    rd = sotto_reader_init(sotto_span_init(in, 1));
    IS_INT(sotto_read_u16(&rd), 0, "half a number is none");
    IS_INT(sotto_read_u8(&rd), 0, "a failed reader stays failed");
    return done_testing();
}
