/* SPDX-License-Identifier: ISC */
/*
 * fleet.c - keeps the children running and connected.
 *
 * It owns one struct child per role: its process, its channel and its state (supervise.c
 * decides, this file acts). Which neighbours a child has follows from the message table. A
 * child is connected when it starts, to whoever runs, by a fresh socketpair whose ends go to
 * the two; listener, which takes work from the network, is connected to a neighbour only when
 * that one is ready, so a restarted queue hears of live handles from store before listener
 * can send it anything. A child's word counts for little: it may say that it is ready, answer
 * what it was asked, and accuse a neighbour, who is then restarted. Fails only where the
 * kernel has no processes or descriptors left, and then tries again by the same delays.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/share.h"
#include "ipc/msg.h"
#include "ipc/msgs.h"
#include "ipc/proc.h"
#include "master/fleet.h"

struct fleet {
	struct fleet_opts opts;
	const struct conf *conf;       /* borrowed */
	const struct bound_set *bound; /* borrowed */
	struct child children[ROLE_COUNT];
	size_t stopping; /* 0: no; else 1 + index of the role in stop_order */
};

/* Nobody may be left without the one it needs to finish: who takes work goes first. */
static const enum role stop_order[] = {ROLE_LISTENER, ROLE_RELAY, ROLE_DIALER, ROLE_QUEUE,
    ROLE_STORE, ROLE_KEYD, ROLE_CONTROL};

#define STOP_COUNT (sizeof(stop_order) / sizeof(stop_order[0]))

static void apply(struct fleet *, struct child *, enum child_event);

struct child *
fleet_child(struct fleet *f, enum role role)
{
	return &f->children[role];
}

bool
fleet_all_ready(const struct fleet *f)
{
	for (enum role role = ROLE_STORE; role < ROLE_COUNT; role++)
		if (f->children[role].life.state != CHILD_READY)
			return false;
	return true;
}

bool
fleet_healthy(const struct fleet *f)
{
	uint64_t now = clock_mono_ms();

	for (enum role role = ROLE_STORE; role < ROLE_COUNT; role++) {
		const struct child *c = &f->children[role];

		if (c->life.state != CHILD_READY || now - c->answered_at > FLEET_ALIVE_MS)
			return false;
	}
	return true;
}

void
fleet_log_level(struct fleet *f, enum log_level level)
{
	const struct m_log_level m = {.level = (uint8_t)level};

	for (enum role role = ROLE_STORE; role < ROLE_COUNT; role++) {
		struct channel *ch = f->children[role].channel;

		if (ch != NULL)
			(void)channel_send(ch, MSG_LOG_LEVEL, 0, &m, -1);
	}
}

/* --- plumbing ------------------------------------------------------------------------- */

static void
send_peer(struct child *to, enum role peer, int fd)
{
	struct m_peer m = {.role = (uint8_t)peer};

	(void)channel_send(to->channel, MSG_PEER, 0, &m, fd);
}

/* A fresh channel between two running children; an old one is replaced. */
static void
connect_pair(struct child *a, struct child *b)
{
	int pair[2];

	if (fd_pair(pair, SPAWN_SOCKET_BUFFER) == -1) {
		log_error("master.plumb", "a=%s b=%s error=%s", role_name(a->role),
		    role_name(b->role), log_str(strerror(errno)));
		return;
	}
	send_peer(a, b->role, pair[0]);
	send_peer(b, a->role, pair[1]);
}

static bool
is_up(const struct child *c)
{
	return c->channel != NULL &&
	    (c->life.state == CHILD_STARTING || c->life.state == CHILD_READY);
}

/* Whether a child that just started (or became ready) is connected to another one now. */
static bool
connects_now(const struct child *c, const struct child *other, bool became_ready)
{
	bool late = c->role == ROLE_LISTENER || other->role == ROLE_LISTENER;

	if (c == other || !is_up(other) || !msg_channel_exists(c->role, other->role))
		return false;
	if (!late)
		return !became_ready;
	if (c->role == ROLE_LISTENER)
		return !became_ready && other->life.state == CHILD_READY;
	return became_ready;
}

static void
connect_child(struct fleet *f, struct child *c, bool became_ready)
{
	for (enum role role = ROLE_STORE; role < ROLE_COUNT; role++)
		if (connects_now(c, &f->children[role], became_ready))
			connect_pair(c, &f->children[role]);
}

/* --- what a child is given ---------------------------------------------------------------- */

static void
send_resources(struct child *c, const struct bound_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		const struct bound *b = &set->v[i];
		struct m_resource m = {
		    .kind = (uint8_t)b->kind, .name = span_str(b->name)};
		int fd;

		if (b->role != c->role)
			continue;
		fd = fcntl(b->fd, F_DUPFD_CLOEXEC, 3);
		if (fd == -1) {
			log_error("master.resource", "name=%s error=%s", log_str(b->name),
			    log_str(strerror(errno)));
			continue;
		}
		(void)channel_send(c->channel, MSG_RESOURCE, 0, &m, fd);
	}
}

void
fleet_send_conf(struct fleet *f, struct child *c, const struct conf *conf,
    const struct bound_set *set)
{
	struct m_conf m = {.number = conf->generation};
	struct buf values;

	(void)f;
	send_resources(c, set);
	buf_init(&values, CONF_SHARE_MAX);
	conf_share_put(&values, conf, c->role);
	m.values = buf_span(&values);
	(void)channel_send(c->channel, MSG_CONF, 0, &m, -1);
	buf_wipe(&values);
}

void
fleet_switch(struct fleet *f, struct child *c, uint64_t number)
{
	struct m_conf_switch m = {.number = number};

	(void)f;
	c->conf_number = number;
	(void)channel_send(c->channel, MSG_CONF_SWITCH, 0, &m, -1);
}

static const char *
data_dir(const struct fleet *f, enum role role)
{
	if (role == ROLE_STORE)
		return conf_str(f->conf, CONF_STORE_DIRECTORY);
	if (role == ROLE_QUEUE)
		return conf_str(f->conf, CONF_QUEUE_DIRECTORY);
	return "";
}

/* Who it is and where it will be locked in. */
static void
send_boot(struct fleet *f, struct child *c)
{
	const char *data = data_dir(f, c->role);
	enum log_level level = LOG_LEVEL_INFO;
	char empty[PATH_MAX];
	struct m_boot m = {.generation = f->opts.generation, .role = (uint8_t)c->role};

	bind_empty_dir(f->conf, empty, sizeof(empty));
	(void)log_level_parse(conf_word(f->conf, CONF_LOG_LEVEL), &level);
	m.privileged = f->opts.privileged;
	m.sandbox = conf_u64(f->conf, CONF_SANDBOX) == CONF_SANDBOX_REQUIRED;
	m.log_level = (uint8_t)level;
	m.user = span_str(role_user(c->role));
	m.data = span_str(data);
	if (c->role == ROLE_DIALER)
		m.root = span_of(NULL, 0);
	else
		m.root = span_str(data[0] != '\0' ? data : empty);
	(void)channel_send(c->channel, MSG_BOOT, 0, &m, -1);
}

/* --- what a child says ---------------------------------------------------------------------- */

static void
on_ready(struct fleet *f, struct child *c)
{
	if (c->life.state != CHILD_STARTING)
		return;
	apply(f, c, CHILD_SAYS_READY);
	c->answered_at = clock_mono_ms();
	log_info("master.child", "process=%s state=ready pid=%ld", role_name(c->role),
	    (long)c->pid);
	connect_child(f, c, true);
	if (f->stopping == 0 && fleet_all_ready(f))
		f->opts.ops->ready(f->opts.arg);
}

static void
on_conf_ok(struct fleet *f, struct child *c, const struct m_conf_ok *m)
{
	if (m->ok)
		c->conf_prepared = m->number;
	f->opts.ops->prepared(c, m->ok == 1, f->opts.arg);
}

static void
on_offence(struct fleet *f, struct child *c, const struct m_offence *m)
{
	enum role accused = (enum role)m->role;

	log_error("master.offence", "process=%s by=%s detail=%s", role_name(accused),
	    role_name(c->role), log_text(m->text));
	if (accused == ROLE_MASTER || !msg_channel_exists(c->role, accused))
		fleet_fault(f, c, "accuses who is no neighbour");
	else
		fleet_fault(f, &f->children[accused], "broke the rules of a channel");
}

static void
on_status(struct child *c, const struct m_status *m)
{
	c->answered_at = clock_mono_ms();
	free(c->figures);
	c->figures = m->text.n == 0 ? NULL : xstrndup((const char *)m->text.p, m->text.n);
}

static void
child_message(struct channel *ch, struct channel_msg *in, void *arg)
{
	struct fleet *f = arg;
	struct child *c = &f->children[channel_peer(ch)];

	switch (in->type) {
	case MSG_READY:
		on_ready(f, c);
		break;
	case MSG_CONF_OK:
		on_conf_ok(f, c, in->body);
		break;
	case MSG_OFFENCE:
		on_offence(f, c, in->body);
		break;
	case MSG_STATUS:
		on_status(c, in->body);
		break;
	default:
		f->opts.ops->asked(ch, in, f->opts.arg);
	}
}

static void
child_closed(struct channel *ch, enum channel_end end, const char *detail, void *arg)
{
	struct fleet *f = arg;
	struct child *c = &f->children[channel_peer(ch)];

	channel_free(ch);
	c->channel = NULL;
	if (end != CHANNEL_EOF)
		fleet_fault(f, c, detail);
	else
		apply(f, c, CHILD_LEFT);
}

static const struct channel_ops child_ops = {
    .message = child_message, .drained = NULL, .closed = child_closed};

/* --- acting on the state machine -------------------------------------------------------------- */

static void
start_child(struct fleet *f, struct child *c)
{
	int fd;

	channel_free(c->channel);
	c->channel = NULL;
	if (spawn(c->role, f->opts.path, &c->pid, &fd) == -1) {
		log_error("master.spawn", "process=%s error=%s", role_name(c->role),
		    log_str(strerror(errno)));
		c->pid = 0;
		apply(f, c, CHILD_GONE);
		return;
	}
	c->started_at = clock_wall_ms();
	c->asked_at = c->answered_at = clock_mono_ms();
	c->conf_number = c->conf_prepared = f->conf->generation;
	c->channel = channel_new(f->opts.base, fd, ROLE_MASTER, c->role, &child_ops, f);
	log_info("master.child", "process=%s state=starting pid=%ld", role_name(c->role),
	    (long)c->pid);
	send_boot(f, c);
	fleet_send_conf(f, c, f->conf, f->bound);
	connect_child(f, c, false);
	(void)channel_send(c->channel, MSG_START, 0, NULL, -1);
}

static void
apply(struct fleet *f, struct child *c, enum child_event event)
{
	switch (supervise_event(&c->life, event, clock_mono_ms())) {
	case CHILD_SPAWN:
		start_child(f, c);
		break;
	case CHILD_KILL:
		(void)kill(c->pid, SIGKILL);
		break;
	case CHILD_ASK_STOP:
		if (c->channel == NULL ||
		    channel_send(c->channel, MSG_STOP, 0, NULL, -1) == -1)
			(void)kill(c->pid, SIGKILL);
		break;
	case CHILD_GIVE_UP:
		f->opts.ops->gave_up(c, f->opts.arg);
		break;
	case CHILD_NOTHING:
		break;
	}
}

void
fleet_fault(struct fleet *f, struct child *c, const char *why)
{
	if (!supervise_running(&c->life) || c->life.state == CHILD_DYING)
		return;
	log_error("master.kill", "process=%s pid=%ld reason=%s", role_name(c->role),
	    (long)c->pid, log_str(why));
	apply(f, c, CHILD_AT_FAULT);
}

/* The next one in the order of stopping; those that do not run are passed over. */
static void
stop_next(struct fleet *f)
{
	while (f->stopping <= STOP_COUNT) {
		struct child *c = &f->children[stop_order[f->stopping - 1]];

		if (c->life.state == CHILD_STOPPING)
			return;
		apply(f, c, CHILD_UNWANTED);
		if (supervise_running(&c->life))
			return;
		f->stopping++;
	}
	f->opts.ops->stopped(f->opts.arg);
}

void
fleet_stop(struct fleet *f)
{
	if (f->stopping != 0)
		return;
	f->stopping = 1;
	/* Whoever waits to be started again will not be. */
	for (enum role role = ROLE_STORE; role < ROLE_COUNT; role++)
		if (f->children[role].life.state == CHILD_BACKOFF)
			apply(f, &f->children[role], CHILD_UNWANTED);
	stop_next(f);
}

static void
log_end(const struct child *c, int status)
{
	bool wanted = c->life.state == CHILD_STOPPING;

	if (WIFSIGNALED(status))
		log_error("master.child", "process=%s state=gone pid=%ld signal=%d",
		    role_name(c->role), (long)c->pid, WTERMSIG(status));
	else if (wanted && WEXITSTATUS(status) == 0)
		log_info("master.child", "process=%s state=gone pid=%ld status=0",
		    role_name(c->role), (long)c->pid);
	else
		log_error("master.child", "process=%s state=gone pid=%ld status=%d",
		    role_name(c->role), (long)c->pid, WEXITSTATUS(status));
}

static void
child_gone(struct fleet *f, struct child *c, int status)
{
	bool config = WIFEXITED(status) && WEXITSTATUS(status) == FLEET_EXIT_CONFIG;

	log_end(c, status);
	channel_free(c->channel);
	c->channel = NULL;
	c->pid = 0;
	f->opts.ops->prepared(c, false, f->opts.arg);
	apply(f, c, config ? CHILD_GONE_CONFIG : CHILD_GONE);
	if (f->stopping != 0) {
		apply(f, c, CHILD_UNWANTED);
		stop_next(f);
	}
}

void
fleet_reap(struct fleet *f)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (enum role role = ROLE_STORE; role < ROLE_COUNT; role++)
			if (f->children[role].pid == pid)
				child_gone(f, &f->children[role], status);
}

static void
ping(struct fleet *f, struct child *c, uint64_t now)
{
	if (c->life.state != CHILD_READY || c->channel == NULL)
		return;
	if (c->answered_at < c->asked_at) {
		if (now - c->asked_at > FLEET_HANG_MS)
			fleet_fault(f, c, "does not answer");
		return;
	}
	if (now - c->asked_at < FLEET_PING_MS)
		return;
	c->asked_at = now;
	(void)channel_send(c->channel, MSG_STATUS_ASK, 0, NULL, -1);
}

void
fleet_tick(struct fleet *f)
{
	uint64_t now = clock_mono_ms();

	for (enum role role = ROLE_STORE; role < ROLE_COUNT; role++) {
		struct child *c = &f->children[role];

		if (supervise_due(&c->life, now))
			apply(f, c, CHILD_DEADLINE);
		ping(f, c, now);
	}
}

/* --- life ---------------------------------------------------------------------------------- */

struct fleet *
fleet_new(const struct fleet_opts *opts)
{
	struct fleet *f = xcalloc(1, sizeof(*f));

	f->opts = *opts;
	for (enum role role = ROLE_MASTER; role < ROLE_COUNT; role++) {
		f->children[role].role = role;
		supervise_init(&f->children[role].life);
	}
	return f;
}

void
fleet_free(struct fleet *f)
{
	if (f == NULL)
		return;
	for (enum role role = ROLE_STORE; role < ROLE_COUNT; role++) {
		channel_free(f->children[role].channel);
		free(f->children[role].figures);
	}
	free(f);
}

void
fleet_use(struct fleet *f, const struct conf *conf, const struct bound_set *bound)
{
	f->conf = conf;
	f->bound = bound;
}

void
fleet_start(struct fleet *f)
{
	for (enum role role = ROLE_STORE; role < ROLE_COUNT && f->stopping == 0; role++)
		apply(f, &f->children[role], CHILD_WANTED);
}
