/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/room.h"

#include "room_rig.h"

/*
 * The room against a back that somebody else has taken over: whatever it says and whenever, a
 * request ends once, in an answer or an error, and nobody else's memory is touched.
 */

static void test_answers(void)
{
    struct rig rig;
    rig_new(&rig, false);
    rig_open(&rig, ASK);
    IS_INT(rig.fetched, 1, "a request is sent to the back");
    rig_chunk(&rig, OK_JSON, "", 0);
    IS_INT(rig.ends, 0, "a head is no answer yet");
    rig_chunk(&rig, "", ANSWER, SOTTO_DOOR_LAST);
    OK(rig.status == 200 && rig.ends == 1 && rig_told(&rig, "good day"), "the answer is passed on");
    rig_chunk(&rig, "", ANSWER, SOTTO_DOOR_LAST);
    rig_cut(&rig, SOTTO_ECLOSED);
    IS_INT(rig.ends, 1, "what comes behind it goes nowhere");
    rig_free(&rig);
}

static void test_no_head(void)
{
    struct rig rig;
    static const char *const bodies[] = {"", ANSWER};
    for (size_t i = 0; i < SOTTO_COUNT(bodies); i++) {
        for (uint32_t last = 0; last <= SOTTO_DOOR_LAST; last++) {
            rig_new(&rig, false);
            rig_open(&rig, i == 0 ? ASK : STREAM);
            rig_chunk(&rig, "", bodies[i], last);
            OK(rig.status == 502 && rig.ends == 1, "body %zu, last %u, before any head: 502", i,
               last);
            rig_chunk(&rig, OK_JSON, ANSWER, SOTTO_DOOR_LAST);
            OK(rig.heads == 1 && rig.ends == 1 && !rig_told(&rig, "good day"),
               "and nothing comes behind it");
            rig_free(&rig);
        }
    }
}

static void test_two_heads(void)
{
    struct rig rig;
    static const char *const heads[] = {OK_JSON, OK_SSE, FAILS};
    for (size_t first = 0; first < SOTTO_COUNT(heads); first++) {
        for (size_t second = 0; second < SOTTO_COUNT(heads); second++) {
            rig_new(&rig, false);
            rig_open(&rig, STREAM);
            rig_chunk(&rig, heads[first], first == 1 ? EVENT : "", 0);
            rig_chunk(&rig, heads[second], "", 0);
            OK(rig.ends == 1 && rig.heads == 1, "head %zu, then head %zu: an end", first, second);
            OK(first == 1 ? rig_told(&rig, "error") : rig.status == 502, "with an error");
            rig_free(&rig);
        }
    }
}

/* What a back can say of a request that it was never given. */
static void say_everything(struct rig *rig)
{
    rig_chunk(rig, "", "", 0);
    rig_chunk(rig, "", ANSWER, SOTTO_DOOR_LAST);
    rig_chunk(rig, OK_JSON, ANSWER, SOTTO_DOOR_LAST);
    rig_chunk(rig, OK_SSE, EVENT, 0);
    rig_chunk(rig, FAILS, "", SOTTO_DOOR_LAST);
    rig_cut(rig, SOTTO_ECLOSED);
    rig_cut(rig, SOTTO_OK);
    rig_cut(rig, SOTTO_ETIMEOUT);
}

static void test_store_is_asked(void)
{
    struct rig rig;
    rig_new(&rig, true);
    rig_open(&rig, ASK);
    OK(rig_call != NULL && rig.fetched == 0, "the store is asked whether the request may go on");
    say_everything(&rig);
    OK(rig.ends == 0 && rig.heads == 0, "an answer that nobody asked for is dropped");
    while (rig_call != NULL) {
        rig_answer(SOTTO_OK);
        if (rig_call != NULL) {
            say_everything(&rig);
        }
    }
    OK(rig.fetched == 1 && rig.ends == 0, "the request goes on");
    rig_chunk(&rig, OK_JSON, ANSWER, SOTTO_DOOR_LAST);
    OK(rig.status == 200 && rig.ends == 1, "and gets its answer");
    rig_free(&rig);
}

static void test_worker_has_it(void)
{
    struct rig rig;
    size_t room = SOTTO_ROOM_INLINE_BYTES + 1000;
    char *body = malloc(room);
    int n =
        snprintf(body, room, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"");
    memset(body + n, 'a', SOTTO_ROOM_INLINE_BYTES);
    strcpy(body + (size_t)n + SOTTO_ROOM_INLINE_BYTES, "\"}]}");
    rig_new(&rig, false);
    rig_open(&rig, body);
    OK(rig.job != NULL, "a large request goes to a worker");
    say_everything(&rig);
    OK(rig.ends == 0 && rig.heads == 0, "an answer that nobody asked for is dropped");
    sotto_room_job_run(rig.job);
    say_everything(&rig);
    sotto_room_job_done(rig.job);
    OK(rig.fetched == 1 && rig.ends == 0, "the request goes on");
    rig_chunk(&rig, OK_JSON, ANSWER, SOTTO_DOOR_LAST);
    OK(rig.status == 200 && rig.ends == 1, "and gets its answer");
    rig_free(&rig);
    free(body);
}

int main(void)
{
    test_answers();
    test_no_head();
    test_two_heads();
    test_store_is_asked();
    test_worker_has_it();
    return done_testing();
}
