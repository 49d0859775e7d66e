/* SPDX-License-Identifier: ISC */
/*
 * channel.c - joins a frame to the event loop and keeps the rules of the message table.
 *
 * A channel owns its frame, its events and the storage of the message being handled. proc.c
 * makes one for each neighbour, the master one for each child. The peer may be taken over by
 * an attacker, so every message is checked against the table first; a breach ends the channel
 * and the owner reports it. What we send is checked as well, where a wrong type or direction
 * is our own mistake and panics.
 *
 * Output is written once per turn of the loop: the first channel_send() of a turn activates
 * the flush event, which runs after the events that are active already. Reading handles at
 * most CHANNEL_BUDGET messages, then lets the others have their turn by a timer of zero
 * (event_active() would keep the same turn going for ever under a flood). The end of a channel
 * is reported by such a timer too, so closed() never runs inside a call of its owner.
 *
 * Credit travels in messages of type 0 without payload whose id is the number of credits;
 * they belong to the channel itself and are not in the table.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/channel.h"
#include "ipc/frame.h"
#include "ipc/kept.h"
#include "ipc/msg.h"

#define CHANNEL_CREDIT_TYPE 0
#define CHANNEL_CREDIT_BATCH (CHANNEL_WINDOW / 8) /* owed credits that make a message */
#define CHANNEL_READS 4                           /* recvmsg calls per wake-up */
#define CHANNEL_CALL_ID (1ULL << 63)              /* never the id of a request */

struct channel {
	struct frame *frame; /* owned */
	enum role me;
	enum role peer;
	const struct channel_ops *ops; /* borrowed */
	void *arg;                     /* borrowed */
	void *data;                    /* the owner's, see channel_set_data() */
	struct event *readable;
	struct event *writable;
	struct event *flush; /* activated by hand, to write at the end of the turn */
	struct event *again; /* timer: more input is buffered, or the end is to be told */
	struct event *later; /* timer: the kernel was short of memory */

	unsigned busy;    /* callbacks of ours on the stack */
	bool freed;       /* free when busy drops to 0 */
	bool ended;       /* no more input or output */
	bool told;        /* closed() was called */
	bool deaf;        /* the other end does not read any more */
	bool paused;      /* by channel_pause() */
	bool flushing;    /* flush is active, or writable or later is waiting */
	bool wants_work;  /* channel_may_work() said false */
	bool keep_credit; /* in the handler of this message */
	enum channel_end end;
	const char *detail; /* static text */

	uint32_t credit;    /* work messages that we may send */
	uint32_t work_open; /* received, credit not given back */
	uint32_t owed;      /* given back, not yet told to the peer */
	void *body;         /* owned: the struct being handled */
	struct buf scratch; /* the payload being encoded */

	struct kept kept; /* put by during a call */
	uint64_t calls;   /* made so far */
};

static const char *const end_names[] = {
    [CHANNEL_EOF] = "eof",
    [CHANNEL_TORN] = "torn",
    [CHANNEL_OFFENCE] = "offence",
    [CHANNEL_FULL] = "full",
};

static void
arm_now(struct event *timer)
{
	static const struct timeval zero = {0, 0};

	event_add(timer, &zero);
}

static bool
is_secret(uint16_t type)
{
	const struct msg_def *def = msg_find(type);

	return def != NULL && (def->flags & MSG_SECRET) != 0;
}

/* The size of the largest struct in the table. */
static size_t
body_size(void)
{
	const struct msg_def *def;
	size_t size = 0;

	for (size_t i = 0; (def = msg_at(i)) != NULL; i++)
		if (def->size > size)
			size = def->size;
	return size;
}

/* Nothing is read or written any more; closed() will be called from the loop. */
static void
end(struct channel *ch, enum channel_end why, const char *detail)
{
	if (ch->ended)
		return;
	ch->ended = true;
	ch->end = why;
	ch->detail = detail;
	event_del(ch->readable);
	event_del(ch->writable);
	event_del(ch->flush);
	event_del(ch->later);
	arm_now(ch->again);
}

static void
destroy(struct channel *ch)
{
	event_free(ch->readable);
	event_free(ch->writable);
	event_free(ch->flush);
	event_free(ch->again);
	event_free(ch->later);
	frame_free(ch->frame);
	kept_clear(&ch->kept);
	buf_wipe(&ch->scratch);
	free(ch->body);
	free(ch);
}

static void
enter(struct channel *ch)
{
	ch->busy++;
}

static void
leave(struct channel *ch)
{
	if (--ch->busy == 0 && ch->freed)
		destroy(ch);
}

/* --- output ------------------------------------------------------------------------ */

static bool
work_allowed(const struct channel *ch)
{
	return !ch->ended && !ch->deaf && ch->credit > 0 && !frame_over_high(ch->frame);
}

/* The last call of an event: may free the channel. */
static void
tell_drained(struct channel *ch)
{
	if (!ch->wants_work || ch->freed || !work_allowed(ch))
		return;
	ch->wants_work = false;
	if (ch->ops->drained != NULL)
		ch->ops->drained(ch, ch->arg);
}

/* Runs at the end of a turn, when the socket is writable, or after a pause. */
static void
on_flush(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval pause = {0, CHANNEL_LATER_MS * 1000};
	struct channel *ch = arg;

	(void)fd;
	(void)what;
	ch->flushing = false;
	if (ch->ended || ch->deaf)
		return;
	switch (frame_write(ch->frame)) {
	case FRAME_OK:
		break;
	case FRAME_AGAIN:
		ch->flushing = event_add(ch->writable, NULL) == 0;
		break;
	case FRAME_LATER:
		ch->flushing = event_add(ch->later, &pause) == 0;
		break;
	case FRAME_CLOSED:
		/* What the peer said before it went is still to be read. */
		ch->deaf = true;
		if (ch->paused)
			end(ch, CHANNEL_EOF, "the peer is gone");
		return;
	default:
		end(ch, CHANNEL_TORN, frame_error(ch->frame));
		return;
	}
	enter(ch);
	tell_drained(ch);
	leave(ch);
}

static void
flush_soon(struct channel *ch)
{
	if (ch->flushing || ch->ended)
		return;
	ch->flushing = true;
	event_active(ch->flush, EV_WRITE, 0);
}

/* Queues one message; the frame takes over fd. */
static int
queue(struct channel *ch, uint16_t type, uint64_t id, struct span payload, int fd)
{
	if (frame_queue(ch->frame, type, 0, id, payload, fd) == -1) {
		end(ch, CHANNEL_FULL, "output beyond the hard cap");
		errno = EPIPE;
		return -1;
	}
	flush_soon(ch);
	return 0;
}

/* Whether the table lets us send this; anything else is a mistake in this program. */
static const struct msg_def *
def_to_send(const struct channel *ch, uint16_t type, int fd)
{
	const struct msg_def *def = msg_find(type);

	if (def == NULL || (def->from & ROLE_BIT(ch->me)) == 0 ||
	    (def->to & ROLE_BIT(ch->peer)) == 0)
		panic("message %s (%u) from %s to %s is not in the table", msg_name(type),
		    type, role_name(ch->me), role_name(ch->peer));
	if (((def->flags & MSG_FD) != 0) != (fd != -1))
		panic("message %s with%s descriptor", def->name,
		    fd == -1 ? "out its" : " a");
	return def;
}

static int
refuse(int fd, int why)
{
	if (fd != -1)
		close(fd);
	errno = why;
	return -1;
}

int
channel_send(struct channel *ch, uint16_t type, uint64_t id, const void *body, int fd)
{
	static const uint8_t empty[8];
	const struct msg_def *def = def_to_send(ch, type, fd);
	int rc;

	if (ch->ended || ch->deaf)
		return refuse(fd, EPIPE);
	if ((def->flags & MSG_WORK) != 0 && !channel_may_work(ch))
		return refuse(fd, EAGAIN);
	if (body == NULL && def->size > sizeof(empty))
		panic("message %s without a body", def->name);
	buf_reset(&ch->scratch);
	if (payload_put(def->fields, body == NULL ? empty : body, &ch->scratch) == -1) {
		log_error(
		    "ipc.encode", "type=%s peer=%s", def->name, role_name(ch->peer));
		return refuse(fd, EINVAL);
	}
	rc = queue(ch, type, id, buf_span(&ch->scratch), fd);
	if ((def->flags & MSG_SECRET) != 0)
		buf_wipe(&ch->scratch);
	if (rc == 0 && (def->flags & MSG_WORK) != 0)
		ch->credit--;
	return rc;
}

bool
channel_may_work(struct channel *ch)
{
	if (work_allowed(ch))
		return true;
	ch->wants_work = true;
	return false;
}

bool
channel_flush(struct channel *ch, int ms)
{
	uint64_t now = clock_mono_ms(), until = now + (uint64_t)ms;
	struct pollfd p = {.fd = frame_fd(ch->frame), .events = POLLOUT};
	enum frame_status status;

	while (!ch->ended && !ch->deaf) {
		status = frame_write(ch->frame);
		if (status != FRAME_AGAIN && status != FRAME_LATER)
			return status == FRAME_OK;
		now = clock_mono_ms();
		if (now >= until)
			return false;
		poll(&p, 1, status == FRAME_LATER ? 1 : (int)(until - now));
	}
	return false;
}

/* --- credit ------------------------------------------------------------------------ */

void
channel_keep_credit(struct channel *ch)
{
	ch->keep_credit = true;
}

void
channel_give_credit(struct channel *ch, uint32_t n)
{
	if (n > ch->work_open)
		panic("%u credits given back, %u open", n, ch->work_open);
	ch->work_open -= n;
	ch->owed += n;
	if (ch->owed < CHANNEL_CREDIT_BATCH || ch->ended || ch->deaf)
		return;
	if (queue(ch, CHANNEL_CREDIT_TYPE, ch->owed, span_of(NULL, 0), -1) == 0)
		ch->owed = 0;
}

/* NULL, or what is wrong with it. */
static const char *
take_credit(struct channel *ch, const struct frame_msg *in)
{
	if (in->payload.n != 0 || in->fd != -1 || in->fd_lost)
		return "credit with a payload";
	if (in->id > CHANNEL_WINDOW || ch->credit + in->id > CHANNEL_WINDOW)
		return "more credit than work";
	ch->credit += (uint32_t)in->id;
	return NULL;
}

/* --- input ------------------------------------------------------------------------- */

/* Everything the table demands of a received message. NULL, or what is wrong with it. */
static const char *
check(const struct channel *ch, const struct msg_def *def, const struct frame_msg *in)
{
	bool has_fd = in->fd != -1 || in->fd_lost;

	if (def == NULL)
		return "unknown message type";
	if ((def->from & ROLE_BIT(ch->peer)) == 0 || (def->to & ROLE_BIT(ch->me)) == 0)
		return "message not allowed between these processes";
	if (((def->flags & MSG_FD) != 0) != has_fd)
		return has_fd ? "unexpected descriptor" : "descriptor missing";
	if ((def->flags & MSG_WORK) != 0 && ch->work_open + ch->owed >= CHANNEL_WINDOW)
		return "work without credit";
	if (payload_get(def->fields, in->payload, ch->body) == -1)
		return "malformed payload";
	return NULL;
}

/* Runs the handler of one message. NULL, or what is wrong with the message. */
static const char *
dispatch(struct channel *ch, const struct frame_msg *in)
{
	const struct msg_def *def = msg_find(in->type);
	struct channel_msg out;
	const char *wrong;
	bool work;

	if (in->type == CHANNEL_CREDIT_TYPE)
		return take_credit(ch, in);
	wrong = check(ch, def, in);
	if (wrong != NULL)
		return wrong;
	work = (def->flags & MSG_WORK) != 0;
	if (work)
		ch->work_open++;
	ch->keep_credit = false;
	out = (struct channel_msg){in->type, in->id, ch->body, in->fd};
	ch->ops->message(ch, &out, ch->arg);
	if (work && !ch->keep_credit && !ch->freed)
		channel_give_credit(ch, 1);
	if ((def->flags & MSG_SECRET) != 0)
		wipe(ch->body, def->size);
	return NULL;
}

/* Reads once. True if there may be messages now. */
static bool
read_more(struct channel *ch)
{
	switch (frame_read(ch->frame)) {
	case FRAME_OK:
		return true;
	case FRAME_AGAIN:
		return false;
	case FRAME_CLOSED:
		end(ch, CHANNEL_EOF, "closed");
		return false;
	case FRAME_TORN:
		end(ch, CHANNEL_TORN, "end of file inside a message");
		return false;
	default:
		end(ch, CHANNEL_OFFENCE, frame_error(ch->frame));
		return false;
	}
}

/* The next message: what was put by during a call comes first. */
static enum frame_status
next_message(struct channel *ch, struct frame_msg *in)
{
	return kept_take(&ch->kept, in) ? FRAME_OK : frame_next(ch->frame, in);
}

/* Handles what has come, within the budget. */
static void
read_turn(struct channel *ch)
{
	struct frame_msg in;
	unsigned messages = 0, reads = 0;
	const char *wrong;

	while (!ch->ended && !ch->freed && !ch->paused) {
		if (messages == CHANNEL_BUDGET) {
			arm_now(ch->again);
			return;
		}
		switch (next_message(ch, &in)) {
		case FRAME_OK:
			messages++;
			wrong = dispatch(ch, &in);
			if (wrong != NULL)
				end(ch, CHANNEL_OFFENCE, wrong);
			break;
		case FRAME_AGAIN:
			if (reads++ == CHANNEL_READS || !read_more(ch))
				return;
			break;
		default:
			end(ch, CHANNEL_OFFENCE, frame_error(ch->frame));
		}
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct channel *ch = arg;

	(void)fd;
	(void)what;
	if (evtimer_pending(ch->again, NULL))
		return;
	enter(ch);
	read_turn(ch);
	tell_drained(ch);
	leave(ch);
}

static void
on_again(evutil_socket_t fd, short what, void *arg)
{
	struct channel *ch = arg;

	(void)fd;
	(void)what;
	enter(ch);
	if (!ch->ended) {
		read_turn(ch);
		tell_drained(ch);
	} else if (!ch->told) {
		ch->told = true;
		ch->ops->closed(ch, ch->end, ch->detail, ch->arg);
	}
	leave(ch);
}

void
channel_offence(struct channel *ch, const char *detail)
{
	end(ch, CHANNEL_OFFENCE, detail);
}

int
channel_take_fd(struct channel *ch, struct channel_msg *msg)
{
	msg->fd = -1;
	return frame_take_fd(ch->frame);
}

void
channel_pause(struct channel *ch, bool on)
{
	if (ch->paused == on || ch->ended)
		return;
	ch->paused = on;
	if (on) {
		event_del(ch->readable);
		event_del(ch->again);
	} else {
		event_add(ch->readable, NULL);
		arm_now(ch->again);
	}
}

/* --- a call that waits -------------------------------------------------------------- */

/* Looks through what was read. True if the answer is there; the others are put by. */
static bool
find_answer(struct channel *ch, uint64_t id, struct channel_msg *answer)
{
	const char *wrong = NULL;
	enum frame_status status;
	struct frame_msg in;

	while ((status = frame_next(ch->frame, &in)) == FRAME_OK) {
		if (in.type == CHANNEL_CREDIT_TYPE || in.id != id) {
			wrong = kept_put(&ch->kept, &in);
		} else {
			wrong = check(ch, msg_find(in.type), &in);
			*answer = (struct channel_msg){in.type, in.id, ch->body, -1};
			if (wrong == NULL)
				return true;
		}
		if (wrong != NULL) {
			end(ch, CHANNEL_OFFENCE, wrong);
			return false;
		}
	}
	if (status != FRAME_AGAIN)
		end(ch, CHANNEL_OFFENCE, frame_error(ch->frame));
	return false;
}

int
channel_call(struct channel *ch, uint16_t type, const void *body, int ms,
    struct channel_msg *answer)
{
	uint64_t id, until = clock_mono_ms() + (uint64_t)ms;
	struct pollfd p = {.fd = frame_fd(ch->frame), .events = POLLIN};
	uint64_t now;
	bool found;

	if (ch->busy > 0 || ch->paused)
		return refuse(-1, EBUSY);
	id = CHANNEL_CALL_ID | ++ch->calls;
	if (channel_send(ch, type, id, body, -1) == -1)
		return -1;
	channel_flush(ch, ms);
	while (!(found = find_answer(ch, id, answer)) && channel_alive(ch)) {
		now = clock_mono_ms();
		if (now >= until ||
		    (poll(&p, 1, (int)(until - now)) > 0 && !read_more(ch) && ch->ended))
			break;
	}
	/* What was put by, and what is buffered behind it, has its turn from the loop. */
	if (!ch->ended)
		arm_now(ch->again);
	return found ? 0 : refuse(-1, ch->ended ? EPIPE : ETIMEDOUT);
}

/* --- life -------------------------------------------------------------------------- */

static struct event *
event_obtain(
    struct event_base *base, int fd, short what, event_callback_fn fn, struct channel *ch)
{
	struct event *ev = event_new(base, fd, what, fn, ch);

	if (ev == NULL)
		fatal("no memory for an event");
	return ev;
}

struct channel *
channel_new(struct event_base *base, int fd, enum role me, enum role peer,
    const struct channel_ops *ops, void *arg)
{
	struct frame_limits limits = frame_default_limits;
	struct channel *ch = xcalloc(1, sizeof(*ch));

	if (fd_nonblock(fd) == -1)
		fatal_errno("channel to %s", role_name(peer));
	limits.max = FRAME_HEADER + MSG_PAYLOAD_MAX;
	limits.secret = is_secret;
	ch->frame = frame_new(fd, &limits);
	ch->me = me;
	ch->peer = peer;
	ch->ops = ops;
	ch->arg = arg;
	ch->credit = CHANNEL_WINDOW;
	kept_init(&ch->kept);
	ch->body = xcalloc(1, body_size());
	buf_init(&ch->scratch, MSG_PAYLOAD_MAX);
	ch->readable = event_obtain(base, fd, EV_READ | EV_PERSIST, on_readable, ch);
	ch->writable = event_obtain(base, fd, EV_WRITE, on_flush, ch);
	ch->flush = event_obtain(base, -1, 0, on_flush, ch);
	ch->again = event_obtain(base, -1, 0, on_again, ch);
	ch->later = event_obtain(base, -1, 0, on_flush, ch);
	if (event_add(ch->readable, NULL) == -1)
		fatal("channel to %s: cannot watch its socket", role_name(peer));
	return ch;
}

void
channel_free(struct channel *ch)
{
	if (ch == NULL || ch->freed)
		return;
	ch->ended = ch->told = ch->freed = true;
	event_del(ch->readable);
	event_del(ch->writable);
	event_del(ch->flush);
	event_del(ch->again);
	event_del(ch->later);
	if (ch->busy == 0)
		destroy(ch);
}

enum role
channel_peer(const struct channel *ch)
{
	return ch->peer;
}

bool
channel_alive(const struct channel *ch)
{
	return !ch->ended && !ch->deaf;
}

void
channel_set_data(struct channel *ch, void *data)
{
	ch->data = data;
}

void *
channel_data(const struct channel *ch)
{
	return ch->data;
}

size_t
channel_out_bytes(const struct channel *ch)
{
	return frame_out_bytes(ch->frame);
}

uint32_t
channel_work_open(const struct channel *ch)
{
	return ch->work_open;
}

const char *
channel_end_name(enum channel_end why)
{
	return end_names[why];
}
