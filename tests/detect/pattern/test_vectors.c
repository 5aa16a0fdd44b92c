/* SPDX-License-Identifier: Apache-2.0 */

/* The published vectors of every identifier, and near misses that must not match. */

#include "marked.h"

static const char *const vectors[] = {
    /* cards */
    "card [[CREDIT_CARD|4111111111111111]] on file",
    "card [[CREDIT_CARD|4111 1111 1111 1111]] on file",
    "amex [[CREDIT_CARD|378282246310005]]",
    "amex [[CREDIT_CARD|3782 822463 10005]]",
    "it says [[CREDIT_CARD|5555-5555-5555-4444]] here",
    "the part 4111111111111112 of it",
    "the number x4111111111111111 is inside a word",
    "a longer 41111111111111114111111111111111 run",
    "my credit card is [[CREDIT_CARD|4111 1111 1111 1112]]",
    /* IBAN */
    "[[IBAN|CH93 0076 2011 6238 5295 7]]",
    "IBAN: [[IBAN|DE89370400440532013000]].",
    "[[IBAN|FR1420041010050500013M02606]]",
    "[[IBAN|IT60X0542811101000000123456]]",
    "[[IBAN|AT611904300234573201]]",
    "[[IBAN|GB82 WEST 1234 5698 7654 32]]",
    "IBAN [[IBAN|CH93 0076 2011 6238 5295 8]] mistyped",
    "DE8937040044053201300 is one digit short",
    /* Switzerland */
    "[[CH_AHV|756.9217.0769.85]]",
    "AHV-Nr. [[CH_AHV|756.1234.5678.97]]",
    "[[CH_AHV|7569217076985]]",
    "AHV-Nr. [[CH_AHV|756.1234.5678.98]] vertippt",
    "no 756.1234.5678.98 here",
    "[[CH_UID|CHE-116.281.710]]",
    "[[CH_UID|CHE-116.281.710 MWST]]",
    "CHE-116.281.711",
    "Referenz [[CH_QR_REFERENCE|21 00000 00003 13947 14300 09017]]",
    "[[CH_VEKA|80756 00080 02415 08876]]",
    "ZSR-Nr. [[CH_ZSR|K 1234 56]]",
    "GLN [[CH_GLN|7601000000002]]",
    /* Germany, Austria */
    "Steuer-ID [[DE_STEUER_ID|36574261809]]",
    "Steuer-ID: [[DE_STEUER_ID|86 095 742 719]]",
    "[[DE_RVNR|15 070649 C 103]]",
    "Rentenversicherungsnummer [[DE_RVNR|15070649C103]]",
    "Versichertennummer [[DE_KVNR|A123456780]]",
    "[[DE_HANDELSREGISTER|HRB 12345]] beim Amtsgericht",
    "SVNR [[AT_SVNR|1237 010180]]",
    /* France, Italy, Spain, Portugal, Belgium */
    "[[FR_NIR|2 95 10 99 126 111 93]]",
    "NIR [[FR_NIR|295109912611193]]",
    "[[FR_NIR|2 53 07 2B 073 004 70]]",
    "SIREN [[FR_SIREN|732829320]]",
    "SIRET [[FR_SIRET|73282932000074]]",
    "[[IT_CODICE_FISCALE|RSSMRA85T10A562S]]",
    "RSSMRA85T10A562T",
    "P. IVA [[IT_PARTITA_IVA|00743110157]]",
    "DNI [[ES_DNI|12345678Z]]",
    "[[ES_DNI|12345678-Z]]",
    "12345678A",
    "NIE [[ES_NIE|X1234567L]]",
    "NIF [[PT_NIF|501964843]] do contribuinte",
    "Rijksregisternummer [[BE_NATIONAL|85.07.30-033.28]]",
    "[[BE_NATIONAL|85.07.30-033.28]]",
    /* Netherlands, north, east */
    "BSN [[NL_BSN|111222333]]",
    "PESEL [[PL_PESEL|44051401458]]",
    "[[SE_PERSONNUMMER|811228-9874]]",
    "811228-9873",
    "[[FI_HETU|131052-308T]]",
    "131052-308U",
    "[[NO_FNR|15108695088]]",
    "PPS [[IE_PPS|1234567T]]",
    "PPS number [[IE_PPS|1234567FA]]",
    "CNP [[RO_CNP|1630615123457]]",
    /* Britain, America */
    "NHS number [[UK_NHS|943 476 5919]]",
    "NHS no. [[UK_NHS|9434765919]]",
    "NINO [[UK_NINO|AB 12 34 56 C]]",
    "SSN [[US_SSN|123-45-6789]]",
    "SSN: [[US_SSN|123 45 6789]]",
    "[[US_SSN|123-45-6789]]",
    "666-45-6789",
    "000-45-6789",
    "x123-45-6789 and 1123-45-6789 and 123-45-67890",
    ("\xc3\xa9"
     "123-45-6789 hangs on a letter"),
    "NPI [[US_NPI|1234567893]]",
    "DEA [[US_DEA|AB1234563]]",
    "routing number [[BANK_ROUTING|021000021]]",
    "MBI [[US_MBI|1EG4-TE5-MK73]]",
    "ITIN [[US_ITIN|912-70-1234]]",
    /* Asia, Africa, things */
    "Aadhaar [[IN_AADHAAR|2341 2341 2346]]",
    "[[CN_ID|11010519491231002X]]",
    "CPF [[BR_CPF|111.444.777-35]]",
    "VIN [[VIN|1M8GDM9AXKP042788]]",
    "Implant UDI: [[DEVICE_SERIAL|(01)00844588003288(17)271231(10)A213B1(21)7654321]].",
    "UDI [[DEVICE_SERIAL|(01)00844588003288 (21)XK-77/2]], replaced",
    "as (01) and (21) show, see (10)",
    "1M8GDM9AXKP042789",
    "IMEI [[IMEI|490154203237518]]",
    "passport line [[MRZ|L898902C36UTO7408122F1204159ZE184226B<<<<<10]]",
    "[[CRYPTO_ADDRESS|1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2]]",
    "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3",
    "[[CRYPTO_ADDRESS|bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq]]",
    "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp",
    "[[CRYPTO_ADDRESS|0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed]]",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
};

int main(void)
{
    marked_check_all(vectors, SOTTO_COUNT(vectors));
    return done_testing();
}
