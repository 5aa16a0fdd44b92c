/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/ed25519.h"

#include "base/alloc.h"
#include "crypto/hex.h"
#include "tap/tap.h"

/* RFC 8032 section 7.1, tests 1 to 3. */
static const struct {
    const char *seed, *public_key, *message, *sig;
} vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "4"
     "6bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d"
     "8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6"
     "594a7c15e9716ed28dc027beceea1ec40a"},
};

static void test_vectors(void)
{
    for (size_t i = 0; i < SOTTO_COUNT(vectors); i++) {
        struct hex seed = hex_of(vectors[i].seed), key = hex_of(vectors[i].public_key);
        struct hex message = hex_of(vectors[i].message), want = hex_of(vectors[i].sig);
        uint8_t public_key[SOTTO_ED25519_PUBLIC_BYTES], sig[SOTTO_ED25519_SIG_BYTES];
        IS_INT(sotto_ed25519_public(seed.bytes, public_key), SOTTO_OK, "vector %zu", i + 1);
        IS_MEM(public_key, sizeof(public_key), key.bytes, key.len, "public key");
        IS_INT(sotto_ed25519_sign(seed.bytes, hex_span(&message), sig), SOTTO_OK, "signs");
        IS_MEM(sig, sizeof(sig), want.bytes, want.len, "signature");
        IS_INT(sotto_ed25519_verify(public_key, hex_span(&message), sig), SOTTO_OK, "verifies");
        IS_INT(sotto_ed25519_verify(public_key, SOTTO_LIT("other"), sig), SOTTO_EAUTH,
               "another message does not");
        for (size_t b = 0; b < sizeof(sig); b++) {
            sig[b] ^= 0x10;
            if (sotto_ed25519_verify(public_key, hex_span(&message), sig) != SOTTO_EAUTH) {
                OK(false, "byte %zu of the signature does not matter", b);
            }
            sig[b] ^= 0x10;
        }
        public_key[0] ^= 1;
        IS_INT(sotto_ed25519_verify(public_key, hex_span(&message), sig), SOTTO_EAUTH,
               "another key does not");
    }
}

int main(void)
{
    test_vectors();
    return done_testing();
}
