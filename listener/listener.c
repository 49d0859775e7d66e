/* SPDX-License-Identifier: ISC */
/*
 * listener.c - the process that devices and peers connect to: wiring.
 *
 * TLS, HTTP and WebSocket end here; what is inside goes to store and queue, which judge it.
 * This process holds no key: the handshake's signature comes from keyd by a call that waits
 * (channel_call), because OpenSSL cannot defer it; keyd silent for SIGN_MS fails the
 * handshake, and further ones fail at once for a while, so that a hanging keyd cannot stop
 * the links that are up. Owns the TLS contexts, the certificate and our domain document.
 * Connections are in inlink.c, frames in inbound.c. Nothing remote is fatal; what is wrong with
 * the certificate ends the process at start and refuses a reload.
 */
#include "config.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/share.h"
#include "ipc/msgs.h"
#include "listener/accept.h"
#include "listener/greet.h"
#include "listener/inlink.h"
#include "listener/listener.h"
#include "listener/login.h"
#include "listener/handin.h"
#include "net/cert.h"
#include "net/keyprov.h"

#define SIGN_MS 2000                  /* how long a handshake waits for keyd */
#define SIGN_REST_MS 3000             /* how long others fail at once after that */
#define FILES_BESIDES 256             /* descriptors that are not connections */
#define OUT_MAX (16u * 1024u * 1024u) /* bytes of output that wait, of one link */
#define STOP_TICKS 2                  /* seconds for links to end in order */

static struct tls *tls; /* owned, like all below */
static struct keyprov *keyprov;
static struct tls_server *server, *next_server;
static struct conf *conf, *next_conf;
static struct buf document; /* our own, from keyd */
static unsigned char *cert; /* PEM chain that came with the last descriptors */
static size_t cert_n;
static bool prepared; /* what was given is judged: what comes now is of another reload */
static bool room;     /* a neighbour may take work again */
static unsigned stopping; /* ticks left, 0: not stopping */
static uint64_t no_sign_until;

const struct conf *
listener_conf(void)
{
	return conf;
}

struct span
listener_document(void)
{
	return buf_span(&document);
}

/* --- the handshake's signature ---------------------------------------------------------- */

/* keyprov_sign: asks keyd, and waits. */
static int
sign(void *arg, const uint8_t keyid[KEYPROV_ID_LEN], struct span tbs, struct buf *sig)
{
	struct channel *keyd = proc_channel(ROLE_KEYD);
	struct m_tls_sign ask = {.content = tbs};
	const struct m_signed *res;
	struct channel_msg answer;

	(void)arg;
	if (keyd == NULL || clock_mono_ms() < no_sign_until)
		return -1;
	memcpy(ask.key, keyid, sizeof(ask.key));
	if (channel_call(keyd, MSG_TLS_SIGN, &ask, SIGN_MS, &answer) == -1) {
		log_warn("listener.sign", "result=failed");
		no_sign_until = clock_mono_ms() + SIGN_REST_MS;
		return -1;
	}
	res = answer.body;
	if (answer.type != MSG_SIGNED || res->code != CODE_DONE)
		return -1;
	buf_put_span(sig, res->bytes);
	return buf_failed(sig) ? -1 : 0;
}

/* --- start and reload -------------------------------------------------------------------- */

/* Sockets wait in accept.c, the certificate here, until both are judged. */
static int
on_descriptor(unsigned kind, struct span name, int fd)
{
	int rc = -1;

	if (prepared) {
		accept_forget();
		prepared = false;
	}
	if (kind == RESOURCE_LISTEN)
		return accept_add(fd);
	if (kind == RESOURCE_CERT) {
		free(cert);
		rc = fd_read_all(fd, CERT_PEM_MAX, &cert, &cert_n);
		if (rc == -1)
			cert = NULL;
	}
	close(fd);
	if (rc == -1)
		log_error(
		    "listener.file", "file=%s error=\"cannot be read\"", log_text(name));
	return rc;
}

/* A TLS context with the certificate that was given; NULL and *err. */
static struct tls_server *
make_server(const struct conf *c, const char **err)
{
	struct tls_server *s = tls_server_new(tls, err);
	struct span chain = span_of(cert, cert_n);
	EVP_PKEY *key = NULL;

	if (s == NULL)
		return NULL;
	*err = "there is no certificate";
	if (cert != NULL)
		key = keyprov_key(keyprov, chain, err);
	if (key == NULL ||
	    tls_server_add(s, conf_str(c, CONF_DOMAIN), chain, key, err) == -1) {
		tls_server_free(s);
		s = NULL;
	}
	EVP_PKEY_free(key);
	return s;
}

/* Reads and judges a configuration with what was given along. 0 or -1. */
static int
judge(struct span values, struct conf **c, struct tls_server **s)
{
	const char *err = "the configuration cannot be read";

	prepared = true;
	*s = NULL;
	*c = conf_share_get(values, ROLE_LISTENER);
	if (*c != NULL)
		*s = make_server(*c, &err);
	if (*s != NULL)
		return 0;
	log_error("listener.conf", "error=\"%s\"", err);
	conf_free(*c);
	*c = NULL;
	return -1;
}

/* Passes the values of the configuration on to where they are used. */
static void
use_conf(void)
{
	struct conn_limits limits = conn_limits_default;
	struct inlimits in = {conf_u64(conf, CONF_LIMITS_CONNECTIONS),
	    conf_u64(conf, CONF_LIMITS_UNAUTHENTICATED),
	    conf_u64(conf, CONF_LIMITS_CONNECTIONS_PER_ADDRESS)};

	limits.setup_ms = (unsigned)conf_u64(conf, CONF_LIMITS_HANDSHAKE_TIMEOUT);
	limits.idle_ms = (unsigned)conf_u64(conf, CONF_LIMITS_IDLE_TIMEOUT);
	limits.out_max = OUT_MAX;
	inlimits_set(&in);
	inlink_setup(proc_base(), server, &limits);
}

/* As many descriptors as connections are allowed, if the system gives them. */
static void
raise_files(void)
{
	struct rlimit r;
	rlim_t want = (rlim_t)conf_u64(conf, CONF_LIMITS_CONNECTIONS) + FILES_BESIDES;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1 || r.rlim_cur >= want)
		return;
	r.rlim_cur = want;
	if (r.rlim_max < want)
		r.rlim_max = want;
	if (setrlimit(RLIMIT_NOFILE, &r) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < want)
			log_warn("listener.files", "have=%llu want=%llu",
			    (unsigned long long)r.rlim_cur, (unsigned long long)want);
	}
}

static int
listener_start(void)
{
	buf_init(&document, PROTO_OBJECT_MAX);
	tls = tls_new();
	keyprov = tls != NULL ? keyprov_new(tls, sign, NULL) : NULL;
	if (keyprov == NULL) {
		log_error("listener.conf", "error=\"OpenSSL cannot be set up\"");
		return -1;
	}
	if (judge(proc_conf(), &conf, &server) == -1)
		return PROC_EXIT_CONFIG;
	raise_files();
	use_conf();
	return 0;
}

static int
listener_ready(void)
{
	accept_switch(inlink_accept);
	return 0;
}

static int
listener_reload_prepare(void)
{
	conf_free(next_conf); /* of a reload that was given up */
	tls_server_free(next_server);
	next_server = NULL;
	return judge(proc_conf_next(), &next_conf, &next_server);
}

static void
listener_reload_switch(void)
{
	conf_free(conf);
	tls_server_free(server);
	conf = next_conf;
	server = next_server;
	next_conf = NULL;
	next_server = NULL;
	use_conf();
	accept_switch(inlink_accept);
}

/* --- from the neighbours ------------------------------------------------------------------- */

static void
on_nonce(struct channel *ch, struct channel_msg *msg)
{
	const struct m_nonce *m = msg->body;

	(void)ch;
	greet_nonce(m->nonce);
}

static void
on_push(struct channel *ch, struct channel_msg *msg)
{
	const struct m_push *m = msg->body;
	struct inlink *l = inlink_by_handle(m->handle);

	(void)ch;
	if (l != NULL)
		inlink_frame(l, FRAME_PUSH, 0, m->push);
}

static void
on_event(struct channel *ch, struct channel_msg *msg)
{
	const struct m_event *m = msg->body;
	struct inlink *l = inlink_by_handle(m->handle);

	(void)ch;
	if (l != NULL)
		inlink_frame(l, FRAME_EVENT, 0, m->event);
}

/* store has taken the handle back already: it is not told again. */
static void
on_revoke(struct channel *ch, struct channel_msg *msg)
{
	const struct m_handle *m = msg->body;
	struct inlink *l = inlink_by_handle(m->handle);

	(void)ch;
	if (l == NULL)
		return;
	inlink_set_handle(l, 0);
	inlink_bye(
	    l, m->code != 0 ? m->code : CODE_NOT_AUTHORISED, "the right is revoked");
}

static void
on_doc_own(struct channel *ch, struct channel_msg *msg)
{
	const struct m_doc_own *m = msg->body;

	(void)ch;
	buf_reset(&document);
	buf_put_span(&document, m->document);
}

static void
listener_peer_up(enum role role, struct channel *ch)
{
	(void)ch;
	if (role == ROLE_STORE)
		login_store_up();
	if (role == ROLE_KEYD)
		no_sign_until = 0;
}

/* Input that waited for this neighbour is handled at once: it is answered "try later". */
static void
listener_peer_down(enum role role, struct channel *ch)
{
	(void)ch;
	if (role == ROLE_STORE)
		login_store_down();
	room = true;
}

static void
listener_peer_drained(enum role role, struct channel *ch)
{
	(void)role, (void)ch;
	room = true;
}

/* --- the loop -------------------------------------------------------------------------------- */

static void
listener_turn(void)
{
	if (room) {
		room = false;
		inlink_resume_stalled();
	}
	inlink_flush();
	if (stopping > 0 && inlink_none())
		proc_stopped();
}

static void
listener_tick(uint64_t now)
{
	(void)now;
	accept_tick();
	if (stopping > 0 && --stopping == 0)
		proc_stopped();
}

static bool
listener_stop(void)
{
	accept_stop();
	inlink_stop();
	stopping = STOP_TICKS + 1;
	return inlink_none();
}

static void
listener_status(struct buf *out)
{
	char *text = xasprintf(
	    "links=%zu\nunauthenticated=%zu\nputs=%zu\nheld_bytes=%zu\n",
	    inlimits_count(), inlimits_unproved(), handin_open(), inlink_held_bytes());

	buf_put(out, text, strlen(text));
	free(text);
}

static const struct proc_handler from_store[] = {{MSG_NONCE, on_nonce},
    {MSG_LOGIN_RES, login_answer}, {MSG_PEER_AUTH_RES, login_answer},
    {MSG_RES, proc_on_answer}, {MSG_PUT_RES, proc_on_answer}, {MSG_PUSH, on_push},
    {MSG_EVENT, on_event}, {MSG_REVOKE, on_revoke}, {0, NULL}};
static const struct proc_handler from_queue[] = {
    {MSG_SUBMIT_RES, proc_on_answer}, {0, NULL}};
static const struct proc_handler from_keyd[] = {
    {MSG_SIGNED, proc_on_answer}, {MSG_DOC_OWN, on_doc_own}, {0, NULL}};
static const struct proc_peer peers[] = {{ROLE_STORE, from_store},
    {ROLE_QUEUE, from_queue}, {ROLE_KEYD, from_keyd}, {ROLE_MASTER, NULL}};

const struct proc listener_proc = {
    .role = ROLE_LISTENER,
    .peers = peers,
    .descriptor = on_descriptor,
    .start = listener_start,
    .ready = listener_ready,
    .reload_prepare = listener_reload_prepare,
    .reload_switch = listener_reload_switch,
    .stop = listener_stop,
    .peer_up = listener_peer_up,
    .peer_down = listener_peer_down,
    .peer_drained = listener_peer_drained,
    .tick = listener_tick,
    .turn = listener_turn,
    .status = listener_status,
};
