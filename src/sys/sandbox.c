/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/sandbox_calls.h"

/* Newer than the headers of the oldest system we build on. */
#define NET_BIND_TCP       ((uint64_t)1 << 0)
#define NET_CONNECT_TCP    ((uint64_t)1 << 1)
#define SCOPE_ABSTRACT     ((uint64_t)1 << 0)
#define SCOPE_SIGNAL       ((uint64_t)1 << 1)
#define FS_REFER           ((uint64_t)1 << 13)
#define FS_TRUNCATE        ((uint64_t)1 << 14)
#define FS_IOCTL_DEV       ((uint64_t)1 << 15)
#define FS_FIRST           (((uint64_t)1 << 13) - 1) /* what version 1 knows */
#define RULE_NET_PORT      2
#define LANDLOCK_NET_SINCE 4
#define LANDLOCK_SIG_SINCE 6

/* struct landlock_ruleset_attr as of version 6. */
struct ruleset {
    uint64_t fs, net, scoped;
};

/* struct landlock_net_port_attr. */
struct net_rule {
    uint64_t rights, port;
};

/* A sanitizer starts processes and traces its own at the end, which no room may. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define SANDBOX_POSSIBLE false
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#        define SANDBOX_POSSIBLE false
#    endif
#endif
#ifndef SANDBOX_POSSIBLE
#    define SANDBOX_POSSIBLE true
#endif

/* --- capabilities ------------------------------------------------------------------------------ */

/* The vault keeps the right to a state folder that is another user's, where it has it. */
static void drop_capabilities(enum sotto_sandbox_room room)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    bool vault = room == SOTTO_SANDBOX_VAULT || room == SOTTO_SANDBOX_VAULT_STORES;
    uint32_t keep = vault ? 1U << CAP_DAC_OVERRIDE : 0;
    if (syscall(SYS_capget, &header, data) != 0) {
        return;
    }
    for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
        if (cap >= 32 || (keep & 1U << (unsigned)cap) == 0) {
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* fails where there is nothing to drop */
        }
    }
    for (int i = 0; i < 2; i++) {
        data[i].effective &= i == 0 ? keep : 0;
        data[i].permitted &= i == 0 ? keep : 0;
        data[i].inheritable = 0;
    }
    syscall(SYS_capset, &header, data); /* giving up rights cannot fail */
}

/* --- Landlock ---------------------------------------------------------------------------------- */

static uint64_t fs_rights(int version)
{
    uint64_t rights = FS_FIRST;
    rights |= version >= 2 ? FS_REFER : 0;
    rights |= version >= 3 ? FS_TRUNCATE : 0;
    rights |= version >= 5 ? FS_IOCTL_DEV : 0;
    return rights;
}

static bool allow(int ruleset, const char *path, uint64_t rights)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES;
    }
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode)) {
        rights &= LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE;
    }
    struct landlock_path_beneath_attr rule = {.allowed_access = rights, .parent_fd = fd};
    long result = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(fd);
    return result == 0;
}

static bool allow_all(int ruleset, const struct sotto_sandbox_paths *paths, uint64_t rights)
{
    const uint64_t reading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
    const uint64_t special = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
                             LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                             FS_IOCTL_DEV;
    bool good = true;
    for (const char *const *path = paths->read; *path != NULL; path++) {
        good = allow(ruleset, *path, reading) && good;
    }
    for (const char *const *path = paths->write; *path != NULL; path++) {
        good = allow(ruleset, *path, rights & ~special) && good;
    }
    return good;
}

static bool allow_ports(int ruleset, const uint16_t *ports)
{
    bool good = true;
    for (; ports != NULL && *ports != 0; ports++) {
        const struct net_rule rule = {NET_CONNECT_TCP, *ports};
        good = syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) == 0 && good;
    }
    return good;
}

/* The version that is in force; 0: none. */
static int restrict_paths(enum sotto_sandbox_room room, const struct sotto_sandbox_paths *paths)
{
    int version =
        (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) {
        return 0;
    }
    struct ruleset attr = {.fs = fs_rights(version)};
    if (version >= LANDLOCK_NET_SINCE) {
        attr.net = NET_BIND_TCP | (room == SOTTO_SANDBOX_BACK ? 0 : NET_CONNECT_TCP);
    }
    if (version >= LANDLOCK_SIG_SINCE) {
        attr.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
    }
    size_t size = version >= LANDLOCK_SIG_SINCE   ? sizeof(attr)
                  : version >= LANDLOCK_NET_SINCE ? sizeof(uint64_t) * 2
                                                  : sizeof(uint64_t);
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (ruleset < 0) {
        return 0;
    }
    bool good = allow_all(ruleset, paths, attr.fs) &&
                (version < LANDLOCK_NET_SINCE || allow_ports(ruleset, paths->connect)) &&
                syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
    close(ruleset);
    return good ? version : 0;
}

enum sotto_err sotto_sandbox(enum sotto_sandbox_room room, const struct sotto_sandbox_paths *paths,
                             struct sotto_sandbox_report *report)
{
    *report = (struct sotto_sandbox_report){0};
    if (!SANDBOX_POSSIBLE) {
        return SOTTO_EDENIED;
    }
    drop_capabilities(room);
    report->landlock = restrict_paths(room, paths);
    report->seccomp = sotto_sandbox_calls(room);
    return report->landlock != 0 && report->seccomp ? SOTTO_OK : SOTTO_EDENIED;
}
