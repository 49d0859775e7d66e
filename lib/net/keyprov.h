/* SPDX-License-Identifier: ISC */
/*
 * keyprov.h - TLS private keys that live in another process.
 *
 * A built-in OpenSSL provider ("emsg-keyd": key management and signature, nothing else) whose
 * keys hold only a public half. Signing calls back a function of the user, which asks keyd.
 * EC keys on P-256 with ECDSA; Ed25519.
 */
#ifndef NET_KEYPROV_H
#define NET_KEYPROV_H

#include <openssl/types.h>

#include "base/buf.h"
#include "net/tls.h"

#define KEYPROV_ID_LEN 32
#define KEYPROV_SIG_MAX 128 /* bytes of any signature we take */

struct keyprov;

/* Signs tbs, the whole content of a CertificateVerify (RFC 8446 section 4.4.3: 64 spaces,
 * context text, 0, transcript hash), with the key of that id, and appends the signature as
 * TLS carries it (ECDSA: DER, SHA-256; Ed25519: 64 bytes) to *sig, whose limit is
 * KEYPROV_SIG_MAX. May block for a bounded time (2 s). 0, or -1: the handshake fails. */
typedef int keyprov_sign(
    void *arg, const uint8_t keyid[KEYPROV_ID_LEN], struct span tbs, struct buf *sig);

/* Adds the provider to the library context. NULL on failure. One per struct tls. */
struct keyprov *keyprov_new(struct tls *, keyprov_sign *, void *arg);
/* After all keys and connections made from it. NULL-safe. */
void keyprov_free(struct keyprov *);
/* A key object for the end certificate of a PEM chain; its id is the SHA-256 of the
 * certificate's SubjectPublicKeyInfo. The caller frees it with EVP_PKEY_free().
 * NULL and *err (static text) if the key is of another kind. */
EVP_PKEY *keyprov_key(struct keyprov *, struct span chain_pem, const char **err);

#endif
