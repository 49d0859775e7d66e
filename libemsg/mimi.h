/* SPDX-License-Identifier: ISC */
/*
 * mimi.h - message content: application/mimi-content and application/mimi-message-status
 * (draft-ietf-mimi-content), as far as texts and receipts need it.
 */
#ifndef LIBEMSG_MIMI_H
#define LIBEMSG_MIMI_H

#include "base/buf.h"
#include "base/span.h"

#define MIMI_TYPE_CONTENT "application/mimi-content"
#define MIMI_TYPE_STATUS "application/mimi-message-status"
#define MIMI_TYPE_PLAIN "text/plain;charset=utf-8"
#define MIMI_ID_SIZE 32
#define MIMI_SALT_SIZE 16
#define MIMI_STATUS_MAX 256 /* receipts in one report */
#define MIMI_URI_MAX 400

enum mimi_status { MIMI_UNREAD, MIMI_DELIVERED, MIMI_READ, MIMI_EXPIRED };

/* What a client shows of a content; the spans borrow from it. */
struct mimi {
	struct span salt, replaces, reply; /* message ids, empty if absent */
	struct span sender, room;          /* URIs, empty if absent */
	uint64_t expires;                  /* seconds; 0: never */
	bool expires_relative;
	unsigned disposition;
	struct span type,
	    text; /* first single part that is text; empty if there is none */
};

/* Appends a content with one part of plain text. sender and room are URIs. */
int mimi_text(struct span sender, struct span room, const uint8_t salt[MIMI_SALT_SIZE],
    struct span text, struct buf *out);
/* Takes a content apart; false if it is none. */
bool mimi_parse(struct span content, struct mimi *);
/* The message id (section 3.3 of the draft): 01, then 31 bytes of SHA-256 over sender URI,
 * room URI, content and salt. */
int mimi_id(struct span content, uint8_t id[MIMI_ID_SIZE]);

struct mimi_report {
	uint8_t id[MIMI_ID_SIZE];
	enum mimi_status status;
};
/* Appends a status report of n entries. */
int mimi_status_put(const struct mimi_report *, size_t n, struct buf *out);
/* Reads one into at most MIMI_STATUS_MAX entries; *n is how many. Entries with a status that
 * is not known are left out. */
bool mimi_status_get(
    struct span report, struct mimi_report out[MIMI_STATUS_MAX], size_t *n);

#endif
