/* SPDX-License-Identifier: ISC */
/*
 * netpair.h - for tests: a hosted domain with a self-signed certificate, a client that trusts
 * it, and a pair of connected sockets, all in one process.
 */
#ifndef TESTS_NETPAIR_H
#define TESTS_NETPAIR_H

#include <openssl/types.h>

#include "base/buf.h"
#include "net/tls.h"

#define NETPAIR_DOMAIN "im.alpha.test"

struct netpair {
	struct tls *tls;
	struct buf cert_pem, key_pem;
	EVP_PKEY *key; /* the private key, in the default provider */
	struct tls_server *server;
	struct tls_client *client;
};

/* Everything, with the key in the server. Failure fails the test. */
void netpair_init(struct netpair *);
/* The same without a domain in the server: the caller adds it. */
void netpair_init_bare(struct netpair *);
void netpair_clear(struct netpair *);
/* Two connected non-blocking sockets. */
void netpair_sockets(int fd[2]);

#endif
