/* SPDX-License-Identifier: Apache-2.0 */

/* Business identifier codes (ISO 9362): bank, country, place and branch; no check digit. */

#include "detect/validate/validate.h"

static bool is_country(const char *code)
{
    static const char codes[] =
        "ADAEAFAGAIALAMAOARATAUAZBABBBDBEBFBGBHBIBJBMBNBOBRBSBTBWBYBZCACDCFCGCHCICLCMCNCOCRCUCVCY"
        "CZDEDJDKDMDODZECEEEGERESETFIFJFRGAGBGDGEGGGHGIGMGNGQGRGTGWGYHKHNHRHTHUIDIEILIMINIQIRISITJE"
        "JMJOJPKEKGKHKMKNKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMGMKMLMMMNMOMRMTMUMVMWMXMYMZNANENGNI"
        "NLNONPNZOMPAPEPGPHPKPLPRPSPTPYQARERORSRURWSASBSCSDSESGSISKSLSMSNSOSRSTSVSYSZTDTGTHTJTMTNTO"
        "TRTTTWTZUAUGUSUYUZVAVCVEVGVIVNVUWSXKYEZAZMZW";
    for (size_t i = 0; i + 1 < sizeof(codes); i += 2) {
        if (memcmp(codes + i, code, 2) == 0) {
            return true;
        }
    }
    return false;
}

bool sotto_validate_bic(const char *text, size_t len)
{
    if (len != 8 && len != 11) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool letter = text[i] >= 'A' && text[i] <= 'Z';
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (i < 6 ? !letter : !letter && !digit) {
            return false;
        }
    }
    return is_country(text + 4);
}
