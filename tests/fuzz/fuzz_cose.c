/* SPDX-License-Identifier: ISC */
/*
 * fuzz_cose.c - fuzz target: signed objects.
 *
 * The input is first taken for an object, then for typ, external data and payload of one that
 * we sign. What must hold: an object that is accepted has exactly this one encoding; a bare
 * signature and one in an object are judged alike; what we sign verifies, and no longer does
 * for another typ, other external data, or with any one bit changed.
 */
#include "config.h"

#include "base/text.h"
#include "crypto/cose.h"
#include "crypto/cose_raw.h"
#include "fuzz/fuzz.h"

#define ROOM 65536

static const uint8_t seed[ED25519_SEED_SIZE] = {1};
static uint8_t pub[ED25519_PUBLIC_SIZE];
static const struct span none;

static void
reads_once(struct span in, const struct cose_sign1 *o)
{
	struct span key = span_of(pub, sizeof(pub)), payload;
	enum cose_error err = cose_sign1_verify(in, o->typ, none, key, &payload);
	struct cose_raw raw;
	struct buf again;

	buf_init(&again, in.n);
	fuzz_check(cose_sign1_wrap(o->typ, o->payload, o->signature.p, &again) == 0);
	fuzz_check(span_eq(buf_span(&again), in));
	buf_clear(&again);
	fuzz_check(err == COSE_OK || err == COSE_SIGNATURE);
	fuzz_check((cose_check(o->typ, none, o->payload, key, o->signature) == 0) ==
	    (err == COSE_OK));
	fuzz_check(cose_raw_parse(in, &raw) == COSE_OK);
	fuzz_check(cose_raw_check(&raw, COSE_ALG_ED25519, none, key) == err);
	fuzz_check(cose_raw_check(&raw, COSE_ALG_ED25519 + 1, none, key) == COSE_ALG);
}

static void
any_bytes(struct span in)
{
	struct span key = span_of(pub, sizeof(pub)), payload;
	struct cose_sign1 o;
	enum cose_error err = cose_sign1_parse(in, &o);

	fuzz_check(cose_error_text(err)[0] != '\0');
	if (err == COSE_OK)
		reads_once(in, &o);
	else
		fuzz_check(
		    cose_sign1_verify(in, span_str("x"), none, key, &payload) == err);
}

/* Changes the bit that the last two bytes of the payload choose. */
static void
change_bit(struct buf *object, struct span payload)
{
	size_t at = 0;

	if (payload.n >= 2)
		at = (size_t)payload.p[payload.n - 1] << 8 | payload.p[payload.n - 2];
	at %= object->n * 8;
	object->p[at / 8] ^= (uint8_t)(1 << at % 8);
}

static void
signs(struct span typ, struct span aad, struct span payload)
{
	struct span key = span_of(pub, sizeof(pub)), out;
	struct buf object;

	buf_init(&object, ROOM + COSE_OVERHEAD);
	if (cose_sign1_make(typ, aad, payload, seed, &object) != 0) {
		fuzz_check(typ.n == 0 || typ.n > COSE_TYP_MAX || aad.n > COSE_AAD_MAX);
		buf_clear(&object);
		return;
	}
	fuzz_check(object.n <= payload.n + COSE_OVERHEAD);
	if (cose_sign1_verify(buf_span(&object), typ, aad, key, &out) == COSE_OK) {
		fuzz_check(span_eq(out, payload));
		fuzz_check(cose_sign1_verify(buf_span(&object), span_str("other-typ"),
			       aad, key, &out) == COSE_TYP);
		fuzz_check(cose_sign1_verify(buf_span(&object), typ, span_str("other"),
			       key, &out) == COSE_SIGNATURE);
		change_bit(&object, payload);
		fuzz_check(
		    cose_sign1_verify(buf_span(&object), typ, aad, key, &out) != COSE_OK);
	} else {
		/* A typ is a text; what is none cannot be read again. */
		fuzz_check(!utf8_valid(typ));
	}
	buf_clear(&object);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	size_t typ, aad;

	if (n < 2 || n > ROOM)
		return 0;
	if (pub[0] == 0)
		fuzz_check(ed25519_public(seed, pub) == 0);
	any_bytes(span_of(p, n));
	typ = p[0] % (COSE_TYP_MAX + 2);
	typ = typ > n - 2 ? n - 2 : typ;
	aad = p[1] == UINT8_MAX ? COSE_AAD_MAX + 1 : p[1];
	aad = aad > n - 2 - typ ? n - 2 - typ : aad;
	signs(span_of(p + 2, typ), span_of(p + 2 + typ, aad),
	    span_of(p + 2 + typ + aad, n - 2 - typ - aad));
	return 0;
}
