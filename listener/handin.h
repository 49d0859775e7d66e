/* SPDX-License-Identifier: ISC */
/*
 * handin.h - puts: to store what is for accounts of this server, to queue what is for others.
 */
#ifndef LISTENER_HANDIN_H
#define LISTENER_HANDIN_H

#include "listener/inbound.h"

/* The frame put. */
inbound_fn handin_put;
/* Parts of puts whose result is awaited. */
size_t handin_open(void);

#endif
