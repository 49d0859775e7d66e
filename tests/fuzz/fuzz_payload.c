/* SPDX-License-Identifier: ISC */
/*
 * fuzz_payload.c - fuzz target: the payload of any message between processes.
 *
 * The first byte chooses the row of the message table, the rest is the payload. What must
 * hold for any bytes: they are refused, or what was read is written to the same bytes again,
 * within the bounds that the table promises.
 */
#include "config.h"

#include "fuzz/fuzz.h"
#include "ipc/msg.h"
#include "ipc/msgs.h"

/* As large as the largest struct of the table, and aligned for all. */
static union {
	struct m_fate fate;
	struct m_doc doc;
	struct m_boot boot;
	struct m_peer_check check;
	uint8_t bytes[512];
} body;

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct msg_def *def;
	size_t rows = 0, least, greatest;
	struct span in;
	struct buf out;

	while (msg_at(rows) != NULL)
		rows++;
	if (n == 0)
		return 0;
	def = msg_at(p[0] % rows);
	in = span_of(p + 1, n - 1);
	fuzz_check(def->size <= sizeof(body));
	if (payload_get(def->fields, in, &body) == -1)
		return 0;
	payload_bounds(def->fields, &least, &greatest);
	fuzz_check(in.n >= least && in.n <= greatest);
	buf_init(&out, MSG_PAYLOAD_MAX);
	fuzz_check(payload_put(def->fields, &body, &out) == 0);
	fuzz_check(span_eq(buf_span(&out), in));
	buf_clear(&out);
	return 0;
}
