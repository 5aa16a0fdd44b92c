/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/cbc.h"

#include "crypto/crypto.h"
#include "crypto/random.h"
#include "tap/tap.h"

/* NIST SP 800-38A, F.2.1: the first block of the vectors, whose padding is another block. */
static void test_vector(void)
{
    static const uint8_t key[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                                    0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
    static const uint8_t plain[16] = {0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96,
                                      0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a};
    /* iv, the vector's block, and the block of padding under it (from the openssl command). */
    static const uint8_t sealed[48] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09,
                                       0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x76, 0x49, 0xab, 0xac,
                                       0x81, 0x19, 0xb2, 0x46, 0xce, 0xe9, 0x8e, 0x9b, 0x12, 0xe9,
                                       0x19, 0x7d, 0x89, 0x64, 0xe0, 0xb1, 0x49, 0xc1, 0x0b, 0x7b,
                                       0x68, 0x2e, 0x6e, 0x39, 0xaa, 0xeb, 0x73, 0x1c};
    struct sotto_buf out;
    sotto_buf_init(&out, 64);
    IS_INT(sotto_cbc_decrypt(sotto_span_init(key, 16), sotto_span_init(sealed, 48), &out), SOTTO_OK,
           "the vector is decrypted");
    IS_MEM(out.base, out.len, plain, sizeof(plain), "to its text");
    sotto_buf_free(&out);
}

static void test_there_and_back(void)
{
    static const uint8_t key[32] = "0123456789abcdefghijklmnopqrstu";
    for (size_t key_len = 0; key_len <= 32; key_len++) {
        bool valid = key_len == 16 || key_len == 24 || key_len == 32;
        IS_INT(sotto_cbc_key_valid(key_len), valid, "a key of %zu bytes", key_len);
        struct sotto_buf sealed, again, back;
        sotto_buf_init(&sealed, 1024);
        sotto_buf_init(&again, 1024);
        sotto_buf_init(&back, 1024);
        sotto_span k = sotto_span_init(key, key_len);
        sotto_span text = SOTTO_LIT("jane.doe@example.org");
        IS_INT(sotto_cbc_encrypt(k, text, &sealed), valid ? SOTTO_OK : SOTTO_EINVAL, "encrypted");
        IS_INT(sotto_cbc_encrypt(k, text, &again), valid ? SOTTO_OK : SOTTO_EINVAL, "again");
        if (valid) {
            IS_SIZE(sealed.len, 48, "iv and two blocks");
            OK(!sotto_span_eq(sotto_buf_span(&sealed), sotto_buf_span(&again)), "never the same");
            IS_INT(sotto_cbc_decrypt(k, sotto_buf_span(&sealed), &back), SOTTO_OK, "decrypted");
            IS_TEXT(back.base, back.len, "jane.doe@example.org", "to the text");
            IS_INT(sotto_cbc_decrypt(k, sotto_span_sub(sotto_buf_span(&sealed), 0, 47), &back),
                   SOTTO_EFORMAT, "what was cut is refused");
            IS_SIZE(back.len, text.len, "and nothing appended");
        }
        sotto_buf_free(&sealed);
        sotto_buf_free(&again);
        sotto_buf_free(&back);
    }
}

static void test_no_random_numbers(void)
{
    struct sotto_buf out;
    sotto_buf_init(&out, 1024);
    sotto_crypto_random_set_fault(1);
    IS_INT(sotto_cbc_encrypt(SOTTO_LIT("0123456789abcdef"), SOTTO_LIT("x"), &out), SOTTO_ECRYPTO,
           "without random numbers nothing is encrypted");
    IS_SIZE(out.len, 0, "and nothing appended");
    sotto_crypto_random_set_fault(0);
    sotto_buf_free(&out);
}

int main(void)
{
    if (sotto_crypto_init() != SOTTO_OK) {
        return 1;
    }
    test_vector();
    test_there_and_back();
    test_no_random_numbers();
    return done_testing();
}
