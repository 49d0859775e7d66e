/* SPDX-License-Identifier: ISC */
/*
 * diskio.c - the thin layer between the spool and the kernel.
 *
 * Owns nothing: descriptors belong to whoever opened them. Called by segment.c, journal.c,
 * recover.c and spooldir.c, and by nothing else in the queue. A call that fails returns -1
 * with errno and is never repeated here: after a failed write or sync the page cache may
 * show what the disk does not have, so the caller must give up the file. EINTR is the one
 * exception, because an interrupted call has not been tried. The two functions at the end
 * continue a short transfer, which is not a failure.
 */
#include "queue/diskio.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static int
real_open(void *ctx, int dirfd, const char *name, int flags, mode_t mode)
{
	(void)ctx;
	return openat(dirfd, name, flags | O_CLOEXEC, mode);
}

static int
real_close(void *ctx, int fd)
{
	(void)ctx;
	return close(fd);
}

static ssize_t
real_pread(void *ctx, int fd, void *p, size_t n, uint64_t offset)
{
	ssize_t r;

	(void)ctx;
	do
		r = pread(fd, p, n, (off_t)offset);
	while (r == -1 && errno == EINTR);
	return r;
}

static ssize_t
real_pwritev(void *ctx, int fd, const struct iovec *iov, int n, uint64_t offset)
{
	ssize_t r;

	(void)ctx;
	do
		r = pwritev(fd, iov, n, (off_t)offset);
	while (r == -1 && errno == EINTR);
	return r;
}

static int
real_fdatasync(void *ctx, int fd)
{
	(void)ctx;
	return fdatasync(fd);
}

static int
real_fsync(void *ctx, int fd)
{
	(void)ctx;
	return fsync(fd);
}

static int
real_rename(void *ctx, int dirfd, const char *from, const char *to)
{
	(void)ctx;
	return renameat(dirfd, from, dirfd, to);
}

static int
real_unlink(void *ctx, int dirfd, const char *name)
{
	(void)ctx;
	return unlinkat(dirfd, name, 0);
}

static int
real_mkdir(void *ctx, int dirfd, const char *name, mode_t mode)
{
	(void)ctx;
	return mkdirat(dirfd, name, mode);
}

static int
real_ftruncate(void *ctx, int fd, uint64_t size)
{
	(void)ctx;
	return ftruncate(fd, (off_t)size);
}

static int
real_size(void *ctx, int fd, uint64_t *size)
{
	struct stat st;

	(void)ctx;
	if (fstat(fd, &st) == -1)
		return -1;
	*size = (uint64_t)st.st_size;
	return 0;
}

static int
real_space(void *ctx, int fd, struct diskio_space *out)
{
	struct statvfs v;

	(void)ctx;
	if (fstatvfs(fd, &v) == -1)
		return -1;
	out->bytes = (uint64_t)v.f_bavail * v.f_frsize;
	out->inodes = (uint64_t)v.f_favail;
	return 0;
}

static int
real_list(void *ctx, int dirfd, diskio_name_fn fn, void *arg)
{
	struct dirent *e;
	DIR *d;
	int fd, saved;

	(void)ctx;
	/* A new open file, so that walks do not share one position. */
	if ((fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -1;
	if ((d = fdopendir(fd)) == NULL) {
		saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	for (errno = 0; (e = readdir(d)) != NULL; errno = 0) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (!fn(arg, e->d_name))
			break;
	}
	saved = e == NULL ? errno : 0;
	closedir(d);
	errno = saved;
	return saved == 0 ? 0 : -1;
}

static int
real_lock(void *ctx, int fd)
{
	(void)ctx;
	return flock(fd, LOCK_EX | LOCK_NB);
}

const struct diskio diskio_real = {
    .ctx = NULL,
    .open = real_open,
    .close = real_close,
    .pread = real_pread,
    .pwritev = real_pwritev,
    .fdatasync = real_fdatasync,
    .fsync = real_fsync,
    .syncdir = real_fsync,
    .rename = real_rename,
    .unlink = real_unlink,
    .mkdir = real_mkdir,
    .ftruncate = real_ftruncate,
    .size = real_size,
    .space = real_space,
    .list = real_list,
    .lock = real_lock,
};

int
diskio_read_full(const struct diskio *io, int fd, void *p, size_t n, uint64_t offset)
{
	uint8_t *at = p;
	ssize_t r;

	for (; n > 0; at += r, offset += (uint64_t)r, n -= (size_t)r) {
		if ((r = io->pread(io->ctx, fd, at, n, offset)) == -1)
			return -1;
		if (r == 0) {
			errno = EIO;
			return -1;
		}
	}
	return 0;
}

int
diskio_write_full(
    const struct diskio *io, int fd, const void *p, size_t n, uint64_t offset)
{
	struct iovec iov;
	ssize_t r;

	/* writev(2) takes pointers without const for reasons of history. */
	iov.iov_base = (void *)(uintptr_t)p;
	iov.iov_len = n;
	while (iov.iov_len > 0) {
		if ((r = io->pwritev(io->ctx, fd, &iov, 1, offset)) == -1)
			return -1;
		if (r == 0) {
			errno = EIO;
			return -1;
		}
		offset += (uint64_t)r;
		iov.iov_base = (uint8_t *)iov.iov_base + r;
		iov.iov_len -= (size_t)r;
	}
	return 0;
}
