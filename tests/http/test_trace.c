/* SPDX-License-Identifier: Apache-2.0 */

#include "http/trace.h"

#include "tap/tap.h"

#define ID     "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

static void test_parents(void)
{
    static const struct {
        const char *value;
        bool valid;
        const char *what;
    } cases[] = {
        {"00-" ID "-" PARENT "-01", true, "the example of the standard"},
        {"00-" ID "-" PARENT "-00", true, "not sampled"},
        {"cc-" ID "-" PARENT "-01", true, "a later version"},
        {"cc-" ID "-" PARENT "-01-what-comes.then", true, "a later version with more"},
        {"cc-" ID "-" PARENT "-01.what", false, "more that is not set off"},
        {"cc-" ID "-" PARENT "-01-\r\nX: y", false, "a line break"},
        {"00-" ID "-" PARENT "-01-more", false, "more in version 00"},
        {"ff-" ID "-" PARENT "-01", false, "the version that is none"},
        {"00-00000000000000000000000000000000-" PARENT "-01", false, "a trace id of zeros"},
        {"00-" ID "-0000000000000000-01", false, "a parent id of zeros"},
        {"00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", false, "capitals"},
        {"00_" ID "-" PARENT "-01", false, "another separator"},
        {"00-" ID "-" PARENT "-0", false, "cut short"},
        {"0g-" ID "-" PARENT "-01", false, "a version that is not hexadecimal"},
        {"", false, "nothing"},
    };
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        sotto_span id = {NULL, 0};
        OK(sotto_trace_parent_valid(sotto_span_str(cases[i].value), &id) == cases[i].valid, "%s",
           cases[i].what);
        OK((id.len == SOTTO_TRACE_ID_LEN) == cases[i].valid, "%s: its trace id", cases[i].what);
    }
    OK(sotto_trace_parent_valid(SOTTO_LIT("00-" ID "-" PARENT "-01"), NULL),
       "who does not ask for the id gets none");
}

static void test_states(void)
{
    char longest[SOTTO_TRACE_STATE_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    OK(sotto_trace_state_valid(SOTTO_LIT("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")), "a state");
    OK(sotto_trace_state_valid(sotto_span_init(longest, SOTTO_TRACE_STATE_MAX)), "a long one");
    OK(!sotto_trace_state_valid(sotto_span_init(longest, sizeof(longest))), "one too long");
    OK(!sotto_trace_state_valid(SOTTO_LIT("")), "an empty one");
    OK(!sotto_trace_state_valid(SOTTO_LIT("a=b\tc=d")), "one with a tab");
    OK(!sotto_trace_state_valid(SOTTO_LIT("a=\xc3\xbc")), "one that is not ASCII");
}

int main(void)
{
    test_parents();
    test_states();
    return done_testing();
}
