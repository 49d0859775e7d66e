/* SPDX-License-Identifier: ISC */
/*
 * dial.c - one attempt to reach a peer.
 *
 * Looks the host up once, then tries the addresses of that very answer in order, so that a
 * name cannot lead to another address between judgement and connection (DNS rebinding). An
 * address that is not public is skipped unless the operator allowed it. Called by dialer.c;
 * uses resolve.c. Owns the socket until it is handed over. All failures are texts.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "dialer/dial.h"
#include "dialer/resolve.h"

struct dial {
	struct event_base *base; /* borrowed */
	struct dial_target target;
	const struct dial_policy *policy; /* borrowed */
	dial_done *done;
	void *arg;               /* borrowed */
	struct resolve *look_up; /* owned while it runs */
	struct net_addr addrs[RESOLVE_ADDRS];
	size_t n, next;
	int fd;           /* of the address being tried, -1 */
	struct event *ev; /* owned: its writability */
	uint64_t deadline;
	const char *err; /* of the last address */
};

static void try_next(struct dial *);

bool
dial_allowed(const struct dial_policy *policy, const struct dial_target *target,
    const struct net_addr *addr)
{
	if (target->allow_private || net_addr_public(&addr->u.sa))
		return true;
	for (size_t i = 0; i < policy->n; i++)
		if (net_prefix_match(&policy->allowed[i], &addr->u.sa))
			return true;
	return false;
}

static void
drop_socket(struct dial *d)
{
	if (d->ev != NULL)
		event_free(d->ev);
	d->ev = NULL;
	if (d->fd != -1)
		close(d->fd);
	d->fd = -1;
}

void
dial_cancel(struct dial *d)
{
	if (d->look_up != NULL)
		resolve_cancel(d->look_up);
	drop_socket(d);
	free(d);
}

/* Ends the attempt; fd (or -1) goes to the caller. */
static void
finish(struct dial *d, int fd, const struct net_addr *addr, const char *err)
{
	struct net_addr where = {.len = 0};
	dial_done *done = d->done;
	void *arg = d->arg;

	if (addr != NULL)
		where = *addr;
	d->fd = -1; /* handed over, or already closed */
	dial_cancel(d);
	done(arg, fd, &where, err);
}

/* The non-blocking connect(2) has ended one way or the other. */
static void
on_connect(evutil_socket_t fd, short what, void *arg)
{
	struct dial *d = arg;
	socklen_t n = sizeof(int);
	int err = 0;

	if (what & EV_TIMEOUT)
		err = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &n) == -1)
		err = errno;
	if (err == 0) {
		finish(d, d->fd, &d->addrs[d->next - 1], NULL);
		return;
	}
	d->err = err == ETIMEDOUT                       ? "connecting took too long"
	    : err == ECONNREFUSED                       ? "connection refused"
	    : err == ENETUNREACH || err == EHOSTUNREACH ? "no route to the address"
							: "connecting failed";
	drop_socket(d);
	try_next(d);
}

/* Begins to connect to one address. False if it cannot even begin. */
static bool
connect_to(struct dial *d, const struct net_addr *addr, uint64_t wait_ms)
{
	struct timeval tv = {
	    (time_t)(wait_ms / 1000), (suseconds_t)(wait_ms % 1000 * 1000)};

	d->fd =
	    socket(addr->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->fd == -1)
		return false;
	if (connect(d->fd, &addr->u.sa, addr->len) == -1 && errno != EINPROGRESS)
		return false;
	d->ev = event_new(d->base, d->fd, EV_WRITE, on_connect, d);
	return d->ev != NULL && event_add(d->ev, &tv) == 0;
}

/* Tries the addresses in order, each with its share of the time that is left. */
static void
try_next(struct dial *d)
{
	char text[NET_ADDR_TEXT_MAX];

	while (d->next < d->n) {
		uint64_t now = clock_mono_ms();
		const struct net_addr *addr = &d->addrs[d->next++];

		if (now >= d->deadline) {
			d->err = "connecting took too long";
			break;
		}
		if (!dial_allowed(d->policy, &d->target, addr)) {
			d->err = "the address is private, loopback or reserved";
			log_warn("dialer.refuse", "host=%s addr=%s",
			    log_str(d->target.host), net_addr_text(addr, text));
			continue;
		}
		if (connect_to(d, addr, (d->deadline - now) / (d->n - d->next + 1) + 1))
			return;
		d->err = "connecting failed";
		drop_socket(d);
	}
	finish(d, -1, NULL, d->err);
}

static void
on_resolved(void *arg, const struct net_addr *addrs, size_t n, const char *err)
{
	struct dial *d = arg;

	d->look_up = NULL;
	if (err != NULL) {
		finish(d, -1, NULL, err);
		return;
	}
	d->n = n < RESOLVE_ADDRS ? n : RESOLVE_ADDRS;
	memcpy(d->addrs, addrs, d->n * sizeof(d->addrs[0]));
	try_next(d);
}

struct dial *
dial_start(struct event_base *base, const struct dial_target *target,
    const struct dial_policy *policy, dial_done *done, void *arg)
{
	struct dial *d = xcalloc(1, sizeof(*d));

	d->base = base;
	d->target = *target;
	d->policy = policy;
	d->done = done;
	d->arg = arg;
	d->fd = -1;
	d->err = "the name has no address";
	d->deadline = clock_mono_ms() + target->timeout_ms;
	d->look_up = resolve_start(
	    d->target.host, target->port, target->timeout_ms, on_resolved, d);
	if (d->look_up != NULL)
		return d;
	free(d);
	return NULL;
}
