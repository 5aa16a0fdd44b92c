/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_RULE_H
#define SOTTO_DETECT_RULE_H

/*
 * What made a finding, for explanations.  The names are for people and may change; a rule that is
 * not in the table is the layer itself.
 *
 *   X(enumerator suffix, name as shown)
 */
#define SOTTO_RULE_TABLE(X)                                                                        \
    X(EMAIL, "email")                                                                              \
    X(EMAIL_OBFUSCATED, "email.obfuscated")                                                        \
    X(URL, "url")                                                                                  \
    X(URL_BARE, "url.bare_domain")                                                                 \
    X(IP, "ip")                                                                                    \
    X(MAC, "mac")                                                                                  \
    X(UUID, "uuid")                                                                                \
    X(HANDLE, "handle")                                                                            \
    X(PHONE_INTERNATIONAL, "phone.international")                                                  \
    X(PHONE_NATIONAL, "phone.national")                                                            \
    X(PHONE_CONTEXT, "phone.context")                                                              \
    X(DATE_NUMERIC, "date.numeric")                                                                \
    X(DATE_TEXTUAL, "date.textual")                                                                \
    X(DATE_PARTIAL, "date.partial")                                                                \
    X(DATE_YEAR, "date.year")                                                                      \
    X(AGE, "age")                                                                                  \
    X(ADDRESS_STREET, "address.street")                                                            \
    X(ADDRESS_BOX, "address.box")                                                                  \
    X(ADDRESS_POSTCODE, "address.postcode")                                                        \
    X(CARD, "card")                                                                                \
    X(IBAN, "iban")                                                                                \
    X(NUMBER_CHECKED, "number.checksum")                                                           \
    X(NUMBER_SHAPED, "number.shape")                                                               \
    X(NUMBER_MISTYPED, "number.checksum_failed")                                                   \
    X(LABELLED, "id.labelled")                                                                     \
    X(CODE_SHAPED, "id.shape")                                                                     \
    X(MRZ, "mrz")                                                                                  \
    X(GS1, "gs1")                                                                                  \
    X(CRYPTO_ADDRESS, "crypto_address")                                                            \
    X(SECRET_PREFIX, "secret.prefix")                                                              \
    X(SECRET_ASSIGNED, "secret.assigned")                                                          \
    X(SECRET_URL, "secret.url")                                                                    \
    X(SECRET_HEADER, "secret.header")                                                              \
    X(SECRET_PEM, "secret.pem")                                                                    \
    X(SECRET_JWT, "secret.jwt")                                                                    \
    X(NAME_LIST, "name.list")                                                                      \
    X(NAME_CUE, "name.cue")                                                                        \
    X(PLACE_LIST, "place.list")                                                                    \
    X(PLACE_CUE, "place.cue")                                                                      \
    X(ORG_CUE, "org.cue")                                                                          \
    X(PEOPLE, "people")                                                                            \
    X(TRADE, "trade")                                                                              \
    X(TAGGER_HINT, "tagger.hint")                                                                  \
    X(KNOWN_VALUE, "known.value")                                                                  \
    X(DENY_LIST, "list.deny")                                                                      \
    X(CUSTOM, "custom")

enum sotto_rule {
    SOTTO_RULE_NONE,
#define X(suffix, name) SOTTO_RULE_##suffix,
    SOTTO_RULE_TABLE(X)
#undef X
    SOTTO_RULE_COUNT
};

/** The name of a rule as shown; NULL for SOTTO_RULE_NONE and what is not in the table. */
const char *sotto_rule_name(unsigned rule);

#endif
