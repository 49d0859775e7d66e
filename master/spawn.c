/* SPDX-License-Identifier: ISC */
/*
 * spawn.c - fork, exec, and the descriptor that ties a child to its master.
 *
 * The child gets the standard descriptors and its end of a socketpair as descriptor 3 and
 * nothing else: everything the master opens is closed on exec. It gets an environment of
 * three variables at most, so that nothing of the operator's shell reaches it. All the rest
 * (who it is, configuration, further descriptors) travels over the channel. fleet.c is the
 * only caller. Errors are returned; in the child, exec failing is told by its exit status.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "ipc/proc.h"
#include "master/spawn.h"

#define SPAWN_EXEC_FAILED 127

static void
program_path(enum role role, struct spawn_path where, char *out, size_t size)
{
	(void)snprintf(out, size, "%s/%s",
	    where.dir != NULL ? where.dir : EMSG_LIBEXECDIR, role_program(role));
}

bool
spawn_programs_exist(struct spawn_path where, char *missing, size_t size)
{
	for (enum role role = ROLE_STORE; role < ROLE_COUNT; role++) {
		program_path(role, where, missing, size);
		if (access(missing, X_OK) == -1)
			return false;
	}
	return true;
}

/* Variables that say where log lines go, and those of the sanitizers; nothing else. */
static char **
small_environment(void)
{
	static const char *const kept[] = {
	    "JOURNAL_STREAM", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LLVM_PROFILE_FILE"};
	static char *env[sizeof(kept) / sizeof(kept[0]) + 1];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		const char *value = getenv(kept[i]);

		if (value != NULL)
			env[n++] = xasprintf("%s=%s", kept[i], value);
	}
	env[n] = NULL;
	return env;
}

/* In the child: only calls that are safe between fork and exec, save for the allocation of
 * the environment; the master has one thread. */
_Noreturn static void
become(const char *path, enum role role, int channel)
{
	char *const argv[] = {xstrdup(role_program(role)), NULL};
	struct sigaction plain = {.sa_handler = SIG_DFL};

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &plain, NULL);
	if (channel == PROC_MASTER_FD) {
		if (fd_cloexec(channel, false) == -1)
			_exit(SPAWN_EXEC_FAILED);
	} else if (dup2(channel, PROC_MASTER_FD) == -1) {
		_exit(SPAWN_EXEC_FAILED);
	}
	execve(path, argv, small_environment());
	_exit(SPAWN_EXEC_FAILED);
}

int
spawn(enum role role, struct spawn_path where, pid_t *pid, int *channel)
{
	char path[PATH_MAX];
	int pair[2], keep;

	program_path(role, where, path, sizeof(path));
	if (fd_pair(pair, SPAWN_SOCKET_BUFFER) == -1)
		return -1;
	*pid = fork();
	if (*pid == 0)
		become(path, role, pair[1]);
	keep = errno;
	close(pair[1]);
	if (*pid == -1) {
		close(pair[0]);
		errno = keep;
		return -1;
	}
	*channel = pair[0];
	return 0;
}
