/* SPDX-License-Identifier: ISC */
/*
 * needs.c - what each role needs, and which system calls that takes.
 *
 * Two tables: role -> needs, need -> rules. The filter (seccomp.c) asks the rules of a role's
 * needs one after the other; the first that matches decides; where none matches, the process
 * is killed. Calls that libraries make only to probe (is there a file? which terminal is it?)
 * fail with an errno at the end of NEED_BASE instead.
 * Conditions look at numbers only; what a pointer points to cannot be judged here, which is
 * why names of files are Landlock's business (landlock.c) and the root directory's.
 * The lists were tried with glibc 2.36, libevent 2.1, OpenSSL 3.0 and LMDB 0.9. When a
 * library of a new release dies with SIGSYS, "strace -f" names the call, and it belongs here.
 * tests/unit/check_sandbox.c protects both sides: what must work and what must not.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "sandbox/needs.h"
#include "sandbox/nr.h"

/* Constants that older headers lack. */
#define CLONE_NEWTIME_BIT 0x00000080U
#define PRCTL_SET_VMA 0x53564d41U
#define NETLINK_ROUTE_PROTOCOL 0U
#define AT_EMPTY_PATH_FLAG 0x1000U

#define CLONE_NAMESPACES                                                                 \
	((uint32_t)(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |        \
	     CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET) |                              \
	    CLONE_NEWTIME_BIT)
/* Any of these in open flags can change a file. */
#define OPEN_CHANGES ((uint32_t)(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND))

/* clang-format off */
#define ALLOW(name) { .nr = __NR_##name }
#define FAIL(name, e) { .nr = __NR_##name, .error = (e) }
#define EQ(a, v) { COND_EQ, (a), (uint32_t)(v) }
#define CLEAR(a, v) { COND_CLEAR, (a), (uint32_t)(v) }
#define SELF(a) { COND_SELF, (a), 0 }
#define NULLARG(a) { COND_NULL, (a), 0 }
#define IF(name, ...) { .nr = __NR_##name, .cond = { __VA_ARGS__ } }

static const struct rule hot[] = {
	ALLOW(read), ALLOW(write), ALLOW(readv), ALLOW(writev),
	ALLOW(recvmsg), ALLOW(sendmsg), ALLOW(recvfrom),
	/* send(2): an address would be a way to others. */
	IF(sendto, NULLARG(4)),
	ALLOW(epoll_wait), ALLOW(epoll_pwait), ALLOW(epoll_pwait2), ALLOW(epoll_ctl),
	ALLOW(clock_gettime), ALLOW(futex), ALLOW(close),
};

static const struct rule base[] = {
	/* Descriptors that are there. */
	ALLOW(pread64), ALLOW(lseek), ALLOW(fstat), ALLOW(shutdown),
	IF(newfstatat, EQ(3, AT_EMPTY_PATH_FLAG)),
	IF(fcntl, EQ(1, F_GETFL)), IF(fcntl, EQ(1, F_SETFL)),
	IF(fcntl, EQ(1, F_GETFD)), IF(fcntl, EQ(1, F_SETFD)),
	IF(fcntl, EQ(1, F_DUPFD_CLOEXEC)),
	ALLOW(getsockopt), ALLOW(getsockname), ALLOW(getpeername),
	IF(setsockopt, EQ(1, SOL_SOCKET)),
	IF(ioctl, EQ(1, FIONREAD)), IF(ioctl, EQ(1, FIONBIO)),
	/* The event loop is made before the cage closes. */
	ALLOW(poll), ALLOW(ppoll),
	/* Memory, never executable. */
	ALLOW(brk), ALLOW(munmap), ALLOW(mremap), ALLOW(madvise),
	IF(mmap, CLEAR(2, PROT_EXEC)), IF(mprotect, CLEAR(2, PROT_EXEC)),
	ALLOW(set_robust_list), ALLOW(rseq), ALLOW(membarrier),
	/* Time, signals, identity, end. */
	ALLOW(clock_getres), ALLOW(gettimeofday), ALLOW(time), ALLOW(nanosleep),
	ALLOW(clock_nanosleep), ALLOW(getrandom), ALLOW(restart_syscall),
	ALLOW(rt_sigaction), ALLOW(rt_sigprocmask), ALLOW(rt_sigreturn), ALLOW(sigaltstack),
	IF(tgkill, SELF(0)), IF(kill, SELF(0)),
	ALLOW(getpid), ALLOW(gettid), ALLOW(getppid), ALLOW(getuid), ALLOW(geteuid),
	ALLOW(getgid), ALLOW(getegid), ALLOW(uname), ALLOW(sysinfo), ALLOW(getrusage),
	ALLOW(times), ALLOW(getrlimit), IF(prlimit64, EQ(0, 0), NULLARG(2)),
	ALLOW(sched_yield), ALLOW(sched_getaffinity), ALLOW(exit), ALLOW(exit_group),
	IF(prctl, EQ(0, PR_SET_NAME)), IF(prctl, EQ(0, PR_GET_NAME)),
	IF(prctl, EQ(0, PR_SET_PDEATHSIG)), IF(prctl, EQ(0, PR_GET_DUMPABLE)),
	/* Probes: "no" is an answer that libraries take. */
	{ .nr = __NR_prctl, .error = EINVAL, .cond = { EQ(0, PRCTL_SET_VMA) } },
	{ .nr = __NR_ioctl, .error = ENOTTY, .cond = { EQ(1, TCGETS) } },
	FAIL(open, EACCES), FAIL(openat, EACCES), FAIL(openat2, EACCES), FAIL(creat, EACCES),
	FAIL(access, EACCES), FAIL(faccessat, EACCES), FAIL(faccessat2, EACCES),
	FAIL(stat, EACCES), FAIL(lstat, EACCES), FAIL(newfstatat, EACCES),
	FAIL(statx, EACCES), FAIL(readlink, EACCES), FAIL(readlinkat, EACCES),
	FAIL(getcwd, EACCES), FAIL(statfs, EACCES), FAIL(clone3, ENOSYS),
};

static const struct rule accepting[] = {
	ALLOW(accept4), ALLOW(accept),
};

static const struct rule tcp[] = {
	IF(setsockopt, EQ(1, IPPROTO_TCP)),
};

static const struct rule files[] = {
	ALLOW(pread64), ALLOW(pwrite64), ALLOW(preadv), ALLOW(pwritev), ALLOW(preadv2),
	ALLOW(pwritev2), ALLOW(fdatasync), ALLOW(fsync), ALLOW(msync),
	ALLOW(sync_file_range), ALLOW(ftruncate), ALLOW(fallocate), ALLOW(fadvise64),
	ALLOW(flock),
	IF(fcntl, EQ(1, F_SETLK)), IF(fcntl, EQ(1, F_SETLKW)), IF(fcntl, EQ(1, F_GETLK)),
	IF(fcntl, EQ(1, F_OFD_SETLK)), IF(fcntl, EQ(1, F_OFD_SETLKW)),
	IF(fcntl, EQ(1, F_OFD_GETLK)), IF(fcntl, EQ(1, F_DUPFD)),
	ALLOW(open), ALLOW(openat), ALLOW(rename), ALLOW(renameat), ALLOW(renameat2),
	ALLOW(unlink), ALLOW(unlinkat), ALLOW(mkdir), ALLOW(mkdirat), ALLOW(rmdir),
	ALLOW(fchmod), ALLOW(umask), ALLOW(getdents64), ALLOW(fstatfs), ALLOW(statfs),
	ALLOW(stat), ALLOW(lstat), ALLOW(newfstatat), ALLOW(statx),
	ALLOW(access), ALLOW(faccessat), ALLOW(faccessat2), ALLOW(getcwd),
};

static const struct rule dial[] = {
	/* IP, and what getaddrinfo asks of the routing table. Not AF_UNIX: local services
	 * are nobody's to talk to; glibc then asks DNS itself. */
	IF(socket, EQ(0, AF_INET)), IF(socket, EQ(0, AF_INET6)),
	IF(socket, EQ(0, AF_NETLINK), EQ(2, NETLINK_ROUTE_PROTOCOL)),
	FAIL(socket, EACCES),
	ALLOW(connect), ALLOW(bind), ALLOW(sendto), ALLOW(sendmmsg), ALLOW(recvmmsg),
	ALLOW(socketpair),
	IF(setsockopt, EQ(1, IPPROTO_IP)), IF(setsockopt, EQ(1, IPPROTO_IPV6)),
	/* Reading files, among them the modules of nsswitch.conf. */
	IF(open, CLEAR(1, OPEN_CHANGES)), IF(openat, CLEAR(2, OPEN_CHANGES)),
	ALLOW(stat), ALLOW(lstat), ALLOW(newfstatat), ALLOW(statx), ALLOW(access),
	ALLOW(faccessat), ALLOW(faccessat2), ALLOW(readlink), ALLOW(readlinkat),
	ALLOW(getcwd), ALLOW(statfs), ALLOW(fstatfs), ALLOW(getdents64), ALLOW(fadvise64),
	IF(mmap, EQ(2, PROT_READ | PROT_EXEC)),
	/* Short-lived children, a pipe to each. */
	ALLOW(pipe2),
	IF(clone, CLEAR(0, CLONE_NAMESPACES)), ALLOW(fork), ALLOW(vfork), ALLOW(wait4),
	ALLOW(waitid), ALLOW(kill), ALLOW(tgkill), ALLOW(set_tid_address), ALLOW(alarm),
	ALLOW(setitimer), ALLOW(dup), ALLOW(dup2), ALLOW(dup3), ALLOW(close_range),
};

/* The sanitizers' runtime walks its own stacks and maps, and when it reports it wants to fork
 * a program that finds symbols, and to trace. It gets an errno for that, so that the report
 * still appears where the plain build would be killed. Leak checks end with the cage. */
static const struct rule sanitizer[] = {
	ALLOW(personality), ALLOW(getitimer), ALLOW(prlimit64),
	FAIL(ptrace, EPERM), FAIL(clone, EPERM), FAIL(fork, EPERM), FAIL(vfork, EPERM),
	FAIL(process_vm_readv, EPERM),
};

/* Whatever the others need without conditions, and the tools for leaving rights behind.
 * Not here: ptrace, mount, namespaces, modules, bpf, keys, clocks, other processes' memory. */
static const struct rule master[] = {
	ALLOW(epoll_create), ALLOW(epoll_create1), ALLOW(eventfd), ALLOW(eventfd2),
	ALLOW(pipe), ALLOW(pipe2), ALLOW(timerfd_create), ALLOW(timerfd_settime),
	ALLOW(select), ALLOW(pselect6), ALLOW(mlock), ALLOW(mlock2), ALLOW(munlock),
	ALLOW(execve), ALLOW(execveat), IF(clone, CLEAR(0, CLONE_NAMESPACES)), ALLOW(fork),
	ALLOW(vfork), ALLOW(wait4), ALLOW(waitid), ALLOW(kill), ALLOW(tgkill),
	ALLOW(pidfd_open), ALLOW(pidfd_send_signal), ALLOW(arch_prctl),
	ALLOW(set_tid_address), ALLOW(personality),
	ALLOW(setuid), ALLOW(setgid), ALLOW(setreuid), ALLOW(setregid), ALLOW(setresuid),
	ALLOW(setresgid), ALLOW(setgroups), ALLOW(getgroups), ALLOW(getresuid),
	ALLOW(getresgid), ALLOW(capget), ALLOW(capset), ALLOW(prctl), ALLOW(seccomp),
	ALLOW(landlock_create_ruleset), ALLOW(landlock_add_rule),
	ALLOW(landlock_restrict_self), ALLOW(chroot), ALLOW(chdir), ALLOW(fchdir),
	ALLOW(getrlimit), ALLOW(setrlimit), ALLOW(prlimit64), ALLOW(setpriority),
	ALLOW(getpriority), ALLOW(setsid), ALLOW(getsid), ALLOW(setpgid), ALLOW(getpgid),
	ALLOW(getpgrp),
	ALLOW(socket), ALLOW(socketpair), ALLOW(bind), ALLOW(listen), ALLOW(connect),
	ALLOW(sendto), ALLOW(sendmmsg), ALLOW(recvmmsg), ALLOW(setsockopt),
	ALLOW(open), ALLOW(openat), ALLOW(openat2), ALLOW(creat), ALLOW(access),
	ALLOW(faccessat), ALLOW(faccessat2), ALLOW(stat), ALLOW(lstat), ALLOW(newfstatat),
	ALLOW(statx), ALLOW(statfs), ALLOW(fstatfs), ALLOW(readlink), ALLOW(readlinkat),
	ALLOW(getcwd), ALLOW(getdents), ALLOW(getdents64), ALLOW(rename), ALLOW(renameat),
	ALLOW(renameat2), ALLOW(unlink), ALLOW(unlinkat), ALLOW(mkdir), ALLOW(mkdirat),
	ALLOW(rmdir), ALLOW(link), ALLOW(linkat), ALLOW(symlink), ALLOW(symlinkat),
	ALLOW(chmod), ALLOW(fchmod), ALLOW(fchmodat), ALLOW(chown), ALLOW(lchown),
	ALLOW(fchown), ALLOW(fchownat), ALLOW(umask), ALLOW(utimensat), ALLOW(truncate),
	ALLOW(fcntl), ALLOW(ioctl), ALLOW(dup), ALLOW(dup2), ALLOW(dup3),
	ALLOW(close_range), ALLOW(mmap), ALLOW(mprotect), ALLOW(mlockall), ALLOW(mincore),
	ALLOW(inotify_init), ALLOW(inotify_init1), ALLOW(inotify_add_watch),
	ALLOW(inotify_rm_watch), ALLOW(signalfd4), ALLOW(rt_sigpending),
	ALLOW(rt_sigtimedwait), ALLOW(rt_sigsuspend), ALLOW(pause), ALLOW(alarm),
	ALLOW(setitimer), ALLOW(getitimer), ALLOW(sched_setaffinity),
	ALLOW(sched_getparam), ALLOW(sched_getscheduler), ALLOW(sync), ALLOW(syncfs),
};
/* clang-format on */

#define LIST(x)                                                                          \
	{                                                                                \
		(x), sizeof(x) / sizeof((x)[0])                                          \
	}

static const struct {
	const struct rule *rules;
	size_t n;
} lists[NEED_COUNT] = {
    [NEED_MASTER] = LIST(master),
    [NEED_HOT] = LIST(hot),
    [NEED_ACCEPT] = LIST(accepting),
    [NEED_TCP] = LIST(tcp),
    [NEED_FILES] = LIST(files),
    [NEED_DIAL] = LIST(dial),
    [NEED_SANITIZER] = LIST(sanitizer),
    [NEED_BASE] = LIST(base),
};

#ifdef EMSG_SANITIZED
#define NEED_ALL (NEED_BIT(NEED_HOT) | NEED_BIT(NEED_BASE) | NEED_BIT(NEED_SANITIZER))
#else
#define NEED_ALL (NEED_BIT(NEED_HOT) | NEED_BIT(NEED_BASE))
#endif

static const unsigned role_needs[ROLE_COUNT] = {
    [ROLE_MASTER] = NEED_ALL | NEED_BIT(NEED_MASTER) | NEED_BIT(NEED_ACCEPT) |
	NEED_BIT(NEED_TCP) | NEED_BIT(NEED_FILES) | NEED_BIT(NEED_DIAL),
    [ROLE_STORE] = NEED_ALL | NEED_BIT(NEED_FILES),
    [ROLE_QUEUE] = NEED_ALL | NEED_BIT(NEED_FILES),
    [ROLE_KEYD] = NEED_ALL,
    [ROLE_DIALER] = NEED_ALL | NEED_BIT(NEED_DIAL) | NEED_BIT(NEED_TCP),
    [ROLE_RELAY] = NEED_ALL | NEED_BIT(NEED_TCP),
    [ROLE_LISTENER] = NEED_ALL | NEED_BIT(NEED_TCP) | NEED_BIT(NEED_ACCEPT),
    [ROLE_CONTROL] = NEED_ALL | NEED_BIT(NEED_ACCEPT),
};

unsigned
needs_of(enum role role)
{
	return (unsigned)role < ROLE_COUNT ? role_needs[role] : NEED_ALL;
}

const struct rule *
needs_rules(enum need need, size_t *n)
{
	*n = lists[need].n;
	return lists[need].rules;
}
