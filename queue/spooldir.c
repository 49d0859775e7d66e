/* SPDX-License-Identifier: ISC */
/*
 * spooldir.c - the spool's directory and the lock that makes us its only writer.
 *
 *	LOCK		flock; the number in it is the writer's process id, for people. After
 *			an orderly stop that left nothing to deliver it says "empty"; removing
 *			the package for good then takes the directory away
 *	seg/		the journal's segments, and what was found spoiled in them
 *
 * Owns the two descriptors. Called by queue.c at start, before anything is read. Two queues on
 * one directory would destroy each other's records, so without the lock there is no spool;
 * the kernel gives the lock back when its holder dies, however that happens.
 */
#include "queue/spooldir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SEGMENTS_DIR "seg"

/* Replaces the text of the lock's file, which has the same length always. */
static int
write_text(const struct diskio *io, int fd, const char *what)
{
	char text[32];

	snprintf(text, sizeof(text), "%-10s\n", what);
	if (diskio_write_full(io, fd, text, strlen(text), 0) == -1)
		return -1;
	return io->fsync(io->ctx, fd);
}

static int
take_lock(const struct diskio *io, int dirfd)
{
	char text[32];
	int fd;

	fd = io->open(io->ctx, dirfd, "LOCK", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (fd == -1)
		return -1;
	if (io->lock(io->ctx, fd) == -1) {
		io->close(io->ctx, fd);
		errno = EWOULDBLOCK;
		return -1;
	}
	snprintf(text, sizeof(text), "%ld", (long)getpid());
	if (write_text(io, fd, text) == -1) {
		io->close(io->ctx, fd);
		return -1;
	}
	return fd;
}

int
spooldir_open(const struct diskio *io, int dirfd, struct spooldir *s)
{
	s->segments = -1;
	if ((s->lock = take_lock(io, dirfd)) == -1)
		return -1;
	if (io->mkdir(io->ctx, dirfd, SEGMENTS_DIR, 0700) == -1 && errno != EEXIST)
		goto fail;
	if (io->syncdir(io->ctx, dirfd) == -1)
		goto fail;
	s->segments = io->open(io->ctx, dirfd, SEGMENTS_DIR, O_RDONLY | O_DIRECTORY, 0);
	if (s->segments != -1)
		return 0;
fail:
	spooldir_close(io, s);
	return -1;
}

void
spooldir_close(const struct diskio *io, struct spooldir *s)
{
	int saved = errno;

	if (s->segments != -1)
		io->close(io->ctx, s->segments);
	if (s->lock != -1)
		io->close(io->ctx, s->lock);
	s->segments = s->lock = -1;
	errno = saved;
}

int
spooldir_note_empty(const struct diskio *io, const struct spooldir *s)
{
	return write_text(io, s->lock, "empty");
}
