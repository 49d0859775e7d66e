/* SPDX-License-Identifier: ISC */
/*
 * verbs.h - the commands of emsg: one table for running, for the usage text and for the test
 * that compares it with emsg(1).
 */
#ifndef CLIENT_VERBS_H
#define CLIENT_VERBS_H

#include "libemsg/emsg.h"

/* Exit codes that are not an enum emsg_error have the same meaning as in emsgctl(8). */
#define EXIT_USAGE EMSG_INVALID

/* Options, and which of them a command takes. */
enum opt {
	OPT_HOME = 1 << 0,
	OPT_ACCOUNT = 1 << 1,
	OPT_PASSPHRASE_FILE = 1 << 2,
	OPT_NO_PASSPHRASE = 1 << 3,
	OPT_JSON = 1 << 4,
	OPT_OFFLINE = 1 << 5,
	OPT_TIMEOUT = 1 << 6,
	OPT_NAME = 1 << 7,
	OPT_LIMIT = 1 << 8,
	OPT_FOLLOW = 1 << 9,
	OPT_MARK = 1 << 10,
	OPT_WAIT = 1 << 11,
	OPT_TTL = 1 << 12,
	OPT_LINES = 1 << 13,
};
#define OPT_ALWAYS (OPT_HOME | OPT_ACCOUNT | OPT_PASSPHRASE_FILE | OPT_JSON)
#define OPT_LINK (OPT_OFFLINE | OPT_TIMEOUT)

/* What was given. */
struct given {
	unsigned set; /* enum opt */
	const char *home, *account, *passphrase_file, *name;
	bool json;
	uint64_t timeout_ms, limit, ttl_ms;
	char **args;
	int n; /* of args */
};

struct command {
	const char *noun, *verb; /* verb NULL: there is none */
	const char *args;        /* for the usage text */
	int min, max;            /* number of args */
	unsigned options;
	bool account; /* is run with an open account; else e is NULL */
	int (*run)(struct emsg *e, const struct given *);
	const char *what; /* one line */
};
/* Row i, NULL beyond the last. */
const struct command *command_at(size_t i);

/* messages.c */
int on_send(struct emsg *, const struct given *);
int on_receive(struct emsg *, const struct given *);
int on_history(struct emsg *, const struct given *);
int on_fates(struct emsg *, const struct given *);
/* people.c */
int on_contact_add(struct emsg *, const struct given *);
int on_contact_grant(struct emsg *, const struct given *);
int on_contact_remove(struct emsg *, const struct given *);
int on_contact_list(struct emsg *, const struct given *);
int on_contact_show(struct emsg *, const struct given *);
int on_verify(struct emsg *, const struct given *);
/* accounts.c */
int on_register(struct emsg *, const struct given *);
int on_status(struct emsg *, const struct given *);
int on_receipts(struct emsg *, const struct given *);
int on_device_list(struct emsg *, const struct given *);
int on_device_invite(struct emsg *, const struct given *);
int on_prekey_rotate(struct emsg *, const struct given *);

/* main.c: what commands share. */
/* Brings the account up to date unless --offline; EMSG_OK, or EMSG_WAITING after a note. */
int link_up(struct emsg *, const struct given *);
/* Lets what is due still go out, for a moment. */
void link_settle(struct emsg *, const struct given *);
/* Prints the account's last message as an error and returns the code. */
int complain(struct emsg *, int code);
/* Waits for work and says "done" or "waiting" about it: exit code. */
int finish_work(
    struct emsg *, const struct given *, int code, uint64_t work, const char *address);

#endif
