/* SPDX-License-Identifier: ISC */
/*
 * control.c - the process behind the admin sockets: wiring.
 *
 * It owns the sockets on which emsgctl and emsgq call, knows from the kernel who calls, judges
 * by wire/ctl.c whether he may, fills in his uid, and forwards the request to the process that
 * acts; rows and the end go back the same way. It carries out nothing itself. A caller that
 * sends garbage or does not read is closed, and only he; a process that does not answer in
 * time, or dies, ends the request with a temporary code. Every command that changes something
 * is logged with uid and pid, when it comes and when it ends. Short of descriptors it stops
 * accepting for a moment and lets callers wait in the backlog.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "control/asks.h"
#include "control/caller.h"
#include "control/control.h"
#include "control/rights.h"
#include "ipc/msg.h"
#include "wire/code.h"

#define SOCKETS_MAX 4       /* admin sockets: "admin" and "view" */
#define CALLERS_MAX 128     /* connections at a time */
#define CALLERS_PER_UID 32  /* the same of one user, root excepted */
#define ASKS_PER_CALLER 8   /* requests under way of one connection */
#define ACCEPT_BUDGET 16    /* connections taken per wake-up */
#define ACCEPT_PAUSE_MS 200 /* when descriptors or places are short */
#define ASK_MS 60000        /* how long a process may take to answer */

struct admin_socket {
	int fd;
	bool admin;
	struct event *event; /* owned; NULL before ready */
};

static struct admin_socket sockets[SOCKETS_MAX], incoming[SOCKETS_MAX];
static size_t nsockets, nincoming;
static bool prepared; /* incoming was judged: what comes now is of another reload */
static LIST_HEAD(, caller) callers = LIST_HEAD_INITIALIZER(callers);
static size_t ncallers;
static struct event *resume; /* owned: accepts again after a pause */
static struct {
	uint64_t asked, refused, late;
} count;

/* --- requests ---------------------------------------------------------------------------- */

/* Ends a request towards its caller, logs it if it changed something, forgets it. */
static void
finish(struct ask *ask, uint16_t code, struct span text)
{
	if (rights_is_change(ask->ctl))
		log_info("admin.done", "command=\"%s\" uid=%ld pid=%ld code=%s",
		    ask->ctl->name, (long)ask->caller->uid, (long)ask->caller->pid,
		    code_symbol(code));
	caller_end(ask->caller, ask->caller_id, code, text);
	asks_end(ask);
}

static void
refuse(struct caller *c, uint64_t id, uint16_t code, const char *text)
{
	count.refused++;
	caller_end(c, id, code, span_str(text));
}

/* Gives the request to its process, under an id of ours and with the true uid. */
static void
forward(struct caller *c, uint64_t id, const struct ctl *ctl, struct span args)
{
	struct m_ctl_ask msg = {
	    .command = (uint16_t)ctl->command, .uid = (uint32_t)c->uid, .args = args};
	struct channel *ch = proc_channel(ctl->target);
	struct ask *ask;

	if (ch == NULL) {
		refuse(c, id, CODE_STARTING, "the process for this is not running");
		return;
	}
	ask = asks_put(c, id, ctl, clock_mono_ms() + ASK_MS);
	if (ask == NULL || channel_send(ch, MSG_CTL_ASK, ask->id, &msg, -1) == -1) {
		if (ask != NULL)
			asks_end(ask);
		refuse(c, id, CODE_BUSY, "too many requests are under way");
		return;
	}
	count.asked++;
}

static void
on_caller_ask(struct caller *c, uint64_t id, const struct m_ctl_ask *m)
{
	const struct ctl *ctl = ctl_find(m->command);

	if (ctl == NULL) {
		refuse(c, id, CODE_UNSUPPORTED, "no such command");
	} else if (!rights_allow(c->right, ctl)) {
		log_warn("admin.refuse", "command=\"%s\" uid=%ld pid=%ld", ctl->name,
		    (long)c->uid, (long)c->pid);
		refuse(c, id, CODE_NOT_AUTHORISED, "not allowed for this user");
	} else if (c->asks >= ASKS_PER_CALLER) {
		refuse(c, id, CODE_BUSY, "too many requests on this connection");
	} else {
		if (rights_is_change(ctl))
			log_info("admin.ask", "command=\"%s\" uid=%ld pid=%ld", ctl->name,
			    (long)c->uid, (long)c->pid);
		forward(c, id, ctl, m->args);
	}
}

/* Tells the process that nobody listens any more. */
static void
cancel(struct ask *ask)
{
	struct channel *ch = proc_channel(ask->ctl->target);
	struct m_empty none = {0};

	if (ch != NULL)
		channel_send(ch, MSG_CTL_CANCEL, ask->id, &none, -1);
}

static void
on_ctl_row(struct channel *ch, struct channel_msg *in)
{
	struct ask *ask = asks_find(in->id, channel_peer(ch));

	if (ask == NULL) /* cancelled, or late */
		return;
	ask->rows++;
	caller_row(ask->caller, ask->caller_id, in->body);
}

static void
on_ctl_end(struct channel *ch, struct channel_msg *in)
{
	const struct m_ctl_end *end = in->body;
	struct ask *ask = asks_find(in->id, channel_peer(ch));

	if (ask != NULL)
		finish(ask, end->code, end->text);
}

static void
control_peer_down(enum role role, struct channel *ch)
{
	struct ask *ask;

	(void)ch;
	while ((ask = asks_to(role)) != NULL)
		finish(ask, CODE_TRY_LATER, span_str("the process ended meanwhile"));
}

static void
control_tick(uint64_t now)
{
	struct ask *ask;

	while ((ask = asks_due(now)) != NULL) {
		count.late++;
		cancel(ask);
		finish(ask, CODE_TIMEOUT,
		    span_str(ask->rows > 0 ? "partial: the process stopped answering"
					   : "the process does not answer"));
	}
}

/* --- callers ----------------------------------------------------------------------------- */

static void
forget(struct caller *c)
{
	struct ask *ask;

	while ((ask = asks_of_caller(c)) != NULL) {
		cancel(ask);
		asks_end(ask);
	}
	LIST_REMOVE(c, entry);
	ncallers--;
}

static void
on_caller_gone(struct caller *c, const char *why)
{
	log_debug("admin.close", "uid=%ld pid=%ld reason=\"%s\"", (long)c->uid,
	    (long)c->pid, why);
	forget(c);
}

static const struct caller_ops ops = {on_caller_ask, on_caller_gone};

static size_t
callers_of(uid_t uid)
{
	struct caller *c;
	size_t n = 0;

	LIST_FOREACH (c, &callers, entry)
		n += c->uid == uid;
	return n;
}

/* Makes a caller of a fresh connection, or closes it. */
static void
admit(int fd, bool admin)
{
	struct rights_origin from = {.admin_socket = admin,
	    .one_directory = proc_unprivileged(),
	    .own_uid = geteuid()};
	struct caller *c;
	pid_t pid;

	if (fd_peer(fd, &from.uid, NULL, &pid) == -1 ||
	    (from.uid != 0 && callers_of(from.uid) >= CALLERS_PER_UID)) {
		log_warn("admin.limit", "uid=%ld", (long)from.uid);
		close(fd);
		return;
	}
	c = caller_new(proc_base(), fd, &ops);
	if (c == NULL)
		return;
	c->uid = from.uid;
	c->pid = pid;
	c->right = rights_of(&from);
	LIST_INSERT_HEAD(&callers, c, entry);
	ncallers++;
}

static void
accepting(bool on)
{
	for (size_t i = 0; i < nsockets; i++) {
		if (sockets[i].event == NULL)
			continue;
		if (on)
			event_add(sockets[i].event, NULL);
		else
			event_del(sockets[i].event);
	}
}

/* Descriptors or places are short: callers wait in the backlog for a moment. */
static void
pause_accepting(const char *why)
{
	static const struct timeval pause = {0, ACCEPT_PAUSE_MS * 1000};

	log_warn("admin.pause", "reason=\"%s\" callers=%zu", why, ncallers);
	accepting(false);
	evtimer_add(resume, &pause);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	accepting(true);
}

static void
on_connection(evutil_socket_t listening, short what, void *arg)
{
	const struct admin_socket *s = arg;

	(void)what;
	for (unsigned n = 0; n < ACCEPT_BUDGET; n++) {
		int fd;

		if (ncallers >= CALLERS_MAX) {
			pause_accepting("too many callers");
			return;
		}
		fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd == -1) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				pause_accepting("out of descriptors");
			return;
		}
		admit(fd, s->admin);
	}
}

/* --- start, reload, stop ------------------------------------------------------------------ */

static void
drop_sockets(struct admin_socket *s, size_t *n)
{
	for (size_t i = 0; i < *n; i++) {
		if (s[i].event != NULL)
			event_free(s[i].event);
		close(s[i].fd);
	}
	*n = 0;
}

static int
on_descriptor(unsigned kind, struct span name, int fd)
{
	bool admin = span_eq(name, span_str("admin"));

	if (prepared)
		drop_sockets(incoming, &nincoming);
	prepared = false;
	if (kind != RESOURCE_CONTROL || nincoming == SOCKETS_MAX ||
	    (!admin && !span_eq(name, span_str("view"))) || fd_nonblock(fd) == -1) {
		log_error("admin.socket", "name=%s error=\"not an admin socket\"",
		    log_text(name));
		close(fd);
		return -1;
	}
	incoming[nincoming++] = (struct admin_socket){.fd = fd, .admin = admin};
	return 0;
}

/* Serves on the sockets that came last. */
static int
use_sockets(void)
{
	drop_sockets(sockets, &nsockets);
	memcpy(sockets, incoming, sizeof(sockets));
	nsockets = nincoming;
	nincoming = 0;
	for (size_t i = 0; i < nsockets; i++) {
		sockets[i].event = event_new(proc_base(), sockets[i].fd,
		    EV_READ | EV_PERSIST, on_connection, &sockets[i]);
		if (sockets[i].event == NULL || event_add(sockets[i].event, NULL) == -1)
			return -1;
	}
	return 0;
}

static int
control_ready(void)
{
	resume = evtimer_new(proc_base(), on_resume, NULL);
	if (resume == NULL || nincoming == 0 || use_sockets() == -1) {
		log_error("admin.start", "error=\"no admin socket to serve on\"");
		return -1;
	}
	return 0;
}

static int
control_reload_prepare(void)
{
	prepared = true;
	return 0;
}

static void
control_reload_switch(void)
{
	prepared = false;
	if (nincoming > 0 && use_sockets() == -1)
		log_error("admin.start", "error=\"no event for an admin socket\"");
}

static void
control_status(struct buf *out)
{
	char *text =
	    xasprintf("callers=%zu\nasks=%zu\nasked=%llu\nrefused=%llu\nlate=%llu\n",
		ncallers, asks_count(), (unsigned long long)count.asked,
		(unsigned long long)count.refused, (unsigned long long)count.late);

	buf_put(out, text, strlen(text));
	free(text);
}

static bool
control_stop(void)
{
	struct caller *c;

	drop_sockets(sockets, &nsockets);
	while ((c = LIST_FIRST(&callers)) != NULL) {
		forget(c);
		caller_free(c);
	}
	return true;
}

static const struct proc_handler answers[] = {
    {MSG_CTL_ROW, on_ctl_row}, {MSG_CTL_END, on_ctl_end}, {0, NULL}};
static const struct proc_peer peers[] = {{ROLE_MASTER, answers}, {ROLE_STORE, answers},
    {ROLE_QUEUE, answers}, {ROLE_KEYD, answers}, {ROLE_MASTER, NULL}};

const struct proc control_proc = {
    .role = ROLE_CONTROL,
    .peers = peers,
    .descriptor = on_descriptor,
    .ready = control_ready,
    .reload_prepare = control_reload_prepare,
    .reload_switch = control_reload_switch,
    .peer_down = control_peer_down,
    .tick = control_tick,
    .stop = control_stop,
    .status = control_status,
};
