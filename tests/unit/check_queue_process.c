/* SPDX-License-Identifier: ISC */
/*
 * check_queue_process.c - the real emsg-queue, caged and on a real disk, with this test at the
 * other ends of its channels: an item's way in, out, back and home, through kills.
 *
 * The test says what master, listener, relay, store and control would say and reads what they
 * would read; the bytes are made and judged by the table of messages.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
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
#include "ipc/frame.h"
#include "ipc/msgs.h"
#include "ipc/proc.h"
#include "wire/ctl.h"

#define WAIT_MS 10000
#define ALICE 7

static char dir[] = "/tmp/check-queue.XXXXXX";
static struct frame *ends[ROLE_COUNT];
static pid_t pid;          /* 0: it has ended */
static const char *inject; /* what strace is to do to it; NULL: it runs by itself */
static uint8_t device[16] = "alice's device.";
static union {
	struct m_sent sent;
	struct m_send send;
	struct m_fate fate;
	struct m_handle handle;
	struct m_submit_res submitted;
	struct m_ctl_row row;
	struct m_ctl_end end;
	struct m_empty empty;
	char room[1024];
} got; /* the last message */
static uint64_t got_id;
static struct buf bytes; /* keeps what got borrows from */

/* --- the other ends --------------------------------------------------------------------- */

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
		if (clock_mono_ms() >= until || poll(&p, 1, ms) != 1)
			return 0;
		if (frame_read(ends[at]) != FRAME_OK)
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

/* --- master's part ----------------------------------------------------------------------- */

static void
send_conf(void)
{
	struct conf *conf = conf_new_defaults(dir);
	struct m_conf m = {.number = 1};
	struct buf b;

	conf->v[CONF_DOMAIN].set = true;
	free(conf->v[CONF_DOMAIN].text);
	conf->v[CONF_DOMAIN].text = xstrdup("im.alpha.test");
	conf->v[CONF_QUEUE_SEGMENT_SIZE].num = 4 << 20;
	buf_init(&b, CONF_SHARE_MAX);
	conf_share_put(&b, conf, ROLE_QUEUE);
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

	ck_assert_int_eq(fd_pair(pair, 1 << 20), 0);
	ends[role] = frame_new(pair[0], &frame_default_limits);
	say_fd(ROLE_MASTER, MSG_PEER, 0, &m, pair[1]);
}

static void
run(void)
{
	struct m_boot boot = {.generation = 1, .role = ROLE_QUEUE, .sandbox = 1};
	struct m_empty empty = {0};
	const char *build = getenv("EMSG_BUILD");
	char path[512];
	int pair[2];

	ck_assert_int_eq(fd_pair(pair, 1 << 20), 0);
	snprintf(path, sizeof(path), "%s/emsg-queue", build == NULL ? "." : build);
	if ((pid = fork()) == 0) {
		dup2(pair[1], PROC_MASTER_FD);
		if (inject != NULL)
			execlp("strace", "strace", "-qq", "-o", "/dev/null", "-e", inject,
			    path, (char *)NULL);
		execl(path, "emsg-queue", (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	ends[ROLE_MASTER] = frame_new(pair[0], &frame_default_limits);
	boot.log_level = 1;
	boot.data = span_str(dir);
	say(ROLE_MASTER, MSG_BOOT, 0, &boot);
	send_conf();
	send_peer(ROLE_LISTENER);
	send_peer(ROLE_STORE);
	send_peer(ROLE_RELAY);
	send_peer(ROLE_CONTROL);
	say(ROLE_MASTER, MSG_START, 0, &empty);
	hear(ROLE_MASTER, MSG_READY);
}

/* Store announces alice's handle. */
static void
log_in(void)
{
	struct m_handle_add add = {.handle = ALICE, .kind = HANDLE_ACCOUNT};

	memcpy(add.device, device, sizeof(device));
	add.name = span_str("alice#im.alpha.test");
	say(ROLE_STORE, MSG_HANDLE_ADD, 5, &add);
	hear(ROLE_STORE, MSG_HANDLE_OK);
	ck_assert_uint_eq(got.handle.handle, ALICE);
	ck_assert_uint_eq(got_id, 5);
}

/* Waits for its end; signal 0: it ends by itself. The exit status, or -1. */
static int
end_run(int signal)
{
	int status = 0;

	if (pid != 0 && signal != 0)
		kill(pid, signal);
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

static void
setup(void)
{
	buf_init(&bytes, MSG_PAYLOAD_MAX);
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	run();
	log_in();
}

/* Runs a program; its exit status, or -1. */
static int
run_program(const char *const *argv)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		execvp(argv[0], (char **)(uintptr_t)argv);
		_exit(127);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
teardown(void)
{
	const char *const rm[] = {"rm", "-r", dir, NULL};

	end_run(SIGKILL);
	buf_clear(&bytes);
	ck_assert_int_eq(run_program(rm), 0);
}

/* --- listener's, relay's and control's parts ----------------------------------------------- */

/* Submits an item of so many body bytes to a list of recipients. */
static void
submit(uint64_t id, uint64_t handle, const char *from, const char *const *to)
{
	struct p_outer outer = {.fmt = 1, .suite = 1, .from = span_str(from)};
	struct p_put put = {.kind = ITEM_MESSAGE, .body = span_str("sealed")};
	struct m_submit m = {.handle = handle};
	struct p_recipient r = {0};
	struct buf o, list, p;

	mid_make(outer.mid, clock_wall_ms());
	memcpy(outer.device, device, sizeof(device));
	buf_init(&o, 1024);
	buf_init(&list, 65536);
	buf_init(&p, MSG_ITEM_MAX);
	ck_assert_int_eq(obj_encode(&p_outer_def, &outer, &o), WIRE_OK);
	for (; *to != NULL; to++, put.to.count++) {
		r.account = span_str(*to);
		ck_assert_int_eq(obj_encode(&p_recipient_def, &r, &list), WIRE_OK);
	}
	put.outer = buf_span(&o);
	put.to.raw = buf_span(&list);
	ck_assert_int_eq(obj_encode(&p_put_def, &put, &p), WIRE_OK);
	m.put = buf_span(&p);
	say(ROLE_LISTENER, MSG_SUBMIT, id, &m);
	buf_clear(&o);
	buf_clear(&list);
	buf_clear(&p);
}

/* The answer to a submission: the code of the n-th recipient. */
static uint64_t
answered(uint64_t id, size_t n)
{
	struct p_result result;
	struct p_outcome o;
	struct obj_iter it;

	hear(ROLE_LISTENER, MSG_SUBMIT_RES);
	ck_assert_uint_eq(got_id, id);
	ck_assert_int_eq(
	    obj_decode(&p_result_def, got.submitted.result, &result), WIRE_OK);
	obj_iter_init(&it, &result.outcomes);
	do
		ck_assert(obj_next(&it, &p_outcome_def, &o));
	while (n-- > 0);
	return o.code;
}

static uint64_t
sent_to(const char *domain, size_t rcpts, bool restart)
{
	struct p_put put;

	hear(ROLE_RELAY, MSG_SEND);
	ck_assert(span_eq(got.send.domain, span_str(domain)));
	ck_assert_int_eq(obj_decode(&p_put_def, got.send.put, &put), WIRE_OK);
	ck_assert_uint_eq(put.to.count, rcpts);
	ck_assert_int_eq(got.send.restart, restart);
	return got.send.qid;
}

static void
outcome(uint64_t qid, const char *account, uint64_t code)
{
	struct p_outcome o = {.account = span_str(account), .code = code};
	struct p_result result = {0};
	struct m_sent m = {.qid = qid};
	struct buf list, b;

	buf_init(&list, 1024);
	buf_init(&b, 1024);
	obj_encode(&p_outcome_def, &o, &list);
	result.outcomes = (struct obj_list){buf_span(&list), 1};
	ck_assert_int_eq(obj_encode(&p_result_def, &result, &b), WIRE_OK);
	m.result = buf_span(&b);
	say(ROLE_RELAY, MSG_SENT, 0, &m);
	buf_clear(&list);
	buf_clear(&b);
}

static void
send_fail(uint64_t qid, uint16_t code, const char *text)
{
	struct m_send_fail m = {.qid = qid, .code = code, .text = span_str(text)};

	say(ROLE_RELAY, MSG_SEND_FAIL, 0, &m);
}

/* A fate that store hears; it confirms it if ok. */
static void
fate(const char *recipient, uint8_t state, uint16_t code, bool ok)
{
	struct m_empty empty = {0};

	hear(ROLE_STORE, MSG_FATE);
	ck_assert(span_eq(got.fate.recipient, span_str(recipient)));
	ck_assert(span_eq(got.fate.account, span_str("alice#im.alpha.test")));
	ck_assert_mem_eq(got.fate.device, device, sizeof(device));
	ck_assert_uint_eq(got.fate.state, state);
	ck_assert_uint_eq(got.fate.code, code);
	if (ok)
		say(ROLE_STORE, MSG_FATE_OK, got_id, &empty);
}

/* Asks the queue something; returns the rows of items, and the first item's state and error. */
static size_t
ask(uint16_t command, const struct ctl_queue_args *args, uint16_t end, char *state,
    char *error)
{
	struct m_ctl_ask m = {.command = command};
	struct ctl_item item;
	struct buf b;
	size_t n = 0;
	uint16_t type;

	buf_init(&b, 4096);
	ck_assert_int_eq(obj_encode(&ctl_queue_args_def, args, &b), WIRE_OK);
	m.args = buf_span(&b);
	say(ROLE_CONTROL, MSG_CTL_ASK, 77, &m);
	buf_clear(&b);
	while ((type = next_message(ROLE_CONTROL, WAIT_MS)) == MSG_CTL_ROW) {
		if (got.row.kind != ROW_ITEM)
			continue;
		ck_assert_int_eq(obj_decode(&ctl_item_def, got.row.row, &item), WIRE_OK);
		if (n++ == 0 && state != NULL)
			text_copy(state, 64, item.state);
		if (n == 1 && error != NULL)
			text_copy(error, 64, item.error);
	}
	ck_assert_int_eq(type, MSG_CTL_END);
	ck_assert_uint_eq(got.end.code, end);
	return n;
}

static size_t
list(char *state, char *error)
{
	struct ctl_queue_args args = {0};

	return ask(CTL_QUEUE_LIST, &args, CODE_DONE, state, error);
}

/* Waits until the queue has so many items: confirmations come by another channel than lists. */
static void
wait_for(size_t n)
{
	uint64_t until = clock_mono_ms() + WAIT_MS;

	while (list(NULL, NULL) != n) {
		ck_assert_uint_lt(clock_mono_ms(), until);
		usleep(1000);
	}
}

/* Waits until the only item is in this state. */
static void
wait_state(const char *state)
{
	uint64_t until = clock_mono_ms() + WAIT_MS;
	char now[64], error[64];

	while (list(now, error) != 1 || strcmp(now, state) != 0) {
		ck_assert_uint_lt(clock_mono_ms(), until);
		usleep(1000);
	}
}

/* --- tests ------------------------------------------------------------------------------- */

START_TEST(whole_way)
{
	static const char *const to[] = {
	    "bob#im.beta.test", "carol#im.beta.test", "dave#im.gamma.test", NULL};
	struct m_peer_up up = {.domain = span_str("im.gamma.test")};
	struct ctl_queue_args all = {.all = true};
	char state[64], error[64];
	uint64_t beta, gamma;

	obj_set(&ctl_queue_args_def, &all, 3);
	submit(1, ALICE, "alice#im.alpha.test", to);
	ck_assert_uint_eq(answered(1, 2), CODE_ACCEPTED);
	beta = sent_to("im.beta.test", 2, false);
	gamma = sent_to("im.gamma.test", 1, false);
	ck_assert_uint_ne(beta, gamma);
	/* One recipient has it, one refuses; each outcome may come by itself. */
	outcome(beta, "bob#im.beta.test", CODE_DONE);
	outcome(beta, "carol#im.beta.test", CODE_NOT_ACCEPTED);
	fate("bob#im.beta.test", FATE_ARRIVED, CODE_DONE, true);
	fate("carol#im.beta.test", FATE_FAILED, CODE_NOT_ACCEPTED, true);
	send_fail(gamma, CODE_BAD_SIGNATURE, "wrong pinned domain key");
	wait_state("deferred");
	ck_assert_uint_eq(list(state, error), 1);
	ck_assert_str_eq(error, "wrong pinned domain key");
	/* What is not finished comes back after a kill, with its reason, and no more. */
	kill_and_run();
	gamma = sent_to("im.gamma.test", 1, false);
	ck_assert_uint_eq(list(state, error), 1);
	ck_assert_str_eq(error, "wrong pinned domain key");
	send_fail(gamma, CODE_PEER_UNREACHABLE, "no route");
	wait_state("deferred");
	/* A sign of life, and it goes at once. */
	say(ROLE_RELAY, MSG_PEER_UP, 0, &up);
	ck_assert_uint_eq(sent_to("im.gamma.test", 1, false), gamma);
	outcome(gamma, "dave#im.gamma.test", CODE_TRY_LATER);
	wait_state("deferred");
	ask(CTL_QUEUE_RETRY, &all, CODE_DONE, NULL, NULL);
	ck_assert_uint_eq(sent_to("im.gamma.test", 1, true), gamma);
	outcome(gamma, "dave#im.gamma.test", CODE_DONE);
	/* Killed before store has confirmed the fate: all of it is told again. */
	fate("dave#im.gamma.test", FATE_ARRIVED, CODE_DONE, false);
	kill_and_run();
	gamma = sent_to("im.gamma.test", 1, false);
	outcome(gamma, "dave#im.gamma.test", CODE_KNOWN);
	fate("dave#im.gamma.test", FATE_ARRIVED, CODE_KNOWN, true);
	wait_for(0);
	/* One more turn, so that the end of the item was synced. */
	wait_for(0);
	kill_and_run();
	wait_for(0);
}
END_TEST

START_TEST(failure_is_told_until_confirmed)
{
	static const char *const to[] = {"bob#im.beta.test", NULL};
	char state[64];

	submit(1, ALICE, "alice#im.alpha.test", to);
	ck_assert_uint_eq(answered(1, 0), CODE_ACCEPTED);
	outcome(sent_to("im.beta.test", 1, false), "bob#im.beta.test", CODE_NOT_ACCEPTED);
	fate("bob#im.beta.test", FATE_FAILED, CODE_NOT_ACCEPTED, false);
	kill_and_run();
	/* Given up is given up: it is not sent again, but the fate is told again. */
	fate("bob#im.beta.test", FATE_FAILED, CODE_NOT_ACCEPTED, false);
	ck_assert_uint_eq(list(state, NULL), 1);
	ck_assert_str_eq(state, "reporting");
	ck_assert_int_eq(next_message(ROLE_RELAY, 50), 0);
	kill_and_run();
	fate("bob#im.beta.test", FATE_FAILED, CODE_NOT_ACCEPTED, true);
	wait_for(0);
}
END_TEST

START_TEST(drop)
{
	static const char *const to[] = {"bob#im.beta.test", NULL};
	struct ctl_queue_args all = {.dest = span_str("im.beta.test")};

	obj_set(&ctl_queue_args_def, &all, 2);
	submit(1, ALICE, "alice#im.alpha.test", to);
	ck_assert_uint_eq(answered(1, 0), CODE_ACCEPTED);
	sent_to("im.beta.test", 1, false);
	ask(CTL_QUEUE_DROP, &all, CODE_DONE, NULL, NULL);
	fate("bob#im.beta.test", FATE_FAILED, CODE_DROPPED, false);
	kill_and_run();
	fate("bob#im.beta.test", FATE_FAILED, CODE_DROPPED, true);
	wait_for(0);
	/* Neither all nor any id: nothing is dropped. */
	memset(&all, 0, sizeof(all));
	ask(CTL_QUEUE_DROP, &all, CODE_MALFORMED, NULL, NULL);
}
END_TEST

START_TEST(refusals)
{
	static const char *const to[] = {"bob#im.beta.test", NULL};
	static const char *const own[] = {"bob#im.beta.test", "eve#im.alpha.test", NULL};
	static const char *const twice[] = {"bob#im.beta.test", "bob#im.beta.test", NULL};
	struct m_handle del = {.handle = ALICE};
	struct m_submit junk = {.handle = ALICE, .put = span_str("\xff\xff")};

	submit(1, ALICE + 1, "alice#im.alpha.test", to);
	ck_assert_uint_eq(answered(1, 0), CODE_UNKNOWN_HANDLE);
	submit(2, ALICE, "eve#im.alpha.test", to);
	ck_assert_uint_eq(answered(2, 0), CODE_NOT_AUTHORISED);
	submit(3, ALICE, "alice#im.alpha.test", own);
	ck_assert_uint_eq(answered(3, 1), CODE_WRONG_DOMAIN);
	submit(4, ALICE, "alice#im.alpha.test", twice);
	ck_assert_uint_eq(answered(4, 0), CODE_MALFORMED);
	say(ROLE_LISTENER, MSG_SUBMIT, 5, &junk);
	ck_assert_uint_eq(answered(5, 0), CODE_MALFORMED);
	device[0] ^= 1;
	submit(6, ALICE, "alice#im.alpha.test", to);
	device[0] ^= 1;
	ck_assert_uint_eq(answered(6, 0), CODE_NOT_AUTHORISED);
	say(ROLE_STORE, MSG_HANDLE_DEL, 0, &del);
	wait_for(0);
	submit(7, ALICE, "alice#im.alpha.test", to);
	ck_assert_uint_eq(answered(7, 0), CODE_UNKNOWN_HANDLE);
	ck_assert_int_eq(next_message(ROLE_RELAY, 50), 0);
}
END_TEST

START_TEST(relay_restarts)
{
	static const char *const to[] = {"bob#im.beta.test", NULL};
	uint64_t qid;

	submit(1, ALICE, "alice#im.alpha.test", to);
	ck_assert_uint_eq(answered(1, 0), CODE_ACCEPTED);
	qid = sent_to("im.beta.test", 1, false);
	frame_free(ends[ROLE_RELAY]);
	send_peer(ROLE_RELAY);
	ck_assert_uint_eq(sent_to("im.beta.test", 1, false), qid);
	/* An answer about something else, or about nobody, disturbs nothing. */
	outcome(qid + 1, "bob#im.beta.test", CODE_DONE);
	outcome(qid, "eve#im.beta.test", CODE_DONE);
	outcome(qid, "bob#im.beta.test", CODE_DONE);
	fate("bob#im.beta.test", FATE_ARRIVED, CODE_DONE, true);
	wait_for(0);
}
END_TEST

/* Changes one bit of the first place in the journal that has these bytes; back the second time. */
static void
flip(const char *needle, size_t n)
{
	static uint8_t all[4 << 20];
	uint8_t *at = NULL;
	char path[64];
	int fd;

	for (unsigned slot = 0; slot < 4 && at == NULL; slot++) {
		snprintf(path, sizeof(path), "%s/seg/%08x.seg", dir, slot);
		if ((fd = open(path, O_RDWR | O_CLOEXEC)) == -1)
			continue;
		memset(all, 0, sizeof(all));
		ck_assert_int_gt(pread(fd, all, sizeof(all), 0), 0);
		if ((at = memmem(all, sizeof(all), needle, n)) != NULL) {
			at[n] ^= 1;
			ck_assert_int_eq(pwrite(fd, at + n, 1, at + n - all), 1);
		}
		close(fd);
	}
	ck_assert_ptr_nonnull(at);
}

/* An item that cannot be read is put aside; an operator who mended the disk has it tried again. */
START_TEST(unreadable)
{
	static const char *const to[] = {"bob#im.beta.test", NULL};
	struct ctl_queue_args all = {.all = true};
	uint64_t qid;

	obj_set(&ctl_queue_args_def, &all, 3);
	submit(1, ALICE, "alice#im.alpha.test", to);
	ck_assert_uint_eq(answered(1, 0), CODE_ACCEPTED);
	qid = sent_to("im.beta.test", 1, false);
	send_fail(qid, CODE_PEER_UNREACHABLE, "no route");
	wait_state("deferred");
	flip("alice#im.alpha.test", 19);
	ask(CTL_QUEUE_RETRY, &all, CODE_DONE, NULL, NULL);
	wait_state("held");
	ck_assert_int_eq(next_message(ROLE_RELAY, 50), 0);
	flip("alice#im.alpha.test", 19);
	ask(CTL_QUEUE_RETRY, &all, CODE_DONE, NULL, NULL);
	ck_assert_uint_eq(sent_to("im.beta.test", 1, false), qid);
}
END_TEST

/* The sync of the first item fails: its sender is told "temporary", the process ends, and the
 * next one serves. In a run the syncs 1 to 4 are those of the start. strace calls getpid in the
 * place of the sync, because what it calls otherwise is not allowed in the cage. */
START_TEST(failed_sync_is_no_acceptance)
{
	static const char *const strace[] = {"strace", "-qq", "-o", "/dev/null", "-e",
	    "inject=fdatasync:error=EIO:syscall=getpid", "true", NULL};
	static const char *const to[] = {"bob#im.beta.test", NULL};

	if (run_program(strace) != 0)
		return;
	end_run(SIGKILL);
	inject = "inject=fdatasync:error=EIO:syscall=getpid:when=5";
	run();
	log_in();
	submit(1, ALICE, "alice#im.alpha.test", to);
	ck_assert_uint_eq(answered(1, 0), CODE_STORAGE);
	ck_assert_int_eq(next_message(ROLE_LISTENER, WAIT_MS), 0);
	ck_assert_int_eq(end_run(0), EXIT_FAILURE);
	inject = NULL;
	run();
	log_in();
	submit(2, ALICE, "alice#im.alpha.test", to);
	ck_assert_uint_eq(answered(2, 0), CODE_ACCEPTED);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue process");
	TCase *t = tcase_create("all");
	SRunner *r;
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, whole_way);
	tcase_add_test(t, failure_is_told_until_confirmed);
	tcase_add_test(t, drop);
	tcase_add_test(t, refusals);
	tcase_add_test(t, relay_restarts);
	tcase_add_test(t, unreadable);
	tcase_add_test(t, failed_sync_is_no_acceptance);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
