/* SPDX-License-Identifier: Apache-2.0 */

#include "fleet/fleet.h"

#include "base/alloc.h"
#include "fleet/peer.h"
#include "fleet/server.h"
#include "sys/clock.h"
#include "tap/tap.h"

#define KEY_ID "abcdefghijkl"

static const struct sotto_use nothing;

static int32_t this_month(void)
{
    return sotto_limit_month(sotto_wall_ms());
}

/* One field of what the server has of a key; -1: it has none. */
static long long stored(const struct fleet_rig *rig, const char *id, const char *field)
{
    char name[64], answer[256];
    snprintf(name, sizeof(name), "sotto:limit:{%s}", id);
    SERVER_ASK(&rig->server, answer, SOTTO_LIT("HGET"), sotto_span_str(name),
               sotto_span_str(field));
    const char *line = strchr(answer, '\n');
    return line != NULL && answer[1] != '-' ? strtoll(line, NULL, 10) : -1;
}

static enum sotto_err reserve_as(struct fleet_rig *rig, struct sotto_fleet *fleet, struct asked *a,
                                 const char *id, const struct sotto_key_quota *quota,
                                 const struct sotto_use *known, struct sotto_fleet_share *share)
{
    *a = (struct asked){.answers = 0};
    return asked_wait(rig, a,
                      sotto_fleet_reserve(fleet, &a->call, asked_answer, sotto_span_str(id), quota,
                                          this_month(), known, share));
}

static enum sotto_err extend(struct fleet_rig *rig, struct sotto_fleet *fleet, struct asked *a,
                             const struct sotto_key_quota *quota, const struct sotto_limit_ask *ask,
                             struct sotto_fleet_share *share)
{
    *a = (struct asked){.answers = 0};
    return asked_wait(rig, a, sotto_fleet_extend(fleet, &a->call, asked_answer, quota, ask, share));
}

/* A share of 30 tokens, reserved and extended. */
static bool take_share(struct fleet_rig *rig, struct sotto_fleet *fleet, const char *id,
                       struct sotto_fleet_share *share)
{
    static const struct sotto_key_quota free_of_limits;
    static const struct sotto_limit_ask ask = {.tokens = 30};
    struct asked a;
    return reserve_as(rig, fleet, &a, id, &free_of_limits, &nothing, share) == SOTTO_OK &&
           extend(rig, fleet, &a, &free_of_limits, &ask, share) == SOTTO_OK && share->taken;
}

/* --- the server counts as keys/limit.c does ------------------------------------------------------ */

struct running {
    struct sotto_fleet_share share;
    struct sotto_reservation reservation;
};

#define RUNNING_MAX 12

/* Steps of the comparison, and the time after which the window of a minute would begin to slide. */
#define ORACLE_STEPS  250
#define ORACLE_END_MS 40000

struct oracle {
    struct fleet_rig *rig;
    struct sotto_fleet *fleet;
    struct sotto_usage *usage;
    struct sotto_key_quota quota;
    struct running running[RUNNING_MAX];
    size_t count;
    unsigned differ;
    unsigned verdicts; /* a bit for each that was seen */
    uint32_t chance;
};

static uint32_t draw(struct oracle *o, uint32_t below)
{
    o->chance = o->chance * 1664525U + 1013904223U;
    return (o->chance >> 8) % below;
}

static void compare(struct oracle *o, const struct asked *a, enum sotto_limit_verdict verdict,
                    const struct sotto_limit_state *state)
{
    const struct sotto_limit_state *got = &a->call.state;
    o->verdicts |= 1U << verdict;
    if (a->call.verdict != verdict || got->requests.limit != state->requests.limit ||
        got->requests.remaining != state->requests.remaining ||
        got->tokens.limit != state->tokens.limit ||
        got->tokens.remaining != state->tokens.remaining) {
        printf("# verdict %d, here %d; left %llu and %llu, here %llu and %llu\n", a->call.verdict,
               verdict, (unsigned long long)got->requests.remaining,
               (unsigned long long)got->tokens.remaining,
               (unsigned long long)state->requests.remaining,
               (unsigned long long)state->tokens.remaining);
        o->differ++;
    }
}

static void oracle_end(struct oracle *o, size_t i)
{
    struct running *r = &o->running[i];
    struct sotto_use used = {.requests = draw(o, 4) != 0};
    if (used.requests != 0) {
        used.prompt_tokens = draw(o, 40);
        used.completion_tokens = draw(o, 200);
        used.cost_nano = draw(o, 500);
    }
    sotto_fleet_settle(o->fleet, &r->share, &used);
    sotto_limit_settle(&r->reservation, &used, sotto_wall_ms());
    *r = o->running[--o->count];
}

static void oracle_begin(struct oracle *o)
{
    struct running *r = &o->running[o->count];
    struct sotto_limit_state state;
    struct asked a;
    if (reserve_as(o->rig, o->fleet, &a, KEY_ID, &o->quota, &nothing, &r->share) != SOTTO_OK) {
        o->differ++;
        return;
    }
    enum sotto_limit_verdict verdict =
        sotto_limit_reserve(o->usage, &o->quota, sotto_wall_ms(), &r->reservation, &state);
    compare(o, &a, verdict, &state);
    if (verdict != SOTTO_LIMIT_OK) {
        return;
    }
    const struct sotto_limit_ask ask = {draw(o, 16) == 0 ? 6000 : draw(o, 300), draw(o, 300),
                                        draw(o, 400), draw(o, 400)};
    if (extend(o->rig, o->fleet, &a, &o->quota, &ask, &r->share) != SOTTO_OK) {
        o->differ++;
        return;
    }
    verdict = sotto_limit_extend(&r->reservation, &o->quota, &ask, sotto_wall_ms(), &state);
    compare(o, &a, verdict, &state);
    o->differ += r->share.taken != (verdict == SOTTO_LIMIT_OK);
    if (r->share.taken) {
        o->differ += r->share.tokens != r->reservation.tokens;
        o->differ += r->share.cost_nano != r->reservation.cost_nano;
        o->count++;
    }
}

static void compare_books(struct fleet_rig *rig, struct sotto_fleet *fleet,
                          const struct sotto_key_quota *quota, uint32_t chance, unsigned *verdicts)
{
    struct sotto_limits *limits = NULL;
    struct oracle o = {.rig = rig, .fleet = fleet, .quota = *quota, .chance = chance};
    char answer[64];
    SERVER_ASK(&rig->server, answer, SOTTO_LIT("FLUSHALL"));
    if (sotto_limits_new(&limits) != SOTTO_OK ||
        sotto_limits_usage(limits, SOTTO_LIT(KEY_ID), &o.usage) != SOTTO_OK) {
        abort();
    }
    int64_t end_ms = sotto_wall_ms() + ORACLE_END_MS;
    for (unsigned i = 0; i < ORACLE_STEPS && sotto_wall_ms() < end_ms; i++) {
        if (o.count == RUNNING_MAX || (o.count != 0 && draw(&o, 2) == 0)) {
            oracle_end(&o, draw(&o, (uint32_t)o.count));
        } else {
            oracle_begin(&o);
        }
    }
    while (o.count != 0) {
        oracle_end(&o, 0);
    }
    SERVER_UNTIL(rig->loop, fleet->settlements == 0);
    struct sotto_use used = sotto_usage_get(o.usage, this_month());
    IS_INT(stored(rig, KEY_ID, "n"), used.requests, "the same requests of the month are booked");
    IS_INT(stored(rig, KEY_ID, "t"), used.prompt_tokens + used.completion_tokens, "tokens");
    IS_INT(stored(rig, KEY_ID, "c"), used.cost_nano, "and cost");
    IS_INT(stored(rig, KEY_ID, "ht"), 0, "and nothing is held");
    IS_INT(o.differ, 0, "at each step the server says what one gateway alone would");
    *verdicts |= o.verdicts;
    sotto_limits_free(limits);
}

static void test_same_as_alone(struct fleet_rig *rig)
{
    static const struct sotto_key_quota quotas[] = {
        {0},
        {.requests_per_minute = 60, .tokens_per_minute = 5000},
        {.requests_per_minute = 20},
        {.monthly_requests = 120, .monthly_tokens = 4000, .monthly_cost_nano = 9000},
        {.requests_per_minute = 400, .tokens_per_minute = 9000, .monthly_tokens = 20000},
    };
    struct sotto_fleet *fleet = fleet_rig_join(rig, &rig->options);
    unsigned verdicts = 0;
    for (size_t i = 0; i < SOTTO_COUNT(quotas); i++) {
        compare_books(rig, fleet, &quotas[i], (uint32_t)i + 1, &verdicts);
    }
    OK(verdicts == (1U << (SOTTO_LIMIT_MONTH + 1)) - 1, "every verdict was among them: %x",
       verdicts);
    sotto_fleet_free(fleet);
}

/* --- several gateways ---------------------------------------------------------------------------- */

static void test_exact_together(struct fleet_rig *rig)
{
    static const struct sotto_key_quota quota = {.requests_per_minute = 10};
    struct sotto_fleet *two[2];
    struct asked asked[30];
    struct sotto_fleet_share shares[30];
    int passed = 0, answered = 0;
    for (size_t i = 0; i < 2; i++) {
        two[i] = fleet_rig_join(rig, &rig->options);
    }
    for (size_t i = 0; i < SOTTO_COUNT(asked); i++) {
        asked[i] = (struct asked){.answers = 0};
        IS_INT(sotto_fleet_reserve(two[i % 2], &asked[i].call, asked_answer,
                                   SOTTO_LIT("bcdefghijklm"), &quota, this_month(), &nothing,
                                   &shares[i]),
               SOTTO_OK, "asked at once, %zu", i);
        OK(asked[i].answers == 0 && !shares[i].taken, "nothing is answered before it returns");
    }
    for (size_t i = 0; i < SOTTO_COUNT(asked); i++) {
        SERVER_UNTIL(rig->loop, asked[i].answers != 0);
        answered += asked[i].answers;
        passed += asked[i].call.verdict == SOTTO_LIMIT_OK;
        OK(shares[i].taken == (asked[i].call.verdict == SOTTO_LIMIT_OK), "taken where it passed");
    }
    IS_INT(answered, 30, "each question is answered once");
    IS_INT(passed, 10, "two gateways pass what one may");
    sotto_fleet_free(two[0]);
    sotto_fleet_free(two[1]);
}

static void test_month_is_told(struct fleet_rig *rig)
{
    static const struct sotto_key_quota quota = {.monthly_requests = 9};
    static const struct sotto_use known = {.requests = 3};
    static const char id[] = "cdefghijklmn";
    struct sotto_fleet_options other = rig->options;
    struct sotto_fleet_share share;
    struct asked a;
    snprintf(other.name, sizeof(other.name), "others");
    struct sotto_fleet *one = fleet_rig_join(rig, &rig->options);
    struct sotto_fleet *same = fleet_rig_join(rig, &rig->options);
    struct sotto_fleet *third = fleet_rig_join(rig, &other);
    IS_INT(reserve_as(rig, one, &a, id, &quota, &known, &share), SOTTO_OK, "the first request");
    IS_INT(stored(rig, id, "n"), 4, "brings what its gateway knows of the month");
    IS_INT(reserve_as(rig, same, &a, id, &quota, &known, &share), SOTTO_OK, "a second one");
    IS_INT(stored(rig, id, "n"), 5, "of the same books does not bring it again");
    IS_INT(reserve_as(rig, third, &a, id, &quota, &known, &share), SOTTO_OK, "a third one");
    IS_INT(stored(rig, id, "n"), 9, "of other books brings its own");
    IS_INT(reserve_as(rig, one, &a, id, &quota, &known, &share), SOTTO_OK, "one more");
    IS_INT(a.call.verdict, SOTTO_LIMIT_MONTH, "finds the month spent");
    OK(!share.taken && a.call.state.retry_after_s > 0, "and is told when it ends");
    sotto_fleet_free(one);
    sotto_fleet_free(same);
    sotto_fleet_free(third);
}

/* The server's clock was a month ahead and is set back. */
static void test_clock_set_back(struct fleet_rig *rig)
{
    static const struct sotto_key_quota quota = {.monthly_requests = 5};
    static const struct sotto_use known = {.requests = 3};
    static const char id[] = "jklmnopqrstu";
    struct sotto_fleet_share share;
    struct asked a;
    char name[64], later[16], answer[64];
    struct sotto_fleet *fleet = fleet_rig_join(rig, &rig->options);
    snprintf(name, sizeof(name), "sotto:limit:{%s}", id);
    snprintf(later, sizeof(later), "%d", this_month() + 1);
    SERVER_ASK(&rig->server, answer, SOTTO_LIT("HSET"), sotto_span_str(name), SOTTO_LIT("m"),
               sotto_span_str(later), SOTTO_LIT("g:books"), sotto_span_str(later), SOTTO_LIT("n"),
               SOTTO_LIT("1"));
    IS_INT(reserve_as(rig, fleet, &a, id, &quota, &known, &share), SOTTO_OK, "a request");
    OK(share.taken && share.month == this_month(), "is one of the month that the clock says");
    IS_INT(stored(rig, id, "n"), 4, "of which the server is told anew");
    IS_INT(reserve_as(rig, fleet, &a, id, &quota, &known, &share), SOTTO_OK, "one more");
    IS_INT(stored(rig, id, "n"), 5, "once");
    IS_INT(reserve_as(rig, fleet, &a, id, &quota, &known, &share), SOTTO_OK, "and then");
    IS_INT(a.call.verdict, SOTTO_LIMIT_MONTH, "that month is spent");
    sotto_fleet_free(fleet);
}

static void test_lapse(struct fleet_rig *rig)
{
    static const struct sotto_key_quota quota = {.monthly_tokens = 100};
    static const struct sotto_limit_ask ask = {.tokens = 80};
    static const char id[] = "defghijklmno";
    struct sotto_fleet_options brief = rig->options;
    struct sotto_fleet_share dead, share;
    struct asked a;
    struct sotto_fleet *lasting = fleet_rig_join(rig, &rig->options);
    brief.hold_ms = 1;
    struct sotto_fleet *dying = fleet_rig_join(rig, &brief);
    OK(reserve_as(rig, lasting, &a, id, &quota, &nothing, &dead) == SOTTO_OK &&
           extend(rig, lasting, &a, &quota, &ask, &dead) == SOTTO_OK && dead.taken,
       "80 of 100 tokens are held");
    OK(reserve_as(rig, dying, &a, id, &quota, &nothing, &share) == SOTTO_OK &&
           extend(rig, dying, &a, &quota, &ask, &share) == SOTTO_OK,
       "another gateway asks for as many");
    OK(a.call.verdict == SOTTO_LIMIT_HELD && !share.taken, "they are held, and nothing is taken");
    sotto_fleet_settle(lasting, &dead, &nothing);
    SERVER_UNTIL(rig->loop, lasting->settlements == 0);
    OK(reserve_as(rig, dying, &a, id, &quota, &nothing, &dead) == SOTTO_OK &&
           extend(rig, dying, &a, &quota, &ask, &dead) == SOTTO_OK && dead.taken,
       "given back, they are taken by one that dies");
    bool taken = false;
    SERVER_UNTIL(rig->loop,
                 taken = reserve_as(rig, lasting, &a, id, &quota, &nothing, &share) == SOTTO_OK &&
                         extend(rig, lasting, &a, &quota, &ask, &share) == SOTTO_OK && share.taken);
    OK(taken, "what it held lapses by itself");
    sotto_fleet_free(lasting);
    sotto_fleet_free(dying);
}

/* --- settling ------------------------------------------------------------------------------------ */

static const struct sotto_use used = {.requests = 1, .prompt_tokens = 10, .completion_tokens = 40};

static void test_scripts_gone(struct fleet_rig *rig)
{
    static const char id[] = "efghijklmnop";
    struct sotto_fleet_share share, empty = {0};
    char answer[64];
    struct sotto_fleet *fleet = fleet_rig_join(rig, &rig->options);
    OK(take_share(rig, fleet, id, &share), "a request runs");
    SERVER_ASK(&rig->server, answer, SOTTO_LIT("SCRIPT"), SOTTO_LIT("FLUSH"));
    sotto_fleet_settle(fleet, &share, &used);
    OK(memcmp(&share, &empty, sizeof(share)) == 0, "settled, it holds nothing");
    IS_SIZE(fleet->settlements, 1, "SCRIPT FLUSH came before: it is not told yet");
    SERVER_UNTIL(rig->loop, fleet->settlements == 0);
    IS_INT(stored(rig, id, "t"), 50, "with the scripts loaded again it is booked, once");
    IS_INT(stored(rig, id, "n"), 1, "as one request");
    IS_INT(stored(rig, id, "ht"), 0, "and holds nothing");
    OK(take_share(rig, fleet, id, &share), "the next request passes");
    sotto_fleet_free(fleet);
}

static void test_server_gone(struct fleet_rig *rig)
{
    static const char id[] = "fghijklmnopq";
    struct sotto_fleet_share share;
    struct sotto_fleet *fleet = fleet_rig_join(rig, &rig->options);
    OK(take_share(rig, fleet, id, &share), "a request runs");
    server_kill(&rig->server);
    sotto_fleet_settle(fleet, &share, &used);
    IS_SIZE(fleet->settlements, 1, "the server is gone: it waits");
    SERVER_UNTIL(rig->loop, !sotto_valkey_is_open(fleet->link));
    IS_SIZE(fleet->settlements, 1, "also when that is known");
    server_start(&rig->server);
    SERVER_UNTIL(rig->loop, fleet->settlements == 0);
    IS_INT(stored(rig, id, "t"), 50, "a server that lost its memory is told");
    sotto_fleet_free(fleet);
}

/* --- without ------------------------------------------------------------------------------------- */

static void test_no_server(void)
{
    static const struct sotto_key_quota quota = {.requests_per_minute = 1};
    static const struct sotto_limit_ask ask = {.tokens = 1};
    struct fleet_rig rig = {.server = {.program = NULL}};
    struct sotto_fleet *fleet = NULL;
    struct sotto_fleet_share share = {.taken = true, .tokens = 7};
    struct asked a;
    fleet_rig_open(&rig, false);
    IS_INT(sotto_fleet_new(rig.loop, &rig.options, &fleet), SOTTO_OK, "nobody is there");
    IS_INT(reserve_as(&rig, fleet, &a, KEY_ID, &quota, &nothing, &share), SOTTO_ECLOSED,
           "what waits for the first connection ends when there is none");
    OK(!share.taken, "and takes nothing");
    SERVER_UNTIL(rig.loop, sotto_valkey_why(fleet->link)[0] != '\0');
    a = (struct asked){.answers = 0};
    IS_INT(sotto_fleet_reserve(fleet, &a.call, asked_answer, SOTTO_LIT(KEY_ID), &quota, 0, &nothing,
                               &share),
           SOTTO_ECLOSED, "later ones are refused at once");
    share = (struct sotto_fleet_share){.taken = true, .tokens = 7, .serial = 3};
    IS_INT(sotto_fleet_extend(fleet, &a.call, asked_answer, &quota, &ask, &share), SOTTO_ECLOSED,
           "so are extensions");
    OK(share.taken && share.tokens == 7 && share.serial == 3, "which keep what was taken before");
    IS_INT(a.answers, 0, "nobody is called");
    sotto_fleet_settle(fleet, &share, &used);
    IS_SIZE(fleet->settlements, 1, "a settlement waits");
    struct sotto_fleet_share none = {.tokens = 9};
    sotto_fleet_settle(fleet, &none, &used);
    IS_SIZE(fleet->settlements, 1, "where nothing was taken there is none");
    for (size_t i = 0; i < SOTTO_FLEET_SETTLEMENTS_MAX; i++) {
        share = (struct sotto_fleet_share){.taken = true, .tokens = 7, .serial = 4 + i};
        sotto_fleet_settle(fleet, &share, &used);
    }
    IS_SIZE(fleet->settlements, SOTTO_FLEET_SETTLEMENTS_MAX, "no more of them wait than may");
    sotto_fleet_free(fleet);
    fleet_rig_close(&rig);
}

/* What no server of this kind answers: whoever asked hears that the store failed, and has nothing. */
static void test_strange_answers(void)
{
    static const struct {
        const char *name, *answer;
        enum sotto_err err;
    } cases[] = {
        {"a text", "+OK\r\n", SOTTO_EIO},
        {"nothing", "$-1\r\n", SOTTO_EIO},
        {"a list that is too short", "*1\r\n:0\r\n", SOTTO_EIO},
        {"a list with a text in it",
         "*11\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n+5\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n", SOTTO_EIO},
        {"a verdict that is none",
         "*11\r\n:6\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n", SOTTO_EIO},
        {"a verdict below all",
         "*11\r\n:-1\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n:0\r\n", SOTTO_EIO},
        {"an error of the script", "-ERR wrong\r\n", SOTTO_EIO},
        {"a server that became a replica", "-READONLY no\r\n", SOTTO_ECLOSED},
        {"a server without memory", "-OOM no\r\n", SOTTO_ECLOSED},
        {"no RESP", "hello\r\n", SOTTO_ECLOSED},
    };
    static const struct sotto_key_quota quota = {.requests_per_minute = 5};
    static const struct sotto_limit_ask ask = {.tokens = 1};
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        struct peer peer;
        struct sotto_fleet_share share = {.taken = true};
        struct asked a = {.answers = 0};
        peer_open(&peer);
        IS_INT(sotto_fleet_reserve(peer.fleet, &a.call, asked_answer, SOTTO_LIT(KEY_ID), &quota, 1,
                                   &nothing, &share),
               SOTTO_OK, "%s: asked for a request", cases[i].name);
        peer_answer(&peer, cases[i].answer);
        IS_INT(asked_wait(&peer.rig, &a, SOTTO_OK), cases[i].err, "the store failed");
        OK(!share.taken, "nothing is taken");
        peer_close(&peer);

        peer_open(&peer);
        a = (struct asked){.answers = 0};
        share = (struct sotto_fleet_share){.taken = true, .tokens = 3};
        IS_INT(sotto_fleet_extend(peer.fleet, &a.call, asked_answer, &quota, &ask, &share),
               SOTTO_OK, "asked for more");
        peer_answer(&peer, cases[i].answer);
        IS_INT(asked_wait(&peer.rig, &a, SOTTO_OK), cases[i].err, "the store failed");
        OK(share.taken && share.tokens == 3, "what was taken before stays");
        peer_close(&peer);
    }
}

/* --- without memory ------------------------------------------------------------------------------ */

/* Both are asked while the gateway connects, so that each allocation on the way fails once. */
static void test_faults(struct fleet_rig *rig)
{
    static const struct sotto_key_quota quota = {.requests_per_minute = 100000};
    static const struct sotto_limit_ask ask = {.tokens = 5};
    for (int extending = 0; extending < 2; extending++) {
        size_t failed = 0, wrong = 0;
        bool fired = true;
        for (size_t n = 1; fired; n++) {
            struct sotto_fleet *fleet = NULL;
            struct sotto_fleet_share share = {.taken = true, .id = "hijklmnopqr", .serial = n};
            struct asked a;
            if (sotto_fleet_new(rig->loop, &rig->options, &fleet) != SOTTO_OK) {
                abort();
            }
            sotto_alloc_set_fault(n);
            enum sotto_err err =
                extending ? extend(rig, fleet, &a, &quota, &ask, &share)
                          : reserve_as(rig, fleet, &a, "hijklmnopqrs", &quota, &nothing, &share);
            fired = sotto_alloc_set_fault(0) >= n;
            wrong += extending ? !share.taken || share.tokens != (err == SOTTO_OK ? 5U : 0U)
                               : share.taken != (err == SOTTO_OK);
            failed += err != SOTTO_OK;
            wrong += err != SOTTO_OK && !fired;
            sotto_fleet_free(fleet);
        }
        OK(failed > 3 && wrong == 0, "without memory %s (%zu times)",
           extending ? "no token is, and what was stays" : "no request is taken", failed);
    }
}

static void test_settlement_without_memory(struct fleet_rig *rig)
{
    struct sotto_fleet_share share;
    struct sotto_fleet *fleet = fleet_rig_join(rig, &rig->options);
    OK(take_share(rig, fleet, "ijklmnopqrst", &share), "a request runs");
    sotto_alloc_set_fault(1);
    sotto_fleet_settle(fleet, &share, &used);
    sotto_alloc_set_fault(0);
    OK(!share.taken && fleet->settlements == 0, "settled without memory, nothing waits");
    OK(take_share(rig, fleet, "ijklmnopqrst", &share), "the next request passes");
    sotto_fleet_settle(fleet, &share, &used);
    SERVER_UNTIL(rig->loop, fleet->settlements == 0);
    IS_INT(stored(rig, "ijklmnopqrst", "t"), 50, "and is booked");
    sotto_fleet_free(fleet);
}

int main(void)
{
    struct fleet_rig rig = {.server = {.program = server_program()}};
    test_no_server();
    test_strange_answers();
    if (rig.server.program == NULL) {
        SKIP(1, "neither valkey-server nor redis-server is installed");
        return done_testing();
    }
    fleet_rig_open(&rig, true);
    test_same_as_alone(&rig);
    test_exact_together(&rig);
    test_month_is_told(&rig);
    test_clock_set_back(&rig);
    test_lapse(&rig);
    test_scripts_gone(&rig);
    test_faults(&rig);
    test_settlement_without_memory(&rig);
    test_server_gone(&rig);
    fleet_rig_close(&rig);
    return done_testing();
}
