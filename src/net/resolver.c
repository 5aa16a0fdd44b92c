/* SPDX-License-Identifier: Apache-2.0 */

#include "net/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>

#include "base/alloc.h"
#include "sys/clock.h"
#include "sys/harden.h"

#define RESOLVER_FRESH_MS   30000
#define RESOLVER_FAILURE_MS 1000
/* An answer is given while a newer one is fetched, up to this age. */
#define RESOLVER_STALE_MS  ((int64_t)10 * 60 * 1000)
#define RESOLVER_NAMES_MAX 256
#define RESOLVER_THREADS   4

/* Who waits for a name.  Belongs to the resolver until it is delivered in the loop's thread. */
struct sotto_lookup {
    struct sotto_task task;
    struct sotto_lookup *next;
    struct sotto_loop *loop;
    struct sotto_resolver *resolver;
    sotto_lookup_fn *fn; /* NULL: cancelled; touched in the loop's thread only */
    void *ctx;
    uint16_t port;
    struct sotto_addresses answer;
};

struct resolver_name {
    struct resolver_name *next;
    char host[SOTTO_RESOLVER_HOST_MAX + 1];
    struct sotto_addresses addresses;
    int64_t answered_ms; /* 0: never */
    bool wanted;         /* waits for a thread */
    bool running;        /* a thread is at it */
    struct sotto_lookup *waiting;
};

/* Shared by the owner and the helper threads; the last one frees it. */
struct sotto_resolver {
    pthread_mutex_t lock;
    size_t holders;
    size_t threads;
    bool closed;
    sotto_resolver_source *source;
    struct resolver_name *names;
    size_t name_count;
};

static void drop(struct sotto_resolver *resolver)
{
    bool last = --resolver->holders == 0;
    pthread_mutex_unlock(&resolver->lock);
    if (!last) {
        return;
    }
    while (resolver->names != NULL) {
        struct resolver_name *name = resolver->names;
        resolver->names = name->next;
        sotto_free(name);
    }
    pthread_mutex_destroy(&resolver->lock);
    sotto_free(resolver);
}

/* --- in the helper threads -------------------------------------------------------------------- */

static int from_system(const char *host, struct sotto_addresses *out)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list = NULL;
    int result = getaddrinfo(host, NULL, &hints, &list);
    if (result != 0) {
        return result;
    }
    for (struct addrinfo *at = list; at != NULL; at = at->ai_next) {
        if (out->count < SOTTO_RESOLVER_ADDRESSES_MAX &&
            at->ai_addrlen <= sizeof(out->list[0].addr)) {
            memcpy(&out->list[out->count].addr, at->ai_addr, at->ai_addrlen);
            out->list[out->count++].len = at->ai_addrlen;
        }
    }
    freeaddrinfo(list);
    return 0;
}

static void on_answer(struct sotto_task *task)
{
    struct sotto_lookup *lookup = SOTTO_CONTAINER(task, struct sotto_lookup, task);
    if (lookup->fn != NULL) {
        lookup->fn(lookup->ctx, &lookup->answer);
    }
    sotto_free(lookup);
}

static void set_port(struct sotto_addresses *addresses, uint16_t port)
{
    for (size_t i = 0; i < addresses->count; i++) {
        struct sockaddr_storage *addr = &addresses->list[i].addr;
        if (addr->ss_family == AF_INET) {
            ((struct sockaddr_in *)(void *)addr)->sin_port = htons(port);
        } else {
            ((struct sockaddr_in6 *)(void *)addr)->sin6_port = htons(port);
        }
    }
}

static void deliver(struct resolver_name *name)
{
    while (name->waiting != NULL) {
        struct sotto_lookup *lookup = name->waiting;
        name->waiting = lookup->next;
        lookup->answer = name->addresses;
        set_port(&lookup->answer, lookup->port);
        sotto_loop_post(lookup->loop, &lookup->task, on_answer);
    }
}

static struct resolver_name *take_wanted(struct sotto_resolver *resolver)
{
    struct resolver_name *name = resolver->names;
    while (name != NULL && !name->wanted) {
        name = name->next;
    }
    if (name != NULL) {
        name->wanted = false;
        name->running = true;
    }
    return name;
}

/* Looks up until nobody wants anything.  Old addresses outlive a failed refresh. */
static void *helper(void *arg)
{
    struct sotto_resolver *resolver = arg;
    struct resolver_name *name;

    pthread_mutex_lock(&resolver->lock);
    while (!resolver->closed && (name = take_wanted(resolver)) != NULL) {
        struct sotto_addresses found = {0};
        sotto_resolver_source *source = resolver->source;
        pthread_mutex_unlock(&resolver->lock);
        int result = source(name->host, &found);
        pthread_mutex_lock(&resolver->lock);

        int64_t now_ms = sotto_clock_ms();
        bool good = result == 0 && found.count != 0;
        if (good) {
            name->addresses = found;
            name->answered_ms = now_ms;
        } else if (name->addresses.count == 0) {
            name->answered_ms = now_ms;
        }
        name->running = false;
        if (!resolver->closed) {
            deliver(name);
        }
    }
    resolver->threads--;
    drop(resolver); /* unlocks */
    return NULL;
}

/* --- in the loops' threads -------------------------------------------------------------------- */

static bool read_literal(const char *host, uint16_t port, struct sotto_addresses *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sotto_address *first = &out->list[0];
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        memcpy(&first->addr, &v4, sizeof(v4));
        first->len = sizeof(v4);
    } else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
        memcpy(&first->addr, &v6, sizeof(v6));
        first->len = sizeof(v6);
    } else {
        return false;
    }
    out->count = 1;
    return true;
}

/* Takes the name that was answered longest ago out of a full table. */
static void make_room(struct sotto_resolver *resolver)
{
    struct resolver_name **oldest = NULL;
    for (struct resolver_name **at = &resolver->names; *at != NULL; at = &(*at)->next) {
        bool busy = (*at)->wanted || (*at)->running || (*at)->waiting != NULL;
        if (!busy && (oldest == NULL || (*at)->answered_ms < (*oldest)->answered_ms)) {
            oldest = at;
        }
    }
    if (oldest != NULL) {
        struct resolver_name *name = *oldest;
        *oldest = name->next;
        resolver->name_count--;
        sotto_free(name);
    }
}

static struct resolver_name *find_name(struct sotto_resolver *resolver, const char *host)
{
    for (struct resolver_name *name = resolver->names; name != NULL; name = name->next) {
        if (strcasecmp(name->host, host) == 0) {
            return name;
        }
    }
    if (resolver->name_count >= RESOLVER_NAMES_MAX) {
        make_room(resolver);
    }
    struct resolver_name *name = sotto_calloc(1, sizeof(*name));
    if (name != NULL) {
        snprintf(name->host, sizeof(name->host), "%s", host);
        name->next = resolver->names;
        resolver->names = name;
        resolver->name_count++;
    }
    return name;
}

static bool start_helper(struct sotto_resolver *resolver)
{
    pthread_t thread;
    pthread_attr_t attr;
    if (resolver->threads >= RESOLVER_THREADS) {
        return true;
    }
    resolver->threads++;
    resolver->holders++;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, (size_t)512 << 10);
    bool started = pthread_create(&thread, &attr, helper, resolver) == 0;
    pthread_attr_destroy(&attr);
    if (!started) {
        resolver->threads--;
        resolver->holders--;
    }
    return started || resolver->threads != 0;
}

static bool want(struct sotto_resolver *resolver, struct resolver_name *name)
{
    if (name->wanted || name->running) {
        return true;
    }
    name->wanted = true;
    if (!start_helper(resolver)) {
        name->wanted = false;
        return false;
    }
    return true;
}

/* Whether the name can be answered now; asks for a new answer where this one gets old. */
static bool answer_now(struct sotto_resolver *resolver, struct resolver_name *name)
{
    int64_t age_ms = sotto_clock_ms() - name->answered_ms;
    if (name->answered_ms == 0) {
        return false;
    }
    if (name->addresses.count == 0) {
        return age_ms < RESOLVER_FAILURE_MS;
    }
    if (age_ms >= RESOLVER_FRESH_MS && !want(resolver, name)) {
        return true; /* no thread for a refresh: better an old answer than none */
    }
    return age_ms < RESOLVER_STALE_MS;
}

static enum sotto_err enqueue(struct sotto_resolver *resolver, struct resolver_name *name,
                              const struct sotto_lookup *template, struct sotto_lookup **out)
{
    struct sotto_lookup *lookup = sotto_calloc(1, sizeof(*lookup));
    if (lookup == NULL) {
        return SOTTO_ENOMEM;
    }
    if (!want(resolver, name)) {
        sotto_free(lookup);
        return SOTTO_EIO;
    }
    *lookup = *template;
    lookup->next = name->waiting;
    name->waiting = lookup;
    *out = lookup;
    return SOTTO_OK;
}

enum sotto_err sotto_resolver_lookup(struct sotto_resolver *resolver, struct sotto_loop *loop,
                                     sotto_span host, uint16_t port, sotto_lookup_fn *fn, void *ctx,
                                     struct sotto_addresses *found, struct sotto_lookup **lookup)
{
    char text[SOTTO_RESOLVER_HOST_MAX + 1];
    const struct sotto_lookup template = {
        .loop = loop, .resolver = resolver, .fn = fn, .ctx = ctx, .port = port};
    if (host.len == 0 || host.len > SOTTO_RESOLVER_HOST_MAX ||
        memchr(host.base, '\0', host.len) != NULL) {
        return SOTTO_EINVAL;
    }
    memcpy(text, host.base, host.len);
    text[host.len] = '\0';
    *lookup = NULL;
    if (read_literal(text, port, found)) {
        return SOTTO_OK;
    }

    enum sotto_err err = SOTTO_OK;
    pthread_mutex_lock(&resolver->lock);
    struct resolver_name *name = find_name(resolver, text);
    if (name == NULL) {
        err = SOTTO_ENOMEM;
    } else if (answer_now(resolver, name)) {
        *found = name->addresses;
        set_port(found, port);
    } else {
        err = enqueue(resolver, name, &template, lookup);
    }
    pthread_mutex_unlock(&resolver->lock);
    return err;
}

/* Takes the lookup out of where it waits.  False: its answer has been posted already. */
static bool take_back(struct sotto_resolver *resolver, const struct sotto_lookup *lookup)
{
    for (struct resolver_name *name = resolver->names; name != NULL; name = name->next) {
        struct sotto_lookup **link = &name->waiting;
        while (*link != NULL && *link != lookup) {
            link = &(*link)->next;
        }
        if (*link != NULL) {
            *link = lookup->next;
            return true;
        }
    }
    return false;
}

void sotto_lookup_cancel(struct sotto_lookup *lookup)
{
    if (lookup == NULL) {
        return;
    }
    struct sotto_resolver *resolver = lookup->resolver;
    pthread_mutex_lock(&resolver->lock);
    bool taken = take_back(resolver, lookup);
    pthread_mutex_unlock(&resolver->lock);
    if (taken) {
        sotto_free(lookup);
    } else {
        lookup->fn = NULL; /* freed when the posted answer arrives, at the latest with the loop */
    }
}

void sotto_resolver_set_source(struct sotto_resolver *resolver, sotto_resolver_source *source)
{
    pthread_mutex_lock(&resolver->lock);
    resolver->source = source != NULL ? source : from_system;
    pthread_mutex_unlock(&resolver->lock);
}

enum sotto_err sotto_resolver_new(struct sotto_resolver **out)
{
    struct sotto_resolver *resolver = sotto_calloc(1, sizeof(*resolver));
    if (resolver == NULL) {
        return SOTTO_ENOMEM;
    }
    pthread_mutex_init(&resolver->lock, NULL);
    resolver->holders = 1;
    resolver->source = from_system;
    *out = resolver;
    return SOTTO_OK;
}

void sotto_resolver_free(struct sotto_resolver *resolver)
{
    if (resolver == NULL) {
        return;
    }
    pthread_mutex_lock(&resolver->lock);
    resolver->closed = true;
    drop(resolver);
}

void sotto_resolver_prepare(void)
{
    struct sotto_addresses found = {0};
    (void)from_system("localhost", &found);
}

size_t sotto_resolver_paths(const char *paths[SOTTO_RESOLVER_PATHS])
{
    static const char *const always[] = {
        "/etc/resolv.conf",
        "/etc/hosts",
        "/etc/nsswitch.conf",
        "/etc/host.conf",
        "/etc/gai.conf",
        "/run/systemd/resolve",
        "/run/resolvconf",
        "/run/NetworkManager",
        "/usr/share/ca-certificates",
        "/usr/local/share/ca-certificates",
        "/usr/lib/ssl",
    };
    _Static_assert(SOTTO_COUNT(always) + 1 == SOTTO_RESOLVER_PATHS, "all fit");
    paths[0] = sotto_is_superuser() ? "/etc/ssl/certs" : "/etc";
    memcpy(paths + 1, always, sizeof(always));
    return SOTTO_RESOLVER_PATHS;
}
