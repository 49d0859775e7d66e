/* SPDX-License-Identifier: ISC */
/*
 * command.c - answers status, reload and stop.
 *
 * control has judged who may ask (wire/ctl.h); the master trusts it in that, and nobody else
 * can reach this code. Rows and the end go back on the channel and under the id of the
 * request. At most one reload is under way, so at most one request waits; if control dies
 * meanwhile its answer is dropped, and the reload goes on.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/log.h"
#include "ipc/msg.h"
#include "ipc/msgs.h"
#include "master/command.h"
#include "master/master.h"
#include "wire/code.h"
#include "wire/ctl.h"

/* The one request that waits for a reload. */
static struct {
	struct channel *channel; /* borrowed; NULL: nobody waits */
	uint64_t id;
} waiting;

/* Resident memory in bytes, 0 if the system does not say. */
static uint64_t
resident(long pid)
{
	char path[64];
	uint64_t pages = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/statm", pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%*u %" SCNu64, &pages) != 1)
		pages = 0;
	(void)fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Whether a process is under a seccomp filter, by what the kernel says (proc(5)). */
static bool
filtered(long pid)
{
	char line[128], path[64];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = strcmp(line, "Seccomp:\t2\n") == 0;
	fclose(f);
	return found;
}

static void
set_process(struct ctl_process *p, long pid, uint64_t started_at)
{
	p->pid = (uint64_t)pid;
	p->started_at = started_at;
	p->rss = resident(pid);
	p->sandbox = filtered(pid);
	obj_set(&ctl_process_def, p, 3);
	obj_set(&ctl_process_def, p, 5);
	obj_set(&ctl_process_def, p, 7);
	obj_set(&ctl_process_def, p, 8);
}

static void
row_of_child(struct channel *ch, uint64_t id, enum role role)
{
	const struct child *c = fleet_child(master_fleet(), role);
	struct ctl_process p = {.name = span_str(role_name(role)),
	    .state = span_str(supervise_state_name(c->life.state)),
	    .restarts = c->life.restarts};

	if (supervise_running(&c->life))
		set_process(&p, (long)c->pid, c->started_at);
	if (master_privileged()) {
		p.user = span_str(role_user(role));
		obj_set(&ctl_process_def, &p, 4);
	}
	if (c->figures != NULL && c->life.state == CHILD_READY) {
		p.figures = span_str(c->figures);
		obj_set(&ctl_process_def, &p, 9);
	}
	(void)admin_row(ch, id, ROW_PROCESS, &p);
}

static void
on_status(struct channel *ch, uint64_t id)
{
	struct ctl_process p = {
	    .name = span_str(role_name(ROLE_MASTER)), .state = span_str("ready")};

	set_process(&p, (long)getpid(), master_started_at());
	(void)admin_row(ch, id, ROW_PROCESS, &p);
	for (enum role role = ROLE_STORE; role < ROLE_COUNT; role++)
		row_of_child(ch, id, role);
	admin_end(ch, id, CODE_DONE, "");
}

static void
reload_says(const char *line, void *arg)
{
	(void)arg;
	if (waiting.channel != NULL)
		admin_note(waiting.channel, waiting.id, line);
}

static void
reload_done(bool ok, void *arg)
{
	(void)arg;
	if (waiting.channel == NULL)
		return;
	if (ok)
		admin_end(waiting.channel, waiting.id, CODE_DONE, "reloaded");
	else
		admin_end(waiting.channel, waiting.id, CODE_CONFLICT,
		    "refused, the old configuration stays in use");
	waiting.channel = NULL;
}

static void
on_reload(struct channel *ch, uint64_t id)
{
	if (waiting.channel != NULL) {
		admin_end(ch, id, CODE_BUSY, "a reload is under way");
		return;
	}
	waiting.channel = ch;
	waiting.id = id;
	if (!master_reload(reload_says, reload_done, NULL)) {
		waiting.channel = NULL;
		admin_end(ch, id, CODE_BUSY, "a reload is under way");
	}
}

static void
on_stop(struct channel *ch, uint64_t id)
{
	admin_end(ch, id, CODE_DONE, "stopping");
	master_stop(0);
}

static void
on_ask(struct channel *ch, uint64_t id, const struct m_ctl_ask *m)
{
	log_info("admin.command", "command=%u uid=%u", m->command, m->uid);
	switch (m->command) {
	case CTL_STATUS:
		on_status(ch, id);
		break;
	case CTL_RELOAD:
		on_reload(ch, id);
		break;
	case CTL_STOP:
		on_stop(ch, id);
		break;
	default:
		admin_end(ch, id, CODE_UNSUPPORTED, "this is not for the master");
	}
}

void
command_asked(struct channel *ch, struct channel_msg *in)
{
	if (in->type == MSG_CTL_ASK) {
		on_ask(ch, in->id, in->body);
	} else if (in->type == MSG_CTL_CANCEL) {
		if (waiting.channel == ch && waiting.id == in->id)
			waiting.channel = NULL;
	} else {
		channel_offence(ch, "message that the master does not handle");
	}
}

void
command_lost(void)
{
	waiting.channel = NULL;
}
