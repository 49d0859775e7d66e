/* SPDX-License-Identifier: ISC */
/*
 * relayproc.c - a real emsg-relay, caged, and all that it talks to.
 *
 * The test says what master, queue, store, keyd and dialer would say. The peer is a TLS server
 * in this program (lib/net) behind the socket that "dialer" passes; both run from one loop,
 * which turns while the test waits for a message. Owns the process, its channels and the peer's
 * connection, from rp_setup() to rp_teardown(). Fails by failing the running test.
 */
#include "config.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "conf/share.h"
#include "ipc/frame.h"
#include "ipc/proc.h"
#include "tests/unit/netpair.h"
#include "tests/unit/relayproc.h"

#define WAIT_MS 10000
#define SILENCE_MS 60
#define PEER "im.beta.test"
#define HEARD_MAX 64

static struct frame *ends[ROLE_COUNT];
pid_t rp_pid;
union relayproc_got rp_got;
uint64_t rp_got_id;
static struct buf bytes; /* keeps what got borrows from */

static struct netpair np;
static struct event_base *base;
struct link *rp_peer;
static bool peer_cut; /* it ended without a close frame */
static struct {
	uint64_t type, id;
	uint8_t *body; /* owned */
	size_t n;
} heard[HEARD_MAX]; /* frames that the peer got and nobody asked for yet */
static size_t nheard;

/* --- the peer ---------------------------------------------------------------------------- */

static void
on_request(struct link *link, const struct http_request *req, struct link_answer *answer,
    void *arg)
{
	(void)link, (void)arg;
	ck_assert_str_eq(req->path, PROTO_PATH_S2S);
	answer->status = 101;
	answer->proto = HTTP_PROTO_S2S;
}

void
rp_peer_say(uint64_t type, uint64_t id, const struct obj_def *def, const void *body)
{
	struct buf b;

	buf_init(&b, PROTO_MESSAGE_MAX);
	ck_assert_int_eq(wframe_put_obj(&b, type, id, def, body), WIRE_OK);
	ck_assert_int_eq(link_send(rp_peer, buf_span(&b)), 0);
	buf_clear(&b);
}

void
rp_say_hello(void)
{
	struct p_hello hello = {.domain = span_str(PEER),
	    .time = clock_wall_ms(),
	    .version_min = 1,
	    .version_max = 1};

	rp_peer_say(FRAME_HELLO, 0, &p_hello_def, &hello);
}

static void
on_open(struct link *link, void *arg)
{
	(void)link, (void)arg;
	rp_say_hello();
}

static void
on_message(struct link *link, struct span message, void *arg)
{
	struct wframe_iter it;
	struct wframe frame;

	(void)link, (void)arg;
	wframe_init(&it, message);
	while (wframe_next(&it, &frame)) {
		ck_assert_uint_lt(nheard, HEARD_MAX);
		heard[nheard].type = frame.type;
		heard[nheard].id = frame.id;
		heard[nheard].body = xmemdup(frame.body.p, frame.body.n);
		heard[nheard++].n = frame.body.n;
	}
	ck_assert_int_eq(it.err, WIRE_OK);
}

static void
on_close(struct link *link, const struct link_end *end, void *arg)
{
	(void)arg;
	peer_cut = !end->remote;
	link_free(link);
	if (link == rp_peer)
		rp_peer = NULL;
}

static const struct link_ops ops = {.on_request = on_request,
    .on_open = on_open,
    .on_message = on_message,
    .on_close = on_close};

static void
pump(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
	usleep(500);
}

static void
forget_first(void)
{
	free(heard[0].body);
	memmove(heard, heard + 1, --nheard * sizeof(heard[0]));
}

/* The next frame that the peer hears must be of this type; its id. */
uint64_t
rp_peer_hears(uint64_t type)
{
	uint64_t until = clock_mono_ms() + WAIT_MS, id;

	while (nheard == 0 && clock_mono_ms() < until)
		pump();
	ck_assert_msg(nheard > 0, "no %s", proto_frame_name(type));
	ck_assert_uint_eq(heard[0].type, type);
	id = heard[0].id;
	forget_first();
	return id;
}

/* The peer hears a bye with this code, and then the link ends in order. */
void
rp_peer_hears_bye(uint64_t code)
{
	uint64_t until = clock_mono_ms() + WAIT_MS;
	struct p_bye bye;

	while (nheard == 0 && clock_mono_ms() < until)
		pump();
	ck_assert_uint_gt(nheard, 0);
	ck_assert_uint_eq(heard[0].type, FRAME_BYE);
	ck_assert_int_eq(
	    obj_decode(&p_bye_def, span_of(heard[0].body, heard[0].n), &bye), WIRE_OK);
	ck_assert_uint_eq(bye.code, code);
	forget_first();
	while (rp_peer != NULL && clock_mono_ms() < until)
		pump();
	ck_assert_ptr_null(rp_peer);
	ck_assert(!peer_cut);
}

void
rp_peer_silence(void)
{
	uint64_t until = clock_mono_ms() + SILENCE_MS;

	while (clock_mono_ms() < until)
		pump();
	ck_assert_uint_eq(nheard, 0);
}

/* A result with the same code for all these accounts; text: of each. */
void
rp_peer_result(uint64_t id, uint64_t code, const char *const *accounts, struct span text)
{
	struct p_outcome o = {.code = code, .text = text};
	struct p_result result = {0};
	struct buf list;

	buf_init(&list, PROTO_MESSAGE_MAX);
	if (text.n > 0)
		obj_set(&p_outcome_def, &o, 4);
	for (; *accounts != NULL; accounts++, result.outcomes.count++) {
		o.account = span_str(*accounts);
		ck_assert_int_eq(obj_encode(&p_outcome_def, &o, &list), WIRE_OK);
	}
	result.outcomes.raw = buf_span(&list);
	rp_peer_say(FRAME_RESULT, id, &p_result_def, &result);
	buf_clear(&list);
}

void
rp_peer_done(uint64_t id)
{
	static const char *const bob[] = {BOB, NULL};

	rp_peer_result(id, CODE_DONE, bob, span_of(NULL, 0));
}

/* --- the other ends of the channels ------------------------------------------------------ */

static void
say_fd(enum role from, uint16_t type, uint64_t id, const void *body, int fd)
{
	struct buf b;

	buf_init(&b, MSG_PAYLOAD_MAX);
	ck_assert_int_eq(payload_put(msg_find(type)->fields, body, &b), 0);
	ck_assert_int_eq(frame_queue(ends[from], type, 0, id, buf_span(&b), fd), 0);
	ck_assert_int_eq(frame_write(ends[from]), FRAME_OK);
	buf_clear(&b);
}

void
rp_say(enum role from, uint16_t type, uint64_t id, const void *body)
{
	say_fd(from, type, id, body, -1);
}

/* The next message that the table knows, within ms; 0 if there is none. */
static uint16_t
next_message(enum role at, unsigned ms)
{
	uint64_t until = clock_mono_ms() + ms;
	struct frame_msg m;

	do {
		while (frame_next(ends[at], &m) == FRAME_OK) {
			if (msg_find(m.type) == NULL)
				continue;
			buf_reset(&bytes);
			buf_put_span(&bytes, m.payload);
			rp_got_id = m.id;
			ck_assert_int_eq(payload_get(msg_find(m.type)->fields,
					     buf_span(&bytes), &rp_got),
			    0);
			return m.type;
		}
		pump();
		if (frame_read(ends[at]) == FRAME_CLOSED)
			break;
	} while (clock_mono_ms() < until);
	return 0;
}

void
rp_hear(enum role at, uint16_t type)
{
	uint16_t said = next_message(at, WAIT_MS);

	ck_assert_msg(said == type, "%s heard %s instead of %s", role_name(at),
	    msg_name(said), msg_name(type));
}

void
rp_silence(enum role at)
{
	uint16_t said = next_message(at, SILENCE_MS);

	ck_assert_msg(said == 0, "%s heard %s", role_name(at), msg_name(said));
}

/* Queue hears the result of an item. */
void
rp_queue_hears_sent(uint64_t qid)
{
	rp_hear(ROLE_QUEUE, MSG_SENT);
	ck_assert_uint_eq(rp_got.sent.qid, qid);
}

void
rp_queue_hears_fail(uint64_t qid, uint16_t code)
{
	rp_hear(ROLE_QUEUE, MSG_SEND_FAIL);
	ck_assert_uint_eq(rp_got.fail.qid, qid);
	ck_assert_uint_eq(rp_got.fail.code, code);
}

void
rp_queue_hears_down(uint16_t code, bool orderly)
{
	struct m_domain noted = {.domain = span_str(PEER)};

	rp_hear(ROLE_QUEUE, MSG_PEER_DOWN);
	ck_assert(span_eq(rp_got.down.domain, span_str(PEER)));
	ck_assert_uint_eq(rp_got.down.code, code);
	ck_assert_uint_eq(rp_got.down.orderly, orderly);
	rp_silence(ROLE_QUEUE);
	rp_say(ROLE_QUEUE, MSG_PEER_NOTED, 0, &noted);
}

/* Queue hands over an item for bob, or for bob and carol, with so large a body. */
void
rp_send_item(uint64_t qid, size_t size, bool both)
{
	struct p_outer outer = {
	    .fmt = 1, .suite = 1, .from = span_str("al#im.alpha.test")};
	struct p_recipient to = {.account = span_str(BOB)};
	struct p_put put = {.kind = ITEM_MESSAGE, .to.count = 1};
	uint8_t *body = xcalloc(1, size);
	struct m_send m = {.qid = qid, .fifo = 3, .domain = span_str(PEER)};
	struct buf o, list, p;

	mid_make(outer.mid, clock_wall_ms());
	buf_init(&o, 1024);
	buf_init(&list, 1024);
	buf_init(&p, MSG_ITEM_MAX);
	ck_assert_int_eq(obj_encode(&p_outer_def, &outer, &o), WIRE_OK);
	ck_assert_int_eq(obj_encode(&p_recipient_def, &to, &list), WIRE_OK);
	to.account = span_str(CAROL);
	if (both) {
		ck_assert_int_eq(obj_encode(&p_recipient_def, &to, &list), WIRE_OK);
		put.to.count++;
	}
	put.outer = buf_span(&o);
	put.body = span_of(body, size);
	put.to.raw = buf_span(&list);
	ck_assert_int_eq(obj_encode(&p_put_def, &put, &p), WIRE_OK);
	m.put = buf_span(&p);
	rp_say(ROLE_QUEUE, MSG_SEND, 0, &m);
	buf_clear(&o);
	buf_clear(&list);
	buf_clear(&p);
	free(body);
}

/* Store asks the peer something. */
void
rp_send_query(uint64_t id)
{
	struct p_req req = {.method = span_str("keys.get"), .args = span_of("\xa0", 1)};
	struct m_query m = {.domain = span_str(PEER)};
	struct buf b;

	buf_init(&b, 1024);
	ck_assert_int_eq(obj_encode(&p_req_def, &req, &b), WIRE_OK);
	m.req = buf_span(&b);
	rp_say(ROLE_STORE, MSG_QUERY, id, &m);
	buf_clear(&b);
}

/* Store hears the answer to a request; its code. */
uint64_t
rp_store_hears_res(uint64_t id)
{
	struct p_res res;

	rp_hear(ROLE_STORE, MSG_QUERY_RES);
	ck_assert_uint_eq(rp_got_id, id);
	ck_assert_int_eq(obj_decode(&p_res_def, rp_got.res.res, &res), WIRE_OK);
	return res.code;
}

/* Dialer is asked for the peer and has a socket; the peer is behind it. */
void
rp_dial(void)
{
	struct m_connected m = {.addr = span_str("192.0.2.1:443")};
	int pair[2];

	rp_hear(ROLE_DIALER, MSG_CONNECT);
	ck_assert(span_eq(rp_got.connect.domain, span_str(PEER)));
	netpair_sockets(pair);
	rp_peer = link_accept(base, pair[0], np.server, "relay", NULL, &ops, NULL);
	ck_assert_ptr_nonnull(rp_peer);
	say_fd(ROLE_DIALER, MSG_CONNECTED, rp_got_id, &m, pair[1]);
}

/* From the peer's hello to the proved link; the peer grants this window. */
void
rp_prove(uint64_t items, uint64_t size)
{
	struct p_welcome_s2s welcome = {.time = clock_wall_ms(),
	    .proof = span_str("proof"),
	    .credit_bytes = size,
	    .credit_items = items};
	struct m_signed proof = {.code = CODE_DONE, .bytes = span_str("our proof")};
	struct m_peer_check_res ok = {.code = CODE_DONE};

	rp_hear(ROLE_KEYD, MSG_PROVE_DIAL);
	ck_assert(span_eq(rp_got.prove.peer, span_str(PEER)));
	rp_say(ROLE_KEYD, MSG_SIGNED, rp_got_id, &proof);
	ck_assert_uint_eq(rp_peer_hears(FRAME_AUTH), 0);
	link_established(rp_peer, PROTO_MESSAGE_MAX);
	rp_peer_say(FRAME_WELCOME, 0, &p_welcome_s2s_def, &welcome);
	rp_hear(ROLE_STORE, MSG_PEER_CHECK);
	ck_assert_uint_eq(rp_got.check.webpki, 1);
	rp_say(ROLE_STORE, MSG_PEER_CHECK_RES, rp_got_id, &ok);
	rp_hear(ROLE_QUEUE, MSG_PEER_UP);
	ck_assert_uint_eq(rp_got.up.items, items);
}

/* A proved link with this window and nothing to carry. */
void
rp_link_up(uint64_t items, uint64_t size)
{
	rp_send_item(1, 6, false);
	rp_dial();
	rp_prove(items, size);
	rp_peer_done(rp_peer_hears(FRAME_PUT));
	rp_queue_hears_sent(1);
}

/* --- master's part ----------------------------------------------------------------------- */

void
rp_send_peer(enum role role)
{
	struct m_peer m = {.role = (uint8_t)role};
	int pair[2];

	frame_free(ends[role]);
	ck_assert_int_eq(fd_pair(pair, 1 << 20), 0);
	ends[role] = frame_new(pair[0], &frame_default_limits);
	say_fd(ROLE_MASTER, MSG_PEER, 0, &m, pair[1]);
}

static void
send_conf(void)
{
	struct conf *conf = conf_new_defaults("/tmp");
	struct m_conf m = {.number = 1};
	struct buf b;

	conf->v[CONF_DOMAIN].set = true;
	free(conf->v[CONF_DOMAIN].text);
	conf->v[CONF_DOMAIN].text = xstrdup("im.alpha.test");
	buf_init(&b, CONF_SHARE_MAX);
	conf_share_put(&b, conf, ROLE_RELAY);
	m.values = buf_span(&b);
	rp_say(ROLE_MASTER, MSG_CONF, 0, &m);
	buf_clear(&b);
	conf_free(conf);
}

/* The peer's certificate as an extra CA. */
static void
send_ca(void)
{
	struct m_resource m = {.kind = RESOURCE_CA};
	int fd = memfd_create("ca", MFD_CLOEXEC);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, np.cert_pem.p, np.cert_pem.n), (ssize_t)np.cert_pem.n);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	say_fd(ROLE_MASTER, MSG_RESOURCE, 0, &m, fd);
}

static void
run(void)
{
	struct m_boot boot = {.generation = 1, .role = ROLE_RELAY, .sandbox = 1};
	struct m_empty empty = {0};
	const char *build = getenv("EMSG_BUILD");
	char path[512];
	int pair[2];

	ck_assert_int_eq(fd_pair(pair, 1 << 20), 0);
	snprintf(path, sizeof(path), "%s/emsg-relay", build == NULL ? "." : build);
	if ((rp_pid = fork()) == 0) {
		dup2(pair[1], PROC_MASTER_FD);
		execl(path, "emsg-relay", (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	ends[ROLE_MASTER] = frame_new(pair[0], &frame_default_limits);
	boot.log_level = 1;
	rp_say(ROLE_MASTER, MSG_BOOT, 0, &boot);
	send_conf();
	send_ca();
	rp_send_peer(ROLE_QUEUE);
	rp_send_peer(ROLE_STORE);
	rp_send_peer(ROLE_KEYD);
	rp_send_peer(ROLE_DIALER);
	rp_say(ROLE_MASTER, MSG_START, 0, &empty);
	rp_hear(ROLE_MASTER, MSG_READY);
}

void
rp_setup(void)
{
	const char *err = NULL;

	buf_init(&bytes, MSG_PAYLOAD_MAX);
	base = event_base_new();
	netpair_init_bare(&np);
	ck_assert_int_eq(
	    tls_server_add(np.server, PEER, buf_span(&np.cert_pem), np.key, &err), 0);
	run();
}

void
rp_teardown(void)
{
	if (rp_pid != 0) {
		kill(rp_pid, SIGKILL);
		waitpid(rp_pid, NULL, 0);
	}
	rp_pid = 0;
	link_free(rp_peer);
	rp_peer = NULL;
	while (nheard > 0)
		forget_first();
	for (int i = 0; i < ROLE_COUNT; i++) {
		frame_free(ends[i]);
		ends[i] = NULL;
	}
	netpair_clear(&np);
	event_base_free(base);
	buf_clear(&bytes);
}
