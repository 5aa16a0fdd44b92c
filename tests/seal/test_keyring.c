/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/keyring.h"

#include "base/alloc.h"
#include "crypto/random.h"
#include "tap/tap.h"

#define NOW 5000

static void test_renewal(void)
{
    const struct sotto_suite *suite = sotto_suite_find(SOTTO_LIT("kyber512"));
    struct sotto_keyring *ring;
    IS_INT(sotto_keyring_new(&ring), SOTTO_OK, "a ring");
    OK(sotto_keyring_current(ring, suite) == NULL, "begins without pairs");
    IS_INT((int64_t)sotto_keyring_serial(ring, suite), 0, "and says so");
    OK(sotto_keyring_is_due(ring, suite, NOW), "one is due");
    IS_INT(sotto_keyring_renew(ring, suite, NOW), SOTTO_OK, "and made");
    OK(!sotto_keyring_is_due(ring, suite, NOW + 59), "it is good for a minute");
    OK(sotto_keyring_is_due(ring, suite, NOW + 60), "and then due again");

    struct sotto_gateway_pair *first = sotto_keyring_current(ring, suite);
    OK(first != NULL && first->suite == suite, "the pair of its suite");
    struct sotto_gateway_pair *found =
        sotto_keyring_find(ring, suite, sotto_span_str(first->key_id), NOW);
    OK(found == first, "is found by its id");
    sotto_gateway_pair_unref(found);
    OK(sotto_keyring_find(ring, &sotto_suites[0], sotto_span_str(first->key_id), NOW) == NULL,
       "in its suite only");
    IS_INT(sotto_keyring_renew(ring, suite, NOW + 60), SOTTO_OK, "renewed");
    IS_INT((int64_t)sotto_keyring_serial(ring, suite), 2, "which shows");
    OK(sotto_keyring_find(ring, suite, sotto_span_str(first->key_id), NOW + 60) == NULL,
       "a pair that nobody was told of is gone at once");
    sotto_keyring_free(ring);
    OK(sotto_kem_public(first->pair).len == 800, "but not for who holds it");
    sotto_gateway_pair_unref(first);
    sotto_gateway_pair_unref(NULL);
    sotto_keyring_free(NULL);
}

/* Of RSA, of which two pairs have to be made. */
static void test_overlap(void)
{
    const struct sotto_suite *suite = sotto_suite_find(SOTTO_LIT("rsa4096"));
    struct sotto_keyring *ring;
    IS_INT(sotto_keyring_new(&ring), SOTTO_OK, "a ring");
    IS_INT(sotto_keyring_renew(ring, suite, NOW), SOTTO_OK, "an RSA pair");
    struct sotto_gateway_pair *first = sotto_keyring_current(ring, suite);
    sotto_span id = sotto_span_str(first->key_id);
    IS_INT(sotto_keyring_renew(ring, suite, NOW + 3600), SOTTO_OK, "is replaced after an hour");
    struct sotto_gateway_pair *second = sotto_keyring_current(ring, suite);
    OK(strcmp(first->key_id, second->key_id) != 0, "by another one");
    struct sotto_gateway_pair *found = sotto_keyring_find(ring, suite, id, NOW + 7199);
    OK(found == first, "clients that fetched it have another hour");
    sotto_gateway_pair_unref(found);
    OK(sotto_keyring_find(ring, suite, id, NOW + 7200) == NULL, "and no more");
    sotto_keyring_sweep(ring, NOW + 7199);
    OK((found = sotto_keyring_find(ring, suite, id, NOW)) == first, "until then it is kept");
    sotto_gateway_pair_unref(found);
    sotto_keyring_sweep(ring, NOW + 7200);
    OK(sotto_keyring_find(ring, suite, id, NOW) == NULL, "then it is destroyed");
    sotto_gateway_pair_unref(first);
    sotto_gateway_pair_unref(second);
    sotto_keyring_free(ring);
}

static void test_faults(void)
{
    const struct sotto_suite *suite = &sotto_suites[0];
    struct sotto_keyring *ring = NULL;
    sotto_alloc_set_fault(1);
    IS_INT(sotto_keyring_new(&ring), SOTTO_ENOMEM, "no memory, no ring");
    sotto_alloc_set_fault(0);
    IS_INT(sotto_keyring_new(&ring), SOTTO_OK, "a ring");
    IS_INT(sotto_keyring_renew(ring, suite, NOW), SOTTO_OK, "with a pair");
    struct sotto_gateway_pair *pair = sotto_keyring_current(ring, suite);
    sotto_crypto_random_set_fault(1);
    IS_INT(sotto_keyring_renew(ring, suite, NOW + 60), SOTTO_ECRYPTO, "that cannot be renewed");
    sotto_crypto_random_set_fault(0);
    struct sotto_gateway_pair *still = sotto_keyring_current(ring, suite);
    OK(still == pair, "stays");
    sotto_keyring_stop(ring);
    IS_INT(sotto_keyring_renew(ring, suite, NOW + 60), SOTTO_ECLOSED, "once stopped, none is made");
    sotto_gateway_pair_unref(still);
    sotto_gateway_pair_unref(pair);
    sotto_keyring_free(ring);
}

static void test_words(void)
{
    OK(sotto_suite_find(SOTTO_LIT("auto")) == sotto_suite_find(SOTTO_LIT("x-wing")),
       "auto is the strongest suite");
    OK(sotto_suite_find(SOTTO_LIT("kyber1024")) == NULL, "an unknown word is none");
    OK(sotto_suite_find(SOTTO_LIT("")) == NULL, "nor is no word");
    for (size_t i = 0; i < SOTTO_SUITE_COUNT; i++) {
        const struct sotto_suite *suite = &sotto_suites[i];
        OK(sotto_suite_find(sotto_span_str(suite->name)) == suite, "%s: %s", suite->name,
           suite->standard);
        OK(i == 0 || suite->strength < sotto_suites[i - 1].strength, "the strongest come first");
    }
}

int main(void)
{
    test_words();
    test_renewal();
    test_overlap();
    test_faults();
    return done_testing();
}
