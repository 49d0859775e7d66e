/* SPDX-License-Identifier: ISC */
/*
 * tls.h - TLS 1.3 contexts for servers and clients.
 *
 * Everything lives in a library context of its own (struct tls), so that no openssl.cnf is
 * read and the key provider (keyprov.h) cannot disturb other users of libcrypto. Make it,
 * and the contexts, before the process gives up its rights: afterwards no file is opened.
 * Errors are static texts through *err; details are in the OpenSSL queue (tls_error()).
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <openssl/types.h>

#include "base/span.h"

#define TLS_EXPORT_LEN 32
#define TLS_SPKI_LEN 32
#define TLS_HOSTS_MAX 1024 /* domains in one server context */
#define TLS_CHAIN_MAX 8    /* certificates in one chain */
#define TLS_ALPN "http/1.1"

struct tls;
struct tls_server;
struct tls_client;

/* A library context with the default provider. NULL if OpenSSL cannot give one. */
struct tls *tls_new(void);
/* Free it after all contexts, connections and keys made from it. NULL-safe. */
void tls_free(struct tls *);
/* For keyprov.c and certificate code. */
OSSL_LIB_CTX *tls_libctx(struct tls *);

/* TLS 1.3 only, ALPN http/1.1 demanded, SNI must be an added domain, no tickets, no session
 * cache, no early data. NULL on failure. */
struct tls_server *tls_server_new(struct tls *, const char **err);
/* Connections made from it live on. NULL-safe. */
void tls_server_free(struct tls_server *);
/* Hosts a domain (lower-case A-labels) with a PEM chain, end certificate first. key: a
 * private key or one of keyprov_key(); not owned, a reference is taken. The certificate's
 * key must be the key's. 0, or -1 and *err. */
int tls_server_add(struct tls_server *, const char *domain, struct span chain_pem,
    EVP_PKEY *key, const char **err);
/* A new connection that waits for a ClientHello. The caller frees it with SSL_free(). */
SSL *tls_server_ssl(struct tls_server *);

/* TLS 1.3 only, ALPN http/1.1 demanded, SNI sent. ca_pem: the trusted CAs (see tls_ca_read);
 * empty: none is trusted. NULL and *err on failure. */
struct tls_client *tls_client_new(struct tls *, struct span ca_pem, const char **err);
void tls_client_free(struct tls_client *);
enum tls_verify {
	TLS_VERIFY_CHAIN, /* a certificate not valid for the name fails the handshake */
	TLS_VERIFY_LATER /* goes on; tls_verified() tells. For peers pinned by domain key */
};
/* A new connection to the server of that name (lower-case A-labels), ready for
 * SSL_connect(). The caller frees it with SSL_free(). */
SSL *tls_client_ssl(struct tls_client *, const char *name, enum tls_verify);
/* Reads the PEM bundle at path (NULL: the system's, or $SSL_CERT_FILE). The caller frees *out
 * with free(3). -1 with errno. At most 4 MiB. */
int tls_ca_read(const char *path, unsigned char **out, size_t *n);

/* After the handshake. tls_ready(): ALPN was agreed and the version is 1.3. */
bool tls_ready(SSL *);
/* The chain was valid for the name (client side). */
bool tls_verified(SSL *);
/* The domain that SNI chose (server side); NULL before. Lives as long as the SSL. */
const char *tls_domain(SSL *);
/* SHA-256 of the peer's SubjectPublicKeyInfo. -1 if it showed no certificate. */
int tls_peer_spki(SSL *, uint8_t out[TLS_SPKI_LEN]);
/* RFC 8446 section 7.5 with no context value. label: "EXPORTER-emsg-v1-..." */
int tls_export(SSL *, const char *label, uint8_t out[TLS_EXPORT_LEN]);
/* Text of the oldest OpenSSL error of this thread, then empties the queue; "" if none. */
void tls_error(char *out, size_t size);

#endif
