/* SPDX-License-Identifier: ISC */
/*
 * seal.c - sealed messages, format 1: making them.
 *
 * A message is sealed in the order of doc/protocol.md section 6: outer header, content key,
 * inner header, signature, padding, encryption, one stanza for each device. The signature
 * covers the hash of the outer header and a commitment to the content key, so that neither a
 * recipient nor a server can put the signed inside into another envelope.
 *
 * Pure but for random bytes; owns nothing. Called by worklist.c. The helpers at the end are
 * shared with unseal.c. Fails with -1. Tested by check_seal.c.
 */
#include "base/mem.h"
#include "base/text.h"
#include "crypto/cose.h"
#include "crypto/hkdf.h"
#include "crypto/hpke.h"
#include "crypto/sha.h"
#include "seal.h"

#define HEADER_MAX 65536
#define HPKE_AEAD AEAD_AES_128_GCM
#define EXPIRES_KEY 6
#define CONV_KEY 6

static const uint8_t zero_nonce[AEAD_NONCE_SIZE];

/* Everything that is made on the way, in one place to be wiped. */
struct sealing {
	const struct seal_message *m;   /* borrowed */
	const struct seal_fixed *fixed; /* borrowed, may be NULL */
	uint8_t cek[SEAL_CEK_SIZE];
	struct buf outer, header, inner, body, to, stanzas;
	size_t stanza_count, to_count, sealed; /* sealed: stanzas so far, of all */
};

int
seal_conv(struct span a, struct span b, uint8_t conv[16])
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = memcmp(a.p, b.p, n);
	struct span zero = span_of("", 1), parts[5];
	uint8_t hash[SHA_SIZE];

	if (order > 0 || (order == 0 && a.n > b.n)) {
		struct span swap = a;

		a = b;
		b = swap;
	}
	parts[0] = span_str("emsg-conv-v1");
	parts[1] = zero;
	parts[2] = a;
	parts[3] = zero;
	parts[4] = b;
	if (sha_spans(parts, 5, hash) < 0)
		return -1;
	memcpy(conv, hash, 16);
	return 0;
}

size_t
seal_padded(size_t n)
{
	size_t step = n + 1 <= SEAL_SMALL ? SEAL_STEP_SMALL : SEAL_STEP_LARGE;

	return (n + 1 + step - 1) / step * step;
}

int
seal_aad(struct span outer, const uint8_t cek[SEAL_CEK_SIZE], uint8_t aad[64])
{
	struct span parts[2] = {span_str(SEAL_CEK_LABEL), span_of(cek, SEAL_CEK_SIZE)};

	if (sha_of(outer, aad) < 0)
		return -1;
	return sha_spans(parts, 2, aad + SHA_SIZE);
}

int
seal_info(struct span outer, uint8_t info[SEAL_INFO_SIZE])
{
	size_t n = sizeof(SEAL_HPKE_INFO) - 1;

	memcpy(info, SEAL_HPKE_INFO, n);
	info[n] = SEAL_SUITE >> 8;
	info[n + 1] = SEAL_SUITE & 0xff;
	return sha_of(outer, info + n + 2);
}

static int
encode(const struct obj_def *def, const void *obj, struct buf *out)
{
	return obj_encode(def, obj, out) == WIRE_OK && !buf_failed(out) ? 0 : -1;
}

static int
make_outer(struct sealing *s)
{
	struct p_outer outer = {
	    .fmt = SEAL_FORMAT, .suite = SEAL_SUITE, .from = s->m->from};

	memcpy(outer.mid, s->m->mid, sizeof(outer.mid));
	memcpy(outer.device, s->m->device, sizeof(outer.device));
	if (s->m->conv != NULL) {
		memcpy(outer.conv, s->m->conv, sizeof(outer.conv));
		obj_set(&p_outer_def, &outer, CONV_KEY);
	}
	return encode(&p_outer_def, &outer, &s->outer);
}

static int
make_header(struct sealing *s)
{
	struct i_header header = {
	    .counter = s->m->counter, .time = s->m->time, .own = s->m->own};
	struct buf names, heads;
	int rc = 0;

	buf_init(&names, HEADER_MAX);
	buf_init(&heads, HEADER_MAX);
	for (size_t i = 0; i < s->m->n && rc == 0; i++) {
		cbor_put_tstr(&names, s->m->to[i].account);
		rc = encode(&i_head_def, &s->m->to[i].head, &heads);
	}
	header.to.raw = buf_span(&names);
	header.heads.raw = buf_span(&heads);
	header.to.count = header.heads.count = s->m->n;
	if (s->m->expires != 0) {
		header.expires = s->m->expires;
		obj_set(&i_header_def, &header, EXPIRES_KEY);
	}
	if (rc == 0)
		rc = encode(&i_header_def, &header, &s->header);
	buf_clear(&names);
	buf_clear(&heads);
	return rc;
}

/* Signs, and puts the padded inside together. */
static int
make_inner(struct sealing *s)
{
	struct i_signed covered = {
	    .header = buf_span(&s->header), .type = s->m->type, .content = s->m->content};
	struct i_inner inner = {
	    .header = covered.header, .type = covered.type, .content = covered.content};
	struct buf payload;
	uint8_t aad[64], *pad;
	size_t n;
	int rc = -1;

	buf_init(&payload, SEAL_PUT_MAX);
	if (encode(&i_signed_def, &covered, &payload) == 0 &&
	    seal_aad(buf_span(&s->outer), s->cek, aad) == 0 &&
	    cose_sign(span_str(TYP_MESSAGE), span_of(aad, sizeof(aad)),
		buf_span(&payload), s->m->device_seed, inner.sig) == 0)
		rc = encode(&i_inner_def, &inner, &s->inner);
	buf_wipe(&payload);
	if (rc < 0)
		return -1;
	n = seal_padded(s->inner.n) - s->inner.n;
	if ((pad = buf_reserve(&s->inner, n)) == NULL)
		return -1;
	memset(pad, 0, n);
	pad[0] = 0x80;
	buf_advance(&s->inner, n);
	return 0;
}

static int
make_body(struct sealing *s)
{
	uint8_t key[SEAL_KEY_SIZE];
	struct span none = {NULL, 0};
	int rc = hkdf_derive(none, span_of(s->cek, sizeof(s->cek)),
	    span_str(SEAL_CONTENT_INFO), key, sizeof(key));

	if (rc == 0)
		rc = aead_seal(AEAD_AES_128_GCM, span_of(key, sizeof(key)), zero_nonce,
		    buf_span(&s->outer), buf_span(&s->inner), &s->body);
	wipe(key, sizeof(key));
	return rc;
}

/* --- stanzas ------------------------------------------------------------------------------ */

/* The HPKE context towards a prekey: fresh, or that of the worked example. */
static int
context(struct sealing *s, const uint8_t pub[32], struct span info, struct hpke *hpke,
    uint8_t enc[HPKE_ENC_SIZE])
{
	uint8_t number = (uint8_t)s->sealed, priv[SHA_SIZE];
	struct span parts[2];

	if (s->fixed == NULL)
		return hpke_setup_sender(hpke, HPKE_AEAD, pub, info, enc);
	parts[0] = span_of(s->fixed->ephemeral, sizeof(s->fixed->ephemeral));
	parts[1] = span_of(&number, 1);
	if (sha_spans(parts, 2, priv) < 0)
		return -1;
	return hpke_setup_sender_fixed(hpke, HPKE_AEAD, pub, info, priv, enc);
}

static int
make_stanza(struct sealing *s, const struct seal_device *device)
{
	uint8_t info[SEAL_INFO_SIZE], aad[24];
	struct p_stanza stanza = {.has = 0};
	struct buf wrapped;
	struct hpke hpke;
	int rc = -1;

	memcpy(stanza.device, device->id, sizeof(stanza.device));
	memcpy(stanza.prekey, device->prekey_id, sizeof(stanza.prekey));
	memcpy(aad, device->id, 16);
	memcpy(aad + 16, device->prekey_id, 8);
	buf_init(&wrapped, sizeof(stanza.wrapped));
	if (seal_info(buf_span(&s->outer), info) == 0 &&
	    context(s, device->prekey, span_of(info, sizeof(info)), &hpke, stanza.enc) ==
		0) {
		rc = hpke_seal(&hpke, span_of(aad, sizeof(aad)),
		    span_of(s->cek, sizeof(s->cek)), &wrapped);
		hpke_wipe(&hpke);
	}
	if (rc == 0 && wrapped.n == sizeof(stanza.wrapped)) {
		memcpy(stanza.wrapped, wrapped.p, sizeof(stanza.wrapped));
		rc = encode(&p_stanza_def, &stanza, &s->stanzas);
	}
	s->sealed++;
	buf_clear(&wrapped);
	return rc;
}

static int
make_recipient(struct sealing *s, const struct seal_recipient *to)
{
	struct p_recipient recipient = {.account = to->account};

	buf_reset(&s->stanzas);
	for (size_t i = 0; i < to->n; i++)
		if (make_stanza(s, &to->devices[i]) < 0)
			return -1;
	recipient.stanzas.raw = buf_span(&s->stanzas);
	recipient.stanzas.count = to->n;
	s->to_count++;
	return encode(&p_recipient_def, &recipient, &s->to);
}

static int
make_recipients(struct sealing *s)
{
	for (size_t i = 0; i < s->m->n; i++)
		if (make_recipient(s, &s->m->to[i]) < 0)
			return -1;
	if (s->m->copies != NULL && s->m->copies->n > 0)
		return make_recipient(s, s->m->copies);
	return 0;
}

static int
make_put(struct sealing *s, struct buf *out)
{
	struct p_put put = {.kind = ITEM_MESSAGE,
	    .outer = buf_span(&s->outer),
	    .body = buf_span(&s->body)};

	put.to.raw = buf_span(&s->to);
	put.to.count = s->to_count;
	if (encode(&p_put_def, &put, out) < 0)
		return -1;
	return out->n <= SEAL_PUT_MAX ? 0 : -1;
}

int
seal_make(const struct seal_message *m, const struct seal_fixed *fixed, struct buf *out)
{
	struct sealing s = {.m = m, .fixed = fixed};
	int rc = -1;

	if (m->content.n > SEAL_CONTENT_MAX)
		return -1;
	buf_init(&s.outer, 1024);
	buf_init(&s.header, HEADER_MAX);
	buf_init(&s.inner, PROTO_ITEM_MAX);
	buf_init(&s.body, PROTO_ITEM_MAX);
	buf_init(&s.to, SEAL_PUT_MAX);
	buf_init(&s.stanzas, SEAL_PUT_MAX);
	if (fixed != NULL)
		memcpy(s.cek, fixed->cek, sizeof(s.cek));
	else
		random_bytes(s.cek, sizeof(s.cek));
	if (make_outer(&s) == 0 && make_header(&s) == 0 && make_inner(&s) == 0 &&
	    make_body(&s) == 0 && make_recipients(&s) == 0)
		rc = make_put(&s, out);
	wipe(s.cek, sizeof(s.cek));
	buf_clear(&s.outer);
	buf_clear(&s.header);
	buf_wipe(&s.inner);
	buf_clear(&s.body);
	buf_clear(&s.to);
	buf_clear(&s.stanzas);
	return rc;
}
