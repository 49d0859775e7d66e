/* SPDX-License-Identifier: ISC */
/*
 * ping_proc.c - a process that does nothing but be one, for tests/skeleton.sh.
 *
 * Linked to every name that emsgd starts, it takes its role from the name and runs the real
 * skeleton: it accepts all messages of the table, logs what its hooks see, and obeys one
 * word in the file "order.<role>" of its working directory, read before it gives up the file
 * system: "config" ends with the status of a wrong configuration, "refuse" refuses reloads,
 * "accuse" says of its first neighbour that it broke the rules.
 */
#include "config.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "ipc/msg.h"
#include "ipc/proc.h"

static char order[32];
static unsigned resources, turns;

static void
on_any(struct channel *ch, struct channel_msg *in)
{
	log_info("ping.message", "type=%s peer=%s", msg_name(in->type),
	    role_name(channel_peer(ch)));
}

static int
take(unsigned kind, struct span name, int fd)
{
	resources++;
	log_info(
	    "ping.resource", "kind=%u name=%s open=%d", kind, log_text(name), fd > 3);
	(void)close(fd);
	return 0;
}

static int
start(void)
{
	log_info("ping.start", "resources=%u conf=%d", resources, proc_conf().n > 0);
	return strcmp(order, "config") == 0 ? PROC_EXIT_CONFIG : 0;
}

static int
prepare(void)
{
	log_info("ping.prepare", "conf=%d", proc_conf_next().n > 0);
	return strcmp(order, "refuse") == 0 ? -1 : 0;
}

static void
switched(void)
{
	log_info("ping.switched", "conf=%d next=%d", proc_conf().n > 0,
	    proc_conf_next().n > 0);
}

static void
up(enum role role, struct channel *ch)
{
	log_info("ping.up", "peer=%s", role_name(role));
	if (strcmp(order, "accuse") == 0 && turns == 0)
		channel_offence(ch, "accused for the test");
}

static void
down(enum role role, struct channel *ch)
{
	(void)ch;
	log_info("ping.down", "peer=%s", role_name(role));
}

static void
turn(void)
{
	turns++;
}

static void
status(struct buf *out)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "turns=%u", turns);

	buf_put(out, text, (size_t)n);
}

static bool
stop(void)
{
	log_info("ping.stop", "turns=%d", turns > 0);
	return true;
}

/* All types that this role may receive from that peer. */
static const struct proc_handler *
handlers_for(enum role me, enum role peer)
{
	static struct proc_handler lists[ROLE_COUNT][128];
	const struct msg_def *def;
	size_t n = 0;

	for (size_t i = 0; (def = msg_at(i)) != NULL && n < 127; i++)
		if ((def->from & ROLE_BIT(peer)) != 0 && (def->to & ROLE_BIT(me)) != 0)
			lists[peer][n++] = (struct proc_handler){def->type, on_any};
	return lists[peer];
}

static void
read_order(enum role me)
{
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof(path), "order.%s", role_name(me));
	f = fopen(path, "re");
	if (f == NULL)
		return;
	if (fscanf(f, "%31s", order) != 1)
		order[0] = '\0';
	(void)fclose(f);
}

int
main(int argc, char **argv)
{
	static struct proc_peer peers[ROLE_COUNT + 1];
	struct proc proc = {.peers = peers,
	    .descriptor = take,
	    .start = start,
	    .reload_prepare = prepare,
	    .reload_switch = switched,
	    .stop = stop,
	    .peer_up = up,
	    .peer_down = down,
	    .turn = turn,
	    .status = status};
	const char *name = strrchr(argv[0], '-');
	size_t n = 0;

	proc.role = role_by_name(name == NULL ? argv[0] : name + 1);
	if (proc.role == ROLE_COUNT)
		return 64;
	for (enum role peer = ROLE_MASTER; peer < ROLE_COUNT; peer++)
		if (msg_channel_exists(proc.role, peer))
			peers[n++] =
			    (struct proc_peer){peer, handlers_for(proc.role, peer)};
	read_order(proc.role);
	return proc_run(&proc, argc, argv);
}
