/* SPDX-License-Identifier: ISC */
/*
 * memdisk.c - a disk in memory below queue/diskio.h, for tests.
 *
 * Each file has two contents: the cache, which reads see, and the disk, to which a sync copies
 * the cache. Files are told apart by name alone; directory descriptors are ignored. A write or
 * sync can be made to fail by its number: a failed sync leaves the disk as it was and the
 * cache as it is, and later syncs say yes and write only what was changed since, which is
 * what Linux does. Used by check_queue_journal.c.
 */
#include "memdisk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct memdisk_file *
memdisk_find(struct memdisk *m, const char *name)
{
	for (size_t i = 0; i < MEMDISK_FILES; i++) {
		if (m->files[i].there && strcmp(m->files[i].name, name) == 0)
			return &m->files[i];
	}
	return NULL;
}

static int
mem_open(void *ctx, int dirfd, const char *name, int flags, mode_t mode)
{
	struct memdisk *m = ctx;
	struct memdisk_file *f = memdisk_find(m, name);

	(void)dirfd, (void)mode;
	if (f != NULL && (flags & O_EXCL) != 0) {
		errno = EEXIST;
		return -1;
	}
	for (size_t i = 0; f == NULL && i < MEMDISK_FILES; i++) {
		if (!m->files[i].there)
			f = &m->files[i];
	}
	if (f == NULL || (!f->there && (flags & O_CREAT) == 0)) {
		errno = f == NULL ? EMFILE : ENOENT;
		return -1;
	}
	if (!f->there) {
		snprintf(f->name, sizeof(f->name), "%s", name);
		f->there = true;
	}
	return (int)(f - m->files);
}

static int
mem_close(void *ctx, int fd)
{
	(void)ctx, (void)fd;
	return 0;
}

static ssize_t
mem_pread(void *ctx, int fd, void *p, size_t n, uint64_t offset)
{
	struct memdisk_file *f = &((struct memdisk *)ctx)->files[fd];

	if (offset >= f->n)
		return 0;
	if (n > f->n - offset)
		n = f->n - (size_t)offset;
	memcpy(p, f->cache + offset, n);
	return (ssize_t)n;
}

static ssize_t
mem_pwritev(void *ctx, int fd, const struct iovec *iov, int n, uint64_t offset)
{
	struct memdisk *m = ctx;
	struct memdisk_file *f = &m->files[fd];
	size_t end = (size_t)offset + iov->iov_len;

	(void)n;
	if (++m->writes == m->fail_write) {
		errno = EIO;
		return -1;
	}
	if (end > f->n) {
		if (m->full) {
			errno = ENOSPC;
			return -1;
		}
		f->cache = xreallocarray(f->cache, end, 1);
		memset(f->cache + f->n, 0, end - f->n);
		f->n = end;
	}
	memcpy(f->cache + offset, iov->iov_base, iov->iov_len);
	for (size_t i = (size_t)offset; i < end && i < f->nlost; i++)
		f->lost[i] = false;
	return (ssize_t)iov->iov_len;
}

/* What the kernel forgot when a sync failed: it takes these bytes for clean now. */
static void
sync_failed(struct memdisk_file *f)
{
	free(f->lost);
	f->lost = xcalloc(f->n + 1, sizeof(*f->lost));
	f->nlost = f->n;
	for (size_t i = 0; i < f->n; i++)
		f->lost[i] = i >= f->ndisk || f->cache[i] != f->disk[i];
}

static int
mem_sync(void *ctx, int fd)
{
	struct memdisk *m = ctx;
	struct memdisk_file *f = &m->files[fd];

	if (++m->syncs == m->fail_sync) {
		sync_failed(f);
		errno = EIO;
		return -1;
	}
	f->disk = xreallocarray(f->disk, f->n + 1, 1);
	if (f->ndisk < f->n)
		memset(f->disk + f->ndisk, 0, f->n - f->ndisk);
	if (f->nlost == 0 && f->n > 0)
		memcpy(f->disk, f->cache, f->n);
	for (size_t i = 0; f->nlost > 0 && i < f->n; i++) {
		if (i >= f->nlost || !f->lost[i])
			f->disk[i] = f->cache[i];
	}
	f->ndisk = f->n;
	return 0;
}

static int
mem_syncdir(void *ctx, int fd)
{
	struct memdisk *m = ctx;

	(void)fd;
	if (++m->syncs == m->fail_sync) {
		errno = EIO;
		return -1;
	}
	for (size_t i = 0; i < MEMDISK_FILES; i++)
		m->files[i].durable = m->files[i].there;
	return 0;
}

static int
mem_rename(void *ctx, int dirfd, const char *from, const char *to)
{
	struct memdisk_file *f = memdisk_find(ctx, from);

	(void)dirfd;
	if (f == NULL) {
		errno = ENOENT;
		return -1;
	}
	snprintf(f->name, sizeof(f->name), "%s", to);
	return 0;
}

static int
mem_size(void *ctx, int fd, uint64_t *size)
{
	*size = ((struct memdisk *)ctx)->files[fd].n;
	return 0;
}

static int
mem_list(void *ctx, int dirfd, diskio_name_fn fn, void *arg)
{
	struct memdisk *m = ctx;

	(void)dirfd;
	for (size_t i = 0; i < MEMDISK_FILES; i++) {
		if (m->files[i].there && !fn(arg, m->files[i].name))
			break;
	}
	return 0;
}

void
memdisk_init(struct memdisk *m)
{
	memset(m, 0, sizeof(*m));
	m->io.ctx = m;
	m->io.open = mem_open;
	m->io.close = mem_close;
	m->io.pread = mem_pread;
	m->io.pwritev = mem_pwritev;
	m->io.fdatasync = mem_sync;
	m->io.fsync = mem_sync;
	m->io.syncdir = mem_syncdir;
	m->io.rename = mem_rename;
	m->io.size = mem_size;
	m->io.list = mem_list;
}

void
memdisk_clear(struct memdisk *m)
{
	for (size_t i = 0; i < MEMDISK_FILES; i++) {
		free(m->files[i].cache);
		free(m->files[i].disk);
		free(m->files[i].lost);
	}
	memset(m, 0, sizeof(*m));
}

void
memdisk_copy(struct memdisk *to, const struct memdisk *from, bool durable)
{
	memdisk_init(to);
	for (size_t i = 0; i < MEMDISK_FILES; i++) {
		const struct memdisk_file *f = &from->files[i];
		struct memdisk_file *t = &to->files[i];
		const uint8_t *p = durable ? f->disk : f->cache;

		t->there = t->durable = durable ? f->durable : f->there;
		if (!t->there)
			continue;
		snprintf(t->name, sizeof(t->name), "%s", f->name);
		t->n = t->ndisk = durable ? f->ndisk : f->n;
		t->cache = xmalloc(t->n + 1);
		t->disk = xmalloc(t->n + 1);
		if (t->n > 0) {
			memcpy(t->cache, p, t->n);
			memcpy(t->disk, p, t->n);
		}
	}
}
