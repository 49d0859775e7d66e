/* SPDX-License-Identifier: ISC */
/*
 * split.h - judges a put as far as its form goes, and divides its recipients by whose they are.
 *
 * Pure: bytes in, bytes out; no clock, no I/O. Who may send, and to whom, is judged by store
 * and queue.
 */
#ifndef LISTENER_SPLIT_H
#define LISTENER_SPLIT_H

#include "base/buf.h"
#include "wire/proto.h"

struct split_rules {
	const char *domain; /* ours */
	bool peer;          /* from a server, not from a device */
	uint64_t item_max;  /* bytes of the encoded body of a put */
	uint64_t recipients_max;
	uint64_t now; /* wall time, ms */
};

/* Recipients that share a way. */
struct split_part {
	size_t n;
	struct buf to; /* owned: their encodings, when the put must be made anew */
	struct buf
	    accounts; /* owned: their addresses as text strings, one after the other */
};

struct split {
	struct split_part local, remote;
	uint16_t code;         /* not 0: all of them are refused with this code */
	struct split_part all; /* addresses only, each once */
	struct p_put put;      /* decoded; borrows from the input */
	struct span body;      /* the input */
};

/* 0, or the code with which the link must end (*why: static text), because the recipients
 * cannot be told. In any case split_clear() is called afterwards. */
uint16_t split_put(
    struct split *, struct span body, const struct split_rules *, const char **why);
void split_clear(struct split *);
/* The put for one part: the input itself if all recipients are in it, else made anew in
 * *scratch. Empty if that does not fit. */
struct span split_body(
    const struct split *, const struct split_part *, struct buf *scratch);
/* Appends the body of a result frame that gives every address the same code. accounts as in
 * struct split_part. now: for CODE_CLOCK, else ignored. -1 if it does not fit. */
int split_result(struct buf *, struct span accounts, uint16_t code, uint64_t now);

#endif
