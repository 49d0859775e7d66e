/* SPDX-License-Identifier: ISC */
/*
 * fuzz_trust.c - fuzz target: who speaks for a domain, an account, a device.
 *
 * The first byte chooses what is judged, the rest is up to three objects, signed here if the
 * input says so (signer.h). Keys and time are fixed, so that payloads which name them get past the signatures. What must
 * hold: what was accepted says what it was accepted for, and with any one bit changed it is
 * not accepted any more.
 */
#include "config.h"

#include "crypto/trust.h"
#include "fuzz/fuzz.h"
#include "fuzz/signer.h"

#define NOW 1800000000000ULL
#define DOMAIN "im.alpha.test"
#define ACCOUNT "alice#im.alpha.test"
#define OBJECTS 3
#define JUDGE_CONSENT 2

/* What the input says beside its objects. */
struct input {
	struct buf objects[OBJECTS];
	uint8_t how;
	size_t bit; /* which bit of an accepted object is changed */
};

/* Changes one bit, or changes it back. */
static struct span
changed(const struct input *in, struct buf *object)
{
	size_t at = in->bit % (object->n * 8);

	object->p[at / 8] ^= (uint8_t)(1 << at % 8);
	return buf_span(object);
}

/* --- domains ------------------------------------------------------------------------------ */

static void
judge_proofs(struct input *in, const struct trust_domain *td)
{
	static const uint8_t dialler[32] = "dialler", acceptor[32] = "acceptor",
			     exporter[32] = "exporter";
	struct trust_peer want = {SIDE_DIALLER, span_str(DOMAIN),
	    span_str("im.beta.test"), dialler, acceptor, exporter};
	struct buf *proof = &in->objects[1];
	struct span payload;

	if (proof->n == 0)
		return;
	if (trust_peer(td, buf_span(proof), &want, NOW) == CODE_DONE) {
		fuzz_check(trust_by_domain(td, buf_span(proof), TYP_SERVER, NOW,
			       &payload) != CODE_DONE);
		fuzz_check(trust_peer(td, changed(in, proof), &want, NOW) != CODE_DONE);
		(void)changed(in, proof);
		want.side = SIDE_ACCEPTOR;
		fuzz_check(trust_peer(td, buf_span(proof), &want, NOW) != CODE_DONE);
	}
	if (trust_server(td, buf_span(proof), acceptor, exporter, NOW) == CODE_DONE)
		fuzz_check(trust_server(td, changed(in, proof), acceptor, exporter,
			       NOW) != CODE_DONE);
}

static void
judge_domain(struct input *in)
{
	struct buf *document = &in->objects[0];
	struct trust_domain td, other;
	uint8_t hash[SHA_SIZE];

	if (trust_domain(buf_span(document), span_str(DOMAIN), NOW, &td) != CODE_DONE)
		return;
	fuzz_check(span_eq(td.doc.domain, span_str(DOMAIN)) && td.doc.expires > NOW);
	fuzz_check(sha_of(buf_span(document), hash) == 0);
	fuzz_check(memcmp(hash, td.hash, sizeof(hash)) == 0);
	judge_proofs(in, &td);
	fuzz_check(trust_domain(changed(in, document), span_str(DOMAIN), NOW, &other) !=
	    CODE_DONE);
}

/* --- accounts ----------------------------------------------------------------------------- */

static void
judge_by_device(struct input *in, struct trust_account *ta)
{
	struct span object = buf_span(&in->objects[2]), payload;
	struct s_consent consent;
	struct s_prekey prekey;
	struct s_device device;

	if (trust_prekey(ta, object, &prekey) == CODE_DONE) {
		fuzz_check(span_eq(prekey.account, span_str(ACCOUNT)));
		fuzz_check(trust_device(ta, prekey.device, &device));
		fuzz_check(trust_by_device(ta, prekey.device, object, TYP_PREKEY,
			       &payload) == CODE_DONE);
		fuzz_check(trust_by_device(ta, prekey.device, object, TYP_LOGIN,
			       &payload) == CODE_BAD_SIGNATURE);
		fuzz_check(trust_by_device(ta, prekey.device, span_of(payload.p, 0),
			       TYP_PREKEY, &payload) == CODE_MALFORMED);
	}
	if (trust_consent(object, TYP_REVOKE, ta, &consent) == CODE_DONE) {
		fuzz_check(span_eq(consent.from, span_str(ACCOUNT)));
		fuzz_check(trust_device(ta, consent.device, &device));
	}
}

static void
judge_account(struct input *in)
{
	struct buf *cert = &in->objects[0], *list = &in->objects[1];
	struct trust_account ta, other;
	struct s_device device;
	struct obj_iter it;
	uint8_t id[PROTO_DEVICE_SIZE];

	if (trust_account(span_str(ACCOUNT), buf_span(cert), buf_span(list), &ta) !=
	    CODE_DONE)
		return;
	fuzz_check(ta.cert.generation == ta.list.generation);
	obj_iter_init(&it, &ta.list.devices);
	while (obj_next(&it, &s_device_def, &device)) {
		fuzz_check(trust_device_id(device.key, id) == 0);
		fuzz_check(trust_device(&ta, id, &device));
		fuzz_check(memcmp(id, device.id, sizeof(id)) == 0);
	}
	id[0] ^= 1;
	fuzz_check(!trust_device(&ta, id, &device) || ta.list.devices.count > 1);
	judge_by_device(in, &ta);
	fuzz_check(trust_account(span_str(ACCOUNT), buf_span(cert), changed(in, list),
		       &other) != CODE_DONE);
	(void)changed(in, list);
	fuzz_check(trust_account(span_str(ACCOUNT), changed(in, cert), buf_span(list),
		       &other) != CODE_DONE);
}

static void
judge_consent(struct input *in, const char *typ)
{
	struct buf *object = &in->objects[0];
	struct trust_account maker, again;
	struct s_consent consent;

	if (trust_consent(buf_span(object), typ, &maker, &consent) != CODE_DONE)
		return;
	fuzz_check(trust_account(consent.from, consent.listkey, consent.devlist,
		       &again) == CODE_DONE);
	fuzz_check(memcmp(maker.head, again.head, sizeof(again.head)) == 0);
	fuzz_check(
	    trust_consent(changed(in, object), typ, &again, &consent) != CODE_DONE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct input in;
	struct cur c;

	if (n < 4 || n > UINT16_MAX)
		return 0;
	cur_init(&c, span_of(p, n));
	in.how = cur_u8(&c);
	in.bit = (size_t)p[n - 1] << 8 | p[n - 2];
	for (size_t i = 0; i < OBJECTS; i++) {
		buf_init(&in.objects[i], UINT16_MAX + COSE_OVERHEAD);
		signer_read(&c, &in.objects[i]);
	}
	switch (in.how & 3) {
	case 0:
		judge_domain(&in);
		break;
	case 1:
		judge_account(&in);
		break;
	default:
		judge_consent(
		    &in, (in.how & 3) == JUDGE_CONSENT ? TYP_REQUEST : TYP_GRANT);
	}
	for (size_t i = 0; i < OBJECTS; i++)
		buf_clear(&in.objects[i]);
	return 0;
}
