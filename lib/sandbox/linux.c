/* SPDX-License-Identifier: ISC */
/*
 * linux.c - the cage on Linux: no new privileges, limits, Landlock, seccomp.
 *
 * Called once in a child, after sandbox_drop(), and once in master before it starts anybody.
 * The order is fixed: each step needs calls that the next one takes away. It owns one flag,
 * for the sanitizers. Limits that are not set: NOFILE, because keyd, too, is handed new keys
 * as descriptors.
 * Fails: -1 with the step in sandbox_error(); the process must end then, not serve.
 */
#include "config.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef EMSG_SANITIZED
#include <sanitizer/lsan_interface.h>
#endif

#include "sandbox/fail.h"
#include "sandbox/needs.h"
#include "sandbox/nr.h"
#include "sandbox/sandbox.h"

#ifdef EMSG_SANITIZED
static int caged;

/* The leak check at exit stops its own process with ptrace(2), which no cage allows. */
int
__lsan_is_turned_off(void)
{
	return caged;
}
#endif

/* The change of user leaves the inheritable capabilities, which some containers set. Gives
 * all back, then looks, instead of believing. */
static int
no_capabilities(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	if (syscall(__NR_capset, &head, data) == -1)
		return sandbox_fail("capset");
	if (syscall(__NR_capget, &head, data) == -1)
		return sandbox_fail("capget");
	for (int i = 0; i < 2; i++) {
		if ((data[i].effective | data[i].permitted | data[i].inheritable) != 0) {
			errno = EPERM;
			return sandbox_fail("capabilities are left");
		}
	}
	return 0;
}

static bool
is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

static int
limits(unsigned needs)
{
	static const struct rlimit none;

	if (setrlimit(RLIMIT_CORE, &none) == -1)
		return sandbox_fail("limit of core files");
	if (!(needs & NEED_BIT(NEED_DIAL)) && setrlimit(RLIMIT_NPROC, &none) == -1)
		return sandbox_fail("limit of processes");
	/* A log that goes to a plain file may grow. */
	if (needs & NEED_BIT(NEED_FILES) || is_regular(STDOUT_FILENO) ||
	    is_regular(STDERR_FILENO))
		return 0;
	return setrlimit(RLIMIT_FSIZE, &none) == -1 ? sandbox_fail("limit of file sizes")
						    : 0;
}

static int
no_new_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return sandbox_fail("no new privileges");
	return 0;
}

int
sandbox_enter(const struct sandbox_opts *o)
{
	unsigned needs = needs_of(o->role);
	const char *what;

	if (o->privileged && no_capabilities() == -1)
		return -1;
	if (no_new_privileges() == -1)
		return -1;
	/* Nobody of the same user looks into the memory that holds the keys. */
	if (o->role == ROLE_KEYD && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return sandbox_fail("not dumpable");
	if (limits(needs) == -1)
		return -1;
#ifdef EMSG_SANITIZED
	caged = 1;
#endif
	what = landlock_install(needs, o->data_fd);
	if (what == NULL)
		what = seccomp_install(o->role);
	return what == NULL ? 0 : sandbox_fail(what);
}

int
sandbox_enter_master(void)
{
	const char *what;

	if (no_new_privileges() == -1)
		return -1;
#ifdef EMSG_SANITIZED
	caged = 1;
#endif
	what = seccomp_install(ROLE_MASTER);
	return what == NULL ? 0 : sandbox_fail(what);
}

bool
sandbox_supported(void)
{
	return true;
}
