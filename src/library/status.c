/* SPDX-License-Identifier: Apache-2.0 */

#include "library/status.h"

#include "base/alloc.h"
#include "text/utf8.h"

const char *sotto_status_text(enum sotto_status status)
{
    switch (status) {
    case SOTTO_STATUS_OK:
        return "success";
    case SOTTO_STATUS_MEMORY:
        return "out of memory";
    case SOTTO_STATUS_TEXT:
        return "the text is not UTF-8";
    case SOTTO_STATUS_LIMIT:
        return "the text is too long";
    case SOTTO_STATUS_OPTION:
        return "an option is not known";
    case SOTTO_STATUS_CRYPTO:
        return "the cryptographic library failed";
    case SOTTO_STATUS_ENDED:
        return "it has ended, or failed before";
    case SOTTO_STATUS_FORMAT:
        return "what came is not of the form that it should have";
    case SOTTO_STATUS_REFUSED:
        return "what came is not authentic";
    }
    return "unknown status";
}

const char *sotto_library_version(void)
{
    return SOTTO_VERSION;
}

enum sotto_status sotto_status_of(enum sotto_err err)
{
    switch (err) {
    case SOTTO_OK:
        return SOTTO_STATUS_OK;
    case SOTTO_ENOMEM:
        return SOTTO_STATUS_MEMORY;
    case SOTTO_ELIMIT:
        return SOTTO_STATUS_LIMIT;
    case SOTTO_EINVAL:
    case SOTTO_ENOTFOUND:
        return SOTTO_STATUS_OPTION;
    case SOTTO_ESTATE:
        return SOTTO_STATUS_ENDED;
    case SOTTO_EFORMAT:
        return SOTTO_STATUS_FORMAT;
    case SOTTO_EAUTH:
        return SOTTO_STATUS_REFUSED;
    case SOTTO_EDENIED:
    case SOTTO_EEXISTS:
    case SOTTO_EQUOTA:
    case SOTTO_EIO:
    case SOTTO_ECRYPTO:
    case SOTTO_EUPSTREAM:
    case SOTTO_ECLOSED:
    case SOTTO_ETIMEOUT:
        break;
    }
    return SOTTO_STATUS_CRYPTO;
}

enum sotto_status sotto_status_of_text(sotto_span text)
{
    if (text.len > SOTTO_TEXT_MAX) {
        return SOTTO_STATUS_LIMIT;
    }
    return sotto_utf8_valid(text, NULL) ? SOTTO_STATUS_OK : SOTTO_STATUS_TEXT;
}

enum sotto_status sotto_status_put(enum sotto_err err, struct sotto_buf *buf, char **out,
                                   size_t *out_len)
{
    char *text = err == SOTTO_OK ? sotto_alloc(buf->len + 1) : NULL;
    if (err == SOTTO_OK && text == NULL) {
        err = SOTTO_ENOMEM;
    }
    if (err == SOTTO_OK) {
        sotto_span all = sotto_buf_span(buf);
        if (all.len != 0) {
            memcpy(text, all.base, all.len);
        }
        text[all.len] = '\0';
        *out = text;
        if (out_len != NULL) {
            *out_len = all.len;
        }
    }
    sotto_buf_free(buf);
    return sotto_status_of(err);
}

void sotto_text_free(char *text)
{
    sotto_free(text);
}
