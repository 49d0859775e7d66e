/* SPDX-License-Identifier: ISC */
/*
 * fuzz_wirelink.c - fuzz target: what a server may send to a client.
 *
 * In the place of TLS stand two buffers (wiresock.h), the one with the input in it. The first
 * byte says how the client is set up and whether the WebSocket is granted as it should be, or
 * the input has to bring that answer, too. Then come pieces with two bytes of length: a frame
 * of the protocol each (type, id, body) or bytes as they are. What must hold: the client is
 * told once that the link is down, and with a reason; before login nothing but the beginning
 * of the protocol reaches it; what is sent back is WebSocket as a server reads it.
 */
#include "config.h"

#include "base/clock.h"
#include "base/mem.h"
#include "crypto/sha.h"
#include "fuzz/fuzz.h"
#include "fuzz/signer.h"
#include "libemsg/wirelink.h"
#include "net/http.h"
#include "net/ws.h"
#include "wire/wframe.h"

#define ROOM 65536
#define HOW_RAW_HTTP 0x01  /* the input brings the answer to the upgrade */
#define HOW_RAW_WS 0x02    /* pieces are bytes, not frames */
#define HOW_PINNED 0x04    /* the domain key is pinned */
#define HOW_NO_LOGIN 0x08  /* before registration */
#define HOW_ONE_ROUND 0x10 /* all pieces come at once */
#define HOW_STOP 0x20      /* the client ends the link itself */
#define HOW_LOST 0x40      /* the connection breaks at the end */
#define HOW_OTHER_PIN 0x80 /* that of nobody */

struct wiresock {
	struct buf in, out;
	enum wiresock_state state;
	bool lost;
};

static struct wiresock *sock; /* of the link under test */
static unsigned downs, ups, frames;
static bool may_login;

/* --- the connection ----------------------------------------------------------------------- */

struct wiresock *
wiresock_new(const char *name, bool pinned, const char **why)
{
	(void)name;
	(void)pinned;
	(void)why;
	sock = xcalloc(1, sizeof(*sock));
	buf_init(&sock->in, WIRESOCK_IN_MAX);
	buf_init(&sock->out, WIRESOCK_OUT_MAX);
	return sock;
}

void
wiresock_free(struct wiresock *s)
{
	if (s != NULL) {
		buf_clear(&s->in);
		buf_clear(&s->out);
	}
	free(s);
}

int
wiresock_start(
    struct wiresock *s, const char *host, unsigned port, uint64_t now, const char **why)
{
	(void)host;
	(void)port;
	(void)now;
	*why = "no way";
	s->state = SOCK_UP;
	return 0;
}

int
wiresock_process(struct wiresock *s, uint64_t now)
{
	(void)now;
	return s->lost ? -1 : 0;
}

void
wiresock_stop(struct wiresock *s)
{
	s->state = SOCK_IDLE;
	buf_clear(&s->in);
}

enum wiresock_state
wiresock_state(const struct wiresock *s)
{
	return s->state;
}

const char *
wiresock_error(const struct wiresock *s)
{
	(void)s;
	return "lost";
}

int
wiresock_fd(const struct wiresock *s)
{
	(void)s;
	return 0;
}

bool
wiresock_wants_write(const struct wiresock *s)
{
	return s->out.n > 0;
}

uint64_t
wiresock_deadline(const struct wiresock *s)
{
	return s->state == SOCK_UP ? 0 : 1;
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
	(void)s;
	return clock_mono_ms();
}

int
wiresock_export(struct wiresock *s, uint8_t out[32])
{
	(void)s;
	memset(out, 'e', 32);
	return 0;
}

/* --- the client --------------------------------------------------------------------------- */

static void
on_up(void *arg, const struct p_welcome_c2s *welcome)
{
	(void)arg;
	fuzz_check((welcome != NULL) == may_login && downs == 0);
	ups++;
}

static void
on_frame(void *arg, const struct wframe *f)
{
	(void)arg;
	fuzz_check(downs == 0 && f->type != FRAME_HELLO && f->type != FRAME_BYE);
	frames++;
}

static void
on_batch(void *arg)
{
	(void)arg;
}

static void
on_down(void *arg, unsigned code, const char *why)
{
	(void)arg;
	(void)code;
	fuzz_check(why != NULL && why[0] != '\0');
	downs++;
}

/* --- the server --------------------------------------------------------------------------- */

/* Takes the request for the upgrade; grants it unless the input does so. */
static void
upgrade(uint8_t how)
{
	struct http_request req;
	struct http_scan scan;

	http_scan_init(&scan);
	fuzz_check(http_request_next(&scan, &sock->out, &req) == HTTP_DONE);
	fuzz_check(req.upgrade && req.protocols == HTTP_PROTO_BIT(HTTP_PROTO_C2S));
	if ((how & HOW_RAW_HTTP) == 0)
		fuzz_check(http_put_switch(&sock->in, &req, HTTP_PROTO_C2S) == 0);
}

/* One piece of the input becomes bytes on the connection. */
static void
send_piece(uint8_t how, struct cur *c)
{
	size_t n = cur_u16(c);
	struct span bytes = cur_bytes(c, n < c->n ? n : c->n);
	struct cur frame;
	struct buf b;

	if ((how & HOW_RAW_WS) != 0) {
		buf_put_span(&sock->in, bytes);
		return;
	}
	buf_init(&b, ROOM + 64);
	cur_init(&frame, bytes);
	while (frame.n > 0 && !frame.failed) {
		enum frame_type type = (enum frame_type)cur_u8(&frame);
		uint64_t id = cur_u8(&frame);

		n = cur_u16(&frame);
		wframe_put(&b, type, id, cur_bytes(&frame, n < frame.n ? n : frame.n));
	}
	ws_put_message(&sock->in, WS_SERVER, buf_span(&b));
	buf_clear(&b);
}

/* What the client sent is what a server can read. */
static void
check_sent(void)
{
	struct wframe_iter it;
	struct wframe frame;
	enum ws_event e;
	struct ws ws;

	ws_init(&ws, WS_SERVER, WS_LIMIT_MAX);
	while ((e = ws_next(&ws, &sock->out)) != WS_MORE) {
		fuzz_check(e != WS_ERROR);
		if (e != WS_MESSAGE)
			continue;
		wframe_init(&it, ws.payload);
		while (wframe_next(&it, &frame))
			fuzz_check(frame.type == FRAME_AUTH || frame.type == FRAME_REQ);
		fuzz_check(it.err == WIRE_OK);
	}
	fuzz_check(ws_held(&ws) == 0 && sock->out.n == 0);
	ws_clear(&ws);
}

static void
converse(struct wirelink *l, uint8_t how, struct cur *c)
{
	wirelink_start(l);
	wirelink_process(l);
	upgrade(how);
	while (c->n > 0 && !c->failed && downs == 0) {
		do
			send_piece(how, c);
		while (c->n > 0 && !c->failed && (how & HOW_ONE_ROUND) != 0);
		wirelink_process(l);
		fuzz_check((downs > 0) == (wirelink_state(l) == LINK_DOWN));
		fuzz_check((wirelink_timeout(l) == -1) == (downs > 0));
		fuzz_check((wirelink_fd(l) == -1) == (downs > 0));
		fuzz_check(!wirelink_wants_write(l) || downs == 0);
	}
	sock->lost = (how & HOW_LOST) != 0;
	wirelink_process(l);
	if ((how & HOW_STOP) != 0)
		wirelink_stop(l);
	else
		fuzz_check(!sock->lost || downs == 1);
	fuzz_check(downs <= 1 && (frames == 0 || ups > 0));
}

/* The domain key is key 1 (signer.h), or one that nobody has. */
static void
set_pin(struct row_self *self, uint8_t how)
{
	uint8_t seed[32], pub[32];

	signer_key(1, seed, pub);
	if ((how & HOW_OTHER_PIN) == 0)
		fuzz_check(sha_of(span_of(pub, sizeof(pub)), self->pin) == 0);
	obj_set(&row_self_def, self, SELF_PIN);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct wirelink_ops ops = {on_up, on_frame, on_batch, on_down};
	struct row_self self = {.account = span_str("alice#im.alpha.test"), .port = 443};
	struct wirelink *l;
	const char *why;
	struct cur c;
	uint8_t how;

	if (n == 0 || n > ROOM)
		return 0;
	cur_init(&c, span_of(p, n));
	how = cur_u8(&c);
	downs = ups = frames = 0;
	may_login = (how & HOW_NO_LOGIN) == 0;
	if ((how & HOW_PINNED) != 0)
		set_pin(&self, how);
	l = wirelink_new(&self, may_login, &ops, NULL, &why);
	fuzz_check(l != NULL);
	converse(l, how, &c);
	if (sock->out.n > 0)
		check_sent();
	wirelink_free(l);
	return 0;
}
