/* SPDX-License-Identifier: ISC */
/*
 * obj.h - one table-driven codec for every map (and positional array) of the protocol.
 *
 * A struct that travels has a table (struct obj_def) that names, for each member, its key,
 * type, limits and place. Decoding, encoding and the CDDL of doc/protocol.md come from it.
 *
 * The first member of every such struct is "uint32_t has": bit i is set if fields[i] is
 * present. Decoding sets it; encoding writes required fields always and optional ones if
 * their bit is set. Decoded spans and lists borrow from the input.
 *
 *	struct hello {
 *		uint32_t has;
 *		struct span domain;
 *		uint64_t time;
 *		uint8_t nonce[32];
 *		struct obj_list features; (of tstr)
 *		struct limits limits;
 *	};
 *	static const struct obj_field hello_fields[] = {
 *		OBJ_FIELD(1, OBJ_TSTR, struct hello, domain, 1, 253, OBJ_REQUIRED),
 *		OBJ_FIELD(2, OBJ_UINT, struct hello, time, 0, 0, 0),
 *		OBJ_FIXED(3, struct hello, nonce, OBJ_REQUIRED),
 *		OBJ_LIST_OF(4, struct hello, features, 0, 16, OBJ_TSTR, 1, 32, 0),
 *		OBJ_SUB(5, OBJ_MAP, struct hello, limits, &limits_def, 0),
 *	};
 *	const struct obj_def hello_def = { "hello", sizeof(struct hello), OBJ_MAP,
 *		OBJ_FIELDS(hello_fields) };
 */
#ifndef WIRE_OBJ_H
#define WIRE_OBJ_H

#include "base/buf.h"
#include "wire/cbor.h"

enum obj_type {
	OBJ_UINT,       /* uint64_t; min..max, max 0 = no upper limit */
	OBJ_INT,        /* int64_t; (int64_t)min..(int64_t)max, both 0 = no limits */
	OBJ_BOOL,       /* bool */
	OBJ_BSTR,       /* struct span; min..max bytes */
	OBJ_TSTR,       /* struct span, UTF-8; min..max bytes */
	OBJ_BSTR_FIXED, /* uint8_t[max]; min == max, see OBJ_FIXED */
	OBJ_MAP,        /* struct of sub, inline */
	OBJ_ARRAY, /* the same as a positional array: fields in order, without keys */
	OBJ_LIST,  /* struct obj_list; min..max elements */
	OBJ_ANY,   /* struct span: the encoding of one item; min..max bytes */
};

#define OBJ_REQUIRED 0x1U

struct obj_def;

struct obj_field {
	int64_t key; /* of a positional array: not used */
	const char *name;
	enum obj_type type;
	size_t offset;
	uint64_t min, max;
	unsigned flags;
	const struct obj_def *sub; /* OBJ_MAP, OBJ_ARRAY, and lists of these */
	enum obj_type elem; /* OBJ_LIST: UINT, INT, BOOL, BSTR, TSTR, ANY, MAP or ARRAY */
	uint64_t elem_min, elem_max;
};

/* Keys of a map in encoding order: 0, 1, 2 ... then -1, -2 ...; at most 32 fields. In a
 * positional array a field without OBJ_REQUIRED is null when absent, and the number of
 * elements is exactly that of the fields. */
struct obj_def {
	const char *name;    /* of the CDDL rule */
	size_t size;         /* of the struct */
	enum obj_type shape; /* OBJ_MAP or OBJ_ARRAY */
	const struct obj_field *fields;
	size_t n;
};

#define OBJ_FIELDS(a) (a), sizeof(a) / sizeof((a)[0])
#define OBJ_FIELD(k, t, st, m, lo, hi, fl)                                               \
	{                                                                                \
		.key = (k), .name = #m, .type = (t), .offset = offsetof(st, m),          \
		.min = (lo), .max = (hi), .flags = (fl)                                  \
	}
#define OBJ_FIXED(k, st, m, fl)                                                          \
	{                                                                                \
		.key = (k), .name = #m, .type = OBJ_BSTR_FIXED,                          \
		.offset = offsetof(st, m), .min = sizeof(((st *)0)->m),                  \
		.max = sizeof(((st *)0)->m), .flags = (fl)                               \
	}
#define OBJ_SUB(k, t, st, m, def, fl)                                                    \
	{                                                                                \
		.key = (k), .name = #m, .type = (t), .offset = offsetof(st, m),          \
		.sub = (def), .flags = (fl)                                              \
	}
#define OBJ_LIST_OF(k, st, m, lo, hi, el, elo, ehi, fl)                                  \
	{                                                                                \
		.key = (k), .name = #m, .type = OBJ_LIST, .offset = offsetof(st, m),     \
		.min = (lo), .max = (hi), .elem = (el), .elem_min = (elo),               \
		.elem_max = (ehi), .flags = (fl)                                         \
	}
#define OBJ_LIST_SUB(k, st, m, lo, hi, el, def, fl)                                      \
	{                                                                                \
		.key = (k), .name = #m, .type = OBJ_LIST, .offset = offsetof(st, m),     \
		.min = (lo), .max = (hi), .elem = (el), .sub = (def), .flags = (fl)      \
	}

/* A list is its elements' encodings one after the other, without the array's head. To build
 * one, write elements into a buf (cbor_put_*, obj_encode) and count them. */
struct obj_list {
	struct span raw; /* borrowed */
	size_t count;
};

/* Decodes exactly one object with nothing after it. Everything is validated, lists to the
 * last element; unknown keys >= 0 are ignored, an unknown key < 0 is WIRE_UNSUPPORTED. A
 * fault of encoding (cbor_check()) anywhere in the input comes before the first fault of
 * content. *out has no meaning after an error. */
enum wire_err obj_decode(const struct obj_def *, struct span, void *out);
/* Appends the encoding. WIRE_RANGE if a value breaks its limits; nothing is written then.
 * Lists and OBJ_ANY are copied as they are. The caller checks buf_failed(). */
enum wire_err obj_encode(const struct obj_def *, const void *, struct buf *);

/* Presence by key (of a positional array: by index). The key must be in the table. */
bool obj_has(const struct obj_def *, const void *, int64_t key);
void obj_set(const struct obj_def *, void *, int64_t key);

/* Walking a list that obj_decode() gave. Each call is false at the end. */
struct obj_iter {
	struct cbor r;
};
void obj_iter_init(struct obj_iter *, const struct obj_list *);
bool obj_next_uint(struct obj_iter *, uint64_t *);
bool obj_next_span(struct obj_iter *, struct span *); /* content of a bstr or tstr */
bool obj_next_any(struct obj_iter *, struct span *);  /* encoding of any element */
bool obj_next(struct obj_iter *, const struct obj_def *, void *);

/* Appends the CDDL rule (RFC 8610) of the object, one member a line. */
void obj_cddl(const struct obj_def *, struct buf *);
/* For tests: NULL if the table keeps the rules above, else what is wrong with it. */
const char *obj_def_check(const struct obj_def *);

#endif
