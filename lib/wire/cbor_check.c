/* SPDX-License-Identifier: ISC */
/*
 * cbor_check.c - says what is wrong with bytes that should be deterministic CBOR.
 *
 * The pull reader of cbor.c stops at the first fault that it meets. The answer to a peer
 * depends on the class of the worst one: bytes that are not CBOR at all are malformed even
 * if an integer before the fault was too long. So this file walks the whole input by the
 * full rules of RFC 8949 (indefinite lengths, floats, all tags and simple values included)
 * and judges at the end. It serves the error path of obj.c and wframe.c, and the tests,
 * where the published vectors are its judges.
 *
 * One record per open container, on the stack of check(); nothing is allocated. It accepts
 * exactly what the pull reader accepts; the fuzz target fuzz_cbor holds it to that.
 */
#include "wire/cbor.h"

#include "base/text.h"

enum kind { KIND_ARRAY, KIND_MAP, KIND_TAG, KIND_BSTR, KIND_TSTR };

struct level {
	enum kind kind;
	bool indefinite;
	uint64_t left;        /* items to come, if not indefinite */
	uint64_t seen;        /* items complete */
	uint64_t tag;         /* of KIND_TAG */
	const uint8_t *start; /* borrowed: of the key under way */
	struct span key;      /* borrowed: the last key */
};

struct check {
	const uint8_t *p; /* borrowed */
	const uint8_t *end;
	unsigned depth;
	bool nondeterministic;
	bool unsupported;
	bool too_deep;
	struct level level[CBOR_CHECK_DEPTH];
};

static size_t
left(const struct check *c)
{
	return (size_t)(c->end - c->p);
}

static struct level *
top(struct check *c)
{
	return c->depth > 0 ? &c->level[c->depth - 1] : NULL;
}

static void
judge_key(struct check *c, struct level *lv)
{
	struct span key = span_of(lv->start, (size_t)(c->p - lv->start));
	size_t n = key.n < lv->key.n ? key.n : lv->key.n;
	int order = n > 0 ? memcmp(lv->key.p, key.p, n) : 0;

	if (order > 0 || (order == 0 && lv->key.n >= key.n))
		c->nondeterministic = true;
	lv->key = key;
}

/* An item is complete; closes every container that it completed. */
static void
item_end(struct check *c)
{
	struct level *lv;

	while ((lv = top(c)) != NULL) {
		lv->seen++;
		if (lv->kind == KIND_MAP && lv->seen % 2 == 1)
			judge_key(c, lv);
		if (lv->indefinite || --lv->left > 0)
			return;
		c->depth--;
	}
}

static bool
enter(struct check *c, enum kind kind, const struct cbor_head *h, uint64_t items)
{
	struct level *lv;

	if (h->info != 31 && items == 0) {
		item_end(c);
		return true;
	}
	if (c->depth == CBOR_DEPTH)
		c->unsupported = true;
	if (c->depth == CBOR_CHECK_DEPTH) {
		c->too_deep = true;
		return false;
	}
	lv = &c->level[c->depth++];
	memset(lv, 0, sizeof(*lv));
	lv->kind = kind;
	lv->indefinite = h->info == 31 && kind != KIND_TAG;
	lv->left = items;
	lv->tag = h->value;
	lv->start = c->p;
	return true;
}

/* RFC 8949 section 3.2.1: the break byte ends an indefinite container, a map after a value. */
static bool
at_break(struct check *c)
{
	struct level *lv = top(c);

	if (lv == NULL || !lv->indefinite || (lv->kind == KIND_MAP && lv->seen % 2 == 1))
		return false;
	c->depth--;
	item_end(c);
	return true;
}

/* Does a float with this exponent and mantissa fit a smaller format without loss? */
static bool
float_shrinks(uint64_t bits, int exp_bits, int man_bits, int small_exp, int small_man)
{
	uint64_t man = bits & (((uint64_t)1 << man_bits) - 1);
	int top_exp = (1 << exp_bits) - 1;
	int exp = (int)(bits >> man_bits) & top_exp;
	int bias = (1 << (small_exp - 1)) - 1;
	int e = exp - ((1 << (exp_bits - 1)) - 1);
	int drop = man_bits - small_man;

	if (exp == 0)
		return man == 0;
	if (exp != top_exp && e > bias)
		return false;
	if (exp != top_exp && e < 1 - bias) {
		int extra = 1 - bias - e;

		if (extra > small_man)
			return false;
		drop += extra;
	}
	return (man & (((uint64_t)1 << drop) - 1)) == 0;
}

static bool
at_simple(struct check *c, const struct cbor_head *h)
{
	if (h->info == 24 && h->value < 32)
		return false;
	if (h->info == 26 && float_shrinks(h->value, 8, 23, 5, 10))
		c->nondeterministic = true;
	if (h->info == 27 && float_shrinks(h->value, 11, 52, 8, 23))
		c->nondeterministic = true;
	if (h->info < 20 || h->info > 22)
		c->unsupported = true;
	item_end(c);
	return true;
}

/* Sections 3.4.1 to 3.4.3: what tags 0 to 3 may hold, and the bignum that should have been
 * an integer. Called with the head of the tag's content. */
static bool
tag_admits(struct check *c, uint64_t tag, const struct cbor_head *h)
{
	if (tag == 0)
		return h->major == 3;
	if (tag == 1)
		return h->major < 2 || (h->major == 7 && h->info >= 25 && h->info <= 27);
	if (tag != 2 && tag != 3)
		return true;
	if (h->major == 2 && h->info != 31 &&
	    (h->value <= 8 || (left(c) > 0 && c->p[0] == 0)))
		c->nondeterministic = true;
	return h->major == 2;
}

static bool
at_string(struct check *c, const struct cbor_head *h)
{
	enum kind kind = h->major == 2 ? KIND_BSTR : KIND_TSTR;

	if (h->info == 31)
		return enter(c, kind, h, 0);
	if (h->value > left(c))
		return false;
	if (kind == KIND_TSTR && !utf8_valid(span_of(c->p, (size_t)h->value)))
		return false;
	c->p += h->value;
	item_end(c);
	return true;
}

static bool
at_container(struct check *c, const struct cbor_head *h)
{
	uint64_t each = h->major == 5 ? 2 : 1;

	if (h->major == 6) {
		c->unsupported |= h->value != 18;
		return enter(c, KIND_TAG, h, 1);
	}
	if (h->info != 31 && h->value > left(c) / each)
		return false;
	return enter(c, h->major == 4 ? KIND_ARRAY : KIND_MAP, h, h->value * each);
}

/* May an item with this head stand here at all? */
static bool
admits(struct check *c, const struct cbor_head *h)
{
	struct level *lv = top(c);

	if (h->info == 31 && (h->major < 2 || h->major == 6))
		return false;
	if (lv == NULL)
		return true;
	if (lv->kind == KIND_BSTR || lv->kind == KIND_TSTR)
		return h->major == (lv->kind == KIND_BSTR ? 2 : 3) && h->info != 31;
	return lv->kind != KIND_TAG || tag_admits(c, lv->tag, h);
}

/* One head and what belongs to it. False: malformed, or deeper than we follow. */
static bool
step(struct check *c)
{
	struct level *lv = top(c);
	struct cbor_head h;

	if (lv != NULL && lv->kind == KIND_MAP && lv->seen % 2 == 0)
		lv->start = c->p;
	if (!cbor_head(span_of(c->p, left(c)), &h))
		return false;
	c->p += h.n;
	if (h.major == 7 && h.info == 31)
		return at_break(c);
	if (!h.shortest || h.info == 31)
		c->nondeterministic = true;
	if (!admits(c, &h))
		return false;
	switch (h.major) {
	case 0:
	case 1:
		item_end(c);
		return true;
	case 2:
	case 3:
		return at_string(c, &h);
	case 7:
		return at_simple(c, &h);
	default:
		return at_container(c, &h);
	}
}

static enum wire_err
check(struct span in, bool one)
{
	struct check c; /* 36 KiB: the levels are not cleared */

	c.p = in.p;
	c.end = in.n > 0 ? in.p + in.n : in.p;
	c.depth = 0;
	c.nondeterministic = c.unsupported = c.too_deep = false;
	if (one && in.n == 0)
		return WIRE_MALFORMED;
	while (left(&c) > 0 || c.depth > 0) {
		if (!step(&c))
			return c.too_deep ? WIRE_UNSUPPORTED : WIRE_MALFORMED;
		if (one && c.depth == 0)
			break;
	}
	if (left(&c) > 0)
		return WIRE_MALFORMED;
	if (c.nondeterministic)
		return WIRE_NONDETERMINISTIC;
	return c.unsupported ? WIRE_UNSUPPORTED : WIRE_OK;
}

enum wire_err
cbor_check(struct span in)
{
	return check(in, true);
}

enum wire_err
cbor_check_seq(struct span in)
{
	return check(in, false);
}
