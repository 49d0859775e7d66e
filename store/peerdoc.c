/* SPDX-License-Identifier: ISC */
/*
 * peerdoc.c - pinned documents of other domains.
 *
 * A row keeps the pin, the document, when it was fetched and when the peer last proved itself,
 * and an alarm if an unannounced root was shown. peerdoc_judge() is the order of trust of
 * doc/protocol.md section 9.2: the configured pin, the earlier root (or its announced
 * successor), a valid certificate. Called by peer.c and sctl.c; owns nothing.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/text.h"
#include "store/peerdoc.h"

bool
peerdoc_set(struct peerdoc *d, struct span document)
{
	if (document.n > sizeof(d->bytes))
		return false;
	memcpy(d->bytes, document.p, document.n);
	d->document = span_of(d->bytes, document.n);
	return true;
}

bool
peerdoc_decode(struct span value, struct peerdoc *d)
{
	struct span pin, other;
	struct cur c;

	cur_init(&c, value);
	pin = cur_bytes(&c, SHA_SIZE);
	d->fetched = cur_u64(&c);
	d->seen = cur_u64(&c);
	d->state = cur_u8(&c);
	other = cur_bytes(&c, SHA_SIZE);
	if (c.failed)
		return false;
	memcpy(d->pin, pin.p, SHA_SIZE);
	memcpy(d->other, other.p, SHA_SIZE);
	return peerdoc_set(d, span_of(c.p, c.n));
}

enum sdb_result
peerdoc_get(struct sdb *db, struct span domain, struct peerdoc *d)
{
	struct span value;
	enum sdb_result res = sdb_get(db, SDB_PEER, domain, &value);

	if (res == SDB_OK && !peerdoc_decode(value, d))
		return SDB_FAULT;
	return res;
}

enum sdb_result
peerdoc_put(struct sdb *db, struct span domain, const struct peerdoc *d)
{
	struct span parts[2];
	enum sdb_result res;
	struct buf b;

	buf_init(&b, 128);
	buf_put(&b, d->pin, SHA_SIZE);
	buf_put_u64(&b, d->fetched);
	buf_put_u64(&b, d->seen);
	buf_put_u8(&b, d->state);
	buf_put(&b, d->other, SHA_SIZE);
	parts[0] = buf_span(&b);
	parts[1] = d->document;
	res = sdb_put(db, SDB_PEER, domain, parts, 2);
	buf_clear(&b);
	return res;
}

/* --- trust ---------------------------------------------------------------------------------- */

static unsigned
other_root(const struct trust_domain *new, const uint8_t *pinned, char text[PEERDOC_TEXT])
{
	char is[2 * SHA_SIZE + 1], want[2 * SHA_SIZE + 1];

	hex_encode(span_of(new->pin, SHA_SIZE), is);
	hex_encode(span_of(pinned, SHA_SIZE), want);
	snprintf(text, PEERDOC_TEXT, "the root key of %.*s is %s, pinned is %s",
	    (int)new->doc.domain.n, (const char *)new->doc.domain.p, is, want);
	return CODE_ROOT_CHANGED;
}

/* Seqs never go back, and one seq is one document. */
static unsigned
check_seq(const struct trust_domain *old, const struct trust_domain *new,
    char text[PEERDOC_TEXT])
{
	if (new->doc.seq > old->doc.seq ||
	    (new->doc.seq == old->doc.seq &&memcmp(new->hash, old->hash, SHA_SIZE) == 0))
		return CODE_DONE;
	snprintf(text, PEERDOC_TEXT,
	    "the document of %.*s has number %llu, an earlier one had %llu",
	    (int)new->doc.domain.n, (const char *)new->doc.domain.p,
	    (unsigned long long)new->doc.seq, (unsigned long long)old->doc.seq);
	return CODE_BAD_DOCUMENT;
}

/* The document that we have, even if its time is over by now. */
static bool
open_old(
    const struct peerdoc *old, struct span domain, uint64_t now, struct trust_domain *td)
{
	unsigned code;

	if (old == NULL || old->document.n == 0)
		return false;
	code = trust_domain(old->document, domain, now, td);
	if (code == CODE_EXPIRED)
		code = trust_domain(old->document, domain, old->fetched, td);
	return code == CODE_DONE;
}

static bool
announced(const struct trust_domain *old, const struct trust_domain *new)
{
	return obj_has(&s_domain_def, &old->doc, 6) &&
	    memcmp(old->doc.next_root_hash, new->pin, SHA_SIZE) == 0;
}

unsigned
peerdoc_judge(const struct peerdoc *old, const uint8_t *pin, bool webpki,
    const struct trust_domain *new, uint64_t now, char text[PEERDOC_TEXT])
{
	struct trust_domain before;
	bool known = open_old(old, new->doc.domain, now, &before);
	bool same = known && memcmp(before.pin, new->pin, SHA_SIZE) == 0;

	text[0] = '\0';
	if (pin != NULL && memcmp(pin, new->pin, SHA_SIZE) != 0)
		return other_root(new, pin, text);
	if (same)
		return check_seq(&before, new, text);
	if (pin != NULL)
		return CODE_DONE;
	if (known)
		return announced(&before, new) ? CODE_DONE
					       : other_root(new, old->pin, text);
	if (webpki)
		return CODE_DONE;
	snprintf(text, PEERDOC_TEXT,
	    "the certificate of %.*s is not valid and no root key is pinned",
	    (int)new->doc.domain.n, (const char *)new->doc.domain.p);
	return CODE_BAD_DOCUMENT;
}
