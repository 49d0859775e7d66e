/* SPDX-License-Identifier: ISC */
/*
 * link.c - a WebSocket link, or one plain GET, over a TLS connection.
 *
 * A link is first in HEAD (an HTTP head is awaited), then either OPEN (frames) or, for a
 * fetch, in BODY; whatever happens, it goes to OVER once and no input is looked at any more.
 * The connection below then ends in order (the peer still gets our answer or close frame) or by
 * its deadline, and its end becomes the one on_close.
 *
 * Owns its connection, the framer and, on the client side until it is sent, the request.
 * Called by listener (server) and relay (client). Violations of a protocol are answered as
 * that protocol says, with an HTTP status or a WebSocket close code. Never logs, never exits.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/link.h"

#define REQUEST_MAX 1024 /* our own request head */
#define ANSWER_MAX (HTTP_HEAD_MAX + HTTP_BODY_MAX)
#define FRAME_EXTRA WS_HEADER_MAX

enum link_state { HEAD, BODY, OPEN, OVER };
enum link_mode { SERVER, CLIENT, FETCH };

struct link {
	struct conn *conn;          /* owned */
	const struct link_ops *ops; /* borrowed */
	void *arg;                  /* borrowed */
	enum link_mode mode;
	enum link_state state;
	struct http_scan scan;
	struct ws ws;               /* owned: its buffer */
	struct buf request;         /* owned: what a client sends first */
	size_t body;                /* BODY: bytes of the document */
	enum http_proto proto;      /* client: what it asked for */
	char key[HTTP_KEY_LEN + 1]; /* client: what it sent */
	struct link_end end;        /* what is known of the end so far */
	unsigned paused;
	bool busy;  /* on_conn_read() is running */
	bool freed; /* link_free() came while busy */
};

_Static_assert(sizeof(struct link) <= 512, "an idle link costs too much");

static void on_conn_open(struct conn *, void *);
static void on_conn_read(struct conn *, struct buf *, void *);
static void on_conn_full(struct conn *, void *);
static void on_conn_drained(struct conn *, void *);
static void on_conn_quiet(struct conn *, void *);
static void on_conn_close(struct conn *, enum conn_reason, void *);

static const struct conn_ops conn_ops = {
    .on_open = on_conn_open,
    .on_read = on_conn_read,
    .on_full = on_conn_full,
    .on_drained = on_conn_drained,
    .on_quiet = on_conn_quiet,
    .on_close = on_conn_close,
};

static enum ws_role
role_of(const struct link *l)
{
	return l->mode == SERVER ? WS_SERVER : WS_CLIENT;
}

/* Sends what a buffer holds and frees it. */
static int
send_free(struct link *l, struct buf *b)
{
	int rc = buf_failed(b) ? -1 : conn_write(l->conn, buf_span(b));

	buf_clear(b);
	return rc;
}

/* No more input; the connection ends in order. text: static, or NULL. */
static void
end(struct link *l, const char *text)
{
	l->state = OVER;
	if (l->end.text == NULL)
		l->end.text = text != NULL ? text : "";
	conn_close(l->conn);
}

static void
end_with_code(struct link *l, unsigned code, const char *reason)
{
	struct buf b;

	buf_init(&b, WS_CONTROL_MAX + FRAME_EXTRA);
	ws_put_close(&b, role_of(l), code, reason);
	(void)send_free(l, &b);
	end(l, reason);
}

static void
end_with_answer(
    struct link *l, unsigned status, const char *type, struct span body, const char *text)
{
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	http_put_answer(&b, status, type, body);
	(void)send_free(l, &b);
	l->end.status = status;
	end(l, text);
}

static void
opened(struct link *l)
{
	l->state = OPEN;
	l->end.opened = true;
	ws_init(&l->ws, role_of(l), WS_LIMIT_LOGIN);
	l->ops->on_open(l, l->arg);
}

/* The user said 101: only possible for an upgrade that offered the protocol, or none. */
static void
accept_upgrade(struct link *l, const struct http_request *req, enum http_proto proto)
{
	struct buf b;

	if (!req->upgrade || (req->protocols & HTTP_PROTO_BIT(proto)) == 0) {
		end_with_answer(l, req->upgrade ? 400 : 426, NULL, span_of(NULL, 0),
		    "no upgrade to a protocol that is spoken here");
		return;
	}
	buf_init(&b, HTTP_HEAD_MAX);
	if (http_put_switch(&b, req, proto) < 0 || send_free(l, &b) < 0) {
		buf_clear(&b);
		end(l, "upgrade could not be answered");
		return;
	}
	opened(l);
}

static void
take_request(struct link *l, struct buf *in)
{
	struct link_answer answer = {.status = 404};
	const char *domain = conn_domain(l->conn);
	struct http_request req;
	enum http_result r = http_request_next(&l->scan, in, &req);

	if (r == HTTP_MORE)
		return;
	if (r == HTTP_BAD) {
		end_with_answer(l, req.status, NULL, span_of(NULL, 0), req.error);
		return;
	}
	if (domain == NULL || !http_host_is(req.host, domain)) {
		end_with_answer(
		    l, 421, NULL, span_of(NULL, 0), "Host is not the TLS name");
		return;
	}
	l->ops->on_request(l, &req, &answer, l->arg);
	if (l->freed || l->state != HEAD)
		return;
	if (answer.status == 101)
		accept_upgrade(l, &req, answer.proto);
	else
		end_with_answer(l, answer.status, answer.type, answer.body, "answered");
}

static void
take_response(struct link *l, struct buf *in)
{
	struct http_response res;
	enum http_result r = http_response_next(&l->scan, in, &res);

	if (r == HTTP_MORE)
		return;
	if (r == HTTP_BAD) {
		end(l, res.error);
		return;
	}
	l->end.status = res.status;
	if (l->mode == FETCH && res.status == 200) {
		l->body = res.length;
		l->state = BODY;
	} else if (l->mode == CLIENT && http_upgraded(&res, l->key, l->proto)) {
		opened(l);
	} else {
		end(l, res.status == 101 ? "upgrade not as asked for" : "refused");
	}
}

static void
take_body(struct link *l, struct buf *in)
{
	if (in->n < l->body)
		return;
	l->end.opened = true;
	l->ops->on_document(l, span_of(in->p, l->body), l->arg);
	if (!l->freed && l->state == BODY)
		end(l, "fetched");
}

/* The other side closes; it gets its code back. */
static void
on_remote_close(struct link *l)
{
	l->end.code = l->ws.code;
	l->end.remote = true;
	end_with_code(l, l->ws.code, NULL);
}

static void
take_event(struct link *l, enum ws_event event)
{
	struct buf b;

	switch (event) {
	case WS_MESSAGE:
		l->ops->on_message(l, l->ws.payload, l->arg);
		break;
	case WS_PING:
		buf_init(&b, WS_CONTROL_MAX + FRAME_EXTRA);
		ws_put_pong(&b, role_of(l), l->ws.payload);
		(void)send_free(l, &b);
		break;
	case WS_CLOSE:
		on_remote_close(l);
		break;
	case WS_ERROR:
		l->end.code = l->ws.code;
		end_with_code(l, l->ws.code, l->ws.error);
		break;
	case WS_MORE:
	case WS_PONG:
		break;
	}
}

static void
take_frames(struct link *l, struct buf *in)
{
	enum ws_event event = WS_PONG;

	while (event != WS_MORE && l->state == OPEN && !l->freed && l->paused == 0) {
		event = ws_next(&l->ws, in);
		take_event(l, event);
	}
}

static void
destroy(struct link *l)
{
	conn_free(l->conn);
	ws_clear(&l->ws);
	buf_clear(&l->request);
	free(l);
}

static void
on_conn_open(struct conn *c, void *arg)
{
	struct link *l = arg;

	(void)c;
	if (l->mode != SERVER)
		(void)send_free(l, &l->request);
}

static void
on_conn_read(struct conn *c, struct buf *in, void *arg)
{
	struct link *l = arg;

	(void)c;
	l->busy = true;
	if (l->state == HEAD && l->mode == SERVER)
		take_request(l, in);
	else if (l->state == HEAD)
		take_response(l, in);
	if (l->state == BODY && !l->freed)
		take_body(l, in);
	if (l->state == OPEN)
		take_frames(l, in);
	l->busy = false;
	if (l->freed)
		destroy(l);
}

static void
on_conn_full(struct conn *c, void *arg)
{
	struct link *l = arg;

	(void)c;
	if (l->state == OPEN && l->ops->on_full != NULL)
		l->ops->on_full(l, l->arg);
}

static void
on_conn_drained(struct conn *c, void *arg)
{
	struct link *l = arg;

	(void)c;
	if (l->state == OPEN && l->ops->on_drained != NULL)
		l->ops->on_drained(l, l->arg);
}

static void
on_conn_quiet(struct conn *c, void *arg)
{
	struct link *l = arg;
	struct buf b;

	(void)c;
	if (l->state != OPEN)
		return;
	buf_init(&b, FRAME_EXTRA);
	ws_put_ping(&b, role_of(l), span_of(NULL, 0));
	(void)send_free(l, &b);
}

static void
on_conn_close(struct conn *c, enum conn_reason reason, void *arg)
{
	struct link *l = arg;

	l->state = OVER;
	l->end.reason = reason;
	if (l->end.text == NULL)
		l->end.text = conn_error(c);
	l->ops->on_close(l, &l->end, l->arg);
}

static struct link *
link_new(enum link_mode mode, const struct link_ops *ops, void *arg)
{
	struct link *l = xcalloc(1, sizeof(*l));

	l->mode = mode;
	l->ops = ops;
	l->arg = arg;
	l->end.code = WS_CODE_ABNORMAL;
	http_scan_init(&l->scan);
	ws_init(&l->ws, role_of(l), WS_LIMIT_LOGIN);
	buf_init(&l->request, REQUEST_MAX);
	return l;
}

/* The link, or NULL if its connection could not be made. */
static struct link *
with_conn(struct link *l, struct conn *c)
{
	l->conn = c;
	if (c != NULL)
		return l;
	destroy(l);
	return NULL;
}

struct link *
link_accept(struct event_base *base, int fd, struct tls_server *server, const char *peer,
    const struct conn_limits *limits, const struct link_ops *ops, void *arg)
{
	struct link *l = link_new(SERVER, ops, arg);

	return with_conn(l, conn_accept(base, fd, server, peer, limits, &conn_ops, l));
}

static struct link *
dial(enum link_mode mode, struct event_base *base, int fd, struct tls_client *client,
    const struct link_target *t, const struct conn_limits *limits,
    const struct link_ops *ops, void *arg)
{
	struct link *l = link_new(mode, ops, arg);

	l->proto = t->proto;
	http_key(l->key);
	if (mode == FETCH)
		http_put_get(&l->request, t->name, t->path);
	else
		http_put_upgrade(&l->request, t->name, t->path, t->proto, l->key);
	return with_conn(l,
	    conn_connect(
		base, fd, client, t->name, t->verify, t->peer, limits, &conn_ops, l));
}

struct link *
link_connect(struct event_base *base, int fd, struct tls_client *client,
    const struct link_target *t, const struct conn_limits *limits,
    const struct link_ops *ops, void *arg)
{
	return dial(CLIENT, base, fd, client, t, limits, ops, arg);
}

struct link *
link_fetch(struct event_base *base, int fd, struct tls_client *client,
    const struct link_target *t, const struct conn_limits *limits,
    const struct link_ops *ops, void *arg)
{
	return dial(FETCH, base, fd, client, t, limits, ops, arg);
}

void
link_free(struct link *l)
{
	if (l == NULL || l->freed)
		return;
	l->freed = true;
	l->state = OVER;
	if (!l->busy)
		destroy(l);
}

void
link_close(struct link *l, enum ws_code code, const char *reason)
{
	if (l->state == OVER)
		return;
	if (l->state != OPEN) {
		end(l, "closed before it was open");
		return;
	}
	l->end.code = code;
	l->end.text = "closed by us";
	end_with_code(l, code, reason);
}

int
link_send(struct link *l, struct span message)
{
	uint8_t header[WS_HEADER_MAX];
	struct buf b;

	if (l->state != OPEN)
		return -1;
	if (l->mode == SERVER) {
		if (conn_write(l->conn, span_of(header, ws_header(header, message.n))) <
		    0)
			return -1;
		return conn_write(l->conn, message);
	}
	buf_init(&b, message.n + WS_HEADER_MAX);
	ws_put_message(&b, WS_CLIENT, message);
	return send_free(l, &b);
}

void
link_established(struct link *l, size_t message_limit)
{
	ws_limit(&l->ws, message_limit);
	conn_established(l->conn);
}

void
link_pause(struct link *l)
{
	l->paused++;
	conn_pause(l->conn);
}

void
link_resume(struct link *l)
{
	if (l->paused == 0)
		return;
	l->paused--;
	conn_resume(l->conn);
}

size_t
link_unsent(const struct link *l)
{
	return conn_unsent(l->conn);
}

struct conn *
link_conn(struct link *l)
{
	return l->conn;
}

void *
link_arg(const struct link *l)
{
	return l->arg;
}
