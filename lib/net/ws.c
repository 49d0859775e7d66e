/* SPDX-License-Identifier: ISC */
/*
 * ws.c - the WebSocket framer: bytes to events and events to bytes (RFC 6455 section 5).
 *
 * A frame is read in two steps: its header, when all of it is there, and its payload. A
 * control frame, and a data frame that is a whole message and lies in the input whole, is
 * unmasked in place and handed out without a copy. Other data is moved to ws->msg as it
 * comes, so that the input never needs to hold more than a header and some bytes.
 * Eaten bytes are counted in ws->used and leave the input together when no event is left in
 * it: many small frames cost one memmove.
 *
 * Owns ws->msg, which holds nothing between messages. Called by link.c and by the client
 * library. Fails with WS_ERROR, a close code and a static text, and stays failed. The masks of
 * a client's frames come from getrandom(2), as the RFC wants them unpredictable.
 */
#include <string.h>

#include "base/text.h"
#include "net/ws.h"

#define BIT_FIN 0x80
#define BIT_MASK 0x80
#define BITS_RESERVED 0x70
#define CLOSE_REASON_MAX (WS_CONTROL_MAX - 2)

enum opcode {
	OP_CONTINUATION = 0,
	OP_TEXT = 1,
	OP_BINARY = 2,
	OP_CLOSE = 8,
	OP_PING = 9,
	OP_PONG = 10
};

struct header {
	unsigned opcode;
	bool fin;
	bool masked;
	uint8_t mask[4];
	uint64_t n;  /* payload bytes */
	size_t size; /* header bytes */
};

void
ws_init(struct ws *ws, enum ws_role role, size_t limit)
{
	memset(ws, 0, sizeof(*ws));
	ws->role = role;
	buf_init(&ws->msg, WS_LIMIT_MAX);
	ws_limit(ws, limit);
}

void
ws_clear(struct ws *ws)
{
	buf_clear(&ws->msg);
}

void
ws_limit(struct ws *ws, size_t limit)
{
	ws->limit = limit < WS_LIMIT_MAX ? limit : WS_LIMIT_MAX;
}

size_t
ws_held(const struct ws *ws)
{
	return ws->msg.n;
}

void
ws_mask(uint8_t *p, size_t n, const uint8_t mask[4], size_t phase)
{
	uint8_t turned[8];
	uint64_t word, key;
	size_t i;

	for (i = 0; i < sizeof(turned); i++)
		turned[i] = mask[(phase + i) & 3];
	memcpy(&key, turned, sizeof(key));
	for (; n >= sizeof(word); n -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		word ^= key;
		memcpy(p, &word, sizeof(word));
	}
	for (i = 0; i < n; i++)
		p[i] ^= turned[i];
}

static enum ws_event
fail(struct ws *ws, unsigned code, const char *error)
{
	ws->ended = true;
	ws->code = (uint16_t)code;
	ws->error = error;
	ws->payload = span_of(NULL, 0);
	buf_clear(&ws->msg);
	return WS_ERROR;
}

/* Reads a header at the start of s. False if it is not all there. */
static bool
header_read(struct span s, struct header *h)
{
	struct span mask = span_of(NULL, 0);
	struct cur c;
	unsigned first, second;

	cur_init(&c, s);
	first = cur_u8(&c);
	second = cur_u8(&c);
	h->fin = (first & BIT_FIN) != 0;
	h->opcode = first & ~(unsigned)BIT_FIN;
	h->masked = (second & BIT_MASK) != 0;
	h->n = second & ~(unsigned)BIT_MASK;
	if (h->n == 126)
		h->n = cur_u16(&c);
	else if (h->n == 127)
		h->n = cur_u64(&c);
	memset(h->mask, 0, sizeof(h->mask));
	if (h->masked)
		mask = cur_bytes(&c, sizeof(h->mask));
	if (c.failed)
		return false;
	if (h->masked)
		memcpy(h->mask, mask.p, sizeof(h->mask));
	h->size = s.n - c.n;
	return true;
}

/* Which rule the first two bytes break, or NULL; so a bad frame is refused at once. */
static const char *
first_bytes_wrong(const struct ws *ws, struct span s)
{
	unsigned opcode = s.p[0] & 0x0fU;
	bool control = (opcode & 8) != 0;

	if ((s.p[0] & BITS_RESERVED) != 0)
		return "reserved bit set";
	if (opcode > OP_PONG || (opcode > OP_BINARY && !control))
		return "unknown opcode";
	if (control && (s.p[0] & BIT_FIN) == 0)
		return "fragmented control frame";
	if (!control && opcode != OP_CONTINUATION && ws->fragments > 0)
		return "new message inside another";
	if (opcode == OP_CONTINUATION && ws->fragments == 0)
		return "continuation of nothing";
	if (s.n < 2)
		return NULL;
	if (((s.p[1] & BIT_MASK) != 0) != (ws->role == WS_SERVER))
		return ws->role == WS_SERVER ? "unmasked frame" : "masked frame";
	if (control && (s.p[1] & ~BIT_MASK & 0xff) > WS_CONTROL_MAX)
		return "control frame too long";
	return NULL;
}

/* Lengths have one spelling, and a message has a limit, before a byte of it is kept. */
static enum ws_event
judge_data(struct ws *ws, const struct header *h)
{
	size_t length_bytes = h->size - 2 - (h->masked ? sizeof(h->mask) : 0);

	if ((length_bytes == 2 && h->n < 126) ||
	    (length_bytes == 8 && h->n <= UINT16_MAX))
		return fail(ws, WS_CODE_PROTOCOL, "length not in its shortest form");
	if (h->n > ws->limit || ws->msg.n > ws->limit - (size_t)h->n)
		return fail(ws, WS_CODE_TOO_BIG, "message too big");
	if (ws->fragments >= WS_FRAGMENTS_MAX)
		return fail(ws, WS_CODE_POLICY, "too many fragments");
	return WS_MORE;
}

/* A close frame: a code that may be on the wire, and UTF-8. */
static enum ws_event
take_close(struct ws *ws, struct span payload)
{
	unsigned code;

	ws->code = WS_CODE_NONE;
	if (payload.n == 1)
		return fail(ws, WS_CODE_PROTOCOL, "close code cut off");
	if (payload.n >= 2) {
		code = (unsigned)payload.p[0] << 8 | payload.p[1];
		if (code < 1000 || code == 1004 || code == 1005 || code == 1006 ||
		    (code > 1014 && code < 3000) || code > 4999)
			return fail(ws, WS_CODE_PROTOCOL, "close code not allowed");
		payload = span_of(payload.p + 2, payload.n - 2);
		if (!utf8_valid(payload))
			return fail(ws, WS_CODE_DATA, "close reason is not UTF-8");
		ws->code = (uint16_t)code;
		ws->payload = payload;
	}
	ws->ended = true;
	buf_clear(&ws->msg);
	return WS_CLOSE;
}

/* The input bytes that were not eaten yet; they are ours to change. */
static struct span
rest(const struct ws *ws, const struct buf *in)
{
	return span_of(in->n > ws->used ? in->p + ws->used : NULL, in->n - ws->used);
}

/* Unmasks n bytes at the start of what is left, eats them and returns them. */
static struct span
eat(struct ws *ws, struct buf *in, size_t n)
{
	uint8_t *p = in->p + ws->used;

	if (ws->role == WS_SERVER)
		ws_mask(p, n, ws->mask, ws->phase);
	ws->used += n;
	ws->phase += n;
	return span_of(p, n);
}

static enum ws_event
take_control(struct ws *ws, struct buf *in, const struct header *h)
{
	ws->used += h->size;
	ws->payload = eat(ws, in, (size_t)h->n);
	if (h->opcode == OP_PING)
		return WS_PING;
	if (h->opcode == OP_PONG)
		return WS_PONG;
	return take_close(ws, ws->payload);
}

static enum ws_event
end_message(struct ws *ws)
{
	ws->fragments = 0;
	ws->payload = buf_span(&ws->msg);
	ws->message_out = true;
	return WS_MESSAGE;
}

/* Moves what has come of a data frame's payload to ws->msg. */
static enum ws_event
take_payload(struct ws *ws, struct buf *in)
{
	size_t n = rest(ws, in).n;

	if (n > ws->left)
		n = (size_t)ws->left;
	if (n > 0)
		buf_put_span(&ws->msg, eat(ws, in, n));
	ws->left -= n;
	if (ws->left > 0)
		return WS_MORE;
	ws->in_payload = false;
	return ws->fin ? end_message(ws) : WS_MORE;
}

static enum ws_event
take_data(struct ws *ws, struct buf *in, const struct header *h)
{
	if (h->opcode == OP_TEXT)
		return fail(ws, WS_CODE_UNSUPPORTED, "text message");
	if (judge_data(ws, h) == WS_ERROR)
		return WS_ERROR;
	ws->used += h->size;
	if (h->fin && ws->fragments == 0 && rest(ws, in).n >= h->n) {
		ws->payload = eat(ws, in, (size_t)h->n);
		return WS_MESSAGE;
	}
	ws->fragments++;
	ws->left = h->n;
	ws->fin = h->fin;
	ws->in_payload = true;
	return take_payload(ws, in);
}

/* One step: a header with what belongs to it, or payload. */
static enum ws_event
take_frame(struct ws *ws, struct buf *in)
{
	struct span s = rest(ws, in);
	struct header h;
	const char *wrong;

	if (s.n == 0)
		return WS_MORE;
	if ((wrong = first_bytes_wrong(ws, s)) != NULL)
		return fail(ws, WS_CODE_PROTOCOL, wrong);
	if (!header_read(s, &h))
		return WS_MORE;
	memcpy(ws->mask, h.mask, sizeof(ws->mask));
	ws->phase = 0;
	if (h.opcode < OP_CLOSE)
		return take_data(ws, in, &h);
	return s.n - h.size >= h.n ? take_control(ws, in, &h) : WS_MORE;
}

enum ws_event
ws_next(struct ws *ws, struct buf *in)
{
	enum ws_event event = WS_MORE;
	size_t before;

	ws->payload = span_of(NULL, 0);
	if (ws->message_out)
		buf_clear(&ws->msg);
	ws->message_out = false;
	if (ws->ended)
		ws->used = in->n;
	while (!ws->ended && event == WS_MORE && ws->used < in->n) {
		before = ws->used;
		event = ws->in_payload ? take_payload(ws, in) : take_frame(ws, in);
		if (ws->used == before)
			break;
	}
	if (event == WS_MORE || event == WS_ERROR) {
		buf_consume(in, ws->used);
		ws->used = 0;
	}
	return event;
}

static void
put_header(struct buf *out, unsigned opcode, size_t n, bool masked)
{
	uint8_t mask_bit = masked ? BIT_MASK : 0;

	buf_put_u8(out, (uint8_t)(BIT_FIN | opcode));
	if (n < 126) {
		buf_put_u8(out, (uint8_t)(mask_bit | n));
	} else if (n <= UINT16_MAX) {
		buf_put_u8(out, mask_bit | 126);
		buf_put_u16(out, (uint16_t)n);
	} else {
		buf_put_u8(out, mask_bit | 127);
		buf_put_u64(out, n);
	}
}

static void
put_frame(struct buf *out, enum ws_role role, unsigned opcode, struct span payload)
{
	uint8_t mask[4], *p;

	put_header(out, opcode, payload.n, role == WS_CLIENT);
	if (role == WS_SERVER) {
		buf_put_span(out, payload);
		return;
	}
	random_bytes(mask, sizeof(mask));
	buf_put(out, mask, sizeof(mask));
	if (payload.n == 0 || (p = buf_reserve(out, payload.n)) == NULL)
		return;
	memcpy(p, payload.p, payload.n);
	ws_mask(p, payload.n, mask, 0);
	buf_advance(out, payload.n);
}

void
ws_put_message(struct buf *out, enum ws_role role, struct span payload)
{
	put_frame(out, role, OP_BINARY, payload);
}

static struct span
cut(struct span s, size_t max)
{
	return span_of(s.p, s.n < max ? s.n : max);
}

void
ws_put_ping(struct buf *out, enum ws_role role, struct span payload)
{
	put_frame(out, role, OP_PING, cut(payload, WS_CONTROL_MAX));
}

void
ws_put_pong(struct buf *out, enum ws_role role, struct span payload)
{
	put_frame(out, role, OP_PONG, cut(payload, WS_CONTROL_MAX));
}

void
ws_put_close(struct buf *out, enum ws_role role, unsigned code, const char *reason)
{
	uint8_t payload[WS_CONTROL_MAX];
	struct span text = cut(span_str(reason != NULL ? reason : ""), CLOSE_REASON_MAX);

	if (code == WS_CODE_NONE) {
		put_frame(out, role, OP_CLOSE, span_of(NULL, 0));
		return;
	}
	payload[0] = (uint8_t)(code >> 8);
	payload[1] = (uint8_t)code;
	if (text.n > 0)
		memcpy(payload + 2, text.p, text.n);
	put_frame(out, role, OP_CLOSE, span_of(payload, text.n + 2));
}

size_t
ws_header(uint8_t out[WS_HEADER_MAX], size_t n)
{
	struct buf b;
	size_t size;

	buf_init(&b, WS_HEADER_MAX);
	put_header(&b, OP_BINARY, n, false);
	size = b.n;
	memcpy(out, b.p, size);
	buf_clear(&b);
	return size;
}
