/* SPDX-License-Identifier: ISC */
/*
 * login.c - proofs: from auth to welcome, and again after store was restarted.
 *
 * A proof is never judged here. It goes to store with the nonce that this link was given and
 * the TLS exporter as we see it; store answers with a handle. A device then gets the welcome
 * that store made, a peer gets ours: keyd proves our domain to it over the same nonces and
 * exporter. Requests are kept by proc_ask(); a link that ends meanwhile is not found any more
 * when the answer comes, and the handle is given back at once.
 */
#include "config.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/msgs.h"
#include "listener/greet.h"
#include "listener/listener.h"
#include "listener/login.h"

#define STORE_MS 30000u /* for store, which may have to fetch a peer's document */
#define KEYD_MS 5000u

/* Links travel through requests by number, because they may be gone when the answer comes. */
static void *
as_arg(const struct inlink *l)
{
	return (void *)(uintptr_t)l->number;
}

static struct inlink *
link_of(void *arg)
{
	return inlink_find((uintptr_t)arg);
}

/* The link did not wait for its handle. */
static void
give_back(struct channel *store, uint64_t handle)
{
	struct m_handle gone = {.handle = handle};

	if (handle != 0)
		channel_send(store, MSG_LINK_END, 0, &gone, -1);
}

/* What is common to both kinds of answer: the link, still proving, or NULL. */
static struct inlink *
answered(enum request_end how, struct channel *store, uint64_t handle, void *arg)
{
	struct inlink *l = link_of(arg);

	if (l != NULL && l->state == INLINK_PROVING && how == REQUEST_ANSWERED)
		return l;
	if (how == REQUEST_ANSWERED)
		give_back(store, handle);
	else if (l != NULL && how == REQUEST_LATE)
		inlink_bye(l, CODE_TIMEOUT, "the proof was not judged in time");
	return NULL; /* lost: login_store_down() has seen to it, or will */
}

void
login_answer(struct channel *store, struct channel_msg *msg)
{
	const struct m_login_res *device = msg->body;
	const struct m_peer_auth_res *peer = msg->body;
	bool is_device = msg->type == MSG_LOGIN_RES;

	if (inlink_find(is_device ? device->link : peer->link) != NULL)
		proc_on_answer(store, msg);
	else
		give_back(store, is_device ? device->handle : peer->handle);
}

static void
refuse(struct inlink *l, uint16_t code, const char *text)
{
	log_info("listener.login", "addr=%s link=%llu code=%s", l->from,
	    (unsigned long long)l->number, code_symbol(code));
	inlink_bye(l, code, text);
}

static void
on_login(enum request_end how, struct channel *ch, struct channel_msg *msg, void *arg)
{
	const struct m_login_res *res = msg != NULL ? msg->body : NULL;
	struct inlink *l = answered(how, ch, res != NULL ? res->handle : 0, arg);

	if (l == NULL)
		return;
	if (res->handle == 0 || res->welcome.n == 0) {
		refuse(l, res->code, "the proof was refused");
		return;
	}
	inlink_set_handle(l, res->handle);
	inlink_in(l);
	log_info("listener.login", "addr=%s link=%llu handle=%llu code=%s", l->from,
	    (unsigned long long)l->number, (unsigned long long)l->handle,
	    code_symbol(res->code));
	inlink_frame(l, FRAME_WELCOME, 0, res->welcome);
}

/* keyd has signed our own proof: the peer is in. */
static void
on_proved(enum request_end how, struct channel *ch, struct channel_msg *msg, void *arg)
{
	const struct m_signed *res = msg != NULL ? msg->body : NULL;
	struct p_welcome_s2s welcome = {.time = clock_wall_ms(),
	    .credit_bytes = PROTO_CREDIT_BYTES,
	    .credit_items = PROTO_CREDIT_ITEMS};
	struct inlink *l = link_of(arg);

	(void)ch;
	/* Without a handle: store was restarted and looks at another proof now. */
	if (l == NULL || l->state != INLINK_PROVING || l->handle == 0)
		return;
	if (how != REQUEST_ANSWERED || res->code != CODE_DONE) {
		refuse(l, CODE_TRY_LATER, "our own proof cannot be made now");
		return;
	}
	welcome.proof = res->bytes;
	inlink_in(l);
	log_info("listener.login", "addr=%s link=%llu handle=%llu peer=%s", l->from,
	    (unsigned long long)l->number, (unsigned long long)l->handle,
	    log_str(l->peer));
	inlink_frame_obj(l, FRAME_WELCOME, 0, &p_welcome_s2s_def, &welcome);
}

static void
on_peer_auth(enum request_end how, struct channel *ch, struct channel_msg *msg, void *arg)
{
	const struct m_peer_auth_res *res = msg != NULL ? msg->body : NULL;
	struct inlink *l = answered(how, ch, res != NULL ? res->handle : 0, arg);
	struct request_done done = {on_proved, arg};
	struct channel *keyd = proc_channel(ROLE_KEYD);
	char text[PROTO_TEXT_MAX + 1];
	struct m_prove prove;

	if (l == NULL)
		return;
	if (res->handle == 0) {
		if (!text_copy(text, sizeof(text), res->text))
			text[0] = '\0';
		refuse(l, res->code, text);
		return;
	}
	inlink_set_handle(l, res->handle);
	(void)text_copy(l->peer, sizeof(l->peer), res->domain);
	prove.peer = res->domain;
	memcpy(prove.nonce_dialler, res->nonce, sizeof(prove.nonce_dialler));
	memcpy(prove.nonce_acceptor, l->nonce, sizeof(prove.nonce_acceptor));
	memcpy(prove.exporter, l->exporter, sizeof(prove.exporter));
	if (keyd == NULL ||
	    proc_ask(keyd, MSG_PROVE_ACCEPT, &prove, -1, KEYD_MS, done) == 0)
		refuse(l, CODE_TRY_LATER, "our own proof cannot be made now");
}

static uint64_t
ask_device(struct inlink *l, struct channel *store, struct span body)
{
	struct request_done done = {on_login, as_arg(l)};
	struct m_login ask = {.link = l->number, .addr = span_str(l->from), .auth = body};

	memcpy(ask.nonce, l->nonce, sizeof(ask.nonce));
	memcpy(ask.exporter, l->exporter, sizeof(ask.exporter));
	return proc_ask(store, MSG_LOGIN, &ask, -1, STORE_MS, done);
}

static uint64_t
ask_peer(struct inlink *l, struct channel *store, struct span body)
{
	struct request_done done = {on_peer_auth, as_arg(l)};
	struct m_peer_auth ask = {
	    .link = l->number, .addr = span_str(l->from), .auth = body};

	memcpy(ask.nonce, l->nonce, sizeof(ask.nonce));
	memcpy(ask.exporter, l->exporter, sizeof(ask.exporter));
	return proc_ask(store, MSG_PEER_AUTH, &ask, -1, STORE_MS, done);
}

/* NULL, or what is wrong with the version that the other side asks for. */
static const char *
check_auth(const struct inlink *l, struct span body, uint16_t *code)
{
	struct p_auth_c2s device = {.version = 0};
	struct p_auth_s2s peer = {.version = 0};
	enum wire_err err = l->path == INLINK_C2S
	    ? obj_decode(&p_auth_c2s_def, body, &device)
	    : obj_decode(&p_auth_s2s_def, body, &peer);

	*code = err == WIRE_UNSUPPORTED ? CODE_UNSUPPORTED : CODE_MALFORMED;
	if (err != WIRE_OK)
		return "an auth cannot be decoded";
	*code = CODE_UNSUPPORTED;
	if ((l->path == INLINK_C2S ? device.version : peer.version) != PROTO_VERSION)
		return "this version of the protocol is not spoken here";
	return NULL;
}

struct verdict
login_auth(struct inlink *l, const struct wframe *frame)
{
	struct channel *store = proc_channel(ROLE_STORE);
	const char *wrong;
	uint16_t code;

	if (!l->greeted)
		return VERDICT_BYE(CODE_BAD_STATE, "auth before hello");
	wrong = check_auth(l, frame->body, &code);
	if (wrong != NULL)
		return VERDICT_BYE(code, wrong);
	if (frame->body.n > PROTO_PREAUTH_MAX)
		return VERDICT_BYE(CODE_TOO_LARGE, "an auth is too large");
	if (store == NULL)
		return VERDICT_BYE(CODE_STARTING, "the server is starting");
	if (!channel_may_work(store))
		return VERDICT_WAIT;
	if ((l->path == INLINK_C2S ? ask_device : ask_peer)(l, store, frame->body) == 0)
		return VERDICT_BYE(CODE_BUSY, "too many proofs at a time");
	l->was_in = l->state == INLINK_AGAIN;
	l->state = INLINK_PROVING;
	l->greeted = false;
	return VERDICT_FINE;
}

/* --- store's restarts --------------------------------------------------------------------- */

static void
lose(struct inlink *l)
{
	inlink_set_handle(l, 0);
	if (l->state == INLINK_GREETED || (l->state == INLINK_PROVING && !l->was_in))
		inlink_bye(l, CODE_STARTING, "a part of the server was restarted");
	else if (l->state != INLINK_NEW)
		l->state = INLINK_AGAIN;
	l->greeted = false;
}

static void
want_again(struct inlink *l)
{
	if (l->state == INLINK_AGAIN)
		greet_want(l);
}

void
login_store_down(void)
{
	inlink_each(lose);
	greet_store_down();
}

void
login_store_up(void)
{
	greet_store_up();
	inlink_each(want_again);
}
