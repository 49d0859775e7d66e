/* SPDX-License-Identifier: ISC */
/*
 * fuzz_ws.c - fuzz target: WebSocket frames in both roles.
 *
 * What must hold for any bytes: the events are the same whether the bytes come at once or one
 * by one; no message exceeds the limit; memory held stays within it.
 */
#include "config.h"

#include <string.h>

#include "fuzz/fuzz.h"
#include "net/ws.h"

#define LIMIT 4096
#define ROOM (1U << 20)

/* All events of an input, folded into one number each for order and content. */
struct trace {
	uint64_t sum;
	unsigned events;
};

static void
note(struct trace *t, const struct ws *ws, enum ws_event e)
{
	size_t i;

	fuzz_check(ws->payload.n <= LIMIT);
	fuzz_check(e != WS_ERROR || ws->error != NULL);
	t->events++;
	t->sum = t->sum * 31 + (uint64_t)e;
	if (e == WS_CLOSE || e == WS_ERROR)
		t->sum = t->sum * 31 + ws->code;
	for (i = 0; i < ws->payload.n; i++)
		t->sum = t->sum * 31 + ws->payload.p[i];
}

static struct trace
run(enum ws_role role, const uint8_t *p, size_t n, size_t step)
{
	struct trace t = {0, 0};
	enum ws_event e;
	struct buf in;
	struct ws ws;
	size_t i;

	ws_init(&ws, role, LIMIT);
	buf_init(&in, ROOM);
	for (i = 0; i < n; i += step) {
		buf_put(&in, p + i, n - i < step ? n - i : step);
		while ((e = ws_next(&ws, &in)) != WS_MORE)
			note(&t, &ws, e);
		fuzz_check(ws_held(&ws) <= LIMIT && ws.used == 0);
	}
	ws_clear(&ws);
	buf_clear(&in);
	return t;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct trace whole, slow;
	int role;

	if (n > ROOM)
		return 0;
	for (role = WS_SERVER; role <= WS_CLIENT; role++) {
		whole = run((enum ws_role)role, p, n, ROOM);
		slow = run((enum ws_role)role, p, n, 1);
		fuzz_check(whole.events == slow.events && whole.sum == slow.sum);
	}
	return 0;
}
