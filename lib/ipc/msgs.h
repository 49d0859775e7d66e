/* SPDX-License-Identifier: ISC */
/*
 * msgs.h - the payload of every message between processes. msg.c has the matching fields.
 *
 * Spans that hold "wire" bytes are encoded as doc/protocol.md says and travel unchanged
 * from the socket to the process that judges them. Text is UTF-8 without a terminator.
 * The id in the frame header ties an answer to its question.
 */
#ifndef IPC_MSGS_H
#define IPC_MSGS_H

#include "ipc/msgs_core.h"
#include "ipc/msgs_item.h"

#endif
