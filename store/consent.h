/* SPDX-License-Identifier: ISC */
/*
 * consent.h - who may reach whom: the rows and the table of doc/protocol.md section 10.
 */
#ifndef STORE_CONSENT_H
#define STORE_CONSENT_H

#include "conf/conf.h"
#include "store/devlist.h"
#include "wire/call.h"

#define CONSENT_NONE 0 /* beside enum consent_state: no row, or one whose time is over */

/* owner's row for other: its state, CONSENT_NONE, or -1 on a fault. */
int consent_state(struct sdb *, struct span owner, struct span other, uint64_t now);
/* The keys of other as they were given with a request or grant; SDB_NONE if there are none. */
enum sdb_result consent_keys(
    struct sdb *, struct span owner, struct span other, struct devlist *);
/* Replaces these keys if the row has some of the same identity and they are newer. */
enum sdb_result consent_refresh(struct sdb *, struct span owner, struct span other,
    struct span listkey, struct span devlist);

/* A verified consent object. */
struct consent_act {
	const char *typ; /* TYP_REQUEST, TYP_GRANT, TYP_REVOKE */
	struct s_consent object;
	struct trust_account maker; /* for a revocation: filled by the caller before */
	uint64_t now;
	bool unverified; /* a revocation by somebody whose list is not known here */
};
/* The typ of a consent object as one of the constants, or NULL. */
const char *consent_typ(struct span object);
/* Opens and verifies a request or grant, or a revocation under a known list. Without one
 * (NULL) a revocation is only read: it may end what was asked, on the word of the server that
 * delivered it, and nothing else. */
unsigned consent_open(
    struct span object, const struct devlist *known, struct consent_act *);
/* The owner's own device made it (consent.put). CODE_DONE, or why not. */
unsigned consent_make(struct sdb *, const struct consent_act *);

struct consent_limits {
	uint64_t per_sender, per_domain;
	enum conf_consent policy;
	struct span own_domain;
};
/* It came as an item for object.to; alive says whether that account is. *deliver: put it into
 * the mailbox. Returns the code of the outcome. */
unsigned consent_receive(struct sdb *, const struct consent_act *, bool alive,
    const struct consent_limits *, bool *deliver);

/* Appends the result of consent.list. False if the database failed. */
bool consent_list(struct sdb *, struct span owner, uint64_t now, struct buf *out);
/* Removes requests that are too old to count, looking at max rows behind *at. */
void consent_sweep(struct sdb *, uint64_t now, size_t max, struct skey *at);

#endif
