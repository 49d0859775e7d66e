/* SPDX-License-Identifier: ISC */
/*
 * loadpair.c - two accounts: consent between them, then messages from one to the other.
 *
 * Consent takes the protocol's own way (doc/protocol.md 7, 10): each side notes its object at
 * its server and then puts it to the other. Messages have a valid outer header with a fresh
 * mid, one stanza for the receiver's device and a body of random bytes that begins with the
 * number of the message and of the run; nobody can open them, and no server tries. A message that gets a
 * temporary result is offered again with the same mid and bytes. Owns devices, keys and the
 * record of every message. Called by main.c; failures go into the run.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "wire/call.h"

#include "loadpair.h"

#define ID_NOTE 2u         /* of consent.put; 1 is the registration's */
#define ID_OBJECT 2u       /* of the put that carries the object */
#define ID_MESSAGES 16u    /* message i has id ID_MESSAGES + i */
#define PUT_OVERHEAD 1024u /* header, recipient and stanza, at most */
#define CREDIT_SPARE 4u    /* of the put window, for objects */

enum step { PAIR_LOGIN, PAIR_ASK_NOTE, PAIR_ASK, PAIR_ASKED, PAIR_READY };

struct msg {
	uint8_t mid[MID_SIZE];
	uint64_t sent_us;
	bool accepted, delivered, again;
};

struct loadpair {
	struct loadrun *run; /* borrowed */
	struct loadkeys from_keys, to_keys;
	struct loaddev *from, *to;
	enum step step;
	struct buf ask, grant; /* the two consent objects */
	bool granting, ask_again, grant_again;
	struct msg *msgs;
	uint64_t n, next;    /* messages in all, and the next one to send */
	uint64_t unanswered; /* sent, without a result */
	uint64_t underway;   /* sent, not at the receiver */
	uint64_t accepted, delivered, newest;
	uint64_t again; /* messages to be offered again */
	uint64_t tag;   /* in every body: this start, no earlier one */
	bool paced;
	struct buf recipients; /* encoded recipient list of every message */
	uint8_t *body;
};

static void
fail(struct loadpair *p, const char *what, const char *detail)
{
	if (p->run->why[0] == '\0')
		(void)snprintf(p->run->why, sizeof(p->run->why), "%s %s", what, detail);
}

static void
on_failed(struct loaddev *d, const char *why, void *arg)
{
	(void)d;
	fail(arg, why, "");
}

/* --- consent -------------------------------------------------------------------------------- */

static struct span
account(const struct loaddev *d)
{
	return span_str(loaddev_keys(d)->account);
}

/* An object from one side to the other, in an item of kind 2. */
static void
put_object(struct loaddev *from, const struct loaddev *to, const struct buf *object)
{
	struct p_recipient rcpt = {.account = account(to)};
	struct p_put put = {.kind = ITEM_OBJECT, .body = buf_span(object)};
	struct p_outer outer = {.from = account(from)};
	struct buf ob, rb;

	buf_init(&ob, 1024);
	buf_init(&rb, 1024);
	mid_make(outer.mid, clock_wall_ms());
	memcpy(outer.device, loaddev_keys(from)->device, sizeof(outer.device));
	(void)obj_encode(&p_outer_def, &outer, &ob);
	(void)obj_encode(&p_recipient_def, &rcpt, &rb);
	put.outer = buf_span(&ob);
	put.to.raw = buf_span(&rb);
	put.to.count = 1;
	loaddev_frame(from, FRAME_PUT, ID_OBJECT, &p_put_def, &put);
	buf_clear(&ob);
	buf_clear(&rb);
}

/* Signs an object and notes it at the own server. */
static void
note(struct loadpair *p, struct loaddev *d, const char *typ, const struct loaddev *other,
    struct buf *object)
{
	struct c_consent_put c = {0};

	buf_reset(object);
	if (loadkeys_consent(
		loaddev_keys(d), typ, loaddev_keys(other)->account, object) == -1)
		fail(p, "cannot sign", typ);
	c.object = buf_span(object);
	loaddev_req(d, ID_NOTE, "consent.put", &c_consent_put_def, &c);
}

static void
on_ready(struct loaddev *d, void *arg)
{
	struct loadpair *p = arg;

	(void)d;
	if (p->step != PAIR_LOGIN || !loaddev_ready(p->from) || !loaddev_ready(p->to))
		return;
	p->step = PAIR_ASK_NOTE;
	note(p, p->from, TYP_REQUEST, p->to, &p->ask);
	loaddev_flush(p->from);
}

static void
on_res(struct loaddev *d, uint64_t id, uint64_t code, void *arg)
{
	struct loadpair *p = arg;

	if (id != ID_NOTE)
		return;
	if (code_class(code) != CODE_OK) {
		fail(p, "consent.put:", code_symbol(code));
	} else if (d == p->from && p->step == PAIR_ASK_NOTE) {
		p->step = PAIR_ASK;
		put_object(d, p->to, &p->ask);
	} else if (d == p->to && p->granting) {
		put_object(d, p->from, &p->grant);
	}
}

static void
on_object_outcome(struct loadpair *p, const struct loaddev *d, uint64_t code)
{
	switch (code_class(code)) {
	case CODE_OK:
		if (d == p->from && p->step == PAIR_ASK)
			p->step = PAIR_ASKED;
		break;
	case CODE_TEMPORARY:
		if (d == p->from)
			p->ask_again = true;
		else
			p->grant_again = true;
		break;
	case CODE_PERMANENT:
		fail(p, "consent object:", code_symbol(code));
	}
}

static void
on_object(struct loadpair *p, const struct loaddev *d)
{
	if (d == p->to && !p->granting) {
		p->granting = true;
		note(p, p->to, TYP_GRANT, p->from, &p->grant);
	} else if (d == p->from) {
		p->step = PAIR_READY;
	}
}

/* --- messages ------------------------------------------------------------------------------- */

static void
put_u64(uint8_t *out, uint64_t v)
{
	for (size_t i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t
get_u64(const uint8_t *in)
{
	uint64_t v = 0;

	for (size_t i = 0; i < 8; i++)
		v = v << 8 | in[i];
	return v;
}

/* The bytes of message i are the same whenever it is sent. */
static void
put_message(struct loadpair *p, uint64_t i)
{
	struct p_put put = {.kind = ITEM_MESSAGE};
	struct p_outer outer = {.fmt = 1, .suite = 1, .from = account(p->from)};
	struct buf b;

	buf_init(&b, 1024);
	memcpy(outer.mid, p->msgs[i].mid, sizeof(outer.mid));
	memcpy(outer.device, p->from_keys.device, sizeof(outer.device));
	if (obj_encode(&p_outer_def, &outer, &b) != WIRE_OK)
		fail(p, "cannot encode", "an outer header");
	put_u64(p->body, i);
	put_u64(p->body + 8, p->tag);
	put.outer = buf_span(&b);
	put.body = span_of(p->body, p->run->body);
	put.to.raw = buf_span(&p->recipients);
	put.to.count = 1;
	loaddev_frame(p->from, FRAME_PUT, ID_MESSAGES + i, &p_put_def, &put);
	buf_clear(&b);
}

bool
loadpair_one(struct loadpair *p)
{
	struct msg *m = &p->msgs[p->next];

	if (p->next >= p->n)
		return false;
	mid_make(m->mid, clock_wall_ms());
	m->sent_us = clock_mono_us();
	if (p->run->first_us == 0)
		p->run->first_us = m->sent_us;
	put_message(p, p->next++);
	p->unanswered++;
	p->underway++;
	if (p->paced)
		loaddev_flush(p->from);
	return true;
}

/* Fills both windows: ours and the one that the server gave. */
static void
refill(struct loadpair *p)
{
	uint64_t credit = loaddev_credit(p->from, p->run->body + PUT_OVERHEAD);

	if (p->paced || p->msgs == NULL || !loaddev_ready(p->from))
		return;
	credit = credit > CREDIT_SPARE ? credit - CREDIT_SPARE : 1;
	while (p->underway < p->run->window && p->unanswered < credit && loadpair_one(p))
		;
}

static void
on_outcome(struct loaddev *d, uint64_t id, const struct p_outcome *o, void *arg)
{
	struct loadpair *p = arg;
	uint64_t now = clock_mono_us();
	struct msg *m;

	if (id < ID_MESSAGES) {
		on_object_outcome(p, d, o->code);
		return;
	}
	if (d != p->from || id - ID_MESSAGES >= p->next) {
		fail(p, "a result for", "nothing that was sent");
		return;
	}
	m = &p->msgs[id - ID_MESSAGES];
	p->unanswered--;
	if (code_class(o->code) == CODE_TEMPORARY) {
		m->again = true;
		p->again++;
		p->run->retried++;
		p->run->retry_code = code_symbol(o->code);
	} else if (code_class(o->code) == CODE_PERMANENT) {
		fail(p, "message:", code_symbol(o->code));
	} else if (!m->accepted) {
		m->accepted = true;
		p->accepted++;
		p->run->accepted++;
		p->run->accepted_us = now;
		loadtimes_add(&p->run->result_times, now - m->sent_us);
	}
}

static void
on_message(struct loadpair *p, const struct p_push *push)
{
	uint64_t now = clock_mono_us(), i;
	struct msg *m;

	if (push->body.n != p->run->body) {
		fail(p, "a push that", "nobody sent");
		return;
	}
	i = get_u64(push->body.p);
	if (get_u64(push->body.p + 8) != p->tag || i >= p->next || p->msgs[i].delivered) {
		p->run->repeats++;
		return;
	}
	m = &p->msgs[i];
	m->delivered = true;
	p->underway--;
	p->delivered++;
	p->run->delivered++;
	p->run->delivered_us = now;
	loadtimes_add(&p->run->push_times, now - m->sent_us);
	if (i + 1 < p->newest)
		p->run->disorder++;
	else
		p->newest = i + 1;
}

static void
on_fates(struct loadpair *p, struct span body)
{
	struct p_fates fates;
	struct p_fate fate;
	struct obj_iter it;

	if (obj_decode(&p_fates_def, body, &fates) != WIRE_OK) {
		fail(p, "fates:", "not decodable");
		return;
	}
	obj_iter_init(&it, &fates.fates);
	while (obj_next(&it, &p_fate_def, &fate)) {
		if (fate.state == FATE_ARRIVED)
			p->run->fates++;
		else if (fate.state == FATE_FAILED)
			fail(p, "fate:", code_symbol(fate.code));
	}
}

static void
on_push(struct loaddev *d, const struct p_push *push, void *arg)
{
	struct loadpair *p = arg;

	if (push->kind == ITEM_OBJECT)
		on_object(p, d);
	else if (push->kind == ITEM_FATES)
		on_fates(p, push->body);
	else if (push->kind == ITEM_MESSAGE && d == p->to && p->msgs != NULL)
		on_message(p, push);
}

static void
on_turn(struct loaddev *d, void *arg)
{
	struct loadpair *p = arg;

	(void)d;
	refill(p);
	loaddev_flush(p->from);
}

/* --- life ----------------------------------------------------------------------------------- */

static const struct loaddev_ops dev_ops = {
    .on_ready = on_ready,
    .on_outcome = on_outcome,
    .on_push = on_push,
    .on_res = on_res,
    .on_turn = on_turn,
    .on_failed = on_failed,
};

/* The one recipient with one stanza; it is the same for every message. */
static void
make_recipients(struct loadpair *p)
{
	struct p_recipient rcpt = {.account = span_str(p->to_keys.account)};
	struct p_stanza st = {0};
	struct buf stanza;

	memcpy(st.device, p->to_keys.device, sizeof(st.device));
	memcpy(st.prekey, p->to_keys.prekey_id, sizeof(st.prekey));
	random_bytes(st.enc, sizeof(st.enc));
	random_bytes(st.wrapped, sizeof(st.wrapped));
	buf_init(&stanza, 512);
	(void)obj_encode(&p_stanza_def, &st, &stanza);
	rcpt.stanzas.raw = buf_span(&stanza);
	rcpt.stanzas.count = 1;
	(void)obj_encode(&p_recipient_def, &rcpt, &p->recipients);
	buf_clear(&stanza);
}

struct loadpair *
loadpair_new(struct loadenv *env, struct loadrun *run, const struct loadserver *from,
    const struct loadserver *to, const char *name)
{
	struct loadpair *p = xcalloc(1, sizeof(*p));
	char *a = xasprintf("s%s#%s", name, from->domain);
	char *b = xasprintf("r%s#%s", name, to->domain);

	p->run = run;
	buf_init(&p->ask, PROTO_OBJECT_MAX);
	buf_init(&p->grant, PROTO_OBJECT_MAX);
	buf_init(&p->recipients, 1024);
	if (loadkeys_make(&p->from_keys, a) == -1 || loadkeys_make(&p->to_keys, b) == -1)
		fail(p, "cannot make keys for", name);
	free(a);
	free(b);
	p->from = loaddev_new(env, from, &p->from_keys, &dev_ops, p);
	p->to = loaddev_new(env, to, &p->to_keys, &dev_ops, p);
	p->body = xmalloc(run->body);
	random_bytes(p->body, run->body);
	make_recipients(p);
	return p;
}

void
loadpair_free(struct loadpair *p)
{
	if (p == NULL)
		return;
	loaddev_free(p->from);
	loaddev_free(p->to);
	loadkeys_trim(&p->from_keys);
	loadkeys_trim(&p->to_keys);
	buf_clear(&p->ask);
	buf_clear(&p->grant);
	buf_clear(&p->recipients);
	free(p->msgs);
	free(p->body);
	free(p);
}

int
loadpair_connect(struct loadpair *p)
{
	return loaddev_connect(p->from, true) == -1 || loaddev_connect(p->to, true) == -1
	    ? -1
	    : 0;
}

bool
loadpair_ready(const struct loadpair *p)
{
	return p->step == PAIR_READY;
}

void
loadpair_start(struct loadpair *p, bool paced)
{
	free(p->msgs);
	p->n = p->run->per_pair;
	p->msgs = xcalloc(p->n, sizeof(*p->msgs));
	p->next = p->unanswered = p->underway = 0;
	p->accepted = p->delivered = p->newest = p->again = 0;
	p->tag = random_u64();
	p->paced = paced;
	refill(p);
	loaddev_flush(p->from);
}

bool
loadpair_done(const struct loadpair *p)
{
	return p->accepted == p->n && p->delivered == p->n;
}

void
loadpair_tick(struct loadpair *p)
{
	if (p->ask_again) {
		p->ask_again = false;
		put_object(p->from, p->to, &p->ask);
	}
	if (p->grant_again) {
		p->grant_again = false;
		put_object(p->to, p->from, &p->grant);
	}
	for (uint64_t i = 0; p->again > 0 && i < p->next; i++)
		if (p->msgs[i].again && loaddev_ready(p->from)) {
			p->msgs[i].again = false;
			p->again--;
			p->unanswered++;
			put_message(p, i);
		}
	refill(p);
	loaddev_flush(p->from);
	loaddev_flush(p->to);
}
