/* SPDX-License-Identifier: ISC */
/*
 * caller.c - one tool on an admin socket: frames in, frames out.
 *
 * The other end may be anybody whom the socket's mode lets in, so everything it sends is
 * judged: only requests, whole and within their bounds, reach control.c; anything else closes
 * this caller and nothing more. Owns the socket and its two events. Output is bounded: a tool
 * that does not read is closed. Called by control.c; closing always happens from the loop, so
 * that caller_row() and caller_end() never free anything.
 */
#include "config.h"

#include <stdlib.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/mem.h"
#include "control/caller.h"
#include "ipc/frame.h"
#include "ipc/msg.h"

struct caller_link {
	struct frame *frame;               /* owned */
	struct event *readable, *writable; /* owned */
	const struct caller_ops *ops;      /* borrowed */
	const char *broken;                /* static text: to be closed for this */
	bool busy;                         /* in on_readable() */
	bool freed;                        /* caller_free() was called meanwhile */
};

static void
destroy(struct caller *c)
{
	struct caller_link *l = c->link;

	if (l->broken == NULL)
		(void)frame_write(l->frame); /* the last answer, if the socket has room */
	if (l->readable != NULL)
		event_free(l->readable);
	if (l->writable != NULL)
		event_free(l->writable);
	frame_free(l->frame);
	free(l);
	free(c);
}

void
caller_free(struct caller *c)
{
	if (c == NULL)
		return;
	if (c->link->busy)
		c->link->freed = true;
	else
		destroy(c);
}

/* Tells the owner and frees. */
static void
end(struct caller *c, const char *why)
{
	c->link->ops->gone(c, why);
	caller_free(c);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval later = {0, 20 * 1000};
	struct caller *c = arg;

	(void)fd;
	(void)what;
	if (c->link->broken != NULL) {
		end(c, c->link->broken);
		return;
	}
	switch (frame_write(c->link->frame)) {
	case FRAME_OK:
		break;
	case FRAME_AGAIN:
		event_add(c->link->writable, NULL);
		break;
	case FRAME_LATER:
		evtimer_add(c->link->writable, &later);
		break;
	default:
		end(c, "went away");
	}
}

/* One message; a static text if the caller is to be closed for it. */
static const char *
take(struct caller *c, const struct frame_msg *in)
{
	struct m_ctl_ask ask;

	if (in->type != MSG_CTL_ASK || in->flags != 0)
		return "sent what is not a request";
	if (payload_get(msg_find(MSG_CTL_ASK)->fields, in->payload, &ask) == -1)
		return "sent a malformed request";
	c->link->ops->ask(c, in->id, &ask);
	return NULL;
}

/* Handles what is buffered. NULL: wait for more. */
static const char *
take_all(struct caller *c)
{
	struct frame_msg in;
	const char *why;

	for (unsigned n = 0; n < CALLER_BUDGET; n++) {
		switch (frame_next(c->link->frame, &in)) {
		case FRAME_OK:
			why = take(c, &in);
			if (why != NULL || c->link->freed)
				return why;
			break;
		case FRAME_AGAIN:
			return NULL;
		default:
			return frame_error(c->link->frame);
		}
	}
	event_active(c->link->readable, EV_READ, 0);
	return NULL;
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct caller *c = arg;
	const char *why = NULL;

	(void)fd;
	(void)what;
	c->link->busy = true;
	switch (frame_read(c->link->frame)) {
	case FRAME_OK:
		why = take_all(c);
		break;
	case FRAME_AGAIN:
		break;
	case FRAME_CLOSED:
		why = "went away";
		break;
	case FRAME_TORN:
		why = "went away in the middle of a request";
		break;
	default:
		why = frame_error(c->link->frame);
	}
	c->link->busy = false;
	if (c->link->freed)
		destroy(c);
	else if (why != NULL)
		end(c, why);
}

struct caller *
caller_new(struct event_base *base, int fd, const struct caller_ops *ops)
{
	static const struct frame_limits limits = {.max = CALLER_MESSAGE_MAX,
	    .high = CALLER_OUTPUT_MAX / 2,
	    .low = CALLER_OUTPUT_MAX / 4,
	    .cap = CALLER_OUTPUT_MAX};
	struct caller *c = xcalloc(1, sizeof(*c));

	c->link = xcalloc(1, sizeof(*c->link));
	c->link->ops = ops;
	c->link->frame = frame_new(fd, &limits);
	c->link->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, c);
	c->link->writable = event_new(base, fd, EV_WRITE, on_writable, c);
	if (c->link->readable == NULL || c->link->writable == NULL ||
	    event_add(c->link->readable, NULL) == -1) {
		destroy(c);
		return NULL;
	}
	return c;
}

/* Encodes and queues; the loop writes. */
static void
put(struct caller *c, uint16_t type, uint64_t id, const void *msg)
{
	struct buf b;

	if (c->link->broken != NULL)
		return;
	buf_init(&b, CALLER_MESSAGE_MAX);
	if (payload_put(msg_find(type)->fields, msg, &b) == -1 ||
	    frame_queue(c->link->frame, type, 0, id, buf_span(&b), -1) == -1)
		c->link->broken = "does not read its answers";
	event_active(c->link->writable, EV_WRITE, 0);
	buf_clear(&b);
}

void
caller_row(struct caller *c, uint64_t id, const struct m_ctl_row *row)
{
	put(c, MSG_CTL_ROW, id, row);
}

void
caller_end(struct caller *c, uint64_t id, uint16_t code, struct span text)
{
	struct m_ctl_end msg = {.code = code, .text = text};

	put(c, MSG_CTL_END, id, &msg);
}
