/* SPDX-License-Identifier: ISC */
/*
 * mimi.c - message content (draft-ietf-mimi-content): texts and receipts.
 *
 * Content is deterministic CBOR: an array of salt, replaces, topic, expires, inReplyTo,
 * extensions and the body, a tree of parts. We write one shape, a single part of plain text,
 * and read any: of a tree the first text part that we come to is what is shown, so that
 * attachments and parts of other clients do no harm. Depth is bounded by the CBOR reader.
 *
 * Owns nothing. Called by compose.c, inbox.c and worklist.c. Fails with false or -1.
 */
#include "crypto/sha.h"
#include "wire/cbor.h"
#include "mimi.h"

#define PARTS_MAX 64 /* parts of one content that are looked at */
enum { PART_NULL, PART_SINGLE, PART_EXTERNAL, PART_MULTI };
enum { EXT_SENDER = 1, EXT_ROOM = 2 };
enum { DISPOSITION_RENDER = 1 };
#define EXTERNAL_FIELDS 11

int
mimi_text(struct span sender, struct span room, const uint8_t salt[MIMI_SALT_SIZE],
    struct span text, struct buf *out)
{
	cbor_put_array(out, 7);
	cbor_put_bstr(out, span_of(salt, MIMI_SALT_SIZE));
	cbor_put_null(out);
	cbor_put_bstr(out, span_of(NULL, 0));
	cbor_put_null(out);
	cbor_put_null(out);
	cbor_put_map(out, 2);
	cbor_put_uint(out, EXT_SENDER);
	cbor_put_tstr(out, sender);
	cbor_put_uint(out, EXT_ROOM);
	cbor_put_tstr(out, room);
	cbor_put_array(out, 5);
	cbor_put_uint(out, DISPOSITION_RENDER);
	cbor_put_tstr(out, span_str(""));
	cbor_put_uint(out, PART_SINGLE);
	cbor_put_tstr(out, span_str(MIMI_TYPE_PLAIN));
	cbor_put_bstr(out, text);
	return buf_failed(out) ? -1 : 0;
}

/* --- reading ------------------------------------------------------------------------------ */

/* null or a message id. */
static bool
get_id(struct cbor *r, struct span *id)
{
	*id = span_of(NULL, 0);
	if (cbor_peek(r) == CBOR_NULL)
		return cbor_null(r);
	return cbor_bstr(r, id) && id->n == MIMI_ID_SIZE;
}

static bool
get_expires(struct cbor *r, struct mimi *m)
{
	uint64_t n;

	if (cbor_peek(r) == CBOR_NULL)
		return cbor_null(r);
	return cbor_array(r, &n) && n == 2 && cbor_bool(r, &m->expires_relative) &&
	    cbor_uint(r, &m->expires) && m->expires <= UINT32_MAX;
}

static bool
get_extension(struct cbor *r, struct mimi *m)
{
	uint64_t key;

	if (cbor_peek(r) != CBOR_UINT)
		return cbor_skip(r, NULL) && cbor_skip(r, NULL);
	if (!cbor_uint(r, &key))
		return false;
	if (key == EXT_SENDER)
		return cbor_tstr(r, &m->sender);
	if (key == EXT_ROOM)
		return cbor_tstr(r, &m->room);
	return cbor_skip(r, NULL);
}

static bool
get_extensions(struct cbor *r, struct mimi *m)
{
	uint64_t pairs;

	if (!cbor_map(r, &pairs))
		return false;
	while (pairs-- > 0)
		if (!get_extension(r, m))
			return false;
	return true;
}

static bool
is_text(struct span type)
{
	return type.n >= 5 && memcmp(type.p, "text/", 5) == 0;
}

static bool
get_single(struct cbor *r, struct mimi *m)
{
	struct span type, content;

	if (!cbor_tstr(r, &type) || !cbor_bstr(r, &content))
		return false;
	if (m->type.n == 0 && is_text(type)) {
		m->type = type;
		m->text = content;
	}
	return true;
}

/* One part, and those nested in it. The number of parts still to come is kept in a counter
 * instead of recursion: parts follow each other in the encoding. */
static bool
get_parts(struct cbor *r, struct mimi *m)
{
	uint64_t left = 1, fields, disposition, cardinality, semantics, more;
	struct span language;
	unsigned seen = 0;

	while (left-- > 0) {
		if (++seen > PARTS_MAX || !cbor_array(r, &fields) || fields < 3 ||
		    !cbor_uint(r, &disposition) || !cbor_tstr(r, &language) ||
		    !cbor_uint(r, &cardinality))
			return false;
		if (seen == 1)
			m->disposition = (unsigned)(disposition & 0xff);
		if (cardinality == PART_SINGLE && fields == 5) {
			if (!get_single(r, m))
				return false;
		} else if (cardinality == PART_MULTI && fields == 5) {
			if (!cbor_uint(r, &semantics) || !cbor_array(r, &more) ||
			    more < 2 || more > PARTS_MAX)
				return false;
			left += more;
		} else if (cardinality == PART_EXTERNAL && fields > EXTERNAL_FIELDS) {
			for (fields -= 3; fields > 0; fields--)
				if (!cbor_skip(r, NULL))
					return false;
		} else if (cardinality != PART_NULL || fields != 3) {
			return false;
		}
	}
	return true;
}

bool
mimi_parse(struct span content, struct mimi *m)
{
	struct span topic;
	struct cbor r;
	uint64_t n;

	memset(m, 0, sizeof(*m));
	cbor_init(&r, content);
	return cbor_array(&r, &n) && n == 7 && cbor_bstr(&r, &m->salt) &&
	    m->salt.n == MIMI_SALT_SIZE && get_id(&r, &m->replaces) &&
	    cbor_bstr(&r, &topic) && get_expires(&r, m) && get_id(&r, &m->reply) &&
	    get_extensions(&r, m) && get_parts(&r, m) && cbor_done(&r);
}

int
mimi_id(struct span content, uint8_t id[MIMI_ID_SIZE])
{
	uint8_t hash[SHA_SIZE];
	struct span parts[4];
	struct mimi m;

	if (!mimi_parse(content, &m))
		return -1;
	parts[0] = m.sender;
	parts[1] = m.room;
	parts[2] = content;
	parts[3] = m.salt;
	if (sha_spans(parts, 4, hash) < 0)
		return -1;
	id[0] = 0x01;
	memcpy(id + 1, hash, MIMI_ID_SIZE - 1);
	return 0;
}

/* --- receipts ----------------------------------------------------------------------------- */

int
mimi_status_put(const struct mimi_report *report, size_t n, struct buf *out)
{
	cbor_put_array(out, 1);
	cbor_put_array(out, n);
	for (size_t i = 0; i < n; i++) {
		cbor_put_array(out, 2);
		cbor_put_bstr(out, span_of(report[i].id, MIMI_ID_SIZE));
		cbor_put_uint(out, report[i].status);
	}
	return buf_failed(out) ? -1 : 0;
}

bool
mimi_status_get(struct span report, struct mimi_report out[MIMI_STATUS_MAX], size_t *n)
{
	uint64_t fields, count, status;
	struct cbor r;
	struct span id;

	*n = 0;
	cbor_init(&r, report);
	if (!cbor_array(&r, &fields) || fields != 1 || !cbor_array(&r, &count) ||
	    count > MIMI_STATUS_MAX)
		return false;
	while (count-- > 0) {
		if (!cbor_array(&r, &fields) || fields != 2 || !cbor_bstr(&r, &id) ||
		    id.n != MIMI_ID_SIZE || !cbor_uint(&r, &status))
			return false;
		if (status > MIMI_EXPIRED)
			continue;
		memcpy(out[*n].id, id.p, MIMI_ID_SIZE);
		out[(*n)++].status = (enum mimi_status)status;
	}
	return cbor_done(&r);
}
