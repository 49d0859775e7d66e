/* SPDX-License-Identifier: ISC */
/*
 * inreq.h - requests (frames req and res).
 */
#ifndef LISTENER_INREQ_H
#define LISTENER_INREQ_H

#include "listener/inbound.h"

/* The frame req. */
inbound_fn inreq_take;

#endif
