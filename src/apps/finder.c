/* SPDX-License-Identifier: Apache-2.0 */

#include "apps/finder.h"

#include <string.h>

#include "apps/cli.h"

/* Reads a number from 0 to 1 such as "0.85" in thousandths; false: it is none. */
static bool read_share(const char *text, unsigned *out)
{
    unsigned value = 0, digits = 0;
    if (text[0] != '0' && text[0] != '1') {
        return false;
    }
    value = (unsigned)(text[0] - '0') * SOTTO_SCORE_MAX;
    text++;
    if (*text == '.') {
        unsigned unit = SOTTO_SCORE_MAX / 10;
        for (text++; *text >= '0' && *text <= '9' && digits < 16; text++, digits++) {
            value += (unsigned)(*text - '0') * unit;
            unit /= 10;
        }
    }
    *out = value;
    return *text == '\0' && value <= SOTTO_SCORE_MAX;
}

static int read_threshold(const char *text, struct sotto_detector_options *options)
{
    unsigned threshold;
    if (text == NULL) {
        return SOTTO_CLI_GO;
    }
    if (!read_share(text, &threshold)) {
        return sotto_cli_misuse("--threshold %s is not a number from 0 to 1: try 0.5", text);
    }
    /* 0 would mean the built-in threshold. */
    for (size_t i = 0; i < SOTTO_LABEL_COUNT; i++) {
        options->threshold[i] = (uint16_t)(threshold != 0 ? threshold : 1);
    }
    return SOTTO_CLI_GO;
}

static int read_tagger(const char *text, struct sotto_detector_options *options)
{
    for (size_t i = 0; text != NULL && sotto_detect_taggers[i] != NULL; i++) {
        if (strcmp(text, sotto_detect_taggers[i]) == 0) {
            options->tagger = (uint8_t)i;
            return SOTTO_CLI_GO;
        }
    }
    return text == NULL
               ? SOTTO_CLI_GO
               : sotto_cli_misuse("unknown tagger %s: use small, cascade, large or none", text);
}

int sotto_finder_open(const struct sotto_finder_options *options, struct sotto_finder **out)
{
    struct sotto_detector_options detector = {0};
    int status = read_threshold(options->threshold, &detector);
    if (status == SOTTO_CLI_GO) {
        status = read_tagger(options->tagger, &detector);
    }
    if (status != SOTTO_CLI_GO) {
        return status;
    }
    enum sotto_err err = sotto_finder_new(&detector, sotto_span_str(options->mode),
                                          sotto_span_str(options->lang), out);
    bool no_mode = options->mode != NULL && options->mode[0] == '\0';
    bool no_lang = options->lang != NULL && options->lang[0] == '\0';
    if (err == SOTTO_OK && (no_mode || no_lang)) {
        sotto_finder_free(*out);
        err = no_mode ? SOTTO_ENOTFOUND : SOTTO_EINVAL;
    }
    if (err == SOTTO_ENOTFOUND) {
        return sotto_cli_misuse("unknown mode %s: use standard, hipaa, gdpr or sox", options->mode);
    }
    if (err == SOTTO_EINVAL) {
        return sotto_cli_misuse("unknown language %s: use en, de, fr, es or it", options->lang);
    }
    return err == SOTTO_OK ? SOTTO_CLI_GO
                           : sotto_cli_fail("detection cannot start, out of memory: free some and "
                                            "try again");
}
