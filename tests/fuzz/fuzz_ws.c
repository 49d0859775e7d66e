/* SPDX-License-Identifier: ISC */
/*
 * fuzz_ws.c - fuzz target: WebSocket frames in both roles.
 *
 * What must hold for any bytes: the events are the same whether the bytes come at once or one
 * by one; no message exceeds the limit; memory held stays within it. What was read is written
 * again, and the other side reads the same events; an error reaches it as a close. A header
 * written alone is taken for what it says.
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

/* Writes an event as the role that read it; false if it has no form of its own. */
static bool
write_event(struct buf *out, const struct ws *ws, enum ws_event e)
{
	char reason[WS_CONTROL_MAX + 1] = "";

	switch (e) {
	case WS_MESSAGE:
		ws_put_message(out, ws->role, ws->payload);
		return true;
	case WS_PING:
		ws_put_ping(out, ws->role, ws->payload);
		return true;
	case WS_PONG:
		ws_put_pong(out, ws->role, ws->payload);
		return true;
	case WS_ERROR:
		ws_put_close(out, ws->role, ws->code, ws->error);
		return false;
	default:
		if (ws->payload.n > 0)
			memcpy(reason, ws->payload.p, ws->payload.n);
		ws_put_close(out, ws->role, ws->code, reason);
		return strlen(reason) == ws->payload.n;
	}
}

/* Reads all, writes it again, and lets the other side read that. */
static void
echo(enum ws_role role, const uint8_t *p, size_t n)
{
	struct trace there = {0, 0}, back = {0, 0};
	struct buf in, out;
	bool same = true;
	enum ws_event e, last = WS_MORE;
	struct ws ws;

	ws_init(&ws, role, LIMIT);
	buf_init(&in, ROOM);
	buf_init(&out, 2 * ROOM);
	buf_put(&in, p, n);
	while ((e = ws_next(&ws, &in)) != WS_MORE) {
		same = write_event(&out, &ws, e);
		note(&there, &ws, e);
	}
	ws_clear(&ws);
	fuzz_check(!buf_failed(&out));
	ws_init(&ws, role == WS_SERVER ? WS_CLIENT : WS_SERVER, LIMIT);
	while ((e = ws_next(&ws, &out)) != WS_MORE) {
		note(&back, &ws, e);
		last = e;
	}
	fuzz_check(back.events == there.events && (!same || back.sum == there.sum));
	fuzz_check(last != WS_ERROR && out.n == 0);
	ws_clear(&ws);
	buf_clear(&in);
	buf_clear(&out);
}

/* The header of a message of n bytes: too big by one byte, or waited for. */
static void
header(size_t n)
{
	uint8_t bytes[WS_HEADER_MAX];
	struct buf in;
	struct ws ws;

	buf_init(&in, ROOM);
	buf_put(&in, bytes, ws_header(bytes, n));
	ws_init(&ws, WS_CLIENT, n > 0 ? n - 1 : 0);
	fuzz_check(ws_next(&ws, &in) == (n > 0 ? WS_ERROR : WS_MESSAGE));
	fuzz_check(n == 0 || ws.code == WS_CODE_TOO_BIG);
	ws_clear(&ws);
	buf_reset(&in);
	buf_put(&in, bytes, ws_header(bytes, n));
	ws_init(&ws, WS_CLIENT, n);
	fuzz_check(ws_next(&ws, &in) == (n > 0 ? WS_MORE : WS_MESSAGE));
	fuzz_check(n == 0 || (ws.left == n && in.n == 0));
	ws_clear(&ws);
	buf_clear(&in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct trace whole, slow;
	int role;

	if (n > ROOM / 16)
		return 0;
	for (role = WS_SERVER; role <= WS_CLIENT; role++) {
		whole = run((enum ws_role)role, p, n, ROOM);
		slow = run((enum ws_role)role, p, n, 1);
		fuzz_check(whole.events == slow.events && whole.sum == slow.sum);
		echo((enum ws_role)role, p, n);
	}
	if (n >= 4)
		header((size_t)(p[1] & 15) << 16 | (size_t)p[2] << 8 | p[3]);
	return 0;
}
