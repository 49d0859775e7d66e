/* SPDX-License-Identifier: ISC */
/* listener.h - the process that devices and peers connect to. */
#ifndef LISTENER_LISTENER_H
#define LISTENER_LISTENER_H

#include "conf/conf.h"
#include "ipc/proc.h"

extern const struct proc listener_proc;

/* The configuration in use; borrowed until the next reload. */
const struct conf *listener_conf(void);
/* Our domain document as keyd gave it; empty until then. */
struct span listener_document(void);

#endif
