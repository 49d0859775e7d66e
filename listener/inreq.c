/* SPDX-License-Identifier: ISC */
/*
 * inreq.c - requests: who may ask what is in wire/call.h; store answers nearly all of it.
 *
 * `server.prove` is answered here: keyd signs a proof over this very connection, and our domain
 * document goes with it. Every request gets exactly one answer while its link lives; one whose
 * process ends or is late is answered with a temporary code. Bounded by INLINK_REQS a link. A
 * link that nobody has proved may ask what is open to nobody; when store answers that kindly
 * (a register, an enrolment) the set-up deadline ends, because people are at work.
 */
#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ipc/msgs.h"
#include "listener/inreq.h"
#include "listener/listener.h"
#include "wire/call.h"

#define ANSWER_MS 40000u /* store may have to ask a peer */
#define KEYD_MS 5000u

struct openreq {
	uint64_t link; /* number; it may be gone */
	uint64_t id;   /* of the frame */
};

static void
answer_code(struct inlink *l, uint64_t id, uint16_t code)
{
	struct p_res res = {.code = code};

	inlink_frame_obj(l, FRAME_RES, id, &p_res_def, &res);
}

/* The link that a request came from, if it still is there. Frees the request. */
static struct inlink *
close_req(struct openreq *req, uint64_t *id)
{
	struct inlink *l = inlink_find(req->link);

	*id = req->id;
	free(req);
	if (l != NULL)
		l->open_reqs--;
	return l;
}

/* True if there is an answer; else the other side is told what happened. */
static bool
answered(struct inlink *l, uint64_t id, enum request_end how)
{
	if (l != NULL && how != REQUEST_ANSWERED)
		answer_code(l, id, how == REQUEST_LATE ? CODE_TIMEOUT : CODE_TRY_LATER);
	return l != NULL && how == REQUEST_ANSWERED;
}

/* --- server.prove ---------------------------------------------------------------------- */

static void
on_proof(enum request_end how, struct channel *ch, struct channel_msg *msg, void *arg)
{
	struct c_proof proof = {.document = listener_document()};
	struct p_res res = {.code = CODE_DONE};
	const struct m_signed *got;
	struct inlink *l;
	struct buf b;
	uint64_t id;

	(void)ch;
	l = close_req(arg, &id);
	if (!answered(l, id, how))
		return;
	got = msg->body;
	proof.proof = got->bytes;
	buf_init(&b, 2 * PROTO_OBJECT_MAX);
	if (got->code != CODE_DONE || obj_encode(&c_proof_def, &proof, &b) != WIRE_OK ||
	    buf_failed(&b)) {
		answer_code(l, id, CODE_TRY_LATER);
	} else {
		res.result = buf_span(&b);
		obj_set(&p_res_def, &res, 2);
		inlink_frame_obj(l, FRAME_RES, id, &p_res_def, &res);
	}
	buf_clear(&b);
}

static uint64_t
ask_keyd(struct inlink *l, struct channel *keyd, const struct c_prove *args,
    struct request_done done)
{
	struct m_prove ask = {.peer = span_of(NULL, 0)};

	memcpy(ask.nonce_dialler, args->nonce, sizeof(ask.nonce_dialler));
	memcpy(ask.exporter, l->exporter, sizeof(ask.exporter));
	return proc_ask(keyd, MSG_PROVE_SERVER, &ask, -1, KEYD_MS, done);
}

/* --- what store answers ------------------------------------------------------------------ */

static void
on_answer(enum request_end how, struct channel *ch, struct channel_msg *msg, void *arg)
{
	const struct m_res *got;
	struct p_res res;
	struct inlink *l;
	uint64_t id;

	(void)ch;
	l = close_req(arg, &id);
	if (!answered(l, id, how))
		return;
	got = msg->body;
	if (l->state == INLINK_GREETED &&
	    obj_decode(&p_res_def, got->res, &res) == WIRE_OK &&
	    code_class(res.code) != CODE_PERMANENT)
		link_established(l->link, PROTO_PREAUTH_MAX);
	inlink_frame(l, FRAME_RES, id, got->res);
}

static uint64_t
ask_store(
    struct inlink *l, struct channel *store, struct span body, struct request_done done)
{
	struct m_req ask = {.handle = l->handle, .link = l->number, .req = body};

	return proc_ask(store, MSG_REQ, &ask, -1, ANSWER_MS, done);
}

/* --- the frame ----------------------------------------------------------------------------- */

/* Sends a request on. The answer, or what became of it, comes to done. */
static struct verdict
forward(struct inlink *l, const struct wframe *frame, const struct c_prove *prove)
{
	struct channel *ch = proc_channel(prove != NULL ? ROLE_KEYD : ROLE_STORE);
	struct openreq *req;
	uint64_t id;

	if (ch == NULL || (prove != NULL && listener_document().n == 0)) {
		answer_code(l, frame->id, CODE_STARTING);
		return VERDICT_FINE;
	}
	if (prove == NULL && !channel_may_work(ch))
		return VERDICT_WAIT;
	req = xcalloc(1, sizeof(*req));
	*req = (struct openreq){.link = l->number, .id = frame->id};
	id = prove != NULL
	    ? ask_keyd(l, ch, prove, (struct request_done){on_proof, req})
	    : ask_store(l, ch, frame->body, (struct request_done){on_answer, req});
	if (id == 0) {
		free(req);
		answer_code(l, frame->id, CODE_BUSY);
	} else {
		l->open_reqs++;
	}
	return VERDICT_FINE;
}

/* Strangers' requests cost signatures: counts one. False if there were too many. */
static bool
early_allowed(struct inlink *l)
{
	uint64_t now = clock_mono_ms(), more = (now - l->early_at) / INLINK_EARLY_MS;

	if (more > 0) {
		l->early_at = now;
		l->early_left = more < INLINK_EARLY_BURST - l->early_left
		    ? l->early_left + (unsigned)more
		    : INLINK_EARLY_BURST;
	}
	if (l->early_left == 0)
		return false;
	l->early_left--;
	return true;
}

/* 0, or the code with which a request that could be read is refused. */
static uint16_t
judge(struct inlink *l, const struct p_req *req, size_t size, const struct call *call,
    bool early)
{
	unsigned who = l->path == INLINK_C2S ? CALL_DEVICE : CALL_PEER;

	if (obj_has(&p_req_def, req, 3) != (l->path == INLINK_S2S))
		return CODE_MALFORMED;
	if (call == NULL)
		return CODE_UNSUPPORTED;
	if (size > MSG_REQ_MAX)
		return CODE_TOO_LARGE;
	if (!early && l->state != INLINK_IN)
		return CODE_UNKNOWN_HANDLE;
	if (!early && (call->who & who) == 0)
		return CODE_NOT_AUTHORISED;
	if (l->open_reqs >= (early ? INLINK_REQS_EARLY : INLINK_REQS))
		return CODE_BUSY;
	if (early && !early_allowed(l))
		return CODE_RATE;
	return 0;
}

struct verdict
inreq_take(struct inlink *l, const struct wframe *frame)
{
	bool early = l->state != INLINK_IN && l->state != INLINK_AGAIN && !l->was_in;
	const struct call *call;
	struct c_prove prove;
	enum wire_err err;
	struct p_req req;
	uint16_t code;

	err = obj_decode(&p_req_def, frame->body, &req);
	if (frame->id == 0 || (err != WIRE_OK && err != WIRE_UNSUPPORTED))
		return VERDICT_BYE(CODE_MALFORMED, "a request cannot be decoded");
	if (err == WIRE_UNSUPPORTED) {
		answer_code(l, frame->id, CODE_UNSUPPORTED);
		return VERDICT_FINE;
	}
	call = call_find(req.method);
	if (early && call != NULL && (call->who & CALL_NOBODY) == 0)
		return VERDICT_BYE(CODE_BAD_STATE, "this request needs a login");
	code = judge(l, &req, frame->body.n, call, early);
	if (code == 0 && call->args != &c_prove_def)
		return forward(l, frame, NULL);
	if (code == 0 && obj_decode(&c_prove_def, req.args, &prove) == WIRE_OK)
		return forward(l, frame, &prove);
	answer_code(l, frame->id, code != 0 ? code : CODE_MALFORMED);
	return VERDICT_FINE;
}
