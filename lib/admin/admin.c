/* SPDX-License-Identifier: ISC */
/*
 * admin.c - answering admin requests: encode a row by its table and send it.
 *
 * Called by every process that carries out admin commands (master, store, queue, keyd).
 * Owns nothing. If the channel is gone the answer is gone with it; control tells the tool.
 */
#include "admin/admin.h"
#include "base/buf.h"
#include "ipc/msgs.h"

bool
admin_row(struct channel *ch, uint64_t id, enum ctl_row kind, const void *row)
{
	struct m_ctl_row msg = {.kind = (uint16_t)kind};
	const struct obj_def *def = ctl_row_def(kind);
	bool ok = false;
	struct buf b;

	buf_init(&b, ADMIN_ROW_MAX);
	if (def != NULL && obj_encode(def, row, &b) == WIRE_OK && !buf_failed(&b)) {
		msg.row = buf_span(&b);
		ok = channel_send(ch, MSG_CTL_ROW, id, &msg, -1) == 0;
	}
	buf_clear(&b);
	return ok;
}

void
admin_note(struct channel *ch, uint64_t id, const char *text)
{
	struct ctl_note note = {.text = span_str(text)};

	admin_row(ch, id, ROW_NOTE, &note);
}

void
admin_end(struct channel *ch, uint64_t id, uint16_t code, const char *text)
{
	struct m_ctl_end end = {.code = code, .text = span_str(text)};

	channel_send(ch, MSG_CTL_END, id, &end, -1);
}
