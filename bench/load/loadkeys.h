/* SPDX-License-Identifier: ISC */
/*
 * loadkeys.h - an account of the load generator: its keys and the objects signed by them.
 *
 * Signatures are real, because the server verifies them; messages are sealed to nobody.
 */
#ifndef BENCH_LOADKEYS_H
#define BENCH_LOADKEYS_H

#include "base/buf.h"
#include "wire/number.h"

#define LOADKEYS_ACCOUNT_MAX 320 /* bytes of an address with terminator */

struct loadkeys {
	char account[LOADKEYS_ACCOUNT_MAX];
	uint8_t seed[32]; /* of the device's signing key */
	uint8_t device[PROTO_DEVICE_SIZE];
	uint8_t prekey_id[PROTO_PREKEY_ID_SIZE];
	struct buf listkey, devlist,
	    prekey; /* owned: signed objects; see loadkeys_trim */
};

/* Makes identity, list, device and prekey and signs what an account needs. 0 or -1. */
int loadkeys_make(struct loadkeys *, const char *account);
/* Frees the signed objects; the device can log in all the same. */
void loadkeys_trim(struct loadkeys *);
/* Appends a login proof (doc/protocol.md 5.4) for this nonce and exporter. 0 or -1. */
int loadkeys_login(const struct loadkeys *, struct span domain, const uint8_t nonce[32],
    const uint8_t exporter[32], struct buf *out);
/* Appends a request or grant (5.7) for the other account. 0 or -1. */
int loadkeys_consent(
    const struct loadkeys *, const char *typ, const char *to, struct buf *out);

#endif
