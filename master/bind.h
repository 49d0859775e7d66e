/* SPDX-License-Identifier: ISC */
/*
 * bind.h - what the master opens for its children: listening sockets, certificate and key
 * files, the admin sockets; and the directories that must be there.
 */
#ifndef MASTER_BIND_H
#define MASTER_BIND_H

#include "base/role.h"
#include "conf/conf.h"

#define BIND_MAX 250        /* descriptors in a set; see HANDOVER_RESOURCES */
#define BIND_BACKLOG 4096   /* of listening TCP sockets; the kernel may cut it */
#define BIND_CTL_BACKLOG 64 /* of the admin sockets */

/* Names below keys.directory. */
#define BIND_SIGN_KEY "domain-sign.pem"      /* required */
#define BIND_DOCUMENT "domain-document.cose" /* required */
/* Beside control.socket, which is for the admin group: the socket for the view group. */
#define BIND_VIEW_SOCKET "view.sock"

/* One descriptor for one child. */
struct bound {
	enum role role;
	unsigned kind; /* enum resource of ipc/msgs.h */
	char *name;    /* owned */
	int fd;        /* owned */
};

struct bound_set {
	struct bound v[BIND_MAX];
	size_t n;
	char error[512]; /* what failed last, one line for the operator */
};

/* Makes the data, run and empty directories where they are missing; privileged: with their
 * owners. 0, or -1 with error. */
int bind_directories(const struct conf *, bool privileged, char *error, size_t size);
/* Opens everything that this configuration asks for into an empty set. Listening and admin
 * sockets that are in old already (may be NULL) are shared, not made anew; files are always
 * opened afresh. 0, or -1 with set->error; the set is to be cleared in any case. */
int bind_open(struct bound_set *, const struct conf *, bool privileged,
    const struct bound_set *old);
/* Closes everything. */
void bind_clear(struct bound_set *);
/* The empty directory that most processes are locked into. out: PATH_MAX bytes. */
void bind_empty_dir(const struct conf *, char *out, size_t size);
/* Takes the lock of the run directory and writes our pid; the lock lasts as long as the
 * returned descriptor. -1 with error if another master has it. */
int bind_pid_file(const struct conf *, char *error, size_t size);
/* Removes the admin sockets' names, at the end. */
void bind_unlink(const struct conf *);

#endif
