/* SPDX-License-Identifier: ISC */
/*
 * cose.c - signed objects: EMSG's profile of COSE_Sign1 over lib/wire's strict CBOR.
 *
 * Two layers. cose_raw_* reads any COSE_Sign1 and verifies over the bytes as received,
 * never over a re-encoding. cose_* is the profile: Ed25519 as alg -19, a typ, no other
 * header, hence one encoding per object. keyd, store, relay, listener's peers and the
 * client sign and verify through here. Owns nothing between calls; parsed spans borrow
 * from the caller's bytes. Fails with an enum cose_error for what came from outside and
 * with -1 where a caller passes a length beyond the limits or its buffer is full.
 */
#include "config.h"

#include "crypto/cose.h"

#include "crypto/cose_raw.h"
#include "wire/cbor.h"

#define COSE_TAG_SIGN1 18
#define COSE_HEADER_ALG 1
#define COSE_HEADER_TYP 16
#define COSE_HEADER_MAX (COSE_TYP_MAX + 8) /* bytes of our protected header */

/* One label and its value. Labels may be texts; values of other headers may be anything.
 * */
static void
read_header(struct cbor *r, struct cose_raw *o)
{
	int64_t label = 0;

	if (cbor_peek(r) == CBOR_TSTR)
		cbor_skip(r, NULL);
	else
		cbor_int(r, &label);
	if (label == COSE_HEADER_ALG && cbor_peek(r) != CBOR_TSTR) {
		cbor_int(r, &o->alg);
	} else if (label == COSE_HEADER_TYP && cbor_peek(r) == CBOR_TSTR) {
		cbor_tstr(r, &o->typ);
	} else {
		cbor_skip(r, NULL);
		o->extra = true;
	}
}

/* The protected headers. An empty map is sent as an empty string (RFC 9052, 3). */
static bool
read_protected(struct cose_raw *o)
{
	struct cbor r;
	uint64_t pairs = 0;

	if (o->header.n == 0)
		return true;
	cbor_init(&r, o->header);
	cbor_map(&r, &pairs);
	for (uint64_t i = 0; r.err == WIRE_OK && i < pairs; i++)
		read_header(&r, o);
	return cbor_done(&r) && pairs > 0;
}

/* The unprotected headers: skipped, since nobody vouches for them. */
static void
read_unprotected(struct cbor *r, struct cose_raw *o)
{
	uint64_t pairs = 0;

	cbor_map(r, &pairs);
	for (uint64_t i = 0; r->err == WIRE_OK && i < pairs; i++) {
		cbor_skip(r, NULL);
		cbor_skip(r, NULL);
		o->extra = true;
	}
}

enum cose_error
cose_raw_parse(struct span bytes, struct cose_raw *o)
{
	struct cbor r;
	uint64_t tag = 0, count = 0;

	memset(o, 0, sizeof(*o));
	cbor_init(&r, bytes);
	if (!cbor_tag(&r, &tag) || tag != COSE_TAG_SIGN1)
		return COSE_MALFORMED;
	if (!cbor_array(&r, &count) || count != 4)
		return COSE_MALFORMED;
	cbor_bstr(&r, &o->header);
	read_unprotected(&r, o);
	cbor_bstr(&r, &o->payload);
	cbor_bstr(&r, &o->signature);
	return cbor_done(&r) && read_protected(o) ? COSE_OK : COSE_MALFORMED;
}

int
cose_raw_tbs(
    struct span header, struct span external_aad, struct span payload, struct buf *out)
{
	if (external_aad.n > COSE_AAD_MAX || payload.n > COSE_PAYLOAD_MAX)
		return -1;
	cbor_put_array(out, 4);
	cbor_put_tstr(out, span_str("Signature1"));
	cbor_put_bstr(out, header);
	cbor_put_bstr(out, external_aad);
	cbor_put_bstr(out, payload);
	return buf_failed(out) ? -1 : 0;
}

/* The one place where signatures are verified: over the protected header as it came. */
static int
verify(struct span header, struct span external_aad, struct span payload, struct span pub,
    struct span sig)
{
	struct buf tbs;
	int rc = -1;

	if (header.n > COSE_HEADER_MAX || payload.n > COSE_PAYLOAD_MAX)
		return -1;
	buf_init(&tbs, payload.n + COSE_TBS_OVERHEAD);
	if (cose_raw_tbs(header, external_aad, payload, &tbs) == 0)
		rc = ed25519_verify(pub, buf_span(&tbs), sig);
	buf_wipe(&tbs);
	return rc;
}

enum cose_error
cose_raw_check(
    const struct cose_raw *o, int64_t alg, struct span external_aad, struct span pub)
{
	if (o->alg != alg)
		return COSE_ALG;
	if (verify(o->header, external_aad, o->payload, pub, o->signature) != 0)
		return COSE_SIGNATURE;
	return COSE_OK;
}

/* {1: -19, 16: typ} to bytes of COSE_HEADER_MAX; an empty span if typ does not fit. */
static struct span
profile_header(struct span typ, struct buf *b)
{
	buf_init(b, COSE_HEADER_MAX);
	if (typ.n == 0 || typ.n > COSE_TYP_MAX)
		return span_of(NULL, 0);
	cbor_put_map(b, 2);
	cbor_put_uint(b, COSE_HEADER_ALG);
	cbor_put_int(b, COSE_ALG_ED25519);
	cbor_put_uint(b, COSE_HEADER_TYP);
	cbor_put_tstr(b, typ);
	return buf_span(b);
}

int
cose_tbs(struct span typ, struct span external_aad, struct span payload, struct buf *out)
{
	struct buf b;
	struct span header = profile_header(typ, &b);
	int rc = header.n == 0 ? -1 : cose_raw_tbs(header, external_aad, payload, out);

	buf_clear(&b);
	return rc;
}

int
cose_sign1_wrap(struct span typ, struct span payload, const uint8_t sig[ED25519_SIG_SIZE],
    struct buf *out)
{
	struct buf b;
	struct span header = profile_header(typ, &b);
	int rc = -1;

	if (header.n > 0 && payload.n <= COSE_PAYLOAD_MAX) {
		cbor_put_tag(out, COSE_TAG_SIGN1);
		cbor_put_array(out, 4);
		cbor_put_bstr(out, header);
		cbor_put_map(out, 0);
		cbor_put_bstr(out, payload);
		cbor_put_bstr(out, span_of(sig, ED25519_SIG_SIZE));
		rc = buf_failed(out) ? -1 : 0;
	}
	buf_clear(&b);
	return rc;
}

int
cose_sign1_make(struct span typ, struct span external_aad, struct span payload,
    const uint8_t seed[ED25519_SEED_SIZE], struct buf *out)
{
	uint8_t sig[ED25519_SIG_SIZE];

	if (cose_sign(typ, external_aad, payload, seed, sig) != 0)
		return -1;
	return cose_sign1_wrap(typ, payload, sig, out);
}

/* What the profile demands of an object beyond RFC 9052. */
static enum cose_error
profile_judge(const struct cose_raw *raw)
{
	if (raw->alg != COSE_ALG_ED25519)
		return COSE_ALG;
	if (raw->extra || raw->typ.n == 0 || raw->typ.n > COSE_TYP_MAX)
		return COSE_HEADER;
	if (raw->signature.n != ED25519_SIG_SIZE || raw->payload.n > COSE_PAYLOAD_MAX)
		return COSE_MALFORMED;
	return COSE_OK;
}

enum cose_error
cose_sign1_parse(struct span bytes, struct cose_sign1 *o)
{
	struct cose_raw raw;
	enum cose_error err = cose_raw_parse(bytes, &raw);

	memset(o, 0, sizeof(*o));
	if (err == COSE_OK)
		err = profile_judge(&raw);
	if (err != COSE_OK)
		return err;
	o->header = raw.header;
	o->typ = raw.typ;
	o->payload = raw.payload;
	o->signature = raw.signature;
	return COSE_OK;
}

enum cose_error
cose_sign1_check(const struct cose_sign1 *o, struct span typ, struct span external_aad,
    struct span pub)
{
	if (!span_eq(o->typ, typ))
		return COSE_TYP;
	if (verify(o->header, external_aad, o->payload, pub, o->signature) != 0)
		return COSE_SIGNATURE;
	return COSE_OK;
}

enum cose_error
cose_sign1_verify(struct span bytes, struct span typ, struct span external_aad,
    struct span pub, struct span *payload)
{
	struct cose_sign1 o;
	enum cose_error err = cose_sign1_parse(bytes, &o);

	if (err == COSE_OK)
		err = cose_sign1_check(&o, typ, external_aad, pub);
	if (err == COSE_OK)
		*payload = o.payload;
	return err;
}

int
cose_sign(struct span typ, struct span external_aad, struct span payload,
    const uint8_t seed[ED25519_SEED_SIZE], uint8_t sig[ED25519_SIG_SIZE])
{
	struct buf tbs;
	int rc;

	if (payload.n > COSE_PAYLOAD_MAX)
		return -1;
	buf_init(&tbs, payload.n + COSE_TBS_OVERHEAD);
	rc = cose_tbs(typ, external_aad, payload, &tbs);
	if (rc == 0)
		rc = ed25519_sign(seed, buf_span(&tbs), sig);
	buf_wipe(&tbs);
	return rc;
}

int
cose_check(struct span typ, struct span external_aad, struct span payload,
    struct span pub, struct span sig)
{
	struct buf b;
	struct span header = profile_header(typ, &b);
	int rc = header.n == 0 ? -1 : verify(header, external_aad, payload, pub, sig);

	buf_clear(&b);
	return rc;
}

const char *
cose_error_text(enum cose_error err)
{
	switch (err) {
	case COSE_OK:
		return "ok";
	case COSE_MALFORMED:
		return "not a well-formed signed object";
	case COSE_ALG:
		return "unsupported signature algorithm";
	case COSE_HEADER:
		return "unexpected or missing header in signed object";
	case COSE_TYP:
		return "signed for another purpose";
	case COSE_SIGNATURE:
		return "wrong signature";
	}
	return "unknown error";
}
