/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A load generator for benchmarks: sends the same request over N keep-alive connections, one after
 * the other on each, for a time, and prints one line:
 *
 *   load HOST PORT CONNECTIONS SECONDS REQUEST_FILE [COUNT]
 *     requests=N errors=N rps=N p50_us=N p99_us=N first_p50_us=N first_p99_us=N chunks=N bytes=N
 *
 * REQUEST_FILE holds the bytes of one HTTP request, or of COUNT of the same length, each of which is
 * sent once: when they are used up, no more are sent.  Answers end by Content-Length or by the last
 * chunk.  `first` is the time to the first byte of the body that holds "data:".
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
#include <time.h>
#include <unistd.h>

#define LOAD_SAMPLES 2000000
#define LOAD_HEAD    65536

struct load_conn {
    int fd;
    int64_t sent_us;
    bool got_first;
    bool in_body;
    bool chunked;
    size_t body_left;
    char tail[8]; /* last bytes, to see the last chunk */
    size_t head_len;
    char *head;
};

static char *request;
static size_t request_len;
static size_t request_count, next_request; /* count 0: the same one again and again */
static struct sockaddr_in server;
static int epoll_fd;
static uint32_t *latency, *first;
static size_t latency_count, first_count, requests, errors, chunks, bytes;

static int64_t now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void note(uint32_t *list, size_t *count, int64_t us)
{
    if (*count < LOAD_SAMPLES) {
        list[(*count)++] = (uint32_t)us;
    }
}

static void send_request(struct load_conn *c)
{
    c->sent_us = now_us();
    c->got_first = c->in_body = c->chunked = false;
    c->head_len = 0;
    memset(c->tail, 0, sizeof(c->tail));
    size_t done = 0;
    if (request_count != 0 && next_request == request_count) {
        return;
    }
    const char *bytes_out = request + next_request * request_len;
    next_request += request_count != 0;
    while (done < request_len) {
        ssize_t n = send(c->fd, bytes_out + done, request_len - done, MSG_NOSIGNAL);
        if (n > 0) {
            done += (size_t)n;
        } else if (errno != EAGAIN && errno != EINTR) {
            errors++;
            return;
        }
    }
}

static void open_conn(struct load_conn *c)
{
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(c->fd, (struct sockaddr *)&server, sizeof(server)) != 0) {
        perror("load: connect");
        exit(1);
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &ev);
}

/* Whether the answer is complete with these bytes of its body. */
static bool take_body(struct load_conn *c, const char *data, size_t len)
{
    const char *at = data;
    size_t left = len;
    for (const char *hit; (hit = memmem(at, left, "data:", 5)) != NULL;) {
        chunks++;
        left -= (size_t)(hit - at) + 5;
        at = hit + 5;
        if (!c->got_first) {
            c->got_first = true;
            note(first, &first_count, now_us() - c->sent_us);
        }
    }
    if (!c->chunked) {
        c->body_left -= len < c->body_left ? len : c->body_left;
        return c->body_left == 0;
    }
    char joined[16];
    size_t n = len < 7 ? len : 7;
    memcpy(joined, c->tail + n, 7 - n);
    memcpy(joined + 7 - n, data + len - n, n);
    memcpy(c->tail, joined, 7);
    return memcmp(joined + 2, "0\r\n\r\n", 5) == 0 && (joined[1] == '\n' || joined[1] == 0);
}

static bool take(struct load_conn *c, const char *data, size_t len)
{
    if (c->in_body) {
        return take_body(c, data, len);
    }
    memcpy(c->head + c->head_len, data, len);
    c->head_len += len;
    c->head[c->head_len] = '\0';
    char *end = strstr(c->head, "\r\n\r\n");
    if (end == NULL) {
        return false;
    }
    end += 4;
    if (strncmp(c->head + 9, "200", 3) != 0) {
        if (errors++ == 0) {
            fprintf(stderr, "load: first bad answer: %.300s\n", c->head);
        }
    }
    const char *length = strcasestr(c->head, "content-length:");
    c->chunked = length == NULL || length > end;
    c->body_left = c->chunked ? 0 : strtoul(length + 15, NULL, 10);
    c->in_body = true;
    size_t rest = c->head_len - (size_t)(end - c->head);
    return rest != 0 ? take_body(c, end, rest) : !c->chunked && c->body_left == 0;
}

static void readable(struct load_conn *c, bool again)
{
    static char in[LOAD_HEAD / 2];
    ssize_t n = recv(c->fd, in, sizeof(in), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n <= 0) {
        errors++;
        close(c->fd);
        open_conn(c);
        if (again) {
            send_request(c);
        }
        return;
    }
    bytes += (size_t)n;
    if (take(c, in, (size_t)n)) {
        requests++;
        note(latency, &latency_count, now_us() - c->sent_us);
        if (again) {
            send_request(c);
        }
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t percentile(uint32_t *list, size_t count, size_t percent)
{
    qsort(list, count, sizeof(*list), compare);
    return count == 0 ? 0 : list[(count - 1) * percent / 100];
}

/* The whole file, and how long one request of it is. */
static void read_requests(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL || fseek(f, 0, SEEK_END) != 0) {
        return;
    }
    long size = ftell(f);
    rewind(f);
    request = size > 0 ? malloc((size_t)size) : NULL;
    if (request != NULL && fread(request, 1, (size_t)size, f) == (size_t)size) {
        request_len = (size_t)size / (request_count != 0 ? request_count : 1);
    }
    fclose(f);
}

int main(int argc, char **argv)
{
    if (argc != 6 && argc != 7) {
        fprintf(stderr, "usage: load HOST PORT CONNECTIONS SECONDS REQUEST_FILE [COUNT]\n");
        return 2;
    }
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    inet_pton(AF_INET, argv[1], &server.sin_addr);
    size_t count = strtoul(argv[3], NULL, 10);
    double seconds = strtod(argv[4], NULL);
    request_count = argc == 7 ? strtoul(argv[6], NULL, 10) : 0;
    read_requests(argv[5]);
    latency = malloc(LOAD_SAMPLES * sizeof(*latency));
    first = malloc(LOAD_SAMPLES * sizeof(*first));
    struct load_conn *conns = calloc(count, sizeof(*conns));
    if (request_len == 0 || latency == NULL || first == NULL || conns == NULL) {
        fprintf(stderr, "load: cannot start\n");
        return 1;
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < count; i++) {
        conns[i].head = malloc(LOAD_HEAD);
        open_conn(&conns[i]);
        send_request(&conns[i]);
    }
    int64_t begun = now_us(), end = begun + (int64_t)(seconds * 1e6);
    while (now_us() < end) {
        struct epoll_event events[256];
        int n = epoll_wait(epoll_fd, events, 256, 100);
        for (int i = 0; i < n; i++) {
            readable(events[i].data.ptr, true);
        }
    }
    double took = (double)(now_us() - begun) / 1e6;
    printf("requests=%zu errors=%zu rps=%.0f p50_us=%u p99_us=%u first_p50_us=%u first_p99_us=%u "
           "chunks=%zu bytes=%zu\n",
           requests, errors, (double)requests / took, percentile(latency, latency_count, 50),
           percentile(latency, latency_count, 99), percentile(first, first_count, 50),
           percentile(first, first_count, 99), chunks, bytes);
    return 0;
}
