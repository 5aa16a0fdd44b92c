/* SPDX-License-Identifier: Apache-2.0 */

/* GitHub's tokens: a prefix of four characters, 30 of base 62, and their CRC-32 in six more. */

#include "detect/validate/validate.h"

#define GITHUB_LEN  40
#define GITHUB_BODY 30

static uint32_t crc32(const char *text, size_t len)
{
    uint32_t crc = 0xffffffffU;
    for (size_t i = 0; i < len; i++) {
        crc ^= (uint8_t)text[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
        }
    }
    return ~crc;
}

bool sotto_validate_github_token(const char *text, size_t len)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if (len != GITHUB_LEN || memcmp(text, "gh", 2) != 0 || text[3] != '_') {
        return false;
    }
    uint32_t crc = crc32(text + 4, GITHUB_BODY);
    for (size_t i = GITHUB_LEN; i-- > GITHUB_LEN - 6; crc /= 62) {
        if (text[i] != alphabet[crc % 62]) {
            return false;
        }
    }
    return true;
}
