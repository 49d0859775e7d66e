/* SPDX-License-Identifier: ISC */
/*
 * fuzz_admin.c - fuzz target: what a tool may write to an admin socket.
 *
 * After one byte of options the input is a series of messages: command, flags, and a length of
 * one byte for the arguments; or, if the options say so, bytes as they are. Requests that
 * control would forward have their arguments decoded here, as the process does that carries
 * them out, and are answered with a row and an end. What must hold: a request has its bounds;
 * arguments that were accepted encode again to a fixed point; answers reach the tool in order;
 * the end of a caller is told once.
 */
#include "config.h"

#include <sys/socket.h>

#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/fd.h"
#include "control/caller.h"
#include "fuzz/fuzz.h"
#include "ipc/frame.h"
#include "ipc/msg.h"

#define ARGS_MAX CALLER_MESSAGE_MAX
#define OPTION_RAW 0x01     /* bytes as they are */
#define OPTION_HANG_UP 0x02 /* the tool does not wait for answers */
#define OPTION_FREE 0x04    /* control gives up the caller at its first request */
#define OPTION_SHUT 0x08    /* the tool says that nothing more will come */
#define OPTION_FLOOD 0x10   /* the first answer is more than may lie unread */
#define OPTION_PART 0x20    /* only more than a socket holds at once */
#define INPUT_MAX 2048
#define FLOOD_ROW 16000
#define ROUNDS_MAX 64

static struct event_base *base;
static struct caller *caller; /* NULL once it has gone */
static uint8_t options;
static uint64_t answers; /* messages that went back */

/* Aligned for any of the objects. */
static union {
	struct ctl_item item;
	struct ctl_process process;
	struct ctl_queue_args args;
} object;

/* Decodes by a table; what was accepted is written again and is the same then. */
static void
decode(const struct obj_def *def, struct span in)
{
	struct buf once, twice;

	fuzz_check(def->size <= sizeof(object));
	if (obj_decode(def, in, &object) != WIRE_OK)
		return;
	buf_init(&once, ARGS_MAX);
	buf_init(&twice, ARGS_MAX);
	fuzz_check(obj_encode(def, &object, &once) == WIRE_OK);
	fuzz_check(obj_decode(def, buf_span(&once), &object) == WIRE_OK);
	fuzz_check(obj_encode(def, &object, &twice) == WIRE_OK);
	fuzz_check(span_eq(buf_span(&once), buf_span(&twice)));
	buf_clear(&once);
	buf_clear(&twice);
}

/* More than a caller may leave unread, or a part of that. */
static void
flood(struct caller *c, uint64_t id)
{
	static uint8_t bytes[FLOOD_ROW];
	struct m_ctl_row row = {.kind = ROW_NOTE, .row = span_of(bytes, sizeof(bytes))};
	uint64_t max = CALLER_OUTPUT_MAX / FLOOD_ROW;

	if ((options & OPTION_PART) != 0)
		max /= 8;
	for (; answers <= max; answers++)
		caller_row(c, id, &row);
}

static void
on_ask(struct caller *c, uint64_t id, const struct m_ctl_ask *ask)
{
	const struct ctl *ctl = ctl_find(ask->command);
	struct m_ctl_row row = {.kind = ask->command, .row = ask->args};
	const struct obj_def *def = ctl_row_def(ask->command);

	fuzz_check(c == caller);
	if (ctl != NULL)
		decode(ctl->args, ask->args);
	if (def != NULL)
		decode(def, ask->args);
	if ((options & OPTION_FLOOD) != 0 && answers == 0)
		flood(c, id);
	caller_row(c, id, &row);
	caller_end(c, id, ask->command, span_str("done"));
	answers += 2;
	if ((options & OPTION_FREE) != 0) {
		caller_free(c);
		caller = NULL;
	}
}

static void
on_gone(struct caller *c, const char *why)
{
	fuzz_check(c == caller && why != NULL);
	caller = NULL;
}

/* One message of the input as a frame. */
static void
send_request(struct frame *tool, struct cur *c, uint64_t id)
{
	uint8_t command = cur_u8(c), flags = cur_u8(c);
	size_t n = cur_u8(c);
	struct m_ctl_ask ask = {.command = command};
	struct buf b;

	ask.args = cur_bytes(c, n < c->n ? n : c->n);
	buf_init(&b, ARGS_MAX);
	fuzz_check(payload_put(msg_find(MSG_CTL_ASK)->fields, &ask, &b) == 0);
	fuzz_check(
	    frame_queue(tool, (flags & 0x80) != 0 ? MSG_CTL_ROW : MSG_CTL_ASK, flags & 1,
		id, buf_span(&b), (flags & 0x40) != 0 ? dup(0) : -1) == 0);
	buf_clear(&b);
}

/* Reads what came back: rows and ends, by the order of the requests. */
static void
read_answers(struct frame *tool)
{
	bool raw = (options & OPTION_RAW) != 0;
	enum frame_status status = FRAME_OK;
	struct frame_msg msg;
	uint64_t last = 0, count = 0;

	while (status == FRAME_OK) {
		status = frame_next(tool, &msg);
		if (status == FRAME_AGAIN) {
			status = frame_read(tool);
		} else if (status == FRAME_OK) {
			fuzz_check(msg.type == MSG_CTL_ROW || msg.type == MSG_CTL_END);
			fuzz_check(raw || msg.id >= last);
			last = msg.id;
			count++;
		}
	}
	fuzz_check(count <= answers);
}

static void
talk(struct frame *tool, struct span in, int sock)
{
	struct cur c;

	cur_init(&c, in);
	if ((options & OPTION_RAW) != 0)
		(void)!write(sock, in.p, in.n);
	for (uint64_t id = 1; (options & OPTION_RAW) == 0 && c.n > 0; id++)
		send_request(tool, &c, id);
	(void)frame_write(tool);
	if ((options & OPTION_SHUT) != 0)
		(void)shutdown(sock, SHUT_WR);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct caller_ops ops = {on_ask, on_gone};
	struct frame *tool;
	int pair[2];

	if (n < 2 || n > INPUT_MAX)
		return 0;
	if (base == NULL)
		base = event_base_new();
	fuzz_check(fd_pair(pair, 0) == 0);
	options = p[0];
	answers = 0;
	tool = frame_new(pair[0], &frame_default_limits);
	fuzz_check((caller = caller_new(base, pair[1], &ops)) != NULL);
	talk(tool, span_of(p + 1, n - 1), pair[0]);
	if ((options & OPTION_HANG_UP) != 0) {
		frame_free(tool);
		tool = NULL;
	}
	for (int i = 0; i < ROUNDS_MAX && caller != NULL; i++)
		(void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	fuzz_check(caller == NULL || (options & (OPTION_HANG_UP | OPTION_SHUT)) == 0);
	if (tool != NULL)
		read_answers(tool);
	frame_free(tool);
	caller_free(caller);
	return 0;
}
