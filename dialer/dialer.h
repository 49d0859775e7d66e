/* SPDX-License-Identifier: ISC */
/* dialer.h - the process that finds peers' addresses and connects to them. */
#ifndef DIALER_DIALER_H
#define DIALER_DIALER_H

#include "ipc/proc.h"

extern const struct proc dialer_proc;

#endif
