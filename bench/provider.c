/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A provider for benchmarks: answers each POST at once with a fixed chat completion, or, when the
 * request holds `"stream":true`, with a stream of chunks at a fixed pace.  One thread, epoll.
 *
 *   provider PORT [CHUNKS [INTERVAL_MS [ECHO]]]
 *
 * With ECHO the answer's text repeats the text of the request's last message, so that tokens come
 * back.  It is as fast as can be: what is measured is what stands in front of it.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define PROVIDER_MAX_FD 20000
#define PROVIDER_IN_MAX 65536

struct provider_conn {
    char *in;
    size_t in_len;
    int chunks_left; /* of a running stream; 0: none */
    bool first;
};

static struct provider_conn conns[PROVIDER_MAX_FD];
static int chunk_count = 200;
static bool echo;
static int epoll_fd;

static const char answer_head[] =
    "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1700000000,"
    "\"model\":\"bench\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
    "\"content\":\"";
static const char answer_tail[] = "\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":"
                                  "\"stop\"}],\"usage\":{\"prompt_tokens\":256,"
                                  "\"completion_tokens\":64,\"total_tokens\":320},"
                                  "\"system_fingerprint\":\"fp_bench\"}";
static const char filler[] =
    "The quick answer is that all of this was received in good order and that nothing more has "
    "to be done about it today; the second part of the answer only makes it as long as answers "
    "usually are, so that a benchmark measures what matters to its readers in practice, later.";

static void send_all(int fd, const char *data, size_t len)
{
    while (len != 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            continue; /* answers are small: the socket's buffer takes them at once */
        }
        if (n < 0) {
            return;
        }
        data += n;
        len -= (size_t)n;
    }
}

/* The raw JSON text of the last "content" string of the body. */
static const char *last_content(const char *body, size_t *len)
{
    const char *at = NULL, *next = body;
    while ((next = strstr(next, "\"content\":\"")) != NULL) {
        next += strlen("\"content\":\"");
        at = next;
    }
    if (at == NULL) {
        *len = sizeof(filler) - 1;
        return filler;
    }
    const char *end = at;
    while (*end != '\0' && *end != '"') {
        end += *end == '\\' ? 2 : 1;
    }
    *len = (size_t)(end - at);
    return at;
}

static void answer_whole(int fd, const char *body)
{
    static char out[2 * PROVIDER_IN_MAX];
    size_t len = sizeof(filler) - 1;
    const char *text = echo ? last_content(body, &len) : filler;
    size_t total = sizeof(answer_head) - 1 + len + sizeof(answer_tail) - 1;
    int n = snprintf(out, sizeof(out),
                     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n%s%.*s%s",
                     total, answer_head, (int)len, text, answer_tail);
    send_all(fd, out, (size_t)n);
}

static void send_chunk(int fd, struct provider_conn *c)
{
    char event[512], out[600];
    bool last = --c->chunks_left == 0;
    int n = snprintf(event, sizeof(event),
                     "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\","
                     "\"created\":1700000000,\"model\":\"bench\",\"system_fingerprint\":"
                     "\"fp_bench\",\"choices\":[{\"index\":0,\"delta\":{%s\"content\":\" word\"},"
                     "\"logprobs\":null,\"finish_reason\":%s}]}\n\n%s",
                     c->first ? "\"role\":\"assistant\"," : "", last ? "\"stop\"" : "null",
                     last ? "data: [DONE]\n\n" : "");
    int m = snprintf(out, sizeof(out), "%x\r\n%s\r\n%s", n, event, last ? "0\r\n\r\n" : "");
    c->first = false;
    send_all(fd, out, (size_t)m);
}

static void answer_stream(int fd, struct provider_conn *c)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    send_all(fd, head, sizeof(head) - 1);
    c->chunks_left = chunk_count;
    c->first = true;
    send_chunk(fd, c);
}

static void close_conn(int fd)
{
    free(conns[fd].in);
    memset(&conns[fd], 0, sizeof(conns[fd]));
    close(fd);
}

/* Answers all whole requests in the buffer. */
static void answer(int fd, struct provider_conn *c)
{
    for (;;) {
        c->in[c->in_len] = '\0';
        char *body = strstr(c->in, "\r\n\r\n");
        if (body == NULL) {
            return;
        }
        body += 4;
        const char *field = strcasestr(c->in, "content-length:");
        size_t length = field != NULL && field < body ? strtoul(field + 15, NULL, 10) : 0;
        size_t total = (size_t)(body - c->in) + length;
        if (c->in_len < total) {
            return;
        }
        char after = c->in[total];
        c->in[total] = '\0';
        if (strstr(body, "\"stream\":true") != NULL) {
            answer_stream(fd, c);
        } else {
            answer_whole(fd, body);
        }
        c->in[total] = after;
        memmove(c->in, c->in + total, c->in_len - total);
        c->in_len -= total;
    }
}

static void readable(int fd)
{
    struct provider_conn *c = &conns[fd];
    for (;;) {
        ssize_t n = recv(fd, c->in + c->in_len, PROVIDER_IN_MAX - c->in_len, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (n <= 0) {
            close_conn(fd);
            return;
        }
        c->in_len += (size_t)n;
        answer(fd, c);
    }
}

static void accept_all(int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        if (fd >= PROVIDER_MAX_FD || (conns[fd].in = malloc(PROVIDER_IN_MAX + 1)) == NULL) {
            close(fd);
            continue;
        }
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        struct epoll_event ev = {.events = EPOLLIN | EPOLLET | EPOLLRDHUP, .data.fd = fd};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev);
    }
}

static void pace(int timer)
{
    uint64_t times;
    if (read(timer, &times, sizeof(times)) != sizeof(times)) {
        return;
    }
    for (int fd = 0; fd < PROVIDER_MAX_FD; fd++) {
        if (conns[fd].chunks_left > 0) {
            send_chunk(fd, &conns[fd]);
        }
    }
}

static int listen_on(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 || listen(fd, 4096) != 0) {
        perror("provider: listen");
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    int listener = listen_on(argc > 1 ? (uint16_t)strtoul(argv[1], NULL, 10) : 9000);
    long interval_ms = argc > 3 ? strtol(argv[3], NULL, 10) : 20;
    chunk_count = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 200;
    echo = argc > 4;

    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct itimerspec every = {{interval_ms / 1000, interval_ms % 1000 * 1000000},
                               {interval_ms / 1000, interval_ms % 1000 * 1000000}};
    timerfd_settime(timer, 0, &every, NULL);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &ev);
    ev.data.fd = timer;
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer, &ev);

    for (;;) {
        struct epoll_event events[256];
        int n = epoll_wait(epoll_fd, events, 256, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener) {
                accept_all(listener);
            } else if (events[i].data.fd == timer) {
                pace(timer);
            } else {
                readable(events[i].data.fd);
            }
        }
    }
}
