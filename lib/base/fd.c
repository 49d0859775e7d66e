/* SPDX-License-Identifier: ISC */
/*
 * fd.c - descriptors: flags, pairs, peers, closing what should not be open.
 *
 * Small wrappers that the master uses when it plumbs its children, that every process uses
 * at its start, and that store, keyd and the tools use for small files. It owns nothing: all
 * descriptors belong to the caller.
 * Fails: -1 with errno, and then nothing is left open or half written.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

int
fd_nonblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1)
		return -1;
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int
fd_cloexec(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags == -1)
		return -1;
	flags = on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC;
	return fcntl(fd, F_SETFD, flags);
}

/* Asks for a send buffer; the plain option is cut to a system limit, the forced one needs
 * CAP_NET_ADMIN. A smaller buffer than asked for is no error. */
static void
fd_buffer(int fd, int size)
{
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

int
fd_pair(int pair[2], int buffer)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) ==
	    -1)
		return -1;
	for (int i = 0; buffer > 0 && i < 2; i++)
		fd_buffer(pair[i], buffer);
	return 0;
}

int
fd_peer(int fd, uid_t *uid, gid_t *gid, pid_t *pid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return -1;
	/* A socket that is no connected AF_UNIX socket has pid 0 and ids of -1. */
	if (cred.pid <= 0) {
		errno = ENOTCONN;
		return -1;
	}
	if (uid != NULL)
		*uid = cred.uid;
	if (gid != NULL)
		*gid = cred.gid;
	if (pid != NULL)
		*pid = cred.pid;
	return 0;
}

/* The smallest descriptor in keep that is >= low, or INT_MAX. */
static int
fd_next_kept(int low, const int *keep, size_t n)
{
	int next = INT_MAX;

	for (size_t i = 0; i < n; i++)
		if (keep[i] >= low && keep[i] < next)
			next = keep[i];
	return next;
}

int
fd_close_from(int low, const int *keep, size_t n)
{
	int next;

	for (; low < INT_MAX; low = next + 1) {
		next = fd_next_kept(low, keep, n);
		if (next > low && close_range((unsigned)low, (unsigned)next - 1, 0) == -1)
			return -1;
		if (next == INT_MAX)
			break;
	}
	return 0;
}

int
fd_sane_stdio(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd == -1)
			return -1;
	} while (fd <= STDERR_FILENO);
	return close(fd);
}

/* Reads until the end or until size bytes are there; returns how many, or -1. */
static ssize_t
fd_pread_full(int fd, unsigned char *p, size_t size)
{
	size_t got = 0;
	ssize_t r;

	while (got < size) {
		r = pread(fd, p + got, size - got, (off_t)got);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

int
fd_read_all(int fd, size_t max, unsigned char **out, size_t *n)
{
	struct stat st;
	unsigned char *p;
	size_t room = max;
	ssize_t got;

	if (fstat(fd, &st) == -1)
		return -1;
	/* Files in /proc and /sys say 0. */
	if (S_ISREG(st.st_mode) && st.st_size > 0 && (uint64_t)st.st_size < max)
		room = (size_t)st.st_size;
	/* One byte more than expected shows that the file is larger. */
	p = xmalloc(room + 1);
	got = fd_pread_full(fd, p, room + 1);
	if (got == -1 || (size_t)got > room) {
		int saved = got == -1 ? errno : EFBIG;

		freezero(p, room + 1);
		errno = saved;
		return -1;
	}
	p[got] = '\0';
	*out = p;
	*n = (size_t)got;
	return 0;
}

static int
fd_write_full(int fd, const unsigned char *p, size_t n)
{
	ssize_t r;

	while (n > 0) {
		r = write(fd, p, n);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return -1;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

/* Makes the file "name" with this content and waits until it is on disk. */
static int
fd_write_new(int dirfd, const char *name, const void *data, size_t n, mode_t mode)
{
	int fd, saved;

	if (unlinkat(dirfd, name, 0) == -1 && errno != ENOENT)
		return -1;
	fd = openat(
	    dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd == -1)
		return -1;
	if (fchmod(fd, mode) == 0 && fd_write_full(fd, data, n) == 0 && fsync(fd) == 0)
		return close(fd);
	saved = errno;
	(void)close(fd);
	(void)unlinkat(dirfd, name, 0);
	errno = saved;
	return -1;
}

int
fd_replace(int dirfd, const char *name, const void *data, size_t n, mode_t mode)
{
	char temp[NAME_MAX + 1];
	int len, saved;

	len = snprintf(temp, sizeof(temp), ".%s.new", name);
	if (len < 0 || (size_t)len >= sizeof(temp)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (fd_write_new(dirfd, temp, data, n, mode) == -1)
		return -1;
	if (renameat(dirfd, temp, dirfd, name) == -1) {
		saved = errno;
		(void)unlinkat(dirfd, temp, 0);
		errno = saved;
		return -1;
	}
	return fsync(dirfd);
}
