/* SPDX-License-Identifier: ISC */
/*
 * diskio.h - the system calls that the spool is built on, as a table.
 *
 * Nothing in the spool touches a file except through this table, so a test can put a model
 * of a disk below the very objects that the daemon links. Every call has the meaning, the
 * result and the errno of the system call after which it is named; none of them retries.
 */
#ifndef QUEUE_DISKIO_H
#define QUEUE_DISKIO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

/* What statvfs(3) says that we use: what an unprivileged writer can still have. */
struct diskio_space {
	uint64_t bytes;  /* free bytes */
	uint64_t inodes; /* free inodes */
};

/* Called by list for each name but "." and ".."; false ends the walk. */
typedef bool (*diskio_name_fn)(void *arg, const char *name);

struct diskio {
	void *ctx; /* borrowed; the first argument of every call */
	int (*open)(void *ctx, int dirfd, const char *name, int flags, mode_t mode);
	int (*close)(void *ctx, int fd);
	ssize_t (*pread)(void *ctx, int fd, void *p, size_t n, uint64_t offset);
	ssize_t (*pwritev)(
	    void *ctx, int fd, const struct iovec *iov, int n, uint64_t offset);
	int (*fdatasync)(void *ctx, int fd);
	int (*fsync)(void *ctx, int fd);
	int (*syncdir)(void *ctx, int dirfd);
	int (*rename)(void *ctx, int dirfd, const char *from, const char *to);
	int (*unlink)(void *ctx, int dirfd, const char *name);
	int (*mkdir)(void *ctx, int dirfd, const char *name, mode_t mode);
	int (*ftruncate)(void *ctx, int fd, uint64_t size);
	int (*size)(void *ctx, int fd, uint64_t *size);
	int (*space)(void *ctx, int fd, struct diskio_space *);
	int (*list)(void *ctx, int dirfd, diskio_name_fn, void *arg);
	int (*lock)(void *ctx, int fd); /* flock(LOCK_EX | LOCK_NB) */
};

/* The kernel's. */
extern const struct diskio diskio_real;

/* Reads exactly n bytes; short reads are continued. 0, or -1 with errno (EIO at the end of
 * the file). */
int diskio_read_full(const struct diskio *, int fd, void *p, size_t n, uint64_t offset);
/* Writes exactly n bytes; short writes are continued, errors are not. 0 or -1. */
int diskio_write_full(
    const struct diskio *, int fd, const void *p, size_t n, uint64_t offset);

#endif
