/* SPDX-License-Identifier: ISC */
/*
 * greet.h - hellos, each with a nonce that store made.
 */
#ifndef LISTENER_GREET_H
#define LISTENER_GREET_H

#include "listener/inlink.h"

#define GREET_POOL 64 /* nonces kept */

/* The link gets a hello as soon as there is a nonce for it. */
void greet_want(struct inlink *);
/* It does not want one any more. */
void greet_forget(struct inlink *);
/* store made a nonce. */
void greet_nonce(const uint8_t nonce[32]);
/* store is there: asks it for nonces. */
void greet_store_up(void);
/* store is gone, and with it the worth of its nonces. */
void greet_store_down(void);

#endif
