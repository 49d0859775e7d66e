/* SPDX-License-Identifier: ISC */
/*
 * rights.h - what a caller may do. Pure.
 */
#ifndef CONTROL_RIGHTS_H
#define CONTROL_RIGHTS_H

#include <sys/types.h>

#include "wire/ctl.h"

/* How somebody reached us. */
struct rights_origin {
	bool admin_socket;  /* else the socket of those who may look */
	uid_t uid;          /* by the kernel */
	bool one_directory; /* the suite runs under an ordinary user ... */
	uid_t own_uid;      /* ... this one */
};

/* The right of a caller: root, and in one-directory mode the user of the suite, may do
 * everything; for others the socket decides, whose file mode names a group. */
enum ctl_right rights_of(const struct rights_origin *);
/* Whether that right is enough for the command. */
bool rights_allow(enum ctl_right, const struct ctl *);
/* Whether the command changes something, so that it is logged for ever. */
bool rights_is_change(const struct ctl *);

#endif
