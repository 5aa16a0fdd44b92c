/* SPDX-License-Identifier: Apache-2.0 */

#include "sys/sandbox_calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/compiler.h"

#if defined(__x86_64__)
#    define CALLS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#    define CALLS_ARCH AUDIT_ARCH_AARCH64
#endif

/* Memory, threads, time and descriptors that are open. */
static const int common_calls[] = {
    SYS_read,           SYS_write,
    SYS_readv,          SYS_writev,
    SYS_close,          SYS_lseek,
    SYS_fstat,          SYS_newfstatat,
    SYS_statx,          SYS_fcntl,
    SYS_munmap,         SYS_mremap,
    SYS_madvise,        SYS_brk,
    SYS_futex,          SYS_set_robust_list,
    SYS_rseq,           SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_rt_sigreturn,
    SYS_sigaltstack,    SYS_restart_syscall,
    SYS_exit,           SYS_exit_group,
    SYS_gettid,         SYS_getpid,
    SYS_tgkill, /* abort() */
    SYS_sched_yield,    SYS_sched_getaffinity,
    SYS_getrandom,      SYS_clock_gettime,
    SYS_clock_getres,   SYS_clock_nanosleep,
    SYS_nanosleep,      SYS_gettimeofday,
    SYS_getrusage,      SYS_sysinfo,
    SYS_uname,          SYS_epoll_ctl,
    SYS_epoll_pwait,    SYS_eventfd2,
    SYS_epoll_create1,  SYS_ppoll,
    SYS_membarrier,     SYS_geteuid,
    SYS_getuid,         SYS_getegid,
    SYS_getgid,         SYS_wait4,
    SYS_mlock,          SYS_munlock,
    SYS_openat, /* where Landlock lets it */
    SYS_pread64,        SYS_readlinkat,
    SYS_faccessat,
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
#ifdef SYS_poll
    SYS_poll,
#endif
#ifdef SYS_open
    SYS_open,           SYS_stat,
    SYS_lstat,          SYS_access,
    SYS_readlink,       SYS_time,
#endif
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
};

/* The store and the log. */
static const int vault_calls[] = {
    SYS_pwrite64,   SYS_fsync,     SYS_fdatasync, SYS_ftruncate, SYS_fallocate,       SYS_unlinkat,
    SYS_renameat,   SYS_renameat2, SYS_mkdirat,   SYS_fchmod,    SYS_fchmodat,        SYS_fchown,
    SYS_getdents64, SYS_flock,     SYS_umask,     SYS_getcwd,    SYS_statfs,          SYS_fstatfs,
    SYS_utimensat,  SYS_preadv,    SYS_pwritev,   SYS_linkat,    SYS_sync_file_range,
#ifdef SYS_unlink
    SYS_unlink,     SYS_rename,    SYS_mkdir,     SYS_chmod,     SYS_rmdir,           SYS_link,
#endif
};

/* Connections that are there. */
static const int front_calls[] = {
    SYS_accept4,    SYS_accept,     SYS_recvfrom,    SYS_recvmsg,     SYS_sendto,   SYS_sendmsg,
    SYS_setsockopt, SYS_getsockopt, SYS_getsockname, SYS_getpeername, SYS_shutdown,
};

/* Connections to upstreams, stores and name servers. */
static const int back_calls[] = {
    SYS_socket,     SYS_connect,     SYS_bind,        SYS_recvfrom, SYS_recvmsg,
    SYS_sendto,     SYS_sendmsg,     SYS_sendmmsg,    SYS_recvmmsg, SYS_setsockopt,
    SYS_getsockopt, SYS_getsockname, SYS_getpeername, SYS_shutdown, SYS_ioctl,
};

#define CALLS_MAX 400

struct program {
    struct sock_filter code[CALLS_MAX];
    unsigned short len;
};

static void add(struct program *p, struct sock_filter instruction)
{
    if (p->len < CALLS_MAX) {
        p->code[p->len++] = instruction;
    }
}

static void add_answer(struct program *p, uint32_t answer)
{
    add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

/* The next `skip` instructions are for this call alone. */
static void add_case(struct program *p, int call, uint8_t skip)
{
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, skip));
}

static void add_calls(struct program *p, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add_case(p, calls[i], 1);
        add_answer(p, SECCOMP_RET_ALLOW);
    }
}

/* Allowed where one of `bits` is set in an argument (`wanted`), or where none is. */
static void add_bits(struct program *p, int call, unsigned argument, uint32_t bits, bool wanted)
{
    const uint32_t no = SECCOMP_RET_ERRNO | EPERM;
    uint32_t offset = (uint32_t)(offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t));
    add_case(p, call, 4);
    add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1));
    add_answer(p, wanted ? SECCOMP_RET_ALLOW : no);
    add_answer(p, wanted ? no : SECCOMP_RET_ALLOW);
}

static void write_program(struct program *p, enum sotto_sandbox_room room)
{
    bool vault = room == SOTTO_SANDBOX_VAULT || room == SOTTO_SANDBOX_VAULT_STORES;
    const uint32_t exec = vault ? 0 : PROT_EXEC;
    add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                        offsetof(struct seccomp_data, arch)));
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CALLS_ARCH, 1, 0));
    add_answer(p, SECCOMP_RET_KILL_PROCESS);
    add(p,
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    add_calls(p, common_calls, SOTTO_COUNT(common_calls));
    switch (room) {
    case SOTTO_SANDBOX_FRONT:
        add_calls(p, front_calls, SOTTO_COUNT(front_calls));
        break;
    case SOTTO_SANDBOX_VAULT:
        add_calls(p, vault_calls, SOTTO_COUNT(vault_calls));
        break;
    case SOTTO_SANDBOX_VAULT_STORES:
        add_calls(p, vault_calls, SOTTO_COUNT(vault_calls));
        add_calls(p, back_calls, SOTTO_COUNT(back_calls));
        break;
    case SOTTO_SANDBOX_BACK:
        add_calls(p, back_calls, SOTTO_COUNT(back_calls));
        break;
    }
    add_bits(p, SYS_mmap, 2, exec, false);
    add_bits(p, SYS_mprotect, 2, exec, false);
    add_bits(p, SYS_clone, 0, CLONE_THREAD, true); /* threads, no processes */
    add_case(p, SYS_clone3, 1);
    add_answer(p, SECCOMP_RET_ERRNO | ENOSYS); /* its flags are in memory; libc then takes clone */
    add_answer(p, SECCOMP_RET_ERRNO | EPERM);
}

bool sotto_sandbox_calls(enum sotto_sandbox_room room)
{
#ifdef CALLS_ARCH
    struct program p = {.len = 0};
    write_program(&p, room);
    const struct sock_fprog filter = {.len = p.len, .filter = p.code};
    return p.len < CALLS_MAX && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
#else
    (void)room;
    return false;
#endif
}
