/* SPDX-License-Identifier: ISC */
/*
 * relay.c - the process that carries items to other servers: wiring.
 *
 * Queue hands it items for a domain; it obtains a link (outbound.c), sends, and reports the
 * peer's results. For store it asks peers (requests) and fetches their domain documents
 * (fetch.c). It has no key, no disk and may not make sockets: dialer passes connected ones in.
 * If it dies, queue sends again what was not answered.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/share.h"
#include "ipc/msgs.h"
#include "relay/fetch.h"
#include "relay/fence.h"
#include "relay/outbound.h"
#include "relay/relay.h"
#include "relay/roots.h"

#define STOP_TICKS 2 /* seconds for links to end in order */

static struct conf *conf, *next_conf; /* owned */
static unsigned stopping;             /* ticks left, 0: not stopping */

const struct conf *
relay_conf(void)
{
	return conf;
}

/* Descriptors come before start; whichever is first reads the system's certificates. */
static int
open_roots(void)
{
	static bool open;

	if (!open && roots_start() == 0)
		open = true;
	return open ? 0 : -1;
}

static int
on_descriptor(unsigned kind, struct span name, int fd)
{
	if (kind == RESOURCE_CA && open_roots() == 0)
		return roots_add(name, fd);
	close(fd);
	log_error(
	    "relay.file", "file=%s error=\"is not for this process\"", log_text(name));
	return -1;
}

static int
relay_start(void)
{
	conf = conf_share_get(proc_conf(), ROLE_RELAY);
	if (conf == NULL) {
		log_error("relay.conf", "error=\"the configuration cannot be read\"");
		return -1;
	}
	if (open_roots() == -1)
		return -1;
	return roots_switch() == -1 ? PROC_EXIT_CONFIG : 0;
}

static int
relay_reload_prepare(void)
{
	conf_free(next_conf); /* of a reload that was given up */
	next_conf = conf_share_get(proc_conf_next(), ROLE_RELAY);
	return next_conf != NULL ? 0 : -1;
}

static void
relay_reload_switch(void)
{
	conf_free(conf);
	conf = next_conf;
	next_conf = NULL;
	roots_switch(); /* it logs; on failure the old certificates stay */
}

static void
on_send(struct channel *ch, struct channel_msg *msg)
{
	(void)ch;
	outbound_send(msg->body);
}

static void
on_peer_noted(struct channel *ch, struct channel_msg *msg)
{
	const struct m_domain *m = msg->body;

	(void)ch;
	fence_noted(m->domain);
}

static void
on_query(struct channel *ch, struct channel_msg *msg)
{
	(void)ch;
	outbound_query(msg->id, msg->body);
}

static void
on_doc_fetch(struct channel *ch, struct channel_msg *msg)
{
	const struct m_domain *ask = msg->body;

	(void)ch;
	fetch_start(msg->id, ask->domain);
}

static void
relay_peer_down(enum role role, struct channel *ch)
{
	(void)ch;
	if (role == ROLE_QUEUE) {
		outbound_queue_gone();
		fence_clear();
	}
	if (role == ROLE_STORE)
		outbound_store_gone();
}

static bool
relay_stop(void)
{
	outbound_stop();
	stopping = STOP_TICKS + 1;
	return outbound_none();
}

static void
relay_turn(void)
{
	outbound_turn();
	if (stopping > 0 && outbound_none())
		proc_stopped();
}

static void
relay_tick(uint64_t now)
{
	outbound_tick(now);
	if (stopping > 0 && --stopping == 0)
		proc_stopped();
}

static void
relay_status(struct buf *out)
{
	char *text =
	    xasprintf("links=%zu\nfetches=%zu\n", outbound_count(), fetch_count());

	buf_put(out, text, strlen(text));
	free(text);
}

static const struct proc_handler from_queue[] = {
    {MSG_SEND, on_send}, {MSG_PEER_NOTED, on_peer_noted}, {0, NULL}};
static const struct proc_handler from_store[] = {{MSG_QUERY, on_query},
    {MSG_DOC_FETCH, on_doc_fetch}, {MSG_PEER_CHECK_RES, proc_on_answer}, {0, NULL}};
static const struct proc_handler from_keyd[] = {{MSG_SIGNED, proc_on_answer}, {0, NULL}};
static const struct proc_handler from_dialer[] = {
    {MSG_CONNECTED, proc_on_answer}, {MSG_CONNECT_FAIL, proc_on_answer}, {0, NULL}};
static const struct proc_peer peers[] = {{ROLE_QUEUE, from_queue},
    {ROLE_STORE, from_store}, {ROLE_KEYD, from_keyd}, {ROLE_DIALER, from_dialer},
    {ROLE_MASTER, NULL}};

const struct proc relay_proc = {
    .role = ROLE_RELAY,
    .peers = peers,
    .descriptor = on_descriptor,
    .start = relay_start,
    .reload_prepare = relay_reload_prepare,
    .reload_switch = relay_reload_switch,
    .peer_down = relay_peer_down,
    .tick = relay_tick,
    .turn = relay_turn,
    .stop = relay_stop,
    .status = relay_status,
};
