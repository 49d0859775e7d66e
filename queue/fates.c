/* SPDX-License-Identifier: ISC */
/*
 * fates.c - telling the sender's store what became of an item, and the item's end.
 *
 * Owns the list of items with fates to tell; the items are spool.c's. Fates are told only
 * after a sync (fates_run() runs behind the commit), so a failure that was told cannot be
 * forgotten and tried again. Store answers after its own commit; an answer that does not come
 * means telling again, and store takes (mid, recipient, state) once however often it comes.
 * Only when the fates of all recipients are confirmed the item ends with DONE.
 */
#include "queue/fates.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/msgs.h"
#include "queue/queue.h"
#include "wire/proto.h"

/* One question to store. The item may be gone when the answer comes. */
struct ask {
	uint64_t qid;
	size_t index;
};

static struct item_list owing = TAILQ_HEAD_INITIALIZER(owing);
static size_t asked;

static bool
owes(const struct item *it)
{
	for (size_t i = 0; i < it->nrcpts; i++) {
		if (it->rcpts[i].fate == ITEM_FATE_OWED)
			return true;
	}
	return item_told(it);
}

void
fates_owe(struct item *it)
{
	if (it->owed || !owes(it))
		return;
	it->owed = true;
	TAILQ_INSERT_TAIL(&owing, it, owing);
}

void
fates_forget(struct item *it)
{
	if (it->owed)
		TAILQ_REMOVE(&owing, it, owing);
	it->owed = false;
}

size_t
fates_count(void)
{
	struct item *it;
	size_t n = asked;

	TAILQ_FOREACH (it, &owing, owing)
		n++;
	return n;
}

/* All is told: the end. When the journal has no room for it, it is tried again later. */
static void
end(struct item *it)
{
	enum journal_err err;

	fates_forget(it);
	err = spool_done(queue.spool, it, clock_wall_ms());
	queue_check(err);
	if (err == JOURNAL_FULL)
		fates_owe(it);
}

static void
on_told(enum request_end how, struct channel *ch, struct channel_msg *answer, void *arg)
{
	struct ask *ask = arg;
	struct item *it = spool_find(queue.spool, ask->qid);
	struct item_rcpt *r = it == NULL ? NULL : &it->rcpts[ask->index];

	(void)ch, (void)answer;
	asked--;
	if (r != NULL && r->fate == ITEM_FATE_ASKED) {
		r->fate = how == REQUEST_ANSWERED ? ITEM_FATE_KNOWN : ITEM_FATE_OWED;
		if (item_told(it))
			end(it);
		else
			fates_owe(it);
	}
	free(ask);
}

/* False if the channel takes no more. */
static bool
tell(struct channel *ch, struct item *it, size_t index)
{
	const struct item_rcpt *r = &it->rcpts[index];
	struct m_fate m = {.code = r->code, .time = r->when};
	struct request_done done = {on_told, NULL};
	struct ask *ask = xcalloc(1, sizeof(*ask));

	memcpy(m.mid, it->mid, sizeof(m.mid));
	memcpy(m.device, it->device, sizeof(m.device));
	m.state = r->state == RECORD_ACCEPTED ? FATE_ARRIVED : FATE_FAILED;
	m.account = span_str(it->sender);
	m.recipient = span_str(r->account);
	m.text = r->text == NULL ? span_of(NULL, 0) : span_str(r->text);
	ask->qid = it->qid;
	ask->index = index;
	done.arg = ask;
	if (proc_ask(ch, MSG_FATE, &m, -1, FATES_ANSWER_MS, done) == 0) {
		free(ask);
		return false;
	}
	asked++;
	queue.count.fates++;
	it->rcpts[index].fate = ITEM_FATE_ASKED;
	return true;
}

void
fates_run(void)
{
	struct channel *ch = proc_channel(ROLE_STORE);
	struct item *it, *next, *last = TAILQ_LAST(&owing, item_list);

	for (it = TAILQ_FIRST(&owing); it != NULL && ch != NULL; it = next) {
		/* Whoever cannot end for lack of room enters again behind the last one. */
		next = it == last ? NULL : TAILQ_NEXT(it, owing);
		for (size_t i = 0; i < it->nrcpts; i++) {
			if (it->rcpts[i].fate != ITEM_FATE_OWED)
				continue;
			if (!channel_may_work(ch) || !tell(ch, it, i))
				return;
		}
		fates_forget(it);
		if (item_told(it))
			end(it);
	}
}
