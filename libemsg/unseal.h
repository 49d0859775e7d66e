/* SPDX-License-Identifier: ISC */
/*
 * unseal.h - sealed messages, format 1: opening and judging them (doc/protocol.md 6). Pure.
 */
#ifndef LIBEMSG_UNSEAL_H
#define LIBEMSG_UNSEAL_H

#include "base/buf.h"
#include "seal.h"

enum unseal_result {
	UNSEAL_OK,
	UNSEAL_FORMAT,    /* not a message of this format and suite */
	UNSEAL_STANZA,    /* nothing in it for this device */
	UNSEAL_PREKEY,    /* sealed to a prekey that we do not have */
	UNSEAL_CORRUPT,   /* does not open, or the inside is not as it must be */
	UNSEAL_SIGNATURE, /* not signed by that device */
	UNSEAL_RECIPIENT, /* signed for somebody else */
	UNSEAL_CONV,      /* signed for another conversation */
	UNSEAL_SENDER,    /* from a device that the sender never listed */
};
/* One line of English. */
const char *unseal_text(enum unseal_result);

/* Who opens. prekey gives the private half; false if it is not there (any more). */
struct unseal_device {
	uint8_t id[16];
	bool (*prekey)(void *arg, const uint8_t id[8], uint8_t priv[32]);
	void *arg;
};

/* An opened message. Until unseal_check() was ok nothing inside may be believed. */
struct unsealed {
	struct buf plain; /* owned */
	uint8_t cek[SEAL_CEK_SIZE];
	struct p_outer outer; /* these borrow from the push and from plain */
	struct i_inner inner;
	struct i_header header;
	struct span outer_bytes;
};

/* Opens the stanza for this device, the body and the padding. Clear *u in any case. */
enum unseal_result unseal_open(
    const struct p_push *, const struct unseal_device *, struct unsealed *u);
/* Verifies the signature by the sender's device key (32 bytes) and that account is a recipient
 * or the sender. */
enum unseal_result unseal_check(
    const struct unsealed *, const uint8_t device_key[32], struct span account);
void unseal_clear(struct unsealed *);

#endif
