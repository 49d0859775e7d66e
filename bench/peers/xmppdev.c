/* SPDX-License-Identifier: ISC */
/*
 * xmppdev.c - as much of an XMPP client as load needs.
 *
 * Speaks to servers of our own making on loopback, so it does not parse XML: it looks for the
 * few strings that mark each step (end of the features, success, the answer to a query) and
 * for the bodies of messages. Certificates are not judged. Owns socket, TLS object, events
 * and buffers; environment and server are borrowed. Called by xmppload.c. What is not
 * understood waits for more input; a refusal of the server ends in on_failed.
 */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#include "xmppdev.h"

#define IN_MAX ((size_t)4 << 20)
#define OUT_MAX ((size_t)64 << 20)
#define RECORD 16384 /* one TLS record */
#define PASSWORD "secret"

enum state {
	X_TLS,
	X_FEATURES,
	X_REGISTER,
	X_AUTH,
	X_FEATURES2,
	X_BIND,
	X_READY,
	X_DEAD
};

struct xmppdev {
	struct xmppenv *env;             /* borrowed */
	const struct xmppserver *server; /* borrowed */
	char *domain;                    /* owned */
	char *user;                      /* owned; NULL: anonymous */
	const struct xmppdev_ops *ops;   /* borrowed */
	void *arg;
	int fd;
	SSL *ssl;
	struct event *readable, *writable;
	struct buf in, out;
	enum state state;
};

static void
fail(struct xmppdev *d, const char *why)
{
	if (d->state == X_DEAD)
		return;
	d->state = X_DEAD;
	(void)event_del(d->readable);
	(void)event_del(d->writable);
	d->ops->on_failed(d, why, d->arg);
}

/* --- out ------------------------------------------------------------------------------------ */

static void __attribute__((format(printf, 2, 3)))
say(struct xmppdev *d, const char *fmt, ...)
{
	char text[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	buf_put(&d->out, text, n < 0 ? 0 : (size_t)n);
}

void
xmppdev_flush(struct xmppdev *d)
{
	size_t done = 0, n;
	int rc;

	while (d->state != X_DEAD && d->state != X_TLS && done < d->out.n) {
		n = d->out.n - done < RECORD ? d->out.n - done : RECORD;
		ERR_clear_error();
		rc = SSL_write(d->ssl, d->out.p + done, (int)n);
		if (rc > 0) {
			done += (size_t)rc;
			continue;
		}
		if (SSL_get_error(d->ssl, rc) == SSL_ERROR_WANT_WRITE)
			(void)event_add(d->writable, NULL);
		else
			fail(d, "cannot write");
		break;
	}
	buf_consume(&d->out, done);
}

static void
say_stream(struct xmppdev *d)
{
	say(d,
	    "<?xml version='1.0'?><stream:stream to='%s' version='1.0' "
	    "xmlns='jabber:client' "
	    "xmlns:stream='http://etherx.jabber.org/streams'>",
	    d->domain);
}

static void
say_register(struct xmppdev *d)
{
	say(d,
	    "<iq type='set' id='reg'><query xmlns='jabber:iq:register'>"
	    "<username>%s</username><password>" PASSWORD "</password></query></iq>",
	    d->user);
}

/* SASL PLAIN (RFC 4616) or ANONYMOUS (RFC 4505). */
static void
say_auth(struct xmppdev *d)
{
	unsigned char plain[2 * XMPPDEV_NAME_MAX], text[4 * XMPPDEV_NAME_MAX] = "";
	int n;

	if (d->user != NULL) {
		n = snprintf(
		    (char *)plain, sizeof(plain), "%c%s%c" PASSWORD, '\0', d->user, '\0');
		(void)EVP_EncodeBlock(text, plain, n);
	}
	say(d, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='%s'>%s</auth>",
	    d->user == NULL ? "ANONYMOUS" : "PLAIN", (char *)text);
}

void
xmppdev_message(struct xmppdev *d, const char *to, struct span text)
{
	say(d, "<message to='%s' type='chat'><body>", to);
	buf_put_span(&d->out, text);
	say(d, "</body></message>");
}

/* --- in ------------------------------------------------------------------------------------- */

static const uint8_t *
find(struct span in, const char *what)
{
	return memmem(in.p, in.n, what, strlen(what));
}

/* If the text is there: consumes the input up to its end. */
static bool
saw(struct xmppdev *d, const char *what)
{
	const uint8_t *p = find(buf_span(&d->in), what);

	if (p == NULL)
		return false;
	buf_consume(&d->in, (size_t)(p - d->in.p) + strlen(what));
	return true;
}

/* The answer to a query: true when it is there and not an error. Prosody and ejabberd order
 * the attributes of an iq differently, so only the end of the element is waited for. */
static bool
answered(struct xmppdev *d, const char *id)
{
	struct span in = buf_span(&d->in);
	char one[32], two[32];

	(void)snprintf(one, sizeof(one), "id='%s'", id);
	(void)snprintf(two, sizeof(two), "id=\"%s\"", id);
	if (find(in, one) == NULL && find(in, two) == NULL)
		return false;
	if (find(in, "type='error'") != NULL || find(in, "type=\"error\"") != NULL) {
		fail(d, "a query was refused");
		return false;
	}
	return find(in, "/>") != NULL || find(in, "</iq>") != NULL;
}

/* The bodies of all messages that are complete. */
static void
take_messages(struct xmppdev *d)
{
	static const char end[] = "</message>";
	struct span rest = buf_span(&d->in), one;
	const uint8_t *p, *from, *to;

	while ((p = find(rest, end)) != NULL) {
		one = span_of(rest.p, (size_t)(p - rest.p));
		from = find(one, "<body>");
		to = find(one, "</body>");
		if (from != NULL && to != NULL)
			d->ops->on_body(
			    d, span_of(from + 6, (size_t)(to - from - 6)), d->arg);
		else if (find(one, "error") != NULL)
			fail(d, "a message came back with an error");
		rest = span_of(p + sizeof(end) - 1, rest.n - one.n - sizeof(end) + 1);
	}
	buf_consume(&d->in, d->in.n - rest.n);
}

/* One step; false when more input is needed. */
static bool
step(struct xmppdev *d)
{
	switch (d->state) {
	case X_FEATURES:
		if (!saw(d, "</stream:features>"))
			return false;
		d->state = d->user == NULL ? X_AUTH : X_REGISTER;
		if (d->user == NULL)
			say_auth(d);
		else
			say_register(d);
		return true;
	case X_REGISTER:
		if (!answered(d, "reg"))
			return false;
		buf_reset(&d->in);
		d->state = X_AUTH;
		say_auth(d);
		return true;
	case X_AUTH:
		if (find(buf_span(&d->in), "<failure") != NULL)
			fail(d, "the login was refused");
		if (d->state == X_DEAD || find(buf_span(&d->in), "<success") == NULL)
			return false;
		buf_reset(&d->in);
		d->state = X_FEATURES2;
		say_stream(d);
		return true;
	case X_FEATURES2:
		if (!saw(d, "</stream:features>"))
			return false;
		d->state = X_BIND;
		say(d,
		    "<iq type='set' id='bind'>"
		    "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
		return true;
	case X_BIND:
		if (!answered(d, "bind") || !saw(d, "</iq>"))
			return false;
		d->state = X_READY;
		say(d, "<presence/>");
		d->ops->on_ready(d, d->arg);
		return true;
	case X_READY:
		take_messages(d);
		return false;
	default:
		return false;
	}
}

/* Reads what the socket has. */
static void
fill(struct xmppdev *d)
{
	uint8_t *room;
	int rc;

	for (;;) {
		room = buf_reserve(&d->in, RECORD);
		if (room == NULL) {
			fail(d, "too much input");
			return;
		}
		ERR_clear_error();
		rc = SSL_read(d->ssl, room, RECORD);
		if (rc > 0) {
			buf_advance(&d->in, (size_t)rc);
			continue;
		}
		if (SSL_get_error(d->ssl, rc) != SSL_ERROR_WANT_READ)
			fail(d, "the server closed the stream");
		return;
	}
}

static void
handshake(struct xmppdev *d)
{
	int rc, e;

	ERR_clear_error();
	rc = SSL_connect(d->ssl);
	if (rc == 1) {
		d->state = X_FEATURES;
		say_stream(d);
		return;
	}
	e = SSL_get_error(d->ssl, rc);
	if (e == SSL_ERROR_WANT_WRITE)
		(void)event_add(d->writable, NULL);
	else if (e != SSL_ERROR_WANT_READ)
		fail(d, "no TLS");
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	struct xmppdev *d = arg;

	(void)fd;
	if (d->state == X_TLS)
		handshake(d);
	if (d->state == X_DEAD || d->state == X_TLS)
		return;
	if (what & EV_READ) {
		fill(d);
		while (d->state != X_DEAD && step(d))
			;
		if (d->state != X_DEAD)
			d->ops->on_turn(d, d->arg);
	}
	xmppdev_flush(d);
}

/* --- life ----------------------------------------------------------------------------------- */

struct xmppdev *
xmppdev_new(struct xmppenv *env, const struct xmppserver *server, const char *domain,
    const char *user, const struct xmppdev_ops *ops, void *arg)
{
	struct xmppdev *d = xcalloc(1, sizeof(*d));

	d->env = env;
	d->server = server;
	d->domain = xstrdup(domain);
	d->user = user == NULL ? NULL : xstrdup(user);
	d->ops = ops;
	d->arg = arg;
	d->fd = -1;
	buf_init(&d->in, IN_MAX);
	buf_init(&d->out, OUT_MAX);
	return d;
}

void
xmppdev_free(struct xmppdev *d)
{
	if (d == NULL)
		return;
	if (d->readable != NULL)
		event_free(d->readable);
	if (d->writable != NULL)
		event_free(d->writable);
	SSL_free(d->ssl);
	if (d->fd != -1)
		(void)close(d->fd);
	buf_clear(&d->in);
	buf_clear(&d->out);
	free(d->domain);
	free(d->user);
	free(d);
}

int
xmppdev_connect(struct xmppdev *d)
{
	const struct sockaddr *sa = (const struct sockaddr *)&d->server->addr;
	int one = 1;

	d->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (d->fd == -1 || connect(d->fd, sa, sizeof(d->server->addr)) == -1 ||
	    setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == -1 ||
	    fd_nonblock(d->fd) == -1)
		return -1;
	d->ssl = SSL_new(d->env->tls);
	d->readable = event_new(d->env->base, d->fd, EV_READ | EV_PERSIST, on_event, d);
	d->writable = event_new(d->env->base, d->fd, EV_WRITE, on_event, d);
	if (d->ssl == NULL || d->readable == NULL || d->writable == NULL ||
	    SSL_set_fd(d->ssl, d->fd) != 1 ||
	    SSL_set_tlsext_host_name(d->ssl, d->domain) != 1 ||
	    event_add(d->readable, NULL) == -1) {
		errno = ENOMEM;
		return -1;
	}
	d->state = X_TLS;
	handshake(d);
	return 0;
}

bool
xmppdev_ready(const struct xmppdev *d)
{
	return d->state == X_READY;
}
