/* SPDX-License-Identifier: ISC */
/*
 * outbound.c - links to peers that we dial.
 *
 * Owns one struct outbound per peer domain, its connection and what it carries (carry.c). The
 * states are in outbound.h; a frame in a state that is not in the table of frames ends the
 * link. Called by relay.c. What a peer sends can end its own link only; the reason goes to
 * queue, so that `emsgq show` can tell it.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/link.h"
#include "relay/carry.h"
#include "relay/fence.h"
#include "relay/outbound.h"
#include "relay/relay.h"
#include "relay/roots.h"

#define ASK_MS 20000u /* for dialer, keyd and store; store may have to fetch a document */

enum state { DIALLING, OPENING, GREETING, SIGNING, PROVING, CHECKING, UP, CLOSING };

struct outbound {
	char domain[ADDR_DOMAIN_MAX + 1];
	enum state state;
	struct link *link; /* owned; NULL while DIALLING */
	bool full;         /* its output is above the high mark */
	uint64_t ask;      /* outstanding request to dialer, keyd or store; 0: none */
	uint64_t number;   /* of this link, for store */
	uint64_t busy_at;  /* when it last had work, clock_mono_ms() */
	uint8_t nonce_dialler[32], nonce_acceptor[32], exporter[32];
	uint64_t credit_items, credit_bytes; /* of the welcome, until it is judged */
	struct carry carry;
};

static struct map *links; /* domain -> struct outbound, owned */
static uint64_t last_number;
static size_t closing; /* links that are in no map any more: their bye is on its way */
static bool stopping;

typedef void answer_fn(enum request_end, struct channel *, struct channel_msg *, void *);
static answer_fn on_dialled, on_signed, on_checked;

static const char *
state_name(enum state state)
{
	static const char *const names[] = {"dialling", "opening", "greeting", "signing",
	    "proving", "checking", "up", "closing"};

	return names[state];
}

size_t
outbound_count(void)
{
	return links != NULL ? map_count(links) : 0;
}

bool
outbound_none(void)
{
	return outbound_count() == 0 && closing == 0;
}

/* --- the end of a link ------------------------------------------------------------------- */

static void
tell_down(const struct outbound *o, bool orderly, uint16_t code, const char *text)
{
	struct m_peer_down down = {.orderly = orderly,
	    .code = code,
	    .domain = span_str(o->domain),
	    .text = span_str(text)};
	struct channel *queue = proc_channel(ROLE_QUEUE);

	if (queue == NULL)
		return;
	channel_send(queue, MSG_PEER_DOWN, 0, &down, -1);
	fence_put(down.domain, code);
}

/* Gives back everything. Queue learns of the items first, then of the link. */
static void
give_back(struct outbound *o, bool orderly, uint16_t code, const char *text)
{
	log_info("relay.down", "peer=%s state=%s code=%s text=%s", log_str(o->domain),
	    state_name(o->state), code_symbol(code), log_str(text));
	map_take(links, span_str(o->domain));
	if (o->ask != 0)
		proc_unask(o->ask);
	o->ask = 0;
	carry_fail(&o->carry, code, text);
	tell_down(o, orderly, code, text);
}

static void
end(struct outbound *o, bool orderly, uint16_t code, const char *text)
{
	give_back(o, orderly, code, text);
	link_free(o->link);
	free(o);
}

/* Tells the peer why, then ends. The connection lives on alone until the bye is out. */
static void
end_with_bye(struct outbound *o, uint16_t code, const char *text)
{
	struct p_bye bye = {.code = code, .text = span_str(text)};
	bool said = false;
	struct buf b;

	obj_set(&p_bye_def, &bye, 2);
	buf_init(&b, 1024);
	if (o->link != NULL &&
	    wframe_put_obj(&b, FRAME_BYE, 0, &p_bye_def, &bye) == WIRE_OK)
		said = link_send(o->link, buf_span(&b)) == 0;
	buf_clear(&b);
	if (!said) {
		end(o, code_class(code) == CODE_OK, code, text);
		return;
	}
	give_back(o, code_class(code) == CODE_OK, code, text);
	o->state = CLOSING;
	closing++;
	link_close(o->link, WS_CODE_NORMAL, NULL);
}

/* Asks another process; false (and the link ended) if it cannot be asked. */
static bool
ask(struct outbound *o, enum role role, uint16_t type, const void *body, answer_fn *fn)
{
	struct request_done done = {fn, o};
	struct channel *ch = proc_channel(role);

	o->ask = ch != NULL ? proc_ask(ch, type, body, -1, ASK_MS, done) : 0;
	if (o->ask != 0)
		return true;
	end(o, false, CODE_TRY_LATER, "a process of our own is not ready");
	return false;
}

/* An answer that did not come. True if it did. */
static bool
answered(struct outbound *o, enum request_end how)
{
	o->ask = 0;
	if (how == REQUEST_ANSWERED)
		return true;
	end(o, false, CODE_TRY_LATER,
	    how == REQUEST_LATE ? "a process of our own did not answer in time"
				: "a process of our own was restarted");
	return false;
}

/* --- frames -------------------------------------------------------------------------------
 * A handler returns fine, or the code and text with which the link ends. It may also end the
 * link itself; then it returns gone. */

struct refusal {
	uint16_t code;
	const char *text;
};
static const struct refusal fine, gone = {1, NULL};

#define REFUSE(c, t) ((struct refusal){c, t})

static struct refusal
on_hello(struct outbound *o, const struct wframe *frame)
{
	struct m_prove prove = {.peer = span_str(o->domain)};
	struct p_hello hello;

	if (obj_decode(&p_hello_def, frame->body, &hello) != WIRE_OK)
		return REFUSE(CODE_MALFORMED, "the peer's hello cannot be decoded");
	if (!span_eq(hello.domain, span_str(o->domain)))
		return REFUSE(
		    CODE_WRONG_DOMAIN, "the peer says that it is another domain");
	if (hello.version_min > PROTO_VERSION || hello.version_max < PROTO_VERSION)
		return REFUSE(CODE_UNSUPPORTED, "the peer does not speak version 1");
	memcpy(o->nonce_acceptor, hello.nonce, sizeof(o->nonce_acceptor));
	random_bytes(o->nonce_dialler, sizeof(o->nonce_dialler));
	if (conn_export(link_conn(o->link), PROTO_EXPORTER_S2S, o->exporter) == -1)
		return REFUSE(CODE_BAD_STATE, "TLS gives no exporter");
	memcpy(prove.nonce_dialler, o->nonce_dialler, sizeof(prove.nonce_dialler));
	memcpy(prove.nonce_acceptor, o->nonce_acceptor, sizeof(prove.nonce_acceptor));
	memcpy(prove.exporter, o->exporter, sizeof(prove.exporter));
	o->state = SIGNING;
	return ask(o, ROLE_KEYD, MSG_PROVE_DIAL, &prove, on_signed) ? fine : gone;
}

/* keyd has signed our proof: send auth. */
static void
on_signed(enum request_end how, struct channel *ch, struct channel_msg *msg, void *arg)
{
	struct p_auth_s2s auth = {.version = PROTO_VERSION};
	struct outbound *o = arg;
	const struct m_signed *res;
	struct buf b;

	(void)ch;
	if (!answered(o, how))
		return;
	res = msg->body;
	if (res->code != CODE_DONE) {
		end(o, false, CODE_TRY_LATER, "keyd did not sign our proof");
		return;
	}
	auth.proof = res->bytes;
	memcpy(auth.nonce, o->nonce_dialler, sizeof(auth.nonce));
	buf_init(&b, PROTO_PREAUTH_MAX);
	if (wframe_put_obj(&b, FRAME_AUTH, 0, &p_auth_s2s_def, &auth) != WIRE_OK ||
	    buf_failed(&b) || link_send(o->link, buf_span(&b)) == -1)
		end(o, false, CODE_TRY_LATER, "our proof cannot be sent");
	else
		o->state = PROVING;
	buf_clear(&b);
}

static struct refusal
on_welcome(struct outbound *o, const struct wframe *frame)
{
	struct m_peer_check check = {.link = o->number,
	    .domain = span_str(o->domain),
	    .welcome = frame->body,
	    .webpki = conn_verified(link_conn(o->link))};
	struct p_welcome_s2s welcome;

	if (obj_decode(&p_welcome_s2s_def, frame->body, &welcome) != WIRE_OK)
		return REFUSE(CODE_MALFORMED, "the peer's welcome cannot be decoded");
	o->credit_items = welcome.credit_items;
	o->credit_bytes = welcome.credit_bytes;
	memcpy(check.nonce_dialler, o->nonce_dialler, sizeof(check.nonce_dialler));
	memcpy(check.nonce_acceptor, o->nonce_acceptor, sizeof(check.nonce_acceptor));
	memcpy(check.exporter, o->exporter, sizeof(check.exporter));
	o->state = CHECKING;
	return ask(o, ROLE_STORE, MSG_PEER_CHECK, &check, on_checked) ? fine : gone;
}

/* store has judged the peer's proof: the link is up, or it is over. */
static void
on_checked(enum request_end how, struct channel *ch, struct channel_msg *msg, void *arg)
{
	struct channel *queue = proc_channel(ROLE_QUEUE);
	const struct m_peer_check_res *res;
	struct outbound *o = arg;
	struct m_peer_up up;
	char text[PROTO_TEXT_MAX + 1];

	(void)ch;
	if (!answered(o, how))
		return;
	res = msg->body;
	if (code_class(res->code) != CODE_OK) {
		if (!text_copy(text, sizeof(text), res->text) || text[0] == '\0')
			text_copy(text, sizeof(text), span_str(code_symbol(res->code)));
		end_with_bye(o, res->code, text);
		return;
	}
	o->state = UP;
	link_established(o->link, PROTO_MESSAGE_MAX);
	carry_window(&o->carry, o->credit_items, o->credit_bytes);
	up = (struct m_peer_up){span_str(o->domain), o->credit_items, o->credit_bytes};
	log_info("relay.up", "peer=%s addr=%s", log_str(o->domain),
	    conn_peer(link_conn(o->link)));
	if (queue != NULL)
		channel_send(queue, MSG_PEER_UP, 0, &up, -1);
	proc_wake();
}

static struct refusal
on_result(struct outbound *o, const struct wframe *frame)
{
	const char *text = carry_result(&o->carry, frame, clock_mono_ms());

	return text == NULL ? fine : REFUSE(CODE_MALFORMED, text);
}

static struct refusal
on_res(struct outbound *o, const struct wframe *frame)
{
	const char *text = carry_res(&o->carry, frame);

	return text == NULL ? fine : REFUSE(CODE_MALFORMED, text);
}

static struct refusal
on_credit(struct outbound *o, const struct wframe *frame)
{
	struct p_credit credit;

	if (obj_decode(&p_credit_def, frame->body, &credit) != WIRE_OK)
		return REFUSE(CODE_MALFORMED, "the peer's credit cannot be decoded");
	carry_window(&o->carry, credit.items, credit.bytes);
	return fine;
}

static struct refusal
on_event(struct outbound *o, const struct wframe *frame)
{
	(void)o, (void)frame;
	return fine; /* version 1 knows no event between servers; unknown ones are ignored */
}

/* The peer ends the link and says why. */
static struct refusal
on_bye(struct outbound *o, const struct wframe *frame)
{
	char text[PROTO_TEXT_MAX + 32] = "the peer ended the link: ";
	size_t n = strlen(text);
	struct p_bye bye;

	if (obj_decode(&p_bye_def, frame->body, &bye) != WIRE_OK)
		return REFUSE(CODE_MALFORMED, "the peer's bye cannot be decoded");
	if (bye.text.n == 0)
		bye.text = span_str(code_symbol(bye.code));
	if (!text_copy(text + n, sizeof(text) - n, bye.text))
		text_copy(text + n, sizeof(text) - n, span_str("?"));
	end(o, code_class(bye.code) == CODE_OK, (uint16_t)bye.code, text);
	return gone;
}

#define STATE(s) (1u << (s))
#define ANY_OPEN                                                                         \
	(STATE(GREETING) | STATE(SIGNING) | STATE(PROVING) | STATE(CHECKING) | STATE(UP))

static const struct {
	enum frame_type type;
	unsigned states; /* in which it may come */
	struct refusal (*fn)(struct outbound *, const struct wframe *);
} frames[] = {
    {FRAME_HELLO, STATE(GREETING) | STATE(UP), on_hello},
    {FRAME_WELCOME, STATE(PROVING), on_welcome},
    {FRAME_RESULT, ANY_OPEN, on_result},
    {FRAME_RES, ANY_OPEN, on_res},
    {FRAME_CREDIT, STATE(UP), on_credit},
    {FRAME_EVENT, STATE(UP), on_event},
    {FRAME_BYE, ANY_OPEN, on_bye},
};

static struct refusal
dispatch(struct outbound *o, const struct wframe *frame)
{
	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
		if (frames[i].type == frame->type && (frames[i].states & STATE(o->state)))
			return frames[i].fn(o, frame);
	return REFUSE(CODE_BAD_STATE, "the peer sent a frame that it may not send now");
}

/* --- the connection ------------------------------------------------------------------------ */

static void
on_open(struct link *link, void *arg)
{
	struct outbound *o = arg;

	(void)link;
	o->state = GREETING;
}

static void
on_message(struct link *link, struct span bytes, void *arg)
{
	struct refusal fault = fine;
	struct outbound *o = arg;
	struct wframe_iter it;
	struct wframe frame;

	(void)link;
	if (o->state == CLOSING)
		return;
	o->busy_at = clock_mono_ms();
	wframe_init(&it, bytes);
	while (fault.code == 0 && wframe_next(&it, &frame))
		fault = dispatch(o, &frame);
	if (fault.code == gone.code)
		return;
	if (fault.code == 0 && it.err != WIRE_OK)
		fault = REFUSE(CODE_MALFORMED, "the peer's message cannot be decoded");
	if (fault.code != 0)
		end_with_bye(o, fault.code, fault.text);
	else
		proc_wake();
}

static void
on_close(struct link *link, const struct link_end *how, void *arg)
{
	struct outbound *o = arg;
	char text[PROTO_TEXT_MAX];

	if (o->state == CLOSING) {
		link_free(link);
		free(o);
		closing--;
		proc_wake();
		return;
	}
	if (how->reason == CONN_UNTRUSTED)
		snprintf(text, sizeof(text), "the certificate is not valid for %s: %s",
		    o->domain, how->text);
	else if (!how->opened && how->status != 0)
		snprintf(text, sizeof(text), "the peer answered HTTP %u", how->status);
	else
		snprintf(text, sizeof(text), "the connection ended: %s %s",
		    conn_reason_name(how->reason), how->text);
	end(o, false, CODE_PEER_UNREACHABLE, text);
}

static void
on_full(struct link *link, void *arg)
{
	struct outbound *o = arg;

	(void)link;
	o->full = true;
}

static void
on_drained(struct link *link, void *arg)
{
	struct outbound *o = arg;

	(void)link;
	o->full = false;
	proc_wake();
}

static const struct link_ops ops = {.on_open = on_open,
    .on_message = on_message,
    .on_full = on_full,
    .on_drained = on_drained,
    .on_close = on_close};

/* dialer has a socket for us: TLS and WebSocket. */
static void
on_dialled(enum request_end how, struct channel *ch, struct channel_msg *msg, void *arg)
{
	struct link_target target = {.path = PROTO_PATH_S2S, .proto = HTTP_PROTO_S2S};
	char text[PROTO_TEXT_MAX + 1], addr[CONN_PEER_MAX];
	struct outbound *o = arg;
	struct conf_peer peer;
	int fd;

	if (!answered(o, how))
		return;
	if (msg->type == MSG_CONNECT_FAIL) {
		const struct m_connect_fail *fail = msg->body;

		text_copy(text, sizeof(text), fail->text);
		end(o, false, fail->code, text);
		return;
	}
	text_copy(addr, sizeof(addr), ((const struct m_connected *)msg->body)->addr);
	fd = channel_take_fd(ch, msg);
	target.name = o->domain;
	target.peer = addr;
	/* A pinned peer proves itself by its domain key over the exporter: any chain will do. */
	target.verify = conf_peer_find(relay_conf(), o->domain, &peer) && peer.pin != NULL
	    ? TLS_VERIFY_LATER
	    : TLS_VERIFY_CHAIN;
	o->state = OPENING;
	if (fd != -1)
		o->link = link_connect(
		    proc_base(), fd, roots_client(o->domain), &target, NULL, &ops, o);
	if (o->link == NULL)
		end(o, false, CODE_TRY_LATER, "no connection could be made");
}

/* --- the outside ----------------------------------------------------------------------------- */

/* The link to a domain, made if there is none. NULL if it cannot be; *text says why. */
static struct outbound *
obtain(struct span domain, const char **text)
{
	struct m_connect connect = {.domain = domain};
	struct outbound *o;

	if (links == NULL)
		links = map_new();
	if ((o = map_find(links, domain)) != NULL)
		return o;
	*text = "not a domain";
	if (!addr_domain_valid(domain, NULL))
		return NULL;
	*text = "the server stops";
	if (stopping)
		return NULL;
	*text = "too many links";
	if (map_count(links) >= OUTBOUND_MAX)
		return NULL;
	o = xcalloc(1, sizeof(*o));
	text_copy(o->domain, sizeof(o->domain), domain);
	o->number = ++last_number;
	o->busy_at = clock_mono_ms();
	carry_init(&o->carry);
	map_put(links, domain, o);
	*text = "a process of our own is not ready";
	return ask(o, ROLE_DIALER, MSG_CONNECT, &connect, on_dialled) ? o : NULL;
}

void
outbound_send(const struct m_send *send)
{
	uint16_t ended = fence_code(send->domain);
	const char *text = NULL;
	struct outbound *o;

	if (ended != 0) {
		carry_refuse_item(send->qid, ended, "the link has just ended");
		return;
	}
	o = obtain(send->domain, &text);
	if (o == NULL) {
		carry_refuse_item(send->qid, CODE_TRY_LATER, text);
		return;
	}
	if (carry_item(&o->carry, send, clock_mono_ms()))
		o->busy_at = clock_mono_ms();
}

void
outbound_query(uint64_t id, const struct m_query *query)
{
	const char *text = NULL;
	struct outbound *o = obtain(query->domain, &text);

	if (o == NULL)
		carry_refuse_query(id, CODE_PEER_UNREACHABLE, text);
	else if (carry_query(&o->carry, id, query->req, clock_mono_ms()))
		o->busy_at = clock_mono_ms();
}

/* Sends what may go on one link, in messages of CARRY_BATCH bytes, while its output is not
 * above the high mark. The link tells of that mark at the end of its turn only, so large items
 * are held back by what is unsent. What stays goes in a later turn. */
static void
flush(struct outbound *o)
{
	bool more = true;
	struct buf b;

	buf_init(&b, PROTO_MESSAGE_MAX);
	while (more && o->state == UP && !o->full &&
	    link_unsent(o->link) <= conn_limits_default.out_high) {
		buf_reset(&b);
		more =
		    carry_write(&o->carry, &b) && link_send(o->link, buf_span(&b)) == 0;
	}
	buf_clear(&b);
	if (more && o->state == UP && !o->full)
		proc_wake();
}

void
outbound_turn(void)
{
	struct span key;
	size_t pos = 0;
	void *o;

	while (links != NULL && map_next(links, &pos, &key, &o))
		flush(o);
}

void
outbound_tick(uint64_t now)
{
	struct span key;
	size_t pos = 0;
	void *entry;

	while (links != NULL && map_next(links, &pos, &key, &entry)) {
		struct outbound *o = entry;

		carry_tick(&o->carry, now);
		if (carry_stalled(&o->carry, now))
			end_with_bye(o, CODE_TIMEOUT, "no result in time");
		else if (carry_idle(&o->carry) && now - o->busy_at >= OUTBOUND_IDLE_MS)
			end_with_bye(o, CODE_DONE, "nothing to carry");
	}
}

void
outbound_queue_gone(void)
{
	struct span key;
	size_t pos = 0;
	void *o;

	while (links != NULL && map_next(links, &pos, &key, &o))
		carry_forget_items(&((struct outbound *)o)->carry);
}

void
outbound_store_gone(void)
{
	struct span key;
	size_t pos = 0;
	void *o;

	while (links != NULL && map_next(links, &pos, &key, &o))
		carry_forget_queries(&((struct outbound *)o)->carry);
}

void
outbound_stop(void)
{
	struct span key;
	size_t pos = 0;
	void *o;

	stopping = true;
	while (links != NULL && map_next(links, &pos, &key, &o))
		end_with_bye(o, CODE_DONE, "the server stops");
}
