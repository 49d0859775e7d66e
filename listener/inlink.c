/* SPDX-License-Identifier: ISC */
/*
 * inlink.c - accepted connections: their life from the first byte to the last.
 *
 * Owns every struct inlink, its connection, and the lists of those with output and those whose
 * input waits for room in another process. The HTTP request is answered here; what comes over
 * the WebSocket goes to inbound.c. Frames for a link are gathered and go out as one message at
 * the end of the turn (inlink_flush), at most INLINK_BATCH bytes unless one frame is larger.
 * A link ends by bye (inlink_bye), or when the connection below does; store is told once. It is
 * freed only when the connection has reported its end, so callers may use it until they return.
 * Bounded: input by INLINK_HELD_MAX in all, output by OUT_MAX a link; both hold back the
 * sender by not reading from it.
 */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "ipc/msgs.h"
#include "listener/greet.h"
#include "listener/inbound.h"
#include "listener/inlink.h"
#include "listener/listener.h"

#define OUT_KEEP 16384u /* a larger buffer is given back after use */

TAILQ_HEAD(inlink_list, inlink);
static struct inlink_list all = TAILQ_HEAD_INITIALIZER(all);
static struct inlink_list over = TAILQ_HEAD_INITIALIZER(over); /* to be freed */
static struct inlink_list dirty = TAILQ_HEAD_INITIALIZER(dirty);
static struct inlink_list stalled = TAILQ_HEAD_INITIALIZER(stalled);
static struct map *by_number, *by_handle; /* values are borrowed from the list of all */
static struct event_base *base;           /* borrowed */
static struct tls_server *server;         /* borrowed */
static struct conn_limits limits;
static uint64_t last_number;
static size_t held_bytes;

static const struct link_ops ops;

void
inlink_setup(struct event_base *b, struct tls_server *tls, const struct conn_limits *l)
{
	base = b;
	server = tls;
	limits = *l;
	if (by_number == NULL) {
		by_number = map_new();
		by_handle = map_new();
	}
}

struct inlink *
inlink_find(uint64_t number)
{
	return map_find_u64(by_number, number);
}

struct inlink *
inlink_by_handle(uint64_t handle)
{
	return map_find_u64(by_handle, handle);
}

size_t
inlink_held_bytes(void)
{
	return held_bytes;
}

void
inlink_set_handle(struct inlink *l, uint64_t handle)
{
	if (l->handle != 0)
		map_take_u64(by_handle, l->handle);
	l->handle = handle;
	if (handle != 0)
		map_put_u64(by_handle, handle, l);
}

void
inlink_in(struct inlink *l)
{
	l->state = INLINK_IN;
	l->was_in = false;
	if (l->proved)
		return;
	l->proved = true;
	inlimits_proved();
	link_established(l->link, PROTO_MESSAGE_MAX);
}

/* --- the end ------------------------------------------------------------------------- */

static void
drop_held(struct inlink *l)
{
	held_bytes -= l->held.n;
	buf_clear(&l->held);
	if (l->stalled)
		TAILQ_REMOVE(&stalled, l, stalled_entry);
	l->stalled = false;
}

/* Nobody finds the link any more, and store forgets it. It is freed in inlink_flush(). */
static void
let_go(struct inlink *l)
{
	struct m_handle gone = {.handle = l->handle};
	struct channel *store = proc_channel(ROLE_STORE);

	if (l->state == INLINK_ENDING)
		return;
	if (l->handle != 0 && store != NULL)
		channel_send(store, MSG_LINK_END, 0, &gone, -1);
	inlink_set_handle(l, 0);
	map_take_u64(by_number, l->number);
	greet_forget(l);
	drop_held(l);
	if (l->dirty)
		TAILQ_REMOVE(&dirty, l, dirty_entry);
	l->dirty = false;
	l->state = INLINK_ENDING;
}

static void
destroy(struct inlink *l)
{
	inlimits_leave(l->key, l->proved);
	link_free(l->link);
	buf_clear(&l->out);
	free(l);
}

static void
on_close(struct link *link, const struct link_end *end, void *arg)
{
	struct inlink *l = arg;

	(void)link;
	log_info("listener.close", "addr=%s link=%llu reason=%s ws=%u http=%u error=%s",
	    l->from, (unsigned long long)l->number, conn_reason_name(end->reason),
	    end->code, end->status, log_str(end->text));
	let_go(l);
	TAILQ_REMOVE(&all, l, all_entry);
	TAILQ_INSERT_TAIL(&over, l, all_entry);
}

/* --- output ---------------------------------------------------------------------------- */

static void
send_out(struct inlink *l)
{
	if (l->out.n > 0)
		link_send(l->link, buf_span(&l->out)); /* on failure on_close follows */
	if (l->out.size > OUT_KEEP)
		buf_clear(&l->out);
	else
		buf_reset(&l->out);
}

void
inlink_frame(struct inlink *l, uint64_t type, uint64_t id, struct span body)
{
	if (l->state == INLINK_ENDING || !l->opened)
		return;
	if (l->out.n > 0 && l->out.n + body.n > INLINK_BATCH)
		send_out(l);
	wframe_put(&l->out, type, id, body);
	if (!l->dirty)
		TAILQ_INSERT_TAIL(&dirty, l, dirty_entry);
	l->dirty = true;
}

void
inlink_frame_obj(struct inlink *l, uint64_t type, uint64_t id, const struct obj_def *def,
    const void *body)
{
	struct buf b;

	buf_init(&b, PROTO_MESSAGE_MAX);
	if (obj_encode(def, body, &b) == WIRE_OK && !buf_failed(&b))
		inlink_frame(l, type, id, buf_span(&b));
	else
		log_error("listener.encode", "frame=%s", proto_frame_name(type));
	buf_clear(&b);
}

void
inlink_flush(void)
{
	struct inlink *l;

	while ((l = TAILQ_FIRST(&dirty)) != NULL) {
		TAILQ_REMOVE(&dirty, l, dirty_entry);
		l->dirty = false;
		send_out(l);
	}
	while ((l = TAILQ_FIRST(&over)) != NULL) {
		TAILQ_REMOVE(&over, l, all_entry);
		destroy(l);
	}
}

void
inlink_bye(struct inlink *l, uint16_t code, const char *text)
{
	struct p_bye bye = {
	    .code = code, .text = span_str(text), .time = clock_wall_ms()};

	if (l->state == INLINK_ENDING)
		return;
	log_info("listener.bye", "addr=%s link=%llu code=%s text=%s", l->from,
	    (unsigned long long)l->number, code_symbol(code), log_str(text));
	if (text[0] != '\0')
		obj_set(&p_bye_def, &bye, 2);
	obj_set(&p_bye_def, &bye, 3);
	inlink_frame_obj(l, FRAME_BYE, 0, &p_bye_def, &bye);
	send_out(l);
	let_go(l);
	link_close(l->link,
	    code_class(code) == CODE_PERMANENT ? WS_CODE_POLICY : WS_CODE_LATER, NULL);
}

static void
on_full(struct link *link, void *arg)
{
	struct inlink *l = arg;

	if (!l->full)
		link_pause(link);
	l->full = true;
}

static void
on_drained(struct link *link, void *arg)
{
	struct inlink *l = arg;

	if (l->full)
		link_resume(link);
	l->full = false;
}

/* --- input ------------------------------------------------------------------------------- */

/* The paths; everything else is 404 as the answer came. */
static void
on_request(struct link *link, const struct http_request *req, struct link_answer *answer,
    void *arg)
{
	struct inlink *l = arg;
	enum http_proto proto;

	(void)link;
	if (strcmp(req->path, HTTP_PATH_DOCUMENT) == 0) {
		answer->status = listener_document().n > 0 ? 200 : 503;
		answer->type = "application/cose";
		answer->body = listener_document();
		return;
	}
	if (strcmp(req->path, HTTP_PATH_C2S) == 0)
		proto = HTTP_PROTO_C2S;
	else if (strcmp(req->path, HTTP_PATH_S2S) == 0)
		proto = HTTP_PROTO_S2S;
	else
		return;
	l->path = proto == HTTP_PROTO_C2S ? INLINK_C2S : INLINK_S2S;
	if ((req->protocols & HTTP_PROTO_BIT(HTTP_PROTO_NONE)) != 0)
		proto = HTTP_PROTO_NONE;
	if (!req->upgrade || (req->protocols & HTTP_PROTO_BIT(proto)) == 0) {
		answer->status = 400;
		return;
	}
	answer->status = 101;
	answer->proto = proto;
}

static void
on_open(struct link *link, void *arg)
{
	struct inlink *l = arg;
	const char *label =
	    l->path == INLINK_C2S ? PROTO_EXPORTER_C2S : PROTO_EXPORTER_S2S;

	l->opened = true;
	if (conn_export(link_conn(link), label, l->exporter) == -1)
		inlink_bye(l, CODE_TRY_LATER, "TLS gives no exporter");
	else
		greet_want(l);
}

static void
on_message(struct link *link, struct span bytes, void *arg)
{
	struct inlink *l = arg;

	(void)link;
	if (l->stalled) {
		if (!inlink_hold(l, bytes))
			inlink_bye(l, CODE_BUSY, "too much is waiting");
		return;
	}
	inbound_message(l, bytes);
}

bool
inlink_hold(struct inlink *l, struct span rest)
{
	if (held_bytes + rest.n > INLINK_HELD_MAX)
		return false;
	buf_put_span(&l->held, rest);
	if (buf_failed(&l->held))
		return false;
	held_bytes += rest.n;
	if (!l->stalled) {
		TAILQ_INSERT_TAIL(&stalled, l, stalled_entry);
		link_pause(l->link);
	}
	l->stalled = true;
	return true;
}

void
inlink_resume_stalled(void)
{
	struct inlink *l, *last = TAILQ_LAST(&stalled, inlink_list);
	struct buf held;

	while (last != NULL) {
		l = TAILQ_FIRST(&stalled);
		TAILQ_REMOVE(&stalled, l, stalled_entry);
		l->stalled = false;
		held = l->held;
		held_bytes -= held.n;
		buf_init(&l->held, PROTO_MESSAGE_MAX);
		inbound_message(
		    l, buf_span(&held)); /* may be put by again, at the tail */
		link_resume(l->link);
		buf_clear(&held);
		if (l == last)
			last = NULL;
	}
}

static const struct link_ops ops = {.on_request = on_request,
    .on_open = on_open,
    .on_message = on_message,
    .on_full = on_full,
    .on_drained = on_drained,
    .on_close = on_close};

void
inlink_accept(int fd, const uint8_t *key, const char *from)
{
	struct inlink *l = xcalloc(1, sizeof(*l));

	l->number = ++last_number;
	memcpy(l->key, key, sizeof(l->key));
	(void)text_copy(l->from, sizeof(l->from), span_str(from));
	buf_init(&l->held, PROTO_MESSAGE_MAX);
	buf_init(&l->out, PROTO_MESSAGE_MAX);
	l->link = link_accept(base, fd, server, from, &limits, &ops, l);
	if (l->link == NULL) {
		log_warn("listener.accept", "addr=%s result=failed", from);
		destroy(l);
		return;
	}
	TAILQ_INSERT_TAIL(&all, l, all_entry);
	map_put_u64(by_number, l->number, l);
	log_info(
	    "listener.accept", "addr=%s link=%llu", from, (unsigned long long)l->number);
}

/* --- all of them -------------------------------------------------------------------------- */

void
inlink_each(void (*fn)(struct inlink *))
{
	struct inlink *l, *next;

	for (l = TAILQ_FIRST(&all); l != NULL; l = next) {
		next = TAILQ_NEXT(l, all_entry);
		if (l->state != INLINK_ENDING)
			fn(l);
	}
}

static void
say_stopping(struct inlink *l)
{
	inlink_bye(l, CODE_TRY_LATER, "the server is stopping");
}

void
inlink_stop(void)
{
	inlink_each(say_stopping);
}

bool
inlink_none(void)
{
	return TAILQ_EMPTY(&all) && TAILQ_EMPTY(&over);
}
