/* SPDX-License-Identifier: ISC */
/*
 * summary.c - the queue on one screen, and commands on a choice of its items.
 *
 * The rows of the whole list are counted by destination and state as they come; nothing else
 * of them is kept, so a long queue costs no memory here. Called through the table of emsgq.c.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/summary.h"

/* One row of the summary; texts are copies that live as long as the counting. */
struct summary {
	uint32_t has;
	struct span dest, state;
	uint64_t items, bytes, oldest_at;
	struct span error;
	char texts[256 + 64 + 256]; /* what the spans point to */
};
#define TEXT(k, m, f) OBJ_FIELD(k, OBJ_TSTR, struct summary, m, 0, 512, f)
#define NUM(k, m) OBJ_FIELD(k, OBJ_UINT, struct summary, m, 0, 0, OBJ_REQUIRED)
static const struct obj_field summary_fields[] = {
    TEXT(1, dest, OBJ_REQUIRED),
    TEXT(2, state, OBJ_REQUIRED),
    NUM(3, items),
    NUM(4, bytes),
    NUM(5, oldest_at),
    TEXT(6, error, 0),
};
static const struct obj_def summary_def = {
    "summary", sizeof(struct summary), OBJ_MAP, OBJ_FIELDS(summary_fields)};

struct counting {
	struct summary *rows; /* owned */
	size_t n;
};

/* Copies a text, cut if need be, behind those that are there. */
static struct span
keep(char *place, size_t size, struct span s)
{
	size_t n = s.n < size ? s.n : size;

	memcpy(place, s.p, n);
	return span_of(place, n);
}

static struct summary *
obtain(struct counting *c, const struct ctl_item *item)
{
	struct summary *row;

	for (size_t i = 0; i < c->n; i++)
		if (span_eq(c->rows[i].dest, item->dest) &&
		    span_eq(c->rows[i].state, item->state))
			return &c->rows[i];
	if (c->n == SUMMARY_DESTS_MAX)
		return &c->rows[c->n - 1];
	row = &c->rows[c->n++];
	row->dest = keep(row->texts, 256,
	    c->n < SUMMARY_DESTS_MAX ? item->dest : span_str("(others)"));
	row->state = keep(row->texts + 256, 64, item->state);
	return row;
}

static void
on_item(unsigned kind, struct span bytes, void *arg)
{
	struct counting *c = arg;
	struct ctl_item item;
	struct summary *row;

	if (kind != ROW_ITEM || obj_decode(&ctl_item_def, bytes, &item) != WIRE_OK)
		return;
	row = obtain(c, &item);
	row->items++;
	row->bytes += item.size;
	if (row->oldest_at == 0 || item.arrived_at < row->oldest_at)
		row->oldest_at = item.arrived_at;
	if (item.error.n > 0) {
		row->error = keep(row->texts + 256 + 64, 256, item.error);
		obj_set(&summary_def, row, 6);
	}
}

static int
by_items(const void *a, const void *b)
{
	const struct summary *x = a, *y = b;

	return x->items < y->items ? 1 : x->items > y->items ? -1 : 0;
}

/* Sorting moves rows, and their spans point into them. */
static void
print_sorted(struct output *out, struct counting *c)
{
	qsort(c->rows, c->n, sizeof(*c->rows), by_items);
	for (size_t i = 0; i < c->n; i++) {
		struct summary *row = &c->rows[i];

		row->dest.p = (const uint8_t *)row->texts;
		row->state.p = (const uint8_t *)row->texts + 256;
		row->error.p = (const uint8_t *)row->texts + 256 + 64;
		output_object(out, &summary_def, row);
	}
}

int
summary_run(const struct call *call)
{
	struct counting c = {.n = 0};
	struct ctlsock *s = NULL;
	struct ctlsock_end end;
	struct output *out;
	struct buf args;
	int rc = (int)ctlsock_open(call, false, &s);

	if (rc != TOOL_OK)
		return rc;
	c.rows = xcalloc(SUMMARY_DESTS_MAX, sizeof(*c.rows));
	buf_init(&args, 1024);
	rc = ask_args(call, CTL_QUEUE_LIST, NULL, &args);
	if (rc == TOOL_OK) {
		rc = ctlsock_ask(s, CTL_QUEUE_LIST, buf_span(&args), on_item, &c, &end);
		rc = ask_end(call, rc, &end);
		out = ask_output(call);
		print_sorted(out, &c);
		output_free(out);
		if (rc == TOOL_OK && c.n == 0)
			tool_say(call, "the queue is empty");
	}
	buf_clear(&args);
	free(c.rows);
	ctlsock_free(s);
	return rc;
}

/* Exactly one of ids, a destination, or all. */
static int
check_choice(const struct call *call)
{
	int n = (call->nargs > 0) + (call->opt[OPT_DEST] != NULL) +
	    (call->opt[OPT_ALL] != NULL);

	if (n == 1)
		return TOOL_OK;
	return tool_fail(call, TOOL_USAGE,
	    "%s needs queue ids, or --dest with a domain, or --all, and only one of them",
	    call->command->words);
}

int
summary_retry(const struct call *call)
{
	int rc = check_choice(call);

	return rc == TOOL_OK ? ask_run(call) : rc;
}

int
summary_drop(const struct call *call)
{
	int rc = check_choice(call);

	if (rc != TOOL_OK)
		return rc;
	if (call->opt[OPT_DRY_RUN] == NULL &&
	    !tool_confirm(call, "Drop for good, and tell the senders that it failed?"))
		return tool_fail(call, TOOL_USAGE, "drop needs --yes");
	return ask_run(call);
}
