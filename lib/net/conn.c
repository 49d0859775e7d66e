/* SPDX-License-Identifier: ISC */
/*
 * conn.c - one non-blocking TLS connection: OpenSSL above, a socket below, libevent around.
 *
 * All work happens in work(), which each event of the connection calls: the socket is ready, a
 * deadline passed, or this loop turn is over and there is something to flush (the "turn" event,
 * which libevent runs after the events that are active now; so all writes of a turn leave in as
 * few records as possible). Calls from outside only change the state and ask for a turn; so a
 * callback never runs inside a call of its user's.
 *
 * Owns the socket, the SSL object and both buffers; the buffers' storage exists only while
 * bytes are in them. Called by link.c and by tests. Fails by ending the connection with one
 * enum conn_reason and a text; never logs, never exits.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/conn.h"
#include "net/sockbio.h"

#define DISCARD_CHUNK 4096 /* bytes read at once while closing */

enum conn_state { OPENING, OPEN, CLOSING, CLOSED };

struct conn {
	struct sockbio sock;       /* owns its descriptor; -1 when closed */
	SSL *ssl;                  /* owned, with its BIO */
	struct event on_socket_in; /* persistent */
	struct event on_socket_out;
	struct event on_turn;
	struct event on_timer;
	const struct conn_ops *ops; /* borrowed */
	void *arg;                  /* borrowed */
	struct conn_limits limits;
	struct buf in, out;
	size_t out_sent;                /* bytes at the start of out that are gone */
	uint64_t opened_ms, closing_ms; /* when that state began */
	uint64_t input_ms, output_ms;   /* last progress */
	enum conn_state state;
	enum conn_reason failure; /* asked for from outside; CONN_REASON_COUNT: none */
	unsigned paused;
	bool busy;  /* work() is running */
	bool freed; /* conn_free() came while busy */
	bool established;
	bool show_again; /* resumed: show the input that stayed */
	bool want_write; /* OpenSSL waits for the socket to take bytes */
	bool is_full;    /* on_full was reported */
	bool quiet;      /* on_quiet was reported since the last input */
	bool goodbye_sent;
	char peer[CONN_PEER_MAX];
	char error[CONN_ERROR_MAX];
};

/* Thousands of these idle. */
_Static_assert(sizeof(struct conn) <= 1280, "an idle connection costs too much");

const struct conn_limits conn_limits_default = {
    .in_max = 32768,
    .out_max = 1048576,
    .out_high = 262144,
    .out_low = 65536,
    .read_budget = 65536,
    .setup_ms = 10000,
    .idle_ms = 120000,
    .close_ms = 5000,
};

static const char *const reason_names[CONN_REASON_COUNT] = {
    [CONN_LOCAL] = "local",
    [CONN_EOF] = "eof",
    [CONN_CUT] = "cut",
    [CONN_TLS] = "tls",
    [CONN_UNTRUSTED] = "untrusted",
    [CONN_SETUP_TIMEOUT] = "setup-timeout",
    [CONN_IDLE_TIMEOUT] = "idle-timeout",
    [CONN_CLOSE_TIMEOUT] = "close-timeout",
    [CONN_INPUT_FULL] = "input-full",
    [CONN_OUTPUT_FULL] = "output-full",
    [CONN_IO] = "io",
};

const char *
conn_reason_name(enum conn_reason reason)
{
	return (unsigned)reason < CONN_REASON_COUNT ? reason_names[reason] : "?";
}

/* Events. */

static void
want_turn(struct conn *c)
{
	if (c->state != CLOSED)
		event_active(&c->on_turn, EV_TIMEOUT, 0);
}

static bool
reads(const struct conn *c)
{
	return c->state == OPENING || c->state == CLOSING ||
	    (c->state == OPEN && c->paused == 0);
}

/* Tells libevent what we wait for now. */
static void
watch(struct conn *c)
{
	if (reads(c))
		event_add(&c->on_socket_in, NULL);
	else
		event_del(&c->on_socket_in);
	if (c->want_write)
		event_add(&c->on_socket_out, NULL);
	else
		event_del(&c->on_socket_out);
}

/* The moment of the next deadline, in ms; UINT64_MAX if there is none. */
static uint64_t
next_deadline(const struct conn *c)
{
	uint64_t idle = c->limits.idle_ms, at = UINT64_MAX;

	if (c->state == CLOSING)
		return c->closing_ms + c->limits.close_ms;
	if (!c->established)
		return c->opened_ms + c->limits.setup_ms;
	if (idle == 0)
		return at;
	if (c->paused == 0)
		at = c->input_ms + (c->quiet ? idle : idle / 2);
	if (conn_unsent(c) > 0 && c->output_ms + idle < at)
		at = c->output_ms + idle;
	return at;
}

static void
set_timer(struct conn *c)
{
	uint64_t now = clock_mono_ms(), at = next_deadline(c), ms;
	struct timeval tv;

	if (c->state == CLOSED || (at == UINT64_MAX && c->limits.idle_ms == 0)) {
		event_del(&c->on_timer);
		return;
	}
	ms = at > now ? at - now : 1;
	if (at == UINT64_MAX)
		ms = c->limits.idle_ms; /* paused: output may come to wait meanwhile */
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	event_add(&c->on_timer, &tv);
}

/* Ends the connection: the last callback. The SSL object stays for questions. */
static void
finish(struct conn *c, enum conn_reason reason)
{
	if (c->state == CLOSED)
		return;
	c->state = CLOSED;
	event_del(&c->on_socket_in);
	event_del(&c->on_socket_out);
	event_del(&c->on_turn);
	event_del(&c->on_timer);
	close(c->sock.fd);
	c->sock.fd = -1;
	buf_clear(&c->in);
	buf_clear(&c->out);
	c->out_sent = 0;
	if (!c->freed)
		c->ops->on_close(c, reason, c->arg);
}

/* What a result <= 0 of OpenSSL means. To be asked at once, before anybody else uses OpenSSL:
 * details are kept for conn_error(). */
static int
ssl_error(struct conn *c, int result)
{
	int e = SSL_get_error(c->ssl, result);

	if (e == SSL_ERROR_SSL && c->error[0] == '\0')
		tls_error(c->error, sizeof(c->error));
	ERR_clear_error();
	return e;
}

static enum conn_reason
failure_of(const struct conn *c, int ssl_error)
{
	if (ssl_error == SSL_ERROR_ZERO_RETURN)
		return CONN_EOF;
	if (c->sock.failure == ECONNRESET || c->sock.failure == EPIPE || c->sock.eof)
		return CONN_CUT;
	if (c->sock.failure != 0)
		return CONN_IO;
	if (c->state == OPENING && !SSL_is_server(c->ssl) &&
	    (SSL_get_verify_mode(c->ssl) & SSL_VERIFY_PEER) != 0 &&
	    SSL_get_verify_result(c->ssl) != X509_V_OK)
		return CONN_UNTRUSTED;
	return CONN_TLS;
}

/* Keeps a text for conn_error() that says more than OpenSSL's. */
static void
explain(struct conn *c, enum conn_reason reason)
{
	if (reason == CONN_UNTRUSTED)
		snprintf(c->error, sizeof(c->error), "%s",
		    X509_verify_cert_error_string(SSL_get_verify_result(c->ssl)));
	else if (c->sock.failure != 0)
		snprintf(c->error, sizeof(c->error), "%s", strerror(c->sock.failure));
}

/* OpenSSL did not go on: wait, or the end. */
static void
stalled(struct conn *c, int e)
{
	enum conn_reason reason;

	if (e == SSL_ERROR_WANT_READ)
		return;
	if (e == SSL_ERROR_WANT_WRITE) {
		c->want_write = true;
		return;
	}
	reason = c->state == CLOSING ? CONN_LOCAL : failure_of(c, e);
	explain(c, reason);
	if (reason == CONN_EOF && conn_unsent(c) == 0)
		(void)SSL_shutdown(c->ssl);
	finish(c, reason);
}

/* The steps of work(). */

static void
handshake(struct conn *c)
{
	int r = SSL_do_handshake(c->ssl);

	if (r != 1) {
		stalled(c, ssl_error(c, r));
		return;
	}
	if (!tls_ready(c->ssl)) {
		snprintf(c->error, sizeof(c->error), "no ALPN agreed");
		finish(c, CONN_TLS);
		return;
	}
	c->state = OPEN;
	c->input_ms = clock_mono_ms();
	c->ops->on_open(c, c->arg);
}

/* Shows the input. False if nothing more may be read now. */
static bool
show(struct conn *c)
{
	c->show_again = false;
	if (c->in.n == 0)
		return true;
	c->ops->on_read(c, &c->in, c->arg);
	if (c->in.n == 0)
		buf_clear(&c->in);
	if (c->state != OPEN || c->paused > 0 || c->freed)
		return false;
	if (c->in.n < c->limits.in_max)
		return true;
	finish(c, CONN_INPUT_FULL);
	return false;
}

/* Reads what there is, up to the input limit. Returns SSL_ERROR_NONE if that was reached, else
 * why it did not go on. */
static int
fill(struct conn *c)
{
	size_t room;
	uint8_t *p;
	int r;

	while ((room = c->limits.in_max - c->in.n) > 0) {
		if (room > CONN_RECORD_MAX)
			room = CONN_RECORD_MAX;
		p = buf_reserve(&c->in, room);
		ERR_clear_error();
		r = SSL_read(c->ssl, p, (int)room);
		if (r <= 0)
			return ssl_error(c, r);
		buf_advance(&c->in, (size_t)r);
		c->input_ms = clock_mono_ms();
		c->quiet = false;
	}
	return SSL_ERROR_NONE;
}

static void
take_input(struct conn *c)
{
	int e;

	if (c->show_again && !show(c))
		return;
	do {
		e = fill(c);
		if (!show(c))
			return;
	} while (e == SSL_ERROR_NONE);
	if (c->in.n == 0)
		buf_clear(&c->in);
	stalled(c, e);
}

static void
flush_output(struct conn *c)
{
	size_t n;
	int r;

	while (c->out_sent < c->out.n) {
		n = c->out.n - c->out_sent;
		ERR_clear_error();
		r = SSL_write(c->ssl, c->out.p + c->out_sent,
		    (int)(n < CONN_RECORD_MAX ? n : CONN_RECORD_MAX));
		if (r <= 0) {
			stalled(c, ssl_error(c, r));
			return;
		}
		c->out_sent += (size_t)r;
		c->output_ms = clock_mono_ms();
	}
	buf_clear(&c->out);
	c->out_sent = 0;
}

/* Asked before and after a flush, so that whoever went over the mark hears both. */
static void
report_marks(struct conn *c)
{
	size_t n = conn_unsent(c);

	if (!c->is_full && n > c->limits.out_high) {
		c->is_full = true;
		if (c->ops->on_full != NULL)
			c->ops->on_full(c, c->arg);
	} else if (c->is_full && n < c->limits.out_low) {
		c->is_full = false;
		if (c->ops->on_drained != NULL)
			c->ops->on_drained(c, c->arg);
	}
}

/* While we close: throws away what still comes, until the peer's end. */
static void
discard(struct conn *c)
{
	uint8_t waste[DISCARD_CHUNK];
	int r;

	do {
		ERR_clear_error();
		r = SSL_read(c->ssl, waste, sizeof(waste));
	} while (r > 0);
	stalled(c, ssl_error(c, r));
}

/* Our orderly end: close_notify once all is sent; then the peer's is waited for. */
static void
say_goodbye(struct conn *c)
{
	int r;

	if (c->goodbye_sent || conn_unsent(c) > 0)
		return;
	if ((r = SSL_shutdown(c->ssl)) < 0) {
		stalled(c, ssl_error(c, r));
		return;
	}
	c->goodbye_sent = true;
	shutdown(c->sock.fd, SHUT_WR);
}

static void
check_deadlines(struct conn *c)
{
	uint64_t now = clock_mono_ms(), idle = c->limits.idle_ms;

	if (now < next_deadline(c))
		return;
	if (c->state == CLOSING) {
		finish(c, CONN_CLOSE_TIMEOUT);
	} else if (!c->established) {
		finish(c, CONN_SETUP_TIMEOUT);
	} else if (!c->quiet && c->paused == 0 && now < c->input_ms + idle &&
	    !(conn_unsent(c) > 0 && now >= c->output_ms + idle)) {
		c->quiet = true;
		if (c->ops->on_quiet != NULL)
			c->ops->on_quiet(c, c->arg);
	} else {
		finish(c, CONN_IDLE_TIMEOUT);
	}
}

static void
destroy(struct conn *c)
{
	finish(c, CONN_LOCAL);
	SSL_free(c->ssl);
	free(c);
}

/* After callbacks: does what they asked for. False if the connection is no more. */
static bool
settle(struct conn *c)
{
	c->busy = false;
	if (c->freed) {
		destroy(c);
		return false;
	}
	if (c->state != CLOSED)
		watch(c);
	if (conn_unsent(c) > 0 && !c->want_write)
		want_turn(c);
	return c->state != CLOSED;
}

/* One wake-up: everything that can be done now. */
static void
work(struct conn *c, bool may_read)
{
	c->busy = true;
	sockbio_wake(&c->sock, c->limits.read_budget);
	c->want_write = false;
	ERR_clear_error();
	if (c->failure != CONN_REASON_COUNT)
		finish(c, c->failure);
	if (c->state == OPENING)
		handshake(c);
	if (c->state == OPEN && c->paused == 0 && may_read && !c->freed)
		take_input(c);
	if (c->state == CLOSING && !c->freed)
		discard(c);
	if (c->state == OPEN && !c->freed)
		report_marks(c);
	if ((c->state == OPEN || c->state == CLOSING) && !c->freed)
		flush_output(c);
	if (c->state == OPEN && !c->freed)
		report_marks(c);
	if (c->state == CLOSING && !c->freed)
		say_goodbye(c);
	settle(c);
}

static void
on_ready(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	work(arg, true);
}

/* The turn is over: flush; read only what a pause left behind. */
static void
on_turn_end(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	work(c, c->show_again || c->state == OPENING);
}

static void
on_time(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	c->busy = true;
	check_deadlines(c);
	if (settle(c))
		set_timer(c);
}

/* What is called from outside. */

static struct conn *
conn_new(struct event_base *base, int fd, SSL *ssl, const char *peer,
    const struct conn_limits *limits, const struct conn_ops *ops, void *arg)
{
	struct conn *c = xcalloc(1, sizeof(*c));
	int on = 1;
	BIO *bio;

	c->sock.fd = fd;
	c->ssl = ssl;
	c->ops = ops;
	c->arg = arg;
	c->failure = CONN_REASON_COUNT;
	c->limits = limits != NULL ? *limits : conn_limits_default;
	c->opened_ms = clock_mono_ms();
	snprintf(c->peer, sizeof(c->peer), "%s", peer != NULL ? peer : "?");
	buf_init(&c->in, c->limits.in_max);
	buf_init(&c->out, c->limits.out_max);
	if (ssl == NULL || (bio = sockbio_new(&c->sock)) == NULL) {
		SSL_free(ssl);
		free(c);
		close(fd);
		return NULL;
	}
	SSL_set_bio(ssl, bio, bio);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	event_assign(&c->on_socket_in, base, fd, EV_READ | EV_PERSIST, on_ready, c);
	event_assign(&c->on_socket_out, base, fd, EV_WRITE, on_ready, c);
	event_assign(&c->on_turn, base, -1, 0, on_turn_end, c);
	event_assign(&c->on_timer, base, -1, 0, on_time, c);
	set_timer(c);
	want_turn(c);
	return c;
}

struct conn *
conn_accept(struct event_base *base, int fd, struct tls_server *server, const char *peer,
    const struct conn_limits *limits, const struct conn_ops *ops, void *arg)
{
	return conn_new(base, fd, tls_server_ssl(server), peer, limits, ops, arg);
}

struct conn *
conn_connect(struct event_base *base, int fd, struct tls_client *client, const char *name,
    enum tls_verify verify, const char *peer, const struct conn_limits *limits,
    const struct conn_ops *ops, void *arg)
{
	return conn_new(
	    base, fd, tls_client_ssl(client, name, verify), peer, limits, ops, arg);
}

void
conn_free(struct conn *c)
{
	if (c == NULL || c->freed)
		return;
	c->freed = true;
	if (c->state == OPEN && conn_unsent(c) == 0)
		(void)SSL_shutdown(c->ssl);
	if (!c->busy)
		destroy(c);
}

void
conn_close(struct conn *c)
{
	if (c->state == OPENING) {
		c->failure = CONN_LOCAL;
	} else if (c->state == OPEN) {
		c->state = CLOSING;
		c->closing_ms = clock_mono_ms();
		set_timer(c);
	}
	want_turn(c);
}

void
conn_established(struct conn *c)
{
	if (c->established || c->state != OPEN)
		return;
	c->established = true;
	c->input_ms = c->output_ms = clock_mono_ms();
	set_timer(c);
}

int
conn_write(struct conn *c, struct span s)
{
	if (c->state != OPEN || c->failure != CONN_REASON_COUNT)
		return -1;
	if (s.n > c->limits.out_max - conn_unsent(c)) {
		c->failure = CONN_OUTPUT_FULL;
		want_turn(c);
		return -1;
	}
	if (s.n > c->limits.out_max - c->out.n) {
		buf_consume(&c->out, c->out_sent);
		c->out_sent = 0;
	}
	if (conn_unsent(c) == 0) {
		c->output_ms = clock_mono_ms();
		if (!c->busy)
			want_turn(c);
	}
	buf_put_span(&c->out, s);
	return 0;
}

size_t
conn_unsent(const struct conn *c)
{
	return c->out.n - c->out_sent;
}

void
conn_pause(struct conn *c)
{
	if (c->paused++ == 0 && c->state == OPEN && !c->busy)
		event_del(&c->on_socket_in);
}

void
conn_resume(struct conn *c)
{
	if (c->paused == 0 || --c->paused > 0 || c->state != OPEN)
		return;
	c->show_again = true;
	c->input_ms = clock_mono_ms();
	set_timer(c);
	want_turn(c);
}

int
conn_export(struct conn *c, const char *label, uint8_t out[TLS_EXPORT_LEN])
{
	return tls_export(c->ssl, label, out);
}

bool
conn_verified(struct conn *c)
{
	return tls_verified(c->ssl);
}

const char *
conn_domain(struct conn *c)
{
	return tls_domain(c->ssl);
}

int
conn_peer_spki(struct conn *c, uint8_t out[TLS_SPKI_LEN])
{
	return tls_peer_spki(c->ssl, out);
}

const char *
conn_peer(const struct conn *c)
{
	return c->peer;
}

const char *
conn_error(const struct conn *c)
{
	return c->error;
}
