/* SPDX-License-Identifier: ISC */
/*
 * keyring.c - loading and holding the server's private keys.
 *
 * Owns every key object and seed; they exist in this process only. Called by keyd.c at start
 * and at each reload, which makes a second ring and swaps it in when it is complete. Files
 * come from the operator, so faults are static texts for his eyes, and nothing is fatal here.
 */
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "crypto/sha.h"
#include "keyd/keyring.h"

struct keyring *
keyring_new(void)
{
	return xcalloc(1, sizeof(struct keyring));
}

void
keyring_free(struct keyring *ring)
{
	if (ring == NULL)
		return;
	for (size_t i = 0; i < ring->ntls; i++) {
		EVP_PKEY_free(ring->tls[i].pkey);
		free(ring->tls[i].name);
	}
	for (size_t i = 0; i < ring->nsign; i++)
		free(ring->sign[i].name);
	free(ring->document);
	freezero(ring, sizeof(*ring));
}

/* SHA-256 of the public half as SubjectPublicKeyInfo (RFC 5280 section 4.1). */
static int
spki_hash(EVP_PKEY *pkey, uint8_t out[32])
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(pkey, &der), r;

	if (n <= 0)
		return -1;
	r = sha_of(span_of(der, (size_t)n), out);
	OPENSSL_free(der);
	return r;
}

/* No passphrase is ever asked for: an encrypted key file is refused. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf, (void)size, (void)rwflag, (void)arg;
	return -1;
}

const char *
keyring_add_tls(struct keyring *ring, struct span pem, struct span name)
{
	struct tls_key *key;
	EVP_PKEY *pkey;
	BIO *bio;

	if (ring->ntls == KEYRING_KEYS_MAX)
		return "too many TLS keys";
	key = &ring->tls[ring->ntls];
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio == NULL)
		return "out of memory";
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (pkey == NULL)
		return "not an unencrypted private key in PEM";
	if (!EVP_PKEY_is_a(pkey, "EC") && !EVP_PKEY_is_a(pkey, "ED25519")) {
		EVP_PKEY_free(pkey);
		return "neither an EC P-256 nor an Ed25519 key";
	}
	if (spki_hash(pkey, key->id) == -1) {
		EVP_PKEY_free(pkey);
		return "its public half cannot be encoded";
	}
	key->pkey = pkey;
	key->name = xstrndup((const char *)name.p, name.n);
	ring->ntls++;
	return NULL;
}

const char *
keyring_add_sign(struct keyring *ring, struct span pem, struct span name)
{
	struct sign_key *key;

	if (ring->nsign == KEYRING_KEYS_MAX)
		return "too many signing keys";
	key = &ring->sign[ring->nsign];
	if (ed25519_pem_read(pem, key->seed) == -1 ||
	    ed25519_public(key->seed, key->pub) == -1) {
		wipe(key->seed, sizeof(key->seed));
		return "not an unencrypted Ed25519 private key in PEM";
	}
	key->name = xstrndup((const char *)name.p, name.n);
	ring->nsign++;
	return NULL;
}

const char *
keyring_add_document(struct keyring *ring, struct span bytes)
{
	if (ring->document != NULL)
		return "there is more than one domain document";
	if (bytes.n == 0 || bytes.n > PROTO_OBJECT_MAX)
		return "empty or too large";
	ring->document = xmemdup(bytes.p, bytes.n);
	ring->ndocument = bytes.n;
	return NULL;
}

/* Copies the times of the document's key list to our keys; how many of ours it lists. */
static size_t
match_keys(struct keyring *ring)
{
	struct s_domain_key listed;
	struct obj_iter it;
	size_t found = 0;

	obj_iter_init(&it, &ring->domain.doc.keys);
	while (obj_next(&it, &s_domain_key_def, &listed)) {
		for (size_t i = 0; i < ring->nsign; i++) {
			struct sign_key *key = &ring->sign[i];

			if (memcmp(key->pub, listed.key, sizeof(key->pub)) != 0)
				continue;
			key->from = listed.from;
			key->until = listed.until;
			found++;
		}
	}
	return found;
}

const char *
keyring_complete(struct keyring *ring, const char *domain, uint64_t now)
{
	if (ring->ntls == 0)
		return "there is no TLS key";
	if (ring->nsign == 0)
		return "there is no domain signing key; run emsgctl setup";
	if (ring->document == NULL)
		return "there is no domain document; run emsgctl setup";
	switch (
	    trust_domain(keyring_document(ring), span_str(domain), now, &ring->domain)) {
	case CODE_DONE:
		break;
	case CODE_WRONG_DOMAIN:
		return "the domain document is of another domain";
	case CODE_EXPIRED:
		return "the domain document has expired";
	case CODE_BAD_SIGNATURE:
		return "the domain document's signature is wrong";
	default:
		return "the domain document is not a valid one";
	}
	if (match_keys(ring) == 0)
		return "the domain document lists none of the signing keys";
	if (keyring_signer(ring, now) == NULL)
		return "no signing key may sign now";
	return NULL;
}

const struct sign_key *
keyring_signer(const struct keyring *ring, uint64_t now)
{
	const struct sign_key *best = NULL;

	for (size_t i = 0; i < ring->nsign; i++) {
		const struct sign_key *key = &ring->sign[i];

		if (now < key->from || now >= key->until)
			continue;
		if (best == NULL || key->until > best->until)
			best = key;
	}
	return best;
}

const struct tls_key *
keyring_tls(const struct keyring *ring, const uint8_t id[32])
{
	for (size_t i = 0; i < ring->ntls; i++)
		if (memcmp(ring->tls[i].id, id, 32) == 0)
			return &ring->tls[i];
	return NULL;
}

struct span
keyring_document(const struct keyring *ring)
{
	return span_of(ring->document, ring->ndocument);
}
