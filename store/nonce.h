/* SPDX-License-Identifier: ISC */
/* nonce.h - nonces for proofs: made here, given out by listener, good once. */
#ifndef STORE_NONCE_H
#define STORE_NONCE_H

#include "wire/number.h"

#include <stdbool.h>
#include <stdint.h>

/* Makes one; if too many are out the oldest is forgotten. */
void nonce_make(uint8_t out[PROTO_NONCE_SIZE]);
/* True if it is out; it no longer is afterwards. */
bool nonce_take(const uint8_t nonce[PROTO_NONCE_SIZE]);
/* Forgets all: listener is gone, and with it every link that had one. */
void nonce_drop_all(void);

#endif
