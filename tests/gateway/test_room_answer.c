/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/room.h"

#include "room_rig.h"

/*
 * What the room makes of an upstream's answer, piece by piece, and of a client that leaves or a back
 * that is lost in each state of it.
 */

#define DONE "data: [DONE]\n\n"
#define FINISH                                                                                     \
    "data: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\","      \
    "\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
#define LISTING "{\"object\":\"list\",\"data\":[{\"id\":\"x1\"},{\"id\":\"y1\"}]}"

/* --- answers ----------------------------------------------------------------------------------- */

static void test_stream(void)
{
    struct rig rig;
    rig_new(&rig, false);
    rig_open(&rig, STREAM);
    rig_chunk(&rig, OK_SSE, "", 0);
    OK(rig.ends == 0, "a stream's head is no end");
    rig_chunk(&rig, "", EVENT, 0);
    OK(rig.status == 200 && rig_told(&rig, "good day"), "an event is passed on as it comes");
    rig_chunk(&rig, "", FINISH DONE, SOTTO_DOOR_LAST);
    OK(rig.heads == 1 && rig.ends == 1 && rig_told(&rig, "[DONE]"), "and so is the end");
    OK(!rig_told(&rig, "error"), "without an error");
    rig_free(&rig);
}

/* However an answer is cut into pieces, it comes out the same. */
static void test_pieces(void)
{
    static const char answer[] = EVENT FINISH DONE;
    struct rig whole, bytes;
    rig_new(&whole, false);
    rig_open(&whole, STREAM);
    rig_chunk(&whole, OK_SSE, answer, SOTTO_DOOR_LAST);
    rig_new(&bytes, false);
    rig_open(&bytes, STREAM);
    rig_chunk(&bytes, OK_SSE, "", 0);
    for (size_t i = 0; answer[i] != '\0' && bytes.ends == 0; i++) {
        const char piece[2] = {answer[i], '\0'};
        rig_chunk(&bytes, "", piece, 0);
    }
    OK(bytes.ends == 1 && bytes.status == 200 && rig_told(&bytes, "good day"),
       "a stream that comes byte by byte is passed on");
    OK(whole.ends == 1 && rig_told(&whole, "good day"), "as one that comes at once");
    rig_free(&whole);
    rig_free(&bytes);
}

static void test_whole_for_stream(void)
{
    struct rig rig;
    rig_new(&rig, false);
    rig_open(&rig, STREAM);
    rig_chunk(&rig, OK_JSON, ANSWER, SOTTO_DOOR_LAST);
    OK(rig.status == 200 && rig.ends == 1 && rig_told(&rig, "chat.completion.chunk") &&
           rig_told(&rig, "[DONE]"),
       "a whole answer to a request for a stream becomes a stream");
    rig_free(&rig);
}

static void test_heads(void)
{
    static const struct {
        const char *head, *body;
        int status;
    } rows[] = {
        {"100\r\n\r\n", ANSWER, 502},
        {"302\r\nlocation: /\r\n\r\n", ANSWER, 502},
        {"200\r\ncontent-type: text/html\r\n\r\n", "<p>", 502},
        {"garbage", ANSWER, 502},
        {OK_JSON, "", 502},
        {OK_JSON, "{", 502},
        {OK_JSON, "[1]", 502},
        {"429\r\ncontent-type: application/json\r\n\r\n", "{\"error\":{\"message\":\"slow\"}}",
         429},
        {"401\r\ncontent-type: application/json\r\n\r\n", "{\"error\":{\"message\":\"who\"}}", 502},
        {FAILS, "", 500},
        {FAILS, "no JSON", 500},
    };
    for (size_t i = 0; i < SOTTO_COUNT(rows); i++) {
        for (int streams = 0; streams < 2; streams++) {
            struct rig rig;
            rig_new(&rig, false);
            rig_open(&rig, streams ? STREAM : ASK);
            rig_chunk(&rig, rows[i].head, rows[i].body, SOTTO_DOOR_LAST);
            OK(rig.status == rows[i].status && rig.heads == 1 && rig.ends == 1 &&
                   rig_told(&rig, "error"),
               "answer %zu, stream %d: one error, with status %d", i, streams, rows[i].status);
            rig_free(&rig);
        }
    }
}

static void test_cut(void)
{
    static const struct {
        enum sotto_err why;
        int status;
    } rows[] = {
        {SOTTO_ECLOSED, 502}, {SOTTO_ETIMEOUT, 504}, {SOTTO_EFORMAT, 502},
        {SOTTO_ECRYPTO, 502}, {SOTTO_EQUOTA, 503},   {SOTTO_OK, 502},
    };
    static const char *const heads[] = {NULL, OK_JSON, FAILS, OK_SSE};
    for (size_t i = 0; i < SOTTO_COUNT(rows); i++) {
        for (size_t h = 0; h < SOTTO_COUNT(heads); h++) {
            struct rig rig;
            bool streams = h == 3;
            rig_new(&rig, false);
            rig_open(&rig, streams ? STREAM : ASK);
            if (heads[h] != NULL) {
                rig_chunk(&rig, heads[h], streams ? EVENT : "", 0);
            }
            rig_cut(&rig, rows[i].why);
            rig_cut(&rig, rows[i].why);
            OK(rig.ends == 1 && rig.heads == 1 && rig_told(&rig, "error"),
               "cut with error %d behind head %zu: one end, in an error", rows[i].why, h);
            IS_INT(rig.status, streams ? 200 : rows[i].status, "with its status");
            rig_free(&rig);
        }
    }
}

static void test_flow(void)
{
    struct rig rig;
    rig_new(&rig, true);
    rig_open(&rig, STREAM);
    rig_front_says(&rig, SOTTO_DOOR_PAUSE, "", "");
    rig_front_says(&rig, SOTTO_DOOR_RESUME, "", "");
    OK(rig.pauses == 0 && rig.resumes == 0, "the back hears nothing of what it was not given");
    while (rig_call != NULL) {
        rig_answer(SOTTO_OK);
    }
    rig_front_says(&rig, SOTTO_DOOR_RESUME, "", "");
    IS_INT(rig.resumes, 0, "nothing is let go that was not held");
    rig_front_says(&rig, SOTTO_DOOR_PAUSE, "", "");
    rig_front_says(&rig, SOTTO_DOOR_PAUSE, "", "");
    IS_INT(rig.pauses, 1, "a client that reads slowly holds its upstream back, once");
    rig_chunk(&rig, OK_SSE, EVENT, 0);
    OK(rig_told(&rig, "good day"), "what was on its way is passed on");
    rig_front_says(&rig, SOTTO_DOOR_RESUME, "", "");
    rig_front_says(&rig, SOTTO_DOOR_RESUME, "", "");
    IS_INT(rig.resumes, 1, "and lets it go again, once");
    rig_chunk(&rig, "", FINISH DONE, SOTTO_DOOR_LAST);
    rig_front_says(&rig, SOTTO_DOOR_PAUSE, "", "");
    OK(rig.ends == 1 && rig.pauses == 1, "behind the end there is nobody to hold back");
    rig_free(&rig);
}

/* --- the client leaves ------------------------------------------------------------------------- */

static void say_all(struct rig *rig)
{
    rig_chunk(rig, OK_JSON, ANSWER, SOTTO_DOOR_LAST);
    rig_chunk(rig, "", EVENT, 0);
    rig_cut(rig, SOTTO_ECLOSED);
    rig_front_says(rig, SOTTO_DOOR_PAUSE, "", "");
    rig_leave(rig);
}

static void test_leaves_the_store(void)
{
    struct rig rig;
    rig_new(&rig, true);
    rig_open(&rig, ASK);
    rig_leave(&rig);
    say_all(&rig);
    rig_answer(SOTTO_OK);
    OK(rig.fetched == 0 && rig.ends == 0 && rig_call == NULL,
       "a client that leaves while the store is asked: nothing is sent, nobody is told");
    say_all(&rig);
    rig_open(&rig, ASK);
    OK(rig_call != NULL, "its number is free again");
    rig_free(&rig);
}

static void test_leaves_the_back(void)
{
    static const struct {
        const char *body, *head, *piece;
    } rows[] = {
        {ASK, NULL, ""},      {ASK, OK_JSON, "{"},     {ASK, FAILS, "{"},
        {STREAM, OK_SSE, ""}, {STREAM, OK_SSE, EVENT},
    };
    for (size_t i = 0; i < SOTTO_COUNT(rows); i++) {
        struct rig rig;
        rig_new(&rig, false);
        rig_open(&rig, rows[i].body);
        if (rows[i].head != NULL) {
            rig_chunk(&rig, rows[i].head, rows[i].piece, 0);
        }
        size_t told = rig.reply.len;
        rig_leave(&rig);
        IS_INT(rig.hung_up, 1, "a client that leaves at piece %zu: the back is told", i);
        say_all(&rig);
        OK(rig.ends == 0 && rig.hung_up == 1 && rig.reply.len == told, "and then nobody anything");
        rig_free(&rig);
    }
}

/* --- the log ----------------------------------------------------------------------------------- */

static void test_waits_for_the_log(void)
{
    for (int fails = 0; fails < 2; fails++) {
        for (int leaves = 0; leaves < 2; leaves++) {
            struct rig rig;
            rig_new(&rig, false);
            rig_strict = true;
            rig_open(&rig, ASK);
            rig_chunk(&rig, OK_JSON, ANSWER, SOTTO_DOOR_LAST);
            OK(rig.ticket != NULL && rig.heads == 0, "an answer waits for its entry");
            rig_chunk(&rig, FAILS, "other", SOTTO_DOOR_LAST);
            rig_cut(&rig, SOTTO_ETIMEOUT);
            sotto_room_back_lost(rig.room);
            OK(rig.heads == 0 && rig.ends == 0, "whatever the back says meanwhile");
            if (leaves) {
                rig_leave(&rig);
            }
            rig_commit_done(&rig, fails ? SOTTO_EIO : SOTTO_OK);
            if (leaves) {
                OK(rig.heads == 0 && rig.ends == 0, "its client has left: nobody is told");
            } else {
                OK(rig.status == (fails ? 503 : 200) && rig.ends == 1, "then it goes out, or 503");
                OK(rig_told(&rig, "good day") == !fails, "with what the upstream said, or without");
            }
            rig_free(&rig);
        }
    }
}

/* --- the back is lost -------------------------------------------------------------------------- */

static void test_back_lost(void)
{
    struct rig rig;
    static const char *const heads[] = {NULL, OK_JSON, FAILS, OK_SSE};
    for (size_t h = 0; h < SOTTO_COUNT(heads); h++) {
        rig_new(&rig, false);
        rig_open(&rig, h == 3 ? STREAM : ASK);
        if (heads[h] != NULL) {
            rig_chunk(&rig, heads[h], h == 3 ? EVENT : "", 0);
        }
        sotto_room_back_lost(rig.room);
        OK(rig.ends == 1 && rig.heads == 1 && rig_told(&rig, "error"),
           "the back is lost behind head %zu: one end, in an error", h);
        rig_free(&rig);
    }
    rig_new(&rig, true);
    rig_open(&rig, ASK);
    sotto_room_back_lost(rig.room);
    OK(rig.ends == 0, "a request that waits for the store does not need it yet");
    rig_answer(SOTTO_EIO);
    OK(rig.status == 503 && rig.ends == 1, "a store that is away refuses it");
    rig_free(&rig);
}

/* --- lists of models --------------------------------------------------------------------------- */

static void test_lists(void)
{
    struct rig rig;
    rig_new(&rig, false);
    rig_list_models(&rig);
    IS_INT(rig.fetched, 1, "the first upstream with a pattern is asked for its models");
    rig_chunk(&rig, OK_JSON, LISTING, SOTTO_DOOR_LAST);
    IS_INT(rig.fetched, 2, "then the second");
    rig_chunk(&rig, OK_JSON, LISTING, SOTTO_DOOR_LAST);
    OK(rig.status == 200 && rig.ends == 1 && rig_told(&rig, "\"x1\"") && rig_told(&rig, "\"y1\""),
       "and what both have is listed");
    say_all(&rig);
    IS_INT(rig.ends, 1, "once");
    rig_free(&rig);
}

static void test_list_without_head(void)
{
    struct rig rig;
    rig_new(&rig, false);
    rig_list_models(&rig);
    rig_chunk(&rig, "", LISTING, SOTTO_DOOR_LAST);
    IS_INT(rig.fetched, 2, "a list without a head is none");
    rig_chunk(&rig, OK_JSON, LISTING, SOTTO_DOOR_LAST);
    OK(rig.ends == 1 && !rig_told(&rig, "\"x1\"") && rig_told(&rig, "\"y1\""), "from the first");
    rig_free(&rig);

    rig_new(&rig, false);
    rig_list_models(&rig);
    rig_chunk(&rig, OK_JSON, LISTING, SOTTO_DOOR_LAST);
    rig_chunk(&rig, "", LISTING, SOTTO_DOOR_LAST);
    OK(rig.ends == 1 && rig_told(&rig, "\"x1\"") && !rig_told(&rig, "\"y1\""),
       "nor from the second: the first one's head is not its own");
    rig_free(&rig);
}

static void test_leaves_the_lists(void)
{
    struct rig rig;
    rig_new(&rig, false);
    rig_list_models(&rig);
    rig_leave(&rig);
    IS_INT(rig.hung_up, 1, "a client that leaves while models are listed: the back is told");
    say_all(&rig);
    OK(rig.ends == 0 && rig.fetched == 1, "and nobody anything");
    rig_free(&rig);
    rig_new(&rig, false);
    rig_list_models(&rig);
    sotto_room_back_lost(rig.room);
    sotto_room_back_lost(rig.room);
    OK(rig.status == 200 && rig.ends == 1,
       "without the back there are the models of the configuration");
    rig_free(&rig);
}

int main(void)
{
    test_stream();
    test_pieces();
    test_whole_for_stream();
    test_heads();
    test_cut();
    test_flow();
    test_leaves_the_store();
    test_leaves_the_back();
    test_waits_for_the_log();
    test_back_lost();
    test_lists();
    test_list_without_head();
    test_leaves_the_lists();
    return done_testing();
}
