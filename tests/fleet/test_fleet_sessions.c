/* SPDX-License-Identifier: Apache-2.0 */

#include "fleet/fleet.h"

#include "base/alloc.h"
#include "fleet/peer.h"
#include "fleet/server.h"
#include "sys/clock.h"
#include "tap/tap.h"

#define LIFE_S 3600

/* Longest name of an entry that is looked for here. */
#define NAME_BYTES 256

static const struct sotto_seal_profile native = {.name = "native"};
static const struct sotto_seal_profile other = {.name = "other"};

/* Session number `n` of its owner. */
static struct sotto_session session_of(unsigned n)
{
    struct sotto_session s = {
        .profile = &native,
        .id = {.len = 4, .bytes = {(uint8_t)(n >> 8), (uint8_t)n, 3, 4}},
        .owner = "abcdefghijkl",
        .algorithm = "x-wing",
        .forward_secret = true,
        .key_id = "key_abcdefghijkl",
        .expires_s = sotto_wall_s() + LIFE_S,
    };
    for (size_t i = 0; i < sizeof(s.secret); i++) {
        s.secret[i] = (uint8_t)(n + i);
    }
    return s;
}

static enum sotto_err begin(struct fleet_rig *rig, struct sotto_fleet *fleet,
                            const struct sotto_session *session)
{
    struct asked a = {.answers = 0};
    return asked_wait(rig, &a, sotto_fleet_begin(fleet, &a.call, asked_answer, session, LIFE_S));
}

static enum sotto_err find(struct fleet_rig *rig, struct sotto_fleet *fleet,
                           const struct sotto_seal_profile *profile,
                           const struct sotto_session_id *id, struct sotto_sessions *sessions)
{
    struct asked a = {.answers = 0};
    return asked_wait(rig, &a,
                      sotto_fleet_find(fleet, &a.call, asked_answer, profile, id, sessions));
}

static enum sotto_err once(struct fleet_rig *rig, struct sotto_fleet *fleet,
                           const struct sotto_session *session, const char *nonce)
{
    struct asked a = {.answers = 0};
    return asked_wait(
        rig, &a, sotto_fleet_once(fleet, &a.call, asked_answer, session, sotto_span_str(nonce)));
}

static struct sotto_sessions *no_sessions(void)
{
    struct sotto_sessions *sessions = NULL;
    if (sotto_sessions_new(&sessions) != SOTTO_OK) {
        abort();
    }
    return sessions;
}

static size_t count_of(struct sotto_sessions *sessions)
{
    return sotto_sessions_sweep(sessions, sotto_wall_s());
}

/* The name of a session's entry, by the end of it. */
static void name_of(const struct fleet_rig *rig, unsigned n, char out[NAME_BYTES])
{
    char pattern[64], answer[1024];
    snprintf(pattern, sizeof(pattern), "sotto:session:*%04x0304", n);
    SERVER_ASK(&rig->server, answer, SOTTO_LIT("KEYS"), sotto_span_str(pattern));
    const char *at = strstr(answer, "sotto:");
    out[0] = '\0';
    if (at != NULL) {
        snprintf(out, NAME_BYTES, "%.*s", (int)strcspn(at, "\r"), at);
    }
}

/* --- sessions move ------------------------------------------------------------------------------- */

static bool same_session(const struct sotto_session *got, const struct sotto_session *want)
{
    return got != NULL && memcmp(got->secret, want->secret, sizeof(got->secret)) == 0 &&
           strcmp(got->owner, want->owner) == 0 && strcmp(got->algorithm, want->algorithm) == 0 &&
           strcmp(got->key_id, want->key_id) == 0 && got->forward_secret == want->forward_secret &&
           got->expires_s == want->expires_s;
}

static void test_moves(struct fleet_rig *rig, struct sotto_fleet *one, struct sotto_fleet *two)
{
    struct sotto_session s = session_of(1);
    struct sotto_sessions *sessions = no_sessions();
    char name[NAME_BYTES], answer[4096];
    IS_INT(find(rig, two, &native, &s.id, sessions), SOTTO_ENOTFOUND, "nobody began it yet");
    IS_INT(begin(rig, one, &s), SOTTO_OK, "one gateway shares a session");
    IS_INT(begin(rig, two, &s), SOTTO_EEXISTS, "another may not share one with the same id");
    IS_INT(find(rig, two, &native, &s.id, sessions), SOTTO_OK, "it finds it");
    struct sotto_session *got = sotto_sessions_find(sessions, &native, &s.id, sotto_wall_s());
    OK(same_session(got, &s), "whole");
    sotto_session_unref(got);
    IS_INT(find(rig, two, &native, &s.id, sessions), SOTTO_OK, "as another thread may at once");
    IS_SIZE(count_of(sessions), 1, "it is there once");
    IS_INT(find(rig, two, &other, &s.id, sessions), SOTTO_ENOTFOUND, "of its profile alone");
    name_of(rig, 1, name);
    SERVER_ASK(&rig->server, answer, SOTTO_LIT("HGET"), sotto_span_str(name), SOTTO_LIT("s"));
    OK(memmem(answer, sizeof(answer), s.secret, 8) == NULL &&
           strstr(answer, "abcdefghijkl") == NULL,
       "the server has neither its secret nor its owner in the clear");
    SERVER_ASK(&rig->server, answer, SOTTO_LIT("TTL"), sotto_span_str(name));
    long ttl = strtol(answer + 1, NULL, 10);
    OK(ttl > LIFE_S - 120 && ttl <= LIFE_S, "and for its life only: %ld s", ttl);
    sotto_sessions_free(sessions);
}

static void test_once(struct fleet_rig *rig, struct sotto_fleet *one, struct sotto_fleet *two)
{
    struct sotto_session s = session_of(2), unknown = session_of(3);
    char name[NAME_BYTES], answer[256];
    IS_INT(begin(rig, one, &s), SOTTO_OK, "a session");
    IS_INT(once(rig, one, &s, "nonce 1"), SOTTO_OK, "a request is opened");
    IS_INT(once(rig, one, &s, "nonce 1"), SOTTO_EAUTH, "once");
    IS_INT(once(rig, two, &s, "nonce 1"), SOTTO_EAUTH, "nowhere else either");
    IS_INT(once(rig, two, &s, "nonce 2"), SOTTO_OK, "another one is");
    IS_INT(once(rig, one, &unknown, "nonce 1"), SOTTO_ENOTFOUND, "none of a session there is not");
    name_of(rig, 2, name);
    SERVER_ASK(&rig->server, answer, SOTTO_LIT("EVAL"),
               SOTTO_LIT("for i = 1, ARGV[1] do redis.call('HSET', KEYS[1], 'n' .. i, '') end"),
               SOTTO_LIT("1"), sotto_span_str(name), SOTTO_LIT("65533"));
    IS_INT(once(rig, one, &s, "nonce 3"), SOTTO_OK, "the last request that a session may have");
    IS_INT(once(rig, one, &s, "nonce 4"), SOTTO_ENOTFOUND, "one more ends it");
    IS_INT(once(rig, two, &s, "nonce 5"), SOTTO_ENOTFOUND, "for all");
}

static void test_owner_bound(struct fleet_rig *rig, struct sotto_fleet *one)
{
    struct sotto_sessions *sessions = no_sessions();
    struct sotto_session s;
    unsigned failed = 0;
    for (unsigned n = 0; n <= SOTTO_SESSIONS_PER_OWNER_MAX; n++) {
        s = session_of(0x1000 + n);
        snprintf(s.owner, sizeof(s.owner), "mnopqrstuvwx");
        failed += begin(rig, one, &s) != SOTTO_OK;
    }
    IS_INT(failed, 0, "an owner begins one session more than it may have");
    IS_INT(find(rig, one, &native, &s.id, sessions), SOTTO_OK, "the latest one is there");
    unsigned gone = 0;
    for (unsigned n = 0; n < SOTTO_SESSIONS_PER_OWNER_MAX; n++) {
        s = session_of(0x1000 + n);
        gone += find(rig, one, &native, &s.id, sessions) == SOTTO_ENOTFOUND;
    }
    IS_INT(gone, 1, "one of the others gave way");
    s = session_of(2);
    IS_INT(begin(rig, one, &s), SOTTO_OK, "other owners have their own room");
    sotto_sessions_free(sessions);
}

/* --- what must not be taken ---------------------------------------------------------------------- */

static void test_others(struct fleet_rig *rig, struct sotto_fleet *one)
{
    struct sotto_session s = session_of(4), moved = session_of(5);
    struct sotto_sessions *sessions = no_sessions();
    struct sotto_fleet_options strange = rig->options;
    char from[NAME_BYTES], to[NAME_BYTES], answer[64];
    IS_INT(begin(rig, one, &s), SOTTO_OK, "a session");
    if (sotto_wrap_key(SOTTO_LIT("another master secret"), strange.key) != SOTTO_OK) {
        abort();
    }
    struct sotto_fleet *stranger = fleet_rig_join(rig, &strange);
    IS_INT(find(rig, stranger, &native, &s.id, sessions), SOTTO_ENOTFOUND,
           "a gateway with another master secret cannot open it");
    name_of(rig, 4, from);
    snprintf(to, sizeof(to), "%.*s00050304", (int)strlen(from) - 8, from);
    SERVER_ASK(&rig->server, answer, SOTTO_LIT("RENAME"), sotto_span_str(from), sotto_span_str(to));
    OK(answer[0] == '+', "somebody moves the entry");
    IS_INT(find(rig, one, &native, &moved.id, sessions), SOTTO_ENOTFOUND,
           "in another place it does not open");
    SERVER_ASK(&rig->server, answer, SOTTO_LIT("HSET"), sotto_span_str(to), SOTTO_LIT("s"),
               SOTTO_LIT("made up"));
    IS_INT(find(rig, one, &native, &moved.id, sessions), SOTTO_ENOTFOUND, "nor what is made up");
    struct sotto_session old = session_of(6);
    old.expires_s = sotto_wall_s();
    IS_INT(begin(rig, one, &old), SOTTO_OK, "a session that is over");
    IS_INT(find(rig, one, &native, &old.id, sessions), SOTTO_ENOTFOUND, "is none");
    IS_SIZE(count_of(sessions), 0, "nothing of it is kept");
    sotto_sessions_free(sessions);
    sotto_fleet_free(stranger);
}

static void test_restart(struct fleet_rig *rig, struct sotto_fleet *one)
{
    struct sotto_session s = session_of(7);
    struct sotto_sessions *sessions = no_sessions();
    struct asked a = {.answers = 0};
    IS_INT(begin(rig, one, &s), SOTTO_OK, "a session");
    server_kill(&rig->server);
    SERVER_UNTIL(rig->loop, !sotto_valkey_is_open(sotto_fleet_store(one)));
    OK(sotto_fleet_begin(one, &a.call, asked_answer, &s, LIFE_S) == SOTTO_ECLOSED &&
           sotto_fleet_find(one, &a.call, asked_answer, &native, &s.id, sessions) ==
               SOTTO_ECLOSED &&
           sotto_fleet_once(one, &a.call, asked_answer, &s, SOTTO_LIT("n")) == SOTTO_ECLOSED,
       "without the server nothing can be asked");
    server_start(&rig->server);
    SERVER_UNTIL(rig->loop, sotto_valkey_is_open(sotto_fleet_store(one)));
    IS_INT(a.answers, 0, "and nobody is called for it");
    IS_INT(find(rig, one, &native, &s.id, sessions), SOTTO_ENOTFOUND,
           "another run of the server has no sessions");
    IS_INT(once(rig, one, &s, "n"), SOTTO_ENOTFOUND, "under which nothing is opened");
    sotto_sessions_free(sessions);
}

static void test_strange_answers(void)
{
    static const struct {
        const char *name, *answer;
        enum sotto_err begun, found, noted;
    } cases[] = {
        {"a text", "+1\r\n", SOTTO_EIO, SOTTO_ENOTFOUND, SOTTO_EIO},
        {"nothing", "$-1\r\n", SOTTO_EIO, SOTTO_ENOTFOUND, SOTTO_EIO},
        {"a list", "*1\r\n:1\r\n", SOTTO_EIO, SOTTO_ENOTFOUND, SOTTO_EIO},
        {"bytes", "$1\r\n1\r\n", SOTTO_EIO, SOTTO_ENOTFOUND, SOTTO_EIO},
        {"a number that means nothing", ":7\r\n", SOTTO_EEXISTS, SOTTO_ENOTFOUND, SOTTO_ENOTFOUND},
        {"an error of the script", "-ERR wrong\r\n", SOTTO_EIO, SOTTO_EIO, SOTTO_EIO},
        {"scripts that are gone", "-NOSCRIPT\r\n", SOTTO_ECLOSED, SOTTO_ECLOSED, SOTTO_ECLOSED},
        {"no RESP", "hello\r\n", SOTTO_ECLOSED, SOTTO_ECLOSED, SOTTO_ECLOSED},
    };
    const struct sotto_session s = session_of(8);
    for (size_t i = 0; i < SOTTO_COUNT(cases); i++) {
        const enum sotto_err want[3] = {cases[i].begun, cases[i].found, cases[i].noted};
        struct sotto_sessions *sessions = no_sessions();
        for (size_t q = 0; q < SOTTO_COUNT(want); q++) {
            struct peer peer;
            struct asked a = {.answers = 0};
            peer_open(&peer);
            enum sotto_err err =
                q == 0 ? sotto_fleet_begin(peer.fleet, &a.call, asked_answer, &s, LIFE_S)
                : q == 1
                    ? sotto_fleet_find(peer.fleet, &a.call, asked_answer, &native, &s.id, sessions)
                    : sotto_fleet_once(peer.fleet, &a.call, asked_answer, &s, SOTTO_LIT("n"));
            peer_answer(&peer, cases[i].answer);
            IS_INT(asked_wait(&peer.rig, &a, err), want[q], "%s, question %zu", cases[i].name, q);
            peer_close(&peer);
        }
        IS_SIZE(count_of(sessions), 0, "nothing of it is kept");
        sotto_sessions_free(sessions);
    }
}

/* --- without memory ------------------------------------------------------------------------------ */

enum question {
    QUESTION_BEGIN,
    QUESTION_FIND,
    QUESTION_ONCE,
    QUESTIONS,
};

/* One question, in which allocation `n` fails.  True: it was made. */
static bool ask_without(struct fleet_rig *rig, struct sotto_fleet *fleet, enum question question,
                        unsigned serial, size_t n, struct sotto_sessions *sessions,
                        enum sotto_err *err)
{
    struct sotto_session s = session_of(serial);
    sotto_alloc_set_fault(n);
    switch (question) {
    case QUESTION_BEGIN:
        *err = begin(rig, fleet, &s);
        break;
    case QUESTION_FIND:
        *err = find(rig, fleet, &native, &s.id, sessions);
        break;
    case QUESTION_ONCE:
        *err = once(rig, fleet, &s, "a nonce");
        break;
    case QUESTIONS:
        break;
    }
    return sotto_alloc_set_fault(0) >= n;
}

static void test_faults(struct fleet_rig *rig)
{
    static const char *const names[QUESTIONS] = {"begun", "found", "opened"};
    for (enum question q = QUESTION_BEGIN; q < QUESTIONS; q++) {
        size_t failed = 0, wrong = 0;
        bool fired = true;
        for (unsigned n = 1; fired; n++) {
            struct sotto_session s = session_of(0x2000 + 0x100 * (unsigned)q + n);
            struct sotto_sessions *sessions = no_sessions();
            struct sotto_fleet *fleet = fleet_rig_join(rig, &rig->options);
            enum sotto_err err = SOTTO_OK;
            if (q != QUESTION_BEGIN && begin(rig, fleet, &s) != SOTTO_OK) {
                wrong++;
            }
            fired = ask_without(rig, fleet, q, 0x2000 + 0x100 * (unsigned)q + n, n, sessions, &err);
            failed += err != SOTTO_OK;
            wrong += err != SOTTO_OK && !fired;
            wrong += count_of(sessions) != (q == QUESTION_FIND && err == SOTTO_OK ? 1U : 0U);
            sotto_fleet_free(fleet);
            sotto_sessions_free(sessions);
        }
        OK(wrong == 0 && (failed != 0 || q == QUESTION_ONCE),
           "without memory nothing is %s, or all of it (%zu times)", names[q], failed);
    }
}

int main(void)
{
    struct fleet_rig rig = {.server = {.program = server_program()}};
    test_strange_answers();
    if (rig.server.program == NULL) {
        SKIP(1, "neither valkey-server nor redis-server is installed");
        return done_testing();
    }
    fleet_rig_open(&rig, true);
    struct sotto_fleet *one = fleet_rig_join(&rig, &rig.options);
    struct sotto_fleet *two = fleet_rig_join(&rig, &rig.options);
    test_moves(&rig, one, two);
    test_once(&rig, one, two);
    test_owner_bound(&rig, one);
    test_others(&rig, one);
    test_faults(&rig);
    test_restart(&rig, one);
    sotto_fleet_free(one);
    sotto_fleet_free(two);
    fleet_rig_close(&rig);
    return done_testing();
}
