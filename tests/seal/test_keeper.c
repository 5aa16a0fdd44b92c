/* SPDX-License-Identifier: Apache-2.0 */

#include "seal/keeper.h"

#include "base/alloc.h"
#include "crypto/random.h"
#include "tap/tap.h"

#define NOW    5000
#define SECRET "what waits in memory"

static const struct sotto_suite *suite_of(const char *word)
{
    return sotto_suite_find(sotto_span_str(word));
}

static enum sotto_err keep(struct sotto_keeper *keeper, const struct sotto_suite *suite,
                           struct sotto_kept *kept)
{
    struct sotto_buf plain;
    sotto_buf_init(&plain, 1024);
    enum sotto_err err = sotto_buf_append(&plain, SOTTO_LIT(SECRET));
    if (err == SOTTO_OK) {
        err = sotto_keeper_seal(keeper, suite, &plain, kept);
    }
    bool emptied = plain.len == 0 && plain.base == NULL;
    sotto_buf_free(&plain);
    return err == SOTTO_OK && !emptied ? SOTTO_EIO : err;
}

static void is_kept(const struct sotto_kept *kept, const char *what)
{
    struct sotto_buf plain;
    sotto_buf_init(&plain, 1024);
    IS_INT(sotto_kept_open(kept, &plain), SOTTO_OK, "%s opens", what);
    IS_TEXT(plain.base, plain.len, SECRET, "and is what was kept");
    sotto_buf_free(&plain);
}

static void test_keeping(const char *word)
{
    const struct sotto_suite *suite = suite_of(word);
    struct sotto_keyring *ring;
    struct sotto_keeper *keeper;
    struct sotto_kept a = {.key = NULL}, b = {.key = NULL}, c = {.key = NULL};
    IS_INT(sotto_keyring_new(&ring), SOTTO_OK, "%s: a ring", word);
    IS_INT(sotto_keeper_new(ring, &keeper), SOTTO_OK, "a keeper");
    IS_INT(keep(keeper, suite, &a), SOTTO_ENOTFOUND, "without a pair nothing is kept");
    OK(a.key == NULL, "nor claimed to be");
    IS_INT(sotto_keyring_renew(ring, suite, NOW), SOTTO_OK, "a pair");
    struct sotto_gateway_pair *pair = sotto_keyring_current(ring, suite);

    sotto_crypto_random_set_fault(SIZE_MAX);
    IS_INT(keep(keeper, suite, &a), SOTTO_OK, "something is kept");
    IS_INT(keep(keeper, suite, &b), SOTTO_OK, "and something more");
    sotto_crypto_random_set_fault(0);
    OK(strcmp(sotto_kept_key_id(&a), pair->key_id) == 0, "under the pair");
    OK(a.key == b.key, "with one encapsulation for both");
    OK(a.sealed.len == b.sealed.len && memcmp(a.sealed.base, b.sealed.base, a.sealed.len) != 0,
       "and different nonces");
    OK(memmem(a.sealed.base, a.sealed.len, SECRET, sizeof(SECRET) - 1) == NULL, "nobody sees it");
    is_kept(&a, "the first");
    is_kept(&b, "the second");

    IS_INT(sotto_keyring_renew(ring, suite, NOW + 60), SOTTO_OK, "the pair is renewed");
    IS_INT(keep(keeper, suite, &c), SOTTO_OK, "the next one");
    OK(strcmp(sotto_kept_key_id(&c), pair->key_id) != 0, "is under the new pair");
    is_kept(&a, "what is under the old one");
    IS_INT(sotto_keyring_renew(ring, suite, NOW + 120), SOTTO_OK, "and renewed again");
    sotto_keeper_sweep(keeper);
    is_kept(&c, "what is kept when its key was swept");
    a.sealed.base[3] ^= 1;
    struct sotto_buf plain;
    sotto_buf_init(&plain, 1024);
    IS_INT(sotto_kept_open(&a, &plain), SOTTO_EAUTH, "a changed byte is noticed");
    IS_SIZE(plain.len, 0, "nothing comes out");
    sotto_buf_free(&plain);
    sotto_gateway_pair_unref(pair);
    sotto_keeper_free(keeper);
    is_kept(&b, "what outlives its keeper");
    sotto_kept_free(&a);
    sotto_kept_free(&b);
    sotto_kept_free(&c);
    sotto_kept_free(&c);
    sotto_keyring_free(ring);
    sotto_keeper_free(NULL);
}

static void test_faults(void)
{
    const struct sotto_suite *suite = suite_of("x-wing");
    struct sotto_keyring *ring;
    struct sotto_kept kept = {.key = NULL};
    size_t n = 1;
    bool right = true;
    IS_INT(sotto_keyring_new(&ring), SOTTO_OK, "a ring");
    IS_INT(sotto_keyring_renew(ring, suite, NOW), SOTTO_OK, "a pair");
    for (;; n++) {
        struct sotto_keeper *keeper = NULL;
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_keeper_new(ring, &keeper);
        if (err == SOTTO_OK) {
            err = keep(keeper, suite, &kept);
        }
        bool over = sotto_alloc_set_fault(0) < n;
        right = right && (err == SOTTO_OK) == (kept.key != NULL);
        sotto_kept_free(&kept);
        sotto_keeper_free(keeper);
        if (over) {
            IS_INT(err, SOTTO_OK, "no more than %zu allocations", n - 1);
            break;
        }
    }
    OK(right, "what fails keeps nothing");
    sotto_keyring_free(ring);
}

int main(void)
{
    test_keeping("x-wing");
    test_keeping("kyber512");
    test_faults();
    return done_testing();
}
