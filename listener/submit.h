/* SPDX-License-Identifier: ISC */
/*
 * submit.h - puts: to store what is for accounts of this server, to queue what is for others.
 */
#ifndef LISTENER_SUBMIT_H
#define LISTENER_SUBMIT_H

#include "listener/inbound.h"

/* The frame put. */
inbound_fn submit_put;
/* Parts of puts whose result is awaited. */
size_t submit_open(void);

#endif
