/* SPDX-License-Identifier: ISC */
/*
 * landlock.c - which files a process may still reach by name.
 *
 * Three cases: none at all; the data directory (queue, store); reading everything (dialer).
 * Seccomp cannot judge names, and an unprivileged suite has no chroot, so this is what keeps
 * store out of the user's home then. Where the kernel knows them, TCP bind and connect and
 * signals and abstract sockets outside the cage are denied as well.
 * The constants are our own, with the values of the kernel's interface, because the headers
 * may be older than the kernel; what the kernel knows, it is asked (the ABI number).
 * Owns nothing after it returns. Called by linux.c. Fails: with the name of the step and
 * errno; a kernel without Landlock is no failure.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "sandbox/needs.h"
#include "sandbox/nr.h"
#include "sandbox/sandbox.h"

#define LL_CREATE_VERSION 1U
#define LL_RULE_PATH_BENEATH 1

#define LL_EXECUTE (UINT64_C(1) << 0)
#define LL_WRITE_FILE (UINT64_C(1) << 1)
#define LL_READ_FILE (UINT64_C(1) << 2)
#define LL_READ_DIR (UINT64_C(1) << 3)
#define LL_REMOVE_DIR (UINT64_C(1) << 4)
#define LL_REMOVE_FILE (UINT64_C(1) << 5)
#define LL_MAKE_DIR (UINT64_C(1) << 7)
#define LL_MAKE_REG (UINT64_C(1) << 8)
#define LL_FS_ABI1 ((UINT64_C(1) << 13) - 1)
#define LL_REFER (UINT64_C(1) << 13)     /* ABI 2 */
#define LL_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define LL_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */

#define LL_NET_BOTH UINT64_C(3)   /* ABI 4: TCP bind, TCP connect */
#define LL_SCOPE_BOTH UINT64_C(3) /* ABI 6: abstract sockets, signals */

#define LL_FS_READ (LL_READ_FILE | LL_READ_DIR)
#define LL_FS_DATA                                                                       \
	(LL_FS_READ | LL_WRITE_FILE | LL_REMOVE_DIR | LL_REMOVE_FILE | LL_MAKE_DIR |     \
	    LL_MAKE_REG | LL_REFER | LL_TRUNCATE)

struct ll_ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct ll_path {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

int
sandbox_landlock_abi(void)
{
	long abi = syscall(__NR_landlock_create_ruleset, NULL, 0, LL_CREATE_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

static struct ll_ruleset
ll_handled(int abi, unsigned needs)
{
	struct ll_ruleset r = {.fs = LL_FS_ABI1};

	if (abi >= 2)
		r.fs |= LL_REFER;
	if (abi >= 3)
		r.fs |= LL_TRUNCATE;
	if (abi >= 5)
		r.fs |= LL_IOCTL_DEV;
	if (abi >= 4 && (needs & NEED_BIT(NEED_DIAL)) == 0)
		r.net = LL_NET_BOTH;
	if (abi >= 6)
		r.scoped = LL_SCOPE_BOTH;
	return r;
}

/* How much of the structure this kernel knows; more is refused. */
static size_t
ll_size(int abi)
{
	return abi >= 6 ? sizeof(struct ll_ruleset) : abi >= 4 ? 16 : 8;
}

static long
ll_allow(int ruleset, int dirfd, uint64_t allowed)
{
	struct ll_path path = {.allowed = allowed, .fd = dirfd};

	return syscall(__NR_landlock_add_rule, ruleset, LL_RULE_PATH_BENEATH, &path, 0);
}

static const char *
ll_allow_root(int ruleset)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	long r;

	if (fd == -1)
		return "open /";
	r = ll_allow(ruleset, fd, LL_FS_READ);
	(void)close(fd);
	return r == -1 ? "landlock rule for /" : NULL;
}

static const char *
ll_fill(int ruleset, uint64_t handled, unsigned needs, int data_fd)
{
	if (needs & NEED_BIT(NEED_DIAL))
		return ll_allow_root(ruleset);
	if (!(needs & NEED_BIT(NEED_FILES)))
		return NULL;
	if (ll_allow(ruleset, data_fd, LL_FS_DATA & handled) == -1)
		return "landlock rule for the data directory";
	return NULL;
}

const char *
landlock_install(unsigned needs, int data_fd)
{
	int abi = sandbox_landlock_abi(), fd, saved;
	struct ll_ruleset handled;
	const char *what;

	if (abi == 0)
		return NULL;
	handled = ll_handled(abi, needs);
	fd = (int)syscall(__NR_landlock_create_ruleset, &handled, ll_size(abi), 0);
	if (fd == -1)
		return "landlock ruleset";
	what = ll_fill(fd, handled.fs, needs, data_fd);
	if (what == NULL && syscall(__NR_landlock_restrict_self, fd, 0) == -1)
		what = "landlock";
	saved = errno;
	(void)close(fd);
	errno = saved;
	return what;
}
