/* SPDX-License-Identifier: ISC */
/*
 * invite.c - invitations as text: "emsg:invite:" and base64url of a CBOR map.
 *
 * People copy them from mails and screens, so blanks and line ends around and inside are
 * dropped; everything else is strict. What the members mean is judged by enrol.c.
 *
 * Owns nothing. Fails with a static text.
 */
#include <ctype.h>

#include "base/text.h"
#include "invite.h"

static bool
refuse(const char **why, const char *text)
{
	*why = text;
	return false;
}

/* Copies without blanks; 0 if it is too long. */
static size_t
squeeze(struct span text, char *out, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (isspace(text.p[i]))
			continue;
		if (n == size)
			return 0;
		out[n++] = (char)text.p[i];
	}
	return n;
}

/* What a kind must have. */
static bool
complete(const struct i_invite *invite, const char **why)
{
	bool device = invite->kind == INVITE_DEVICE;

	if (!addr_domain_valid(invite->domain, why))
		return false;
	if (invite->kind != INVITE_ACCOUNT && !device)
		return refuse(
		    why, "this kind of invitation is not known to this version");
	if (device &&
	    (!obj_has(&i_invite_def, invite, 7) || !obj_has(&i_invite_def, invite, 9) ||
		!obj_has(&i_invite_def, invite, 10)))
		return refuse(why, "the invitation lacks what a new device needs");
	return true;
}

bool
invite_parse(
    struct span text, struct buf *store, struct i_invite *invite, const char **why)
{
	size_t prefix = sizeof(INVITE_PREFIX) - 1, n;
	char plain[INVITE_TEXT_SIZE];
	uint8_t *p;

	n = squeeze(text, plain, sizeof(plain));
	if (n <= prefix || memcmp(plain, INVITE_PREFIX, prefix) != 0)
		return refuse(why, "an invitation begins with " INVITE_PREFIX);
	p = buf_reserve(store, INVITE_BYTES_MAX);
	if (p == NULL ||
	    !b64url_decode(span_of(plain + prefix, n - prefix), p, INVITE_BYTES_MAX, &n))
		return refuse(why, "the invitation is damaged");
	buf_advance(store, n);
	if (obj_decode(&i_invite_def, buf_span(store), invite) != WIRE_OK)
		return refuse(why, "the invitation is damaged");
	return complete(invite, why);
}

int
invite_print(const struct i_invite *invite, char *out, size_t size)
{
	size_t prefix = sizeof(INVITE_PREFIX) - 1;
	struct buf bytes;
	int rc = -1;

	buf_init(&bytes, INVITE_BYTES_MAX);
	if (obj_encode(&i_invite_def, invite, &bytes) == WIRE_OK && !buf_failed(&bytes) &&
	    prefix + (4 * bytes.n + 2) / 3 + 1 <= size) {
		memcpy(out, INVITE_PREFIX, prefix);
		b64url_encode(buf_span(&bytes), out + prefix);
		rc = 0;
	}
	buf_clear(&bytes);
	return rc;
}
