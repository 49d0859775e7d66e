/* SPDX-License-Identifier: ISC */
/*
 * relay.h - the process that carries items to other servers, and what its parts share.
 */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "conf/conf.h"
#include "ipc/proc.h"

extern const struct proc relay_proc;

/* The configuration in use. */
const struct conf *relay_conf(void);

#endif
