/* SPDX-License-Identifier: ISC */
/*
 * accept.c - the listening sockets: takes connections within the limits.
 *
 * Owns the listening sockets (those in use, and those of a configuration being prepared) and
 * one spare descriptor. A wake-up takes at most ACCEPT_BUDGET connections, so that a flood
 * leaves time for the links that are there. A connection over a limit is closed at once,
 * without TLS. When the process is out of descriptors the spare one is given up to take and
 * close one connection, because one that stays in the kernel's queue would wake us for ever;
 * if that does not help the sockets rest until the next tick. Nothing here is fatal.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "base/map.h"
#include "ipc/proc.h"
#include "listener/accept.h"
#include "listener/inlimits.h"
#include "net/addrset.h"

#define ACCEPT_SOCKETS 64 /* listening sockets of one configuration */
#define ACCEPT_BUDGET 64  /* connections per wake-up */

struct sockets {
	int fd[ACCEPT_SOCKETS]; /* owned */
	struct event *event[ACCEPT_SOCKETS];
	size_t n;
};

static struct sockets current, waiting;
static accept_fn *take;
static int spare = -1;
static bool resting;
static struct {
	uint64_t n;
	const char *why; /* static text: of the last one */
	struct net_addr from;
} refused; /* since the last tick */

static void
clear(struct sockets *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->event[i] != NULL)
			event_free(s->event[i]);
		close(s->fd[i]);
	}
	*s = (struct sockets){.n = 0};
}

int
accept_add(int fd)
{
	if (waiting.n == ACCEPT_SOCKETS) {
		close(fd);
		return -1;
	}
	waiting.fd[waiting.n++] = fd;
	return 0;
}

void
accept_forget(void)
{
	clear(&waiting);
}

static void
refuse(int fd, const struct net_addr *from, const char *why)
{
	refused.n++;
	refused.why = why;
	refused.from = *from;
	close(fd);
}

/* Out of descriptors: takes one connection with the spare one and closes it. */
static void
shed(int listening)
{
	struct net_addr none = {.len = 0};
	int fd = -1;

	if (spare != -1) {
		close(spare);
		spare = -1;
		fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	}
	if (fd != -1)
		refuse(fd, &none, "descriptors");
	spare = fcntl(listening, F_DUPFD_CLOEXEC, 0);
	if (fd != -1 && spare != -1)
		return;
	resting = true;
	for (size_t i = 0; i < current.n; i++)
		event_del(current.event[i]);
}

static void
enter(int fd, const struct sockaddr_storage *sa, socklen_t len)
{
	uint8_t key[INLIMITS_KEY];
	char text[NET_ADDR_TEXT_MAX];
	struct net_addr addr = {.len = 0};
	const char *why;

	(void)net_addr_from((const struct sockaddr *)sa, len, &addr);
	inlimits_key((const struct sockaddr *)sa, key);
	why = inlimits_enter(key);
	if (why != NULL)
		refuse(fd, &addr, why);
	else
		take(fd, key, net_addr_text(&addr, text));
}

static void
on_connection(evutil_socket_t listening, short what, void *arg)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int fd;

	(void)what, (void)arg;
	for (int i = 0; i < ACCEPT_BUDGET && !resting; i++) {
		len = sizeof(sa);
		fd = accept4(listening, (struct sockaddr *)&sa, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1)
			enter(fd, &sa, len);
		else if (errno == EMFILE || errno == ENFILE)
			shed(listening);
		else if (errno != ECONNABORTED && errno != EINTR)
			return; /* EAGAIN, or a fault of one connection in the kernel */
	}
}

static void
watch(struct sockets *s)
{
	for (size_t i = 0; i < s->n; i++) {
		s->event[i] = event_new(
		    proc_base(), s->fd[i], EV_READ | EV_PERSIST, on_connection, NULL);
		if (s->event[i] == NULL || event_add(s->event[i], NULL) == -1)
			fatal("cannot watch a listening socket");
	}
}

void
accept_switch(accept_fn *fn)
{
	take = fn;
	clear(&current);
	current = waiting;
	waiting = (struct sockets){.n = 0};
	watch(&current);
	resting = false;
	if (spare == -1 && current.n > 0)
		spare = fcntl(current.fd[0], F_DUPFD_CLOEXEC, 0);
}

void
accept_tick(void)
{
	char text[NET_ADDR_TEXT_MAX];

	if (refused.n > 0)
		log_info("listener.refuse", "count=%llu limit=%s last=%s",
		    (unsigned long long)refused.n, refused.why,
		    net_addr_text(&refused.from, text));
	refused.n = 0;
	if (!resting)
		return;
	resting = false;
	for (size_t i = 0; i < current.n; i++)
		event_add(current.event[i], NULL);
}

void
accept_stop(void)
{
	clear(&current);
	clear(&waiting);
	if (spare != -1)
		close(spare);
	spare = -1;
}
