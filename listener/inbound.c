/* SPDX-License-Identifier: ISC */
/*
 * inbound.c - what comes in on a link: one table of frames and states.
 *
 * Which frame may come on which path in which state is the table at the end; everything that
 * is not in it ends the link with bye `bad-state`. Handlers of some length live in login.c
 * (auth), handin.c (put) and inreq.c (req). Called by inlink.c with whole messages; a message is
 * handled frame by frame, and what a busy neighbour cannot take yet is put by with the link
 * paused, so the sender is held back and nothing is lost. What a peer sends can end its own
 * link only.
 */
#include "config.h"

#include "base/log.h"
#include "ipc/msgs.h"
#include "listener/inreq.h"
#include "listener/inbound.h"
#include "listener/listener.h"
#include "listener/login.h"
#include "listener/handin.h"

#define PUSH_BYTES_MAX (1024u * 1024u) /* the greatest window that a device gets */

/* Decodes a body. False if there is nothing to be done: it has a member that we must not
 * ignore (*v is fine: the frame is passed over), or it is not what it should be (*v: bye). */
static bool
decode(
    const struct wframe *frame, const struct obj_def *def, void *out, struct verdict *v)
{
	enum wire_err err = obj_decode(def, frame->body, out);

	*v = VERDICT_FINE;
	if (err != WIRE_OK && err != WIRE_UNSUPPORTED)
		*v = VERDICT_BYE(CODE_MALFORMED, "a frame cannot be decoded");
	return err == WIRE_OK;
}

/* The device has everything up to seq. */
static struct verdict
on_done(struct inlink *l, const struct wframe *frame)
{
	struct channel *store = proc_channel(ROLE_STORE);
	struct m_done msg = {.handle = l->handle};
	struct p_done done;
	struct verdict v;

	if (!decode(frame, &p_done_def, &done, &v))
		return v;
	msg.seq = done.seq;
	if (l->state == INLINK_IN && store != NULL)
		channel_send(store, MSG_DONE, 0, &msg, -1);
	return VERDICT_FINE;
}

/* The device's window for pushes, as far as we hold that much for one device. */
static struct verdict
on_credit(struct inlink *l, const struct wframe *frame)
{
	struct channel *store = proc_channel(ROLE_STORE);
	struct m_credit msg = {.handle = l->handle};
	struct p_credit credit;
	struct verdict v;

	if (!decode(frame, &p_credit_def, &credit, &v))
		return v;
	msg.items = credit.items;
	msg.bytes = credit.bytes < PUSH_BYTES_MAX ? credit.bytes : PUSH_BYTES_MAX;
	if (l->state == INLINK_IN && store != NULL)
		channel_send(store, MSG_CREDIT, 0, &msg, -1);
	return VERDICT_FINE;
}

/* Version 1 knows no event to a server; unknown ones are ignored. */
static struct verdict
on_event(struct inlink *l, const struct wframe *frame)
{
	struct p_event event;
	struct verdict v;

	(void)l;
	if (!decode(frame, &p_event_def, &event, &v))
		return v;
	return VERDICT_FINE;
}

/* The other side ends the link; its WebSocket close follows, ours goes out now. */
static struct verdict
on_bye(struct inlink *l, const struct wframe *frame)
{
	struct p_bye bye;

	if (obj_decode(&p_bye_def, frame->body, &bye) != WIRE_OK)
		return VERDICT_BYE(CODE_MALFORMED, "a bye cannot be decoded");
	log_info("listener.bye", "addr=%s link=%llu from=remote code=%s text=%s", l->from,
	    (unsigned long long)l->number, code_symbol(bye.code), log_text(bye.text));
	return VERDICT_BYE(CODE_DONE, "");
}

#define S(state) (1u << (state))
#define PUT_STATES (S(INLINK_IN) | S(INLINK_AGAIN))
#define OPEN (S(INLINK_GREETED) | S(INLINK_PROVING) | S(INLINK_IN) | S(INLINK_AGAIN))
#define C2S (1u << INLINK_C2S)
#define S2S (1u << INLINK_S2S)

/* While a link proves itself for the second time what is meant for a link that is in may
 * still be on its way; inbound_handler() lets it come. */
static const struct {
	enum frame_type type;
	unsigned paths, states;
	inbound_fn *fn;
} frames[] = {
    {FRAME_AUTH, C2S | S2S, S(INLINK_GREETED) | S(INLINK_AGAIN), login_auth},
    {FRAME_PUT, C2S | S2S, PUT_STATES, handin_put},
    {FRAME_REQ, C2S, OPEN, inreq_take},
    {FRAME_REQ, S2S, PUT_STATES, inreq_take},
    {FRAME_DONE, C2S, PUT_STATES, on_done},
    {FRAME_CREDIT, C2S, PUT_STATES, on_credit},
    {FRAME_EVENT, C2S | S2S, PUT_STATES, on_event},
    {FRAME_BYE, C2S | S2S, OPEN | S(INLINK_NEW), on_bye},
};

inbound_fn *
inbound_handler(enum inlink_path path, enum inlink_state state, uint64_t type)
{
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		if (frames[i].type == type && (frames[i].paths & (1u << path)) &&
		    (frames[i].states & S(state)))
			return frames[i].fn;
	return NULL;
}

static struct verdict
dispatch(struct inlink *l, const struct wframe *frame)
{
	bool in = l->state == INLINK_PROVING && l->was_in && frame->type != FRAME_AUTH;
	inbound_fn *fn =
	    inbound_handler(l->path, in ? INLINK_AGAIN : l->state, frame->type);

	if (fn == NULL)
		return VERDICT_BYE(CODE_BAD_STATE, "this frame may not be sent now");
	return fn(l, frame);
}

void
inbound_message(struct inlink *l, struct span bytes)
{
	struct verdict v = VERDICT_FINE;
	struct wframe_iter it;
	struct wframe frame;
	struct span rest;

	wframe_init(&it, bytes);
	for (rest = it.rest; v.code == 0 && l->state != INLINK_ENDING; rest = it.rest) {
		if (!wframe_next(&it, &frame))
			break;
		v = dispatch(l, &frame);
		if (v.code == VERDICT_WAIT.code && !inlink_hold(l, rest))
			v = VERDICT_BYE(CODE_BUSY, "too much is waiting");
	}
	if (v.code == VERDICT_WAIT.code)
		return;
	if (v.code == 0 && it.err != WIRE_OK)
		v = VERDICT_BYE(CODE_MALFORMED, "a message cannot be decoded");
	if (v.code != 0)
		inlink_bye(l, v.code, v.text);
}
