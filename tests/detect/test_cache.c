/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/cache.h"

#include "base/alloc.h"
#include "tap/tap.h"

static struct sotto_hmac *ann, *bob;

static struct sotto_cache_name name_of(struct sotto_hmac *tenant, const char *context,
                                       const char *text)
{
    struct sotto_cache_name name;
    if (sotto_cache_name(tenant, sotto_span_str(context), sotto_span_str(text), &name) !=
        SOTTO_OK) {
        abort();
    }
    return name;
}

static bool knows(struct sotto_cache *cache, struct sotto_cache_name name, int64_t now_ms,
                  size_t *count)
{
    struct sotto_findings out = {0};
    bool known = false;
    if (sotto_cache_get(cache, &name, now_ms, &out, &known) != SOTTO_OK) {
        abort();
    }
    *count = out.count;
    sotto_findings_free(&out);
    return known;
}

static struct sotto_findings findings(size_t count)
{
    struct sotto_findings list = {0};
    for (size_t i = 0; i < count; i++) {
        struct sotto_finding f = {.start = (uint32_t)(10 * i), .end = (uint32_t)(10 * i + 5)};
        if (sotto_findings_add(&list, f) != SOTTO_OK) {
            abort();
        }
    }
    return list;
}

static void test_kept(void)
{
    struct sotto_cache *cache = NULL;
    struct sotto_findings three = findings(3), none = {0};
    struct sotto_cache_name name = name_of(ann, "", "Ask Jane Doe");
    struct sotto_cache_name empty = name_of(ann, "", "hello");
    size_t count;
    IS_INT(sotto_cache_new(1 << 20, &cache), SOTTO_OK, "a cache");
    OK(!knows(cache, name, 0, &count), "knows nothing at first");
    sotto_cache_put(cache, &name, 0, &three);
    sotto_cache_put(cache, &empty, 0, &none);
    OK(knows(cache, name, 1, &count) && count == 3, "a text that was put is known");
    OK(knows(cache, empty, 1, &count) && count == 0, "so is one without findings");
    OK(!knows(cache, name_of(ann, "", "Ask Jane Do"), 1, &count), "another text is not");
    OK(!knows(cache, name_of(ann, "Ask ", "Jane Doe"), 1, &count), "nor another context");
    OK(!knows(cache, name_of(bob, "", "Ask Jane Doe"), 1, &count), "nor another tenant's");
    sotto_cache_put(cache, &name, 2, &none);
    OK(knows(cache, name, 2, &count) && count == 3, "what is there stays");
    sotto_findings_free(&three);
    sotto_cache_free(cache);
}

static void test_ten_minutes(void)
{
    struct sotto_cache *cache = NULL;
    struct sotto_findings one = findings(1);
    struct sotto_cache_name a = name_of(ann, "", "a"), b = name_of(ann, "", "b");
    size_t count;
    IS_INT(sotto_cache_new(1 << 20, &cache), SOTTO_OK, "a cache");
    sotto_cache_put(cache, &a, 0, &one);
    sotto_cache_put(cache, &b, 0, &one);
    OK(knows(cache, a, SOTTO_CACHE_KEEP_MS - 1, &count), "known for ten minutes");
    OK(!knows(cache, b, SOTTO_CACHE_KEEP_MS, &count), "not longer");
    OK(knows(cache, a, SOTTO_CACHE_KEEP_MS, &count), "from the last use on");
    sotto_cache_sweep(cache, SOTTO_CACHE_KEEP_MS + 1);
    OK(sotto_cache_bytes(cache) != 0, "a sweep leaves what is young");
    sotto_cache_sweep(cache, 2 * SOTTO_CACHE_KEEP_MS);
    IS_SIZE(sotto_cache_bytes(cache), 0, "and takes what is old");
    sotto_findings_free(&one);
    sotto_cache_free(cache);
}

static void test_bounded(void)
{
    enum {
        LIMIT = 1 << 16
    };
    struct sotto_cache *cache = NULL;
    struct sotto_findings few = findings(2), many = findings(4096);
    size_t most = 0, count;
    char text[32];
    IS_INT(sotto_cache_new(LIMIT, &cache), SOTTO_OK, "a small cache");
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof(text), "message %d", i);
        struct sotto_cache_name name = name_of(ann, "", text);
        sotto_cache_put(cache, &name, i, &few);
        size_t bytes = sotto_cache_bytes(cache);
        most = bytes > most ? bytes : most;
    }
    OK(most <= LIMIT && most > LIMIT / 2, "never takes more than its limit (%zu bytes)", most);
    OK(knows(cache, name_of(ann, "", "message 4999"), 5000, &count), "the newest is there");
    OK(!knows(cache, name_of(ann, "", "message 0"), 5000, &count), "the oldest is not");
    struct sotto_cache_name large = name_of(ann, "", "large");
    sotto_cache_put(cache, &large, 5000, &many);
    OK(!knows(cache, large, 5000, &count), "what would drive out all others is not kept");
    sotto_findings_free(&few);
    sotto_findings_free(&many);
    sotto_cache_free(cache);
}

static void test_no_memory(void)
{
    struct sotto_cache *cache = NULL;
    struct sotto_findings one = findings(1), out = {0};
    struct sotto_cache_name name = name_of(ann, "", "a");
    bool known;
    size_t count;
    sotto_alloc_set_fault(1);
    IS_INT(sotto_cache_new(1 << 20, &cache), SOTTO_ENOMEM, "no memory for a cache");
    sotto_alloc_set_fault(0);
    IS_INT(sotto_cache_new(1 << 20, &cache), SOTTO_OK, "a cache");
    for (size_t n = 1; n <= 2; n++) {
        sotto_alloc_set_fault(n);
        sotto_cache_put(cache, &name, 0, &one);
        sotto_alloc_set_fault(0);
        OK(!knows(cache, name, 0, &count), "without memory it forgets");
    }
    sotto_cache_put(cache, &name, 0, &one);
    sotto_alloc_set_fault(1);
    IS_INT(sotto_cache_get(cache, &name, 0, &out, &known), SOTTO_ENOMEM, "no memory for findings");
    sotto_alloc_set_fault(0);
    OK(!known && out.count == 0, "says that it knows nothing");
    sotto_findings_free(&one);
    sotto_findings_free(&out);
    sotto_cache_free(cache);
    sotto_cache_free(NULL);
}

int main(void)
{
    if (sotto_hmac_new(SOTTO_LIT("ann"), &ann) != SOTTO_OK ||
        sotto_hmac_new(SOTTO_LIT("bob"), &bob) != SOTTO_OK) {
        return 1;
    }
    test_kept();
    test_ten_minutes();
    test_bounded();
    test_no_memory();
    sotto_hmac_free(ann);
    sotto_hmac_free(bob);
    return done_testing();
}
