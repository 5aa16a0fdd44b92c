/* SPDX-License-Identifier: Apache-2.0 */

#include "base/err.h"

#include "tap/tap.h"

int main(void)
{
    IS_INT(SOTTO_OK, 0, "success is zero");
#define X(name, http_status, text)                                                                 \
    IS_INT(sotto_err_http_status(name), http_status, #name " has its status");                     \
    OK(strcmp(sotto_err_text(name), text) == 0, #name " has its text");
    SOTTO_ERR_TABLE(X)
#undef X
    IS_INT(sotto_err_http_status((enum sotto_err)12345), 500, "an unknown one is ours");
    OK(sotto_err_text((enum sotto_err)12345) != NULL, "and has a text");
    return done_testing();
}
