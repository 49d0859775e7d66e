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

#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/account.h"
#include "wire/inner.h"

#define INVITE_BYTES 2048 /* of the encoded map */

/* The domain as A-labels, in the caller's buffer. */
static bool
normal_domain(const char *typed, char out[ADDR_DOMAIN_MAX + 1])
{
	char *ascii = NULL;
	bool ok;

	if (idn2_to_ascii_8z(typed, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) !=
	    IDN2_OK)
		return false;
	ok = text_copy(out, ADDR_DOMAIN_MAX + 1, span_str(ascii));
	idn2_free(ascii);
	return ok;
}

/* The local part in lower case and NFC. */
static bool
normal_local(struct span typed, char out[ADDR_LOCAL_MAX + 1])
{
	size_t n = 0;
	uint8_t *lower = u8_tolower(typed.p, typed.n, NULL, UNINORM_NFC, NULL, &n);
	bool ok = lower != NULL && text_copy(out, ADDR_LOCAL_MAX + 1, span_of(lower, n));

	free(lower);
	return ok;
}

bool
account_normal(
    const char *typed, const char *domain, char out[ADDR_TEXT_SIZE], const char **why)
{
	char local[ADDR_LOCAL_MAX + 1], host[ADDR_DOMAIN_MAX + 1];
	char whole[ADDR_TEXT_SIZE];
	size_t n = strcspn(typed, "#@");
	struct addr addr;

	*why = "is not an address like alice#im.alpha.test";
	if (typed[n] != '\0')
		domain = typed + n + 1;
	if (domain == NULL) {
		*why = "lacks its domain";
		return false;
	}
	if (!normal_local(span_of(typed, n), local) || !normal_domain(domain, host))
		return false;
	(void)snprintf(whole, sizeof(whole), "%s#%s", local, host);
	if (!addr_parse(span_str(whole), &addr, why))
		return false;
	addr_print(&addr, out);
	return true;
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
