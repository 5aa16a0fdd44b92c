/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SEAL_PROFILE_PRIVATEMODE_H
#define SOTTO_SEAL_PROFILE_PRIVATEMODE_H

/*
 * What the profiles on Privatemode's cipher (seal/field.h) share: `privatemode` and the older
 * `continuum-2024`, whose secrets are exchanged in the same way.
 */

#include "seal/members.h"
#include "seal/profile.h"

/** The routes by which secrets are exchanged. */
extern const struct sotto_seal_route sotto_privatemode_routes[2];

/** A request of one of these profiles and its answer. */
struct privatemode_exchange {
    struct sotto_seal_exchange base;
    struct sotto_field_cipher *cipher;
    struct sotto_buf scratch;
    sotto_members_rule *answer_rule; /* what of an answer is sealed */
};

/**
 * Opens a request whose members are sealed one by one and notes that it was seen.
 *
 * @param request_rule  which members of the request are sealed
 * @param answer_rule   which members of the answer
 * @param write         as for sotto_members_open()
 * @return              as `open` of struct sotto_seal_profile
 */
SOTTO_MUST_CHECK enum sotto_err
privatemode_open(const struct sotto_seal_profile *profile, struct sotto_session *session,
                 sotto_span body, size_t max_depth, sotto_members_rule *request_rule,
                 sotto_members_rule *answer_rule, sotto_members_write *write,
                 struct privatemode_exchange **out, struct sotto_buf *plain);

/** Appends an object with its members sealed.  As `answer` of struct sotto_seal_profile. */
SOTTO_MUST_CHECK enum sotto_err privatemode_seal(struct privatemode_exchange *x,
                                                 const yyjson_mut_doc *doc, struct sotto_buf *out);

/** As `close` of struct sotto_seal_profile. */
void privatemode_close(struct sotto_seal_exchange *exchange);

/** `text` as the id of a session.  @retval SOTTO_EFORMAT  it has not the length of one */
SOTTO_MUST_CHECK enum sotto_err privatemode_id(sotto_span text, struct sotto_session_id *id);

/** Appends {"error":{"message","type","param","code"}}.  @retval SOTTO_ENOMEM, SOTTO_ELIMIT */
SOTTO_MUST_CHECK enum sotto_err privatemode_write_error(const struct sotto_seal_error *error,
                                                        struct sotto_buf *body);

#endif
