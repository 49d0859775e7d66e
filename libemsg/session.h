/* SPDX-License-Identifier: ISC */
/*
 * session.h - struct emsg: one open account, and what the parts of libemsg share.
 *
 * database: dbase.h · who is who: roster.h · what is to be done: worklist.h, jobs.h · what comes:
 * inbox.h · what became of it: fatebook.h · who has the link: holder.h · the link: wirelink.h
 */
#ifndef LIBEMSG_SESSION_H
#define LIBEMSG_SESSION_H

#include "dbase.h"
#include "emsg.h"
#include "holder.h"
#include "rows.h"
#include "wirelink.h"

#define FLIGHTS_MAX 64 /* requests and puts without an answer */
#define MESSAGE_MAX 400

/* What is on its way to the server. */
struct flight {
	uint64_t id;    /* of the frame; 0: free */
	uint64_t job;   /* number */
	uint64_t since; /* monotonic ms */
	bool put;
	char peer[ADDR_TEXT_SIZE]; /* whose keys are asked for; "" otherwise */
	size_t left;               /* a put: recipients without an outcome */
	bool only;                 /* it has one recipient */
	bool again;                /* one of them was temporary */
	unsigned code;             /* the outcome for the job's peer */
	char text[PROTO_TEXT_MAX + 1];
};

struct emsg {
	char *dir; /* owned: of the account */
	struct dbase *db;
	bool passphrase;
	struct row_self self;
	struct buf self_bytes; /* what self borrows from */
	int epoll;
	struct holder *holder;
	struct wirelink *link; /* NULL until it is wanted and ours */
	int link_fd;           /* as the epoll knows it, -1: none */
	bool wanted;           /* a link is wanted */
	bool synced;
	bool failed;   /* the last try failed */
	bool broken;   /* the database cannot be used any more */
	bool in_batch; /* a transaction for what comes is open */
	uint64_t retry_at, look_at, quiet_at, receipts_at, jobs_at; /* monotonic ms */
	unsigned tries;
	uint64_t barrier; /* id of the request that tells us that all has come */
	bool barrier_done;
	uint64_t head, pushed,
	    done; /* mailbox: newest at login, last come, last confirmed */
	uint64_t next_id, version;
	int64_t clock_offset; /* ms that the server is ahead; 0 while it is little */
	struct flight flights[FLIGHTS_MAX];
	char message[MESSAGE_MAX];
};

/* Keeps one line for emsg_message() and returns the code. */
int session_fail(struct emsg *, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The database failed: nothing more is done. Returns EMSG_FAILED. */
int session_broken(struct emsg *);
/* Now, as the server sees it: ms since 1970. */
uint64_t session_now(const struct emsg *);
/* Something new is in the database: wakes the others and the worklist. */
void session_changed(struct emsg *);
struct span session_account(const struct emsg *);
/* The link is logged in. */
bool session_ready(const struct emsg *);

/* Remembers small numbers under a name. */
uint64_t session_note_get(struct emsg *, const char *name);
int session_note_put(struct emsg *, const char *name, uint64_t);

/* Reads self from the database, and writes it back. */
int session_load_self(struct emsg *);
int session_save_self(struct emsg *, const struct row_self *);

/* homes.c: directories. The path of an account's directory; false if there is none. */
bool homes_dir(const struct emsg_access *, char *out, size_t size, const char **why);
/* Makes the directory of a new account and remembers it as default if it is the first. */
bool homes_make(
    const char *home, const char *address, char *out, size_t size, const char **why);
/* Takes a directory back that homes_make() made. */
void homes_unmake(const char *dir);
/* Opens the database in dir and unlocks it; *code is an enum emsg_error. */
struct dbase *homes_open(const char *dir, const char *passphrase, bool *protected,
    int *code, const char **why);
/* Makes the database in dir. */
struct dbase *homes_create(const char *dir, const char *passphrase, const char **why);
/* A struct emsg around an open database; takes it over. NULL if descriptors run out. */
struct emsg *session_new(const char *dir, struct dbase *, bool protected);

#endif
