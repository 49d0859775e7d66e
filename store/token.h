/* SPDX-License-Identifier: ISC */
/*
 * token.h - one-time tokens: invitations and slots for new devices. Only hashes are stored.
 */
#ifndef STORE_TOKEN_H
#define STORE_TOKEN_H

#include "crypto/sha.h"
#include "store/sdb.h"
#include "wire/call.h"

enum token_kind { TOKEN_INVITE = 1, TOKEN_ENROL = 2 };

struct token {
	uint8_t kind; /* enum token_kind */
	uint64_t expires;
	struct span account; /* invitation: bound to it, or empty; enrolment: whose */
	struct span blob;    /* enrolment: what the new device left, or empty */
};

/* Spans of *token are borrowed until the next write. SDB_NONE: unknown, or over. */
enum sdb_result token_get(
    struct sdb *, const uint8_t hash[SHA_SIZE], uint64_t now, struct token *);
enum sdb_result token_put(
    struct sdb *, const uint8_t hash[SHA_SIZE], const struct token *);
enum sdb_result token_del(struct sdb *, const uint8_t hash[SHA_SIZE]);
/* A slot for a new device of an account, under the hash of its token. At most
 * STORE_ENROL_SLOTS are open for an account: one more takes the place of the oldest. SDB_NONE:
 * there is one under this hash already. */
enum sdb_result token_slot(struct sdb *, const uint8_t hash[SHA_SIZE],
    struct span account, uint64_t expires, uint64_t now);
/* Deletes all slots of an account. */
enum sdb_result token_close(struct sdb *, struct span account);
/* A new invitation: 16 random bytes, and its row. */
enum sdb_result token_invite(
    struct sdb *, struct span account, uint64_t expires, uint8_t token[16]);
/* The invitation is good for this account and is used up: CODE_DONE, else why not. */
unsigned token_redeem(
    struct sdb *, const uint8_t token[16], struct span account, uint64_t now);
/* Removes what is over, looking at max rows behind *at. */
void token_sweep(struct sdb *, uint64_t now, size_t max, struct skey *at);

#endif
