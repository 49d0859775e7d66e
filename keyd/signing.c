/* SPDX-License-Identifier: ISC */
/*
 * signing.c - building and signing typed statements.
 *
 * Pure functions of a ring, a request and a time. Whoever asks may be in the hands of an
 * attacker, so every request is judged by its form first; a refusal is a reply code and
 * never ends the process.
 */
#include <openssl/evp.h>

#include "crypto/cose.h"
#include "keyd/signing.h"

#define TLS_PAD 64
static const char tls_context[] = "TLS 1.3, server CertificateVerify";

/* 64 x 0x20, context text, 0x00, transcript hash of SHA-256 or SHA-384. */
static bool
is_certificate_verify(struct span content)
{
	size_t head = TLS_PAD + sizeof(tls_context); /* its terminator is the zero byte */

	if (content.n != head + 32 && content.n != head + 48)
		return false;
	for (size_t i = 0; i < TLS_PAD; i++)
		if (content.p[i] != 0x20)
			return false;
	return memcmp(content.p + TLS_PAD, tls_context, sizeof(tls_context)) == 0;
}

uint16_t
signing_tls(const struct keyring *ring, const uint8_t id[32], struct span content,
    struct buf *out)
{
	const struct tls_key *key = keyring_tls(ring, id);
	uint16_t code = CODE_STORAGE;
	const EVP_MD *md;
	EVP_MD_CTX *ctx;
	uint8_t sig[256];
	size_t n = sizeof(sig);

	if (!is_certificate_verify(content))
		return CODE_NOT_AUTHORISED;
	if (key == NULL)
		return CODE_NOT_FOUND;
	md = EVP_PKEY_is_a(key->pkey, "EC") ? EVP_sha256() : NULL;
	ctx = EVP_MD_CTX_new();
	if (ctx != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, key->pkey) == 1 &&
	    EVP_DigestSign(ctx, sig, &n, content.p, content.n) == 1) {
		buf_put(out, sig, n);
		code = buf_failed(out) ? CODE_STORAGE : CODE_DONE;
	}
	EVP_MD_CTX_free(ctx);
	return code;
}

/* Encodes a statement and signs it under its typ with the key that is valid now. */
static uint16_t
sign_object(const struct keyring *ring, const char *typ, const struct obj_def *def,
    const void *statement, uint64_t now, struct buf *out)
{
	const struct sign_key *key = keyring_signer(ring, now);
	uint16_t code = CODE_MALFORMED;
	struct buf payload;

	if (key == NULL)
		return CODE_EXPIRED;
	buf_init(&payload, SIGNING_MAX);
	if (obj_encode(def, statement, &payload) == WIRE_OK && !buf_failed(&payload))
		code = cose_sign1_make(span_str(typ), span_of(NULL, 0),
			   buf_span(&payload), key->seed, out) == 0
		    ? CODE_DONE
		    : CODE_STORAGE;
	buf_clear(&payload);
	return code;
}

uint16_t
signing_peer(const struct keyring *ring, enum peer_side side, const struct m_prove *ask,
    uint64_t now, struct buf *out)
{
	struct s_peer proof = {.side = side, .time = now};

	if (!addr_domain_valid(ask->peer, NULL) ||
	    span_eq(ask->peer, ring->domain.doc.domain))
		return CODE_WRONG_DOMAIN;
	proof.dialler = side == SIDE_DIALLER ? ring->domain.doc.domain : ask->peer;
	proof.acceptor = side == SIDE_DIALLER ? ask->peer : ring->domain.doc.domain;
	memcpy(proof.nonce_dialler, ask->nonce_dialler, sizeof(proof.nonce_dialler));
	memcpy(proof.nonce_acceptor, ask->nonce_acceptor, sizeof(proof.nonce_acceptor));
	memcpy(proof.exporter, ask->exporter, sizeof(proof.exporter));
	memcpy(proof.document, ring->domain.hash, sizeof(proof.document));
	return sign_object(ring, TYP_PEER, &s_peer_def, &proof, now, out);
}

uint16_t
signing_server(
    const struct keyring *ring, const struct m_prove *ask, uint64_t now, struct buf *out)
{
	struct s_server proof = {.domain = ring->domain.doc.domain, .time = now};

	memcpy(proof.nonce, ask->nonce_dialler, sizeof(proof.nonce));
	memcpy(proof.exporter, ask->exporter, sizeof(proof.exporter));
	memcpy(proof.document, ring->domain.hash, sizeof(proof.document));
	return sign_object(ring, TYP_SERVER, &s_server_def, &proof, now, out);
}
