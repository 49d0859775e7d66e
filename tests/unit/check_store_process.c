/* SPDX-License-Identifier: ISC */
/*
 * check_store_process.c - the real emsg-store, caged and on a real disk, with this test at the
 * other ends of its channels: proofs, handles, items, pushes, fates, and kills between.
 *
 * The test says what master, listener, queue, relay and control would say and reads what they
 * would read; the bytes are made and judged by the table of messages.
 */
#include "config.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/share.h"
#include "crypto/trust.h"
#include "ipc/frame.h"
#include "ipc/msgs.h"
#include "ipc/proc.h"
#include "tests/unit/objkit.h"
#include "wire/call.h"
#include "wire/ctl.h"

#define WAIT_MS 10000
#define SHORT_MS 300
#define ALICE "alice#im.alpha.test"
#define BETA "im.beta.test"

static char dir[] = "/tmp/check-store.XXXXXX";
static struct frame *ends[ROLE_COUNT];
static pid_t pid;
static const char *inject; /* what strace is to do to it; NULL: it runs by itself */
static union {
	struct m_nonce nonce;
	struct m_login_res login;
	struct m_peer_auth_res peer;
	struct m_res res;
	struct m_put_res put_res;
	struct m_push push;
	struct m_handle handle;
	struct m_handle_add add;
	struct m_domain domain;
	struct m_ctl_row row;
	struct m_ctl_end end;
	char room[1024];
} got; /* the last message */
static uint64_t got_id;
static struct buf bytes; /* keeps what got borrows from */

static struct kit_key identity, list, device, root, sign_key;
static uint8_t device_id[16];

/* --- the other ends ------------------------------------------------------------------------- */

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

static void
say(enum role from, uint16_t type, uint64_t id, const void *body)
{
	say_fd(from, type, id, body, -1);
}

/* The next message that the table knows, within ms; 0 if there is none. */
static uint16_t
next_message(enum role at, int ms)
{
	uint64_t until = clock_mono_ms() + (uint64_t)ms;
	struct pollfd p = {.fd = frame_fd(ends[at]), .events = POLLIN};
	struct frame_msg m;

	for (;;) {
		while (frame_next(ends[at], &m) == FRAME_OK) {
			if (msg_find(m.type) == NULL)
				continue;
			buf_reset(&bytes);
			buf_put_span(&bytes, m.payload);
			got_id = m.id;
			ck_assert_int_eq(
			    payload_get(msg_find(m.type)->fields, buf_span(&bytes), &got),
			    0);
			return m.type;
		}
		if (clock_mono_ms() >= until || poll(&p, 1, ms) != 1 ||
		    frame_read(ends[at]) != FRAME_OK)
			return 0;
	}
}

static void
hear(enum role at, uint16_t type)
{
	uint16_t heard = next_message(at, WAIT_MS);

	ck_assert_msg(heard == type, "%s heard %s instead of %s", role_name(at),
	    msg_name(heard), msg_name(type));
}

/* Nothing comes for a while. */
static void
silence(enum role at)
{
	uint16_t heard = next_message(at, SHORT_MS);

	ck_assert_msg(heard == 0, "%s heard %s", role_name(at), msg_name(heard));
}

/* --- master's part -------------------------------------------------------------------------- */

static void
send_conf(void)
{
	struct conf *conf = conf_new_defaults(dir);
	struct m_conf m = {.number = 1};
	struct buf b;

	conf->v[CONF_DOMAIN].set = true;
	free(conf->v[CONF_DOMAIN].text);
	conf->v[CONF_DOMAIN].text = xstrdup("im.alpha.test");
	conf->v[CONF_STORE_MAP_SIZE].num = 64 << 20;
	conf->v[CONF_REGISTRATION_POLICY].num = CONF_REGISTRATION_OPEN;
	buf_init(&b, CONF_SHARE_MAX);
	conf_share_put(&b, conf, ROLE_STORE);
	m.values = buf_span(&b);
	say(ROLE_MASTER, MSG_CONF, 0, &m);
	buf_clear(&b);
	conf_free(conf);
}

static void
send_peer(enum role role)
{
	struct m_peer m = {.role = (uint8_t)role};
	int pair[2];

	frame_free(ends[role]);
	ck_assert_int_eq(fd_pair(pair, 1 << 20), 0);
	ends[role] = frame_new(pair[0], &frame_default_limits);
	say_fd(ROLE_MASTER, MSG_PEER, 0, &m, pair[1]);
}

static void
run(void)
{
	struct m_boot boot = {.generation = 1, .role = ROLE_STORE, .sandbox = 1};
	struct m_empty empty = {0};
	const char *build = getenv("EMSG_BUILD");
	char path[512];
	int pair[2];

	ck_assert_int_eq(fd_pair(pair, 1 << 20), 0);
	snprintf(path, sizeof(path), "%s/emsg-store", build == NULL ? "." : build);
	if ((pid = fork()) == 0) {
		dup2(pair[1], PROC_MASTER_FD);
		if (inject != NULL)
			execlp("strace", "strace", "-qq", "-o", "/dev/null", "-e", inject,
			    path, (char *)NULL);
		execl(path, "emsg-store", (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	ends[ROLE_MASTER] = frame_new(pair[0], &frame_default_limits);
	boot.data = span_str(dir);
	say(ROLE_MASTER, MSG_BOOT, 0, &boot);
	send_conf();
	send_peer(ROLE_LISTENER);
	send_peer(ROLE_QUEUE);
	send_peer(ROLE_RELAY);
	send_peer(ROLE_CONTROL);
	say(ROLE_MASTER, MSG_START, 0, &empty);
	hear(ROLE_MASTER, MSG_READY);
}

/* Waits for its end; signal 0: it ends by itself. The exit status, or -1. */
static int
end_run(int sig)
{
	int status = 0;

	if (pid != 0 && sig != 0)
		kill(pid, sig);
	if (pid != 0)
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	pid = 0;
	for (int i = 0; i < ROLE_COUNT; i++) {
		frame_free(ends[i]);
		ends[i] = NULL;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
kill_and_run(void)
{
	end_run(SIGKILL);
	run();
}

/* --- listener's part ------------------------------------------------------------------------ */

/* A request on link 1; the code of its answer. */
static uint64_t
request(uint64_t handle, const char *method, const struct obj_def *def, const void *args)
{
	struct p_req req = {.method = span_str(method)};
	struct m_req m = {.handle = handle, .link = 1};
	struct p_res res;
	struct buf a, b;

	buf_init(&a, 65536);
	buf_init(&b, 65536);
	ck_assert_int_eq(obj_encode(def, args, &a), WIRE_OK);
	req.args = buf_span(&a);
	ck_assert_int_eq(obj_encode(&p_req_def, &req, &b), WIRE_OK);
	m.req = buf_span(&b);
	say(ROLE_LISTENER, MSG_REQ, 77, &m);
	hear(ROLE_LISTENER, MSG_RES);
	ck_assert_uint_eq(got_id, 77);
	ck_assert_int_eq(obj_decode(&p_res_def, got.res.res, &res), WIRE_OK);
	buf_clear(&a);
	buf_clear(&b);
	return res.code;
}

static uint64_t
register_alice(void)
{
	struct c_register reg = {.account = span_str(ALICE)};
	struct buf cert, devlist, prekey;
	uint64_t code;

	buf_init(&cert, 8192);
	buf_init(&devlist, 16384);
	buf_init(&prekey, 8192);
	kit_listkey(&cert, ALICE, &identity, &list, 1);
	kit_devlist(&devlist, ALICE, &list, 1, 1, NULL, &device, 1);
	kit_prekey(&prekey, ALICE, &device, device.pub);
	reg.listkey = buf_span(&cert);
	reg.devlist = buf_span(&devlist);
	reg.prekey = buf_span(&prekey);
	code = request(0, "account.register", &c_register_def, &reg);
	buf_clear(&cert);
	buf_clear(&devlist);
	buf_clear(&prekey);
	return code;
}

static void
ask_nonce(uint8_t nonce[32])
{
	struct m_empty empty = {0};

	say(ROLE_LISTENER, MSG_NONCE_ASK, 0, &empty);
	hear(ROLE_LISTENER, MSG_NONCE);
	memcpy(nonce, got.nonce.nonce, 32);
}

/* Sends alice's proof over this nonce, with something changed. */
static void
prove(const uint8_t nonce[32], const char *domain, bool exporter_ok,
    const struct kit_key *key)
{
	struct s_login says = {.domain = span_str(domain), .account = span_str(ALICE)};
	struct p_auth_c2s auth = {.version = 1};
	struct m_login m = {.link = 1};
	struct buf proof, b;

	memcpy(says.device, device_id, 16);
	memcpy(says.nonce, nonce, 32);
	memset(says.exporter, exporter_ok ? 0 : 1, 32);
	obj_set(&s_login_def, &says, 5);
	buf_init(&proof, 2048);
	buf_init(&b, 4096);
	kit_sign(&proof, &s_login_def, &says, TYP_LOGIN, key);
	auth.proof = buf_span(&proof);
	ck_assert_int_eq(obj_encode(&p_auth_c2s_def, &auth, &b), WIRE_OK);
	memcpy(m.nonce, nonce, 32);
	m.auth = buf_span(&b);
	say(ROLE_LISTENER, MSG_LOGIN, 8, &m);
	buf_clear(&proof);
	buf_clear(&b);
}

/* Queue notes the handle of which it hears. */
static uint64_t
queue_notes(void)
{
	struct m_handle ok = {0};

	hear(ROLE_QUEUE, MSG_HANDLE_ADD);
	ok.handle = got.add.handle;
	say(ROLE_QUEUE, MSG_HANDLE_OK, got_id, &ok);
	return ok.handle;
}

static uint64_t
log_in(void)
{
	uint8_t nonce[32];
	uint64_t handle;

	ask_nonce(nonce);
	prove(nonce, "im.alpha.test", true, &device);
	handle = queue_notes();
	hear(ROLE_LISTENER, MSG_LOGIN_RES);
	ck_assert_uint_eq(got.login.code, CODE_DONE);
	ck_assert_uint_eq(got.login.handle, handle);
	return handle;
}

/* Puts an item from alice to her other devices, i.e. into her own mailbox. */
static void
put(uint64_t handle, uint64_t id, const uint8_t mid[16])
{
	struct p_outer outer = {.fmt = 1, .suite = 1, .from = span_str(ALICE)};
	struct p_put p = {.kind = ITEM_MESSAGE, .body = span_str("sealed")};
	struct p_recipient to = {.account = span_str(ALICE)};
	struct p_stanza stanza = {0};
	struct m_put m = {.handle = handle};
	struct buf o, s, r, b;

	buf_init(&o, 1024);
	buf_init(&s, 1024);
	buf_init(&r, 2048);
	buf_init(&b, 65536);
	memcpy(outer.mid, mid, 16);
	memcpy(outer.device, device_id, 16);
	memcpy(stanza.device, device_id, 16);
	ck_assert_int_eq(obj_encode(&p_stanza_def, &stanza, &s), WIRE_OK);
	to.stanzas = (struct obj_list){.raw = buf_span(&s), .count = 1};
	ck_assert_int_eq(obj_encode(&p_recipient_def, &to, &r), WIRE_OK);
	ck_assert_int_eq(obj_encode(&p_outer_def, &outer, &o), WIRE_OK);
	p.outer = buf_span(&o);
	p.to = (struct obj_list){.raw = buf_span(&r), .count = 1};
	ck_assert_int_eq(obj_encode(&p_put_def, &p, &b), WIRE_OK);
	m.put = buf_span(&b);
	say(ROLE_LISTENER, MSG_PUT, id, &m);
	buf_clear(&o);
	buf_clear(&s);
	buf_clear(&r);
	buf_clear(&b);
}

static uint64_t
outcome(uint64_t id)
{
	struct p_result result;
	struct p_outcome o;
	struct obj_iter it;

	hear(ROLE_LISTENER, MSG_PUT_RES);
	ck_assert_uint_eq(got_id, id);
	ck_assert_int_eq(obj_decode(&p_result_def, got.put_res.result, &result), WIRE_OK);
	ck_assert_uint_eq(result.outcomes.count, 1);
	obj_iter_init(&it, &result.outcomes);
	ck_assert(obj_next(&it, &p_outcome_def, &o));
	return o.code;
}

static void
grant_credit(uint64_t handle, uint64_t items)
{
	struct m_credit m = {.handle = handle, .bytes = 1 << 20, .items = items};

	say(ROLE_LISTENER, MSG_CREDIT, 0, &m);
}

static uint64_t
pushed(uint64_t handle, uint64_t kind)
{
	struct p_push p;

	hear(ROLE_LISTENER, MSG_PUSH);
	ck_assert_uint_eq(got.push.handle, handle);
	ck_assert_int_eq(obj_decode(&p_push_def, got.push.push, &p), WIRE_OK);
	ck_assert_uint_eq(p.kind, kind);
	return got.push.seq;
}

static void
done(uint64_t handle, uint64_t seq)
{
	struct m_done m = {.handle = handle, .seq = seq};

	say(ROLE_LISTENER, MSG_DONE, 0, &m);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void
setup(void)
{
	buf_init(&bytes, MSG_PAYLOAD_MAX);
	kit_key(&identity);
	kit_key(&list);
	kit_key(&device);
	kit_key(&root);
	kit_key(&sign_key);
	ck_assert_int_eq(trust_device_id(device.pub, device_id), 0);
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	inject = NULL;
	run();
	ck_assert_uint_eq(register_alice(), CODE_DONE);
}

static void
teardown(void)
{
	static const char *const files[] = {"data.mdb", "lock.mdb"};
	char path[128];

	end_run(SIGKILL);
	buf_clear(&bytes);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	rmdir(dir);
}

static void
refused(unsigned code)
{
	hear(ROLE_LISTENER, MSG_LOGIN_RES);
	ck_assert_uint_eq(got.login.code, code);
	ck_assert_uint_eq(got.login.handle, 0);
}

START_TEST(proofs)
{
	uint8_t nonce[32], made_up[32] = {7};

	ask_nonce(nonce);
	prove(nonce, "im.beta.test", true, &device);
	refused(CODE_WRONG_DOMAIN);
	prove(nonce, "im.alpha.test", true, &device);
	refused(CODE_NONCE);
	prove(made_up, "im.alpha.test", true, &device);
	refused(CODE_NONCE);
	ask_nonce(nonce);
	prove(nonce, "im.alpha.test", false, &device);
	refused(CODE_NOT_AUTHORISED);
	ask_nonce(nonce);
	prove(nonce, "im.alpha.test", true, &list);
	refused(CODE_BAD_SIGNATURE);
	ck_assert_uint_eq(register_alice(), CODE_NAME_TAKEN);
	silence(ROLE_QUEUE);
}
END_TEST

/* Listener hears of a handle only after queue has it; a new queue hears of all; no handle
 * comes twice, not even after a kill. */
START_TEST(handles)
{
	uint8_t nonce[32];
	struct m_handle end = {0};
	uint64_t first, second;

	ask_nonce(nonce);
	prove(nonce, "im.alpha.test", true, &device);
	silence(ROLE_LISTENER);
	first = queue_notes();
	hear(ROLE_LISTENER, MSG_LOGIN_RES);
	send_peer(ROLE_QUEUE);
	ck_assert_uint_eq(queue_notes(), first);
	end.handle = first;
	say(ROLE_LISTENER, MSG_LINK_END, 0, &end);
	hear(ROLE_QUEUE, MSG_HANDLE_DEL);
	second = log_in();
	ck_assert_uint_gt(second, first);
	kill_and_run();
	ck_assert_uint_gt(log_in(), second);
}
END_TEST

/* Queue has no room for the handle: the link is told to come back. */
START_TEST(no_room)
{
	struct m_handle full = {.code = CODE_LIMIT};
	uint8_t nonce[32];

	ask_nonce(nonce);
	prove(nonce, "im.alpha.test", true, &device);
	hear(ROLE_QUEUE, MSG_HANDLE_ADD);
	full.handle = got.add.handle;
	say(ROLE_QUEUE, MSG_HANDLE_OK, got_id, &full);
	refused(CODE_BUSY);
	hear(ROLE_QUEUE, MSG_HANDLE_DEL);
	log_in();
}
END_TEST

/* The older link of a device ends when it proves itself again. */
START_TEST(one_link)
{
	uint64_t first = log_in();
	uint8_t nonce[32];

	ask_nonce(nonce);
	prove(nonce, "im.alpha.test", true, &device);
	hear(ROLE_LISTENER, MSG_REVOKE);
	ck_assert_uint_eq(got.handle.handle, first);
	hear(ROLE_QUEUE, MSG_HANDLE_DEL);
	ck_assert_uint_eq(got.handle.handle, first);
}
END_TEST

START_TEST(items)
{
	uint64_t handle = log_in();
	uint8_t mid[16], next[16];

	mid_make(mid, clock_wall_ms());
	mid_make(next, clock_wall_ms());
	put(handle + 1, 20, mid);
	ck_assert_uint_eq(outcome(20), CODE_UNKNOWN_HANDLE);
	put(handle, 21, mid);
	ck_assert_uint_eq(outcome(21), CODE_DONE);
	put(handle, 22, next);
	ck_assert_uint_eq(outcome(22), CODE_DONE);
	silence(ROLE_LISTENER);
	grant_credit(handle, 1);
	ck_assert_uint_eq(pushed(handle, ITEM_MESSAGE), 1);
	silence(ROLE_LISTENER);
	done(handle, 5);
	silence(ROLE_LISTENER);
	done(handle, 1);
	ck_assert_uint_eq(pushed(handle, ITEM_MESSAGE), 2);
	kill_and_run();
	handle = log_in();
	grant_credit(handle, 10);
	ck_assert_uint_eq(pushed(handle, ITEM_MESSAGE), 2);
	put(handle, 23, mid);
	ck_assert_uint_eq(outcome(23), CODE_KNOWN);
	silence(ROLE_LISTENER);
}
END_TEST

/* Killed wherever it was: the repeat makes it one, and what was answered is there. */
START_TEST(kills)
{
	uint64_t handle = log_in(), code;
	uint8_t mid[16];

	for (unsigned i = 0; i < 8; i++) {
		mid_make(mid, clock_wall_ms());
		put(handle, 30, mid);
		usleep(i * 300);
		kill_and_run();
		handle = log_in();
		put(handle, 31, mid);
		code = outcome(31);
		ck_assert(code == CODE_DONE || code == CODE_KNOWN);
		grant_credit(handle, 10);
		done(handle, pushed(handle, ITEM_MESSAGE));
		silence(ROLE_LISTENER);
	}
}
END_TEST

/* A failed sync ends the process; nobody was told that anything was stored. The first sync of
 * a run counts its start. strace calls getpid in the place of the sync, which the cage allows. */
START_TEST(failed_sync)
{
	uint64_t handle;
	uint8_t mid[16];

	if (access("/usr/bin/strace", X_OK) != 0)
		return;
	end_run(SIGKILL);
	inject = "inject=fdatasync:error=EIO:syscall=getpid:when=2";
	run();
	handle = log_in();
	mid_make(mid, clock_wall_ms());
	put(handle, 40, mid);
	ck_assert_uint_eq(outcome(40), CODE_STORAGE);
	ck_assert_uint_eq(next_message(ROLE_LISTENER, WAIT_MS), 0);
	ck_assert_int_eq(end_run(0), 1);
	inject = NULL;
	run();
}
END_TEST

START_TEST(fates)
{
	struct m_fate m = {.state = FATE_ARRIVED, .code = CODE_DONE, .time = 1};
	uint64_t handle = log_in();

	m.account = span_str(ALICE);
	m.recipient = span_str("bob#im.beta.test");
	memcpy(m.device, device_id, 16);
	grant_credit(handle, 10);
	say(ROLE_QUEUE, MSG_FATE, 50, &m);
	hear(ROLE_QUEUE, MSG_FATE_OK);
	ck_assert_uint_eq(got_id, 50);
	pushed(handle, ITEM_FATES);
	say(ROLE_QUEUE, MSG_FATE, 51, &m);
	hear(ROLE_QUEUE, MSG_FATE_OK);
	silence(ROLE_LISTENER);
	m.account = span_str("nobody#im.alpha.test");
	say(ROLE_QUEUE, MSG_FATE, 52, &m);
	hear(ROLE_QUEUE, MSG_FATE_OK);
}
END_TEST

/* --- servers -------------------------------------------------------------------------------- */

static void
make_document(struct buf *out, const struct kit_key *by)
{
	uint64_t now = clock_wall_ms();
	struct s_domain doc = {.seq = 1,
	    .issued = now,
	    .expires = now + 1000000,
	    .version_min = 1,
	    .version_max = 1};

	kit_domain(out, &doc, BETA, by, &sign_key, now - 1000, now + 1000000);
}

/* The other server's proof over a fresh nonce. */
static void
prove_peer(struct span document)
{
	struct s_peer says = {.side = SIDE_DIALLER,
	    .dialler = span_str(BETA),
	    .acceptor = span_str("im.alpha.test"),
	    .time = clock_wall_ms()};
	struct p_auth_s2s auth = {.version = 1};
	struct m_peer_auth m = {.link = 9};
	struct buf proof, b;

	buf_init(&proof, 2048);
	buf_init(&b, 4096);
	ask_nonce(m.nonce);
	memcpy(says.nonce_acceptor, m.nonce, 32);
	ck_assert_int_eq(sha_of(document, says.document), 0);
	kit_sign(&proof, &s_peer_def, &says, TYP_PEER, &sign_key);
	auth.proof = buf_span(&proof);
	ck_assert_int_eq(obj_encode(&p_auth_s2s_def, &auth, &b), WIRE_OK);
	m.auth = buf_span(&b);
	say(ROLE_LISTENER, MSG_PEER_AUTH, 60, &m);
	buf_clear(&proof);
	buf_clear(&b);
}

static void
give_document(struct span document, bool webpki)
{
	struct m_doc m = {.code = CODE_DONE,
	    .webpki = webpki,
	    .domain = span_str(BETA),
	    .document = document};

	hear(ROLE_RELAY, MSG_DOC_FETCH);
	ck_assert(span_eq(got.domain.domain, span_str(BETA)));
	say(ROLE_RELAY, MSG_DOC, got_id, &m);
}

static void
peer_refused(unsigned code, const char *text)
{
	hear(ROLE_LISTENER, MSG_PEER_AUTH_RES);
	ck_assert_uint_eq(got.peer.code, code);
	ck_assert_uint_eq(got.peer.handle, 0);
	ck_assert_uint_ge(got.peer.text.n, strlen(text));
	ck_assert_mem_eq(got.peer.text.p, text, strlen(text));
}

START_TEST(servers)
{
	struct buf doc;

	buf_init(&doc, 16384);
	make_document(&doc, &root);
	prove_peer(buf_span(&doc));
	give_document(buf_span(&doc), true);
	queue_notes();
	hear(ROLE_LISTENER, MSG_PEER_AUTH_RES);
	ck_assert_uint_eq(got.peer.code, CODE_DONE);
	ck_assert(span_eq(got.peer.domain, span_str(BETA)));
	/* Now the document is known: no second fetch, not even after a restart. */
	kill_and_run();
	prove_peer(buf_span(&doc));
	queue_notes();
	hear(ROLE_LISTENER, MSG_PEER_AUTH_RES);
	ck_assert_uint_eq(got.peer.code, CODE_DONE);
	/* Another root that nobody announced. */
	kill_and_run();
	kit_key(&sign_key);
	make_document(&doc, &identity);
	prove_peer(buf_span(&doc));
	give_document(buf_span(&doc), true);
	peer_refused(CODE_ROOT_CHANGED, "the root key of im.beta.test is ");
	buf_clear(&doc);
}
END_TEST

START_TEST(server_without_trust)
{
	struct buf doc;

	buf_init(&doc, 16384);
	make_document(&doc, &root);
	prove_peer(buf_span(&doc));
	give_document(buf_span(&doc), false);
	peer_refused(CODE_BAD_DOCUMENT, "the certificate of im.beta.test is not valid");
	buf_clear(&doc);
}
END_TEST

/* --- the operator --------------------------------------------------------------------------- */

START_TEST(operator)
{
	struct ctl_invite_args args = {.account = span_str("carol#im.alpha.test")};
	struct ctl_name name = {.name = span_str(ALICE)};
	struct m_ctl_ask ask = {.command = CTL_USER_ADD};
	struct ctl_invite row;
	uint64_t handle = log_in();
	struct buf b;

	buf_init(&b, 1024);
	obj_set(&ctl_invite_args_def, &args, 1);
	ck_assert_int_eq(obj_encode(&ctl_invite_args_def, &args, &b), WIRE_OK);
	ask.args = buf_span(&b);
	say(ROLE_CONTROL, MSG_CTL_ASK, 70, &ask);
	hear(ROLE_CONTROL, MSG_CTL_ROW);
	ck_assert_int_eq(obj_decode(&ctl_invite_def, got.row.row, &row), WIRE_OK);
	ck_assert_mem_eq(row.invite.p, "emsg:invite:", 12);
	hear(ROLE_CONTROL, MSG_CTL_END);
	ck_assert_uint_eq(got.end.code, CODE_DONE);
	buf_reset(&b);
	ck_assert_int_eq(obj_encode(&ctl_name_def, &name, &b), WIRE_OK);
	ask = (struct m_ctl_ask){.command = CTL_USER_DEL, .args = buf_span(&b)};
	say(ROLE_CONTROL, MSG_CTL_ASK, 71, &ask);
	hear(ROLE_CONTROL, MSG_CTL_END);
	ck_assert_uint_eq(got.end.code, CODE_DONE);
	hear(ROLE_LISTENER, MSG_REVOKE);
	ck_assert_uint_eq(got.handle.handle, handle);
	ck_assert_uint_eq(register_alice(), CODE_NAME_TAKEN);
	buf_clear(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("store_process");
	TCase *t = tcase_create("process");
	SRunner *r;
	int failed;

	signal(SIGPIPE, SIG_IGN);
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, proofs);
	tcase_add_test(t, handles);
	tcase_add_test(t, no_room);
	tcase_add_test(t, one_link);
	tcase_add_test(t, items);
	tcase_add_test(t, kills);
	tcase_add_test(t, failed_sync);
	tcase_add_test(t, fates);
	tcase_add_test(t, servers);
	tcase_add_test(t, server_without_trust);
	tcase_add_test(t, operator);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
