/* SPDX-License-Identifier: ISC */
/*
 * peer.c - servers that prove themselves.
 *
 * Listener brings the proof of a server that dialled us, relay that of one we dialled. Both
 * are judged by the domain's document: the one we have if it is fresh, else relay fetches it
 * from the domain's own address, and the proof waits ("parked") until it is there or not. At
 * most one fetch runs for a domain, and after it there is a pause. A document under an
 * unannounced root is an alarm in the domain's row; links under the pinned root work on.
 * Owns the parked proofs and the times of the fetches. A refusal carries a text that an
 * operator can act upon.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "crypto/cose.h"
#include "ipc/msgs.h"
#include "ipc/proc.h"
#include "store/bounds.h"
#include "store/handle.h"
#include "store/nonce.h"
#include "store/outbox.h"
#include "store/peer.h"
#include "store/peerdoc.h"
#include "store/store.h"

/* A proof that is being judged. */
struct trial {
	enum role from; /* listener: they dialled; relay: we did */
	uint64_t id, link;
	uint8_t nonce_dialler[32], nonce_acceptor[32], exporter[32];
	char *domain;   /* owned */
	uint8_t *proof; /* owned */
	size_t proof_n;
	bool webpki;  /* of this link's certificate; dialled links only */
	bool fetched; /* the document was fetched for it, or that was tried */
	unsigned fetch_code;
	char text[PEERDOC_TEXT];
	struct trial *next; /* waits for the same document */
};

/* Fetches under way and times of the last ones, by domain. */
struct fetch {
	char *domain;  /* owned */
	uint64_t last; /* clock_mono_ms() of its start */
	bool running;
	unsigned code;         /* how the last one ended; 0: none has */
	char *why;             /* owned; its text */
	struct trial *waiting; /* owned */
};
static struct map *fetches; /* owned: domain -> struct fetch */
static size_t parked;

static void trial_run(struct trial *);

static void
trial_free(struct trial *t)
{
	free(t->domain);
	free(t->proof);
	free(t);
}

static struct span
trial_domain(const struct trial *t)
{
	return span_str(t->domain);
}

/* --- the end of a trial --------------------------------------------------------------------- */

static unsigned
admit_peer(struct trial *t)
{
	struct handle_new new = {.kind = HANDLE_PEER,
	    .name = trial_domain(t),
	    .link = t->link,
	    .type = MSG_PEER_AUTH_RES,
	    .id = t->id};
	struct m_peer_auth_res res = {
	    .link = t->link, .code = CODE_DONE, .domain = trial_domain(t)};
	struct handle *h;
	unsigned code;

	h = handle_new(&new, &code);
	if (h == NULL)
		return code;
	res.handle = h->id;
	memcpy(res.nonce, t->nonce_dialler, sizeof(res.nonce));
	handle_answer(h, &res);
	return CODE_DONE;
}

static void
refuse(enum role to, uint64_t id, uint64_t link, unsigned code, const char *text)
{
	struct m_peer_auth_res auth = {
	    .link = link, .code = (uint16_t)code, .text = span_str(text)};
	struct channel *ch = proc_channel(to);

	if (ch != NULL && to == ROLE_LISTENER)
		channel_send(ch, MSG_PEER_AUTH_RES, id, &auth, -1);
}

/* Notes that the peer proved itself, at most once an hour. */
static void
note_seen(const struct trial *t)
{
	uint64_t now = clock_wall_ms();
	struct peerdoc d;

	if (peerdoc_get(store_db(), trial_domain(t), &d) != SDB_OK ||
	    d.seen + HOUR_MS > now)
		return;
	d.seen = now;
	peerdoc_put(store_db(), trial_domain(t), &d);
}

static void
trial_end(struct trial *t, unsigned code)
{
	struct m_peer_check_res res = {.link = t->link};

	if (code == CODE_DONE && t->from == ROLE_LISTENER)
		code = admit_peer(t);
	if (code == CODE_DONE)
		note_seen(t);
	else if (t->text[0] == '\0')
		snprintf(t->text, sizeof(t->text), "%s",
		    code_find(code) != NULL ? code_find(code)->text : "");
	log_info(code == CODE_DONE ? "peer.ok" : "peer.refuse",
	    "domain=%s link=%s code=%s text=%s", t->domain,
	    t->from == ROLE_LISTENER ? "in" : "out", code_symbol(code), log_str(t->text));
	if (t->from == ROLE_RELAY) {
		res.code = (uint16_t)code;
		res.text = span_str(code == CODE_DONE ? "" : t->text);
		outbox_add(ROLE_RELAY, MSG_PEER_CHECK_RES, t->id, &res);
	} else if (code != CODE_DONE) {
		refuse(ROLE_LISTENER, t->id, t->link, code, t->text);
	}
	trial_free(t);
}

/* --- fetching ------------------------------------------------------------------------------- */

/* Forgets the times of all fetches that are over. */
static void
forget_idle(void)
{
	struct fetch *f;
	struct span key;
	void *value;
	size_t pos = 0;

	while (map_next(fetches, &pos, &key, &value)) {
		f = value;
		if (f->running)
			continue;
		map_take(fetches, span_str(f->domain));
		free(f->domain);
		free(f->why);
		free(f);
	}
}

static struct fetch *
fetch_obtain(struct span domain)
{
	struct fetch *f;

	if (fetches == NULL)
		fetches = map_new();
	f = map_find(fetches, domain);
	if (f != NULL)
		return f;
	if (map_count(fetches) >= STORE_DOC_TRIES)
		forget_idle();
	f = xcalloc(1, sizeof(*f));
	f->domain = xstrndup((const char *)domain.p, domain.n);
	map_put(fetches, domain, f);
	return f;
}

/* The configured pin of a domain. */
static bool
configured_pin(const char *domain, uint8_t pin[SHA_SIZE])
{
	struct conf_peer peer;

	return conf_peer_find(store_conf(), domain, &peer) && peer.pin != NULL &&
	    hex_decode(peer.pin, pin, SHA_SIZE);
}

/* Writes the alarm of an unannounced root into the row of a domain that we know. */
static void
note_alarm(struct span domain, struct peerdoc *d, const struct trust_domain *td)
{
	d->state = PEERDOC_ROOT_CHANGED;
	memcpy(d->other, td->pin, SHA_SIZE);
	peerdoc_put(store_db(), domain, d);
}

/* Judges what was fetched and keeps it if it is good. */
static unsigned
take_document(const char *name, struct span document, bool webpki, char *text)
{
	struct span domain = span_str(name);
	uint64_t now = clock_wall_ms();
	uint8_t pin[SHA_SIZE];
	struct trust_domain td;
	struct peerdoc d;
	enum sdb_result res = peerdoc_get(store_db(), domain, &d);
	unsigned code = trust_domain(document, domain, now, &td);

	if (res == SDB_FAULT)
		return CODE_STORAGE;
	if (code != CODE_DONE) {
		snprintf(text, PEERDOC_TEXT, "the document of %s is refused: %s", name,
		    code_find(code)->text);
		return CODE_BAD_DOCUMENT;
	}
	code = peerdoc_judge(res == SDB_OK ? &d : NULL,
	    configured_pin(name, pin) ? pin : NULL, webpki, &td, now, text);
	if (code == CODE_ROOT_CHANGED && res == SDB_OK)
		note_alarm(domain, &d, &td);
	if (code != CODE_DONE)
		return code;
	if (res == SDB_NONE && sdb_rows(store_db(), SDB_PEER) >= STORE_PEERS) {
		snprintf(text, PEERDOC_TEXT, "no more servers can be remembered");
		return CODE_BUSY;
	}
	if (res == SDB_NONE)
		d.seen = 0;
	d.state = PEERDOC_OK;
	d.fetched = now;
	memcpy(d.pin, td.pin, SHA_SIZE);
	memset(d.other, 0, sizeof(d.other));
	if (!peerdoc_set(&d, document) || peerdoc_put(store_db(), domain, &d) != SDB_OK)
		return CODE_STORAGE;
	return CODE_DONE;
}

/* Goes on with all proofs that waited for this document. */
static void
resume_waiting(struct fetch *f, unsigned code, const char *text)
{
	struct trial *t = f->waiting, *next;

	f->running = false;
	f->waiting = NULL;
	f->code = code;
	free(f->why);
	f->why = xstrdup(text);
	for (; t != NULL; t = next) {
		next = t->next;
		parked--;
		t->fetch_code = code;
		snprintf(t->text, sizeof(t->text), "%s", text);
		trial_run(t);
	}
}

static void
on_document(enum request_end end, struct channel *ch, struct channel_msg *msg, void *arg)
{
	char text[PEERDOC_TEXT] = "";
	const struct m_doc *m;
	struct fetch *f = arg;
	unsigned code = CODE_PEER_UNREACHABLE;

	(void)ch;
	if (end == REQUEST_ANSWERED) {
		m = msg->body;
		code = m->code;
		if (code == CODE_DONE)
			code =
			    take_document(f->domain, m->document, m->webpki != 0, text);
		else
			snprintf(text, sizeof(text), "no document of %s: %.*s", f->domain,
			    (int)(m->text.n < 256 ? m->text.n : 256),
			    m->text.n > 0 ? (const char *)m->text.p : "");
	}
	resume_waiting(f, code, text);
}

/* No fetch now: if the last one failed, that is still the reason, not the pause since. */
static void
recall(struct trial *t, const struct fetch *f)
{
	if (f->code == 0 || f->code == CODE_DONE)
		return;
	t->fetch_code = f->code;
	snprintf(t->text, sizeof(t->text), "%s", f->why);
}

/* Lets the proof wait for a document. False if none can be fetched now. */
static bool
fetch_for(struct trial *t, bool known)
{
	struct fetch *f = fetch_obtain(trial_domain(t));
	struct channel *relay = proc_channel(ROLE_RELAY);
	struct request_done done = {.fn = on_document, .arg = f};
	struct m_domain m = {.domain = trial_domain(t)};
	uint64_t now = clock_mono_ms();
	uint64_t pause = known ? STORE_DOC_PAUSE_MS : STORE_DOC_FIRST_MS;

	t->fetched = true;
	t->fetch_code = CODE_TRY_LATER;
	if (parked >= STORE_PARKED || relay == NULL)
		return false;
	if (!f->running) {
		if (f->last != 0 && f->last + pause > now) {
			recall(t, f);
			return false;
		}
		if (proc_ask(relay, MSG_DOC_FETCH, &m, -1, STORE_ASK_MS, done) == 0)
			return false;
		f->running = true;
		f->last = now;
	}
	t->next = f->waiting;
	f->waiting = t;
	parked++;
	return true;
}

/* --- the trial ------------------------------------------------------------------------------ */

/* Opens the document that we have, if its root is the one we trust and it may still serve. */
static bool
open_known(
    const struct trial *t, struct peerdoc *d, struct trust_domain *td, uint64_t now)
{
	uint8_t pin[SHA_SIZE];

	if (peerdoc_get(store_db(), trial_domain(t), d) != SDB_OK ||
	    d->fetched + STORE_DOC_KNOWN_MS < now ||
	    trust_domain(d->document, trial_domain(t), now, td) != CODE_DONE)
		return false;
	return !configured_pin(t->domain, pin) || memcmp(pin, td->pin, SHA_SIZE) == 0;
}

static unsigned
verify(const struct trial *t, const struct trust_domain *td, uint64_t now)
{
	bool in = t->from == ROLE_LISTENER;
	const struct trust_peer want = {.side = in ? SIDE_DIALLER : SIDE_ACCEPTOR,
	    .dialler = in ? trial_domain(t) : store_domain(),
	    .acceptor = in ? store_domain() : trial_domain(t),
	    .nonce_dialler = t->nonce_dialler,
	    .nonce_acceptor = t->nonce_acceptor,
	    .exporter = t->exporter};

	return trust_peer(td, span_of(t->proof, t->proof_n), &want, now);
}

/* A server that we dialled has a valid certificate, or a root key that is configured. */
static bool
certificate_ok(struct trial *t)
{
	uint8_t pin[SHA_SIZE];

	if (t->from != ROLE_RELAY || t->webpki || configured_pin(t->domain, pin))
		return true;
	snprintf(t->text, sizeof(t->text),
	    "the certificate of %s is not valid and no pin is configured", t->domain);
	return false;
}

/* Judges the proof, or lets it wait for a document. Ends or parks the trial. */
static void
trial_run(struct trial *t)
{
	uint64_t now = clock_wall_ms();
	struct trust_domain td;
	struct peerdoc d;
	bool known = open_known(t, &d, &td, now);
	/* A time ahead of ours is of a clock that was put right since. */
	bool fresh = known && d.fetched <= now && d.fetched + STORE_DOC_FRESH_MS > now;
	unsigned code;

	if (!certificate_ok(t)) {
		trial_end(t, CODE_NOT_AUTHORISED);
		return;
	}
	if (!fresh && !t->fetched && fetch_for(t, known))
		return;
	if (!known) {
		trial_end(
		    t, t->fetch_code == CODE_DONE ? CODE_BAD_DOCUMENT : t->fetch_code);
		return;
	}
	code = verify(t, &td, now);
	if ((code == CODE_BAD_DOCUMENT || code == CODE_BAD_SIGNATURE) && !t->fetched &&
	    fetch_for(t, known))
		return;
	if (code != CODE_DONE && t->fetched && t->fetch_code == CODE_ROOT_CHANGED)
		code = t->fetch_code;
	trial_end(t, code);
}

static struct trial *
trial_new(
    enum role from, uint64_t id, uint64_t link, struct span domain, struct span proof)
{
	struct trial *t = xcalloc(1, sizeof(*t));

	t->from = from;
	t->id = id;
	t->link = link;
	t->domain = xstrndup((const char *)domain.p, domain.n);
	t->proof = xmemdup(proof.p, proof.n);
	t->proof_n = proof.n;
	return t;
}

/* The domain that a proof claims to be of. */
static unsigned
claimed_domain(struct span proof, struct s_peer *says)
{
	struct cose_sign1 sign1;

	if (cose_sign1_parse(proof, &sign1) != COSE_OK ||
	    obj_decode(&s_peer_def, sign1.payload, says) != WIRE_OK)
		return CODE_MALFORMED;
	if (!addr_domain_valid(says->dialler, NULL) ||
	    span_eq(says->dialler, store_domain()) ||
	    !span_eq(says->acceptor, store_domain()))
		return CODE_WRONG_DOMAIN;
	return CODE_DONE;
}

void
on_peer_auth(struct channel *ch, struct channel_msg *msg)
{
	const struct m_peer_auth *m = msg->body;
	bool fresh = nonce_take(m->nonce);
	struct p_auth_s2s auth;
	struct s_peer says;
	struct trial *t;
	unsigned code = CODE_MALFORMED;

	(void)ch;
	if (obj_decode(&p_auth_s2s_def, m->auth, &auth) == WIRE_OK)
		code = auth.version == PROTO_VERSION ? claimed_domain(auth.proof, &says)
						     : CODE_UNSUPPORTED;
	if (code == CODE_DONE && !fresh)
		code = CODE_NONCE;
	if (code != CODE_DONE) {
		log_info("peer.refuse", "addr=%s code=%s", log_text(m->addr),
		    code_symbol(code));
		refuse(ROLE_LISTENER, msg->id, m->link, code, "");
		return;
	}
	t = trial_new(ROLE_LISTENER, msg->id, m->link, says.dialler, auth.proof);
	memcpy(t->nonce_dialler, auth.nonce, 32);
	memcpy(t->nonce_acceptor, m->nonce, 32);
	memcpy(t->exporter, m->exporter, 32);
	trial_run(t);
}

void
on_peer_check(struct channel *ch, struct channel_msg *msg)
{
	const struct m_peer_check *m = msg->body;
	struct m_peer_check_res res = {.link = m->link, .code = CODE_MALFORMED};
	struct p_welcome_s2s welcome;
	struct trial *t;

	(void)ch;
	if (obj_decode(&p_welcome_s2s_def, m->welcome, &welcome) != WIRE_OK ||
	    !addr_domain_valid(m->domain, NULL)) {
		outbox_add(ROLE_RELAY, MSG_PEER_CHECK_RES, msg->id, &res);
		return;
	}
	t = trial_new(ROLE_RELAY, msg->id, m->link, m->domain, welcome.proof);
	t->webpki = m->webpki != 0;
	memcpy(t->nonce_dialler, m->nonce_dialler, 32);
	memcpy(t->nonce_acceptor, m->nonce_acceptor, 32);
	memcpy(t->exporter, m->exporter, 32);
	trial_run(t);
}

/* Takes the proofs of one neighbour out of those that wait. */
static void
forget(struct fetch *f, enum role from)
{
	struct trial **at = &f->waiting, *t;

	while ((t = *at) != NULL) {
		if (t->from != from) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		parked--;
		trial_free(t);
	}
}

void
peer_gone(enum role role)
{
	struct span key;
	void *value;
	size_t pos = 0;

	while (fetches != NULL && map_next(fetches, &pos, &key, &value))
		forget(value, role);
}

void
peer_reload(void)
{
	uint8_t pin[SHA_SIZE];
	struct peerdoc d;
	struct handle *h;
	size_t pos = 0;

	while (handle_next(&pos, &h)) {
		if (h->kind != HANDLE_PEER || !configured_pin(h->name, pin))
			continue;
		if (peerdoc_get(store_db(), handle_name(h), &d) != SDB_OK ||
		    memcmp(d.pin, pin, SHA_SIZE) != 0)
			handle_revoke(h, CODE_ROOT_CHANGED);
	}
}
