/* SPDX-License-Identifier: ISC */
/*
 * passphrase.h - where the passphrase of the local data comes from.
 */
#ifndef CLIENT_PASSPHRASE_H
#define CLIENT_PASSPHRASE_H

#include <stdbool.h>

#include "libemsg/emsg.h"

#define PASSPHRASE_SIZE (EMSG_PASSPHRASE_MAX + 1)

/* Reads it from the first line of file (NULL: $EMSG_PASSPHRASE_FILE), else from the terminal,
 * without echo; twice if it is a new one. False after a message; wipe out in any case. */
bool passphrase_read(const char *file, bool fresh, char out[PASSPHRASE_SIZE]);

#endif
