/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tap/tap.h"

static int ends[2];

/* What has been logged, without the time. */
static size_t logged(char *to, size_t size)
{
    ssize_t n = read(ends[0], to, size - 1);
    to[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static void is_line(const char *want, const char *what)
{
    char line[8192];
    logged(line, sizeof(line));
    char *rest = strstr(line, strchr(line, '{') != NULL ? ",\"level\"" : " level=");
    rest = rest != NULL ? rest + 1 : line;
    IS_TEXT(rest, strlen(rest), want, "%s", what);
}

static void test_logfmt(void)
{
    SOTTO_LOG(SOTTO_LOG_INFO, "request", SOTTO_LOG_INT("status", 200), SOTTO_LOG_US("total_us", -1),
              SOTTO_LOG_TEXT("why", "because it is so"), SOTTO_LOG_ID("key", "abc_9.:/@-Z"));
    is_line("level=info event=request status=200 total_us=-1 why=\"because it is so\" "
            "key=abc_9.:/@-Z\n",
            "logfmt");
    SOTTO_LOG(SOTTO_LOG_WARN, "reload", SOTTO_LOG_NOTE("error", "line 3: \"x\" is \\ no\nkey"),
              SOTTO_LOG_ERR("code", SOTTO_ELIMIT), SOTTO_LOG_NOTE("none", NULL));
    is_line("level=warn event=reload error=\"line 3: \\\"x\\\" is \\\\ no key\" "
            "code=\"size limit reached\" none=\"\"\n",
            "quotes and line ends cannot forge a line");
    SOTTO_LOG(SOTTO_LOG_ERROR, "x", SOTTO_LOG_ID("key", "John Doe"), SOTTO_LOG_ID("a", ""),
              SOTTO_LOG_ID("b", NULL), SOTTO_LOG_ID("c", "caf\xc3\xa9"));
    is_line("level=error event=x key=invalid a=invalid b=invalid c=invalid\n",
            "what is no identifier is not written");
    char id[200];
    memset(id, 'a', sizeof(id));
    id[97] = '\0';
    SOTTO_LOG(SOTTO_LOG_INFO, "x", SOTTO_LOG_ID("key", id));
    is_line("level=info event=x key=invalid\n", "nor a long one");
}

static void test_json(void)
{
    sotto_log_setup(SOTTO_LOG_JSON, SOTTO_LOG_DEBUG);
    SOTTO_LOG(SOTTO_LOG_DEBUG, "request", SOTTO_LOG_INT("status", 200), SOTTO_LOG_ID("key", "k"),
              SOTTO_LOG_NOTE("n", "a\"\\\t\x7f"));
    is_line("\"level\":\"debug\",\"event\":\"request\",\"status\":200,\"key\":\"k\","
            "\"n\":\"a\\\"\\\\  \"}\n",
            "JSON");
    sotto_log_setup(SOTTO_LOG_LOGFMT, SOTTO_LOG_WARN);
    SOTTO_LOG(SOTTO_LOG_INFO, "x", SOTTO_LOG_INT("a", 1));
    is_line("", "less than what is wanted is not written");
    sotto_log_setup(SOTTO_LOG_LOGFMT, SOTTO_LOG_INFO);
}

static void test_long_lines(void)
{
    char note[SOTTO_LOG_LINE_MAX + 100], line[8192];
    memset(note, 'n', sizeof(note));
    note[sizeof(note) - 1] = '\0';
    for (int json = 0; json < 2; json++) {
        sotto_log_setup(json ? SOTTO_LOG_JSON : SOTTO_LOG_LOGFMT, SOTTO_LOG_INFO);
        SOTTO_LOG(SOTTO_LOG_INFO, "x", SOTTO_LOG_INT("a", 1), SOTTO_LOG_NOTE("b", note),
                  SOTTO_LOG_INT("c", 1));
        size_t n = logged(line, sizeof(line));
        OK(n < 200 && strstr(line, json ? "\"a\":1}\n" : "a=1\n") != NULL,
           "a line that gets too long ends in front of the field");
    }
    note[1900] = '\0';
    sotto_log_setup(SOTTO_LOG_JSON, SOTTO_LOG_INFO);
    for (size_t len = 1900; len < 2000; len++) { /* around the limit */
        note[len - 1] = 'n';
        note[len] = '\0';
        SOTTO_LOG(SOTTO_LOG_INFO, "x", SOTTO_LOG_NOTE("b", note));
        size_t n = logged(line, sizeof(line));
        if (n > SOTTO_LOG_LINE_MAX || strcmp(line + n - 2, "}\n") != 0) {
            OK(false, "a line near the limit is whole (%zu)", len);
        }
    }
    sotto_log_setup(SOTTO_LOG_LOGFMT, SOTTO_LOG_INFO);
}

static void *many(void *arg)
{
    for (int i = 0; i < 50; i++) {
        SOTTO_LOG(SOTTO_LOG_INFO, "thread", SOTTO_LOG_TEXT("text", "some words of a thread"));
    }
    return arg;
}

static void test_threads(void)
{
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, many, NULL);
    }
    static char text[200 * 200];
    size_t len = 0, lines = 0;
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    len = logged(text, sizeof(text));
    for (char *line = text; line < text + len; lines++) {
        char *end = strchr(line, '\n');
        if (end == NULL || strncmp(line, "time=", 5) != 0 || end - line < 80) {
            OK(false, "line %zu is whole", lines);
            break;
        }
        line = end + 1;
    }
    IS_SIZE(lines, 200, "lines of threads do not mix");
}

int main(void)
{
    if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
        abort();
    }
    int before = sotto_log_to(ends[1]);
    IS_INT(before, 2, "it went to standard error");
    test_logfmt();
    test_json();
    test_long_lines();
    test_threads();
    sotto_log_to(-1);
    SOTTO_LOG(SOTTO_LOG_INFO, "x", SOTTO_LOG_INT("a", 1));
    OK(true, "a log that cannot be written stops nothing");
    return done_testing();
}
