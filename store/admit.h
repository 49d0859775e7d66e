/* SPDX-License-Identifier: ISC */
/* admit.h - one item into mailboxes of this server: the judgement for each recipient. */
#ifndef STORE_ADMIT_H
#define STORE_ADMIT_H

#include "store/consent.h"
#include "store/mailbox.h"

/* What proved itself at the link that brings the item. */
enum admit_from { ADMIT_DEVICE = 1, ADMIT_PEER = 2 };

struct admit {
	enum admit_from from;
	struct span name;      /* account or domain that proved itself */
	const uint8_t *device; /* ADMIT_DEVICE */
	struct span domain;    /* ours */
	uint64_t now, retention, mailbox_max;
	struct consent_limits limits;
	struct p_put put;
	struct p_outer outer; /* set by admit_check() */
};

/* Judges the item as a whole and decodes its outer header: CODE_DONE, or the code for all its
 * recipients. */
unsigned admit_check(struct admit *);
/* Delivers to one recipient: the code of its outcome. *stored: its mailbox has a new entry,
 * visible after the commit. */
unsigned admit_to(
    struct sdb *, const struct admit *, const struct p_recipient *, bool *stored);

#endif
