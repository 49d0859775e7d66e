/* SPDX-License-Identifier: ISC */
/*
 * signer.c - signed objects for fuzz targets.
 *
 * A key is 32 times its number, so that whoever writes a corpus can make payloads which name
 * it. Used by the targets of what is behind signatures. Owns nothing; a failure of ours ends
 * the run, since it would be a fault of the target.
 */
#include "config.h"

#include "fuzz/fuzz.h"
#include "fuzz/signer.h"

#define PAYLOAD_MAX 65536

static const char *const typs[] = {TYP_LISTKEY, TYP_DEVLIST, TYP_PREKEY, TYP_LOGIN,
    TYP_REQUEST, TYP_GRANT, TYP_REVOKE, TYP_DOMAIN, TYP_PEER, TYP_SERVER};
#define TYPS (sizeof(typs) / sizeof(typs[0]))

static const struct span none;

void
signer_key(uint8_t number, uint8_t seed[32], uint8_t pub[32])
{
	memset(seed, number, 32);
	fuzz_check(ed25519_public(seed, pub) == 0);
}

static void
sign(struct buf *out, struct span payload, const char *typ, uint8_t number)
{
	uint8_t seed[ED25519_SEED_SIZE];

	memset(seed, number, sizeof(seed));
	fuzz_check(cose_sign1_make(span_str(typ), none, payload, seed, out) == 0);
}

void
signer_sign(struct buf *out, const struct obj_def *def, const void *payload,
    const char *typ, uint8_t number)
{
	struct buf b;

	buf_init(&b, PAYLOAD_MAX);
	fuzz_check(obj_encode(def, payload, &b) == WIRE_OK);
	sign(out, buf_span(&b), typ, number);
	buf_clear(&b);
}

void
signer_read(struct cur *c, struct buf *out)
{
	uint8_t number = cur_u8(c) % SIGNER_KEYS, typ = cur_u8(c) % TYPS;
	size_t n = cur_u16(c);
	struct span payload = cur_bytes(c, n < c->n ? n : c->n);

	if (number == 0)
		buf_put_span(out, payload);
	else
		sign(out, payload, typs[typ], number);
}
