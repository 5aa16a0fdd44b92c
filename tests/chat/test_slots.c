/* SPDX-License-Identifier: Apache-2.0 */

#include "chat/slots.h"

#include "base/alloc.h"
#include "tap/tap.h"

static yyjson_mut_doc *read_doc(const char *text)
{
    yyjson_mut_doc *doc = NULL;
    return sotto_json_read(sotto_span_str(text), 128, &doc, NULL) == SOTTO_OK ? doc : NULL;
}

/* The texts of all slots, each behind its kind, joined with '|'. */
static void list_slots(const struct sotto_slots *slots, struct sotto_buf *out)
{
    static const char kinds[] = {'t', 'k', 'n', 'u'};
    for (size_t i = 0; i < slots->count; i++) {
        sotto_span text = sotto_slot_text(&slots->items[i]);
        sotto_ignore(sotto_buf_printf(out, "%s%c:%.*s", i == 0 ? "" : "|",
                                      kinds[slots->items[i].kind], SOTTO_FMT(text)));
    }
}

static void check_slots(const char *request, const char *want, const char *name)
{
    yyjson_mut_doc *doc = read_doc(request);
    struct sotto_slots slots = {0};
    struct sotto_buf list;
    sotto_buf_init(&list, SOTTO_BUF_UNBOUNDED);
    IS_INT(sotto_slots_collect(doc, SOTTO_CALL_CHAT, 128, &slots), SOTTO_OK, "%s: collected", name);
    list_slots(&slots, &list);
    IS_TEXT(list.base, list.len, want, "%s", name);
    sotto_buf_free(&list);
    sotto_slots_free(&slots);
    sotto_json_free(doc);
}

static void test_what_is_text(void)
{
    check_slots("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}", "t:hi",
                "content of a message");
    check_slots(
        "{\"messages\":[{\"role\":\"user\",\"name\":\"ann\",\"content\":[{\"type\":\"text\","
        "\"text\":\"a\"},{\"type\":\"new\",\"other\":{\"deep\":[\"b\"]}}]}]}",
        "t:ann|t:a|t:b", "names, parts and parts nobody knew");
    check_slots("{\"user\":\"u1\",\"safety_identifier\":\"s1\",\"stop\":[\"x\",\"y\"],"
                "\"metadata\":{\"k\":\"v\"},\"service_tier\":\"auto\",\"future\":\"z\"}",
                "u:u1|u:s1|t:x|t:y|t:v|t:z", "members of the request");
    check_slots("{\"prediction\":{\"type\":\"content\",\"content\":\"p\"}}", "t:content|t:p",
                "a prediction");
}

static void test_tools(void)
{
    check_slots(
        "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":"
        "\"d\",\"parameters\":{\"type\":\"object\",\"required\":[\"who\"],\"properties\":{"
        "\"who\":{\"type\":\"string\",\"description\":\"e\",\"enum\":[\"Ann\",\"Bob\"]}}}}}]}",
        "t:d|t:e|t:Ann|t:Bob", "definitions without names");
    check_slots("{\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":"
                "\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
                "\"{\\\"who\\\":\\\"Ann\\\",\\\"tel\\\":41791234567,\\\"n\\\":3}\"}}]}]}",
                "k:who|t:Ann|k:tel|n:41791234567|k:n", "arguments are opened");
    check_slots("{\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":"
                "\"[{\\\"a\\\":\\\"b\\\"}]\"}]}",
                "k:a|t:b", "results of tools are opened");
    check_slots("{\"messages\":[{\"role\":\"tool\",\"content\":\"{not json\"}]}", "t:{not json",
                "what is no JSON is plain text");
    check_slots("{\"messages\":[{\"role\":\"user\",\"content\":\"{\\\"a\\\":\\\"b\\\"}\"}]}",
                "t:{\"a\":\"b\"}", "a user's text is not opened");
    check_slots("{\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\","
                "\"schema\":{\"title\":\"t\",\"properties\":{\"p\":{\"const\":\"c\"}}}}}}",
                "t:t|t:c", "a response format");
}

static void test_unprotected(void)
{
    yyjson_mut_doc *doc = read_doc(
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\","
        "\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:x\"}},"
        "{\"type\":\"file\",\"file\":{\"filename\":\"ann.pdf\",\"file_data\":\"AA\"}}]}]}");
    struct sotto_slots slots = {0};
    IS_INT(sotto_slots_collect(doc, SOTTO_CALL_CHAT, 128, &slots), SOTTO_OK, "collected");
    IS_INT(slots.unprotected, SOTTO_UNPROTECTED_IMAGE | SOTTO_UNPROTECTED_FILE, "image and file");
    IS_INT(slots.unprotected_message, 1, "in the second message");
    IS_SIZE(slots.count, 2, "the file's name is text");
    OK(slots.items[1].message == 1 && slots.items[1].from_user, "and has its place");
    sotto_slots_free(&slots);
    sotto_json_free(doc);
}

static void set_all(struct sotto_slots *slots, const char *text)
{
    for (size_t i = 0; i < slots->count; i++) {
        if (slots->items[i].kind != SOTTO_SLOT_KEY) {
            IS_INT(sotto_slots_set(slots, i, sotto_span_str(text)), SOTTO_OK, "slot %zu is set", i);
        }
    }
}

static void test_writing_back(void)
{
    yyjson_mut_doc *doc = read_doc(
        "{\"messages\":[{\"role\":\"tool\",\"content\":\"{\\\"a\\\": {\\\"b\\\": 1234567}}\"},"
        "{\"role\":\"tool\",\"content\":\"{\\\"a\\\": 1}\"}]}");
    struct sotto_slots slots = {0};
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    IS_INT(sotto_slots_collect(doc, SOTTO_CALL_CHAT, 128, &slots), SOTTO_OK, "collected");
    set_all(&slots, "X\"");
    IS_INT(sotto_slots_finish(&slots), SOTTO_OK, "finished");
    IS_INT(sotto_json_write(yyjson_mut_doc_get_root(doc), &out), SOTTO_OK, "written");
    IS_TEXT(out.base, out.len,
            "{\"messages\":[{\"role\":\"tool\",\"content\":\"{\\\"a\\\":{\\\"b\\\":"
            "\\\"X\\\\\\\"\\\"}}\"},{\"role\":\"tool\",\"content\":\"{\\\"a\\\": 1}\"}]}",
            "what was set is escaped twice; what was not is byte for byte as it came");
    sotto_buf_free(&out);
    sotto_slots_free(&slots);
    sotto_json_free(doc);
}

static void test_embeddings(void)
{
    yyjson_mut_doc *doc = read_doc("{\"model\":\"m\",\"input\":[\"a\",\"b\"],\"user\":\"u\"}");
    struct sotto_slots slots = {0};
    IS_INT(sotto_slots_collect(doc, SOTTO_CALL_EMBEDDINGS, 128, &slots), SOTTO_OK, "collected");
    IS_SIZE(slots.count, 3, "inputs and user");
    sotto_slots_free(&slots);
    sotto_json_free(doc);
}

static void test_every_allocation_failure(void)
{
    static const char text[] = "{\"messages\":[{\"role\":\"tool\",\"content\":"
                               "\"{\\\"a\\\": {\\\"b\\\": \\\"c\\\"}}\"}]}";
    for (size_t n = 1;; n++) {
        yyjson_mut_doc *doc = read_doc(text);
        struct sotto_slots slots = {0};
        sotto_alloc_set_fault(n);
        enum sotto_err err = sotto_slots_collect(doc, SOTTO_CALL_CHAT, 128, &slots);
        if (err == SOTTO_OK) {
            err = sotto_slots_set(&slots, 2, SOTTO_LIT("X"));
        }
        if (err == SOTTO_OK) {
            err = sotto_slots_finish(&slots);
        }
        bool hit = sotto_alloc_set_fault(0) >= n;
        sotto_slots_free(&slots);
        sotto_json_free(doc);
        if (!hit) {
            IS_INT(err, SOTTO_OK, "without a fault it works");
            break;
        }
        IS_INT(err, SOTTO_ENOMEM, "allocation %zu fails", n);
    }
}

int main(void)
{
    test_what_is_text();
    test_tools();
    test_unprotected();
    test_writing_back();
    test_embeddings();
    test_every_allocation_failure();
    return done_testing();
}
