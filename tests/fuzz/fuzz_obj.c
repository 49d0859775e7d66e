/* SPDX-License-Identifier: ISC */
/*
 * fuzz_obj.c - fuzz target: every object of the protocol, by its table.
 *
 * The first byte chooses the object (255: one with every type), the rest is its encoding.
 * What must hold: only canonical CBOR is accepted; what was accepted encodes again, and that
 * encoding, which has no unknown keys any more, is a fixed point; lists hold as many
 * elements as they say and each element is within its limits.
 */
#include "config.h"

#include "base/buf.h"
#include "fuzz/fuzz.h"
#include "wire/proto.h"

#define OBJECT_MAX 4096

/* Two objects with every type, also those that no object of the protocol has. */
struct pair {
	uint32_t has;
	int64_t number;
	struct span any;
};
static const struct obj_field pair_fields[] = {
    OBJ_FIELD(0, OBJ_INT, struct pair, number, (uint64_t)-9, 9, OBJ_REQUIRED),
    OBJ_FIELD(1, OBJ_ANY, struct pair, any, 1, 9, 0),
};
static const struct obj_def pair_def = {
    "pair", sizeof(struct pair), OBJ_ARRAY, OBJ_FIELDS(pair_fields)};

struct every {
	uint32_t has;
	int64_t number;
	bool flag;
	struct pair pair;
	struct obj_list pairs, texts, numbers;
	struct span any;
};
static const struct obj_field every_fields[] = {
    OBJ_FIELD(0, OBJ_INT, struct every, number, 0, 0, 0),
    OBJ_FIELD(1, OBJ_BOOL, struct every, flag, 0, 0, 0),
    OBJ_SUB(2, OBJ_ARRAY, struct every, pair, &pair_def, 0),
    OBJ_LIST_SUB(3, struct every, pairs, 0, 4, OBJ_ARRAY, &pair_def, 0),
    OBJ_LIST_OF(4, struct every, texts, 0, 4, OBJ_TSTR, 1, 8, 0),
    OBJ_LIST_OF(5, struct every, numbers, 0, 4, OBJ_UINT, 0, 99, 0),
    OBJ_FIELD(-1, OBJ_ANY, struct every, any, 1, 40, 0),
};
static const struct obj_def every_def = {
    "every", sizeof(struct every), OBJ_MAP, OBJ_FIELDS(every_fields)};

/* Aligned for any member. */
static union {
	uint64_t align;
	struct every every;
	uint8_t bytes[OBJECT_MAX];
} object;

static const struct obj_def *
choose(uint8_t number)
{
	size_t count = 0;

	if (number == UINT8_MAX)
		return &every_def;
	while (proto_object_at(count) != NULL)
		count++;
	return proto_object_at(number % count);
}

/* Elements by type: a list of each kind, as its user walks it. */
static void
walk_typed(const struct every *e)
{
	struct obj_iter it;
	struct span text;
	struct pair pair;
	size_t count = 0;
	uint64_t number;

	obj_iter_init(&it, &e->pairs);
	while (obj_next(&it, &pair_def, &pair)) {
		fuzz_check(pair.number >= -9 && pair.number <= 9);
		fuzz_check(obj_has(&pair_def, &pair, 1) == (pair.any.n > 0));
		count++;
	}
	obj_iter_init(&it, &e->texts);
	while (obj_next_span(&it, &text)) {
		fuzz_check(text.n >= 1 && text.n <= 8);
		count++;
	}
	obj_iter_init(&it, &e->numbers);
	while (obj_next_uint(&it, &number)) {
		fuzz_check(number <= 99);
		count++;
	}
	fuzz_check(count == e->pairs.count + e->texts.count + e->numbers.count);
	fuzz_check(obj_has(&every_def, e, -1) == (e->any.n > 0));
}

static void
walk_lists(const struct obj_def *def)
{
	for (size_t i = 0; i < def->n; i++) {
		struct obj_list list;
		struct obj_iter it;
		struct span elem;
		size_t count = 0;

		if (def->fields[i].type != OBJ_LIST)
			continue;
		memcpy(&list, object.bytes + def->fields[i].offset, sizeof(list));
		obj_iter_init(&it, &list);
		while (obj_next_any(&it, &elem))
			count++;
		fuzz_check(count == list.count);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct obj_def *def;
	struct buf first, second;
	struct span in;

	if (n == 0)
		return 0;
	def = choose(p[0]);
	in = span_of(p + 1, n - 1);
	fuzz_check(def->size <= OBJECT_MAX);
	if (obj_decode(def, in, &object) != WIRE_OK)
		return 0;
	fuzz_check(cbor_check(in) == WIRE_OK);
	walk_lists(def);
	if (def == &every_def)
		walk_typed(&object.every);
	buf_init(&first, n);
	buf_init(&second, n);
	fuzz_check(obj_encode(def, &object, &first) == WIRE_OK && !buf_failed(&first));
	fuzz_check(obj_decode(def, buf_span(&first), &object) == WIRE_OK);
	fuzz_check(obj_encode(def, &object, &second) == WIRE_OK);
	fuzz_check(span_eq(buf_span(&first), buf_span(&second)));
	buf_clear(&first);
	buf_clear(&second);
	return 0;
}
