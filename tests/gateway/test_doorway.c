/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/doorway.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "sys/signals.h"
#include "tap/tap.h"

#define STREAM ((uint64_t)1 << 32)
#define PIECE  ((size_t)100000)

struct side {
    struct sotto_doorway *link;
    size_t messages, bytes;
    bool in_order, full, closed, broken;
    int fulls;
};

static void on_message(void *ctx, const struct sotto_door_msg *msg)
{
    struct side *side = ctx;
    side->in_order = side->in_order && (size_t)msg->arg == side->messages + 100;
    for (size_t i = 0; i < msg->body.len; i += 997) {
        side->in_order = side->in_order && msg->body.base[i] == (uint8_t)msg->arg;
    }
    side->messages++;
    side->bytes += msg->body.len;
}

static void on_full(void *ctx, bool full)
{
    struct side *side = ctx;
    side->full = full;
    side->fulls++;
}

static void on_closed(void *ctx, bool broken)
{
    struct side *side = ctx;
    side->closed = true;
    side->broken = broken;
}

static const struct sotto_doorway_handler handler = {on_message, on_full, on_closed};

static void make_pair(int pair[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        printf("Bail out! no sockets\n");
        exit(1);
    }
}

static void put(struct side *side, size_t number, size_t len)
{
    static uint8_t bytes[PIECE];
    memset(bytes, (uint8_t)(number + 100), len);
    const struct sotto_door_msg msg = {
        .kind = SOTTO_DOOR_REPLY,
        .stream = STREAM,
        .arg = (int64_t)number + 100,
        .body = sotto_span_init(bytes, len),
    };
    sotto_doorway_put(side->link, &msg);
}

static void steps(struct sotto_loop *loop, int count)
{
    while (count-- > 0) {
        sotto_ignore(sotto_loop_step(loop, 0));
    }
}

static void passes(struct sotto_loop *loop)
{
    struct side a = {.in_order = true}, b = {.in_order = true};
    struct sotto_door_rules rules = sotto_door_rules_vault();
    int pair[2];
    make_pair(pair);
    IS_INT(sotto_doorway_new(loop, pair[0], &rules, &handler, &a, &a.link), SOTTO_OK, "one end");
    IS_INT(sotto_doorway_new(loop, pair[1], &rules, &handler, &b, &b.link), SOTTO_OK, "the other");
    for (size_t i = 0; i < 200; i++) {
        put(&a, i, i * 37 % 1000);
    }
    IS_SIZE(b.messages, 0, "nothing is sent before the end of the round");
    steps(loop, 20);
    IS_SIZE(b.messages, 200, "then all messages come");
    OK(b.in_order, "in their order, whole");
    IS_SIZE(sotto_doorway_waiting(a.link), 0, "and nothing waits");

    sotto_doorway_hold(b.link, true);
    for (size_t i = 200; i < 240; i++) {
        put(&a, i, PIECE);
    }
    steps(loop, 50);
    IS_SIZE(b.messages, 200, "an end that is held takes nothing");
    OK(a.full && a.fulls == 1, "the other one is told that the door is full");
    sotto_doorway_hold(b.link, false);
    for (int i = 0; i < 500 && b.messages < 240; i++) {
        steps(loop, 1);
    }
    IS_SIZE(b.messages, 240, "let go, it gets all");
    OK(b.in_order, "in their order, whole");
    OK(!a.full && a.fulls == 2, "and the door is no longer full");

    sotto_doorway_free(a.link);
    steps(loop, 3);
    OK(b.closed && !b.broken, "the end of the other side is noticed");
    sotto_doorway_free(b.link);
}

static void refuses(struct sotto_loop *loop)
{
    struct side b = {.in_order = true};
    struct sotto_door_rules rules = sotto_door_rules_back();
    int pair[2];
    uint8_t junk[64];
    memset(junk, 0xff, sizeof(junk));
    make_pair(pair);
    IS_INT(sotto_doorway_new(loop, pair[1], &rules, &handler, &b, &b.link), SOTTO_OK, "an end");
    IS_INT(write(pair[0], junk, sizeof(junk)), 64, "gets nonsense");
    steps(loop, 3);
    OK(b.closed && b.broken && b.messages == 0, "it is closed as broken, and hands nothing over");
    IS_INT(read(pair[0], junk, sizeof(junk)), 0, "the other side sees the end");
    sotto_doorway_free(b.link);
    close(pair[0]);
}

static void half_a_message(struct sotto_loop *loop)
{
    struct side b = {.in_order = true};
    struct sotto_door_rules rules = sotto_door_rules_vault();
    struct sotto_buf bytes;
    int pair[2];
    const struct sotto_door_msg msg = {.kind = SOTTO_DOOR_REPLY, .stream = STREAM, .arg = 100};
    sotto_buf_init(&bytes, SOTTO_BUF_UNBOUNDED);
    IS_INT(sotto_door_encode(&bytes, &msg), SOTTO_OK, "a message");
    make_pair(pair);
    IS_INT(sotto_doorway_new(loop, pair[1], &rules, &handler, &b, &b.link), SOTTO_OK, "an end");
    bool good = true;
    for (size_t i = 0; i < bytes.len; i++) { /* a byte at a time */
        good = good && b.messages == 0 && write(pair[0], bytes.base + i, 1) == 1;
        steps(loop, 2);
    }
    OK(good && b.messages == 1, "comes when its last byte has come");
    good = write(pair[0], bytes.base, 10) == 10;
    steps(loop, 2);
    close(pair[0]);
    steps(loop, 2);
    OK(good && b.closed && b.broken, "an end in the middle of one is not taken for an orderly one");
    sotto_doorway_free(b.link);
    sotto_buf_free(&bytes);
}

/* One event tells of both: who reads the message only would never hear of the end. */
static void last_words(struct sotto_loop *loop)
{
    struct sotto_door_rules rules = sotto_door_rules_vault();
    struct sotto_buf bytes;
    const struct sotto_door_msg msg = {.kind = SOTTO_DOOR_REPLY, .stream = STREAM, .arg = 100};
    sotto_buf_init(&bytes, SOTTO_BUF_UNBOUNDED);
    IS_INT(sotto_door_encode(&bytes, &msg), SOTTO_OK, "a message");
    for (int held = 0; held < 2; held++) {
        struct side b = {.in_order = true};
        int pair[2];
        make_pair(pair);
        IS_INT(sotto_doorway_new(loop, pair[1], &rules, &handler, &b, &b.link), SOTTO_OK, "an end");
        if (held) {
            sotto_doorway_hold(b.link, true);
        }
        bool good = write(pair[0], bytes.base, bytes.len) == (ssize_t)bytes.len;
        close(pair[0]);
        steps(loop, 3);
        IS_SIZE(b.messages, held ? 0 : 1, "it comes unless the end is held");
        if (held) {
            sotto_doorway_hold(b.link, false);
            steps(loop, 3);
        }
        OK(good && b.messages == 1 && b.closed && !b.broken,
           "a message and the end behind it are both noticed%s", held ? " after a hold" : "");
        sotto_doorway_free(b.link);
    }
    sotto_buf_free(&bytes);
}

int main(void)
{
    struct sotto_loop *loop;
    sotto_signals_ignore_pipe();
    if (sotto_loop_new(&loop) != SOTTO_OK) {
        SKIP_ALL("no event loop");
    }
    passes(loop);
    refuses(loop);
    half_a_message(loop);
    last_words(loop);
    sotto_loop_free(loop);
    return done_testing();
}
