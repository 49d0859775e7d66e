/* SPDX-License-Identifier: ISC */
/*
 * item.h - what the queue keeps in memory of one item; its body stays in the journal.
 */
#ifndef QUEUE_ITEM_H
#define QUEUE_ITEM_H

#include <sys/queue.h>

#include "queue/journal.h"

/* What the sender's store knows of a recipient's fate. */
enum item_fate {
	ITEM_FATE_NONE,  /* nothing to tell yet */
	ITEM_FATE_OWED,  /* final, to be told after the next sync */
	ITEM_FATE_ASKED, /* told, not confirmed */
	ITEM_FATE_KNOWN, /* confirmed */
};

struct item_rcpt {
	char *account; /* owned */
	char *text;    /* owned: the last reply's; may be NULL */
	uint64_t when; /* wall ms of the last reply; 0: none yet */
	uint16_t code; /* of the last reply; 0: none yet */
	uint8_t state; /* enum record_state */
	uint8_t fate;  /* enum item_fate */
	bool answered; /* in the attempt that is running */
};

struct sched_item;

struct item {
	uint64_t qid;
	struct journal_loc loc;     /* of its MSG */
	uint64_t accepted, expires; /* wall ms */
	uint8_t mid[RECORD_ID_SIZE], device[RECORD_ID_SIZE], conv[RECORD_ID_SIZE];
	uint8_t kind;
	bool held;
	bool owed; /* in the list of those with fates to tell */
	uint32_t tries;
	uint32_t size;            /* bytes of the body */
	uint64_t last;            /* wall ms of the last attempt; 0: none */
	uint16_t code;            /* why it waits; 0: it does not */
	char *error;              /* owned: the same in words; may be NULL */
	char *sender;             /* owned */
	char *domain;             /* owned */
	struct sched_item *sched; /* borrowed from the schedule; NULL: not in it */
	size_t nrcpts;
	struct item_rcpt *rcpts; /* owned */
	TAILQ_ENTRY(item) place; /* in the order of loc */
	TAILQ_ENTRY(item) owing; /* in the list of those with fates to tell */
};
TAILQ_HEAD(item_list, item);

/* From a MSG record. */
struct item *item_new(const struct record_msg *, struct journal_loc);
void item_free(struct item *);
/* Notes one recipient's result. False if the index is out of range or he is final already. */
bool item_result(struct item *, size_t index, enum record_state, uint16_t code,
    struct span text, uint64_t when);
/* Notes why the whole item waits; code 0 clears it. */
void item_trouble(struct item *, uint16_t code, struct span text);
/* Index of the recipient with this account, or nrcpts. */
size_t item_find_rcpt(const struct item *, struct span account);
/* Recipients in a state. */
size_t item_count(const struct item *, enum record_state);
/* Whether all fates are known to the sender's store. */
bool item_told(const struct item *);
/* Fills a record with all that is known of the item but its MSG; texts are borrowed. */
void item_snapshot(const struct item *, struct record_attempt *);
/* Takes over what a record says. */
void item_apply(struct item *, const struct record_attempt *);

#endif
