/* SPDX-License-Identifier: ISC */
/*
 * role.h - the processes of the suite, by number. One table for names, programs and users;
 * sandbox, ipc and conf refer to it.
 */
#ifndef BASE_ROLE_H
#define BASE_ROLE_H

enum role {
	ROLE_MASTER,
	ROLE_STORE,
	ROLE_QUEUE,
	ROLE_KEYD,
	ROLE_DIALER,
	ROLE_RELAY,
	ROLE_LISTENER,
	ROLE_CONTROL,
	ROLE_COUNT
};

/* A set of roles: ROLE_BIT(ROLE_QUEUE) | ROLE_BIT(ROLE_STORE). */
#define ROLE_BIT(r) (1U << (r))

/* "queue"; "?" for a number out of range. */
const char *role_name(enum role);
/* The executable's basename: "emsg-queue"; "emsgd" for the master. */
const char *role_program(enum role);
/* The system user: "_emsgqueue"; "root" for the master. */
const char *role_user(enum role);
/* The role with that name, or ROLE_COUNT. */
enum role role_by_name(const char *name);

#endif
