/* SPDX-License-Identifier: ISC */
/*
 * sandbox.h - what a process gives up before it serves.
 *
 * The order in a child: open everything; sandbox_drop() (chroot, groups, user, proof that
 * there is no way back); sandbox_enter() (no new privileges, resource limits, Landlock,
 * seccomp). Master calls sandbox_enter_master() before it starts children; they inherit that
 * filter and add their own to it.
 *
 * What a role may do is a table of needs (needs.c), not a list in each process. A call that
 * is not on the list kills the process with SIGSYS; calls that libraries make to probe for
 * files fail with EACCES. None of these functions log or exit; a process for which one of
 * them failed must not serve.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include <stdbool.h>

#include "base/role.h"

struct sandbox_opts {
	enum role role;
	/* Started as root: chroot and change of user. False: an ordinary user tries EMSG out;
	 * then sandbox_drop() does nothing, everything else is the same. */
	bool privileged;
	/* The system user to become; NULL: role_user(role). Privileged only. */
	const char *user;
	/* The new root: an empty directory that only root can write to; queue and store: their
	 * data directory. NULL for dialer, which stays in a root that it can only read.
	 * Privileged only. */
	const char *chroot_dir;
	/* Queue, store: an open descriptor of the data directory, the only one that they may
	 * touch. -1 for all others. Borrowed. */
	int data_fd;
};

/* Changes root directory, groups and user, and proves that going back fails. 0, or -1 with
 * the reason in sandbox_error(). Needs an unprivileged user's name that getpwnam(3) knows. */
int sandbox_drop(const struct sandbox_opts *);

/* Gives up everything that the role does not need. To be called last, once, in a process with
 * one thread. 0, or -1 with the reason in sandbox_error(). Landlock is used as far as the
 * kernel has it; seccomp must be there. */
int sandbox_enter(const struct sandbox_opts *);

/* The same for the master: no new privileges and a filter that holds what master and all its
 * children need, before they set their own. What is not on it fails with ENOSYS. */
int sandbox_enter_master(void);

/* What failed last, a static text such as "seccomp filter"; errno tells why. */
const char *sandbox_error(void);

/* Whether this platform has a sandbox at all; false: the caller warns the operator. */
bool sandbox_supported(void);

/* The kernel's Landlock version, 0 if it has none or it is off. */
int sandbox_landlock_abi(void);

#endif
