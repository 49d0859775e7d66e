/* SPDX-License-Identifier: ISC */
/*
 * answers.c - what may be said only after the next sync.
 *
 * Owns copies of the answers. intake.c and qctl.c put them in while messages are handled;
 * queue.c calls answers_flush() once per turn, after the commit, and never before: this file
 * is the reason why "accepted" cannot be said too early. If the commit fails everybody gets a
 * temporary refusal instead, before the process ends. What is kept is bounded by the credit
 * of the channels (CHANNEL_WINDOW submissions) and by control's own limits.
 */
#include "queue/answers.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "admin/admin.h"
#include "base/mem.h"
#include "ipc/msgs.h"

struct answer {
	TAILQ_ENTRY(answer) link;
	struct channel *ch; /* borrowed until answers_forget() */
	uint64_t id;
	bool admin;
	uint16_t code; /* admin */
	uint8_t *yes;  /* owned: result, or text with its terminator */
	size_t nyes;
	uint8_t *no; /* owned: result */
	size_t nno;
};

static TAILQ_HEAD(, answer) waiting = TAILQ_HEAD_INITIALIZER(waiting);

void
answers_submit(struct channel *ch, const struct channel_msg *msg, struct span result,
    struct span refusal)
{
	struct answer *a = xcalloc(1, sizeof(*a));

	a->ch = ch;
	a->id = msg->id;
	a->yes = xmemdup(result.p, result.n);
	a->nyes = result.n;
	a->no = xmemdup(refusal.p, refusal.n);
	a->nno = refusal.n;
	TAILQ_INSERT_TAIL(&waiting, a, link);
	channel_keep_credit(ch);
}

void
answers_admin(struct channel *ch, uint64_t id, uint16_t code, const char *text)
{
	struct answer *a = xcalloc(1, sizeof(*a));

	a->ch = ch;
	a->id = id;
	a->admin = true;
	a->code = code;
	a->yes = (uint8_t *)xstrdup(text);
	TAILQ_INSERT_TAIL(&waiting, a, link);
}

static void
answer_free(struct answer *a)
{
	TAILQ_REMOVE(&waiting, a, link);
	free(a->yes);
	free(a->no);
	free(a);
}

static void
answer_send(const struct answer *a, bool ok)
{
	struct m_submit_res res;

	if (a->admin) {
		if (ok)
			admin_end(a->ch, a->id, a->code, (const char *)a->yes);
		else
			admin_end(a->ch, a->id, CODE_STORAGE, "the disk failed");
		return;
	}
	res.result = ok ? span_of(a->yes, a->nyes) : span_of(a->no, a->nno);
	channel_send(a->ch, MSG_SUBMIT_RES, a->id, &res, -1);
	channel_give_credit(a->ch, 1);
}

void
answers_flush(bool ok)
{
	struct answer *a;

	while ((a = TAILQ_FIRST(&waiting)) != NULL) {
		answer_send(a, ok);
		answer_free(a);
	}
}

void
answers_forget(const struct channel *ch)
{
	struct answer *a, *next;

	for (a = TAILQ_FIRST(&waiting); a != NULL; a = next) {
		next = TAILQ_NEXT(a, link);
		if (a->ch == ch)
			answer_free(a);
	}
}
