/* SPDX-License-Identifier: ISC */
/*
 * reload.c - changes the configuration of a running suite, completely or not at all.
 *
 * Phase one: load and check the files, refuse what needs a restart, open what the new
 * configuration asks for, and let every child that runs prepare it. Phase two, only when all
 * of them said yes: the children switch in the order of enum role (those that serve others
 * first, listener and control last), and the new configuration becomes the one that
 * restarted children get. One refusal, the loss of a child or RELOAD_WAIT_MS ends it before
 * that, and everybody goes on as before. A child that was started between the phases with
 * the old configuration is killed at the switch and comes back with the new one.
 * master.c owns the reload; there is at most one.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/load.h"
#include "master/reload.h"

struct reload {
	struct reload_opts opts;
	struct conf *next;       /* owned until taken */
	struct bound_set *bound; /* owned until taken */
	unsigned waiting;        /* set of roles that have not answered */
	uint64_t deadline;
	bool over;
};

static void
say(struct reload *r, const char *line)
{
	log_info("master.reload", "note=%s", log_str(line));
	if (r->opts.say != NULL)
		r->opts.say(line, r->opts.arg);
}

static void
finish(struct reload *r, bool ok)
{
	if (r->over)
		return;
	r->over = true;
	if (ok)
		log_info("master.reload", "result=done number=%llu",
		    (unsigned long long)r->next->generation);
	else
		log_error("master.reload", "result=refused");
	r->opts.done(r, ok, r->opts.arg);
}

/* Each fault of the files as one line. */
static void
say_faults(struct reload *r, const struct faults *faults)
{
	char *text = NULL, *line, *rest;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (f == NULL)
		return;
	faults_print(f, faults);
	if (fclose(f) == 0)
		for (line = strtok_r(text, "\n", &rest); line != NULL;
		     line = strtok_r(NULL, "\n", &rest))
			say(r, line);
	free(text);
}

static bool
load(struct reload *r)
{
	struct faults *faults = xcalloc(1, sizeof(*faults));

	r->next = conf_load(r->opts.file, r->opts.base, faults);
	if (r->next == NULL)
		say_faults(r, faults);
	else
		r->next->generation = r->opts.conf->generation + 1;
	faults_clear(faults);
	free(faults);
	return r->next != NULL;
}

/* Says what changes; false if something cannot change while we run. */
static bool
judge_changes(struct reload *r)
{
	struct conf_change *changes = xcalloc(CONF_COUNT, sizeof(*changes));
	size_t n = conf_diff(r->opts.conf, r->next, changes);
	bool ok = true;

	for (size_t i = 0; i < n; i++) {
		char line[128];
		bool restart = changes[i].reload == RELOAD_RESTART;

		(void)snprintf(line, sizeof(line), "%s: %s",
		    schema_row(changes[i].key)->path,
		    restart ? "changed; this takes a restart, nothing was reloaded"
			    : "changed");
		say(r, line);
		ok = ok && !restart;
	}
	free(changes);
	return ok;
}

static bool
open_all(struct reload *r)
{
	r->bound = xcalloc(1, sizeof(*r->bound));
	if (bind_open(r->bound, r->next, r->opts.privileged, r->opts.bound) == 0)
		return true;
	say(r, r->bound->error);
	return false;
}

/* Phase two. */
static void
switch_all(struct reload *r)
{
	fleet_use(r->opts.fleet, r->next, r->bound);
	for (enum role role = ROLE_STORE; role < ROLE_COUNT; role++) {
		struct child *c = fleet_child(r->opts.fleet, role);

		if (c->conf_prepared == r->next->generation && c->channel != NULL)
			fleet_switch(r->opts.fleet, c, r->next->generation);
		else if (c->conf_number != r->next->generation)
			fleet_fault(r->opts.fleet, c, "started before the reload");
	}
	/* Those that had given up get their chance with the new configuration. */
	finish(r, true);
	fleet_start(r->opts.fleet);
}

static void
prepare_all(struct reload *r)
{
	r->deadline = clock_mono_ms() + RELOAD_WAIT_MS;
	for (enum role role = ROLE_STORE; role < ROLE_COUNT; role++) {
		struct child *c = fleet_child(r->opts.fleet, role);

		if (c->life.state != CHILD_READY || c->channel == NULL)
			continue;
		r->waiting |= ROLE_BIT(role);
		fleet_send_conf(r->opts.fleet, c, r->next, r->bound);
	}
	if (r->waiting == 0)
		switch_all(r);
}

struct reload *
reload_new(const struct reload_opts *opts)
{
	struct reload *r = xcalloc(1, sizeof(*r));

	r->opts = *opts;
	if (load(r) && judge_changes(r) && open_all(r))
		prepare_all(r);
	else
		finish(r, false);
	return r;
}

void
reload_free(struct reload *r)
{
	if (r == NULL)
		return;
	conf_free(r->next);
	if (r->bound != NULL)
		bind_clear(r->bound);
	free(r->bound);
	free(r);
}

void
reload_answer(struct reload *r, struct child *c, bool ok)
{
	char line[64];

	if (r->over || (r->waiting & ROLE_BIT(c->role)) == 0)
		return;
	if (ok && c->conf_prepared != r->next->generation)
		return;
	r->waiting &= ~ROLE_BIT(c->role);
	if (!ok) {
		(void)snprintf(line, sizeof(line), "%s refused it, its log says why",
		    role_name(c->role));
		say(r, line);
		finish(r, false);
	} else if (r->waiting == 0) {
		switch_all(r);
	}
}

void
reload_tick(struct reload *r)
{
	if (r->over || clock_mono_ms() < r->deadline)
		return;
	say(r, "not all processes answered in time");
	finish(r, false);
}

void
reload_take(struct reload *r, struct conf **conf, struct bound_set **bound)
{
	*conf = r->next;
	*bound = r->bound;
	r->next = NULL;
	r->bound = NULL;
}
