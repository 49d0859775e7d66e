/* SPDX-License-Identifier: ISC */
/*
 * code.c - the table of reply codes.
 *
 * Every result, fate and refusal carries a number of this table. The symbol is what tools
 * print and tests name; the text is for people. A temporary code means: keep the item and
 * try again; a permanent one: this will not succeed unchanged.
 *
 * Read by all processes, the client and the documentation test, which holds
 * doc/protocol.md to it. A static table in ascending order; nothing is owned, and a number
 * from a newer peer that is not here still has a class by its hundreds.
 */
#include "wire/code.h"

#include <string.h>

static const struct code_row table[] = {
    {CODE_ACCEPTED, CODE_OK, "accepted", "stored durably; it will travel on"},
    {CODE_RECEIVED, CODE_OK, "received", "stored; says nothing about the recipient"},
    {CODE_DONE, CODE_OK, "done", "in the mailbox, or the request is carried out"},
    {CODE_KNOWN, CODE_OK, "known", "a repeat of what is already stored"},

    {CODE_TRY_LATER, CODE_TEMPORARY, "try-later", "not now; try again"},
    {CODE_STARTING, CODE_TEMPORARY, "starting", "a part of the server is starting"},
    {CODE_BUSY, CODE_TEMPORARY, "busy", "too much in motion"},
    {CODE_TIMEOUT, CODE_TEMPORARY, "timeout", "no answer in time"},
    {CODE_UNKNOWN_HANDLE, CODE_TEMPORARY, "unknown-handle", "the login must be repeated"},
    {CODE_STORAGE, CODE_TEMPORARY, "storage", "storage failed or is full"},
    {CODE_OVER_CREDIT, CODE_TEMPORARY, "over-credit", "more was sent than credit allows"},
    {CODE_RATE, CODE_TEMPORARY, "rate", "too many in this time"},
    {CODE_AFTER, CODE_TEMPORARY, "after", "an earlier item of the same order waits"},
    {CODE_PEER_UNREACHABLE, CODE_TEMPORARY, "peer-unreachable",
	"the other server cannot be reached"},

    {CODE_MALFORMED, CODE_PERMANENT, "malformed",
	"not the encoding that the protocol asks"},
    {CODE_UNSUPPORTED, CODE_PERMANENT, "unsupported", "well-formed, but not known here"},
    {CODE_BAD_STATE, CODE_PERMANENT, "bad-state", "not allowed in this state"},
    {CODE_TOO_LARGE, CODE_PERMANENT, "too-large", "larger than the advertised limit"},
    {CODE_LIMIT, CODE_PERMANENT, "limit", "more of them than allowed"},

    {CODE_NOT_AUTHORISED, CODE_PERMANENT, "not-authorised", "no right to do this"},
    {CODE_BAD_SIGNATURE, CODE_PERMANENT, "bad-signature", "a signature does not verify"},
    {CODE_NONCE, CODE_PERMANENT, "nonce", "the nonce is not the one given out, or used"},
    {CODE_BAD_TOKEN, CODE_PERMANENT, "bad-token",
	"the token is unknown, used or expired"},
    {CODE_UNKNOWN_ACCOUNT, CODE_PERMANENT, "unknown-account",
	"no such account or device"},
    {CODE_NAME_TAKEN, CODE_PERMANENT, "name-taken", "the name cannot be registered"},
    {CODE_WRONG_DOMAIN, CODE_PERMANENT, "wrong-domain",
	"not for this domain, or not from it"},
    {CODE_BAD_DOCUMENT, CODE_PERMANENT, "bad-document",
	"the domain document is not valid"},
    {CODE_ROOT_CHANGED, CODE_PERMANENT, "root-changed",
	"the domain's root key changed without announcement"},

    {CODE_NOT_ACCEPTED, CODE_PERMANENT, "not-accepted",
	"the recipient does not accept this"},
    {CODE_CLOCK, CODE_PERMANENT, "clock", "the time of the message is not acceptable"},
    {CODE_MID_USED, CODE_PERMANENT, "mid-used", "too many messages with this id"},
    {CODE_QUOTA, CODE_PERMANENT, "quota", "the mailbox is full"},
    {CODE_STALE_KEYS, CODE_PERMANENT, "stale-keys", "sealed to keys that are gone"},
    {CODE_EXPIRED, CODE_PERMANENT, "expired", "not delivered within its lifetime"},
    {CODE_MOVED, CODE_PERMANENT, "moved", "the account has another address now"},
    {CODE_NO_HUB, CODE_PERMANENT, "no-hub",
	"this server may not act for the conversation"},
    {CODE_DROPPED, CODE_PERMANENT, "dropped", "removed from the queue by an operator"},

    {CODE_NOT_FOUND, CODE_PERMANENT, "not-found", "no such object"},
    {CODE_CONFLICT, CODE_PERMANENT, "conflict", "changed by another since it was read"},
};

#define ROWS (sizeof(table) / sizeof(table[0]))

const struct code_row *
code_at(size_t i)
{
	return i < ROWS ? &table[i] : NULL;
}

const struct code_row *
code_find(uint64_t number)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (table[i].code == number)
			return &table[i];
	}
	return NULL;
}

const struct code_row *
code_by_symbol(const char *symbol)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (strcmp(table[i].symbol, symbol) == 0)
			return &table[i];
	}
	return NULL;
}

enum code_class
code_class(uint64_t number)
{
	const struct code_row *row = code_find(number);

	if (row != NULL)
		return row->class;
	if (number / 100 == 2)
		return CODE_OK;
	return number / 100 == 4 ? CODE_TEMPORARY : CODE_PERMANENT;
}

const char *
code_symbol(uint64_t number)
{
	const struct code_row *row = code_find(number);

	return row != NULL ? row->symbol : "?";
}

const char *code_class_name(enum code_class class)
{
	switch (class) {
	case CODE_OK:
		return "ok";
	case CODE_TEMPORARY:
		return "temporary";
	default:
		return "permanent";
	}
}
