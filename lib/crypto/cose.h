/* SPDX-License-Identifier: ISC */
/*
 * cose.h - signed objects: EMSG's profile of COSE_Sign1 (RFC 9052, 4.2).
 *
 *   18([ bstr .cbor {1: -19, 16: typ}, {}, payload bstr, signature bstr .size 64 ])
 *
 * alg -19 is Ed25519 (RFC 9864); typ (RFC 9596) is a text that separates uses: a
 * signature made for one typ is worthless for another. What is signed is
 *
 *   ["Signature1", protected bstr, external_aad bstr, payload bstr]
 *
 * external_aad is known to both sides and not sent. One object has exactly one encoding;
 * everything else is refused. Where only 64 bytes of signature travel (login, peer proof,
 * the signature inside a sealed message), cose_sign() and cose_check() do it over the
 * same bytes. Functions return 0 or -1, or an enum cose_error, where 0 is success.
 */
#ifndef CRYPTO_COSE_H
#define CRYPTO_COSE_H

#include "crypto/ed25519.h"

#define COSE_ALG_ED25519 (-19)
#define COSE_TYP_MAX 64                    /* bytes of typ, at least 1 */
#define COSE_AAD_MAX 1024                  /* bytes of external_aad */
#define COSE_PAYLOAD_MAX ((size_t)1 << 20) /* bytes of payload */
#define COSE_OVERHEAD 160 /* an object is at most this much longer than its payload */
#define COSE_TBS_OVERHEAD (COSE_AAD_MAX + 160) /* the same for the bytes to be signed */

enum cose_error {
	COSE_OK = 0,
	COSE_MALFORMED, /* not one deterministically encoded COSE_Sign1 */
	COSE_ALG,       /* another algorithm than Ed25519 (-19) */
	COSE_HEADER,    /* a header too much or too few */
	COSE_TYP,       /* another typ than expected */
	COSE_SIGNATURE, /* the signature is not by this key over these bytes */
};

struct cose_sign1 {
	struct span header; /* the protected header as received; these all borrow */
	struct span typ;    /* text */
	struct span payload;
	struct span signature; /* ED25519_SIG_SIZE bytes */
};

/* Appends the Sig_structure: the bytes that are signed (4.4). For whoever signs
 * elsewhere. */
int cose_tbs(
    struct span typ, struct span external_aad, struct span payload, struct buf *out);
/* Appends the object around a signature that was made over cose_tbs(). */
int cose_sign1_wrap(struct span typ, struct span payload,
    const uint8_t sig[ED25519_SIG_SIZE], struct buf *out);
/* Signs and appends the object. */
int cose_sign1_make(struct span typ, struct span external_aad, struct span payload,
    const uint8_t seed[ED25519_SEED_SIZE], struct buf *out);
/* Takes an object apart without verifying; for objects whose payload names the key. */
enum cose_error cose_sign1_parse(struct span bytes, struct cose_sign1 *);
/* Verifies a parsed object under a 32-byte public key. */
enum cose_error cose_sign1_check(const struct cose_sign1 *, struct span typ,
    struct span external_aad, struct span pub);
/* Parses and verifies; *payload borrows from bytes and is set only on success. */
enum cose_error cose_sign1_verify(struct span bytes, struct span typ,
    struct span external_aad, struct span pub, struct span *payload);

/* A bare signature over the same bytes; the payload is not sent. */
int cose_sign(struct span typ, struct span external_aad, struct span payload,
    const uint8_t seed[ED25519_SEED_SIZE], uint8_t sig[ED25519_SIG_SIZE]);
int cose_check(struct span typ, struct span external_aad, struct span payload,
    struct span pub, struct span sig);

/* One line of English; a static string. */
const char *cose_error_text(enum cose_error);

#endif
