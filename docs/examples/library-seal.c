/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One sealed question to a gateway on this machine: library-seal PORT API_KEY SIGNING_KEY, where the
 * last one is the gateway's signing key, 64 hexadecimal digits, as its operator tells it.
 */

#include <arpa/inet.h>
#include <sotto/seal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH "/v1/chat/completions"

static char reply[1 << 16];

/* Posts a body; the answer's one stands in `reply`.  Returns the status, 0: nothing came. */
static int post(int port, const char *api_key, const char *path, const char *type, const char *body,
                size_t len, const char **answer, size_t *answer_len)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    char head[512];
    size_t got = 0;
    ssize_t n = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int head_len = snprintf(head, sizeof(head),
                            "POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
                            "Content-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                            path, api_key, type, len);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0 ||
        write(fd, head, (size_t)head_len) != head_len || write(fd, body, len) != (ssize_t)len) {
        return 0;
    }
    while (n > 0 && got < sizeof(reply) - 1) {
        n = read(fd, reply + got, sizeof(reply) - 1 - got);
        got += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    reply[got] = '\0';
    const char *end = strstr(reply, "\r\n\r\n");
    *answer = end != NULL ? end + 4 : reply + got;
    *answer_len = got - (size_t)(*answer - reply);
    return got > 12 ? atoi(reply + 9) : 0;
}

static int fail(const char *what, enum sotto_status status)
{
    fprintf(stderr, "%s: %s\n", what, sotto_status_text(status));
    return 1;
}

int main(int argc, char **argv)
{
    static const char text[] =
        "{\"model\":\"gpt-4\",\"messages\":[{\"role\":\"user\",\"content\":\"Good morning.\"}]}";
    unsigned char signing_key[SOTTO_SIGNING_KEY_BYTES] = {0};
    struct sotto_hello *hello = NULL;
    struct sotto_sealer *sealer = NULL;
    struct sotto_opener *opener = NULL;
    char *body = NULL, *opened = NULL;
    const char *answer = NULL;
    size_t len = 0, answer_len = 0;
    int port = argc == 4 ? atoi(argv[1]) : 0;
    for (size_t i = 0; port != 0 && i < sizeof(signing_key); i++) {
        if (sscanf(argv[3] + 2 * i, "%2hhx", &signing_key[i]) != 1) {
            return 2;
        }
    }

    /* A session: once, for many requests. */
    enum sotto_status status = sotto_hello_new("auto", NULL, 0, &body, &len, &hello);
    if (status != SOTTO_STATUS_OK) {
        return fail("hello", status);
    }
    post(port, argv[2], "/v1/seal/session", "application/json", body, len, &answer, &answer_len);
    status = sotto_hello_finish(hello, answer, answer_len, signing_key, &sealer);
    sotto_hello_free(hello);
    sotto_text_free(body);
    if (status != SOTTO_STATUS_OK) {
        return fail("session", status);
    }

    /* A request of it. */
    status = sotto_sealer_seal(sealer, "POST", PATH, "gpt-4", text, sizeof(text) - 1, &body, &len,
                               &opener);
    if (status != SOTTO_STATUS_OK) {
        return fail("seal", status);
    }
    int http =
        post(port, argv[2], PATH, "application/vnd.sotto.sealed", body, len, &answer, &answer_len);
    status = sotto_opener_answer(opener, http, answer, answer_len, &opened, NULL);
    if (status != SOTTO_STATUS_OK) {
        return fail("answer", status);
    }
    puts(opened);
    sotto_text_free(opened);
    sotto_text_free(body);
    sotto_opener_free(opener);
    sotto_sealer_free(sealer);
    return 0;
}
