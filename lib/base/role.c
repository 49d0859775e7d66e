/* SPDX-License-Identifier: ISC */
/*
 * role.c - the processes of the suite, by number.
 *
 * The one table of names, programs and system users. The master starts children by it, the
 * log and the manual pages name processes by it, the packaging creates the users in it.
 * Owns nothing, never fails: a number out of range has the name "?".
 */
#include "config.h"

#include <string.h>

#include "base/role.h"

static const struct {
	const char *name;
	const char *program;
	const char *user;
} roles[ROLE_COUNT] = {
    [ROLE_MASTER] = {"master", "emsgd", "root"},
    [ROLE_STORE] = {"store", "emsg-store", "_emsgstore"},
    [ROLE_QUEUE] = {"queue", "emsg-queue", "_emsgqueue"},
    [ROLE_KEYD] = {"keyd", "emsg-keyd", "_emsgkeyd"},
    [ROLE_DIALER] = {"dialer", "emsg-dialer", "_emsgdial"},
    [ROLE_RELAY] = {"relay", "emsg-relay", "_emsgrelay"},
    [ROLE_LISTENER] = {"listener", "emsg-listener", "_emsglisten"},
    [ROLE_CONTROL] = {"control", "emsg-control", "_emsgctl"},
};

const char *
role_name(enum role r)
{
	return (unsigned)r < ROLE_COUNT ? roles[r].name : "?";
}

const char *
role_program(enum role r)
{
	return (unsigned)r < ROLE_COUNT ? roles[r].program : "?";
}

const char *
role_user(enum role r)
{
	return (unsigned)r < ROLE_COUNT ? roles[r].user : "?";
}

enum role
role_by_name(const char *name)
{
	unsigned r = 0;

	while (r < ROLE_COUNT && strcmp(roles[r].name, name) != 0)
		r++;
	return (enum role)r;
}
