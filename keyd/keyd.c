/* SPDX-License-Identifier: ISC */
/*
 * keyd.c - the process that holds the private keys: wiring.
 *
 * It reads key files from descriptors before the sandbox closes, then answers requests of
 * listener and relay for typed statements (signing.c) and nothing else. Which process may ask
 * for which statement is the handler table below; the message table enforces it as well.
 * It has no network, opens no file after its start, and its memory is not dumpable.
 * Fails at start if the keys, the certificate's key and the domain document do not belong
 * together; a reload with such keys is refused and the old ring serves on.
 */
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/share.h"
#include "crypto/sha.h"
#include "ipc/msgs.h"
#include "keyd/keyd.h"
#include "keyd/keyring.h"
#include "keyd/signing.h"

#define KEY_FILE_MAX 16384

static struct keyring *ring;     /* owned: in use */
static struct keyring *incoming; /* owned: being filled */
static bool prepared; /* incoming was judged; what comes now is of another reload */
static struct {
	uint64_t tls, proofs, refused;
} count;

/* Reads one file that master opened into the incoming ring. */
static int
on_descriptor(unsigned kind, struct span name, int fd)
{
	unsigned char *bytes = NULL;
	const char *err = "cannot be read";
	size_t n = 0;

	if (prepared) {
		keyring_free(incoming);
		incoming = NULL;
		prepared = false;
	}
	if (incoming == NULL)
		incoming = keyring_new();
	if (fd_read_all(fd, KEY_FILE_MAX, &bytes, &n) == 0) {
		if (kind == RESOURCE_TLS_KEY)
			err = keyring_add_tls(incoming, span_of(bytes, n), name);
		else if (kind == RESOURCE_SIGN_KEY)
			err = keyring_add_sign(incoming, span_of(bytes, n), name);
		else if (kind == RESOURCE_DOCUMENT)
			err = keyring_add_document(incoming, span_of(bytes, n));
		else
			err = "is not for this process";
		freezero(bytes, n);
	}
	close(fd);
	if (err == NULL)
		return 0;
	log_error("keyd.file", "file=%s error=\"%s\"", log_text(name), err);
	return -1;
}

/* Judges the incoming ring as a whole against a configuration. */
static int
check_incoming(struct span values)
{
	struct conf *conf = conf_share_get(values, ROLE_KEYD);
	const char *err = "the configuration cannot be read";

	if (conf != NULL && incoming == NULL)
		err = "there are no keys; run emsgctl setup";
	else if (conf != NULL)
		err = keyring_complete(
		    incoming, conf_str(conf, CONF_DOMAIN), clock_wall_ms());
	conf_free(conf);
	prepared = true;
	if (err == NULL)
		return 0;
	log_error("keyd.keys", "error=\"%s\"", err);
	return -1;
}

static void
take_incoming(void)
{
	keyring_free(ring);
	ring = incoming;
	incoming = NULL;
	prepared = false;
}

static int
keyd_start(void)
{
	if (check_incoming(proc_conf()) == -1)
		return PROC_EXIT_CONFIG;
	take_incoming();
	return 0;
}

static int
keyd_reload_prepare(void)
{
	return check_incoming(proc_conf_next());
}

/* The document is public and follows from our keys, so we hand it out. */
static void
send_document(struct channel *ch)
{
	struct m_doc_own doc = {.document = keyring_document(ring)};

	if (ch != NULL)
		channel_send(ch, MSG_DOC_OWN, 0, &doc, -1);
}

static void
keyd_reload_switch(void)
{
	take_incoming();
	send_document(proc_channel(ROLE_LISTENER));
	send_document(proc_channel(ROLE_STORE));
}

static void
keyd_peer_up(enum role role, struct channel *ch)
{
	if (role == ROLE_LISTENER || role == ROLE_STORE)
		send_document(ch);
}

/* Answers a request with what was signed, or with the code of the refusal. */
static void
answer(struct channel *ch, const struct channel_msg *msg, uint16_t code, struct buf *out)
{
	struct m_signed res = {.code = code};

	if (code == CODE_DONE) {
		res.bytes = buf_span(out);
	} else {
		count.refused++;
		log_warn("keyd.refuse", "peer=%s what=%s code=%s",
		    role_name(channel_peer(ch)), msg_name(msg->type), code_symbol(code));
	}
	channel_send(ch, MSG_SIGNED, msg->id, &res, -1);
	buf_clear(out);
}

static void
on_tls_sign(struct channel *ch, struct channel_msg *msg)
{
	const struct m_tls_sign *ask = msg->body;
	struct buf out;

	buf_init(&out, SIGNING_MAX);
	count.tls++;
	answer(ch, msg, signing_tls(ring, ask->key, ask->content, &out), &out);
}

static void
on_prove_server(struct channel *ch, struct channel_msg *msg)
{
	struct buf out;

	buf_init(&out, SIGNING_MAX);
	count.proofs++;
	answer(ch, msg, signing_server(ring, msg->body, clock_wall_ms(), &out), &out);
}

static void
prove_peer(struct channel *ch, struct channel_msg *msg, enum peer_side side)
{
	struct buf out;

	buf_init(&out, SIGNING_MAX);
	count.proofs++;
	answer(ch, msg, signing_peer(ring, side, msg->body, clock_wall_ms(), &out), &out);
}

static void
on_prove_accept(struct channel *ch, struct channel_msg *msg)
{
	prove_peer(ch, msg, SIDE_ACCEPTOR);
}

static void
on_prove_dial(struct channel *ch, struct channel_msg *msg)
{
	prove_peer(ch, msg, SIDE_DIALLER);
}

/* --- admin requests ---------------------------------------------------------------------- */

static void
show_domain(struct channel *ch, uint64_t id)
{
	char root[65], document[65];
	struct ctl_domain row = {.domain = ring->domain.doc.domain,
	    .seq = ring->domain.doc.seq,
	    .issued_at = ring->domain.doc.issued,
	    .expires_at = ring->domain.doc.expires};

	hex_encode(span_of(ring->domain.pin, sizeof(ring->domain.pin)), root);
	hex_encode(span_of(ring->domain.hash, sizeof(ring->domain.hash)), document);
	row.root = span_str(root);
	row.document = span_str(document);
	admin_row(ch, id, ROW_DOMAIN, &row);
	admin_end(ch, id, CODE_DONE, "");
}

/* One key as a row, if its name is asked for or none is. Returns how many were sent. */
static size_t
show_key(struct channel *ch, uint64_t id, struct span want, const char *name,
    const char *type, const uint8_t print[32], const struct sign_key *times)
{
	char hex[65];
	struct ctl_key row = {.name = span_str(name), .type = span_str(type)};

	if (want.n > 0 && !span_eq(want, row.name))
		return 0;
	hex_encode(span_of(print, 32), hex);
	row.fingerprint = span_str(hex);
	if (times != NULL && times->until != 0) {
		row.from_at = times->from;
		row.until_at = times->until;
		obj_set(&ctl_key_def, &row, 4);
		obj_set(&ctl_key_def, &row, 5);
	}
	admin_row(ch, id, ROW_KEY, &row);
	return 1;
}

/* Public facts of all keys, or of the one with this name. */
static void
show_keys(struct channel *ch, uint64_t id, struct span want)
{
	uint8_t print[SHA_SIZE];
	size_t shown = 0;

	for (size_t i = 0; i < ring->ntls; i++) {
		const struct tls_key *key = &ring->tls[i];

		shown += show_key(ch, id, want, key->name,
		    EVP_PKEY_is_a(key->pkey, "EC") ? "tls ec-p256" : "tls ed25519",
		    key->id, NULL);
	}
	for (size_t i = 0; i < ring->nsign; i++) {
		const struct sign_key *key = &ring->sign[i];

		if (sha_of(span_of(key->pub, sizeof(key->pub)), print) == 0)
			shown += show_key(
			    ch, id, want, key->name, "domain ed25519", print, key);
	}
	if (shown == 0)
		admin_end(ch, id, CODE_NOT_FOUND, "there is no key of that name");
	else
		admin_end(ch, id, CODE_DONE, "");
}

static void
on_ctl_ask(struct channel *ch, struct channel_msg *msg)
{
	const struct m_ctl_ask *ask = msg->body;
	struct ctl_name args;

	switch (ask->command) {
	case CTL_DOMAIN_SHOW:
		show_domain(ch, msg->id);
		break;
	case CTL_KEY_LIST:
		show_keys(ch, msg->id, span_of(NULL, 0));
		break;
	case CTL_KEY_SHOW:
		if (obj_decode(&ctl_name_def, ask->args, &args) == WIRE_OK &&
		    args.name.n > 0)
			show_keys(ch, msg->id, args.name);
		else
			admin_end(ch, msg->id, CODE_MALFORMED, "which key?");
		break;
	default:
		admin_end(
		    ch, msg->id, CODE_UNSUPPORTED, "not a command for this process");
	}
}

/* Answers are complete when the request was handled: nothing is left to cancel. */
static void
on_ctl_cancel(struct channel *ch, struct channel_msg *msg)
{
	(void)ch, (void)msg;
}

static void
keyd_status(struct buf *out)
{
	char *text = xasprintf("tls_signatures=%llu\nproofs=%llu\nrefused=%llu\n",
	    (unsigned long long)count.tls, (unsigned long long)count.proofs,
	    (unsigned long long)count.refused);

	buf_put(out, text, strlen(text));
	free(text);
}

static bool
keyd_stop(void)
{
	keyring_free(ring);
	ring = NULL;
	return true;
}

static const struct proc_handler from_listener[] = {{MSG_TLS_SIGN, on_tls_sign},
    {MSG_PROVE_ACCEPT, on_prove_accept}, {MSG_PROVE_SERVER, on_prove_server}, {0, NULL}};
static const struct proc_handler from_relay[] = {
    {MSG_PROVE_DIAL, on_prove_dial}, {0, NULL}};
static const struct proc_handler from_control[] = {
    {MSG_CTL_ASK, on_ctl_ask}, {MSG_CTL_CANCEL, on_ctl_cancel}, {0, NULL}};
static const struct proc_handler from_store[] = {{0, NULL}};
static const struct proc_peer peers[] = {{ROLE_LISTENER, from_listener},
    {ROLE_RELAY, from_relay}, {ROLE_CONTROL, from_control}, {ROLE_STORE, from_store},
    {ROLE_MASTER, NULL}};

const struct proc keyd_proc = {
    .role = ROLE_KEYD,
    .peers = peers,
    .descriptor = on_descriptor,
    .start = keyd_start,
    .reload_prepare = keyd_reload_prepare,
    .reload_switch = keyd_reload_switch,
    .peer_up = keyd_peer_up,
    .stop = keyd_stop,
    .status = keyd_status,
};
