/* SPDX-License-Identifier: ISC */
/*
 * login.h - proofs: from auth to welcome.
 */
#ifndef LISTENER_LOGIN_H
#define LISTENER_LOGIN_H

#include "ipc/proc.h"
#include "listener/inbound.h"

/* The frame auth, on both paths. */
inbound_fn login_auth;
/* The handler for store's answers to proofs, also those that come too late. */
void login_answer(struct channel *, struct channel_msg *);
/* store is gone: who was in must prove itself again, who was about to is sent away. */
void login_store_down(void);
/* store is there: those who were in get a new hello. */
void login_store_up(void);

#endif
