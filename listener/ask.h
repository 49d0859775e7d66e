/* SPDX-License-Identifier: ISC */
/*
 * ask.h - requests (frames req and res).
 */
#ifndef LISTENER_ASK_H
#define LISTENER_ASK_H

#include "listener/inbound.h"

/* The frame req. */
inbound_fn ask_req;

#endif
