/* SPDX-License-Identifier: ISC */
/*
 * unseal.c - sealed messages, format 1: opening and judging them.
 *
 * In two steps, because the second needs the sender's device key, which may have to be asked
 * for: unseal_open() decrypts with what this device has; unseal_check() verifies the signature
 * over header, type and content, bound to the outer header and to the content key, and that the
 * message was meant for this account. Padding, order of recipients and encodings are strict:
 * one message has one form.
 *
 * Pure; owns the plaintext in struct unsealed. Called by inbox.c. Fails with an enum. Tested by
 * check_seal.c.
 */
#include "base/mem.h"
#include "crypto/cose.h"
#include "crypto/hkdf.h"
#include "crypto/hpke.h"
#include "crypto/sha.h"
#include "unseal.h"

#define HPKE_AEAD AEAD_AES_128_GCM

static const uint8_t zero_nonce[AEAD_NONCE_SIZE];

const char *
unseal_text(enum unseal_result result)
{
	static const char *const text[] = {
	    [UNSEAL_OK] = "opened",
	    [UNSEAL_FORMAT] = "a format that is not known here",
	    [UNSEAL_STANZA] = "not for this device",
	    [UNSEAL_PREKEY] = "sealed to a key that is gone",
	    [UNSEAL_CORRUPT] = "damaged or forged",
	    [UNSEAL_SIGNATURE] = "the signature does not verify",
	    [UNSEAL_RECIPIENT] = "signed for somebody else",
	    [UNSEAL_CONV] = "signed for another conversation",
	    [UNSEAL_SENDER] = "from a device that its account does not list",
	};

	return text[result];
}

/* Opens one stanza with a prekey's private half. */
static bool
open_stanza(struct span outer, const struct p_stanza *stanza, const uint8_t priv[32],
    uint8_t cek[SEAL_CEK_SIZE])
{
	uint8_t info[SEAL_INFO_SIZE], aad[24];
	struct buf plain;
	bool ok;

	memcpy(aad, stanza->device, 16);
	memcpy(aad + 16, stanza->prekey, 8);
	buf_init(&plain, SEAL_CEK_SIZE);
	ok = seal_info(outer, info) == 0 &&
	    hpke_open_once(HPKE_AEAD, priv, stanza->enc, span_of(info, sizeof(info)),
		span_of(aad, sizeof(aad)),
		span_of(stanza->wrapped, sizeof(stanza->wrapped)), &plain) == 0 &&
	    plain.n == SEAL_CEK_SIZE;
	if (ok)
		memcpy(cek, plain.p, SEAL_CEK_SIZE);
	buf_wipe(&plain);
	return ok;
}

/* Finds the content key in the stanzas for this device. The server may bring several. */
static enum unseal_result
find_cek(const struct p_push *push, const struct unseal_device *device,
    uint8_t cek[SEAL_CEK_SIZE])
{
	enum unseal_result result = UNSEAL_STANZA;
	struct p_stanza stanza;
	struct obj_iter it;
	uint8_t priv[32];

	obj_iter_init(&it, &push->stanzas);
	while (result != UNSEAL_OK && obj_next(&it, &p_stanza_def, &stanza)) {
		if (memcmp(stanza.device, device->id, sizeof(stanza.device)) != 0)
			continue;
		if (!device->prekey(device->arg, stanza.prekey, priv))
			result = UNSEAL_PREKEY;
		else if (open_stanza(push->outer, &stanza, priv, cek))
			result = UNSEAL_OK;
		else
			result = UNSEAL_CORRUPT;
	}
	wipe(priv, sizeof(priv));
	return result;
}

static bool
open_body(struct unsealed *u, struct span body)
{
	uint8_t key[SEAL_KEY_SIZE];
	struct span none = {NULL, 0};
	bool ok;

	ok = hkdf_derive(none, span_of(u->cek, sizeof(u->cek)),
		 span_str(SEAL_CONTENT_INFO), key, sizeof(key)) == 0 &&
	    aead_open(AEAD_AES_128_GCM, span_of(key, sizeof(key)), zero_nonce,
		u->outer_bytes, body, &u->plain) == 0;
	wipe(key, sizeof(key));
	return ok;
}

/* The inside without its padding; empty if the padding is not the one that it must be. */
static struct span
unpad(struct span padded)
{
	size_t n = padded.n;

	while (n > 0 && padded.p[n - 1] == 0)
		n--;
	if (n < 2 || padded.p[n - 1] != 0x80 || seal_padded(n - 1) != padded.n)
		return span_of(NULL, 0);
	return span_of(padded.p, n - 1);
}

/* Recipients ascend bytewise and none occurs twice. */
static bool
ascending(const struct obj_list *to)
{
	struct span last = {NULL, 0}, name;
	struct obj_iter it;

	obj_iter_init(&it, to);
	while (obj_next_span(&it, &name)) {
		size_t n = last.n < name.n ? last.n : name.n;
		int order = last.p == NULL ? -1 : memcmp(last.p, name.p, n);

		if (order > 0 || (order == 0 && last.n >= name.n))
			return false;
		last = name;
	}
	return true;
}

enum unseal_result
unseal_open(
    const struct p_push *push, const struct unseal_device *device, struct unsealed *u)
{
	enum unseal_result result;
	struct span inner;

	memset(u, 0, sizeof(*u));
	buf_init(&u->plain, PROTO_ITEM_MAX);
	u->outer_bytes = push->outer;
	if (obj_decode(&p_outer_def, push->outer, &u->outer) != WIRE_OK ||
	    u->outer.fmt != SEAL_FORMAT || u->outer.suite != SEAL_SUITE)
		return UNSEAL_FORMAT;
	if ((result = find_cek(push, device, u->cek)) != UNSEAL_OK)
		return result;
	if (!open_body(u, push->body))
		return UNSEAL_CORRUPT;
	inner = unpad(buf_span(&u->plain));
	if (inner.n == 0 || obj_decode(&i_inner_def, inner, &u->inner) != WIRE_OK ||
	    obj_decode(&i_header_def, u->inner.header, &u->header) != WIRE_OK ||
	    !ascending(&u->header.to))
		return UNSEAL_CORRUPT;
	return UNSEAL_OK;
}

static bool
signed_by(const struct unsealed *u, const uint8_t key[32])
{
	struct i_signed covered = {.header = u->inner.header,
	    .type = u->inner.type,
	    .content = u->inner.content};
	struct buf payload;
	uint8_t aad[64];
	bool ok;

	buf_init(&payload, SEAL_PUT_MAX);
	ok = obj_encode(&i_signed_def, &covered, &payload) == WIRE_OK &&
	    !buf_failed(&payload) && seal_aad(u->outer_bytes, u->cek, aad) == 0 &&
	    cose_check(span_str(TYP_MESSAGE), span_of(aad, sizeof(aad)),
		buf_span(&payload), span_of(key, 32),
		span_of(u->inner.sig, sizeof(u->inner.sig))) == 0;
	buf_wipe(&payload);
	return ok;
}

static bool
is_recipient(const struct unsealed *u, struct span account)
{
	struct obj_iter it;
	struct span name;

	if (span_eq(u->outer.from, account))
		return true;
	obj_iter_init(&it, &u->header.to);
	while (obj_next_span(&it, &name))
		if (span_eq(name, account))
			return true;
	return false;
}

/* The conversation of two accounts follows from them. */
static bool
conv_ok(const struct unsealed *u)
{
	struct obj_iter it;
	uint8_t conv[16];
	struct span to;

	if (!obj_has(&p_outer_def, &u->outer, 6) || u->header.to.count != 1)
		return true;
	obj_iter_init(&it, &u->header.to);
	return obj_next_span(&it, &to) && seal_conv(u->outer.from, to, conv) == 0 &&
	    memcmp(conv, u->outer.conv, sizeof(conv)) == 0;
}

enum unseal_result
unseal_check(const struct unsealed *u, const uint8_t device_key[32], struct span account)
{
	if (!signed_by(u, device_key))
		return UNSEAL_SIGNATURE;
	if (!span_eq(u->header.own.account, u->outer.from) || !is_recipient(u, account))
		return UNSEAL_RECIPIENT;
	return conv_ok(u) ? UNSEAL_OK : UNSEAL_CONV;
}

void
unseal_clear(struct unsealed *u)
{
	buf_wipe(&u->plain);
	wipe(u->cek, sizeof(u->cek));
}
