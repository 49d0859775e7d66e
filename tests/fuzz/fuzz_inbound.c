/* SPDX-License-Identifier: ISC */
/*
 * fuzz_inbound.c - fuzz target: what comes in on a link of listener, in any of its states.
 *
 * The first byte chooses path and state, the rest is one WebSocket message. Store, queue and
 * keyd are down, so everything is answered at once. What must hold: a message with a fault ends
 * the link; a link that lives on has nothing open and nothing put by; every link ends when it
 * is told to, and takes its place among the limits with it.
 */
#include "config.h"

#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "fuzz/fuzz.h"
#include "listener/inbound.h"
#include "listener/listener.h"

static struct event_base *base;
static struct tls *tls;
static struct conf *conf;
static uint64_t links;

const struct conf *
listener_conf(void)
{
	return conf;
}

struct span
listener_document(void)
{
	return span_of("document", 8);
}

static void
drop_line(const char *line)
{
	(void)line;
}

static void
set_up(void)
{
	static const struct inlimits limits = {16, 16, 16};
	static char domain[] = "im.alpha.test";
	const char *err;

	log_capture(drop_line);
	base = event_base_new();
	tls = tls_new();
	conf = conf_new_defaults(NULL);
	conf->v[CONF_DOMAIN].text = domain;
	conf->v[CONF_DOMAIN].set = true;
	inlimits_set(&limits);
	inlink_setup(base, tls_server_new(tls, &err), &conn_limits_default);
}

/* A link in the state that the byte says. */
static struct inlink *
make_link(uint8_t how)
{
	static const uint8_t key[INLIMITS_KEY];
	struct inlink *l;
	int pair[2];

	fuzz_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       pair) == 0);
	close(pair[1]);
	fuzz_check(inlimits_enter(key) == NULL);
	inlink_accept(pair[0], key, "192.0.2.1:9");
	l = inlink_find(++links);
	fuzz_check(l != NULL);
	l->opened = true;
	l->path = (how & 8) != 0 ? INLINK_S2S : INLINK_C2S;
	l->state = (enum inlink_state)((how & 7) % INLINK_ENDING);
	l->greeted = l->state == INLINK_GREETED || (how & 16) != 0;
	l->was_in = l->state == INLINK_PROVING && (how & 32) != 0;
	return l;
}

static void
check_alive(const struct inlink *l, struct span message)
{
	struct wframe_iter it;
	struct wframe frame;

	fuzz_check(l->open_items == 0 && l->open_bytes == 0 && l->open_reqs == 0);
	fuzz_check(l->held.n == 0 && !l->stalled && inlink_held_bytes() == 0);
	fuzz_check(l->state != INLINK_NEW || message.n == 0);
	wframe_init(&it, message);
	while (wframe_next(&it, &frame))
		fuzz_check(frame.type != FRAME_BYE && frame.type != FRAME_HELLO);
	fuzz_check(it.err == WIRE_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span message;
	struct inlink *l;

	if (n == 0 || n > PROTO_MESSAGE_MAX)
		return 0;
	if (base == NULL)
		set_up();
	message = span_of(p + 1, n - 1);
	l = make_link(p[0]);
	inbound_message(l, message);
	if (l->state != INLINK_ENDING) {
		check_alive(l, message);
		inlink_bye(l, CODE_DONE, "");
	}
	inlink_flush();
	for (int i = 0; i < 3 && !inlink_none(); i++) {
		(void)event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		inlink_flush();
	}
	fuzz_check(inlink_none() && inlimits_count() == 0);
	return 0;
}
