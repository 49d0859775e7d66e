/* SPDX-License-Identifier: ISC */
/*
 * request.h - requests that wait for an answer: id, deadline, and the channel it must come
 * back on.
 *
 * Every request ends exactly once: answered, late, lost with its channel, or cancelled by its
 * owner (then nothing is called). No clock of its own: times are passed in, in milliseconds of
 * clock_mono_ms(). Processes use the table that proc.h keeps (proc_ask); this interface is for
 * it and for tests.
 */
#ifndef IPC_REQUEST_H
#define IPC_REQUEST_H

#include "base/span.h"

#define REQUEST_MAX 65536 /* outstanding at a time; one more is refused */

struct channel;
struct channel_msg;
struct request_table;

enum request_end {
	REQUEST_ANSWERED, /* the answer is passed along */
	REQUEST_LATE, /* the deadline has passed; an answer that still comes is dropped */
	REQUEST_LOST  /* the channel ended */
};

/* How a request ends. answer is NULL unless REQUEST_ANSWERED; then it is borrowed for the call
 * as in a handler. May add and cancel other requests. */
struct request_done {
	void (*fn)(enum request_end, struct channel *from, struct channel_msg *answer,
	    void *arg);
	void *arg;
};

struct request_table *request_table_new(void);
/* Forgets what is outstanding without calling anybody. NULL-safe. */
void request_table_free(struct request_table *);
size_t request_count(const struct request_table *);

/* Enters a request that was or will be sent on channel, due at now + timeout_ms. Returns its
 * id (never 0, never reused), or 0 if the table is full. */
uint64_t request_add(struct request_table *, const struct channel *channel, uint64_t now,
    uint64_t timeout_ms, struct request_done done);
/* An answer came on this channel: ends the request. False if there is none with this id on
 * this channel (late or forged): the answer is to be ignored. */
bool request_answer(
    struct request_table *, struct channel *from, struct channel_msg *answer);
/* Takes the request out without a call. False if it had already ended. */
bool request_cancel(struct request_table *, uint64_t id);
/* The channel has ended: all its requests end with REQUEST_LOST. */
void request_lost(struct request_table *, const struct channel *);
/* Ends what is due with REQUEST_LATE. */
void request_tick(struct request_table *, uint64_t now);
/* The earliest deadline, or UINT64_MAX. */
uint64_t request_next_deadline(const struct request_table *);

#endif
