/* SPDX-License-Identifier: ISC */
/*
 * fuzz_obj.c - fuzz target: every object of the protocol, by its table.
 *
 * The first byte chooses the object, the rest is its encoding. What must hold: only
 * canonical CBOR is accepted; what was accepted encodes again, and that encoding, which has
 * no unknown keys any more, is a fixed point; lists hold as many elements as they say.
 */
#include "config.h"

#include "base/buf.h"
#include "fuzz/fuzz.h"
#include "wire/proto.h"

#define OBJECT_MAX 4096

/* Aligned for any member. */
static union {
	uint64_t align;
	uint8_t bytes[OBJECT_MAX];
} object;

static const struct obj_def *
choose(uint8_t number)
{
	size_t count = 0;

	while (proto_object_at(count) != NULL)
		count++;
	return proto_object_at(number % count);
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
