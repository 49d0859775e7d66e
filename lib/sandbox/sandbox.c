/* SPDX-License-Identifier: ISC */
/*
 * sandbox.c - a new root directory and another user, and the proof that both are final.
 *
 * The part that every Unix has; the cage itself is in linux.c, or none.c elsewhere. Called
 * by the skeleton of the processes after they opened everything. It owns the text of the
 * last failure and nothing more.
 * Fails: -1 with that text and errno. A process that failed half-way may be root without its
 * files or an ordinary user without a cage: it must end.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/fail.h"
#include "sandbox/sandbox.h"

static const char *last_error = "nothing";

const char *
sandbox_error(void)
{
	return last_error;
}

int
sandbox_fail(const char *what)
{
	last_error = what;
	return -1;
}

static int
sandbox_refuse(const char *what, int error)
{
	errno = error;
	return sandbox_fail(what);
}

/* An empty root in which others can write is no cage; a data directory is its user's. */
static int
drop_root_check(int fd, bool is_data)
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return sandbox_fail("stat of the new root");
	if (!is_data && (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0))
		return sandbox_refuse("new root is writable by others than root", EPERM);
	return 0;
}

static int
drop_root(const struct sandbox_opts *o)
{
	int fd, r;

	if (o->chroot_dir == NULL && o->role != ROLE_DIALER)
		return sandbox_refuse("no directory for the new root", EINVAL);
	if (o->chroot_dir == NULL)
		return chdir("/") == 0 ? 0 : sandbox_fail("chdir");
	fd = open(o->chroot_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return sandbox_fail("open of the new root");
	r = drop_root_check(fd, o->data_fd >= 0);
	if (r == 0 && (fchdir(fd) == -1 || chroot(".") == -1 || chdir("/") == -1))
		r = sandbox_fail("chroot");
	(void)close(fd);
	return r;
}

static int
drop_user(uid_t uid, gid_t gid)
{
	if (setgroups(0, NULL) == -1)
		return sandbox_fail("setgroups");
	if (setresgid(gid, gid, gid) == -1)
		return sandbox_fail("setresgid");
	if (setresuid(uid, uid, uid) == -1)
		return sandbox_fail("setresuid");
	return 0;
}

/* All ids are the new ones, and every way back to root is shut. */
static int
drop_verify(uid_t uid, gid_t gid)
{
	uid_t u[3];
	gid_t g[3];

	if (getresuid(&u[0], &u[1], &u[2]) == -1 || getresgid(&g[0], &g[1], &g[2]) == -1)
		return sandbox_fail("getresuid");
	for (int i = 0; i < 3; i++)
		if (u[i] != uid || g[i] != gid)
			return sandbox_refuse("ids are not the new ones", EPERM);
	if (getgroups(0, NULL) != 0)
		return sandbox_refuse("groups are left", EPERM);
	if (setuid(0) != -1 || seteuid(0) != -1 ||
	    setresuid((uid_t)-1, 0, (uid_t)-1) != -1)
		return sandbox_refuse("can be root again", EPERM);
	if (setgid(0) != -1 || setegid(0) != -1 || setgroups(0, NULL) != -1)
		return sandbox_refuse("can have other groups again", EPERM);
	return 0;
}

int
sandbox_drop(const struct sandbox_opts *o)
{
	const char *user = o->user != NULL ? o->user : role_user(o->role);
	struct passwd *pw;
	uid_t uid;
	gid_t gid;

	if (!o->privileged)
		return 0;
	errno = 0;
	pw = getpwnam(user);
	if (pw == NULL)
		return sandbox_refuse("no such user", errno != 0 ? errno : ENOENT);
	uid = pw->pw_uid;
	gid = pw->pw_gid;
	if (uid == 0 || gid == 0)
		return sandbox_refuse("the user is root", EINVAL);
	if (drop_root(o) == -1 || drop_user(uid, gid) == -1)
		return -1;
	return drop_verify(uid, gid);
}
