/* SPDX-License-Identifier: ISC */
/*
 * admin.h - answering admin requests (wire/ctl.h) over the channel to control.
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "ipc/channel.h"
#include "wire/ctl.h"

#define ADMIN_ROW_MAX 16384 /* bytes of an encoded row */

/* Sends one row of the answer to request id. row is the struct of that kind. A row that breaks
 * its own limits is left out; the return value is false then. */
bool admin_row(struct channel *, uint64_t id, enum ctl_row kind, const void *row);
/* Sends a row of kind ROW_NOTE. */
void admin_note(struct channel *, uint64_t id, const char *text);
/* Ends the answer: a reply code and a line for people ("" if the code says all). */
void admin_end(struct channel *, uint64_t id, uint16_t code, const char *text);

#endif
