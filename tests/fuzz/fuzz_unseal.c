/* SPDX-License-Identifier: ISC */
/*
 * fuzz_unseal.c - fuzz target: sealed messages, opened by the device they are for.
 *
 * The first byte chooses the way in, then come pieces, each with two bytes of length.
 * As a server may bring it: outer header, stanzas and body are the pieces.
 * As another client may make it: outer header, inner header, type and content are the pieces;
 * we sign, pad and encrypt them, wrongly if the first byte says so, or encrypt the content
 * piece as the whole inside.
 * As we make it: type and content are the pieces, the rest is ours.
 * What must hold: a message with something wrong is never opened and believed; what is
 * believed is signed for alice or bob; what we seal opens to the same, and with any one bit
 * changed it does not.
 */
#include "config.h"

#include "base/text.h"
#include "crypto/cose.h"
#include "crypto/hkdf.h"
#include "crypto/hpke.h"
#include "fuzz/fuzz.h"
#include "libemsg/seal.h"
#include "libemsg/unseal.h"

#define ROOM 32768
#define ALICE "alice#im.alpha.test"
#define BOB "bob#im.beta.test"

/* Bits of the first byte; without any, all is as it must be. */
#define HOW_SERVER 0x01    /* pieces as a server brings them */
#define HOW_OURS 0x02      /* all made by us */
#define BAD_INSIDE 0x04    /* the content piece is the whole inside */
#define BAD_PADDING 0x08   /* one step of padding too much */
#define BAD_SIGNATURE 0x10 /* signed by somebody else */
#define BAD_PREKEY 0x20    /* sealed to a prekey that is gone */
#define BAD_DEVICE 0x40    /* for another device */
#define BAD_STANZA 0x80    /* a damaged stanza first */

static const uint8_t seed[ED25519_SEED_SIZE] = {1}, other_seed[ED25519_SEED_SIZE] = {2};
static const uint8_t cek[SEAL_CEK_SIZE] = "content key";
static const struct seal_fixed fixed = {"content key", "ephemeral"};
static uint8_t priv[X25519_SIZE] = "bob's prekey", pub[ED25519_PUBLIC_SIZE];
static struct seal_device bob = {"bob's device", "prekey", {0}};
static const struct span none;

static bool
find_prekey(void *arg, const uint8_t id[8], uint8_t out[32])
{
	(void)arg;
	memcpy(out, priv, sizeof(priv));
	return memcmp(id, bob.prekey_id, sizeof(bob.prekey_id)) == 0;
}

static struct span
piece(struct cur *c)
{
	size_t n = cur_u16(c);

	return cur_bytes(c, n < c->n ? n : c->n);
}

/* Opens and judges; *u is to be cleared. */
static enum unseal_result
verdict(const struct p_push *push, struct unsealed *u)
{
	struct unseal_device device = {.prekey = find_prekey};
	enum unseal_result result;

	memcpy(device.id, bob.id, sizeof(device.id));
	result = unseal_open(push, &device, u);
	if (result == UNSEAL_OK)
		result = unseal_check(u, pub, span_str(BOB));
	fuzz_check(unseal_text(result)[0] != '\0');
	if (result == UNSEAL_OK) {
		fuzz_check(span_eq(u->outer.from, u->header.own.account));
		fuzz_check(u->header.to.count > 0 && u->plain.n % SEAL_STEP_SMALL == 0);
	}
	return result;
}

/* --- as a server brings it ---------------------------------------------------------------- */

static void
from_server(struct cur *c)
{
	struct p_push push = {.kind = ITEM_MESSAGE};
	struct unsealed u;

	push.outer = piece(c);
	push.stanzas.raw = piece(c);
	push.stanzas.count = 1;
	push.body = piece(c);
	/* The elements of a list have been checked when the list was decoded. */
	if (push.stanzas.raw.n > 0) {
		struct p_stanza stanza;

		if (obj_decode(&p_stanza_def, push.stanzas.raw, &stanza) != WIRE_OK)
			push.stanzas = (struct obj_list){.count = 0};
	} else {
		push.stanzas.count = 0;
	}
	/* Nobody but us has a signature by this key under this content key. */
	fuzz_check(verdict(&push, &u) != UNSEAL_OK);
	unseal_clear(&u);
}

/* --- as another client makes it ----------------------------------------------------------- */

/* Signs and pads. False if the pieces break the limits of an inside. */
static bool
make_inside(uint8_t how, struct span outer, struct i_inner *inner, struct buf *out)
{
	struct i_signed covered = {
	    .header = inner->header, .type = inner->type, .content = inner->content};
	uint8_t aad[64], zeros[SEAL_STEP_LARGE + SEAL_STEP_SMALL] = {0x80};
	struct buf payload;
	size_t pad;

	buf_init(&payload, 4 * ROOM);
	if ((how & BAD_INSIDE) != 0) {
		buf_put_span(out, inner->content);
	} else if (obj_encode(&i_signed_def, &covered, &payload) == WIRE_OK) {
		fuzz_check(seal_aad(outer, cek, aad) == 0);
		fuzz_check(
		    cose_sign(span_str(TYP_MESSAGE), span_of(aad, sizeof(aad)),
			buf_span(&payload),
			(how & BAD_SIGNATURE) != 0 ? other_seed : seed, inner->sig) == 0);
		fuzz_check(obj_encode(&i_inner_def, inner, out) == WIRE_OK);
	}
	buf_clear(&payload);
	if (out->n == 0)
		return false;
	pad = seal_padded(out->n) - out->n;
	if ((how & BAD_PADDING) != 0)
		pad += SEAL_STEP_SMALL;
	buf_put(out, zeros, pad);
	return true;
}

static void
make_body(struct span outer, struct span inside, struct buf *out)
{
	static const uint8_t nonce[AEAD_NONCE_SIZE];
	uint8_t key[SEAL_KEY_SIZE];

	fuzz_check(hkdf_derive(none, span_of(cek, sizeof(cek)),
		       span_str(SEAL_CONTENT_INFO), key, sizeof(key)) == 0);
	fuzz_check(aead_seal(AEAD_AES_128_GCM, span_of(key, sizeof(key)), nonce, outer,
		       inside, out) == 0);
}

static void
make_stanza(uint8_t how, struct span outer, struct buf *out)
{
	uint8_t info[SEAL_INFO_SIZE], aad[24];
	struct p_stanza stanza = {.has = 0};
	struct buf wrapped;
	struct hpke hpke;

	memcpy(stanza.device, bob.id, sizeof(stanza.device));
	memcpy(stanza.prekey, bob.prekey_id, sizeof(stanza.prekey));
	stanza.device[0] ^= (how & BAD_DEVICE) != 0;
	stanza.prekey[0] ^= (how & BAD_PREKEY) != 0;
	memcpy(aad, stanza.device, 16);
	memcpy(aad + 16, stanza.prekey, 8);
	buf_init(&wrapped, sizeof(stanza.wrapped));
	fuzz_check(seal_info(outer, info) == 0);
	fuzz_check(hpke_setup_sender_fixed(&hpke, AEAD_AES_128_GCM, bob.prekey,
		       span_of(info, sizeof(info)), fixed.ephemeral, stanza.enc) == 0);
	fuzz_check(hpke_seal(&hpke, span_of(aad, sizeof(aad)), span_of(cek, sizeof(cek)),
		       &wrapped) == 0);
	memcpy(stanza.wrapped, wrapped.p, sizeof(stanza.wrapped));
	buf_clear(&wrapped);
	if ((how & BAD_STANZA) != 0) {
		stanza.wrapped[0] ^= 1;
		fuzz_check(obj_encode(&p_stanza_def, &stanza, out) == WIRE_OK);
		stanza.wrapped[0] ^= 1;
	}
	fuzz_check(obj_encode(&p_stanza_def, &stanza, out) == WIRE_OK);
}

static void
from_client(uint8_t how, struct cur *c)
{
	struct p_push push = {.kind = ITEM_MESSAGE};
	struct i_inner inner = {.has = 0};
	struct buf inside, body, stanzas;
	struct unsealed u;

	buf_init(&inside, 4 * ROOM);
	buf_init(&body, 4 * ROOM);
	buf_init(&stanzas, ROOM);
	push.outer = piece(c);
	inner.header = piece(c);
	inner.type = piece(c);
	inner.content = piece(c);
	if (make_inside(how, push.outer, &inner, &inside)) {
		make_body(push.outer, buf_span(&inside), &body);
		make_stanza(how, push.outer, &stanzas);
		push.body = buf_span(&body);
		push.stanzas.raw = buf_span(&stanzas);
		push.stanzas.count = (how & BAD_STANZA) != 0 ? 2 : 1;
		if (verdict(&push, &u) == UNSEAL_OK) {
			fuzz_check((how & ~(unsigned)BAD_STANZA) == 0);
			fuzz_check(span_eq(u.inner.content, inner.content));
			fuzz_check(span_eq(u.inner.type, inner.type));
		}
		unseal_clear(&u);
	}
	buf_clear(&inside);
	buf_clear(&body);
	buf_clear(&stanzas);
}

/* --- as we make it ------------------------------------------------------------------------ */

/* Seals to bob; -1 if a piece breaks a limit. */
static int
seal(struct span type, struct span content, struct buf *out)
{
	struct seal_recipient to = {.account = span_str(BOB), .devices = &bob, .n = 1};
	struct seal_message m = {.from = span_str(ALICE),
	    .device_seed = seed,
	    .counter = content.n + 1,
	    .expires = type.n,
	    .type = type,
	    .content = content,
	    .to = &to,
	    .n = 1};
	struct seal_recipient copies = {
	    .account = span_str(ALICE), .devices = &bob, .n = type.n & 1};
	uint8_t conv[16];

	fuzz_check(seal_conv(span_str(BOB), span_str(ALICE), conv) == 0);
	m.own = (struct i_head){.account = span_str(ALICE), .generation = 1, .seq = 1};
	to.head = (struct i_head){.account = span_str(BOB), .generation = 1, .seq = 1};
	m.conv = (content.n & 1) != 0 ? conv : NULL;
	m.copies = (content.n & 2) != 0 ? &copies : NULL;
	return seal_make(&m, (content.n & 4) != 0 ? &fixed : NULL, out);
}

static void
from_us(struct cur *c)
{
	struct span type = piece(c), content = piece(c);
	struct p_recipient recipient;
	struct p_push push = {.kind = ITEM_MESSAGE};
	struct unsealed u;
	struct obj_iter it;
	struct p_put message;
	struct buf put;
	size_t at;

	buf_init(&put, SEAL_PUT_MAX);
	if (seal(type, content, &put) == 0 &&
	    obj_decode(&p_put_def, buf_span(&put), &message) == WIRE_OK) {
		obj_iter_init(&it, &message.to);
		fuzz_check(obj_next(&it, &p_recipient_def, &recipient));
		push.outer = message.outer;
		push.body = message.body;
		push.stanzas = recipient.stanzas;
		if (verdict(&push, &u) == UNSEAL_OK) {
			fuzz_check(span_eq(u.inner.content, content));
			fuzz_check(span_eq(u.inner.type, type));
		} else {
			fuzz_check(!utf8_valid(type));
		}
		unseal_clear(&u);
		at = cur_u16(c) % (push.body.n * 8);
		put.p[(size_t)(push.body.p - put.p) + at / 8] ^= (uint8_t)(1 << at % 8);
		fuzz_check(verdict(&push, &u) != UNSEAL_OK);
		unseal_clear(&u);
	}
	buf_clear(&put);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cur c;
	uint8_t how;

	if (n == 0 || n > ROOM)
		return 0;
	if (pub[0] == 0) {
		fuzz_check(ed25519_public(seed, pub) == 0);
		fuzz_check(x25519_public(priv, bob.prekey) == 0);
	}
	cur_init(&c, span_of(p, n));
	how = cur_u8(&c);
	if ((how & HOW_SERVER) != 0)
		from_server(&c);
	else if ((how & HOW_OURS) != 0)
		from_us(&c);
	else
		from_client(how, &c);
	return 0;
}
