/* SPDX-License-Identifier: ISC */
/*
 * hpke.c - RFC 9180 base mode with DHKEM(X25519, HKDF-SHA256) and HKDF-SHA256.
 *
 * Written out here because OpenSSL has HPKE from 3.2 only and must be usable from 3.0;
 * the primitives are those of x25519.c, hkdf.c and aead.c. Called by the client for
 * sealed messages (one seal per recipient device); no server process opens or seals
 * anything. Owns nothing between calls; a struct hpke belongs to the caller, who wipes
 * it, and every secret on the stack is wiped before return. Fails (-1) on a bad public
 * key, an unknown AEAD, a message that does not authenticate, a full output buffer. The
 * names in comments (LabeledExtract, KeySchedule ...) are those of the RFC.
 */
#include "config.h"

#include "crypto/hpke.h"

#include "base/mem.h"
#include "crypto/hkdf.h"

#define KEM_ID 0x0020
#define KDF_ID 0x0001
#define MODE_BASE 0x00

static const uint8_t version[7] = {'H', 'P', 'K', 'E', '-', 'v', '1'};
static const uint8_t kem_suite[5] = {'K', 'E', 'M', KEM_ID >> 8, KEM_ID & 0xff};

#define SUITE_SIZE 10

static void
hpke_suite(enum aead_alg alg, uint8_t suite[SUITE_SIZE])
{
	static const uint8_t prefix[] = {
	    'H', 'P', 'K', 'E', KEM_ID >> 8, KEM_ID & 0xff, KDF_ID >> 8, KDF_ID & 0xff};

	memcpy(suite, prefix, sizeof(prefix));
	suite[SUITE_SIZE - 2] = (uint8_t)((unsigned)alg >> 8);
	suite[SUITE_SIZE - 1] = (uint8_t)((unsigned)alg & 0xff);
}

/* LabeledExtract(salt, label, ikm) of 4. */
static int
labeled_extract(struct span suite, struct span salt, const char *label, struct span ikm,
    uint8_t prk[SHA_SIZE])
{
	struct span parts[] = {
	    span_of(version, sizeof(version)), suite, span_str(label), ikm};

	return hkdf_extract(salt, parts, 4, prk);
}

/* LabeledExpand(prk, label, info, size) of 4. */
static int
labeled_expand(struct span suite, const uint8_t prk[SHA_SIZE], const char *label,
    struct span info, uint8_t *out, size_t size)
{
	uint8_t length[2] = {(uint8_t)(size >> 8), (uint8_t)(size & 0xff)};
	struct span parts[] = {span_of(length, sizeof(length)),
	    span_of(version, sizeof(version)), suite, span_str(label), info};

	return hkdf_expand(prk, parts, 5, out, size);
}

int
hpke_derive(struct span ikm, uint8_t priv[X25519_SIZE], uint8_t pub[X25519_SIZE])
{
	struct span suite = span_of(kem_suite, sizeof(kem_suite));
	struct span none = span_of(NULL, 0);
	uint8_t prk[SHA_SIZE];
	int rc = -1;

	if (ikm.n >= HPKE_IKM_MIN &&
	    labeled_extract(suite, none, "dkp_prk", ikm, prk) == 0 &&
	    labeled_expand(suite, prk, "sk", none, priv, X25519_SIZE) == 0)
		rc = x25519_public(priv, pub);
	wipe(prk, sizeof(prk));
	if (rc != 0)
		wipe(priv, X25519_SIZE);
	return rc;
}

/* ExtractAndExpand(dh, enc | pub) of 4.1. */
static int
kem_secret(const uint8_t dh[X25519_SIZE], const uint8_t enc[HPKE_ENC_SIZE],
    const uint8_t pub[X25519_SIZE], uint8_t secret[SHA_SIZE])
{
	struct span suite = span_of(kem_suite, sizeof(kem_suite));
	uint8_t context[HPKE_ENC_SIZE + X25519_SIZE], prk[SHA_SIZE];
	int rc = -1;

	memcpy(context, enc, HPKE_ENC_SIZE);
	memcpy(context + HPKE_ENC_SIZE, pub, X25519_SIZE);
	if (labeled_extract(
		suite, span_of(NULL, 0), "eae_prk", span_of(dh, X25519_SIZE), prk) == 0)
		rc = labeled_expand(suite, prk, "shared_secret",
		    span_of(context, sizeof(context)), secret, SHA_SIZE);
	wipe(prk, sizeof(prk));
	return rc;
}

/* key_schedule_context of 5.1: mode | psk_id_hash | info_hash; the psk id is empty. */
#define SCHEDULE_SIZE (1 + SHA_SIZE + SHA_SIZE)

static int
schedule_context(struct span suite, struct span info, uint8_t context[SCHEDULE_SIZE])
{
	struct span none = span_of(NULL, 0);

	context[0] = MODE_BASE;
	if (labeled_extract(suite, none, "psk_id_hash", none, context + 1) != 0)
		return -1;
	return labeled_extract(suite, none, "info_hash", info, context + 1 + SHA_SIZE);
}

/* KeySchedule of 5.1 in base mode: shared secret and info to key and base nonce. */
static int
key_schedule(
    struct hpke *h, enum aead_alg alg, const uint8_t shared[SHA_SIZE], struct span info)
{
	uint8_t id[SUITE_SIZE], bytes[SCHEDULE_SIZE], secret[SHA_SIZE];
	struct span suite = span_of(id, sizeof(id));
	struct span context = span_of(bytes, sizeof(bytes));
	size_t size = aead_key_size(alg);
	int rc = -1;

	memset(h, 0, sizeof(*h));
	h->alg = alg;
	hpke_suite(alg, id);
	if (size > 0 && schedule_context(suite, info, bytes) == 0 &&
	    labeled_extract(suite, span_of(shared, SHA_SIZE), "secret", span_of(NULL, 0),
		secret) == 0 &&
	    labeled_expand(suite, secret, "key", context, h->key, size) == 0 &&
	    labeled_expand(suite, secret, "base_nonce", context, h->base_nonce,
		AEAD_NONCE_SIZE) == 0)
		rc = 0;
	wipe(secret, sizeof(secret));
	if (rc != 0)
		hpke_wipe(h);
	return rc;
}

int
hpke_setup_sender(struct hpke *h, enum aead_alg alg, const uint8_t pub[X25519_SIZE],
    struct span info, uint8_t enc[HPKE_ENC_SIZE])
{
	uint8_t ephemeral[X25519_SIZE];
	int rc = x25519_keygen(ephemeral, enc);

	if (rc == 0)
		rc = hpke_setup_sender_fixed(h, alg, pub, info, ephemeral, enc);
	else
		hpke_wipe(h);
	wipe(ephemeral, sizeof(ephemeral));
	return rc;
}

int
hpke_setup_sender_fixed(struct hpke *h, enum aead_alg alg, const uint8_t pub[X25519_SIZE],
    struct span info, const uint8_t ephemeral[X25519_SIZE], uint8_t enc[HPKE_ENC_SIZE])
{
	uint8_t dh[X25519_SIZE], secret[SHA_SIZE];
	int rc = -1;

	hpke_wipe(h);
	if (x25519_public(ephemeral, enc) == 0 &&
	    x25519_shared(ephemeral, pub, dh) == 0 &&
	    kem_secret(dh, enc, pub, secret) == 0)
		rc = key_schedule(h, alg, secret, info);
	wipe(dh, sizeof(dh));
	wipe(secret, sizeof(secret));
	return rc;
}

int
hpke_setup_receiver(struct hpke *h, enum aead_alg alg, const uint8_t priv[X25519_SIZE],
    const uint8_t enc[HPKE_ENC_SIZE], struct span info)
{
	uint8_t pub[X25519_SIZE], dh[X25519_SIZE], secret[SHA_SIZE];
	int rc = -1;

	hpke_wipe(h);
	if (x25519_public(priv, pub) == 0 && x25519_shared(priv, enc, dh) == 0 &&
	    kem_secret(dh, enc, pub, secret) == 0)
		rc = key_schedule(h, alg, secret, info);
	wipe(dh, sizeof(dh));
	wipe(secret, sizeof(secret));
	return rc;
}

/* ComputeNonce(seq) of 5.2. */
static void
message_nonce(const struct hpke *h, uint8_t nonce[AEAD_NONCE_SIZE])
{
	memcpy(nonce, h->base_nonce, AEAD_NONCE_SIZE);
	for (size_t i = 0; i < sizeof(h->seq); i++)
		nonce[AEAD_NONCE_SIZE - 1 - i] ^= (uint8_t)(h->seq >> (8 * i));
}

int
hpke_seal(struct hpke *h, struct span aad, struct span plain, struct buf *out)
{
	uint8_t nonce[AEAD_NONCE_SIZE];
	struct span key = span_of(h->key, aead_key_size(h->alg));

	message_nonce(h, nonce);
	if (h->seq == UINT64_MAX || aead_seal(h->alg, key, nonce, aad, plain, out) != 0)
		return -1;
	h->seq++;
	return 0;
}

int
hpke_open(struct hpke *h, struct span aad, struct span cipher, struct buf *out)
{
	uint8_t nonce[AEAD_NONCE_SIZE];
	struct span key = span_of(h->key, aead_key_size(h->alg));

	message_nonce(h, nonce);
	if (h->seq == UINT64_MAX || aead_open(h->alg, key, nonce, aad, cipher, out) != 0)
		return -1;
	h->seq++;
	return 0;
}

void
hpke_wipe(struct hpke *h)
{
	wipe(h, sizeof(*h));
}

int
hpke_seal_once(enum aead_alg alg, const uint8_t pub[X25519_SIZE], struct span info,
    struct span aad, struct span plain, uint8_t enc[HPKE_ENC_SIZE], struct buf *out)
{
	struct hpke h;
	int rc = hpke_setup_sender(&h, alg, pub, info, enc);

	if (rc == 0)
		rc = hpke_seal(&h, aad, plain, out);
	hpke_wipe(&h);
	return rc;
}

int
hpke_open_once(enum aead_alg alg, const uint8_t priv[X25519_SIZE],
    const uint8_t enc[HPKE_ENC_SIZE], struct span info, struct span aad,
    struct span cipher, struct buf *out)
{
	struct hpke h;
	int rc = hpke_setup_receiver(&h, alg, priv, enc, info);

	if (rc == 0)
		rc = hpke_open(&h, aad, cipher, out);
	hpke_wipe(&h);
	return rc;
}
