/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/pem.h"

#include <openssl/ui.h>
#include <stdlib.h>

#include "crypto/chain.h"
#include "crypto/crypto.h"
#include "crypto/mesh.h"
#include "crypto/mesh_trust.h"
#include "tap/tap.h"

/* A text that says it is encrypted (RFC 1421 4.6.1.1): whoever reads it would ask on the terminal. */
#define SECRET_CERT                                                                                \
    "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n"                                        \
    "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n"                                   \
    "AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=\n-----END CERTIFICATE-----\n"
#define SECRET_KEY                                                                                 \
    "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"                                     \
    "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n"                                   \
    "AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg8=\n-----END EC PRIVATE KEY-----\n"

static int asked;

static int ask(UI *ui)
{
    (void)ui;
    asked++;
    return 0;
}

int main(void)
{
    struct sotto_chain *chain = NULL;
    struct sotto_mesh *mesh = NULL;
    uint8_t name[32] = {0};

    if (sotto_crypto_init() != SOTTO_OK) {
        abort();
    }
    UI_METHOD *method = UI_create_method("of the test");
    OK(method != NULL && UI_method_set_opener(method, ask) == 0, "a terminal that counts");
    UI_set_default_method(method);

    IS_INT(sotto_mesh_ca_name(SOTTO_LIT(SECRET_CERT), name), SOTTO_EFORMAT,
           "an encrypted authority is none");
    IS_INT(sotto_mesh_ca_listed(SOTTO_LIT(SECRET_CERT), name), SOTTO_EFORMAT,
           "nor is one in a list");
    IS_INT(sotto_chain_new(&chain), SOTTO_OK, "a chain");
    IS_INT(sotto_chain_add(chain, SOTTO_LIT(SECRET_CERT)), SOTTO_EFORMAT, "takes none either");
    sotto_chain_free(chain);
    IS_INT(sotto_mesh_read(SOTTO_LIT(SECRET_KEY SECRET_CERT), SOTTO_LIT(SECRET_KEY SECRET_CERT),
                           &mesh),
           SOTTO_EFORMAT, "nor does a mesh take a key");
    OK(mesh == NULL, "nothing comes out");
    IS_INT(asked, 0, "and nobody is asked for a pass phrase");

    UI_set_default_method(UI_null());
    UI_destroy_method(method);
    return done_testing();
}
