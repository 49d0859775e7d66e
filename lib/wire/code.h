/* SPDX-License-Identifier: ISC */
/*
 * code.h - the reply codes, one table: number, class, symbol, text.
 *
 * doc/protocol.md prints the same table and a test compares them. The class of a number that
 * is not in the table (from a newer peer) is judged by its hundreds.
 */
#ifndef WIRE_CODE_H
#define WIRE_CODE_H

#include <stddef.h>
#include <stdint.h>

enum code_class { CODE_OK, CODE_TEMPORARY, CODE_PERMANENT };

enum code {
	CODE_ACCEPTED = 200,
	CODE_RECEIVED = 201,
	CODE_DONE = 202,
	CODE_KNOWN = 210,

	CODE_TRY_LATER = 410,
	CODE_STARTING = 411,
	CODE_BUSY = 412,
	CODE_TIMEOUT = 413,
	CODE_UNKNOWN_HANDLE = 414,
	CODE_STORAGE = 420,
	CODE_OVER_CREDIT = 421,
	CODE_RATE = 422,
	CODE_AFTER = 423,
	CODE_PEER_UNREACHABLE = 430,

	CODE_MALFORMED = 500,
	CODE_UNSUPPORTED = 501,
	CODE_BAD_STATE = 502,
	CODE_TOO_LARGE = 503,
	CODE_LIMIT = 504,
	CODE_NOT_AUTHORISED = 510,
	CODE_BAD_SIGNATURE = 511,
	CODE_NONCE = 512,
	CODE_BAD_TOKEN = 513,
	CODE_UNKNOWN_ACCOUNT = 514,
	CODE_NAME_TAKEN = 515,
	CODE_WRONG_DOMAIN = 516,
	CODE_BAD_DOCUMENT = 517,
	CODE_ROOT_CHANGED = 518,
	CODE_NOT_ACCEPTED = 520,
	CODE_CLOCK = 521,
	CODE_MID_USED = 522,
	CODE_QUOTA = 523,
	CODE_STALE_KEYS = 524,
	CODE_EXPIRED = 525,
	CODE_MOVED = 526,
	CODE_NO_HUB = 527,
	CODE_DROPPED = 528,
	CODE_NOT_FOUND = 530,
	CODE_CONFLICT = 531,
};

struct code_row {
	unsigned code;
	enum code_class class;
	const char *symbol; /* lower case with hyphens, stable */
	const char *text;   /* one line of English */
};

/* The row, or NULL if there is none. */
const struct code_row *code_find(uint64_t number);
const struct code_row *code_by_symbol(const char *symbol);
/* Row i in ascending order of numbers, NULL beyond the last. */
const struct code_row *code_at(size_t i);
/* Class of any number: of the table, else by hundreds (2 ok, 4 temporary, all else
 * permanent). */
enum code_class code_class(uint64_t number);
/* "accepted"; "?" for a number that is not in the table. */
const char *code_symbol(uint64_t number);
/* "ok", "temporary", "permanent". */
const char *code_class_name(enum code_class);

#endif
