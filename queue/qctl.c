/* SPDX-License-Identifier: ISC */
/*
 * qctl.c - what emsgq asks: list, show, retry, drop.
 *
 * Called with requests that control has authorised. Reads items in memory only, so a list does
 * not touch the disk; its rows are a snapshot, because nothing else runs meanwhile. Changes go
 * through spool.c like any other and are answered after the sync (answers.c). Arguments come
 * from a tool that anybody may have written: what does not decode, or names no item, is
 * answered with a code and one line.
 */
#include "queue/qctl.h"

#include <stdlib.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "ipc/msgs.h"
#include "queue/answers.h"
#include "queue/fates.h"
#include "queue/queue.h"

#define QID_SIZE 14 /* as text, with the terminator */
#define TO_MAX 4000 /* bytes of the column "to" */

static const char *
state_name(const struct item *it)
{
	struct sched_info info;

	if (it->held)
		return "held";
	if (it->sched == NULL)
		return "reporting";
	sched_info(it->sched, &info);
	if (info.state == SCHED_FLYING)
		return "sending";
	return it->tries == 0 ? "queued" : "deferred";
}

static bool
qid_parse(struct span text, uint64_t *qid)
{
	char copy[QID_SIZE];

	return text_copy(copy, sizeof(copy), text) && id32_decode(copy, qid);
}

/* When the next attempt may begin, in wall time; 0 if that is not known. */
static uint64_t
next_try(const struct item *it)
{
	uint64_t mono = clock_mono_ms(), wall = clock_wall_ms();
	struct sched_info info;

	if (it->sched == NULL)
		return 0;
	sched_info(it->sched, &info);
	if (info.state != SCHED_QUEUED)
		return 0;
	return info.next > mono ? wall + (info.next - mono) : wall;
}

/* The recipients who are still to be served, or all if there are none. */
static void
put_to(const struct item *it, struct buf *out)
{
	bool all = item_count(it, RECORD_PENDING) == 0;

	for (size_t i = 0; i < it->nrcpts; i++) {
		if (!all && it->rcpts[i].state != RECORD_PENDING)
			continue;
		if (out->n > 0)
			buf_put_u8(out, ' ');
		buf_put(out, it->rcpts[i].account, strlen(it->rcpts[i].account));
		if (out->n + RECORD_NAME_MAX > TO_MAX)
			break;
	}
}

static void
row_item(struct channel *ch, uint64_t id, const struct item *it)
{
	char qid[QID_SIZE], mid[2 * RECORD_ID_SIZE + 1];
	struct ctl_item row = {.size = it->size,
	    .arrived_at = it->accepted,
	    .tries = it->tries,
	    .last_at = it->last,
	    .expires_at = it->expires,
	    .code = it->code};
	struct buf to;

	id32_encode(it->qid, qid);
	hex_encode(span_of(it->mid, sizeof(it->mid)), mid);
	buf_init(&to, TO_MAX);
	put_to(it, &to);
	row.qid = span_str(qid);
	row.mid = span_str(mid);
	row.state = span_str(state_name(it));
	row.from = span_str(it->sender);
	row.to = buf_span(&to);
	row.dest = span_str(it->domain);
	if (it->last != 0)
		obj_set(&ctl_item_def, &row, 10);
	if ((row.next_at = next_try(it)) != 0)
		obj_set(&ctl_item_def, &row, 11);
	if (it->code != 0)
		obj_set(&ctl_item_def, &row, 13);
	if (it->error != NULL) {
		row.error = span_str(it->error);
		obj_set(&ctl_item_def, &row, 14);
	}
	admin_row(ch, id, ROW_ITEM, &row);
	buf_clear(&to);
}

/* --- commands ----------------------------------------------------------------------------- */

static bool
matches(const struct item *it, const struct ctl_queue_args *args)
{
	return args->dest.n == 0 || span_eq(args->dest, span_str(it->domain));
}

static void
list_items(struct channel *ch, uint64_t id, const struct ctl_queue_args *args)
{
	uint64_t limit = args->limit, n = 0;
	struct item *it = NULL;

	if (limit == 0 || limit > QCTL_LIST_MAX)
		limit = QCTL_LIST_MAX;
	while ((it = spool_next(queue.spool, it)) != NULL) {
		if (!matches(it, args))
			continue;
		if (n++ == limit) {
			admin_note(ch, id, "there are more items than were asked for");
			break;
		}
		row_item(ch, id, it);
	}
	admin_end(ch, id, CODE_DONE, "");
}

static void
row_attempt(struct channel *ch, uint64_t id, uint64_t when, const char *who,
    uint16_t code, const char *text)
{
	struct ctl_attempt row = {.time_at = when, .code = code};

	if (who != NULL) {
		row.recipient = span_str(who);
		obj_set(&ctl_attempt_def, &row, 2);
	}
	if (text != NULL) {
		row.text = span_str(text);
		obj_set(&ctl_attempt_def, &row, 4);
	}
	admin_row(ch, id, ROW_ATTEMPT, &row);
}

static void
show(struct channel *ch, uint64_t id, struct span name)
{
	const struct item_rcpt *r;
	struct item *it;
	uint64_t qid;

	if (!qid_parse(name, &qid)) {
		admin_end(ch, id, CODE_MALFORMED, "that is not a queue id");
		return;
	}
	if ((it = spool_find(queue.spool, qid)) == NULL) {
		admin_end(ch, id, CODE_NOT_FOUND, "there is no such item in the queue");
		return;
	}
	row_item(ch, id, it);
	if (it->code != 0)
		row_attempt(ch, id, it->last, NULL, it->code, it->error);
	for (size_t i = 0; i < it->nrcpts; i++) {
		r = &it->rcpts[i];
		if (r->code != 0)
			row_attempt(ch, id, r->when, r->account, r->code, r->text);
	}
	admin_end(ch, id, CODE_DONE, "");
}

static size_t
retry_item(struct item *it)
{
	uint64_t now = clock_mono_ms();

	if (it->sched == NULL)
		return 0;
	/* One that was put aside because it could not be read. */
	if (it->held) {
		queue_check(spool_mark(queue.spool, it, RECORD_RELEASE, clock_wall_ms()));
		if (it->held)
			return 0; /* no room to note it */
		sched_release(queue.sched, now, it->sched);
	}
	sched_retry(queue.sched, now, it->sched);
	return 1;
}

/* Fails for all who are not served yet; their senders are told so. */
static size_t
drop_item(struct item *it)
{
	char qid[QID_SIZE];

	if (it->sched == NULL)
		return 0;
	queue_check(spool_mark(queue.spool, it, RECORD_DROP, clock_wall_ms()));
	if (item_count(it, RECORD_PENDING) > 0)
		return 0; /* no room to note it */
	id32_encode(it->qid, qid);
	log_warn("item.drop", "qid=%s from=%s dest=%s", qid,
	    log_account(span_str(it->sender)), log_str(it->domain));
	queue_unschedule(it);
	fates_owe(it);
	return 1;
}

/* Applies fn to the items that are named, or to all of a destination, or to all. */
static void
change(struct channel *ch, uint64_t id, const struct ctl_queue_args *args,
    size_t (*fn)(struct item *), const char *done)
{
	struct item *it = NULL;
	struct obj_iter iter;
	struct span text;
	size_t n = 0, unknown = 0;
	uint64_t qid;
	char *line;

	obj_iter_init(&iter, &args->qids);
	while (obj_next_span(&iter, &text)) {
		it = qid_parse(text, &qid) ? spool_find(queue.spool, qid) : NULL;
		if (it != NULL)
			n += fn(it);
		else
			unknown++;
	}
	if (args->qids.count == 0 && (args->all || args->dest.n > 0)) {
		for (it = NULL; (it = spool_next(queue.spool, it)) != NULL;) {
			if (matches(it, args))
				n += fn(it);
		}
	} else if (args->qids.count == 0) {
		admin_end(ch, id, CODE_MALFORMED, "which items?");
		return;
	}
	line = unknown == 0
	    ? xasprintf("%zu items %s", n, done)
	    : xasprintf("%zu items %s, %zu ids are not in the queue", n, done, unknown);
	answers_admin(ch, id, unknown == 0 ? CODE_DONE : CODE_NOT_FOUND, line);
	free(line);
}

void
on_queue_ask(struct channel *ch, struct channel_msg *msg)
{
	const struct m_ctl_ask *ask = msg->body;
	struct ctl_queue_args args;
	struct ctl_name name;

	if (ask->command == CTL_QUEUE_SHOW) {
		if (obj_decode(&ctl_name_def, ask->args, &name) == WIRE_OK)
			show(ch, msg->id, name.name);
		else
			admin_end(ch, msg->id, CODE_MALFORMED, "which item?");
		return;
	}
	if (obj_decode(&ctl_queue_args_def, ask->args, &args) != WIRE_OK) {
		admin_end(ch, msg->id, CODE_MALFORMED, "the arguments cannot be read");
		return;
	}
	switch (ask->command) {
	case CTL_QUEUE_LIST:
		list_items(ch, msg->id, &args);
		break;
	case CTL_QUEUE_RETRY:
		change(ch, msg->id, &args, retry_item, "will be tried now");
		break;
	case CTL_QUEUE_DROP:
		change(ch, msg->id, &args, drop_item, "dropped");
		break;
	default:
		admin_end(
		    ch, msg->id, CODE_UNSUPPORTED, "not a command for this process");
	}
}

void
on_queue_cancel(struct channel *ch, struct channel_msg *msg)
{
	(void)ch, (void)msg;
}
