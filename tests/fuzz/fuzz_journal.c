/* SPDX-License-Identifier: ISC */
/*
 * fuzz_journal.c - fuzz target: the journal's records and the recovery of a segment.
 *
 * The input is the records of one segment: every 8 bytes of it may begin one. So that the
 * fuzzer need not find checksums, magic, salt, length and CRC are put right where a byte says
 * so (0xee in the place of the magic). What must hold: records come in the order of their
 * lsns and inside the bytes, spoiled ranges do not touch them, and whatever decodes encodes to
 * the same bytes.
 */
#include "config.h"

#include <string.h>

#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "queue/crc32c.h"
#include "queue/recover.h"

#define SALT 0x1020304050607080ULL
#define INPUT_MAX 65536
#define FIXED 0xee

struct walk {
	uint64_t last;   /* lsn */
	uint64_t offset; /* nothing before this may come any more */
};

static void
store(uint8_t *p, uint64_t v, int n)
{
	for (int i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

/* Makes a valid record of the bytes at p, if there is room. */
static void
put_right(uint8_t *p, size_t room, uint64_t lsn)
{
	size_t n = RECORD_HEADER + (size_t)p[1] * 4;

	if (record_size(n - RECORD_HEADER) > room)
		return;
	store(p + 16, lsn + (p[2] & 3), 8);
	store(p + 24, SALT, 8);
	p[5] = (uint8_t)(p[3] % (RECORD_TYPE_COUNT + 1));
	store(p + 6, p[4] & 1, 2);
	store(p, RECORD_MAGIC, 4);
	p[4] = RECORD_VERSION;
	store(p + 8, n, 4);
	store(p + 12, crc32c(crc32c(0, p, 12), p + 16, n - 16), 4);
}

static void
check_msg(struct span payload)
{
	static struct record_msg m;
	struct buf b;

	if (!record_get_msg(payload, &m))
		return;
	fuzz_check(m.nrcpts > 0 && m.nrcpts <= RECORD_RCPTS_MAX);
	buf_init(&b, RECORD_MAX);
	fuzz_check(record_put_msg(&b, &m) && span_eq(buf_span(&b), payload));
	buf_clear(&b);
}

static void
check_attempt(struct span payload)
{
	static struct record_attempt a;
	struct buf b;

	if (!record_get_attempt(payload, &a))
		return;
	buf_init(&b, RECORD_MAX);
	fuzz_check(record_put_attempt(&b, &a) && span_eq(buf_span(&b), payload));
	buf_clear(&b);
}

static void
check_small(struct span payload)
{
	struct record_start start;
	uint64_t qid, when;
	struct buf b;

	buf_init(&b, 64);
	if (record_get_mark(payload, &qid, &when))
		fuzz_check(
		    record_put_mark(&b, qid, when) && span_eq(buf_span(&b), payload));
	buf_reset(&b);
	if (record_get_start(payload, &start))
		fuzz_check(
		    record_put_start(&b, &start) && span_eq(buf_span(&b), payload));
	buf_clear(&b);
}

/* A record that was read is written as the same bytes, but for the padding. */
static void
check_frame(const struct record *r)
{
	size_t n = RECORD_HEADER + r->payload.n;
	struct buf b;

	buf_init(&b, RECORD_MAX + RECORD_ALIGN);
	fuzz_check(record_put(&b, r) && b.n == r->size);
	fuzz_check(memcmp(b.p, r->payload.p - RECORD_HEADER, n) == 0);
	buf_clear(&b);
}

static void
on_record(void *arg, struct segment *seg, uint64_t offset, const struct record *r)
{
	struct walk *w = arg;

	fuzz_check(offset >= w->offset && offset + r->size <= seg->size);
	fuzz_check(r->lsn > w->last && r->salt == SALT);
	fuzz_check(strcmp(record_type_name(r->type), "?") != 0);
	w->last = r->lsn;
	w->offset = offset + r->size;
	check_frame(r);
	check_msg(r->payload);
	check_attempt(r->payload);
	check_small(r->payload);
}

static void
on_bad(
    void *arg, struct segment *seg, uint64_t offset, struct span bytes, const char *why)
{
	struct walk *w = arg;

	fuzz_check(offset >= w->offset && offset + bytes.n <= seg->size && why != NULL);
	w->offset = offset + bytes.n;
}

static void
scan(struct segment *seg, struct span bytes, uint64_t end)
{
	static const struct recover_ops ops = {on_record, on_bad};
	struct walk w = {seg->head.first - 1, SEGMENT_FIRST};

	fuzz_check(recover_scan(seg, bytes, end, &ops, &w) <= seg->size);
	fuzz_check(end == RECOVER_END_OPEN || w.last <= end || w.last < seg->head.first);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct segment seg = {.fd = -1}, next = {.fd = -1};
	size_t size = SEGMENT_FIRST + n;
	uint8_t *bytes;
	uint64_t lsn = 1;

	if (n > INPUT_MAX)
		return 0;
	bytes = xcalloc(1, size + 1);
	if (n > 0)
		memcpy(bytes + SEGMENT_FIRST, p, n);
	for (size_t at = SEGMENT_FIRST; at + RECORD_HEADER <= size; at += RECORD_ALIGN) {
		if (bytes[at] == FIXED)
			put_right(bytes + at, size - at, lsn++);
	}
	seg.size = size;
	seg.head.salt = SALT;
	seg.head.first = 1;
	next.head.first = lsn + 1;
	scan(&seg, span_of(bytes, size), recover_end(&seg, NULL));
	scan(&seg, span_of(bytes, size), recover_end(&seg, &next));
	next.head.start = 1;
	next.head.cut = lsn / 2;
	scan(&seg, span_of(bytes, size), recover_end(&seg, &next));
	if (recover_salvage(&seg, span_of(bytes, size)) && seg.head.salt == SALT &&
	    seg.head.first > 0)
		scan(&seg, span_of(bytes, size), RECOVER_END_OPEN);
	free(bytes);
	return 0;
}
