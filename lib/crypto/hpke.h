/* SPDX-License-Identifier: ISC */
/*
 * hpke.h - hybrid public key encryption (RFC 9180): base mode, DHKEM(X25519, HKDF-SHA256)
 * (0x0020), HKDF-SHA256 (0x0001), and the AEADs of aead.h.
 *
 * A struct hpke is one direction of one encryption context: the sender seals, the
 * receiver opens, in the same order. It holds secrets: hpke_wipe() it. All return 0 or
 * -1.
 */
#ifndef CRYPTO_HPKE_H
#define CRYPTO_HPKE_H

#include "crypto/aead.h"
#include "crypto/x25519.h"

#define HPKE_ENC_SIZE X25519_SIZE /* the encapsulated key: an ephemeral public key */
#define HPKE_IKM_MIN 32           /* least bytes for hpke_derive() */

struct hpke {
	enum aead_alg alg;
	uint8_t key[AEAD_KEY_MAX]; /* aead_key_size(alg) bytes of it */
	uint8_t base_nonce[AEAD_NONCE_SIZE];
	uint64_t seq; /* of the next message */
};

/* DeriveKeyPair (7.1.3) from at least HPKE_IKM_MIN bytes of key material. */
int hpke_derive(struct span ikm, uint8_t priv[X25519_SIZE], uint8_t pub[X25519_SIZE]);
/* SetupBaseS (5.1.1) towards pub with a fresh ephemeral key; enc goes to the receiver. */
int hpke_setup_sender(struct hpke *, enum aead_alg, const uint8_t pub[X25519_SIZE],
    struct span info, uint8_t enc[HPKE_ENC_SIZE]);
/* The same with the ephemeral private key given. FOR TESTS ONLY: using one ephemeral key
 * twice with the same receiver and info reuses key and nonce. */
int hpke_setup_sender_fixed(struct hpke *, enum aead_alg, const uint8_t pub[X25519_SIZE],
    struct span info, const uint8_t ephemeral[X25519_SIZE], uint8_t enc[HPKE_ENC_SIZE]);
/* SetupBaseR (5.1.1) with the receiver's private key. */
int hpke_setup_receiver(struct hpke *, enum aead_alg, const uint8_t priv[X25519_SIZE],
    const uint8_t enc[HPKE_ENC_SIZE], struct span info);
/* ContextS.Seal (5.2): appends plain.n + AEAD_TAG_SIZE bytes and steps seq. */
int hpke_seal(struct hpke *, struct span aad, struct span plain, struct buf *out);
/* ContextR.Open (5.2): appends the plaintext and steps seq; on failure neither. */
int hpke_open(struct hpke *, struct span aad, struct span cipher, struct buf *out);
void hpke_wipe(struct hpke *);

/* Single-shot (6.1): one message, a fresh context. */
int hpke_seal_once(enum aead_alg, const uint8_t pub[X25519_SIZE], struct span info,
    struct span aad, struct span plain, uint8_t enc[HPKE_ENC_SIZE], struct buf *out);
int hpke_open_once(enum aead_alg, const uint8_t priv[X25519_SIZE],
    const uint8_t enc[HPKE_ENC_SIZE], struct span info, struct span aad,
    struct span cipher, struct buf *out);

#endif
