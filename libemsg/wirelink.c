/* SPDX-License-Identifier: ISC */
/*
 * wirelink.c - the link of a device to its server.
 *
 * Upgrades to a WebSocket, waits for hello, has the server prove its domain key if it is
 * pinned, logs in with a proof bound to this TLS connection, and then passes frames. Another
 * hello on a living link asks for another login; what was sent meanwhile is answered
 * "unknown-handle" and repeated by those above. Silence is answered with a ping, and more of it
 * with giving up.
 *
 * Owns the connection. Called by session.c and enrol.c. Whatever goes wrong ends in down() with
 * a reason for people; the link can then be started again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/trust.h"
#include "keys.h"
#include "net/http.h"
#include "net/ws.h"
#include "wirelink.h"
#include "wire/call.h"

#define PROVE_ID 1        /* id of our one request before login */
#define OPENING_MS 15000  /* from the start to hello, proof and welcome */
#define BATCH_MAX 200000  /* bytes of frames that go out in one message */
#define LOGIN_MAX 2048    /* bytes of a login proof */
#define REQUEST_MAX 65536 /* bytes of a request */

enum phase { PHASE_TLS, PHASE_HTTP, PHASE_HELLO, PHASE_PROVE, PHASE_DONE };

struct wirelink {
	const struct row_self *self; /* borrowed */
	bool login;
	const struct wirelink_ops *ops; /* borrowed */
	void *arg;
	struct wiresock *sock; /* owned */
	enum wirelink_state state;
	enum phase phase;
	struct http_scan scan;
	char key[HTTP_KEY_LEN + 1];
	struct ws ws;
	struct buf frames; /* that go into the next message */
	struct p_hello hello;
	uint8_t nonce[32]; /* ours, for the proof */
	uint64_t deadline, pinged;
	int64_t ahead;
	char domain[ADDR_DOMAIN_MAX + 1];
};

static void
go_down(struct wirelink *l, unsigned code, const char *why)
{
	char text[300];

	snprintf(text, sizeof(text), "%s", why);
	wiresock_stop(l->sock);
	ws_clear(&l->ws);
	buf_clear(&l->frames);
	l->state = LINK_DOWN;
	l->ops->down(l->arg, code, text);
}

struct wirelink *
wirelink_new(const struct row_self *self, bool login, const struct wirelink_ops *ops,
    void *arg, const char **why)
{
	struct wirelink *l = xcalloc(1, sizeof(*l));

	l->self = self;
	l->login = login;
	l->ops = ops;
	l->arg = arg;
	buf_init(&l->frames, WIRESOCK_OUT_MAX);
	ws_init(&l->ws, WS_CLIENT, WS_LIMIT_LOGIN);
	text_copy(l->domain, sizeof(l->domain), keys_domain(self->account));
	l->sock = wiresock_new(l->domain, obj_has(&row_self_def, self, SELF_PIN), why);
	if (l->sock != NULL)
		return l;
	wirelink_free(l);
	return NULL;
}

void
wirelink_free(struct wirelink *l)
{
	if (l == NULL)
		return;
	wiresock_free(l->sock);
	ws_clear(&l->ws);
	buf_clear(&l->frames);
	free(l);
}

void
wirelink_start(struct wirelink *l)
{
	char host[ROW_HOST_MAX + 1];
	const char *why;

	if (!obj_has(&row_self_def, l->self, SELF_HOST) ||
	    !text_copy(host, sizeof(host), l->self->host))
		snprintf(host, sizeof(host), "%s", l->domain);
	ws_clear(&l->ws);
	ws_init(&l->ws, WS_CLIENT, PROTO_MESSAGE_MAX);
	buf_clear(&l->frames);
	l->phase = PHASE_TLS;
	l->state = LINK_OPENING;
	l->deadline = clock_mono_ms() + OPENING_MS;
	l->pinged = 0;
	if (wiresock_start(
		l->sock, host, (unsigned)l->self->port, clock_mono_ms(), &why) < 0)
		go_down(l, 0, why);
}

/* --- sending ------------------------------------------------------------------------------ */

/* Wraps what is collected into one WebSocket message. */
static void
flush(struct wirelink *l)
{
	if (l->frames.n == 0)
		return;
	ws_put_message(wiresock_out(l->sock), WS_CLIENT, buf_span(&l->frames));
	buf_reset(&l->frames);
}

int
wirelink_send(struct wirelink *l, enum frame_type type, uint64_t id, struct span body)
{
	size_t limit = l->state == LINK_READY ? BATCH_MAX : 0;

	if (l->state < LINK_OPENING || l->phase < PHASE_HELLO ||
	    wiresock_out(l->sock)->n + l->frames.n + body.n + 64 > WIRESOCK_OUT_MAX / 2)
		return -1;
	if (l->frames.n + body.n > limit)
		flush(l);
	wframe_put(&l->frames, type, id, body);
	return 0;
}

int
wirelink_send_obj(struct wirelink *l, enum frame_type type, uint64_t id,
    const struct obj_def *def, const void *obj)
{
	struct buf body;
	int rc = -1;

	buf_init(&body, PROTO_MESSAGE_MAX);
	if (obj_encode(def, obj, &body) == WIRE_OK && !buf_failed(&body))
		rc = wirelink_send(l, type, id, buf_span(&body));
	buf_wipe(&body);
	return rc;
}

int
wirelink_request(struct wirelink *l, uint64_t id, const char *method,
    const struct obj_def *def, const void *args)
{
	struct p_req req = {.method = span_str(method)};
	struct c_none none = {0};
	struct buf body;
	int rc = -1;

	buf_init(&body, REQUEST_MAX);
	if (args == NULL) {
		def = &c_none_def;
		args = &none;
	}
	if (obj_encode(def, args, &body) == WIRE_OK && !buf_failed(&body)) {
		req.args = buf_span(&body);
		rc = wirelink_send_obj(l, FRAME_REQ, id, &p_req_def, &req);
	}
	buf_wipe(&body);
	return rc;
}

/* --- hello, proof, login ------------------------------------------------------------------ */

static void
send_auth(struct wirelink *l)
{
	struct p_auth_c2s auth = {.version = PROTO_VERSION};
	uint8_t exporter[32];
	struct buf proof;

	buf_init(&proof, LOGIN_MAX);
	if (wiresock_export(l->sock, exporter) < 0 ||
	    keys_login(l->self, span_str(l->domain), l->hello.nonce, exporter, &proof) <
		0) {
		go_down(l, 0, "the login proof cannot be made");
	} else {
		auth.proof = buf_span(&proof);
		l->state = LINK_LOGIN;
		wirelink_send_obj(l, FRAME_AUTH, 0, &p_auth_c2s_def, &auth);
	}
	buf_clear(&proof);
}

/* The server is who it must be. */
static void
proven(struct wirelink *l)
{
	l->phase = PHASE_DONE;
	if (l->login) {
		send_auth(l);
		return;
	}
	l->state = LINK_OPEN;
	l->ops->up(l->arg, NULL);
}

static void
ask_proof(struct wirelink *l)
{
	struct c_prove args = {0};

	random_bytes(l->nonce, sizeof(l->nonce));
	memcpy(args.nonce, l->nonce, sizeof(args.nonce));
	l->phase = PHASE_PROVE;
	wirelink_request(l, PROVE_ID, "server.prove", &c_prove_def, &args);
}

static void
on_hello(struct wirelink *l, struct span body)
{
	if (obj_decode(&p_hello_def, body, &l->hello) != WIRE_OK ||
	    !span_eq(l->hello.domain, span_str(l->domain)) ||
	    l->hello.version_min > PROTO_VERSION ||
	    l->hello.version_max < PROTO_VERSION) {
		go_down(l, 0, "the server speaks for another domain or another version");
		return;
	}
	l->ahead = (int64_t)(l->hello.time - clock_wall_ms());
	l->deadline = clock_mono_ms() + OPENING_MS;
	if (l->phase == PHASE_HELLO && obj_has(&row_self_def, l->self, SELF_PIN))
		ask_proof(l);
	else
		proven(l);
}

/* Judges the answer to server.prove; NULL or why not. The server's clock is taken as ours if
 * ours is wrong: the nonce says that the proof is new. */
static const char *
judge_proof(struct wirelink *l, const struct c_proof *proof)
{
	uint64_t now = clock_wall_ms() + (uint64_t)l->ahead;
	struct trust_domain domain;
	uint8_t exporter[32];

	if (trust_domain(proof->document, span_str(l->domain), now, &domain) != CODE_DONE)
		return "the server's domain document is not valid";
	if (!sha_equal(span_of(domain.pin, 32), span_of(l->self->pin, 32)))
		return "the server has another domain key than the one that is pinned";
	if (wiresock_export(l->sock, exporter) < 0 ||
	    trust_server(&domain, proof->proof, l->nonce, exporter, now) != CODE_DONE)
		return "the server does not prove its domain key";
	return NULL;
}

static void
on_proof(struct wirelink *l, struct span body)
{
	const char *why = "the server does not prove its domain key";
	struct c_proof proof;
	struct p_res res;

	if (obj_decode(&p_res_def, body, &res) == WIRE_OK &&
	    code_class(res.code) == CODE_OK &&
	    obj_decode(&c_proof_def, res.result, &proof) == WIRE_OK)
		why = judge_proof(l, &proof);
	if (why != NULL)
		go_down(l, CODE_NOT_AUTHORISED, why);
	else
		proven(l);
}

static void
on_welcome(struct wirelink *l, struct span body)
{
	struct p_welcome_c2s welcome;

	if (l->state != LINK_LOGIN ||
	    obj_decode(&p_welcome_c2s_def, body, &welcome) != WIRE_OK) {
		go_down(l, 0, "the server's welcome is not understood");
		return;
	}
	l->state = LINK_READY;
	l->ops->up(l->arg, &welcome);
}

static void
on_bye(struct wirelink *l, struct span body)
{
	char text[PROTO_TEXT_MAX + 1] = "", line[PROTO_TEXT_MAX + 80];
	struct p_bye bye;

	if (obj_decode(&p_bye_def, body, &bye) != WIRE_OK) {
		go_down(l, 0, "the server closed the link");
		return;
	}
	if (obj_has(&p_bye_def, &bye, 2))
		text_copy(text, sizeof(text), bye.text);
	snprintf(line, sizeof(line), "the server closed the link: %s%s%s",
	    code_symbol(bye.code), text[0] == '\0' ? "" : ": ", text);
	go_down(l, (unsigned)bye.code, line);
}

static void
on_frame(struct wirelink *l, const struct wframe *f)
{
	if (f->type == FRAME_BYE)
		on_bye(l, f->body);
	else if (f->type == FRAME_HELLO && l->phase != PHASE_PROVE)
		on_hello(l, f->body);
	else if (l->phase == PHASE_PROVE && f->type == FRAME_RES && f->id == PROVE_ID)
		on_proof(l, f->body);
	else if (l->phase != PHASE_DONE)
		go_down(l, 0, "the server does not keep to the protocol");
	else if (f->type == FRAME_WELCOME)
		on_welcome(l, f->body);
	else if (f->type == FRAME_PUSH || f->type == FRAME_RESULT ||
	    f->type == FRAME_RES || f->type == FRAME_EVENT)
		l->ops->frame(l->arg, f);
	else
		go_down(l, 0, "the server does not keep to the protocol");
}

/* --- receiving ---------------------------------------------------------------------------- */

static void
on_message(struct wirelink *l, struct span message)
{
	struct wframe_iter it;
	struct wframe f;

	wframe_init(&it, message);
	while (l->state != LINK_DOWN && wframe_next(&it, &f))
		on_frame(l, &f);
	if (l->state != LINK_DOWN && it.err != WIRE_OK)
		go_down(l, 0, "the server sends what is not understood");
}

static void
on_ws(struct wirelink *l)
{
	struct buf *out = wiresock_out(l->sock);
	enum ws_event event = WS_MORE;

	while (l->state != LINK_DOWN &&
	    (event = ws_next(&l->ws, wiresock_in(l->sock))) != WS_MORE) {
		l->pinged = 0;
		if (event == WS_MESSAGE)
			on_message(l, l->ws.payload);
		else if (event == WS_PING)
			ws_put_pong(out, WS_CLIENT, l->ws.payload);
		else if (event == WS_CLOSE)
			go_down(l, 0, "the server closed the link");
		else if (event == WS_ERROR)
			go_down(l, 0, "the server sends what is not understood");
	}
}

static void
on_http(struct wirelink *l)
{
	struct http_response response;
	enum http_result result =
	    http_response_next(&l->scan, wiresock_in(l->sock), &response);

	if (result == HTTP_MORE)
		return;
	if (result == HTTP_BAD || !http_upgraded(&response, l->key, HTTP_PROTO_C2S)) {
		go_down(l, 0, "the server does not offer EMSG here");
		return;
	}
	l->phase = PHASE_HELLO;
}

static void
send_upgrade(struct wirelink *l)
{
	http_scan_init(&l->scan);
	http_key(l->key);
	http_put_upgrade(
	    wiresock_out(l->sock), l->domain, HTTP_PATH_C2S, HTTP_PROTO_C2S, l->key);
	l->phase = PHASE_HTTP;
}

/* Asks after silence whether the server lives; false if it does not. */
static bool
alive(struct wirelink *l, uint64_t now)
{
	if (l->state != LINK_READY && l->state != LINK_OPEN)
		return now < l->deadline;
	if (l->pinged != 0)
		return now < l->pinged + WIRELINK_DEAD_MS;
	if (now >= wiresock_last(l->sock) + WIRELINK_QUIET_MS) {
		ws_put_ping(wiresock_out(l->sock), WS_CLIENT, span_of(NULL, 0));
		l->pinged = now;
	}
	return true;
}

/* One round: bytes from the socket, what they mean, bytes to the socket. */
void
wirelink_process(struct wirelink *l)
{
	uint64_t now = clock_mono_ms();

	if (l->state == LINK_DOWN)
		return;
	flush(l);
	if (wiresock_process(l->sock, now) < 0) {
		go_down(l, 0, wiresock_error(l->sock));
		return;
	}
	if (l->phase == PHASE_TLS && wiresock_state(l->sock) == SOCK_UP)
		send_upgrade(l);
	if (l->phase == PHASE_HTTP)
		on_http(l);
	if (l->state != LINK_DOWN && l->phase >= PHASE_HELLO) {
		on_ws(l);
		l->ops->batch(l->arg);
	}
	if (l->state == LINK_DOWN)
		return;
	flush(l);
	if (!alive(l, now))
		go_down(l, 0, "the server does not answer");
	else if (wiresock_process(l->sock, now) < 0)
		go_down(l, 0, wiresock_error(l->sock));
}

void
wirelink_stop(struct wirelink *l)
{
	if (l->state == LINK_DOWN)
		return;
	if (l->phase >= PHASE_HELLO) {
		flush(l);
		ws_put_close(wiresock_out(l->sock), WS_CLIENT, WS_CODE_NORMAL, NULL);
		wiresock_process(l->sock, clock_mono_ms());
	}
	wiresock_stop(l->sock);
	l->state = LINK_DOWN;
}

/* --- questions ---------------------------------------------------------------------------- */

enum wirelink_state
wirelink_state(const struct wirelink *l)
{
	return l->state;
}

int
wirelink_fd(const struct wirelink *l)
{
	return l->state == LINK_DOWN ? -1 : wiresock_fd(l->sock);
}

bool
wirelink_wants_write(const struct wirelink *l)
{
	return l->state != LINK_DOWN &&
	    (wiresock_wants_write(l->sock) || l->frames.n > 0);
}

int
wirelink_timeout(const struct wirelink *l)
{
	uint64_t now = clock_mono_ms(), due, connect;

	if (l->state == LINK_DOWN)
		return -1;
	if (l->state != LINK_READY && l->state != LINK_OPEN) {
		due = l->deadline;
		connect = wiresock_deadline(l->sock);
		if (connect != 0 && connect < due)
			due = connect;
	} else if (l->pinged != 0) {
		due = l->pinged + WIRELINK_DEAD_MS;
	} else {
		due = wiresock_last(l->sock) + WIRELINK_QUIET_MS;
	}
	return due <= now ? 0 : (int)(due - now);
}

int64_t
wirelink_clock(const struct wirelink *l)
{
	return l->ahead;
}
