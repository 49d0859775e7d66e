/* SPDX-License-Identifier: ISC */
/*
 * check_sandbox.c - tests of lib/sandbox: every role in its cage, doing what it must not and
 * what it must.
 *
 * Each act runs in a child of its own that enters the cage of a role, does one thing and
 * reports by its end: 0 it worked, an errno it was refused, SIGSYS it was killed. Roles are
 * caged as under an ordinary user and, when run as root, also with a new root directory and
 * as "nobody"; all that once more below master's filter. Without Landlock in the kernel, what
 * only it forbids is skipped; it says so.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <lmdb.h>
#include <netdb.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/sandbox.h"

#define KILLED (-SIGSYS)
#ifdef EMSG_SANITIZED
#define KILLED_OR_EPERM EPERM /* the sanitizers' runtime gets an answer */
#else
#define KILLED_OR_EPERM KILLED
#endif

enum mode { MODE_USER, MODE_ROOT, MODE_USER_MASTER, MODE_ROOT_MASTER, MODE_COUNT };

static char dir[64];  /* the data directory, or the empty root */
static int data_fd;   /* the same, open */
static int passed;    /* a TCP socket that the master made */
static int listening; /* one that listens */
static int pair[2];

static bool
has_files(enum role role)
{
	return role == ROLE_STORE || role == ROLE_QUEUE;
}

static bool
mode_possible(enum mode mode)
{
	return geteuid() == 0 || mode == MODE_USER || mode == MODE_USER_MASTER;
}

static struct event_base *loop; /* made outside, as proc.c does */

static void
setup(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};

	(void)snprintf(dir, sizeof(dir), "/tmp/emsg-sandbox-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	data_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(data_fd, 0);
	passed = socket(AF_INET, SOCK_STREAM, 0);
	listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(listening, (struct sockaddr *)&sin, sizeof(sin)), 0);
	ck_assert_int_eq(listen(listening, 1), 0);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	loop = event_base_new();
}

/* What an act of another user left. */
static void
clear_data(void)
{
	static const char *const names[] = {"a", "b", "data.mdb", "lock.mdb"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(data_fd, names[i], 0);
	(void)unlinkat(data_fd, "d", AT_REMOVEDIR);
}

static void
teardown(void)
{
	static const char *const names[] = {"a", "b", "data.mdb", "lock.mdb", "d"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(data_fd, names[i], 0);
	(void)rmdir(dir);
}

static int
enter(enum role role, enum mode mode)
{
	bool root = mode == MODE_ROOT || mode == MODE_ROOT_MASTER;
	struct sandbox_opts o = {.role = role,
	    .privileged = root,
	    .user = "nobody",
	    .chroot_dir = role == ROLE_DIALER ? NULL : dir,
	    .data_fd = has_files(role) ? data_fd : -1};

	/* A data directory belongs to its user. */
	if (root && has_files(role) && fchown(data_fd, 65534, 65534) == -1)
		return -1;
	if (mode >= MODE_USER_MASTER && sandbox_enter_master() == -1)
		return -1;
	return sandbox_drop(&o) == -1 || sandbox_enter(&o) == -1 ? -1 : 0;
}

static int
end_of(pid_t pid)
{
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* 0, an errno, or minus a signal. */
static int
try(enum role role, enum mode mode, int (*act)(void))
{
	pid_t pid;

	clear_data();
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (enter(role, mode) == -1) {
			(void)fprintf(stderr, "%s: %s: %s\n", role_name(role),
			    sandbox_error(), strerror(errno));
			_exit(255);
		}
		errno = 0;
		_exit(act() == -1 ? errno : 0);
	}
	return end_of(pid);
}

static int
act_socket_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) == -1 ? -1 : 0;
}

static int
act_socket_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) == -1 ? -1 : 0;
}

static int
act_netfilter(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 12) == -1 ? -1 : 0;
}

static int
act_connect(void)
{
	struct sockaddr_in sin;
	socklen_t len = sizeof(sin);

	if (getsockname(listening, (struct sockaddr *)&sin, &len) == -1)
		return -1;
	if (connect(passed, (struct sockaddr *)&sin, len) == -1 && errno != EISCONN)
		return -1;
	return 0;
}

static int
act_sendto_address(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};

	(void)sendto(passed, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&sin, sizeof(sin));
	return 0;
}

static int
act_accept(void)
{
	return accept4(listening, NULL, NULL, 0) == -1 && errno != EAGAIN ? -1 : 0;
}

static int
act_tcp_option(void)
{
	int on = 1;

	return setsockopt(passed, IPPROTO_TCP, 1, &on, sizeof(on));
}

static int
act_open_read(void)
{
	return open("/etc/passwd", O_RDONLY) == -1 ? -1 : 0;
}

static int
act_open_write(void)
{
	return open("/tmp/emsg-sandbox-forbidden", O_WRONLY | O_CREAT, 0600) == -1 ? -1
										   : 0;
}

static int
act_unlink(void)
{
	return unlink("/tmp/emsg-sandbox-nothing");
}

static int
act_execve(void)
{
	char *const argv[] = {NULL};

	return execve("/bin/true", argv, argv);
}

static int
act_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1 ? -1 : 0;
}

static int
act_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid == -1 ? -1 : waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static int
act_namespace(void)
{
	return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) == -1 ? -1 : 0;
}

static int
act_map_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : 0;
}

static int
act_make_code(void)
{
	void *p =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? -1 : mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static int
act_kill_parent(void)
{
	return kill(getppid(), 0);
}

/* Calls that nobody needs; whatever their arguments. */
static const long forbidden[] = {SYS_setuid, SYS_setresuid, SYS_chroot, SYS_mount,
    SYS_unshare, SYS_setns, SYS_bpf, SYS_keyctl, SYS_process_vm_writev,
    SYS_io_uring_setup, SYS_perf_event_open, SYS_init_module, SYS_reboot,
    SYS_settimeofday, SYS_memfd_create, SYS_userfaultfd, SYS_listen, SYS_pidfd_getfd,
    SYS_swapon, SYS_acct, SYS_capset, SYS_seccomp, SYS_symlinkat, SYS_linkat, SYS_mknodat,
    SYS_fchownat, SYS_epoll_create1, SYS_eventfd2, SYS_timerfd_create};
static size_t forbidden_at;

static int
act_forbidden(void)
{
	return syscall(forbidden[forbidden_at], 0, 0, 0, 0, 0, 0) == -1 ? -1 : 0;
}

#ifdef __x86_64__
static int
act_x32(void)
{
	return syscall(0x40000000 | SYS_getpid) == -1 ? -1 : 0;
}
#endif

/* What everybody's libc, allocator and IPC do. */
static int
act_live(void)
{
	struct timespec ts;
	char byte = 'x', *p;
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
	int size;
	socklen_t len = sizeof(size);

	for (size_t n = 1; n < (64U << 20); n *= 4) {
		if ((p = malloc(n)) == NULL)
			return -1;
		memset(p, 1, n);
		p = realloc(p, n * 2);
		free(p);
	}
	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1 || getrandom(&size, 4, 0) != 4)
		return -1;
	if (sendmsg(pair[0], &m, MSG_NOSIGNAL) != 1 || recvmsg(pair[1], &m, 0) != 1)
		return -1;
	if (send(pair[0], "y", 1, MSG_NOSIGNAL) != 1 || recv(pair[1], &byte, 1, 0) != 1)
		return -1;
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK) == -1)
		return -1;
	if (getsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, &len) == -1)
		return -1;
	(void)prctl(PR_SET_NAME, "caged");
	return write(STDERR_FILENO, "", 0) == -1 ? -1 : 0;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)raise(SIGTERM);
	*(int *)arg += 1;
}

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)event_base_loopbreak(arg);
}

static int
act_event_loop(void)
{
	struct timeval soon = {0, 1000};
	struct event *timer, *sig;
	int n = 0;

	timer = event_new(loop, -1, 0, on_timer, &n);
	sig = event_new(loop, SIGTERM, EV_SIGNAL | EV_PERSIST, on_signal, loop);
	if (event_add(timer, &soon) == -1 || event_add(sig, NULL) == -1)
		return -1;
	if (event_base_dispatch(loop) == -1)
		return -1;
	event_free(timer);
	event_free(sig);
	event_base_free(loop);
	errno = EPROTO;
	return n == 1 ? 0 : -1;
}

static int
act_crypto(void)
{
	unsigned char sig[64];
	size_t n = sizeof(sig);
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok;

	errno = EPROTO;
	if (key == NULL || ctx == NULL)
		return -1;
	ok = EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, sig, &n, (const unsigned char *)"abc", 3) == 1;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok ? 0 : -1;
}

static int
act_files(void)
{
	struct iovec v = {(void *)(uintptr_t) "data", 4};
	struct stat st;
	void *p;
	int fd = openat(data_fd, "a", O_RDWR | O_CREAT, 0600);

	if (fd == -1 || flock(fd, LOCK_EX) == -1 || ftruncate(fd, 8192) == -1)
		return -1;
	if (posix_fallocate(fd, 0, 16384) != 0 || pwritev(fd, &v, 1, 0) != 4)
		return -1;
	if (fdatasync(fd) == -1 || fstat(fd, &st) == -1 || fsync(data_fd) == -1)
		return -1;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || msync(p, 4096, MS_SYNC) == -1 || munmap(p, 4096) == -1)
		return -1;
	if (mkdirat(data_fd, "d", 0700) == -1 ||
	    renameat(data_fd, "a", data_fd, "d/a") == -1)
		return -1;
	if (renameat(data_fd, "d/a", data_fd, "b") == -1)
		return -1;
	return unlinkat(data_fd, "b", 0) == -1 ? -1
					       : unlinkat(data_fd, "d", AT_REMOVEDIR);
}

/* By path, as LMDB is opened: below a new root the data directory is "/". */
static int
act_lmdb(void)
{
	const char *path = access("/lib", F_OK) == -1 && errno == ENOENT ? "/" : dir;
	MDB_val k = {1, (void *)(uintptr_t) "k"}, v = {1, (void *)(uintptr_t) "v"};
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	int r;

	if ((r = mdb_env_create(&env)) == 0 &&
	    (r = mdb_env_open(env, path, 0, 0600)) == 0 &&
	    (r = mdb_txn_begin(env, NULL, 0, &txn)) == 0 &&
	    (r = mdb_dbi_open(txn, NULL, MDB_CREATE, &dbi)) == 0 &&
	    (r = mdb_put(txn, dbi, &k, &v, 0)) == 0 && (r = mdb_txn_commit(txn)) == 0 &&
	    (r = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn)) == 0 &&
	    (r = mdb_get(txn, dbi, &k, &v)) == 0) {
		mdb_txn_abort(txn);
		mdb_env_close(env);
	}
	errno = r;
	return r == 0 ? 0 : -1;
}

static int
act_resolve(void)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *ai;
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(getaddrinfo("localhost", "443", &hints, &ai) == 0 ? 0 : 1);
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		return -1;
	errno = EPROTO;
	return status == 0 ? 0 : -1;
}

#define FOR_MODES(mode)                                                                  \
	for (enum mode mode = MODE_USER; mode < MODE_COUNT; mode++)                      \
		if (mode_possible(mode))

/* The act ends like this in the roles of the set, and like that in the others. */
static void
expect(enum role role, int (*act)(void), const char *name, unsigned set, int in, int out)
{
	int want = set & ROLE_BIT(role) ? in : out, got;

	FOR_MODES(mode)
	{
		got = try(role, mode, act);
		ck_assert_msg(got == want, "%s: %s in mode %d: got %d, want %d",
		    role_name(role), name, (int)mode, got, want);
	}
}

#define EXPECT(act, set, in, out) expect((enum role)_i, act, #act, set, in, out)
#define FILES (ROLE_BIT(ROLE_STORE) | ROLE_BIT(ROLE_QUEUE))
#define DIAL ROLE_BIT(ROLE_DIALER)
#define TCP (DIAL | ROLE_BIT(ROLE_RELAY) | ROLE_BIT(ROLE_LISTENER))
#define ACCEPT (ROLE_BIT(ROLE_LISTENER) | ROLE_BIT(ROLE_CONTROL))

START_TEST(test_works)
{
	EXPECT(act_live, 0, 0, 0);
	EXPECT(act_event_loop, 0, 0, 0);
	EXPECT(act_crypto, 0, 0, 0);
	EXPECT(act_accept, ACCEPT, 0, KILLED);
	EXPECT(act_tcp_option, TCP, 0, KILLED);
	if (has_files((enum role)_i)) {
		EXPECT(act_files, FILES, 0, 0);
		EXPECT(act_lmdb, FILES, 0, 0);
	}
	if (_i == ROLE_DIALER)
		EXPECT(act_resolve, DIAL, 0, 0);
}
END_TEST

START_TEST(test_network)
{
	EXPECT(act_socket_inet, DIAL, 0, KILLED);
	EXPECT(act_socket_unix, DIAL, EACCES, KILLED);
	EXPECT(act_netfilter, DIAL, EACCES, KILLED);
	EXPECT(act_connect, DIAL, 0, KILLED);
	EXPECT(act_sendto_address, DIAL, 0, KILLED);
}
END_TEST

START_TEST(test_processes)
{
	EXPECT(act_execve, 0, 0, KILLED);
	EXPECT(act_ptrace, 0, 0, KILLED_OR_EPERM);
	EXPECT(act_fork, DIAL, 0, KILLED_OR_EPERM);
	EXPECT(act_namespace, 0, 0, KILLED_OR_EPERM);
	EXPECT(act_map_code, 0, 0, KILLED);
	EXPECT(act_make_code, 0, 0, KILLED);
	if (sandbox_landlock_abi() >= 6 || _i != ROLE_DIALER)
		EXPECT(act_kill_parent, DIAL, EPERM, KILLED);
	for (forbidden_at = 0; forbidden_at < sizeof(forbidden) / sizeof(forbidden[0]);
	     forbidden_at++)
		EXPECT(act_forbidden, 0, 0, KILLED);
#ifdef __x86_64__
	EXPECT(act_x32, 0, 0, KILLED);
#endif
}
END_TEST

START_TEST(test_names)
{
	int got;

	if (!has_files((enum role)_i)) {
		EXPECT(act_open_read, DIAL, 0, EACCES);
		EXPECT(act_open_write, 0, 0, EACCES);
		EXPECT(act_unlink, 0, 0, KILLED);
		return;
	}
	/* Below a new root the name is not there; else Landlock forbids it. */
	FOR_MODES(mode)
	{
		if (sandbox_landlock_abi() == 0 && mode != MODE_ROOT &&
		    mode != MODE_ROOT_MASTER)
			continue;
		got = try((enum role)_i, mode, act_open_read);
		ck_assert_msg(got == EACCES || got == ENOENT, "read: %d", got);
		got = try((enum role)_i, mode, act_open_write);
		ck_assert_msg(got == EACCES || got == ENOENT, "write: %d", got);
	}
}
END_TEST

/* The number behind a name in /proc/pid/status, or -1. */
static int
status_value(pid_t pid, const char *name, int base)
{
	char path[64], line[256];
	int value = -1;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			value = (int)strtol(line + strlen(name) + 1, NULL, base);
	(void)fclose(f);
	return value;
}

START_TEST(test_status)
{
	char byte;
	pid_t pid;

	FOR_MODES(mode)
	{
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			byte = enter((enum role)_i, mode) == 0 ? 'y' : 'n';
			(void)!write(pair[1], &byte, 1);
			(void)!read(pair[1], &byte, 1);
			_exit(0);
		}
		ck_assert_int_eq(read(pair[0], &byte, 1), 1);
		ck_assert_int_eq(byte, 'y');
		ck_assert_int_eq(status_value(pid, "Seccomp", 10), 2);
		ck_assert_int_eq(status_value(pid, "NoNewPrivs", 10), 1);
		if (mode == MODE_ROOT || mode == MODE_ROOT_MASTER)
			ck_assert_int_eq(status_value(pid, "CapInh", 16), 0);
		ck_assert_int_eq(status_value(pid, "Uid", 10),
		    mode == MODE_ROOT || mode == MODE_ROOT_MASTER ? 65534
								  : (int)getuid());
		ck_assert_int_eq(write(pair[0], "x", 1), 1);
		ck_assert_int_eq(end_of(pid), 0);
	}
}
END_TEST

static int
act_run_program(void)
{
	char *const argv[] = {(char *)(uintptr_t) "true", NULL};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)execv("/bin/true", argv);
		_exit(1);
	}
	errno = EPROTO;
	return pid != -1 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static int
try_master(int (*act)(void))
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (sandbox_enter_master() == -1)
			_exit(255);
		_exit(act() == -1 ? errno : 0);
	}
	return end_of(pid);
}

START_TEST(test_master)
{
	ck_assert_int_eq(try_master(act_live), 0);
	ck_assert_int_eq(try_master(act_event_loop), 0);
	ck_assert_int_eq(try_master(act_crypto), 0);
	ck_assert_int_eq(try_master(act_files), 0);
	ck_assert_int_eq(try_master(act_run_program), 0);
	ck_assert_int_eq(try_master(act_socket_unix), 0);
	ck_assert_int_eq(try_master(act_resolve), 0);
#ifndef EMSG_SANITIZED
	ck_assert_int_eq(try_master(act_ptrace), ENOSYS);
#endif
	for (forbidden_at = 3; forbidden_at < 11; forbidden_at++)
		ck_assert_int_eq(try_master(act_forbidden), ENOSYS);
#ifdef __x86_64__
	ck_assert_int_eq(try_master(act_x32), KILLED);
#endif
}
END_TEST

START_TEST(test_drop_refuses)
{
	struct sandbox_opts o = {.role = ROLE_RELAY,
	    .privileged = true,
	    .user = "root",
	    .chroot_dir = dir,
	    .data_fd = -1};

	ck_assert_int_eq(sandbox_drop(&o), -1);
	ck_assert_str_eq(sandbox_error(), "the user is root");
	o.user = "no-such-user-here";
	ck_assert_int_eq(sandbox_drop(&o), -1);
	ck_assert_str_eq(sandbox_error(), "no such user");
	o.user = "nobody";
	o.chroot_dir = NULL;
	ck_assert_int_eq(sandbox_drop(&o), -1);
	ck_assert_str_eq(sandbox_error(), "no directory for the new root");
	o.chroot_dir = "/tmp"; /* everybody can write there */
	ck_assert_int_eq(sandbox_drop(&o), -1);
	ck_assert_str_eq(sandbox_error(), "new root is writable by others than root");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sandbox");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	if (sandbox_landlock_abi() == 0)
		(void)printf("no Landlock in this kernel: file names are not tested\n");
	if (geteuid() != 0)
		(void)printf("not root: new roots and users are not tested\n");
	suite_add_tcase(s, t);
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_works, ROLE_STORE, ROLE_COUNT);
	tcase_add_loop_test(t, test_network, ROLE_STORE, ROLE_COUNT);
	tcase_add_loop_test(t, test_processes, ROLE_STORE, ROLE_COUNT);
	tcase_add_loop_test(t, test_names, ROLE_STORE, ROLE_COUNT);
	tcase_add_loop_test(t, test_status, ROLE_STORE, ROLE_COUNT);
	tcase_add_test(t, test_master);
	tcase_add_test(t, test_drop_refuses);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
