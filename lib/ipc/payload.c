/* SPDX-License-Identifier: ISC */
/*
 * payload.c - structs of messages to bytes and back, driven by their lists of fields.
 *
 * There is one encoder and one decoder for all messages; the lists are in msg.c. Called by
 * channel.c for every message sent and received, by control for the admin socket, and by the
 * fuzzer. The decoder treats its input as hostile: every length is checked against what is
 * there and against the bounds of the field, integers against their greatest value, and
 * nothing may be left over. Both return -1 on failure and neither logs nor allocates (the
 * encoder's buffer grows by itself up to its limit).
 */
#include "config.h"

#include "ipc/payload.h"

static const uint8_t *
member(const void *msg, const struct field *f)
{
	return (const uint8_t *)msg + f->offset;
}

/* The integer in a struct, whatever its width. */
static uint64_t
load_int(const struct field *f, const void *msg)
{
	const uint8_t *p = member(msg, f);
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;

	switch (f->kind) {
	case FIELD_U8:
		return *p;
	case FIELD_U16:
		memcpy(&u16, p, sizeof(u16));
		return u16;
	case FIELD_U32:
		memcpy(&u32, p, sizeof(u32));
		return u32;
	default:
		memcpy(&u64, p, sizeof(u64));
		return u64;
	}
}

static void
store_int(const struct field *f, void *msg, uint64_t value)
{
	uint8_t *p = (uint8_t *)msg + f->offset;
	uint32_t u32 = (uint32_t)value;
	uint16_t u16 = (uint16_t)value;

	switch (f->kind) {
	case FIELD_U8:
		*p = (uint8_t)value;
		break;
	case FIELD_U16:
		memcpy(p, &u16, sizeof(u16));
		break;
	case FIELD_U32:
		memcpy(p, &u32, sizeof(u32));
		break;
	default:
		memcpy(p, &value, sizeof(value));
	}
}

static size_t
int_size(enum field_kind kind)
{
	switch (kind) {
	case FIELD_U8:
		return 1;
	case FIELD_U16:
		return 2;
	case FIELD_U32:
		return 4;
	default:
		return 8;
	}
}

static bool
int_allowed(const struct field *f, uint64_t value)
{
	return f->top == 0 || value <= f->top;
}

static int
put_int(const struct field *f, const void *msg, struct buf *out)
{
	uint64_t value = load_int(f, msg);

	if (!int_allowed(f, value))
		return -1;
	switch (f->kind) {
	case FIELD_U8:
		buf_put_u8(out, (uint8_t)value);
		break;
	case FIELD_U16:
		buf_put_u16(out, (uint16_t)value);
		break;
	case FIELD_U32:
		buf_put_u32(out, (uint32_t)value);
		break;
	default:
		buf_put_u64(out, value);
	}
	return 0;
}

static int
put_span(const struct field *f, const void *msg, struct buf *out)
{
	struct span s;

	memcpy(&s, member(msg, f), sizeof(s));
	if (s.n < f->min || s.n > f->max)
		return -1;
	buf_put_u32(out, (uint32_t)s.n);
	buf_put_span(out, s);
	return 0;
}

int
payload_put(const struct field *f, const void *msg, struct buf *out)
{
	int rc = 0;

	for (; f->name != NULL && rc == 0; f++) {
		if (f->kind == FIELD_SPAN)
			rc = put_span(f, msg, out);
		else if (f->kind == FIELD_FIXED)
			buf_put(out, member(msg, f), f->max);
		else
			rc = put_int(f, msg, out);
	}
	return rc == 0 && !buf_failed(out) ? 0 : -1;
}

static int
get_int(const struct field *f, struct cur *in, void *msg)
{
	uint64_t value;

	switch (f->kind) {
	case FIELD_U8:
		value = cur_u8(in);
		break;
	case FIELD_U16:
		value = cur_u16(in);
		break;
	case FIELD_U32:
		value = cur_u32(in);
		break;
	default:
		value = cur_u64(in);
	}
	store_int(f, msg, value);
	return int_allowed(f, value) ? 0 : -1;
}

static int
get_fixed(const struct field *f, struct cur *in, void *msg)
{
	struct span s = cur_bytes(in, f->max);

	if (s.n != f->max)
		return -1;
	if (s.n > 0)
		memcpy((uint8_t *)msg + f->offset, s.p, s.n);
	return 0;
}

static int
get_span(const struct field *f, struct cur *in, void *msg)
{
	uint32_t n = cur_u32(in);
	struct span s;

	if (n < f->min || n > f->max)
		return -1;
	s = cur_bytes(in, n);
	memcpy((uint8_t *)msg + f->offset, &s, sizeof(s));
	return s.n == n ? 0 : -1;
}

int
payload_get(const struct field *f, struct span bytes, void *msg)
{
	struct cur in;
	int rc = 0;

	cur_init(&in, bytes);
	for (; f->name != NULL && rc == 0; f++) {
		if (f->kind == FIELD_SPAN)
			rc = get_span(f, &in, msg);
		else if (f->kind == FIELD_FIXED)
			rc = get_fixed(f, &in, msg);
		else
			rc = get_int(f, &in, msg);
	}
	return rc == 0 && cur_done(&in) ? 0 : -1;
}

void
payload_bounds(const struct field *f, size_t *least, size_t *greatest)
{
	*least = *greatest = 0;
	for (; f->name != NULL; f++) {
		size_t lo = 0, hi = 0;

		if (f->kind == FIELD_SPAN) {
			lo = sizeof(uint32_t) + f->min;
			hi = sizeof(uint32_t) + f->max;
		} else if (f->kind == FIELD_FIXED) {
			lo = hi = f->max;
		} else {
			lo = hi = int_size(f->kind);
		}
		*least += lo;
		*greatest += hi;
	}
}
