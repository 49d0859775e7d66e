/* SPDX-License-Identifier: ISC */
/*
 * spawn.h - starts the program of a role with a channel on descriptor 3.
 */
#ifndef MASTER_SPAWN_H
#define MASTER_SPAWN_H

#include <sys/types.h>

#include "base/role.h"

#define SPAWN_SOCKET_BUFFER (4 * 1024 * 1024) /* of socketpairs, bytes each way */

/* Where programs are sought: dir alone if it is given, else the installed directory. */
struct spawn_path {
	const char *dir; /* borrowed, NULL: installed */
};

/* Starts it. 0 with the process id and our end of its channel (non-blocking, owned by the
 * caller), or -1 with errno. A program that cannot be executed ends with status 127. */
int spawn(enum role, struct spawn_path, pid_t *pid, int *channel);
/* Whether all programs are there; if not, missing (size bytes) is the path of the first one
 * that is not. */
bool spawn_programs_exist(struct spawn_path, char *missing, size_t size);

#endif
