/* SPDX-License-Identifier: ISC */
/*
 * storeproc.c - the other ends of the channels of a real emsg-store: master, listener, queue,
 * relay and control, for check_store_process.c. The bytes are made and judged by the table of
 * messages; whatever does not come as it should ends the test.
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
#include "tests/unit/storeproc.h"
#include "wire/call.h"

#define SHORT_MS 300

char sp_dir[] = "/tmp/check-store.XXXXXX";
static struct frame *ends[ROLE_COUNT];
static pid_t pid;
const char *sp_inject; /* what strace is to do to it; NULL: it runs by itself */
union storeproc_got sp_got;
uint64_t sp_id;
struct buf sp_bytes; /* keeps what sp_got borrows from */

struct kit_key sp_identity, sp_list, sp_device;
uint8_t sp_device_id[16];

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

void
sp_say(enum role from, uint16_t type, uint64_t id, const void *body)
{
	say_fd(from, type, id, body, -1);
}

/* The next message that the table knows, within ms; 0 if there is none. */
uint16_t
sp_next_message(enum role at, int ms)
{
	uint64_t until = clock_mono_ms() + (uint64_t)ms;
	struct pollfd p = {.fd = frame_fd(ends[at]), .events = POLLIN};
	struct frame_msg m;

	for (;;) {
		while (frame_next(ends[at], &m) == FRAME_OK) {
			if (msg_find(m.type) == NULL)
				continue;
			buf_reset(&sp_bytes);
			buf_put_span(&sp_bytes, m.payload);
			sp_id = m.id;
			ck_assert_int_eq(payload_get(msg_find(m.type)->fields,
					     buf_span(&sp_bytes), &sp_got),
			    0);
			return m.type;
		}
		if (clock_mono_ms() >= until || poll(&p, 1, ms) != 1 ||
		    frame_read(ends[at]) != FRAME_OK)
			return 0;
	}
}

void
sp_hear(enum role at, uint16_t type)
{
	uint16_t heard = sp_next_message(at, WAIT_MS);

	ck_assert_msg(heard == type, "%s heard %s instead of %s", role_name(at),
	    msg_name(heard), msg_name(type));
}

/* Nothing comes for a while. */
void
sp_silence(enum role at)
{
	uint16_t heard = sp_next_message(at, SHORT_MS);

	ck_assert_msg(heard == 0, "%s heard %s", role_name(at), msg_name(heard));
}

/* --- master's part -------------------------------------------------------------------------- */

static void
send_conf(void)
{
	struct conf *conf = conf_new_defaults(sp_dir);
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
	sp_say(ROLE_MASTER, MSG_CONF, 0, &m);
	buf_clear(&b);
	conf_free(conf);
}

void
sp_send_peer(enum role role)
{
	struct m_peer m = {.role = (uint8_t)role};
	int pair[2];

	frame_free(ends[role]);
	ck_assert_int_eq(fd_pair(pair, 1 << 20), 0);
	ends[role] = frame_new(pair[0], &frame_default_limits);
	say_fd(ROLE_MASTER, MSG_PEER, 0, &m, pair[1]);
}

void
sp_run(void)
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
		if (sp_inject != NULL)
			execlp("strace", "strace", "-qq", "-o", "/dev/null", "-e",
			    sp_inject, path, (char *)NULL);
		execl(path, "emsg-store", (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	ends[ROLE_MASTER] = frame_new(pair[0], &frame_default_limits);
	boot.data = span_str(sp_dir);
	sp_say(ROLE_MASTER, MSG_BOOT, 0, &boot);
	send_conf();
	sp_send_peer(ROLE_LISTENER);
	sp_send_peer(ROLE_QUEUE);
	sp_send_peer(ROLE_RELAY);
	sp_send_peer(ROLE_CONTROL);
	sp_say(ROLE_MASTER, MSG_START, 0, &empty);
	sp_hear(ROLE_MASTER, MSG_READY);
}

/* Waits for its end; signal 0: it ends by itself. The exit status, or -1. */
int
sp_end_run(int sig)
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

void
sp_kill_and_run(void)
{
	sp_end_run(SIGKILL);
	sp_run();
}

/* --- listener's part ------------------------------------------------------------------------ */

/* A request on link 1; the code of its answer. */
uint64_t
sp_request(
    uint64_t handle, const char *method, const struct obj_def *def, const void *args)
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
	sp_say(ROLE_LISTENER, MSG_REQ, 77, &m);
	sp_hear(ROLE_LISTENER, MSG_RES);
	ck_assert_uint_eq(sp_id, 77);
	ck_assert_int_eq(obj_decode(&p_res_def, sp_got.res.res, &res), WIRE_OK);
	buf_clear(&a);
	buf_clear(&b);
	return res.code;
}

uint64_t
sp_register_alice(void)
{
	struct c_register reg = {.account = span_str(ALICE)};
	struct buf cert, devlist, prekey;
	uint64_t code;

	buf_init(&cert, 8192);
	buf_init(&devlist, 16384);
	buf_init(&prekey, 8192);
	kit_listkey(&cert, ALICE, &sp_identity, &sp_list, 1);
	kit_devlist(&devlist, ALICE, &sp_list, 1, 1, NULL, &sp_device, 1);
	kit_prekey(&prekey, ALICE, &sp_device, sp_device.pub);
	reg.listkey = buf_span(&cert);
	reg.devlist = buf_span(&devlist);
	reg.prekey = buf_span(&prekey);
	code = sp_request(0, "account.register", &c_register_def, &reg);
	buf_clear(&cert);
	buf_clear(&devlist);
	buf_clear(&prekey);
	return code;
}

void
sp_ask_nonce(uint8_t nonce[32])
{
	struct m_empty empty = {0};

	sp_say(ROLE_LISTENER, MSG_NONCE_ASK, 0, &empty);
	sp_hear(ROLE_LISTENER, MSG_NONCE);
	memcpy(nonce, sp_got.nonce.nonce, 32);
}

/* Sends alice's proof over this nonce, with something changed. */
void
sp_prove(const uint8_t nonce[32], const char *domain, bool exporter_ok,
    const struct kit_key *key)
{
	struct s_login says = {.domain = span_str(domain), .account = span_str(ALICE)};
	struct p_auth_c2s auth = {.version = 1};
	struct m_login m = {.link = 1};
	struct buf proof, b;

	memcpy(says.device, sp_device_id, 16);
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
	sp_say(ROLE_LISTENER, MSG_LOGIN, 8, &m);
	buf_clear(&proof);
	buf_clear(&b);
}

/* Queue notes the handle of which it hears. */
uint64_t
sp_queue_notes(void)
{
	struct m_handle ok = {0};

	sp_hear(ROLE_QUEUE, MSG_HANDLE_ADD);
	ok.handle = sp_got.add.handle;
	sp_say(ROLE_QUEUE, MSG_HANDLE_OK, sp_id, &ok);
	return ok.handle;
}

uint64_t
sp_log_in(void)
{
	uint8_t nonce[32];
	uint64_t handle;

	sp_ask_nonce(nonce);
	sp_prove(nonce, "im.alpha.test", true, &sp_device);
	handle = sp_queue_notes();
	sp_hear(ROLE_LISTENER, MSG_LOGIN_RES);
	ck_assert_uint_eq(sp_got.login.code, CODE_DONE);
	ck_assert_uint_eq(sp_got.login.handle, handle);
	return handle;
}

/* Puts an item from alice to her other devices, i.e. into her own mailbox. */
void
sp_put(uint64_t handle, uint64_t id, const uint8_t mid[16])
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
	memcpy(outer.device, sp_device_id, 16);
	memcpy(stanza.device, sp_device_id, 16);
	ck_assert_int_eq(obj_encode(&p_stanza_def, &stanza, &s), WIRE_OK);
	to.stanzas = (struct obj_list){.raw = buf_span(&s), .count = 1};
	ck_assert_int_eq(obj_encode(&p_recipient_def, &to, &r), WIRE_OK);
	ck_assert_int_eq(obj_encode(&p_outer_def, &outer, &o), WIRE_OK);
	p.outer = buf_span(&o);
	p.to = (struct obj_list){.raw = buf_span(&r), .count = 1};
	ck_assert_int_eq(obj_encode(&p_put_def, &p, &b), WIRE_OK);
	m.put = buf_span(&b);
	sp_say(ROLE_LISTENER, MSG_PUT, id, &m);
	buf_clear(&o);
	buf_clear(&s);
	buf_clear(&r);
	buf_clear(&b);
}

uint64_t
sp_outcome(uint64_t id)
{
	struct p_result result;
	struct p_outcome o;
	struct obj_iter it;

	sp_hear(ROLE_LISTENER, MSG_PUT_RES);
	ck_assert_uint_eq(sp_id, id);
	ck_assert_int_eq(
	    obj_decode(&p_result_def, sp_got.put_res.result, &result), WIRE_OK);
	ck_assert_uint_eq(result.outcomes.count, 1);
	obj_iter_init(&it, &result.outcomes);
	ck_assert(obj_next(&it, &p_outcome_def, &o));
	return o.code;
}

void
sp_grant_credit(uint64_t handle, uint64_t items)
{
	struct m_credit m = {.handle = handle, .bytes = 1 << 20, .items = items};

	sp_say(ROLE_LISTENER, MSG_CREDIT, 0, &m);
}

uint64_t
sp_pushed(uint64_t handle, uint64_t kind)
{
	struct p_push p;

	sp_hear(ROLE_LISTENER, MSG_PUSH);
	ck_assert_uint_eq(sp_got.push.handle, handle);
	ck_assert_int_eq(obj_decode(&p_push_def, sp_got.push.push, &p), WIRE_OK);
	ck_assert_uint_eq(p.kind, kind);
	return sp_got.push.seq;
}

void
sp_done(uint64_t handle, uint64_t seq)
{
	struct m_done m = {.handle = handle, .seq = seq};

	sp_say(ROLE_LISTENER, MSG_DONE, 0, &m);
}
