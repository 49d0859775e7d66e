/* SPDX-License-Identifier: ISC */
/*
 * kept.c - messages that came while channel_call() waited for another one.
 *
 * A plain list of copies, owned by the channel, which handles them from the loop before it
 * looks at its socket again; so the order of messages is never changed. The list is bounded:
 * a neighbour that says more than KEPT_MAX other things before it answers breaks the rules,
 * and so does one that sends a descriptor, which cannot be put by. Nothing else can fail.
 */
#include "config.h"

#include <stdlib.h>

#include "base/mem.h"
#include "ipc/kept.h"

struct kept_message {
	struct kept_message *next;
	struct frame_msg msg;
	uint8_t payload[];
};

void
kept_init(struct kept *k)
{
	*k = (struct kept){.first = NULL};
	k->end = &k->first;
}

const char *
kept_put(struct kept *k, const struct frame_msg *in)
{
	struct kept_message *m;

	if (in->fd != -1 || in->fd_lost)
		return "descriptor during a call";
	if (k->n == KEPT_MAX)
		return "too many messages during a call";
	m = xmalloc(sizeof(*m) + in->payload.n);
	m->next = NULL;
	m->msg = *in;
	if (in->payload.n > 0)
		memcpy(m->payload, in->payload.p, in->payload.n);
	m->msg.payload = span_of(m->payload, in->payload.n);
	*k->end = m;
	k->end = &m->next;
	k->n++;
	return NULL;
}

bool
kept_take(struct kept *k, struct frame_msg *out)
{
	free(k->taken);
	k->taken = k->first;
	if (k->taken == NULL)
		return false;
	k->first = k->taken->next;
	if (k->first == NULL)
		k->end = &k->first;
	k->n--;
	*out = k->taken->msg;
	return true;
}

void
kept_clear(struct kept *k)
{
	struct frame_msg msg;

	while (kept_take(k, &msg))
		continue;
}
