/* SPDX-License-Identifier: ISC */
/*
 * item.c - what the queue keeps in memory of one item.
 *
 * Owns the strings of an item; spool.c owns the items. A few hundred bytes each: the envelope,
 * each recipient's state, and where in the journal the rest is. The deferred tier will keep
 * the same facts on disk for items that wait. Called by spool.c when an item is accepted or
 * recovered, by deliver.c with results, by qctl.c to show it. Nothing here fails; a result for
 * a recipient who is final already is refused, so that later answers cannot change a fate
 * that was told.
 */
#include "queue/item.h"

#include <stdlib.h>

#include "base/mem.h"

/* A reply's text, cut between two characters: half of one would spoil all that it is put into. */
static char *
copy(struct span s)
{
	if (s.n > RECORD_TEXT_MAX) {
		s.n = RECORD_TEXT_MAX;
		while (s.n > 0 && (s.p[s.n] & 0xc0) == 0x80)
			s.n--;
	}
	return s.n == 0 ? NULL : xstrndup((const char *)s.p, s.n);
}

struct item *
item_new(const struct record_msg *m, struct journal_loc loc)
{
	struct item *it = xcalloc(1, sizeof(*it));

	it->qid = m->qid;
	it->loc = loc;
	it->accepted = m->accepted;
	it->expires = m->expires;
	memcpy(it->mid, m->mid, RECORD_ID_SIZE);
	memcpy(it->device, m->device, RECORD_ID_SIZE);
	if (m->conv.n == RECORD_ID_SIZE)
		memcpy(it->conv, m->conv.p, RECORD_ID_SIZE);
	it->kind = m->kind;
	it->size = (uint32_t)m->body.n;
	it->sender = xstrndup((const char *)m->sender.p, m->sender.n);
	it->domain = xstrndup((const char *)m->domain.p, m->domain.n);
	it->nrcpts = m->nrcpts;
	it->rcpts = xcalloc(m->nrcpts, sizeof(*it->rcpts));
	for (size_t i = 0; i < m->nrcpts; i++)
		it->rcpts[i].account =
		    xstrndup((const char *)m->rcpts[i].p, m->rcpts[i].n);
	return it;
}

void
item_free(struct item *it)
{
	if (it == NULL)
		return;
	for (size_t i = 0; i < it->nrcpts; i++) {
		free(it->rcpts[i].account);
		free(it->rcpts[i].text);
	}
	free(it->rcpts);
	free(it->sender);
	free(it->domain);
	free(it->error);
	free(it);
}

bool
item_result(struct item *it, size_t index, enum record_state state, uint16_t code,
    struct span text, uint64_t when)
{
	struct item_rcpt *r;

	if (index >= it->nrcpts || it->rcpts[index].state != RECORD_PENDING)
		return false;
	r = &it->rcpts[index];
	free(r->text);
	r->text = copy(text);
	r->code = code;
	r->when = when;
	r->state = (uint8_t)state;
	if (state != RECORD_PENDING)
		r->fate = ITEM_FATE_OWED;
	return true;
}

void
item_trouble(struct item *it, uint16_t code, struct span text)
{
	free(it->error);
	it->error = copy(text);
	it->code = code;
}

size_t
item_find_rcpt(const struct item *it, struct span account)
{
	size_t i;

	for (i = 0; i < it->nrcpts; i++) {
		if (span_eq(span_str(it->rcpts[i].account), account))
			break;
	}
	return i;
}

size_t
item_count(const struct item *it, enum record_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < it->nrcpts; i++)
		n += it->rcpts[i].state == state;
	return n;
}

bool
item_told(const struct item *it)
{
	for (size_t i = 0; i < it->nrcpts; i++) {
		if (it->rcpts[i].fate != ITEM_FATE_KNOWN)
			return false;
	}
	return true;
}

void
item_snapshot(const struct item *it, struct record_attempt *a)
{
	const struct item_rcpt *r;

	memset(a, 0, sizeof(*a));
	a->qid = it->qid;
	a->when = it->last;
	a->tries = it->tries;
	a->held = it->held;
	a->code = it->code;
	a->trouble = it->error == NULL ? span_of(NULL, 0) : span_str(it->error);
	for (size_t i = 0; i < it->nrcpts && i < RECORD_RCPTS_MAX; i++) {
		r = &it->rcpts[i];
		if (r->code == 0)
			continue;
		a->results[a->nresults++] =
		    (struct record_result){(uint16_t)i, (enum record_state)r->state,
			r->code, r->text == NULL ? span_of(NULL, 0) : span_str(r->text)};
	}
}

void
item_apply(struct item *it, const struct record_attempt *a)
{
	const struct record_result *r;
	/* Without an attempt it can only have expired; a fate has a time in any case. */
	uint64_t when = a->when != 0 ? a->when : it->expires;

	it->tries = a->tries;
	it->held = a->held;
	if (a->when != 0)
		it->last = a->when;
	item_trouble(it, a->code, a->trouble);
	for (size_t i = 0; i < a->nresults; i++) {
		r = &a->results[i];
		item_result(it, r->index, r->state, r->code, r->text, when);
	}
}
