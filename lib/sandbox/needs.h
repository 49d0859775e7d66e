/* SPDX-License-Identifier: ISC */
/*
 * needs.h - what a role needs, as sets of system calls. Private to lib/sandbox.
 */
#ifndef SANDBOX_NEEDS_H
#define SANDBOX_NEEDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/role.h"

/* In the order in which the filter asks: the first rule that matches decides. */
enum need {
	NEED_MASTER,    /* all that master does, and its children until they are caged */
	NEED_HOT,       /* what the event loop does all the time */
	NEED_ACCEPT,    /* accept on a passed socket */
	NEED_TCP,       /* options of passed TCP sockets */
	NEED_FILES,     /* a database in the data directory */
	NEED_DIAL,      /* resolve and connect; children; read files */
	NEED_SANITIZER, /* builds with sanitizers only */
	NEED_BASE,      /* libc, the allocator, OpenSSL */
	NEED_COUNT
};

#define NEED_BIT(n) (1U << (n))

enum cond_op {
	COND_NONE,  /* no condition */
	COND_EQ,    /* the argument's low 32 bits are this value */
	COND_CLEAR, /* none of these bits is set in it */
	COND_SELF,  /* it is our own process id */
	COND_NULL   /* it is a null pointer */
};

struct cond {
	enum cond_op op;
	unsigned arg; /* 0 to 5 */
	uint32_t value;
};

struct rule {
	int nr;              /* the call; negative: this machine has none of that name */
	int error;           /* 0: allow; else fail with this errno */
	struct cond cond[2]; /* all must hold */
};

/* The needs of a role, a set of NEED_BIT. */
unsigned needs_of(enum role);
/* The rules of one need; *n is how many. */
const struct rule *needs_rules(enum need, size_t *n);

/* Both return NULL, or the name of the step that failed, with errno. */
const char *seccomp_install(enum role);
/* data_fd: the directory that may be written to, for roles with NEED_FILES. */
const char *landlock_install(unsigned needs, int data_fd);

#endif
