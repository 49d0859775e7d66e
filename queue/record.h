/* SPDX-License-Identifier: ISC */
/*
 * record.h - what stands in the journal, byte by byte.
 *
 * All integers are big-endian. Every record begins at a multiple of 8 bytes:
 *
 *	offset size
 *	  0     4   magic "EMj1"
 *	  4     1   version (1)
 *	  5     1   type (enum record_type)
 *	  6     2   flags (RECORD_OPENS: the first record of a batch)
 *	  8     4   length of header and payload, without padding
 *	 12     4   CRC32C over bytes 0-11 and 16 to the end of the payload
 *	 16     8   lsn: 24 bits start number, 40 bits counter; grows by one a record
 *	 24     8   salt of the segment
 *	 32     -   payload
 *	  -   0-7   zeros up to the next multiple of 8
 *
 * The salt is random and new whenever a segment is used again, so neither old bytes of the
 * segment nor bytes inside a message can pass for a record. A batch is written only after
 * the batch before it was synced: a RECORD_OPENS record proves everything before it durable.
 */
#ifndef QUEUE_RECORD_H
#define QUEUE_RECORD_H

#include "base/buf.h"

#define RECORD_MAGIC 0x454d6a31U
#define RECORD_VERSION 1
#define RECORD_HEADER 32
#define RECORD_ALIGN 8
#define RECORD_MAX (384 * 1024) /* an item of 256 KiB, its envelope and its recipients */
#define RECORD_OPENS 0x0001
#define RECORD_RCPTS_MAX 256  /* recipients of one item */
#define RECORD_NAME_MAX 320   /* an address: local part, "#", domain */
#define RECORD_TEXT_MAX 240   /* a reply's text */
#define RECORD_CONV_MAX 64    /* a conversation id */
#define RECORD_ID_SIZE 16     /* of a message or device id */
#define RECORD_START_SHIFT 40 /* start number above, counter below */
#define RECORD_START_MAX 0xffffffU

enum record_type {
	RECORD_MSG = 1, /* an item: envelope and body */
	RECORD_ATTEMPT, /* results of one attempt, per recipient */
	RECORD_DONE,    /* the item is finished and its fates are delivered */
	RECORD_BOUNCED, /* recipients given up; their fates are owed to the sender */
	RECORD_HOLD,    /* not to be tried */
	RECORD_RELEASE, /* to be tried again */
	RECORD_DROP,    /* deleted by the operator */
	RECORD_START,   /* the queue was started; number and what came before */
	RECORD_TYPE_COUNT
};

struct record {
	enum record_type type;
	uint16_t flags;
	uint64_t lsn;
	uint64_t salt;
	struct span payload; /* borrowed */
	size_t size;         /* with header and padding; set by record_get */
};

/* "MSG"; "?" for a number out of range. */
const char *record_type_name(enum record_type);
/* Bytes that a record with that payload takes, padding included. */
size_t record_size(size_t payload);
/* Appends a record with this type, flags, lsn, salt and payload to a buffer; its length, CRC
 * and padding are filled in. False if the payload is beyond RECORD_MAX or the buffer full. */
bool record_put(struct buf *, const struct record *);
/* Reads the record at the start of the bytes. NULL, or what is wrong, as a static string. */
const char *record_get(struct span, uint64_t salt, struct record *);

/* The state of one recipient. */
enum record_state {
	RECORD_PENDING,  /* to be tried */
	RECORD_ACCEPTED, /* the peer has taken it */
	RECORD_FAILED,   /* refused for good, or given up */
	RECORD_STATE_COUNT
};

/* MSG: one item for the recipients of one domain. All spans are borrowed.
 *	qid 8, accepted 8, expires 8 (wall ms), mid 16, device 16, kind 1, then with a length of
 *	2: sender, conversation, domain; number of recipients 2, each with a length
 *	of 2; then the body with a length of 4. */
struct record_msg {
	uint64_t qid;
	uint64_t accepted; /* wall ms */
	uint64_t expires;  /* wall ms */
	uint8_t mid[RECORD_ID_SIZE];
	uint8_t device[RECORD_ID_SIZE]; /* the sending one, for its fates */
	uint8_t kind;                   /* as in the envelope */
	struct span sender;             /* address */
	struct span conv;               /* conversation; may be empty */
	struct span domain;             /* destination */
	size_t nrcpts;
	struct span rcpts[RECORD_RCPTS_MAX]; /* addresses */
	struct span body;                    /* the put body as it goes over the wire */
};
bool record_put_msg(struct buf *, const struct record_msg *);
bool record_get_msg(struct span payload, struct record_msg *);

/* ATTEMPT and BOUNCED: the state of recipients after an attempt, as far as it changed.
 *	qid 8, when 8 (wall ms), tries 4, held 1, code 2, trouble with a length of 2,
 *	number 2, each: index 2, state 1, code 2, text with a length of 2. */
struct record_result {
	uint16_t index; /* of the recipient in MSG */
	enum record_state state;
	uint16_t code;    /* reply code, 0 if none */
	struct span text; /* at most RECORD_TEXT_MAX bytes */
};
struct record_attempt {
	uint64_t qid;
	uint64_t when; /* of the last attempt */
	uint32_t tries;
	bool held;
	uint16_t code;       /* why the whole item waits, 0 if it does not */
	struct span trouble; /* the same in words; may be empty */
	size_t nresults;
	struct record_result results[RECORD_RCPTS_MAX];
};
bool record_put_attempt(struct buf *, const struct record_attempt *);
bool record_get_attempt(struct span payload, struct record_attempt *);

/* DONE, HOLD, RELEASE and DROP: qid 8, when 8. */
bool record_put_mark(struct buf *, uint64_t qid, uint64_t when);
bool record_get_mark(struct span payload, uint64_t *qid, uint64_t *when);

/* START: number 4, when 8, cut 8 (the last lsn of earlier starts that counts). */
struct record_start {
	uint32_t number;
	uint64_t when;
	uint64_t cut;
};
bool record_put_start(struct buf *, const struct record_start *);
bool record_get_start(struct span payload, struct record_start *);

#endif
