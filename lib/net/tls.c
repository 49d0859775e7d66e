/* SPDX-License-Identifier: ISC */
/*
 * tls.c - TLS 1.3 contexts: one profile for servers and clients, strict from the first byte.
 *
 * A server has one base SSL_CTX, which new connections start with, and one SSL_CTX per hosted
 * domain with its certificate. The ClientHello callback refuses whoever does not offer ALPN or
 * does not name a hosted domain, before any signature is made, and switches the connection to
 * its domain's context. A context owns what hangs on it (its domain's name, the base's table of
 * domains) through ex_data, so that a reload may drop a server while connections go on.
 *
 * All objects live in a library context of their own: no openssl.cnf, and the key provider in
 * keyprov.c is seen by nobody else. Called by conn.c, by processes at their start and by the
 * client library. Fails with NULL or -1 and a static text; never logs, never exits.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/mem.h"
#include "net/cert.h"
#include "net/tls.h"

#define CA_FILE_MAX (4UL * 1024 * 1024)
#define CA_FILE "/etc/ssl/certs/ca-certificates.crt"
#define NAME_LEN_MAX 253
#define SECURITY_LEVEL 2

struct tls {
	OSSL_LIB_CTX *libctx;    /* owned */
	OSSL_PROVIDER *standard; /* owned: OpenSSL's default provider */
};

struct tls_server {
	struct tls *tls;   /* borrowed */
	SSL_CTX *base;     /* one reference; owns the table of domains */
	struct map *hosts; /* borrowed from base: domain -> SSL_CTX, one reference each */
};

struct tls_client {
	SSL_CTX *ctx; /* one reference */
};

/* What hangs on an SSL_CTX; one of the two is NULL. */
struct ctx_data {
	char *domain;      /* owned */
	struct map *hosts; /* owned */
};

static const unsigned char alpn_wire[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

static CRYPTO_ONCE data_once = CRYPTO_ONCE_STATIC_INIT;
static int data_index = -1;

static void
data_free(struct ctx_data *data)
{
	struct span key;
	size_t pos = 0;
	void *ctx;

	if (data == NULL)
		return;
	while (data->hosts != NULL && map_next(data->hosts, &pos, &key, &ctx))
		SSL_CTX_free(ctx);
	map_free(data->hosts);
	free(data->domain);
	free(data);
}

/* Called by OpenSSL when an SSL_CTX goes. */
static void
on_ctx_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
	(void)parent;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	data_free(ptr);
}

static void
make_data_index(void)
{
	data_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_ctx_free);
}

/* Hangs a domain name or an empty table on a context. */
static int
attach(SSL_CTX *ctx, const char *domain)
{
	struct ctx_data *data = xcalloc(1, sizeof(*data));

	if (domain != NULL)
		data->domain = xstrdup(domain);
	else
		data->hosts = map_new();
	if (SSL_CTX_set_ex_data(ctx, data_index, data) == 1)
		return 0;
	data_free(data);
	return -1;
}

struct tls *
tls_new(void)
{
	struct tls *tls;

	if (OPENSSL_init_ssl(
		OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS, NULL) != 1 ||
	    CRYPTO_THREAD_run_once(&data_once, make_data_index) != 1 || data_index < 0)
		return NULL;
	tls = xcalloc(1, sizeof(*tls));
	if ((tls->libctx = OSSL_LIB_CTX_new()) == NULL ||
	    (tls->standard = OSSL_PROVIDER_load(tls->libctx, "default")) == NULL) {
		tls_free(tls);
		return NULL;
	}
	return tls;
}

void
tls_free(struct tls *tls)
{
	if (tls == NULL)
		return;
	if (tls->standard != NULL)
		OSSL_PROVIDER_unload(tls->standard);
	OSSL_LIB_CTX_free(tls->libctx);
	free(tls);
}

OSSL_LIB_CTX *
tls_libctx(struct tls *tls)
{
	return tls->libctx;
}

/* The hybrid group first if this OpenSSL has it. */
static int
set_groups(SSL_CTX *ctx)
{
	char hybrid[] = "X25519MLKEM768:X25519:P-256", classic[] = "X25519:P-256";

	if (SSL_CTX_set1_groups_list(ctx, hybrid) == 1)
		return 0;
	ERR_clear_error();
	return SSL_CTX_set1_groups_list(ctx, classic) == 1 ? 0 : -1;
}

/* What all contexts have in common. */
static SSL_CTX *
ctx_new(struct tls *tls, const SSL_METHOD *method)
{
	SSL_CTX *ctx = SSL_CTX_new_ex(tls->libctx, NULL, method);

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_read_ahead(ctx, 1);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) == 1 &&
	    SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
	    SSL_CTX_set_max_early_data(ctx, 0) == 1 && set_groups(ctx) == 0)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

/* The one host_name of a server_name extension (RFC 6066 section 3). */
static bool
read_sni(SSL *ssl, struct span *name)
{
	const unsigned char *p;
	size_t n;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &p, &n) != 1 ||
	    n < 6 || ((size_t)p[0] << 8 | p[1]) != n - 2 ||
	    p[2] != TLSEXT_NAMETYPE_host_name || ((size_t)p[3] << 8 | p[4]) != n - 5)
		return false;
	*name = span_of(p + 5, n - 5);
	return name->n <= NAME_LEN_MAX;
}

static int
on_client_hello(SSL *ssl, int *alert, void *arg)
{
	struct map *hosts = arg;
	const unsigned char *p;
	struct span name;
	SSL_CTX *ctx;
	size_t n;

	*alert = SSL_AD_NO_APPLICATION_PROTOCOL;
	if (SSL_client_hello_get0_ext(
		ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &p, &n) != 1)
		return SSL_CLIENT_HELLO_ERROR;
	*alert = SSL_AD_UNRECOGNIZED_NAME;
	if (!read_sni(ssl, &name) || (ctx = map_find(hosts, name)) == NULL)
		return SSL_CLIENT_HELLO_ERROR;
	*alert = SSL_AD_INTERNAL_ERROR;
	return SSL_set_SSL_CTX(ssl, ctx) == ctx ? SSL_CLIENT_HELLO_SUCCESS
						: SSL_CLIENT_HELLO_ERROR;
}

static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
    const unsigned char *in, unsigned int n, void *arg)
{
	unsigned i;

	(void)ssl;
	(void)arg;
	for (i = 0; i < n && in[i] < n - i; i += in[i] + 1U)
		if (in[i] == alpn_wire[0] &&
		    memcmp(in + i + 1, alpn_wire + 1, in[i]) == 0) {
			*out = in + i + 1;
			*out_n = in[i];
			return SSL_TLSEXT_ERR_OK;
		}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *
server_ctx(struct tls *tls, const char *domain, struct map *hosts)
{
	SSL_CTX *ctx = ctx_new(tls, TLS_server_method());

	if (ctx == NULL)
		return NULL;
	if (attach(ctx, domain) < 0) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	if (hosts == NULL)
		hosts = ((struct ctx_data *)SSL_CTX_get_ex_data(ctx, data_index))->hosts;
	SSL_CTX_set_client_hello_cb(ctx, on_client_hello, hosts);
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
	return ctx;
}

struct tls_server *
tls_server_new(struct tls *tls, const char **err)
{
	struct tls_server *server = xcalloc(1, sizeof(*server));
	struct ctx_data *data;

	server->tls = tls;
	if ((server->base = server_ctx(tls, NULL, NULL)) == NULL) {
		*err = "cannot make a TLS context";
		free(server);
		return NULL;
	}
	data = SSL_CTX_get_ex_data(server->base, data_index);
	server->hosts = data->hosts;
	return server;
}

void
tls_server_free(struct tls_server *server)
{
	if (server == NULL)
		return;
	SSL_CTX_free(server->base);
	free(server);
}

static const char *
use_chain(SSL_CTX *ctx, const struct cert_chain *chain, EVP_PKEY *key)
{
	size_t i;

	if (SSL_CTX_use_certificate(ctx, chain->cert[0]) != 1)
		return "certificate not usable";
	for (i = 1; i < chain->n; i++)
		if (SSL_CTX_add1_chain_cert(ctx, chain->cert[i]) != 1)
			return "certificate chain not usable";
	if (SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return "private key does not belong to the certificate";
	return NULL;
}

int
tls_server_add(struct tls_server *server, const char *domain, struct span chain_pem,
    EVP_PKEY *key, const char **err)
{
	struct cert_chain chain;
	SSL_CTX *ctx;

	*err = "domain hosted twice, or too many";
	if (domain[0] == '\0' || strlen(domain) > NAME_LEN_MAX ||
	    map_find(server->hosts, span_str(domain)) != NULL ||
	    map_count(server->hosts) >= TLS_HOSTS_MAX)
		return -1;
	if (cert_chain_read(server->tls->libctx, chain_pem, &chain, err) < 0)
		return -1;
	*err = "cannot make a TLS context";
	if ((ctx = server_ctx(server->tls, domain, server->hosts)) != NULL)
		*err = use_chain(ctx, &chain, key);
	cert_chain_clear(&chain);
	if (*err != NULL) {
		SSL_CTX_free(ctx);
		return -1;
	}
	map_put(server->hosts, span_str(domain), ctx);
	return 0;
}

SSL *
tls_server_ssl(struct tls_server *server)
{
	SSL *ssl = SSL_new(server->base);

	if (ssl != NULL)
		SSL_set_accept_state(ssl);
	return ssl;
}

/* Adds every certificate of a bundle. False if there is one that cannot be read. */
static bool
trust(struct tls *tls, X509_STORE *store, BIO *bio)
{
	for (;;) {
		X509 *cert = X509_new_ex(tls->libctx, NULL);
		bool ok;

		if (cert == NULL)
			return false;
		if (PEM_read_bio_X509(bio, &cert, NULL, NULL) == NULL) {
			X509_free(cert);
			ok = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
			ERR_clear_error();
			return ok;
		}
		ok = X509_STORE_add_cert(store, cert) == 1;
		X509_free(cert);
		if (!ok)
			return false;
	}
}

static bool
client_trust(struct tls *tls, SSL_CTX *ctx, struct span ca_pem)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	BIO *bio;
	bool ok;

	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	if (ca_pem.n == 0)
		return true;
	if (ca_pem.n > CA_FILE_MAX ||
	    (bio = BIO_new_mem_buf(ca_pem.p, (int)ca_pem.n)) == NULL)
		return false;
	ok = trust(tls, store, bio);
	BIO_free(bio);
	return ok;
}

struct tls_client *
tls_client_new(struct tls *tls, struct span ca_pem, const char **err)
{
	SSL_CTX *ctx = ctx_new(tls, TLS_client_method());
	struct tls_client *client;

	*err = "cannot make a TLS context";
	if (ctx == NULL)
		return NULL;
	if (!client_trust(tls, ctx, ca_pem))
		*err = "trusted certificates cannot be read";
	else if (SSL_CTX_set_alpn_protos(ctx, alpn_wire, sizeof(alpn_wire)) == 0)
		*err = NULL;
	if (*err != NULL) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	client = xcalloc(1, sizeof(*client));
	client->ctx = ctx;
	return client;
}

void
tls_client_free(struct tls_client *client)
{
	if (client == NULL)
		return;
	SSL_CTX_free(client->ctx);
	free(client);
}

SSL *
tls_client_ssl(struct tls_client *client, const char *name, enum tls_verify verify)
{
	char sni[NAME_LEN_MAX + 1];
	size_t n = strlen(name);
	SSL *ssl;

	if (n == 0 || n > NAME_LEN_MAX || (ssl = SSL_new(client->ctx)) == NULL)
		return NULL;
	memcpy(sni, name, n + 1);
	SSL_set_connect_state(ssl);
	SSL_set_verify(
	    ssl, verify == TLS_VERIFY_CHAIN ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_set_hostflags(ssl,
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, sni) == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

int
tls_ca_read(const char *path, unsigned char **out, size_t *n)
{
	int fd, rc, saved;

	if (path == NULL && (path = getenv("SSL_CERT_FILE")) == NULL)
		path = CA_FILE;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)) < 0)
		return -1;
	rc = fd_read_all(fd, CA_FILE_MAX, out, n);
	saved = errno;
	close(fd);
	errno = saved;
	return rc;
}

bool
tls_ready(SSL *ssl)
{
	const unsigned char *p;
	unsigned n;

	SSL_get0_alpn_selected(ssl, &p, &n);
	return SSL_version(ssl) == TLS1_3_VERSION && n == sizeof(alpn_wire) - 1 &&
	    memcmp(p, alpn_wire + 1, n) == 0;
}

bool
tls_verified(SSL *ssl)
{
	return SSL_get0_peer_certificate(ssl) != NULL &&
	    SSL_get_verify_result(ssl) == X509_V_OK;
}

const char *
tls_domain(SSL *ssl)
{
	struct ctx_data *data = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), data_index);

	return data != NULL ? data->domain : NULL;
}

int
tls_peer_spki(SSL *ssl, uint8_t out[TLS_SPKI_LEN])
{
	X509 *cert = SSL_get0_peer_certificate(ssl);

	return cert != NULL ? cert_spki(cert, out) : -1;
}

int
tls_export(SSL *ssl, const char *label, uint8_t out[TLS_EXPORT_LEN])
{
	return SSL_export_keying_material(
		   ssl, out, TLS_EXPORT_LEN, label, strlen(label), NULL, 0, 0) == 1
	    ? 0
	    : -1;
}

void
tls_error(char *out, size_t size)
{
	unsigned long code = ERR_get_error();
	const char *text = code != 0 ? ERR_reason_error_string(code) : "";

	snprintf(out, size, "%s", text != NULL ? text : "unknown error");
	ERR_clear_error();
}
