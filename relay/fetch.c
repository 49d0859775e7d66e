/* SPDX-License-Identifier: ISC */
/*
 * fetch.c - getting a peer's domain document from its own address.
 *
 * One plain GET of the fixed path over TLS, at the address that dialer chooses for the domain.
 * Owns the fetches under way. The certificate is checked but a bad one is not the end: store
 * is told whether it was valid for the domain and decides. Called by relay.c on MSG_DOC_FETCH;
 * every failure is an answer with a code and a text.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/link.h"
#include "relay/fetch.h"
#include "relay/relay.h"
#include "relay/roots.h"
#include "wire/proto.h"

#define DIAL_MS 20000u

struct fetch {
	uint64_t id; /* of store's message */
	char domain[ADDR_DOMAIN_MAX + 1];
	struct link *link; /* owned */
};

static size_t count;

size_t
fetch_count(void)
{
	return count;
}

static void
answer(uint64_t id, const char *domain, uint16_t code, struct span document, bool webpki,
    const char *text)
{
	struct m_doc doc = {.code = code,
	    .webpki = webpki,
	    .domain = span_str(domain),
	    .document = document,
	    .text = span_str(text)};
	struct channel *store = proc_channel(ROLE_STORE);

	log_info("relay.document", "peer=%s code=%s webpki=%d text=%s", log_str(domain),
	    code_symbol(code), webpki, log_str(text));
	if (store != NULL)
		channel_send(store, MSG_DOC, id, &doc, -1);
}

static void
finish(struct fetch *f, uint16_t code, struct span document, const char *text)
{
	bool webpki = f->link != NULL && conn_verified(link_conn(f->link));

	answer(f->id, f->domain, code, document, webpki, text);
	link_free(f->link);
	free(f);
	count--;
}

static void
on_document(struct link *link, struct span body, void *arg)
{
	(void)link;
	finish(arg, CODE_DONE, body, "");
}

static void
on_close(struct link *link, const struct link_end *how, void *arg)
{
	char text[256];

	(void)link;
	if (how->status != 0)
		snprintf(text, sizeof(text), "the domain document: HTTP %u", how->status);
	else
		snprintf(text, sizeof(text),
		    "the domain document: connection ended: %s %s",
		    conn_reason_name(how->reason), how->text);
	finish(arg, CODE_PEER_UNREACHABLE, span_of(NULL, 0), text);
}

static const struct link_ops ops = {.on_document = on_document, .on_close = on_close};

static void
on_dialled(enum request_end how, struct channel *ch, struct channel_msg *msg, void *arg)
{
	struct link_target target = {
	    .path = PROTO_PATH_DOCUMENT, .verify = TLS_VERIFY_LATER};
	char text[PROTO_TEXT_MAX + 1] = "dialer did not answer", addr[CONN_PEER_MAX];
	struct fetch *f = arg;
	int fd;

	if (how != REQUEST_ANSWERED || msg->type == MSG_CONNECT_FAIL) {
		if (how == REQUEST_ANSWERED)
			text_copy(text, sizeof(text),
			    ((const struct m_connect_fail *)msg->body)->text);
		finish(f, CODE_PEER_UNREACHABLE, span_of(NULL, 0), text);
		return;
	}
	text_copy(addr, sizeof(addr), ((const struct m_connected *)msg->body)->addr);
	fd = channel_take_fd(ch, msg);
	target.name = f->domain;
	target.peer = addr;
	if (fd != -1)
		f->link = link_fetch(
		    proc_base(), fd, roots_client(f->domain), &target, NULL, &ops, f);
	if (f->link == NULL)
		finish(
		    f, CODE_TRY_LATER, span_of(NULL, 0), "no connection could be made");
}

void
fetch_start(uint64_t id, struct span domain)
{
	struct channel *dialer = proc_channel(ROLE_DIALER);
	struct m_connect connect = {.domain = domain};
	struct request_done done = {on_dialled, NULL};
	struct fetch *f;

	if (count >= FETCH_MAX || dialer == NULL || !addr_domain_valid(domain, NULL)) {
		answer(id, "?", CODE_BUSY, span_of(NULL, 0), false,
		    "no fetch can be started");
		return;
	}
	f = xcalloc(1, sizeof(*f));
	f->id = id;
	text_copy(f->domain, sizeof(f->domain), domain);
	done.arg = f;
	count++;
	if (proc_ask(dialer, MSG_CONNECT, &connect, -1, DIAL_MS, done) == 0)
		finish(f, CODE_BUSY, span_of(NULL, 0), "dialer is busy");
}
