/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/restore_text.h"

#include "base/alloc.h"
#include "tap/tap.h"
#include "vault/sample.h"

int main(void)
{
    sotto_span token[SOTTO_COUNT(samples)];
    struct sotto_vault *vault = sample_vault(token);
    struct sotto_buf in, out;
    sotto_buf_init(&in, 4096);
    sotto_buf_init(&out, 4096);
    OK(sotto_buf_append(&out, SOTTO_LIT("before ")) == SOTTO_OK &&
           sotto_buf_append(&in, SOTTO_LIT("to ")) == SOTTO_OK &&
           sotto_buf_append(&in, token[1]) == SOTTO_OK &&
           sotto_buf_append(&in, SOTTO_LIT(" and P")) == SOTTO_OK,
       "a text");
    IS_INT(sotto_restore_text(vault, sotto_buf_span(&in), &out), SOTTO_OK, "is restored");
    IS_TEXT(out.base, out.len, "before to J\xc3\xbcrg and P", "and appended");

    sotto_buf_truncate(&out, 7);
    sotto_alloc_set_fault(1);
    IS_INT(sotto_restore_text(vault, sotto_buf_span(&in), &out), SOTTO_ENOMEM, "without memory");
    sotto_alloc_set_fault(0);
    IS_TEXT(out.base, out.len, "before ", "nothing is appended");

    struct sotto_buf small;
    sotto_buf_init(&small, 5);
    IS_INT(sotto_restore_text(vault, sotto_buf_span(&in), &small), SOTTO_ELIMIT, "without room");
    IS_SIZE(small.len, 0, "nothing is appended");
    sotto_buf_free(&in);
    sotto_buf_free(&out);
    sotto_buf_free(&small);
    sotto_vault_free(vault);
    return done_testing();
}
