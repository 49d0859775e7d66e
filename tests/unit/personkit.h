/* SPDX-License-Identifier: ISC */
/*
 * personkit.h - people for the tests of libemsg: accounts made of keys only.
 */
#ifndef TESTS_PERSONKIT_H
#define TESTS_PERSONKIT_H

#include "libemsg/rows.h"

/* An account as the others see it. */
struct person {
	struct row_self self;
	struct row_prekey prekey;
	struct buf listkey, devlist, prekey_bytes;
};

/* Makes all keys; account must live as long. Clear it after use. */
void person_make(struct person *, const char *account);
/* One more device in the person's list. */
void person_add_device(struct person *, struct row_self *device);
void person_clear(struct person *);

#endif
