/* SPDX-License-Identifier: ISC */
/*
 * loaddev.c - the protocol of one device, as little of it as load needs.
 *
 * Speaks doc/protocol.md section 4 over lib/net/link.c: waits for hello, registers if asked,
 * logs in, gives credit, takes pushes apart and confirms them. The certificate is not judged:
 * the generator runs beside the server. Owns its link and the frames that wait for the next
 * flush; keys and environment are borrowed. Called by loadpair.c and loadidle.c. A link that
 * ends, or a frame that is not understood, is told once by on_failed.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "net/link.h"
#include "wire/call.h"

#include "loaddev.h"

#define OUT_FLUSH (64u * 1024) /* more than this goes out without waiting for the turn */
#define SETUP_MS 60000u        /* many log in at once on a busy machine */
#define REQ_REGISTER 1u

enum phase { DEV_CONNECTING, DEV_HELLO, DEV_REGISTERING, DEV_AUTH, DEV_READY, DEV_DEAD };

struct loaddev {
	struct loadenv *env;             /* borrowed */
	const struct loadserver *server; /* borrowed */
	struct loadkeys *keys;           /* borrowed */
	const struct loaddev_ops *ops;   /* borrowed */
	void *arg;
	struct link *link;
	struct buf out; /* frames of the next message */
	enum phase phase;
	bool reg; /* the account is still to be made */
	uint8_t nonce[32];
	uint64_t credit_items, credit_bytes; /* for puts */
	uint64_t seen,
	    done; /* seq of the newest push, and of the newest that was confirmed */
};

static void
fail(struct loaddev *d, const char *fmt, const char *detail)
{
	char why[LOADDEV_WHY_MAX];

	if (d->phase == DEV_DEAD)
		return;
	d->phase = DEV_DEAD;
	(void)snprintf(why, sizeof(why), "%s: %s %s", d->keys->account, fmt, detail);
	d->ops->on_failed(d, why, d->arg);
}

/* --- out ------------------------------------------------------------------------------------ */

void
loaddev_flush(struct loaddev *d)
{
	if (d->out.n == 0 || d->phase == DEV_DEAD)
		return;
	if (buf_failed(&d->out) || link_send(d->link, buf_span(&d->out)) == -1)
		fail(d, "cannot send", "");
	buf_reset(&d->out);
}

void
loaddev_frame(struct loaddev *d, uint64_t type, uint64_t id, const struct obj_def *def,
    const void *obj)
{
	if (wframe_put_obj(&d->out, type, id, def, obj) != WIRE_OK)
		fail(d, "cannot encode", def->name);
	if (d->out.n >= OUT_FLUSH)
		loaddev_flush(d);
}

void
loaddev_req(struct loaddev *d, uint64_t id, const char *method,
    const struct obj_def *args_def, const void *args)
{
	struct p_req req = {.method = span_str(method)};
	struct buf b;

	buf_init(&b, PROTO_OBJECT_MAX * 2);
	if (obj_encode(args_def, args, &b) != WIRE_OK)
		fail(d, "cannot encode", method);
	req.args = buf_span(&b);
	loaddev_frame(d, FRAME_REQ, id, &p_req_def, &req);
	buf_clear(&b);
}

static void
send_register(struct loaddev *d)
{
	struct c_register c = {.account = span_str(d->keys->account)};

	c.listkey = buf_span(&d->keys->listkey);
	c.devlist = buf_span(&d->keys->devlist);
	c.prekey = buf_span(&d->keys->prekey);
	if (d->env->next_token < d->env->n_tokens) {
		c.token = span_of(d->env->tokens[d->env->next_token++], 16);
		obj_set(&c_register_def, &c, 2);
	}
	d->phase = DEV_REGISTERING;
	loaddev_req(d, REQ_REGISTER, "account.register", &c_register_def, &c);
}

static void
send_auth(struct loaddev *d)
{
	struct p_auth_c2s auth = {.version = PROTO_VERSION};
	uint8_t exporter[TLS_EXPORT_LEN];
	struct buf proof;

	buf_init(&proof, 2048);
	d->phase = DEV_AUTH;
	if (conn_export(link_conn(d->link), PROTO_EXPORTER_C2S, exporter) == -1 ||
	    loadkeys_login(
		d->keys, span_str(d->server->domain), d->nonce, exporter, &proof) == -1)
		fail(d, "cannot sign", "the login");
	auth.proof = buf_span(&proof);
	loaddev_frame(d, FRAME_AUTH, 0, &p_auth_c2s_def, &auth);
	buf_clear(&proof);
}

/* --- in ------------------------------------------------------------------------------------- */

static bool
on_hello(struct loaddev *d, struct span body)
{
	struct p_hello hello;

	if (obj_decode(&p_hello_def, body, &hello) != WIRE_OK)
		return false;
	memcpy(d->nonce, hello.nonce, sizeof(d->nonce));
	if (d->reg)
		send_register(d);
	else
		send_auth(d);
	return true;
}

static bool
on_welcome(struct loaddev *d, struct span body)
{
	struct p_credit credit = {
	    .bytes = PROTO_CREDIT_BYTES, .items = PROTO_CREDIT_ITEMS};
	struct p_welcome_c2s w;

	if (d->phase != DEV_AUTH || obj_decode(&p_welcome_c2s_def, body, &w) != WIRE_OK)
		return false;
	d->phase = DEV_READY;
	d->credit_items = w.credit_items;
	d->credit_bytes = w.credit_bytes;
	link_established(d->link, PROTO_MESSAGE_MAX);
	loaddev_frame(d, FRAME_CREDIT, 0, &p_credit_def, &credit);
	if (d->ops->on_ready != NULL)
		d->ops->on_ready(d, d->arg);
	return true;
}

static bool
on_result(struct loaddev *d, uint64_t id, struct span body)
{
	struct p_outcome outcome;
	struct p_result result;
	struct obj_iter it;

	if (obj_decode(&p_result_def, body, &result) != WIRE_OK)
		return false;
	obj_iter_init(&it, &result.outcomes);
	while (obj_next(&it, &p_outcome_def, &outcome))
		if (d->ops->on_outcome != NULL)
			d->ops->on_outcome(d, id, &outcome, d->arg);
	return true;
}

static bool
on_push(struct loaddev *d, struct span body)
{
	struct p_push push;

	if (obj_decode(&p_push_def, body, &push) != WIRE_OK)
		return false;
	if (push.seq > d->seen)
		d->seen = push.seq;
	if (d->ops->on_push != NULL)
		d->ops->on_push(d, &push, d->arg);
	return true;
}

static bool
on_res(struct loaddev *d, uint64_t id, struct span body)
{
	struct p_res res;

	if (obj_decode(&p_res_def, body, &res) != WIRE_OK)
		return false;
	if (d->phase == DEV_REGISTERING && id == REQ_REGISTER) {
		if (code_class(res.code) != CODE_OK) {
			fail(d, "registration:", code_symbol(res.code));
			return true;
		}
		d->reg = false;
		send_auth(d);
	} else if (d->ops->on_res != NULL) {
		d->ops->on_res(d, id, res.code, d->arg);
	}
	return true;
}

static bool
on_bye(struct loaddev *d, struct span body)
{
	struct p_bye bye;

	if (obj_decode(&p_bye_def, body, &bye) != WIRE_OK)
		return false;
	fail(d, "the server said bye:", code_symbol(bye.code));
	return true;
}

static bool
on_frame(struct loaddev *d, const struct wframe *f)
{
	switch (f->type) {
	case FRAME_HELLO:
		return on_hello(d, f->body);
	case FRAME_WELCOME:
		return on_welcome(d, f->body);
	case FRAME_RESULT:
		return on_result(d, f->id, f->body);
	case FRAME_PUSH:
		return on_push(d, f->body);
	case FRAME_RES:
		return on_res(d, f->id, f->body);
	case FRAME_EVENT:
		return true;
	case FRAME_BYE:
		return on_bye(d, f->body);
	default:
		return false;
	}
}

static void
confirm(struct loaddev *d)
{
	struct p_done done = {.seq = d->seen};

	if (d->seen == d->done)
		return;
	loaddev_frame(d, FRAME_DONE, 0, &p_done_def, &done);
	d->done = d->seen;
}

static void
on_message(struct link *l, struct span message, void *arg)
{
	struct loaddev *d = arg;
	struct wframe_iter it;
	struct wframe f;

	(void)l;
	wframe_init(&it, message);
	while (d->phase != DEV_DEAD && wframe_next(&it, &f))
		if (!on_frame(d, &f))
			fail(d, "cannot make sense of", proto_frame_name(f.type));
	if (it.err != WIRE_OK)
		fail(d, "frames:", wire_err_name(it.err));
	if (d->phase == DEV_DEAD)
		return;
	confirm(d);
	if (d->ops->on_turn != NULL)
		d->ops->on_turn(d, d->arg);
	loaddev_flush(d);
}

/* --- the link ------------------------------------------------------------------------------- */

static void
on_open(struct link *l, void *arg)
{
	struct loaddev *d = arg;

	(void)l;
	d->phase = DEV_HELLO;
}

static void
on_close(struct link *l, const struct link_end *end, void *arg)
{
	(void)l;
	fail(arg, conn_reason_name(end->reason), end->text);
}

/* A connected, non-blocking socket to the server, or -1 with errno. */
static int
dial(const struct sockaddr_in *addr)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == -1 ||
	    fd_nonblock(fd) == -1) {
		int e = errno;

		(void)close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

int
loaddev_connect(struct loaddev *d, bool reg)
{
	static const struct link_ops ops = {
	    .on_open = on_open, .on_message = on_message, .on_close = on_close};
	struct link_target target = {.name = d->server->domain,
	    .path = HTTP_PATH_C2S,
	    .proto = HTTP_PROTO_C2S,
	    .verify = TLS_VERIFY_LATER,
	    .peer = "server"};
	struct conn_limits limits = conn_limits_default;
	int fd = dial(&d->server->addr);

	if (fd == -1)
		return -1;
	limits.setup_ms = SETUP_MS;
	limits.out_max = 4 * PROTO_CREDIT_BYTES;
	d->reg = reg;
	d->phase = DEV_CONNECTING;
	d->seen = d->done = 0;
	link_free(d->link);
	d->link = link_connect(d->env->base, fd, d->env->tls, &target, &limits, &ops, d);
	return d->link == NULL ? -1 : 0;
}

struct loaddev *
loaddev_new(struct loadenv *env, const struct loadserver *server, struct loadkeys *keys,
    const struct loaddev_ops *ops, void *arg)
{
	struct loaddev *d = xcalloc(1, sizeof(*d));

	d->env = env;
	d->server = server;
	d->keys = keys;
	d->ops = ops;
	d->arg = arg;
	buf_init(&d->out, PROTO_MESSAGE_MAX);
	return d;
}

void
loaddev_free(struct loaddev *d)
{
	if (d == NULL)
		return;
	link_free(d->link);
	buf_clear(&d->out);
	free(d);
}

bool
loaddev_ready(const struct loaddev *d)
{
	return d->phase == DEV_READY;
}

const struct loadkeys *
loaddev_keys(const struct loaddev *d)
{
	return d->keys;
}

const struct loadserver *
loaddev_server(const struct loaddev *d)
{
	return d->server;
}

uint64_t
loaddev_credit(const struct loaddev *d, size_t bytes)
{
	uint64_t n = d->credit_bytes / bytes;

	return n < d->credit_items ? n : d->credit_items;
}
