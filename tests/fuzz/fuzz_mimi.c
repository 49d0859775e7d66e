/* SPDX-License-Identifier: ISC */
/*
 * fuzz_mimi.c - fuzz target: message contents and receipts.
 *
 * The input is taken for a content, for a report of receipts, and for the text of a message
 * that we write. What must hold: what was read lies within the input and within its limits;
 * our own texts and reports are read back as they were meant.
 */
#include "config.h"

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "libemsg/mimi.h"

#define ROOM 65536

static void
inside(struct span part, struct span whole)
{
	fuzz_check(
	    part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void
content(struct span in)
{
	uint8_t id[MIMI_ID_SIZE];
	struct mimi m;
	bool ok = mimi_parse(in, &m);

	fuzz_check((mimi_id(in, id) == 0) == ok);
	if (!ok)
		return;
	fuzz_check(id[0] == 1 && m.salt.n == MIMI_SALT_SIZE);
	fuzz_check(m.expires <= UINT32_MAX && m.disposition <= UINT8_MAX);
	fuzz_check(m.replaces.n == 0 || m.replaces.n == MIMI_ID_SIZE);
	fuzz_check(m.reply.n == 0 || m.reply.n == MIMI_ID_SIZE);
	fuzz_check(m.type.n > 0 || m.text.n == 0);
	inside(m.text, in);
	inside(m.type, in);
	inside(m.sender, in);
	inside(m.room, in);
}

static void
report(struct span in)
{
	static struct mimi_report was[MIMI_STATUS_MAX], again[MIMI_STATUS_MAX];
	struct buf out;
	size_t n, m;

	if (!mimi_status_get(in, was, &n))
		return;
	fuzz_check(n <= MIMI_STATUS_MAX);
	buf_init(&out, ROOM);
	fuzz_check(mimi_status_put(was, n, &out) == 0);
	fuzz_check(mimi_status_get(buf_span(&out), again, &m) && m == n);
	for (size_t i = 0; i < n; i++) {
		fuzz_check(was[i].status == again[i].status);
		fuzz_check(memcmp(was[i].id, again[i].id, MIMI_ID_SIZE) == 0);
	}
	buf_clear(&out);
}

/* A text of ours: the first byte says how much of the input is the sender's name. */
static void
text(const uint8_t *p, size_t n)
{
	static const uint8_t salt[MIMI_SALT_SIZE] = "salt";
	size_t cut = p[0] < n - 1 ? p[0] : n - 1;
	struct span sender = span_of(p + 1, cut);
	struct span body = span_of(p + 1 + cut, n - 1 - cut);
	struct buf out;
	struct mimi m;

	buf_init(&out, 2 * ROOM);
	fuzz_check(mimi_text(sender, span_str("emsg:room"), salt, body, &out) == 0);
	fuzz_check(mimi_parse(buf_span(&out), &m) == utf8_valid(sender));
	if (utf8_valid(sender)) {
		fuzz_check(span_eq(m.sender, sender) && span_eq(m.text, body));
		fuzz_check(span_eq(m.room, span_str("emsg:room")));
		fuzz_check(span_eq(m.type, span_str(MIMI_TYPE_PLAIN)));
		fuzz_check(memcmp(m.salt.p, salt, sizeof(salt)) == 0);
		fuzz_check(m.expires == 0 && m.replaces.n == 0 && m.reply.n == 0);
	}
	buf_clear(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n == 0 || n > ROOM)
		return 0;
	content(span_of(p, n));
	report(span_of(p, n));
	text(p, n);
	return 0;
}
