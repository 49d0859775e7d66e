/* SPDX-License-Identifier: ISC */
/*
 * handin.c - puts: to store what is for accounts of this server, to queue what is for others.
 *
 * Owns what is known of each put until all its recipients were answered: where the result
 * goes, and the recipients of each part, so that a part whose process ends, or does not
 * answer in time, is answered with a temporary code (the sender still has the item and offers
 * it again). Custody is never here. A put costs window until its last result; more than the
 * window ends the link with `over-credit`. When store or queue has no room the verdict is to
 * wait, and the link is not read from.
 */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ipc/msgs.h"
#include "listener/listener.h"
#include "listener/split.h"
#include "listener/handin.h"

#define ANSWER_MS 60000u         /* for store and queue */
#define RESULT_MAX (64u * 1024u) /* bytes of a result that we make */

struct openput {
	uint64_t link;  /* number; it may be gone */
	uint64_t id;    /* of the frame */
	size_t bytes;   /* of window */
	unsigned parts; /* not answered yet, and one while they are being sent */
};

struct openpart {
	struct openput *put; /* freed with its last part */
	size_t n;
	uint8_t accounts[]; /* as in struct split_part */
};

static size_t open_parts;

size_t
handin_open(void)
{
	return open_parts;
}

/* The same code for all these recipients. */
static void
answer_all(struct inlink *l, uint64_t id, struct span accounts, uint16_t code)
{
	struct buf b;

	buf_init(&b, RESULT_MAX);
	if (split_result(&b, accounts, code, clock_wall_ms()) == 0)
		inlink_frame(l, FRAME_RESULT, id, buf_span(&b));
	buf_clear(&b);
}

/* One part less; the last one gives the window back. */
static void
part_over(struct openput *put)
{
	struct inlink *l = inlink_find(put->link);

	if (--put->parts > 0)
		return;
	if (l != NULL) {
		l->open_items--;
		l->open_bytes -= put->bytes;
	}
	free(put);
}

static void
on_result(enum request_end how, struct channel *ch, struct channel_msg *msg, void *arg)
{
	struct openpart *part = arg;
	struct inlink *l = inlink_find(part->put->link);
	const struct m_submit_res *remote;
	const struct m_put_res *local;

	(void)ch;
	if (l == NULL) {
		/* Nobody to tell: the sender offers it again. */
	} else if (how != REQUEST_ANSWERED) {
		answer_all(l, part->put->id, span_of(part->accounts, part->n),
		    how == REQUEST_LATE ? CODE_TIMEOUT : CODE_TRY_LATER);
	} else if (msg->type == MSG_PUT_RES) {
		local = msg->body;
		inlink_frame(l, FRAME_RESULT, part->put->id, local->result);
	} else {
		remote = msg->body;
		inlink_frame(l, FRAME_RESULT, part->put->id, remote->result);
	}
	part_over(part->put);
	free(part);
	open_parts--;
}

/* Hands one part to its process. What cannot be handed over is answered. */
static void
send_part(struct inlink *l, struct openput *put, const struct split *s,
    const struct split_part *from, enum role role)
{
	struct channel *ch = proc_channel(role);
	struct span accounts = buf_span(&from->accounts);
	struct openpart *part = xmalloc(sizeof(*part) + accounts.n);
	struct request_done done = {on_result, part};
	struct m_submit submit = {.handle = l->handle};
	struct m_put store_put = {.handle = l->handle};
	struct buf scratch;
	uint64_t id = 0;

	part->put = put;
	part->n = accounts.n;
	memcpy(part->accounts, accounts.p, accounts.n);
	buf_init(&scratch, PROTO_ITEM_MAX);
	store_put.put = submit.put = split_body(s, from, &scratch);
	if (ch != NULL && role == ROLE_STORE)
		id = proc_ask(ch, MSG_PUT, &store_put, -1, ANSWER_MS, done);
	else if (ch != NULL)
		id = proc_ask(ch, MSG_SUBMIT, &submit, -1, ANSWER_MS, done);
	buf_clear(&scratch);
	if (id != 0) {
		put->parts++;
		open_parts++;
		return;
	}
	answer_all(l, put->id, accounts, ch == NULL ? CODE_TRY_LATER : CODE_BUSY);
	free(part);
}

/* Whether each process that has a part of it can take it; one that is down does not count. */
static bool
room_for(const struct inlink *l, const struct split *s)
{
	struct channel *store = proc_channel(ROLE_STORE),
		       *queue = proc_channel(ROLE_QUEUE);

	if (s->local.n > 0 && store != NULL && !channel_may_work(store))
		return false;
	return s->remote.n == 0 || l->path == INLINK_S2S || queue == NULL ||
	    channel_may_work(queue);
}

static void
send_parts(struct inlink *l, uint64_t id, const struct split *s)
{
	struct openput *put = xcalloc(1, sizeof(*put));

	*put =
	    (struct openput){.link = l->number, .id = id, .bytes = s->body.n, .parts = 1};
	l->open_items++;
	l->open_bytes += put->bytes;
	if (s->local.n > 0)
		send_part(l, put, s, &s->local, ROLE_STORE);
	if (s->remote.n > 0 && l->path == INLINK_S2S)
		answer_all(l, id, buf_span(&s->remote.accounts), CODE_WRONG_DOMAIN);
	else if (s->remote.n > 0)
		send_part(l, put, s, &s->remote, ROLE_QUEUE);
	part_over(put);
}

/* What becomes of a put that could be read. */
static struct verdict
handle(struct inlink *l, uint64_t id, struct split *s)
{
	uint16_t code = l->state == INLINK_IN ? s->code : CODE_UNKNOWN_HANDLE;

	if (code != 0)
		answer_all(l, id, buf_span(&s->all.accounts), code);
	else if (!room_for(l, s))
		return VERDICT_WAIT;
	else
		send_parts(l, id, s);
	return VERDICT_FINE;
}

struct verdict
handin_put(struct inlink *l, const struct wframe *frame)
{
	struct split_rules rules = {.peer = l->path == INLINK_S2S,
	    .domain = conf_str(listener_conf(), CONF_DOMAIN),
	    .item_max = conf_u64(listener_conf(), CONF_LIMITS_ITEM_SIZE),
	    .recipients_max = conf_u64(listener_conf(), CONF_LIMITS_RECIPIENTS),
	    .now = clock_wall_ms()};
	struct verdict v;
	const char *why;
	struct split s;
	uint16_t code;

	if (frame->id == 0)
		return VERDICT_BYE(CODE_MALFORMED, "a put without a number");
	if (l->open_items >= PROTO_CREDIT_ITEMS ||
	    l->open_bytes + frame->body.n > PROTO_CREDIT_BYTES)
		return VERDICT_BYE(CODE_OVER_CREDIT, "more was sent than credit allows");
	code = split_put(&s, frame->body, &rules, &why);
	v = code != 0 ? VERDICT_BYE(code, why) : handle(l, frame->id, &s);
	split_clear(&s);
	return v;
}
