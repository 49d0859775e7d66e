/* SPDX-License-Identifier: ISC */
/*
 * vault.h - the key of the local database and how a passphrase wraps it.
 */
#ifndef LIBEMSG_VAULT_H
#define LIBEMSG_VAULT_H

#include "base/buf.h"
#include "crypto/scrypt.h"

#define VAULT_KEY_SIZE 32
#define VAULT_BLOB_MAX 512 /* bytes of what is stored beside the data */

enum vault_mode { VAULT_OPEN = 1, VAULT_PASSPHRASE = 2 };
enum vault_result {
	VAULT_OK,
	VAULT_NEEDS_PASSPHRASE,
	VAULT_WRONG,  /* another passphrase, or altered */
	VAULT_BROKEN, /* not a blob of ours */
	VAULT_FAILED, /* no memory for scrypt */
};

/* Derived from the database key; wipe it with vault_wipe(). */
struct vault {
	enum vault_mode mode;
	uint8_t seal[VAULT_KEY_SIZE];  /* AES-256-GCM key of values */
	uint8_t index[VAULT_KEY_SIZE]; /* HMAC key of look-ups */
};

/* Makes a new database key. pass NULL: the key lies open, by the user's choice. The blob to
 * store is appended. */
enum vault_result vault_make(const struct span *pass, const struct scrypt_cost *,
    struct buf *blob, struct vault *);
/* Opens a blob; pass may be NULL. */
enum vault_result vault_open(struct span blob, const struct span *pass, struct vault *);
/* How a blob is protected; false if it is broken. */
bool vault_mode(struct span blob, enum vault_mode *);
void vault_wipe(struct vault *);
/* One line of English. */
const char *vault_text(enum vault_result);

#endif
