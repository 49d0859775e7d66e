/* SPDX-License-Identifier: ISC */
/* keyd.h - the process that holds the private keys. */
#ifndef KEYD_KEYD_H
#define KEYD_KEYD_H

#include "ipc/proc.h"

extern const struct proc keyd_proc;

#endif
