/* SPDX-License-Identifier: ISC */
/*
 * roster.h - contacts, their pinned keys and device lists; and our own list.
 */
#ifndef LIBEMSG_ROSTER_H
#define LIBEMSG_ROSTER_H

#include "crypto/trust.h"
#include "seal.h"
#include "session.h"
#include "wire/call.h"

#define ROSTER_NONE 0                    /* state of a contact that is none (any more) */
#define ROSTER_FRESH_MS (3600ULL * 1000) /* keys older than that are asked for again */

/* A contact in memory. Clear it after use; the row borrows from bytes. */
struct contact {
	struct row_contact row;
	int64_t state; /* enum consent_state or ROSTER_NONE */
	struct buf bytes;
};

/* Reads a contact; 1 there, 0 none (then an empty one of that address, which must live as long),
 * -1. */
int contact_get(struct emsg *, struct span account, struct contact *);
int contact_put(struct emsg *, const struct contact *);
void contact_clear(struct contact *);
bool contact_has_alarm(const struct contact *);
/* Pins this identity key; what was known under another one is forgotten. */
void contact_accept(struct contact *, const uint8_t identity[32]);

enum roster_verdict {
	ROSTER_TAKEN,
	ROSTER_SAME,    /* nothing new */
	ROSTER_BAD,     /* signatures or addresses are wrong */
	ROSTER_BACK,    /* older than what we have seen */
	ROSTER_CHANGED, /* another identity key: the alarm is set */
};
/* Judges and takes certificate and list into the contact (not written yet). pin: also takes the
 * identity if none is pinned. The spans must live until contact_put(). */
enum roster_verdict contact_take(
    struct contact *, struct span listkey, struct span devlist, bool pin);

/* The answer to keys.get for a contact or for ourselves. 0 or -1 (database). */
int roster_on_keys(struct emsg *, struct span account, const struct c_keys *);
/* A push of kind 2: request, grant, revocation. 0 or -1 (database). */
int roster_on_object(struct emsg *, const struct p_push *);
/* The server says that the list of that account changed. */
int roster_on_event(struct emsg *, struct span account);

/* The account has further devices than this one. */
bool roster_has_others(struct emsg *);
/* The signing key of a device in a stored list; false if it is not there. */
bool roster_device_key(struct span devlist, const uint8_t id[16], uint8_t key[32]);
/* Generation, seq and head of a stored list. */
bool roster_head(struct span account, struct span devlist, struct i_head *);
/* The devices of a list with a usable prekey, except one id (may be NULL); at most
 * SOBJ_DEVICES_MAX. */
size_t roster_devices(struct span account, struct span listkey, struct span devlist,
    const struct obj_list *prekeys, const uint8_t *except, struct seal_device *out);

/* Appends the newest prekey of each device (as bstr) of those that we had and those that an
 * answer brought; how many. What the account's list does not vouch for is left out. */
size_t roster_newest(const struct trust_account *, const struct obj_list *had,
    const struct obj_list *got, uint64_t now, struct buf *out);

/* Tells our other devices about a contact (its account), or about all of them (empty). What
 * they get is what roster_on_copy() takes. 0 or -1. */
int roster_share(struct emsg *, struct span account);
#define ROSTER_TYPE "application/vnd.emsg.contacts"
/* Contacts that another device of ours shares, in its message of that counter. 0 or -1. */
int roster_on_copy(
    struct emsg *, const uint8_t device[16], uint64_t counter, struct span content);

/* Our own list; the row borrows from bytes. 1 there, 0 none, -1. */
int roster_own(struct emsg *, struct row_list *, struct buf *bytes);
int roster_own_put(struct emsg *, const struct row_list *);

#endif
