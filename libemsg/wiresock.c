/* SPDX-License-Identifier: ISC */
/*
 * wiresock.c - a non-blocking TLS 1.3 connection of a client.
 *
 * Resolves the host with getaddrinfo(3), which is the one call of the library that may block,
 * tries its addresses one after the other, and does the TLS handshake. Certificates are judged
 * by the system's authorities ($SSL_CERT_FILE counts), unless the server is pinned by its domain
 * key: then wirelink.c asks for that proof before anything else is said.
 *
 * Owns the socket, the SSL object and both buffers. Called by wirelink.c. Fails with -1 and a
 * text; the object can then be started again.
 */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include "base/mem.h"
#include "net/sockbio.h"
#include "net/tls.h"
#include "wire/number.h"
#include "wiresock.h"

#define READ_SIZE 16384
#define READ_BUDGET ((size_t)1 << 20) /* bytes in one call */

struct wiresock {
	enum wiresock_state state;
	struct tls *tls;           /* owned */
	struct tls_client *client; /* owned */
	SSL *ssl;                  /* owned, NULL unless connecting or up */
	struct sockbio bio;        /* the socket, for OpenSSL */
	int fd;                    /* owned, -1: none */
	char *name;                /* owned */
	bool pinned;
	struct addrinfo *addresses; /* owned: what getaddrinfo gave */
	struct addrinfo *next;      /* of addresses: to be tried */
	struct buf in, out;
	uint64_t deadline, last;
	bool want_write; /* the handshake waits to write */
	char error[200];
};

static int
fail(struct wiresock *s, const char *text)
{
	snprintf(s->error, sizeof(s->error), "%s", text);
	wiresock_stop(s);
	return -1;
}

static int
make_context(struct wiresock *s, const char **why)
{
	unsigned char *pem = NULL;
	size_t n = 0;

	*why = "TLS is not available";
	if ((s->tls = tls_new()) == NULL)
		return -1;
	if (!s->pinned && tls_ca_read(NULL, &pem, &n) < 0) {
		*why = "the system's certificate authorities cannot be read";
		return -1;
	}
	s->client = tls_client_new(s->tls, span_of(pem, n), why);
	free(pem);
	return s->client == NULL ? -1 : 0;
}

struct wiresock *
wiresock_new(const char *name, bool pinned, const char **why)
{
	struct wiresock *s = xcalloc(1, sizeof(*s));

	s->fd = -1;
	s->name = xstrdup(name);
	s->pinned = pinned;
	buf_init(&s->in, WIRESOCK_IN_MAX);
	buf_init(&s->out, WIRESOCK_OUT_MAX);
	if (make_context(s, why) == 0)
		return s;
	wiresock_free(s);
	return NULL;
}

void
wiresock_free(struct wiresock *s)
{
	if (s == NULL)
		return;
	wiresock_stop(s);
	tls_client_free(s->client);
	tls_free(s->tls);
	buf_clear(&s->in);
	buf_clear(&s->out);
	free(s->name);
	free(s);
}

/* Closes the socket of one attempt. */
static void
drop(struct wiresock *s)
{
	SSL_free(s->ssl);
	s->ssl = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->want_write = false;
}

void
wiresock_stop(struct wiresock *s)
{
	if (s->state == SOCK_UP && s->ssl != NULL)
		SSL_shutdown(s->ssl);
	drop(s);
	if (s->addresses != NULL)
		freeaddrinfo(s->addresses);
	s->addresses = s->next = NULL;
	s->state = SOCK_IDLE;
	buf_clear(&s->in);
	buf_clear(&s->out);
}

/* --- connecting --------------------------------------------------------------------------- */

static int
begin_tls(struct wiresock *s)
{
	BIO *bio;

	memset(&s->bio, 0, sizeof(s->bio));
	s->bio.fd = s->fd;
	s->ssl = tls_client_ssl(
	    s->client, s->name, s->pinned ? TLS_VERIFY_LATER : TLS_VERIFY_CHAIN);
	if (s->ssl == NULL || (bio = sockbio_new(&s->bio)) == NULL)
		return fail(s, "TLS is not available");
	SSL_set_bio(s->ssl, bio, bio);
	s->state = SOCK_HANDSHAKE;
	return 0;
}

/* Begins with the next address that can be begun with. */
static int
try_next(struct wiresock *s, uint64_t now)
{
	int one = 1;

	drop(s);
	while (s->next != NULL) {
		struct addrinfo *a = s->next;

		s->next = a->ai_next;
		s->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    IPPROTO_TCP);
		if (s->fd < 0)
			continue;
		setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (connect(s->fd, a->ai_addr, a->ai_addrlen) == 0 ||
		    errno == EINPROGRESS) {
			s->state = SOCK_CONNECTING;
			s->deadline = now + WIRESOCK_CONNECT_MS;
			return 0;
		}
		drop(s);
	}
	if (s->error[0] == '\0')
		return fail(s, "no address to connect to");
	wiresock_stop(s);
	return -1;
}

int
wiresock_start(
    struct wiresock *s, const char *host, unsigned port, uint64_t now, const char **why)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	char service[8];
	int rc;

	wiresock_stop(s);
	s->error[0] = '\0';
	s->last = now;
	snprintf(service, sizeof(service), "%u", port);
	if ((rc = getaddrinfo(host, service, &hints, &s->addresses)) != 0) {
		snprintf(s->error, sizeof(s->error), "%s: %s", host, gai_strerror(rc));
		*why = s->error;
		s->addresses = NULL;
		return -1;
	}
	s->next = s->addresses;
	rc = try_next(s, now);
	*why = s->error;
	return rc;
}

static int
on_connecting(struct wiresock *s, uint64_t now)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(int), peer_n = sizeof(peer);
	int error = 0;

	getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n);
	if (error == 0 && getpeername(s->fd, (struct sockaddr *)&peer, &peer_n) == 0)
		return begin_tls(s);
	if (error == 0 && now < s->deadline)
		return 0;
	snprintf(s->error, sizeof(s->error), "cannot connect: %s",
	    strerror(error != 0 ? error : ETIMEDOUT));
	return try_next(s, now);
}

/* Why a handshake failed, for people. */
static int
handshake_failed(struct wiresock *s)
{
	long verdict = SSL_get_verify_result(s->ssl);
	char text[160];

	if (!s->pinned && verdict != X509_V_OK)
		snprintf(text, sizeof(text), "the certificate of %.60s is not valid: %s",
		    s->name, X509_verify_cert_error_string(verdict));
	else
		snprintf(text, sizeof(text), "no TLS 1.3 connection with %.60s%s",
		    s->name, s->bio.eof ? ": it closed" : "");
	tls_error(s->error, sizeof(s->error));
	return fail(s, text);
}

static int
on_handshake(struct wiresock *s, uint64_t now)
{
	int rc = SSL_do_handshake(s->ssl), error;

	if (rc == 1) {
		if (!tls_ready(s->ssl))
			return fail(s, "the server does not speak this protocol");
		s->state = SOCK_UP;
		s->last = now;
		s->want_write = false;
		return 0;
	}
	error = SSL_get_error(s->ssl, rc);
	s->want_write = error == SSL_ERROR_WANT_WRITE;
	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		return handshake_failed(s);
	return now < s->deadline ? 0 : fail(s, "the server does not answer");
}

/* --- bytes -------------------------------------------------------------------------------- */

/* 1 read something, 0 nothing there, -1 down. */
static int
read_some(struct wiresock *s, uint64_t now)
{
	uint8_t *p = buf_reserve(&s->in, READ_SIZE);
	int n, error;

	if (p == NULL)
		return 0;
	if ((n = SSL_read(s->ssl, p, READ_SIZE)) > 0) {
		buf_advance(&s->in, (size_t)n);
		s->last = now;
		return 1;
	}
	error = SSL_get_error(s->ssl, n);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static int
write_some(struct wiresock *s)
{
	while (s->out.n > 0) {
		int n = SSL_write(s->ssl, s->out.p, (int)s->out.n), error;

		if (n > 0) {
			buf_consume(&s->out, (size_t)n);
			continue;
		}
		error = SSL_get_error(s->ssl, n);
		if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
			return 0;
		return -1;
	}
	return 0;
}

static int
on_up(struct wiresock *s, uint64_t now)
{
	int rc;

	if (buf_failed(&s->out))
		return fail(s, "too much to send");
	while ((rc = read_some(s, now)) > 0)
		;
	/* What came before the end is for our user first. */
	if (rc == 0)
		rc = write_some(s);
	if (rc < 0 && s->in.n == 0)
		return fail(s, "the server closed the connection");
	return 0;
}

int
wiresock_process(struct wiresock *s, uint64_t now)
{
	sockbio_wake(&s->bio, READ_BUDGET);
	if (s->state == SOCK_CONNECTING && on_connecting(s, now) < 0)
		return -1;
	if (s->state == SOCK_HANDSHAKE && on_handshake(s, now) < 0)
		return -1;
	if (s->state == SOCK_UP)
		return on_up(s, now);
	return s->state == SOCK_IDLE ? -1 : 0;
}

/* --- questions ---------------------------------------------------------------------------- */

enum wiresock_state
wiresock_state(const struct wiresock *s)
{
	return s->state;
}

const char *
wiresock_error(const struct wiresock *s)
{
	return s->error;
}

int
wiresock_fd(const struct wiresock *s)
{
	return s->fd;
}

bool
wiresock_wants_write(const struct wiresock *s)
{
	return s->state == SOCK_CONNECTING || s->want_write || s->out.n > 0;
}

uint64_t
wiresock_deadline(const struct wiresock *s)
{
	return s->state == SOCK_CONNECTING || s->state == SOCK_HANDSHAKE ? s->deadline
									 : 0;
}

struct buf *
wiresock_in(struct wiresock *s)
{
	return &s->in;
}

struct buf *
wiresock_out(struct wiresock *s)
{
	return &s->out;
}

uint64_t
wiresock_last(const struct wiresock *s)
{
	return s->last;
}

int
wiresock_export(struct wiresock *s, uint8_t out[32])
{
	return s->state == SOCK_UP ? tls_export(s->ssl, PROTO_EXPORTER_C2S, out) : -1;
}
