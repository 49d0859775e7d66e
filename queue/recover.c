/* SPDX-License-Identifier: ISC */
/*
 * recover.c - reading the journal's segments after a stop of any kind.
 *
 * Pure: bytes in, records and spoiled ranges out through callbacks; the files are read by
 * journal.c, which calls this once for each segment at start-up and once more for those
 * whose content must be copied. It owns nothing. Nothing in a segment can make it fail: what
 * is not a record is a torn tail or a spoiled range, and the header says which is which.
 * Cost: one pass over the bytes; a spoiled range is searched in steps of 8 bytes for the next
 * record. tests/unit/check_journal.c tears a journal at every byte and spoils its middle;
 * tests/fuzz/fuzz_journal.c feeds it anything.
 */
#include "queue/recover.h"

struct scan {
	const struct segment *seg;
	struct span bytes;
	uint64_t end;    /* last lsn that counts */
	uint64_t expect; /* next lsn */
	size_t at;       /* next offset */
};

/* The record at an offset: of this segment's salt, with an lsn in [least, end]. */
static const char *
scan_at(const struct scan *s, size_t at, uint64_t least, struct record *r)
{
	const char *why;

	if (at >= s->bytes.n || s->bytes.n - at < RECORD_HEADER)
		return "end of the segment";
	why = record_get(span_of(s->bytes.p + at, s->bytes.n - at), s->seg->head.salt, r);
	if (why != NULL)
		return why;
	return r->lsn >= least && r->lsn <= s->end ? NULL : "lsn out of order";
}

/* Whether a batch begins at or after the record at this offset: proof that everything
 * before that batch was synced. */
static bool
scan_proved(const struct scan *s, size_t at, const struct record *first)
{
	struct record r = *first;
	uint64_t least = r.lsn;

	for (;;) {
		if ((r.flags & RECORD_OPENS) != 0)
			return true;
		at += r.size;
		least++;
		while (scan_at(s, at, least, &r) != NULL) {
			at += RECORD_ALIGN;
			if (at >= s->bytes.n)
				return false;
		}
		least = r.lsn;
	}
}

/* Where reading goes on after the bad bytes at s->at; 0 if it does not. */
static size_t
scan_resume(const struct scan *s)
{
	struct record r;

	for (size_t at = s->at + RECORD_ALIGN; at < s->bytes.n; at += RECORD_ALIGN) {
		if (scan_at(s, at, s->expect + 1, &r) != NULL)
			continue;
		if (s->end == RECOVER_END_OPEN && !scan_proved(s, at, &r))
			return 0;
		return at;
	}
	return 0;
}

uint64_t
recover_scan(struct segment *seg, struct span bytes, uint64_t end,
    const struct recover_ops *ops, void *arg)
{
	struct scan s = {seg, bytes, end, seg->head.first, SEGMENT_FIRST};
	struct record r;
	const char *why;
	size_t resume;

	while (s.expect <= end) {
		why = scan_at(&s, s.at, s.expect, &r);
		if (why == NULL && r.lsn == s.expect) {
			ops->record(arg, seg, s.at, &r);
			s.at += r.size;
			s.expect++;
			continue;
		}
		resume = scan_resume(&s);
		if (resume == 0 && end == RECOVER_END_OPEN)
			break;
		if (resume == 0)
			resume = bytes.n;
		if (resume > s.at)
			ops->bad(arg, seg, s.at, span_of(bytes.p + s.at, resume - s.at),
			    why != NULL ? why : "records are missing");
		if (resume == bytes.n)
			break;
		/* Cannot fail: it was looked at a moment ago. */
		if (scan_at(&s, resume, s.expect, &r) != NULL)
			break;
		s.at = resume;
		s.expect = r.lsn;
	}
	return s.at;
}

bool
recover_salvage(struct segment *seg, struct span bytes)
{
	struct record r;
	struct cur c;

	/* Only the record in the first place will do: its salt is taken on trust, and what
	 * stands further behind could be the inside of a message. */
	if (bytes.n < SEGMENT_FIRST + RECORD_HEADER)
		return false;
	cur_init(&c, span_of(bytes.p + SEGMENT_FIRST + RECORD_HEADER - 8, 8));
	seg->head.salt = cur_u64(&c);
	if (record_get(span_of(bytes.p + SEGMENT_FIRST, bytes.n - SEGMENT_FIRST),
		seg->head.salt, &r) != NULL)
		return false;
	seg->head.size = seg->size;
	seg->head.slot = seg->slot;
	seg->head.first = r.lsn;
	seg->head.start = (uint32_t)(r.lsn >> RECORD_START_SHIFT);
	seg->head.cut = RECOVER_END_OPEN;
	return true;
}

uint64_t
recover_end(const struct segment *seg, const struct segment *next)
{
	if (next == NULL)
		return RECOVER_END_OPEN;
	if (next->head.start == seg->head.start)
		return next->head.first - 1;
	return next->head.cut;
}
