/* SPDX-License-Identifier: ISC */
/*
 * fd.h - descriptors: flags, pairs, peers, closing what should not be open.
 * All return 0 or -1 with errno unless they say otherwise.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int fd_nonblock(int fd);
int fd_cloexec(int fd, bool on);
/* An AF_UNIX stream pair, non-blocking and close-on-exec, with socket buffers of at least
 * "buffer" bytes each way where the kernel allows it. */
int fd_pair(int pair[2], int buffer);
/* Credentials of the process at the other end of a connected AF_UNIX socket. */
int fd_peer(int fd, uid_t *uid, gid_t *gid, pid_t *pid);
/* Closes every descriptor >= low except those listed in keep (n of them, any order). */
int fd_close_from(int low, const int *keep, size_t n);
/* Opens /dev/null on 0, 1 and 2 where they are closed, so that no later open gets them. */
int fd_sane_stdio(void);
/* Reads a whole small file (at most max bytes) from a descriptor, from its start, with
 * pread. The caller frees *out with free(3); a NUL byte follows the n bytes. EFBIG if it is
 * larger, or grew meanwhile. */
int fd_read_all(int fd, size_t max, unsigned char **out, size_t *n);
/* Durable replacement of a small file (write temp in the same directory, fsync, rename,
 * fsync directory). dirfd is the open directory, mode the file's. */
int fd_replace(int dirfd, const char *name, const void *data, size_t n, mode_t mode);

#endif
