/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_FINER_H
#define SOTTO_DETECT_FINER_H

/*
 * Exact types of findings, finer than the label: what `sotto detect` prints as FINER and what the
 * policy may decide by.  The numbers are not stable between versions; the names are.
 *
 *   X(enumerator suffix, name as printed)
 */
#define SOTTO_FINER_TABLE(X)                                                                       \
    /* dates and ages */                                                                           \
    X(YEAR, "YEAR")                                                                                \
    X(DATE_OF_BIRTH, "DATE_OF_BIRTH")                                                              \
    X(AGE_OVER_89, "AGE_OVER_89")                                                                  \
    /* places, for the layers of names */                                                          \
    X(COUNTRY, "COUNTRY")                                                                          \
    X(STATE, "STATE")                                                                              \
    X(CITY, "CITY")                                                                                \
    X(POSTCODE, "POSTCODE")                                                                        \
    X(PO_BOX, "PO_BOX")                                                                            \
    /* network */                                                                                  \
    X(PERSONAL_URL, "PERSONAL_URL")                                                                \
    X(IP_ADDRESS, "IP_ADDRESS")                                                                    \
    X(MAC_ADDRESS, "MAC_ADDRESS")                                                                  \
    X(UUID, "UUID")                                                                                \
    X(USERNAME, "USERNAME")                                                                        \
    X(FAX, "FAX")                                                                                  \
    /* money */                                                                                    \
    X(CREDIT_CARD, "CREDIT_CARD")                                                                  \
    X(CARD_SECURITY_CODE, "CARD_SECURITY_CODE")                                                    \
    X(IBAN, "IBAN")                                                                                \
    X(BIC, "BIC")                                                                                  \
    X(BANK_ACCOUNT, "BANK_ACCOUNT")                                                                \
    X(BANK_ROUTING, "BANK_ROUTING")                                                                \
    X(CH_QR_REFERENCE, "CH_QR_REFERENCE")                                                          \
    X(ISIN, "ISIN")                                                                                \
    X(LEI, "LEI")                                                                                  \
    X(EU_VAT, "EU_VAT")                                                                            \
    X(CRYPTO_ADDRESS, "CRYPTO_ADDRESS")                                                            \
    /* known by the words beside them */                                                           \
    X(MRN, "MRN")                                                                                  \
    X(HEALTH_PLAN, "HEALTH_PLAN")                                                                  \
    X(POLICY_NUMBER, "POLICY_NUMBER")                                                              \
    X(ACCOUNT_NUMBER, "ACCOUNT_NUMBER")                                                            \
    X(CASE_NUMBER, "CASE_NUMBER")                                                                  \
    X(LICENSE_NUMBER, "LICENSE_NUMBER")                                                            \
    X(DRIVER_LICENSE, "DRIVER_LICENSE")                                                            \
    X(PASSPORT, "PASSPORT")                                                                        \
    X(NATIONAL_ID, "NATIONAL_ID")                                                                  \
    X(TAX_ID, "TAX_ID")                                                                            \
    X(LICENSE_PLATE, "LICENSE_PLATE")                                                              \
    X(VIN, "VIN")                                                                                  \
    X(IMEI, "IMEI")                                                                                \
    X(DEVICE_SERIAL, "DEVICE_SERIAL")                                                              \
    X(EMPLOYEE_ID, "EMPLOYEE_ID")                                                                  \
    X(CUSTOMER_ID, "CUSTOMER_ID")                                                                  \
    X(PIN, "PIN")                                                                                  \
    X(MRZ, "MRZ")                                                                                  \
    /* national identifiers */                                                                     \
    X(US_SSN, "US_SSN")                                                                            \
    X(US_ITIN, "US_ITIN")                                                                          \
    X(US_EIN, "US_EIN")                                                                            \
    X(US_NPI, "US_NPI")                                                                            \
    X(US_DEA, "US_DEA")                                                                            \
    X(US_MBI, "US_MBI")                                                                            \
    X(UK_NHS, "UK_NHS")                                                                            \
    X(UK_NINO, "UK_NINO")                                                                          \
    X(CH_AHV, "CH_AHV")                                                                            \
    X(CH_UID, "CH_UID")                                                                            \
    X(CH_VEKA, "CH_VEKA")                                                                          \
    X(CH_GLN, "CH_GLN")                                                                            \
    X(CH_ZSR, "CH_ZSR")                                                                            \
    X(DE_STEUER_ID, "DE_STEUER_ID")                                                                \
    X(DE_RVNR, "DE_RVNR")                                                                          \
    X(DE_KVNR, "DE_KVNR")                                                                          \
    X(DE_HANDELSREGISTER, "DE_HANDELSREGISTER")                                                    \
    X(DE_ID_CARD, "DE_ID_CARD")                                                                    \
    X(AT_SVNR, "AT_SVNR")                                                                          \
    X(FR_NIR, "FR_NIR")                                                                            \
    X(FR_SIREN, "FR_SIREN")                                                                        \
    X(FR_SIRET, "FR_SIRET")                                                                        \
    X(IT_CODICE_FISCALE, "IT_CODICE_FISCALE")                                                      \
    X(IT_PARTITA_IVA, "IT_PARTITA_IVA")                                                            \
    X(ES_DNI, "ES_DNI")                                                                            \
    X(ES_NIE, "ES_NIE")                                                                            \
    X(ES_NASS, "ES_NASS")                                                                          \
    X(PT_NIF, "PT_NIF")                                                                            \
    X(BE_NATIONAL, "BE_NATIONAL")                                                                  \
    X(NL_BSN, "NL_BSN")                                                                            \
    X(PL_PESEL, "PL_PESEL")                                                                        \
    X(SE_PERSONNUMMER, "SE_PERSONNUMMER")                                                          \
    X(FI_HETU, "FI_HETU")                                                                          \
    X(NO_FNR, "NO_FNR")                                                                            \
    X(DK_CPR, "DK_CPR")                                                                            \
    X(IE_PPS, "IE_PPS")                                                                            \
    X(RO_CNP, "RO_CNP")                                                                            \
    X(CZ_RC, "CZ_RC")                                                                              \
    X(GR_AMKA, "GR_AMKA")                                                                          \
    X(IN_AADHAAR, "IN_AADHAAR")                                                                    \
    X(CN_ID, "CN_ID")                                                                              \
    X(BR_CPF, "BR_CPF")                                                                            \
    X(ZA_ID, "ZA_ID")                                                                              \
    /* secrets */                                                                                  \
    X(PASSWORD, "PASSWORD")                                                                        \
    X(PRIVATE_KEY, "PRIVATE_KEY")                                                                  \
    X(JWT, "JWT")                                                                                  \
    X(BEARER_TOKEN, "BEARER_TOKEN")                                                                \
    X(CONNECTION_STRING, "CONNECTION_STRING")                                                      \
    X(API_KEY, "API_KEY")                                                                          \
    X(AWS_KEY, "AWS_KEY")                                                                          \
    X(GITHUB_TOKEN, "GITHUB_TOKEN")                                                                \
    X(OPENAI_KEY, "OPENAI_KEY")                                                                    \
    X(ANTHROPIC_KEY, "ANTHROPIC_KEY")                                                              \
    X(SLACK_TOKEN, "SLACK_TOKEN")                                                                  \
    X(GOOGLE_KEY, "GOOGLE_KEY")                                                                    \
    X(STRIPE_KEY, "STRIPE_KEY")

enum sotto_finer {
    SOTTO_FINER_NONE,
#define X(suffix, name) SOTTO_FINER_##suffix,
    SOTTO_FINER_TABLE(X)
#undef X
    SOTTO_FINER_COUNT
};

/** The name of an exact type as printed; NULL for SOTTO_FINER_NONE and what is not in the table. */
const char *sotto_finer_name(unsigned finer);

#endif
