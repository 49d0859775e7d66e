/* SPDX-License-Identifier: ISC */
/*
 * obj.c - protocol objects: structs in memory, canonical CBOR maps and arrays on the wire.
 *
 * Everything is driven by the tables that obj.h describes; there is no code for any one
 * object. Decoding walks the pull reader once and writes into the caller's struct; with no
 * struct (elements of lists) the same code only validates. Nested objects recurse, bounded
 * by CBOR_DEPTH. Encoding appends to the caller's buffer and takes its bytes back when a
 * value breaks its limits.
 *
 * Called wherever a frame body or a signed object is read or written. Fails with an enum
 * wire_err; what the input holds never matters beyond that. Spans and lists in a decoded
 * struct borrow from the input.
 */
#include "wire/obj.h"

static bool get_object(struct cbor *, const struct obj_def *, uint8_t *);
static enum wire_err put_object(struct buf *, const struct obj_def *, const uint8_t *);

static bool
within(uint64_t v, uint64_t min, uint64_t max)
{
	return v >= min && v <= max;
}

static bool
uint_ok(const struct obj_field *f, uint64_t v)
{
	return within(v, f->min, f->max == 0 ? UINT64_MAX : f->max);
}

static bool
int_ok(const struct obj_field *f, int64_t v)
{
	if (f->min == 0 && f->max == 0)
		return true;
	return v >= (int64_t)f->min && v <= (int64_t)f->max;
}

/* The description of a list's elements in the form of a field. */
static struct obj_field
element(const struct obj_field *list)
{
	struct obj_field f = {.name = list->name,
	    .type = list->elem,
	    .min = list->elem_min,
	    .max = list->elem_max,
	    .flags = OBJ_REQUIRED,
	    .sub = list->sub};

	return f;
}

static void
store(uint8_t *place, const void *value, size_t n)
{
	if (place != NULL && n > 0)
		memcpy(place, value, n);
}

static bool
get_uint(struct cbor *r, const struct obj_field *f, uint8_t *place)
{
	uint64_t v;

	if (!cbor_uint(r, &v))
		return false;
	store(place, &v, sizeof(v));
	return uint_ok(f, v) || cbor_fail(r, WIRE_RANGE);
}

static bool
get_int(struct cbor *r, const struct obj_field *f, uint8_t *place)
{
	int64_t v;

	if (!cbor_int(r, &v))
		return false;
	store(place, &v, sizeof(v));
	return int_ok(f, v) || cbor_fail(r, WIRE_RANGE);
}

static bool
get_bool(struct cbor *r, uint8_t *place)
{
	bool v;

	if (!cbor_bool(r, &v))
		return false;
	store(place, &v, sizeof(v));
	return true;
}

static bool
get_bytes(struct cbor *r, const struct obj_field *f, uint8_t *place)
{
	struct span s;
	bool ok;

	if (f->type == OBJ_ANY)
		ok = cbor_skip(r, &s);
	else if (f->type == OBJ_TSTR)
		ok = cbor_tstr(r, &s);
	else
		ok = cbor_bstr(r, &s);
	if (!ok)
		return false;
	if (!within(s.n, f->min, f->max))
		return cbor_fail(r, WIRE_RANGE);
	if (f->type == OBJ_BSTR_FIXED)
		store(place, s.p, s.n);
	else
		store(place, &s, sizeof(s));
	return true;
}

static bool get_field(struct cbor *, const struct obj_field *, uint8_t *);

static bool
get_list(struct cbor *r, const struct obj_field *f, uint8_t *place)
{
	struct obj_field elem = element(f);
	struct obj_list list;
	uint64_t count;

	if (!cbor_array(r, &count))
		return false;
	if (!within(count, f->min, f->max))
		return cbor_fail(r, WIRE_RANGE);
	list.count = (size_t)count;
	list.raw.p = r->p;
	for (uint64_t i = 0; i < count; i++) {
		if (!get_field(r, &elem, NULL))
			return false;
	}
	list.raw.n = (size_t)(r->p - list.raw.p);
	store(place, &list, sizeof(list));
	return true;
}

/* Reads one value into place, or only validates it if place is NULL. */
static bool
get_field(struct cbor *r, const struct obj_field *f, uint8_t *place)
{
	switch (f->type) {
	case OBJ_UINT:
		return get_uint(r, f, place);
	case OBJ_INT:
		return get_int(r, f, place);
	case OBJ_BOOL:
		return get_bool(r, place);
	case OBJ_BSTR:
	case OBJ_TSTR:
	case OBJ_BSTR_FIXED:
	case OBJ_ANY:
		return get_bytes(r, f, place);
	case OBJ_LIST:
		return get_list(r, f, place);
	default:
		return get_object(r, f->sub, place);
	}
}

static uint8_t *
place_of(uint8_t *out, const struct obj_field *f)
{
	return out == NULL ? NULL : out + f->offset;
}

/* Finds a key among the fields from *next on, and moves *next behind it. */
static const struct obj_field *
find_key(const struct obj_def *def, size_t *next, int64_t key)
{
	for (size_t i = *next; i < def->n; i++) {
		if (def->fields[i].key == key) {
			*next = i + 1;
			return &def->fields[i];
		}
	}
	return NULL;
}

/* One key and its value. Keys come in ascending order, so the search never goes back. */
static bool
get_pair(
    struct cbor *r, const struct obj_def *def, uint8_t *out, size_t *next, uint32_t *has)
{
	const struct obj_field *f = NULL;
	struct cbor_item key;

	if (!cbor_next(r, &key))
		return cbor_fail(r, WIRE_MALFORMED);
	if (key.type != CBOR_UINT && key.type != CBOR_NINT)
		return cbor_fail(r, WIRE_RANGE);
	if (key.value <= INT64_MAX) {
		int64_t v = (int64_t)key.value;

		f = find_key(def, next, key.type == CBOR_UINT ? v : -1 - v);
	}
	if (f == NULL)
		return key.type == CBOR_UINT ? cbor_skip(r, NULL)
					     : cbor_fail(r, WIRE_UNSUPPORTED);
	*has |= UINT32_C(1) << (f - def->fields);
	return get_field(r, f, place_of(out, f));
}

static bool
get_map(struct cbor *r, const struct obj_def *def, uint8_t *out)
{
	uint32_t has = 0;
	uint64_t pairs;
	size_t next = 0;

	if (!cbor_map(r, &pairs))
		return false;
	while (pairs-- > 0) {
		if (!get_pair(r, def, out, &next, &has))
			return false;
	}
	for (size_t i = 0; i < def->n; i++) {
		if ((def->fields[i].flags & OBJ_REQUIRED) && !(has >> i & 1))
			return cbor_fail(r, WIRE_MISSING);
	}
	store(out, &has, sizeof(has));
	return true;
}

static bool
get_array(struct cbor *r, const struct obj_def *def, uint8_t *out)
{
	uint32_t has = 0;
	uint64_t count;

	if (!cbor_array(r, &count))
		return false;
	if (count != def->n)
		return cbor_fail(r, count < def->n ? WIRE_MISSING : WIRE_UNSUPPORTED);
	for (size_t i = 0; i < def->n; i++) {
		const struct obj_field *f = &def->fields[i];

		if (!(f->flags & OBJ_REQUIRED) && cbor_peek(r) == CBOR_NULL) {
			if (!cbor_null(r))
				return false;
			continue;
		}
		if (!get_field(r, f, place_of(out, f)))
			return false;
		has |= UINT32_C(1) << i;
	}
	store(out, &has, sizeof(has));
	return true;
}

static bool
get_object(struct cbor *r, const struct obj_def *def, uint8_t *out)
{
	if (out != NULL)
		memset(out, 0, def->size);
	return def->shape == OBJ_ARRAY ? get_array(r, def, out) : get_map(r, def, out);
}

enum wire_err
obj_decode(const struct obj_def *def, struct span in, void *out)
{
	enum wire_err encoding;
	struct cbor r;

	cbor_init(&r, in);
	if (get_object(&r, def, out) && cbor_done(&r))
		return WIRE_OK;
	encoding = cbor_check(in);
	return encoding != WIRE_OK ? encoding : r.err;
}

static bool
present(const struct obj_def *def, const uint8_t *obj, size_t i)
{
	uint32_t has;

	memcpy(&has, obj, sizeof(has));
	return (def->fields[i].flags & OBJ_REQUIRED) || (has >> i & 1);
}

static enum wire_err
put_number(struct buf *b, const struct obj_field *f, const uint8_t *place)
{
	uint64_t u;
	int64_t i;

	if (f->type == OBJ_UINT) {
		memcpy(&u, place, sizeof(u));
		cbor_put_uint(b, u);
		return uint_ok(f, u) ? WIRE_OK : WIRE_RANGE;
	}
	memcpy(&i, place, sizeof(i));
	cbor_put_int(b, i);
	return int_ok(f, i) ? WIRE_OK : WIRE_RANGE;
}

static enum wire_err
put_bytes(struct buf *b, const struct obj_field *f, const uint8_t *place)
{
	struct span s;

	if (f->type == OBJ_BSTR_FIXED)
		s = span_of(place, (size_t)f->max);
	else
		memcpy(&s, place, sizeof(s));
	if (!within(s.n, f->min, f->max))
		return WIRE_RANGE;
	if (f->type == OBJ_ANY)
		buf_put_span(b, s);
	else if (f->type == OBJ_TSTR)
		cbor_put_tstr(b, s);
	else
		cbor_put_bstr(b, s);
	return WIRE_OK;
}

static enum wire_err
put_list(struct buf *b, const struct obj_field *f, const uint8_t *place)
{
	struct obj_list list;

	memcpy(&list, place, sizeof(list));
	if (!within(list.count, f->min, f->max))
		return WIRE_RANGE;
	cbor_put_array(b, list.count);
	buf_put_span(b, list.raw);
	return WIRE_OK;
}

static enum wire_err
put_field(struct buf *b, const struct obj_field *f, const uint8_t *place)
{
	switch (f->type) {
	case OBJ_UINT:
	case OBJ_INT:
		return put_number(b, f, place);
	case OBJ_BOOL:
		cbor_put_bool(b, *place != 0);
		return WIRE_OK;
	case OBJ_BSTR:
	case OBJ_TSTR:
	case OBJ_BSTR_FIXED:
	case OBJ_ANY:
		return put_bytes(b, f, place);
	case OBJ_LIST:
		return put_list(b, f, place);
	default:
		return put_object(b, f->sub, place);
	}
}

static void
put_object_head(struct buf *b, const struct obj_def *def, const uint8_t *obj)
{
	size_t pairs = 0;

	if (def->shape == OBJ_ARRAY) {
		cbor_put_array(b, def->n);
		return;
	}
	for (size_t i = 0; i < def->n; i++)
		pairs += present(def, obj, i);
	cbor_put_map(b, pairs);
}

static enum wire_err
put_object(struct buf *b, const struct obj_def *def, const uint8_t *obj)
{
	put_object_head(b, def, obj);
	for (size_t i = 0; i < def->n; i++) {
		const struct obj_field *f = &def->fields[i];
		enum wire_err err;

		if (!present(def, obj, i)) {
			if (def->shape == OBJ_ARRAY)
				cbor_put_null(b);
			continue;
		}
		if (def->shape == OBJ_MAP)
			cbor_put_int(b, f->key);
		if ((err = put_field(b, f, obj + f->offset)) != WIRE_OK)
			return err;
	}
	return WIRE_OK;
}

enum wire_err
obj_encode(const struct obj_def *def, const void *obj, struct buf *b)
{
	size_t start = b->n;
	enum wire_err err = put_object(b, def, obj);

	if (err != WIRE_OK)
		b->n = start;
	return err;
}

static size_t
index_of(const struct obj_def *def, int64_t key)
{
	size_t next = 0;

	if (def->shape == OBJ_ARRAY)
		return (size_t)key;
	return find_key(def, &next, key) == NULL ? def->n : next - 1;
}

bool
obj_has(const struct obj_def *def, const void *obj, int64_t key)
{
	size_t i = index_of(def, key);
	uint32_t has;

	memcpy(&has, obj, sizeof(has));
	return i < def->n && (has >> i & 1);
}

void
obj_set(const struct obj_def *def, void *obj, int64_t key)
{
	size_t i = index_of(def, key);
	uint32_t has;

	memcpy(&has, obj, sizeof(has));
	if (i < def->n)
		has |= UINT32_C(1) << i;
	memcpy(obj, &has, sizeof(has));
}

void
obj_iter_init(struct obj_iter *it, const struct obj_list *list)
{
	cbor_init(&it->r, list->raw);
}

bool
obj_next_uint(struct obj_iter *it, uint64_t *out)
{
	return cbor_uint(&it->r, out);
}

bool
obj_next_span(struct obj_iter *it, struct span *out)
{
	struct cbor_item item;

	if (!cbor_next(&it->r, &item))
		return false;
	*out = item.bytes;
	return item.type == CBOR_BSTR || item.type == CBOR_TSTR;
}

bool
obj_next_any(struct obj_iter *it, struct span *out)
{
	return !cbor_done(&it->r) && cbor_skip(&it->r, out);
}

bool
obj_next(struct obj_iter *it, const struct obj_def *def, void *out)
{
	return !cbor_done(&it->r) && get_object(&it->r, def, out);
}
