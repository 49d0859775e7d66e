/* SPDX-License-Identifier: ISC */
/* control.h - the process behind the admin sockets. */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "ipc/proc.h"

extern const struct proc control_proc;

#endif
