/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_VALIDATE_VALIDATE_H
#define SOTTO_DETECT_VALIDATE_VALIDATE_H

/*
 * Check digits and plausibility of identifiers.  Each check looks at the compact form: ASCII
 * letters in upper case and digits, no separators (crypto addresses and tokens: as written).  A
 * check says whether the characters can be such an identifier; it never allocates and takes a time
 * linear in `len`.  Any length and any bytes are allowed and simply fail.
 */

#include "base/span.h"

typedef bool sotto_validate_fn(const char *text, size_t len);

/* checks of many kinds of numbers */
sotto_validate_fn sotto_validate_luhn;
sotto_validate_fn sotto_validate_mod97; /* ISO 7064 MOD 97-10, letters as 10 to 35 */
sotto_validate_fn sotto_validate_ean13;
sotto_validate_fn sotto_validate_gtin14;
sotto_validate_fn sotto_validate_verhoeff;
sotto_validate_fn sotto_validate_iso7064_11_10;
sotto_validate_fn sotto_validate_iso7064_11_2;
sotto_validate_fn sotto_validate_mod10_recursive;
/* money */
sotto_validate_fn sotto_validate_card; /* Luhn and known first digits */
sotto_validate_fn sotto_validate_iban; /* mod 97 and the country's length */
sotto_validate_fn sotto_validate_bic;
sotto_validate_fn sotto_validate_aba;
sotto_validate_fn sotto_validate_isin;
sotto_validate_fn sotto_validate_lei;
sotto_validate_fn sotto_validate_base58check;
sotto_validate_fn sotto_validate_bech32; /* BIP 173 and BIP 350 */
sotto_validate_fn sotto_validate_eip55;
/* Switzerland, Germany, Austria */
sotto_validate_fn sotto_validate_ahv;
sotto_validate_fn sotto_validate_ch_uid;
sotto_validate_fn sotto_validate_gln;
sotto_validate_fn sotto_validate_steuer_id;
sotto_validate_fn sotto_validate_rvnr;
sotto_validate_fn sotto_validate_kvnr;
sotto_validate_fn sotto_validate_de_id_card;
sotto_validate_fn sotto_validate_svnr;
/* other European countries */
sotto_validate_fn sotto_validate_nir;
sotto_validate_fn sotto_validate_siren;
sotto_validate_fn sotto_validate_siret;
sotto_validate_fn sotto_validate_codice_fiscale;
sotto_validate_fn sotto_validate_partita_iva;
sotto_validate_fn sotto_validate_dni; /* DNI and NIE */
sotto_validate_fn sotto_validate_es_nass;
sotto_validate_fn sotto_validate_pt_nif;
sotto_validate_fn sotto_validate_be_national;
sotto_validate_fn sotto_validate_bsn;
sotto_validate_fn sotto_validate_pesel;
sotto_validate_fn sotto_validate_personnummer;
sotto_validate_fn sotto_validate_hetu;
sotto_validate_fn sotto_validate_fodselsnummer;
sotto_validate_fn sotto_validate_cpr;
sotto_validate_fn sotto_validate_pps;
sotto_validate_fn sotto_validate_cnp;
sotto_validate_fn sotto_validate_rodne_cislo;
sotto_validate_fn sotto_validate_amka;
sotto_validate_fn sotto_validate_nhs;
sotto_validate_fn sotto_validate_nino;
sotto_validate_fn sotto_validate_vat; /* EU VAT numbers with their country code */
/* America, Asia, Africa */
sotto_validate_fn sotto_validate_ssn;
sotto_validate_fn sotto_validate_itin;
sotto_validate_fn sotto_validate_ein;
sotto_validate_fn sotto_validate_npi;
sotto_validate_fn sotto_validate_dea;
sotto_validate_fn sotto_validate_mbi;
sotto_validate_fn sotto_validate_aadhaar;
sotto_validate_fn sotto_validate_cn_id;
sotto_validate_fn sotto_validate_cpf;
sotto_validate_fn sotto_validate_za_id;
/* things */
sotto_validate_fn sotto_validate_vin;
sotto_validate_fn sotto_validate_imei;
sotto_validate_fn sotto_validate_mrz; /* 7-3-1 of ICAO 9303, last character the check */
sotto_validate_fn sotto_validate_github_token;

/** The check with this name ("luhn", "mod97", "ch_ahv" …), or NULL. */
sotto_validate_fn *sotto_validate_find(sotto_span name);

/** Applies a check to a value as it is written: separators and case do not matter. */
bool sotto_validate_value(sotto_validate_fn *check, sotto_span value);

/* Shared by the checks. */

/** Whether all characters are ASCII digits. */
bool sotto_validate_digits(const char *text, size_t len);

/** Weighted sum of the digits; letters count as A = 10 … Z = 35. */
unsigned sotto_validate_weigh(const char *text, const uint8_t *weights, size_t count);

/** Number in the `len` leading characters, all of them digits. */
unsigned sotto_validate_number(const char *text, size_t len);

/** Whether a day and a month exist together. */
bool sotto_validate_day(unsigned day, unsigned month);

#endif
