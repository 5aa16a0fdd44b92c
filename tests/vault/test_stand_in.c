/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/stand_in.h"

#include "detect/names/lexicon.h"
#include "detect/validate/validate.h"
#include "tap/tap.h"

static const char *made(unsigned type, const char *value, unsigned seed, char out[64])
{
    uint8_t random[STAND_IN_RANDOM];
    struct stand_in s;
    for (size_t i = 0; i < sizeof(random); i++) {
        seed = seed * 1103515245U + 12345U;
        random[i] = (uint8_t)(seed >> 16);
    }
    if (!stand_in_make(type, sotto_span_str(value), random, &s)) {
        return NULL;
    }
    memcpy(out, s.text, s.len);
    out[s.len] = '\0';
    return out;
}

/* Invented words are in no list: no name, no place, no word of a language. */
static void test_words(void)
{
    unsigned listed = 0, long_ones = 0;
    for (unsigned i = 0; i < STAND_IN_WORDS; i++) {
        char word[16];
        size_t len = stand_in_word(i, word);
        listed += sotto_lexicon_word(sotto_span_init(word, len)) != 0;
        long_ones += len > 13;
    }
    IS_INT(listed, 0, "no invented word is in the lists of names, places and words");
    IS_INT(long_ones, 0, "none is so long that a name of two is no stand-in");
}

static void test_reserved(void)
{
    char text[64];
    bool phones = true, mails = true, cards = true, ibans = true, ssns = true, ip4s = true;
    sotto_validate_fn *luhn = sotto_validate_find(SOTTO_LIT("luhn"));
    sotto_validate_fn *iban = sotto_validate_find(SOTTO_LIT("iban"));
    if (luhn == NULL || iban == NULL) {
        OK(false, "the checks have their names");
        return;
    }
    for (unsigned i = 0; i < 2000; i++) {
        made(8, "044 668 18 00", i, text);
        phones = phones && strlen(text) == 15 && memcmp(text, "+1-", 3) == 0 &&
                 memcmp(text + 6, "-555-01", 7) == 0 && memcmp(text + 4, "11", 2) != 0 &&
                 text[3] >= '2';
        made(9, "jane@acme.org", i, text);
        mails = mails && strstr(text, "@example.") != NULL;
        made(11, "4111 1111 1111 1111", i, text);
        cards = cards && strlen(text) == 19 && text[0] == '4' && text[4] == ' ' &&
                !sotto_validate_value(luhn, sotto_span_str(text));
        made(11, "CH93 0076 2011 6238 5295 7", i, text);
        ibans = ibans && memcmp(text, "CH00 ", 5) == 0 && strlen(text) == 26 &&
                !sotto_validate_value(iban, sotto_span_str(text));
        made(11, "219-09-9999", i, text);
        ssns = ssns && memcmp(text, "000-", 4) == 0 && strlen(text) == 11;
        made(11, "10.1.2.3", i, text);
        ip4s = ip4s && (memcmp(text, "192.0.2.", 8) == 0 || memcmp(text, "198.51.100.", 11) == 0 ||
                        memcmp(text, "203.0.113.", 10) == 0);
    }
    OK(phones, "phone numbers are those of fiction");
    OK(mails, "addresses are at reserved domains");
    OK(cards, "card numbers keep their form and fail their check");
    OK(ibans, "IBANs keep country and form and have check digits that none has");
    OK(ssns, "SSNs are of an area that is never assigned");
    OK(ip4s, "IP addresses are for documentation");
    made(11, "2001:0db8:85a3::8a2e:370:7334", 1, text);
    OK(memcmp(text, "2001:db8:", 9) == 0, "IPv6 as well (%s)", text);
    IS_INT(strlen(made(11, "aa-bb-cc-dd-ee-0f", 1, text)), 17, "a MAC address keeps its form");
    OK(memcmp(text, "00-00-5e-00-53-", 15) == 0, "and is for documentation");
    OK(strstr(made(10, "https://jane.doe.net/x", 1, text), ".example") != NULL, "so are hosts");
    OK(made(11, "MRN-4711-X", 1, text) == NULL, "other identifiers have none");
    OK(made(4, "5 May 2021", 1, text) == NULL, "nor have dates");
    OK(strchr(made(0, "Jane", 1, text), ' ') == NULL, "one word for a name of one");
    OK(strchr(made(0, "Jane van der Doe", 1, text), ' ') != NULL, "two for longer ones");
}

int main(void)
{
    test_words();
    test_reserved();
    return done_testing();
}
