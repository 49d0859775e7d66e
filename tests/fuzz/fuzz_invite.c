/* SPDX-License-Identifier: ISC */
/*
 * fuzz_invite.c - fuzz target: invitations as people paste them.
 *
 * The input is taken for a text, and for the bytes inside one. What must hold: a refusal has
 * a reason; what was accepted is complete, prints within its limit, and what was printed is
 * read back and prints the same.
 */
#include "config.h"

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "libemsg/invite.h"

#define ROOM 4096

/* The text of the invitation that the text says; false if it says none. */
static bool
reprint(struct span text, char out[INVITE_TEXT_SIZE])
{
	struct i_invite invite;
	const char *why = NULL;
	struct buf store;
	bool ok;

	buf_init(&store, INVITE_BYTES_MAX);
	ok = invite_parse(text, &store, &invite, &why);
	fuzz_check(ok || (why != NULL && why[0] != '\0'));
	if (ok) {
		fuzz_check(invite.kind == INVITE_ACCOUNT || invite.kind == INVITE_DEVICE);
		fuzz_check(addr_domain_valid(invite.domain, &why));
		fuzz_check(invite_print(&invite, out, INVITE_TEXT_SIZE) == 0);
		fuzz_check(invite_print(&invite, out + 1, strlen(out)) == -1);
	}
	buf_clear(&store);
	return ok;
}

static void
check_text(struct span text)
{
	char once[INVITE_TEXT_SIZE], twice[INVITE_TEXT_SIZE];

	if (!reprint(text, once))
		return;
	fuzz_check(reprint(span_str(once), twice) && strcmp(once, twice) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char text[sizeof(INVITE_PREFIX) + 2 * ROOM] = INVITE_PREFIX;

	if (n > ROOM)
		return 0;
	check_text(span_of(p, n));
	b64url_encode(span_of(p, n), text + sizeof(INVITE_PREFIX) - 1);
	check_text(span_str(text));
	return 0;
}
