/* SPDX-License-Identifier: Apache-2.0 */

#include "http/h2_client.h"

#include "http/h2.h"
#include "http/h2_client_rig.h"
#include "tap/tap.h"

/* What an upstream may cost: frames that break the rules, bring nothing, or come too late. */

static void ends_with(enum sotto_err want, uint32_t code, const char *what)
{
    ask(0, GET);
    peer_head(&in, 1, FINE, false);
    OK(true, "%s", what);
    sotto_ignore(feed());
    IS_INT(got[0].err, want, "its request ends");
    IS_INT(peer.goaway, code, "and it is told why");
    OK(sotto_h2_client_is_ending(h2) && sotto_h2_client_room(h2) == 0, "no more are begun");
    IS_INT(sotto_h2_client_feed(h2, SOTTO_LIT("x"), now_us), want, "it stays so");
    end();
}

static void test_floods(void)
{
    CASE("what ends a connection");
    begin();
    peer_frame(&in, PEER_PUSH, 4, 1, SOTTO_LIT("\0\0\0\2"));
    ends_with(SOTTO_EFORMAT, NGHTTP2_PROTOCOL_ERROR, "a push");
    begin();
    peer_number(&in, PEER_WINDOW, 0, 0x7fffffff);
    ends_with(SOTTO_EFORMAT, NGHTTP2_FLOW_CONTROL_ERROR, "a window that overflows");
    begin();
    peer_frame(&in, PEER_HEADERS, 0, 1, SOTTO_LIT("\x20\x88"));
    for (int i = 0; i <= SOTTO_H2_CONTINUATIONS_MAX; i++) {
        peer_frame(&in, PEER_CONTINUATION, 0, 1, SOTTO_LIT(""));
    }
    ask(0, GET);
    IS_INT(feed(), SOTTO_ELIMIT, "CONTINUATION without end");
    OK(peer.goaway == NGHTTP2_ENHANCE_YOUR_CALM && got[0].err == SOTTO_ELIMIT, "is the end");
    end();
}

#define IDLE_KINDS 7

/* A frame that brings nothing; stream 1 is begun, stream 3 was given up. */
static void put_idle_frame(int kind)
{
    switch (kind) {
    case 0:
        peer_frame(&in, PEER_PING, 1, 0, SOTTO_LIT("12345678"));
        break;
    case 1:
        peer_frame(&in, PEER_SETTINGS, 0, 0, SOTTO_LIT(""));
        break;
    case 2:
        peer_number(&in, PEER_WINDOW, 0, 1);
        break;
    case 3:
        peer_frame(&in, PEER_PRIORITY, 0, 9, SOTTO_LIT("\0\0\0\0\1"));
        break;
    case 4:
        peer_number(&in, PEER_RST, 3, NGHTTP2_CANCEL);
        break;
    case 5:
        peer_data(&in, 1, "", false);
        break;
    default:
        peer_frame(&in, PEER_PING, 0, 0, SOTTO_LIT("12345678"));
        break;
    }
}

static void test_idle_frames(void)
{
    CASE("frames that bring nothing");
    for (int kind = 0; kind < IDLE_KINDS; kind++) {
        begin();
        ask(0, GET);
        ask(1, GET);
        sotto_h2_request_free(got[1].request);
        got[1].request = NULL;
        pump();
        peer_head(&in, 1, FINE, false);
        IS_INT(feed(), SOTTO_OK, "an answer begins");
        for (int i = 0; i < SOTTO_H2_IDLE_FRAMES * 2; i++) {
            put_idle_frame(kind);
        }
        enum sotto_err err = SOTTO_OK;
        for (size_t at = 0; at < in.len && err == SOTTO_OK; at += 90) { /* acknowledged meanwhile */
            size_t to = in.len - at < 90 ? in.len : at + 90;
            err = sotto_h2_client_feed(h2, sotto_span_sub(sotto_buf_span(&in), at, to), now_us);
            pump();
        }
        IS_INT(err, SOTTO_ELIMIT, "frames that bring nothing: kind %d", kind);
        IS_INT(peer.goaway, NGHTTP2_ENHANCE_YOUR_CALM, "and it is told why");
        end();
    }
    begin();
    enum sotto_err slow = SOTTO_OK;
    for (int i = 0; i < 5 * SOTTO_H2_IDLE_FRAMES && slow == SOTTO_OK; i++) {
        now_us += SECOND_US / SOTTO_H2_IDLE_FRAMES_S;
        peer_frame(&in, PEER_PING, 0, 0, SOTTO_LIT("12345678"));
        slow = feed();
    }
    IS_INT(slow, SOTTO_OK, "time fills the allowance");
    end();
}

static void test_late_data(void)
{
    CASE("data of a request that is over");
    begin();
    ask(0, GET);
    sotto_h2_request_free(got[0].request);
    got[0].request = NULL;
    static char piece[16001];
    memset(piece, 'x', sizeof(piece) - 1);
    peer_head(&in, 1, FINE, false);
    for (size_t i = 0; i < SOTTO_H2_STREAM_WINDOW / 16000; i++) {
        peer_data(&in, 1, piece, false);
    }
    IS_INT(feed(), SOTTO_OK, "data that was on its way is passed over");
    enum sotto_err late = SOTTO_OK;
    for (int i = 0; i < 200 && late == SOTTO_OK; i++) {
        peer_data(&in, 1, piece, false);
        late = feed();
    }
    IS_INT(late, SOTTO_ELIMIT, "but not for ever");
    IS_INT(peer.goaway, NGHTTP2_ENHANCE_YOUR_CALM, "and it is told why");
    end();
}

int main(void)
{
    test_floods();
    test_idle_frames();
    test_late_data();
    return done_testing();
}
