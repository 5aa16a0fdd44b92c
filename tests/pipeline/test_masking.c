/* SPDX-License-Identifier: Apache-2.0 */

#include "pipeline/masking.h"

#include "base/alloc.h"
#include "tap/tap.h"

static struct sotto_detector *detector;
static struct sotto_detect_job *job;
static struct sotto_modes *modes;
static const struct sotto_masking_keys keys = {.token = {1}, .user = {2}};

struct masked {
    struct sotto_call call;
    struct sotto_masking *masking;
    struct sotto_buf text; /* the document after masking */
    enum sotto_err err;
    struct sotto_problem problem;
};

static struct sotto_masking_options options_for(const char *mode)
{
    return (struct sotto_masking_options){
        .detector = detector,
        .mode = sotto_modes_find(modes, sotto_span_str(mode)),
        .keys = &keys,
        .style = SOTTO_STYLE_TOKEN,
        .max_depth = 64,
    };
}

/* Masks a request in steps of `budget`. */
static void mask(struct masked *m, const struct sotto_masking_options *options, const char *request,
                 size_t budget, bool explain)
{
    bool done = false;
    *m = (struct masked){0};
    sotto_call_init(&m->call);
    sotto_buf_init(&m->text, SOTTO_BUF_UNBOUNDED);
    m->call.explain = explain;
    m->err = sotto_json_read(sotto_span_str(request), 128, &m->call.doc, NULL);
    if (m->err == SOTTO_OK) {
        m->err = sotto_masking_new(&m->call, options, job, &m->masking, &m->problem);
    }
    while (m->err == SOTTO_OK && !done) {
        m->err = sotto_masking_step(m->masking, budget, &done);
    }
    if (m->err == SOTTO_OK) {
        m->err = sotto_json_write(yyjson_mut_doc_get_root(m->call.doc), &m->text);
    }
}

static void drop(struct masked *m)
{
    sotto_masking_free(m->masking);
    sotto_call_free(&m->call);
    sotto_buf_free(&m->text);
}

static bool holds(const struct sotto_buf *text, const char *what)
{
    return text->len != 0 && memmem(text->base, text->len, what, strlen(what)) != NULL;
}

static const char patient[] =
    "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"You help Dr. Weber.\"},"
    "{\"role\":\"user\",\"content\":\"Patient Margaret Thornbury, m.thornbury@example.org, card "
    "4111 1111 1111 "
    "1111.\"},{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"c\","
    "\"type\":\"function\",\"function\":{\"name\":\"find\",\"arguments\":"
    "\"{\\\"mail\\\": \\\"m.thornbury@example.org\\\"}\"}}]}],"
    "\"user\":\"u-17\",\"unheard_of\":{\"of\":\"m.thornbury@example.org\"}}";

static void test_no_value_is_left(void)
{
    struct sotto_masking_options options = options_for("standard");
    struct masked m;
    mask(&m, &options, patient, SIZE_MAX, false);
    IS_INT(m.err, SOTTO_OK, "masked");
    OK(!holds(&m.text, "thornbury@example.org"), "the address is gone from every place");
    OK(!holds(&m.text, "Thornbury"), "so is the name");
    OK(!holds(&m.text, "4111"), "so is the card");
    OK(!holds(&m.text, "u-17"), "so is the user");
    OK(holds(&m.text, "\"find\""), "the function's name stays");
    const struct sotto_masking_counts *counts = sotto_masking_counts(m.masking);
    IS_INT(counts->replaced[SOTTO_LABEL_EMAIL], 3, "three addresses");
    OK(counts->replaced_total >= 5, "and more");

    struct sotto_vault *vault = sotto_masking_take_vault(m.masking);
    bool found = false;
    for (size_t i = 0; i < sotto_vault_count(vault); i++) {
        sotto_span token, value;
        sotto_vault_entry(vault, i, &token, &value);
        found = found || sotto_span_eq(value, SOTTO_LIT("m.thornbury@example.org"));
    }
    OK(found, "the vault has the value");
    sotto_vault_free(vault);
    drop(&m);
}

static void test_steps_do_not_matter(void)
{
    struct sotto_masking_options options = options_for("hipaa");
    struct masked whole, steps;
    mask(&whole, &options, patient, SIZE_MAX, false);
    for (size_t budget = 1; budget < 40; budget += 6) {
        mask(&steps, &options, patient, budget, false);
        OK(steps.err == SOTTO_OK && whole.text.len == steps.text.len &&
               memcmp(whole.text.base, steps.text.base, whole.text.len) == 0,
           "steps of %zu give the same document", budget);
        drop(&steps);
    }
    drop(&whole);
}

static void test_conversation(void)
{
    struct sotto_masking_options options = options_for("standard");
    struct masked first, second, other;
    mask(&first, &options,
         "{\"messages\":[{\"role\":\"user\",\"content\":\"mail ann@example.org\"}]}", SIZE_MAX,
         false);
    mask(&second, &options,
         "{\"messages\":[{\"role\":\"user\",\"content\":\"mail ann@example.org\"},"
         "{\"role\":\"user\",\"content\":\"again ANN@example.org\"}]}",
         SIZE_MAX, false);
    mask(&other, &options,
         "{\"messages\":[{\"role\":\"user\",\"content\":\"write ann@example.org\"}]}", SIZE_MAX,
         false);
    const char *token = memmem(first.text.base, first.text.len, "EMAIL", 5);
    char word[15] = "";
    memcpy(word, token != NULL ? token : "no token found", 14);
    OK(token != NULL && holds(&second.text, word), "the next turn has the same token");
    char *again =
        second.text.len != 0 ? memmem(second.text.base, second.text.len, "again ", 6) : NULL;
    OK(again != NULL && memcmp(again + 6, word, 14) == 0, "and so has another spelling");
    OK(!holds(&other.text, word), "another conversation has another one");
    drop(&first);
    drop(&second);
    drop(&other);
}

static void test_known_values(void)
{
    struct sotto_masking_options options = options_for("standard");
    struct masked m;
    mask(&m, &options,
         "{\"messages\":[{\"role\":\"user\",\"content\":\"My name is Margaret Thornbury.\"},"
         "{\"role\":\"user\",\"content\":\"the folder is called margaretthornbury2024 and "
         "thornbury is in it\"}]}",
         SIZE_MAX, false);
    IS_INT(m.err, SOTTO_OK, "masked");
    OK(!holds(&m.text, "thornbury"), "a name is found again inside a word and without a capital");
    drop(&m);
}

static void test_content_policy(void)
{
    static const char image[] = "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
                                "\"image_url\",\"image_url\":{\"url\":\"data:image/png;x\"}}]}]}";
    struct sotto_masking_options options = options_for("standard");
    struct masked m;
    mask(&m, &options, image, SIZE_MAX, false);
    IS_INT(m.err, SOTTO_OK, "an image passes in standard");
    IS_INT(sotto_masking_counts(m.masking)->unprotected, 1, "and is counted");
    drop(&m);
    options = options_for("hipaa");
    mask(&m, &options, image, SIZE_MAX, false);
    IS_INT(m.err, SOTTO_EINVAL, "hipaa refuses it");
    OK(strcmp(m.problem.code, "content_not_protected") == 0 &&
           strcmp(m.problem.param, "messages[0].content") == 0,
       "and says where");
    drop(&m);
}

static void test_explanation(void)
{
    struct sotto_masking_options options = options_for("standard");
    struct masked m;
    struct sotto_buf text;
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    mask(&m, &options,
         "{\"messages\":[{\"role\":\"user\",\"content\":\"h\xc3\xa9 ann@example.org\"}]}", SIZE_MAX,
         true);
    yyjson_mut_doc *doc = sotto_masking_take_explanation(m.masking);
    OK(doc != NULL && sotto_json_write(yyjson_mut_doc_get_root(doc), &text) == SOTTO_OK, "made");
    OK(holds(&text, "\"field\":\"content\",\"start\":3,\"end\":18,\"label\":\"EMAIL\""),
       "places are code points");
    OK(!holds(&text, "ann@example.org"), "sent is what the provider got");
    sotto_json_free(doc);
    sotto_buf_free(&text);
    drop(&m);
}

static void test_every_allocation_failure(void)
{
    struct sotto_masking_options options = options_for("hipaa");
    size_t failed = 0;
    for (size_t n = 1; n < 3000; n++) {
        struct masked m;
        sotto_alloc_set_fault(n);
        mask(&m, &options, patient, SIZE_MAX, true);
        bool hit = sotto_alloc_set_fault(0) >= n;
        drop(&m);
        if (!hit) {
            IS_INT(m.err, SOTTO_OK, "without a fault it works");
            break;
        }
        failed += m.err == SOTTO_OK;
    }
    IS_SIZE(failed, 0, "each failed allocation is reported");
}

/* A conversation of `count` messages, each of them with an address of its own. */
static void write_conversation(struct sotto_buf *out, int count)
{
    sotto_buf_init(out, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_buf_append(out, SOTTO_LIT("{\"model\":\"m\",\"messages\":["));
    for (int i = 0; i < count && err == SOTTO_OK; i++) {
        err =
            sotto_buf_printf(out,
                             "%s{\"role\":\"%s\",\"content\":\"Message %d for Margaret Thornbury, "
                             "mail m.thornbury%d@example.org\"}",
                             i != 0 ? "," : "", i % 2 == 0 ? "user" : "assistant", i, i);
    }
    if (err != SOTTO_OK || sotto_buf_append(out, SOTTO_LIT("]}\0")) != SOTTO_OK) {
        abort();
    }
}

static void compare_cached(struct sotto_cache *cache, int count, size_t *one)
{
    struct sotto_masking_options options = options_for("standard");
    struct sotto_buf request;
    struct masked without, with;
    write_conversation(&request, count);
    mask(&without, &options, (const char *)request.base, SIZE_MAX, true);
    options.cache = cache;
    mask(&with, &options, (const char *)request.base, count % 2 == 0 ? SIZE_MAX : 50, true);
    const struct sotto_masking_counts *counts = sotto_masking_counts(with.masking);
    IS_MEM(with.text.base, with.text.len, without.text.base, without.text.len,
           "%d messages are masked as without a cache", count);
    if (*one == 0) {
        IS_SIZE(counts->recalled_bytes, 0, "at first nothing is known");
        *one = counts->detected_bytes / (size_t)count;
    } else {
        OK(counts->detected_bytes < *one + 16 && counts->recalled_bytes > 190 * *one,
           "of %d messages detection goes over the new one only (%zu bytes)", count,
           (size_t)counts->detected_bytes);
    }
    drop(&without);
    drop(&with);
    sotto_buf_free(&request);
}

static void test_cache(void)
{
    static const struct sotto_masking_keys others = {.token = {1}, .user = {2}, .cache = {3}};
    struct sotto_masking_options options = options_for("standard");
    struct sotto_cache *cache = NULL;
    struct sotto_buf request;
    struct masked with;
    size_t one = 0;
    IS_INT(sotto_cache_new(1 << 20, &cache), SOTTO_OK, "a cache");
    for (int count = 198; count <= 200; count++) {
        compare_cached(cache, count, &one);
    }
    write_conversation(&request, 10);
    options.keys = &others;
    options.cache = cache;
    mask(&with, &options, (const char *)request.base, SIZE_MAX, false);
    IS_SIZE(sotto_masking_counts(with.masking)->recalled_bytes, 0,
            "another tenant finds nothing of it");
    drop(&with);
    sotto_buf_free(&request);
    mask(&with, &options, patient, SIZE_MAX, false);
    drop(&with);
    mask(&with, &options, patient, SIZE_MAX, false);
    IS_SIZE(sotto_masking_counts(with.masking)->detected_bytes, 0,
            "values in tool calls, behind their keys, are known as well");
    OK(!holds(&with.text, "thornbury@example.org"), "and masked");
    drop(&with);
    sotto_cache_free(cache);
}

int main(void)
{
    if (sotto_detector_new(NULL, &detector, NULL) != SOTTO_OK ||
        sotto_detect_job_new(detector, &job) != SOTTO_OK ||
        sotto_modes_new(NULL, 0, NULL, 0, &modes, NULL) != SOTTO_OK) {
        OK(false, "set up");
        return done_testing();
    }
    test_no_value_is_left();
    test_steps_do_not_matter();
    test_conversation();
    test_known_values();
    test_content_policy();
    test_explanation();
    test_cache();
    test_every_allocation_failure();
    sotto_detect_job_free(job);
    sotto_detector_free(detector);
    sotto_modes_free(modes);
    return done_testing();
}
