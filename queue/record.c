/* SPDX-License-Identifier: ISC */
/*
 * record.c - the journal's records: bytes to struct and back.
 *
 * Pure: no clock, no I/O, no log. Called by journal.c to write, by recover.c to read at
 * start-up, and by the handlers of the queue, which fill the structs. What is read comes
 * from a disk and may be anything: every length is checked against what is there, every
 * count against its limit, and a payload must be consumed to its last byte. Failure is a
 * false or a static string that says what was wrong; nothing is repaired.
 */
#include "queue/record.h"

#include "queue/crc32c.h"

#define OFF_CRC 12
#define OFF_LSN 16

static const char *const type_names[RECORD_TYPE_COUNT] = {
    [RECORD_MSG] = "MSG",
    [RECORD_ATTEMPT] = "ATTEMPT",
    [RECORD_DONE] = "DONE",
    [RECORD_BOUNCED] = "BOUNCED",
    [RECORD_HOLD] = "HOLD",
    [RECORD_RELEASE] = "RELEASE",
    [RECORD_DROP] = "DROP",
    [RECORD_START] = "START",
};

const char *
record_type_name(enum record_type type)
{
	if ((unsigned)type >= RECORD_TYPE_COUNT || type_names[type] == NULL)
		return "?";
	return type_names[type];
}

size_t
record_size(size_t payload)
{
	return (RECORD_HEADER + payload + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
}

/* Everything but the CRC field itself. */
static uint32_t
record_crc(const uint8_t *p, size_t n)
{
	return crc32c(crc32c(0, p, OFF_CRC), p + OFF_LSN, n - OFF_LSN);
}

static void
store_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

bool
record_put(struct buf *b, const struct record *r)
{
	size_t total, n;
	uint8_t *p;

	if (r->payload.n > RECORD_MAX - RECORD_HEADER)
		return false;
	n = RECORD_HEADER + r->payload.n;
	total = record_size(r->payload.n);
	if (buf_reserve(b, total) == NULL)
		return false;
	buf_put_u32(b, RECORD_MAGIC);
	buf_put_u8(b, RECORD_VERSION);
	buf_put_u8(b, (uint8_t)r->type);
	buf_put_u16(b, r->flags);
	buf_put_u32(b, (uint32_t)n);
	buf_put_u32(b, 0);
	buf_put_u64(b, r->lsn);
	buf_put_u64(b, r->salt);
	buf_put_span(b, r->payload);
	for (size_t i = n; i < total; i++)
		buf_put_u8(b, 0);
	p = b->p + b->n - total;
	store_u32(p + OFF_CRC, record_crc(p, n));
	return true;
}

const char *
record_get(struct span s, uint64_t salt, struct record *r)
{
	struct cur c;
	uint32_t length, crc;
	uint8_t type;

	cur_init(&c, s);
	if (cur_u32(&c) != RECORD_MAGIC)
		return "no record";
	if (cur_u8(&c) != RECORD_VERSION)
		return "unknown version";
	type = cur_u8(&c);
	r->flags = cur_u16(&c);
	length = cur_u32(&c);
	crc = cur_u32(&c);
	r->lsn = cur_u64(&c);
	r->salt = cur_u64(&c);
	if (c.failed || length < RECORD_HEADER || length > RECORD_MAX ||
	    record_size(length - RECORD_HEADER) > s.n)
		return "bad length";
	if (r->salt != salt)
		return "salt of another use";
	if (record_crc(s.p, length) != crc)
		return "bad checksum";
	if (type == 0 || type >= RECORD_TYPE_COUNT)
		return "unknown type";
	r->type = (enum record_type)type;
	r->payload = span_of(s.p + RECORD_HEADER, length - RECORD_HEADER);
	r->size = record_size(length - RECORD_HEADER);
	return NULL;
}

static void
put_short(struct buf *b, struct span s)
{
	if (s.n > UINT16_MAX) {
		b->failed = true;
		return;
	}
	buf_put_u16(b, (uint16_t)s.n);
	buf_put_span(b, s);
}

/* A span with a length of two bytes; longer than max is a failure. */
static struct span
get_short(struct cur *c, size_t max)
{
	size_t n = cur_u16(c);

	if (n > max)
		c->failed = true;
	return cur_bytes(c, n);
}

bool
record_put_msg(struct buf *b, const struct record_msg *m)
{
	if (m->nrcpts == 0 || m->nrcpts > RECORD_RCPTS_MAX || m->body.n > RECORD_MAX)
		return false;
	buf_put_u64(b, m->qid);
	buf_put_u64(b, m->accepted);
	buf_put_u64(b, m->expires);
	buf_put(b, m->mid, RECORD_ID_SIZE);
	buf_put(b, m->device, RECORD_ID_SIZE);
	buf_put_u8(b, m->kind);
	put_short(b, m->sender);
	put_short(b, m->conv);
	put_short(b, m->domain);
	buf_put_u16(b, (uint16_t)m->nrcpts);
	for (size_t i = 0; i < m->nrcpts; i++)
		put_short(b, m->rcpts[i]);
	buf_put_u32(b, (uint32_t)m->body.n);
	buf_put_span(b, m->body);
	return !buf_failed(b);
}

bool
record_get_msg(struct span payload, struct record_msg *m)
{
	struct span mid, device;
	struct cur c;

	cur_init(&c, payload);
	m->qid = cur_u64(&c);
	m->accepted = cur_u64(&c);
	m->expires = cur_u64(&c);
	mid = cur_bytes(&c, RECORD_ID_SIZE);
	device = cur_bytes(&c, RECORD_ID_SIZE);
	m->kind = cur_u8(&c);
	m->sender = get_short(&c, RECORD_NAME_MAX);
	m->conv = get_short(&c, RECORD_CONV_MAX);
	m->domain = get_short(&c, RECORD_NAME_MAX);
	m->nrcpts = cur_u16(&c);
	if (c.failed || m->nrcpts == 0 || m->nrcpts > RECORD_RCPTS_MAX)
		return false;
	memcpy(m->mid, mid.p, RECORD_ID_SIZE);
	memcpy(m->device, device.p, RECORD_ID_SIZE);
	for (size_t i = 0; i < m->nrcpts; i++)
		m->rcpts[i] = get_short(&c, RECORD_NAME_MAX);
	m->body = cur_bytes(&c, cur_u32(&c));
	return cur_done(&c);
}

bool
record_put_attempt(struct buf *b, const struct record_attempt *a)
{
	if (a->nresults > RECORD_RCPTS_MAX)
		return false;
	buf_put_u64(b, a->qid);
	buf_put_u64(b, a->when);
	buf_put_u32(b, a->tries);
	buf_put_u8(b, a->held ? 1 : 0);
	buf_put_u16(b, a->code);
	put_short(b, a->trouble);
	buf_put_u16(b, (uint16_t)a->nresults);
	for (size_t i = 0; i < a->nresults; i++) {
		buf_put_u16(b, a->results[i].index);
		buf_put_u8(b, (uint8_t)a->results[i].state);
		buf_put_u16(b, a->results[i].code);
		put_short(b, a->results[i].text);
	}
	return !buf_failed(b);
}

static bool
get_result(struct cur *c, struct record_result *r)
{
	uint8_t state;

	r->index = cur_u16(c);
	state = cur_u8(c);
	r->code = cur_u16(c);
	r->text = get_short(c, RECORD_TEXT_MAX);
	if (c->failed || state >= RECORD_STATE_COUNT || r->index >= RECORD_RCPTS_MAX)
		return false;
	r->state = (enum record_state)state;
	return true;
}

bool
record_get_attempt(struct span payload, struct record_attempt *a)
{
	struct cur c;
	uint8_t held;

	cur_init(&c, payload);
	a->qid = cur_u64(&c);
	a->when = cur_u64(&c);
	a->tries = cur_u32(&c);
	held = cur_u8(&c);
	a->code = cur_u16(&c);
	a->trouble = get_short(&c, RECORD_TEXT_MAX);
	a->nresults = cur_u16(&c);
	if (c.failed || held > 1 || a->nresults > RECORD_RCPTS_MAX)
		return false;
	a->held = held == 1;
	for (size_t i = 0; i < a->nresults; i++) {
		if (!get_result(&c, &a->results[i]))
			return false;
	}
	return cur_done(&c);
}

bool
record_put_mark(struct buf *b, uint64_t qid, uint64_t when)
{
	buf_put_u64(b, qid);
	buf_put_u64(b, when);
	return !buf_failed(b);
}

bool
record_get_mark(struct span payload, uint64_t *qid, uint64_t *when)
{
	struct cur c;

	cur_init(&c, payload);
	*qid = cur_u64(&c);
	*when = cur_u64(&c);
	return cur_done(&c);
}

bool
record_put_start(struct buf *b, const struct record_start *s)
{
	buf_put_u32(b, s->number);
	buf_put_u64(b, s->when);
	buf_put_u64(b, s->cut);
	return !buf_failed(b);
}

bool
record_get_start(struct span payload, struct record_start *s)
{
	struct cur c;

	cur_init(&c, payload);
	s->number = cur_u32(&c);
	s->when = cur_u64(&c);
	s->cut = cur_u64(&c);
	return cur_done(&c) && s->number <= RECORD_START_MAX;
}
