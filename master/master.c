/* SPDX-License-Identifier: ISC */
/*
 * master.c - brings the suite up, keeps it up, takes it down.
 *
 * The order of the start: configuration, lock, directories, sockets and files, the master's
 * own filter, then the children. It owns the configuration in use and everything opened for
 * it. Signals: SIGTERM and SIGINT stop gracefully (a second one at once), SIGHUP reloads,
 * SIGCHLD reaps. The service manager is told when all children are ready, and as watchdog
 * while all of them answer. There is one master per program, so the state is one static
 * struct. Trouble at the start is one clear line and exit status 1, or 7 if it is the
 * configuration's fault; once the suite runs, only signals and admin requests end it.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "conf/load.h"
#include "master/command.h"
#include "master/master.h"
#include "master/notify.h"
#include "sandbox/sandbox.h"

#define MASTER_TICK_MS 250
#define MASTER_SIGNALS 5

static struct {
	struct master_opts opts;
	bool privileged;
	bool up; /* all children have been ready once */
	bool stopping;
	bool done;
	int status;
	uint64_t started_at;
	int pid_fd;
	struct conf *conf;       /* owned */
	struct bound_set *bound; /* owned */
	struct event_base *base;
	struct event *signals[MASTER_SIGNALS];
	struct event *tick;
	struct fleet *fleet;
	struct reload *reload; /* owned, NULL when none is under way */
	bool reload_over;      /* it can be freed */
	void (*reload_done)(bool, void *);
	void *reload_arg;
	void (*reload_say)(const char *, void *);
	uint64_t watchdog_ms, last_watchdog;
} self;

struct fleet *
master_fleet(void)
{
	return self.fleet;
}

uint64_t
master_started_at(void)
{
	return self.started_at;
}

bool
master_privileged(void)
{
	return self.privileged;
}

/* --- stop and reload ------------------------------------------------------------------- */

void
master_stop(int status)
{
	if (self.stopping)
		return;
	self.stopping = true;
	self.status = status;
	log_info("master.stop", "status=%d", status);
	notify_stopping();
	fleet_stop(self.fleet);
}

static void
reload_says(const char *line, void *arg)
{
	(void)arg;
	if (self.reload_say != NULL)
		self.reload_say(line, self.reload_arg);
}

static void
apply_log_level(void)
{
	enum log_level level;

	if (!log_level_parse(conf_word(self.conf, CONF_LOG_LEVEL), &level))
		return;
	log_set_level(level);
	if (self.fleet != NULL)
		fleet_log_level(self.fleet, level);
}

static void
reload_finished(struct reload *r, bool ok, void *arg)
{
	(void)arg;
	if (ok) {
		conf_free(self.conf);
		bind_clear(self.bound);
		free(self.bound);
		reload_take(r, &self.conf, &self.bound);
		apply_log_level();
	}
	self.reload_over = true;
	notify_ready();
	if (self.reload_done != NULL)
		self.reload_done(ok, self.reload_arg);
}

bool
master_reload(
    void (*say)(const char *line, void *arg), void (*done)(bool ok, void *arg), void *arg)
{
	struct reload_opts opts = {.fleet = self.fleet,
	    .file = self.opts.file,
	    .base = self.opts.dir,
	    .privileged = self.privileged,
	    .conf = self.conf,
	    .bound = self.bound,
	    .say = reload_says,
	    .done = reload_finished};

	if (self.reload != NULL || self.stopping)
		return false;
	notify_reloading();
	self.reload_say = say;
	self.reload_done = done;
	self.reload_arg = arg;
	self.reload_over = false;
	self.reload = reload_new(&opts);
	return true;
}

/* --- what the fleet tells ------------------------------------------------------------------- */

static void
all_ready(void *arg)
{
	(void)arg;
	if (!self.up)
		log_info("master.ready", "domain=%s", conf_str(self.conf, CONF_DOMAIN));
	self.up = true;
	notify_ready();
}

/* At the start this ends the suite, as the service manager shall not try again; later the
 * others go on and a reload gives the child another chance. */
static void
gave_up(struct child *c, void *arg)
{
	(void)arg;
	log_error("master.config", "process=%s result=given-up", role_name(c->role));
	if (!self.up)
		master_stop(CONF_EXIT_INVALID);
}

static void
all_stopped(void *arg)
{
	(void)arg;
	self.done = true;
}

static void
child_prepared(struct child *c, bool ok, void *arg)
{
	(void)arg;
	if (c->role == ROLE_CONTROL && c->channel == NULL)
		command_lost();
	if (self.reload != NULL)
		reload_answer(self.reload, c, ok);
}

static void
child_asks(struct channel *ch, struct channel_msg *in, void *arg)
{
	(void)arg;
	command_asked(ch, in);
}

static const struct fleet_ops fleet_ops = {
    .ready = all_ready,
    .gave_up = gave_up,
    .stopped = all_stopped,
    .prepared = child_prepared,
    .asked = child_asks,
};

/* --- events ------------------------------------------------------------------------------ */

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	(void)what;
	(void)arg;
	switch (sig) {
	case SIGCHLD:
		fleet_reap(self.fleet);
		break;
	case SIGHUP:
		if (!master_reload(NULL, NULL, NULL))
			log_warn("master.reload", "result=busy");
		break;
	default:
		if (self.stopping)
			self.done = true;
		master_stop(0);
	}
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	uint64_t now = clock_mono_ms();

	(void)fd;
	(void)what;
	(void)arg;
	fleet_tick(self.fleet);
	if (self.reload != NULL)
		reload_tick(self.reload);
	if (self.watchdog_ms != 0 && now - self.last_watchdog >= self.watchdog_ms &&
	    (!self.up || fleet_healthy(self.fleet))) {
		self.last_watchdog = now;
		notify_watchdog();
	}
}

static void
make_loop(void)
{
	static const int signals[MASTER_SIGNALS] = {
	    SIGCHLD, SIGHUP, SIGTERM, SIGINT, SIGQUIT};
	const struct timeval every = {0, MASTER_TICK_MS * 1000};

	self.base = event_base_new();
	if (self.base == NULL)
		fatal("cannot make an event loop");
	for (size_t i = 0; i < MASTER_SIGNALS; i++) {
		self.signals[i] = evsignal_new(self.base, signals[i], on_signal, NULL);
		if (self.signals[i] == NULL || event_add(self.signals[i], NULL) == -1)
			fatal("cannot watch signal %d", signals[i]);
	}
	self.tick = event_new(self.base, -1, EV_PERSIST, on_tick, NULL);
	if (self.tick == NULL || event_add(self.tick, &every) == -1)
		fatal("cannot make a timer");
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		fatal_errno("signal");
}

/* --- start and end ------------------------------------------------------------------------- */

_Noreturn static void
give_up(int status, const char *line)
{
	(void)fprintf(stderr, "emsgd: %s\n", line);
	exit(status);
}

static void
load_conf(void)
{
	struct faults *faults = xcalloc(1, sizeof(*faults));

	self.conf = conf_load(self.opts.file, self.opts.dir, faults);
	if (self.conf == NULL) {
		faults_print(stderr, faults);
		exit(CONF_EXIT_INVALID);
	}
	faults_clear(faults);
	free(faults);
	self.conf->generation = 1;
	apply_log_level();
}

static void
open_everything(void)
{
	char line[512];

	if (!spawn_programs_exist(
		(struct spawn_path){self.opts.libexec}, line, sizeof(line))) {
		(void)fprintf(stderr, "emsgd: %s: no such program\n", line);
		exit(EXIT_FAILURE);
	}
	if (bind_directories(self.conf, self.privileged, line, sizeof(line)) == -1)
		give_up(EXIT_FAILURE, line);
	self.pid_fd = bind_pid_file(self.conf, line, sizeof(line));
	if (self.pid_fd == -1)
		give_up(EXIT_FAILURE, line);
	self.bound = xcalloc(1, sizeof(*self.bound));
	if (bind_open(self.bound, self.conf, self.privileged, NULL) == -1)
		give_up(CONF_EXIT_INVALID, self.bound->error);
}

static void
confine(void)
{
	bool required = conf_u64(self.conf, CONF_SANDBOX) == CONF_SANDBOX_REQUIRED;

	if (sandbox_enter_master() == 0)
		return;
	if (required)
		fatal_errno("cannot enter the sandbox: %s", sandbox_error());
	log_warn("master.sandbox", "result=off reason=%s", log_str(sandbox_error()));
}

static void
start(void)
{
	struct fleet_opts opts = {.path = {self.opts.libexec},
	    .privileged = self.privileged,
	    .generation = random_u64(),
	    .ops = &fleet_ops};

	make_loop();
	opts.base = self.base;
	self.fleet = fleet_new(&opts);
	fleet_use(self.fleet, self.conf, self.bound);
	confine();
	fleet_start(self.fleet);
}

static void
loop(void)
{
	while (!self.done) {
		if (event_base_loop(self.base, EVLOOP_ONCE) != 0)
			fatal("event loop failed");
		if (self.reload != NULL && self.reload_over) {
			reload_free(self.reload);
			self.reload = NULL;
		}
	}
}

/* After a second signal children may still run; they end by themselves without us. */
static void
finish(void)
{
	bind_unlink(self.conf);
	reload_free(self.reload);
	fleet_free(self.fleet);
	for (size_t i = 0; i < MASTER_SIGNALS; i++)
		event_free(self.signals[i]);
	event_free(self.tick);
	event_base_free(self.base);
	bind_clear(self.bound);
	free(self.bound);
	conf_free(self.conf);
	close(self.pid_fd);
	log_info("master.end", "status=%d", self.status);
}

int
master_run(const struct master_opts *opts)
{
	self.opts = *opts;
	self.privileged = opts->dir == NULL;
	log_init(role_name(ROLE_MASTER), LOG_LEVEL_INFO);
	if (fd_sane_stdio() == -1)
		fatal_errno("standard descriptors");
	if (self.privileged && geteuid() != 0)
		give_up(EXIT_FAILURE, "must be started by root, or with -d directory");
	self.started_at = clock_wall_ms();
	self.watchdog_ms = notify_init();
	load_conf();
	open_everything();
	start();
	loop();
	finish();
	return self.status;
}
