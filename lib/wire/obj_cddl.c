/* SPDX-License-Identifier: ISC */
/*
 * obj_cddl.c - the CDDL (RFC 8610) of an object from its table, and a check of the table.
 *
 * doc/protocol.md holds a rule for every object. A test prints the rules from the tables
 * with obj_cddl() and compares, so that neither can change alone. Members are written with
 * a colon, which makes them cuts (RFC 8610 section 3.5.4): a known key with a bad value is
 * not excused by the "* uint => any" of the extension rule.
 *
 * Called by tests and tools only, never by a daemon at work. The output goes to a struct
 * buf, which keeps the failure if it does not fit; obj_def_check() returns a static string.
 */
#include "wire/obj.h"

#include <inttypes.h>
#include <stdio.h>

static void
put(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

static void
put_u64(struct buf *b, uint64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, v);
	put(b, text);
}

static void
put_i64(struct buf *b, int64_t v)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, v);
	put(b, text);
}

static void
put_uint_type(struct buf *b, const struct obj_field *f)
{
	if (f->max == 0 && f->min == 0) {
		put(b, "uint");
	} else if (f->max == 0) {
		put(b, "uint .ge ");
		put_u64(b, f->min);
	} else {
		put_u64(b, f->min);
		if (f->min != f->max) {
			put(b, "..");
			put_u64(b, f->max);
		}
	}
}

static void
put_int_type(struct buf *b, const struct obj_field *f)
{
	if (f->min == 0 && f->max == 0) {
		put(b, "int");
		return;
	}
	put_i64(b, (int64_t)f->min);
	if (f->min != f->max) {
		put(b, "..");
		put_i64(b, (int64_t)f->max);
	}
}

static void
put_string_type(struct buf *b, const struct obj_field *f)
{
	put(b, f->type == OBJ_TSTR ? "tstr .size " : "bstr .size ");
	if (f->min == f->max) {
		put_u64(b, f->max);
		return;
	}
	put(b, "(");
	put_u64(b, f->min);
	put(b, "..");
	put_u64(b, f->max);
	put(b, ")");
}

static void put_type(struct buf *, const struct obj_field *);

static void
put_list_type(struct buf *b, const struct obj_field *f)
{
	struct obj_field elem = {
	    .type = f->elem, .min = f->elem_min, .max = f->elem_max, .sub = f->sub};

	put(b, "[");
	put_u64(b, f->min);
	put(b, "*");
	put_u64(b, f->max);
	put(b, " ");
	put_type(b, &elem);
	put(b, "]");
}

static void
put_type(struct buf *b, const struct obj_field *f)
{
	switch (f->type) {
	case OBJ_UINT:
		put_uint_type(b, f);
		break;
	case OBJ_INT:
		put_int_type(b, f);
		break;
	case OBJ_BOOL:
		put(b, "bool");
		break;
	case OBJ_BSTR:
	case OBJ_TSTR:
	case OBJ_BSTR_FIXED:
		put_string_type(b, f);
		break;
	case OBJ_LIST:
		put_list_type(b, f);
		break;
	case OBJ_ANY:
		put(b, "any");
		break;
	default:
		put(b, f->sub->name);
	}
}

static void
put_member(struct buf *b, const struct obj_def *def, const struct obj_field *f)
{
	bool optional = !(f->flags & OBJ_REQUIRED);

	put(b, "  ");
	if (def->shape == OBJ_ARRAY) {
		put(b, f->name);
	} else {
		put(b, optional ? "? " : "");
		put_i64(b, f->key);
	}
	put(b, ": ");
	put_type(b, f);
	put(b, def->shape == OBJ_ARRAY && optional ? " / null" : "");
	put(b, ",");
	if (def->shape == OBJ_MAP) {
		put(b, " ; ");
		put(b, f->name);
	}
	put(b, "\n");
}

void
obj_cddl(const struct obj_def *def, struct buf *b)
{
	bool array = def->shape == OBJ_ARRAY;

	put(b, def->name);
	put(b, array ? " = [\n" : " = {\n");
	for (size_t i = 0; i < def->n; i++)
		put_member(b, def, &def->fields[i]);
	put(b, array ? "]\n" : "  * uint => any\n}\n");
}

/* Place of a key in encoding order: 0, 1, 2 ... then -1, -2 ... */
static uint64_t
rank(int64_t key)
{
	return key >= 0 ? (uint64_t)key : (UINT64_C(1) << 63) + (uint64_t)(-1 - key);
}

static size_t
size_in_struct(const struct obj_field *f)
{
	switch (f->type) {
	case OBJ_UINT:
	case OBJ_INT:
		return sizeof(uint64_t);
	case OBJ_BOOL:
		return sizeof(bool);
	case OBJ_BSTR_FIXED:
		return (size_t)f->max;
	case OBJ_MAP:
	case OBJ_ARRAY:
		return f->sub == NULL ? 0 : f->sub->size;
	case OBJ_LIST:
		return sizeof(struct obj_list);
	default:
		return sizeof(struct span);
	}
}

static const char *
check_type(const struct obj_field *f)
{
	bool bytes = f->type == OBJ_BSTR || f->type == OBJ_TSTR || f->type == OBJ_ANY ||
	    f->type == OBJ_BSTR_FIXED;

	if ((f->type == OBJ_MAP || f->type == OBJ_ARRAY) &&
	    (f->sub == NULL || f->sub->shape != f->type))
		return "nested object without a table of its shape";
	if ((bytes || f->type == OBJ_LIST) && f->max == 0)
		return "string or list without an upper limit";
	if (f->type == OBJ_ANY && f->min == 0)
		return "an item has one byte at least";
	if (f->type == OBJ_BSTR_FIXED && f->min != f->max)
		return "fixed string with two lengths";
	if (f->type != OBJ_INT && f->max != 0 && f->min > f->max)
		return "least above greatest";
	return NULL;
}

static const char *
check_field(const struct obj_def *def, const struct obj_field *f)
{
	const char *why = check_type(f);

	if (f->name == NULL)
		return "field without a name";
	if (why != NULL)
		return why;
	if (f->offset < sizeof(uint32_t) || f->offset + size_in_struct(f) > def->size)
		return "field outside its struct";
	if (f->type == OBJ_LIST) {
		struct obj_field elem = {.name = "element",
		    .type = f->elem,
		    .min = f->elem_min,
		    .max = f->elem_max,
		    .sub = f->sub};

		if (f->elem == OBJ_LIST || f->elem == OBJ_BSTR_FIXED)
			return "list of lists or of fixed strings";
		return check_type(&elem);
	}
	return NULL;
}

const char *
obj_def_check(const struct obj_def *def)
{
	if (def->name == NULL || def->n > 32)
		return "no name, or more fields than bits";
	if (def->shape != OBJ_MAP && def->shape != OBJ_ARRAY)
		return "neither map nor array";
	for (size_t i = 0; i < def->n; i++) {
		const struct obj_field *f = &def->fields[i];
		const char *why = check_field(def, f);

		if (why != NULL)
			return why;
		if (i > 0 && def->shape == OBJ_MAP && rank(f[-1].key) >= rank(f->key))
			return "keys out of order";
	}
	return NULL;
}
