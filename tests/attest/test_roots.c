/* SPDX-License-Identifier: Apache-2.0 */

#include "attest/evidence.h"

#include <stdio.h>

#include "crypto/chain.h"
#include "tap/tap.h"

#define IN_2024  1720000000
#define PEM_MAX  8192
#define PEM_HEAD 100 /* longer than the first line, so that what is changed is base64 */

/* Whether these roots vouch for the first certificate of a PEM text. */
static enum sotto_err verify(const char *pem, size_t len, const struct sotto_chain_root *roots,
                             size_t count)
{
    struct sotto_chain *chain = NULL;
    enum sotto_err err = sotto_chain_new(&chain);
    if (err == SOTTO_OK) {
        err = sotto_chain_add(chain, sotto_span_init((const uint8_t *)pem, len));
    }
    if (err == SOTTO_OK) {
        err = sotto_chain_verify(chain, roots, count, IN_2024);
    }
    sotto_chain_free(chain);
    return err;
}

/* A maker's certificate (ASK), then its root's (ARK). */
static void test_maker(const char *path, bool *used)
{
    char pem[PEM_MAX];
    FILE *file = fopen(path, "rb");
    size_t len = file != NULL ? fread(pem, 1, sizeof(pem), file) : 0;
    if (file != NULL) {
        fclose(file);
    }
    IS_INT(verify(pem, len, sotto_evidence_roots, sotto_evidence_root_count), SOTTO_OK,
           "%s: the known roots vouch for the maker's key", path);
    size_t vouching = 0;
    for (size_t i = 0; i < sotto_evidence_root_count; i++) {
        if (verify(pem, len, &sotto_evidence_roots[i], 1) == SOTTO_OK) {
            OK(!used[i], "%s: by a root of its own", path);
            used[i] = true;
            vouching++;
        }
    }
    IS_SIZE(vouching, 1, "%s: by that one alone", path);
    size_t believed = 0;
    for (size_t i = PEM_HEAD; i < len / 2 - PEM_HEAD; i += 7) {
        char was = pem[i];
        if (was != '\n') {
            pem[i] = was == 'A' ? 'B' : 'A';
            believed +=
                verify(pem, len, sotto_evidence_roots, sotto_evidence_root_count) == SOTTO_OK;
            pem[i] = was;
        }
    }
    IS_SIZE(believed, 0, "%s: for no certificate that was changed", path);
}

int main(int argc, char **argv)
{
    bool used[16] = {false};
    OK(sotto_evidence_root_count <= SOTTO_COUNT(used), "there is room for all roots");
    IS_INT(argc, 4, "three generations of AMD's");
    for (int i = 1; i < argc; i++) {
        test_maker(argv[i], used);
    }
    return done_testing();
}
