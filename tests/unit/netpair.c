/* SPDX-License-Identifier: ISC */
/*
 * netpair.c - what the tests of lib/net share: certificate, contexts, sockets.
 *
 * Makes a new self-signed certificate for each test and a client that trusts just this one.
 * Owns all of it until netpair_clear(). Fails by failing the running test.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <check.h>

#include "base/fd.h"
#include "net/cert.h"
#include "net/certgen.h"
#include "netpair.h"

#define PEM_MAX 8192
#define SOCKET_BUFFER 65536

void
netpair_init_bare(struct netpair *np)
{
	const char *names[] = {NETPAIR_DOMAIN, "im.beta.test"}, *err = NULL;

	buf_init(&np->cert_pem, PEM_MAX);
	buf_init(&np->key_pem, PEM_MAX);
	ck_assert_int_eq(
	    certgen_self_signed(names, 2, 30, &np->cert_pem, &np->key_pem, &err), 0);
	np->tls = tls_new();
	ck_assert_ptr_nonnull(np->tls);
	np->key = cert_key_read(tls_libctx(np->tls), buf_span(&np->key_pem));
	ck_assert_ptr_nonnull(np->key);
	np->server = tls_server_new(np->tls, &err);
	ck_assert_ptr_nonnull(np->server);
	np->client = tls_client_new(np->tls, buf_span(&np->cert_pem), &err);
	ck_assert_ptr_nonnull(np->client);
}

void
netpair_init(struct netpair *np)
{
	const char *err = NULL;
	int rc;

	netpair_init_bare(np);
	rc = tls_server_add(
	    np->server, NETPAIR_DOMAIN, buf_span(&np->cert_pem), np->key, &err);
	ck_assert_msg(rc == 0, "%s", err);
}

void
netpair_clear(struct netpair *np)
{
	tls_server_free(np->server);
	tls_client_free(np->client);
	EVP_PKEY_free(np->key);
	tls_free(np->tls);
	buf_clear(&np->cert_pem);
	buf_wipe(&np->key_pem);
}

void
netpair_sockets(int fd[2])
{
	ck_assert_int_eq(fd_pair(fd, SOCKET_BUFFER), 0);
}
