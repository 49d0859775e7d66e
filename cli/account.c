/* SPDX-License-Identifier: ISC */
/*
 * account.c - makes what an operator types into addresses, and completes invitations.
 *
 * Servers compare bytes and refuse what is not in normal form, so tools make it normal. The
 * server does not know under which other name or port it can be reached; its operator does,
 * so the tool puts that into invitations, and the domain's pin. Called by ask.c. Mistakes are
 * one phrase each.
 */
#include "config.h"

#include <stdio.h>

#include "base/text.h"
#include "cli/account.h"
#include "libemsg/normal.h"
#include "wire/inner.h"

#define INVITE_BYTES 2048 /* of the encoded map */

bool
account_normal(
    const char *typed, const char *domain, char out[ADDR_TEXT_SIZE], const char **why)
{
	char whole[NORMAL_INPUT_MAX];
	bool bare = strpbrk(typed, "#@") == NULL;

	*why = "the domain is missing";
	if (bare && domain == NULL)
		return false;
	*why = "too long for an address";
	if ((size_t)snprintf(whole, sizeof(whole), "%s%s%s", typed, bare ? "#" : "",
		bare ? domain : "") >= sizeof(whole))
		return false;
	return normal_address(span_str(whole), out, why);
}

bool
account_invite(struct span invite, const struct account_place *place, struct buf *out)
{
	size_t prefix = strlen(INVITE_PREFIX), n;
	uint8_t map[INVITE_BYTES];
	char text[INVITE_BYTES * 2];
	struct i_invite inv;
	struct buf b;
	bool ok = false;

	if (invite.n <= prefix || memcmp(invite.p, INVITE_PREFIX, prefix) != 0 ||
	    !b64url_decode(
		span_of(invite.p + prefix, invite.n - prefix), map, sizeof(map), &n) ||
	    obj_decode(&i_invite_def, span_of(map, n), &inv) != WIRE_OK)
		return false;
	if (place->host != NULL && !obj_has(&i_invite_def, &inv, 3)) {
		inv.host = span_str(place->host);
		obj_set(&i_invite_def, &inv, 3);
	}
	if (place->port != 0 && !obj_has(&i_invite_def, &inv, 4)) {
		inv.port = place->port;
		obj_set(&i_invite_def, &inv, 4);
	}
	if (place->pin != NULL && !obj_has(&i_invite_def, &inv, 5)) {
		memcpy(inv.pin, place->pin, sizeof(inv.pin));
		obj_set(&i_invite_def, &inv, 5);
	}
	buf_init(&b, INVITE_BYTES);
	if (obj_encode(&i_invite_def, &inv, &b) == WIRE_OK && !buf_failed(&b)) {
		b64url_encode(buf_span(&b), text);
		buf_put_span(out, span_str(INVITE_PREFIX));
		buf_put_span(out, span_str(text));
		ok = !buf_failed(out);
	}
	buf_wipe(&b);
	return ok;
}
