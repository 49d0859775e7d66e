/* SPDX-License-Identifier: ISC */
/*
 * proc.c - the skeleton: one order of start, drop, sandbox, loop and stop for all processes.
 *
 * It owns the event base, the channels to master and to the neighbours, the table of
 * outstanding requests and the configuration as bytes. There is one process per program, so
 * its state is one static struct. The process itself is a const struct proc whose hooks and
 * handlers are called from here; main() calls proc_run() and nothing else.
 *
 * Life: BOOT while master tells us who we are (descriptors of neighbours are kept, not used,
 * so that no handler runs before the process is ready); RUN; STOP from the moment that master
 * says so or is gone. A neighbour that breaks the rules loses its channel and is reported to
 * master, which restarts it. Master itself is trusted: nonsense from it ends the process, and
 * so does the end of its channel, after the stop hook had PROC_FLUSH_MS to finish.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/handover.h"
#include "ipc/msg.h"
#include "ipc/msgs.h"
#include "ipc/proc.h"
#include "sandbox/sandbox.h"

#define PROC_STATUS_MAX 16384 /* bytes of a status object */
#define PROC_EXIT_USAGE 64

enum phase { PHASE_BOOT, PHASE_RUN, PHASE_STOP };

static struct {
	const struct proc *def;
	enum phase phase;
	bool booted; /* START has come */
	bool done;   /* leave the loop */
	int status;  /* exit status */
	struct event_base *base;
	struct event *tick;
	struct event *wake;
	struct event *deadline; /* after master is gone */
	struct channel *master;
	struct channel *peers[ROLE_COUNT];
	int peer_fds[ROLE_COUNT]; /* owned, while booting; -1: none */
	struct request_table *requests;
	struct handover given;
	int data_fd;
} self;

/* --- descriptors and configuration ---------------------------------------------------- */

static void
on_resource(struct channel *ch, struct channel_msg *in)
{
	const struct m_resource *m = in->body;

	if (in->fd == -1)
		fatal("no descriptor left for a resource from master");
	if (!handover_keep(&self.given, m, channel_take_fd(ch, in)))
		fatal("too many descriptors from master");
}

static int
take_resources(void)
{
	return handover_give(&self.given, self.def->descriptor);
}

/* A configuration: the first one at boot, later ones are phase one of a reload. */
static void
on_conf(struct channel *ch, struct channel_msg *in)
{
	const struct m_conf *m = in->body;
	struct m_conf_ok answer = {.number = m->number};
	int rc;

	if (self.phase == PHASE_BOOT) {
		handover_conf(&self.given.conf, m);
		return;
	}
	handover_conf(&self.given.next, m);
	rc = take_resources();
	if (rc == 0 && self.def->reload_prepare != NULL)
		rc = self.def->reload_prepare();
	answer.ok = rc == 0;
	if (rc != 0)
		answer.text = span_str("refused, the log says why");
	channel_send(ch, MSG_CONF_OK, in->id, &answer, -1);
}

static void
on_conf_switch(struct channel *ch, struct channel_msg *in)
{
	const struct m_conf_switch *m = in->body;

	(void)ch;
	if (!handover_switch(&self.given, m->number)) {
		log_warn("proc.reload", "number=%llu result=unprepared",
		    (unsigned long long)m->number);
		return;
	}
	if (self.def->reload_switch != NULL)
		self.def->reload_switch();
	log_info("proc.reload", "number=%llu result=done", (unsigned long long)m->number);
}

struct span
proc_conf(void)
{
	return span_of(self.given.conf.p, self.given.conf.n);
}

struct span
proc_conf_next(void)
{
	return span_of(self.given.next.p, self.given.next.n);
}

/* --- neighbours ------------------------------------------------------------------------- */

/* Calls the process's handler for a message from this role; a message without one is an
 * offence (of a neighbour) or a bug (of master). */
static void
call_handler(struct channel *ch, struct channel_msg *in)
{
	const struct proc_handler *h;

	for (const struct proc_peer *p = self.def->peers;
	     p != NULL && p->handlers != NULL; p++) {
		if (p->role != channel_peer(ch))
			continue;
		for (h = p->handlers; h->type != 0; h++) {
			if (h->type == in->type) {
				h->fn(ch, in);
				return;
			}
		}
	}
	log_warn("ipc.unhandled", "type=%s peer=%s", msg_name(in->type),
	    role_name(channel_peer(ch)));
	channel_offence(ch, "message that this process does not handle");
}

static void
peer_message(struct channel *ch, struct channel_msg *in, void *arg)
{
	(void)arg;
	if (!self.done) /* what the stop hook gave up is not there any more */
		call_handler(ch, in);
}

static void
peer_drained(struct channel *ch, void *arg)
{
	(void)arg;
	if (self.def->peer_drained != NULL)
		self.def->peer_drained(channel_peer(ch), ch);
}

/* The neighbour is no more: what was asked of it is lost, then the process hears of it. */
static void
peer_lost(struct channel *ch)
{
	enum role role = channel_peer(ch);

	self.peers[role] = NULL;
	request_lost(self.requests, ch);
	if (self.def->peer_down != NULL)
		self.def->peer_down(role, ch);
	channel_free(ch);
}

static void
peer_closed(struct channel *ch, enum channel_end why, const char *detail, void *arg)
{
	struct m_offence offence = {
	    .role = (uint8_t)channel_peer(ch), .text = span_str(detail)};

	(void)arg;
	log_info("ipc.down", "peer=%s end=%s detail=%s", role_name(channel_peer(ch)),
	    channel_end_name(why), log_str(detail));
	if (why == CHANNEL_OFFENCE)
		channel_send(self.master, MSG_OFFENCE, 0, &offence, -1);
	peer_lost(ch);
}

static const struct channel_ops peer_ops = {
    .message = peer_message, .drained = peer_drained, .closed = peer_closed};

static void
peer_connect(enum role role, int fd)
{
	if (self.peers[role] != NULL)
		peer_lost(self.peers[role]);
	self.peers[role] =
	    channel_new(self.base, fd, self.def->role, role, &peer_ops, NULL);
	log_debug("ipc.up", "peer=%s", role_name(role));
	if (self.def->peer_up != NULL)
		self.def->peer_up(role, self.peers[role]);
}

static void
on_peer(struct channel *ch, struct channel_msg *in)
{
	const struct m_peer *m = in->body;
	int fd = channel_take_fd(ch, in);

	if (fd == -1)
		fatal("no descriptor left for the channel to %s", role_name(m->role));
	if (!msg_channel_exists(self.def->role, m->role) || m->role == ROLE_MASTER)
		fatal("master connects us to %s", role_name(m->role));
	if (self.phase != PHASE_BOOT) {
		peer_connect(m->role, fd);
		return;
	}
	if (self.peer_fds[m->role] != -1)
		close(self.peer_fds[m->role]);
	self.peer_fds[m->role] = fd;
}

static void
connect_waiting_peers(void)
{
	for (enum role role = ROLE_MASTER; role < ROLE_COUNT; role++) {
		if (self.peer_fds[role] == -1)
			continue;
		peer_connect(role, self.peer_fds[role]);
		self.peer_fds[role] = -1;
	}
}

/* --- master ------------------------------------------------------------------------------ */

static void
on_boot(struct channel *ch, struct channel_msg *in)
{
	const struct m_boot *m = in->body;

	(void)ch;
	if (m->role != self.def->role)
		fatal("master takes this program for %s", role_name(m->role));
	handover_boot(&self.given, m);
	log_set_level((enum log_level)m->log_level);
}

static void
on_start(struct channel *ch, struct channel_msg *in)
{
	(void)ch;
	(void)in;
	self.booted = true;
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	log_warn("proc.stop", "result=late");
	self.done = true;
}

/* Begins to stop, once. The process says when it is finished, or is finished at once. */
static void
begin_stop(void)
{
	if (self.phase == PHASE_STOP)
		return;
	self.phase = PHASE_STOP;
	if (self.def->stop == NULL || self.def->stop())
		self.done = true;
}

static void
on_stop(struct channel *ch, struct channel_msg *in)
{
	(void)ch;
	(void)in;
	log_info("proc.stop", "reason=master");
	if (self.phase == PHASE_BOOT)
		self.done = true;
	else
		begin_stop();
}

static void
on_status_ask(struct channel *ch, struct channel_msg *in)
{
	struct buf out;
	struct m_status answer;

	buf_init(&out, PROC_STATUS_MAX);
	if (self.def->status != NULL)
		self.def->status(&out);
	if (!buf_failed(&out))
		answer.text = buf_span(&out);
	else
		answer.text = span_of(NULL, 0);
	channel_send(ch, MSG_STATUS, in->id, &answer, -1);
	buf_clear(&out);
}

static void
on_log_level(struct channel *ch, struct channel_msg *in)
{
	const struct m_log_level *m = in->body;

	(void)ch;
	log_set_level((enum log_level)m->level);
}

/* What the skeleton itself handles; the rest is the process's own. */
static const struct proc_handler master_handlers[] = {
    {MSG_BOOT, on_boot},
    {MSG_CONF, on_conf},
    {MSG_CONF_SWITCH, on_conf_switch},
    {MSG_RESOURCE, on_resource},
    {MSG_PEER, on_peer},
    {MSG_START, on_start},
    {MSG_STOP, on_stop},
    {MSG_STATUS_ASK, on_status_ask},
    {MSG_LOG_LEVEL, on_log_level},
    {0, NULL},
};

static void
master_message(struct channel *ch, struct channel_msg *in, void *arg)
{
	(void)arg;
	for (const struct proc_handler *h = master_handlers; h->type != 0; h++) {
		if (h->type == in->type) {
			h->fn(ch, in);
			return;
		}
	}
	call_handler(ch, in);
}

/* Without master nobody restarts us or gives us neighbours: end, but finish what must be. */
static void
master_closed(struct channel *ch, enum channel_end why, const char *detail, void *arg)
{
	static const struct timeval limit = {
	    PROC_FLUSH_MS / 1000, PROC_FLUSH_MS % 1000 * 1000};

	(void)ch;
	(void)arg;
	log_warn(
	    "proc.orphan", "end=%s detail=%s", channel_end_name(why), log_str(detail));
	if (self.phase == PHASE_BOOT) {
		self.done = true;
		return;
	}
	event_add(self.deadline, &limit);
	begin_stop();
}

static const struct channel_ops master_ops = {
    .message = master_message, .drained = NULL, .closed = master_closed};

/* --- the steps of the start --------------------------------------------------------------- */

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (self.phase != PHASE_BOOT && self.def->tick != NULL)
		self.def->tick(clock_mono_ms());
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static struct event *
timer(short flags, event_callback_fn fn)
{
	struct event *ev = event_new(self.base, -1, flags, fn, NULL);

	if (ev == NULL)
		fatal("no memory for an event");
	return ev;
}

static void
make_loop(void)
{
	static const struct timeval second = {1, 0};

	self.base = event_base_new();
	if (self.base == NULL)
		fatal("cannot make an event loop");
	self.tick = timer(EV_PERSIST, on_tick);
	self.wake = timer(0, on_wake);
	self.deadline = timer(0, on_deadline);
	event_add(self.tick, &second);
	self.requests = request_table_new();
	self.master = channel_new(
	    self.base, PROC_MASTER_FD, self.def->role, ROLE_MASTER, &master_ops, NULL);
}

/* Master decides when we stop: a terminal's Ctrl-C goes to it, too. */
static void
ignore_signals(void)
{
	static const int ignored[] = {SIGPIPE, SIGINT, SIGTERM, SIGHUP};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (signal(ignored[i], SIG_IGN) == SIG_ERR)
			fatal_errno("signal %d", ignored[i]);
}

/* Before anything else: nothing is inherited but standard descriptors and master's channel. */
static void
clean_up_inheritance(const struct proc *def)
{
	uid_t uid;

	self.def = def;
	self.data_fd = -1;
	handover_init(&self.given);
	for (size_t i = 0; i < ROLE_COUNT; i++)
		self.peer_fds[i] = -1;
	log_init(role_name(def->role), LOG_LEVEL_INFO);
	if (fd_sane_stdio() == -1)
		fatal_errno("standard descriptors");
	if (fd_peer(PROC_MASTER_FD, &uid, NULL, NULL) == -1) {
		log_error("proc.start", "reason=\"%s is started by emsgd only\"",
		    role_program(def->role));
		exit(PROC_EXIT_USAGE);
	}
	if (uid != geteuid() && uid != 0)
		fatal("descriptor %d does not lead to master", PROC_MASTER_FD);
	if (fd_cloexec(PROC_MASTER_FD, true) == -1 ||
	    fd_close_from(PROC_MASTER_FD + 1, NULL, 0) == -1)
		fatal_errno("stray descriptors");
	ignore_signals();
}

static void
open_data(void)
{
	const char *path = self.given.data;

	if (path[0] == '\0')
		return;
	self.data_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (self.data_fd == -1)
		fatal_errno("%s", path);
}

/* Gives up all that this role does not need; there is no way back. */
static void
enter_sandbox(void)
{
	const struct handover *given = &self.given;
	struct sandbox_opts opts = {
	    .role = self.def->role,
	    .privileged = given->boot.privileged == 1,
	    .user = given->user[0] == '\0' ? NULL : given->user,
	    .chroot_dir = given->root[0] == '\0' ? NULL : given->root,
	    .data_fd = self.data_fd,
	};

	if (sandbox_drop(&opts) == -1)
		fatal_errno("cannot drop privileges: %s", sandbox_error());
	if (sandbox_enter(&opts) == 0)
		return;
	if (given->boot.sandbox == 1)
		fatal_errno("cannot enter the sandbox: %s", sandbox_error());
	log_warn("proc.sandbox", "result=off reason=%s", log_str(sandbox_error()));
}

/* Waits for START, with the configuration and all descriptors. False: told to end. */
static bool
hear_master(void)
{
	while (!self.booted && !self.done)
		if (event_base_loop(self.base, EVLOOP_ONCE) != 0)
			fatal("event loop failed");
	if (!self.booted)
		return false;
	if (!self.given.known)
		fatal("master says start but not who we are");
	return true;
}

/* A hook's result: goes on with 0, else ends the process. */
static void
must(int rc, const char *step)
{
	if (rc == 0)
		return;
	log_error("proc.start", "step=%s result=failed", step);
	exit(rc > 0 ? rc : EXIT_FAILURE);
}

/* From START to READY. */
static void
start(void)
{
	open_data();
	must(take_resources(), "descriptor");
	if (self.def->start != NULL)
		must(self.def->start(), "start");
	enter_sandbox();
	if (self.def->ready != NULL)
		must(self.def->ready(), "ready");
	self.phase = PHASE_RUN;
	connect_waiting_peers();
	channel_send(self.master, MSG_READY, 0, NULL, -1);
	log_info("proc.ready", "generation=%llx",
	    (unsigned long long)self.given.boot.generation);
}

static void
loop(void)
{
	uint64_t now;

	while (!self.done) {
		if (event_base_loop(self.base, EVLOOP_ONCE) != 0)
			fatal("event loop failed");
		now = clock_mono_ms();
		if (request_next_deadline(self.requests) <= now)
			request_tick(self.requests, now);
		if (self.def->turn != NULL)
			self.def->turn();
	}
}

/* Last words to all who still listen; then everything is given back. */
static void
finish(void)
{
	for (enum role role = ROLE_MASTER; role < ROLE_COUNT; role++) {
		if (self.peers[role] != NULL)
			channel_flush(self.peers[role], PROC_FLUSH_MS / 10);
		channel_free(self.peers[role]);
	}
	channel_flush(self.master, PROC_FLUSH_MS / 10);
	channel_free(self.master);
	request_table_free(self.requests);
	event_free(self.tick);
	event_free(self.wake);
	event_free(self.deadline);
	event_base_free(self.base);
	handover_clear(&self.given);
	if (self.data_fd != -1)
		close(self.data_fd);
}

int
proc_run(const struct proc *def, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	clean_up_inheritance(def);
	make_loop();
	if (hear_master()) {
		start();
		loop();
	}
	finish();
	log_info("proc.end", "status=%d", self.status);
	return self.status;
}

/* --- for the process ----------------------------------------------------------------------- */

struct channel *
proc_channel(enum role role)
{
	return role == ROLE_MASTER ? self.master : self.peers[role];
}

struct event_base *
proc_base(void)
{
	return self.base;
}

uint64_t
proc_generation(void)
{
	return self.given.boot.generation;
}

bool
proc_unprivileged(void)
{
	return self.given.boot.privileged == 0;
}

int
proc_data_fd(void)
{
	return self.data_fd;
}

const char *
proc_data_path(void)
{
	return handover_data_path(&self.given);
}

uint64_t
proc_ask(struct channel *ch, uint16_t type, const void *body, int fd, uint64_t timeout_ms,
    struct request_done done)
{
	uint64_t id = request_add(self.requests, ch, clock_mono_ms(), timeout_ms, done);

	if (id == 0) {
		if (fd != -1)
			close(fd);
		errno = EAGAIN;
		return 0;
	}
	if (channel_send(ch, type, id, body, fd) == -1) {
		request_cancel(self.requests, id);
		return 0;
	}
	return id;
}

void
proc_unask(uint64_t id)
{
	request_cancel(self.requests, id);
}

void
proc_on_answer(struct channel *ch, struct channel_msg *in)
{
	if (!request_answer(self.requests, ch, in))
		log_debug("ipc.late", "type=%s peer=%s", msg_name(in->type),
		    role_name(channel_peer(ch)));
}

void
proc_stopped(void)
{
	self.done = true;
	proc_wake();
}

void
proc_wake(void)
{
	event_active(self.wake, EV_TIMEOUT, 0);
}
