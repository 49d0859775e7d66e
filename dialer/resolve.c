/* SPDX-License-Identifier: ISC */
/*
 * resolve.c - names to addresses in short-lived children.
 *
 * Owns the children, one pipe to each, and the queue of look-ups that wait for a place. A
 * child calls getaddrinfo(3), writes the addresses to its pipe, and exits; the end of the
 * pipe is the end of the look-up. A child that takes too long is killed. Called by dial.c.
 * Errors (no name, no child) end the look-up with a text; nothing here is fatal.
 */
#include "config.h"

#include <sys/queue.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "dialer/resolve.h"

/* What a child writes: one byte of status, then whole struct net_addr. */
enum { STATUS_OK = 'k', STATUS_NONE = 'n', STATUS_FAILED = 'f' };

struct resolve {
	TAILQ_ENTRY(resolve) entry;
	char host[NET_HOST_MAX + 1];
	uint16_t port;
	struct timeval timeout;
	resolve_done *done;
	void *arg;        /* borrowed */
	struct event *ev; /* owned: pipe or timer */
	pid_t pid;        /* 0: no child */
	int fd;           /* read end of its pipe, -1 */
	uint8_t answer[1 + RESOLVE_ADDRS * sizeof(struct net_addr)];
	size_t n;
};

TAILQ_HEAD(resolve_list, resolve);
static struct resolve_list waiting = TAILQ_HEAD_INITIALIZER(waiting);
static struct event_base *base; /* borrowed */
static size_t children, count;

static void start_waiting(void);

void
resolve_init(struct event_base *b)
{
	base = b;
}

size_t
resolve_count(void)
{
	return count;
}

/* Ends the child, if there is one, and frees the look-up. */
static void
resolve_free(struct resolve *r)
{
	if (r->ev != NULL)
		event_free(r->ev);
	if (r->fd != -1)
		close(r->fd);
	if (r->pid != 0) {
		kill(r->pid, SIGKILL);
		while (waitpid(r->pid, NULL, 0) == -1 && errno == EINTR)
			continue;
		children--;
	} else {
		TAILQ_REMOVE(&waiting, r, entry);
	}
	count--;
	free(r);
}

void
resolve_cancel(struct resolve *r)
{
	resolve_free(r);
	start_waiting();
}

/* Hands the result to the caller; r is gone before that. */
static void
finish(struct resolve *r, const struct net_addr *addrs, size_t n, const char *err)
{
	resolve_done *done = r->done;
	void *arg = r->arg;

	resolve_free(r);
	done(arg, addrs, n, err);
	start_waiting();
}

/* The child's whole life. Runs with the parent's sandbox. */
static _Noreturn void
child(const struct resolve *r, int fd)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC};
	uint8_t out[sizeof(r->answer)];
	struct addrinfo *list = NULL;
	size_t n = 0, off = 0;
	int r1;

	/* What parses answers from the network has no channel to speak on, and outlives nobody. */
	if (fd_close_from(STDERR_FILENO + 1, &fd, 1) == -1)
		_exit(1);
	(void)alarm((unsigned)r->timeout.tv_sec + 1);
	r1 = getaddrinfo(r->host, NULL, &hints, &list);
	out[off++] = r1 == 0 ? STATUS_OK : r1 == EAI_NONAME ? STATUS_NONE : STATUS_FAILED;
	for (struct addrinfo *ai = r1 == 0 ? list : NULL; ai != NULL && n < RESOLVE_ADDRS;
	     ai = ai->ai_next) {
		struct net_addr addr = {.len = 0};

		if (!net_addr_from(ai->ai_addr, ai->ai_addrlen, &addr))
			continue;
		net_addr_set_port(&addr, r->port);
		memcpy(out + off, &addr, sizeof(addr));
		off += sizeof(addr);
		n++;
	}
	for (size_t sent = 0; sent < off;) {
		ssize_t w = write(fd, out + sent, off - sent);

		if (w <= 0)
			break;
		sent += (size_t)w;
	}
	_exit(0);
}

/* The pipe has ended: what the child said is complete, or not worth anything. */
static void
take_answer(struct resolve *r)
{
	struct net_addr addrs[RESOLVE_ADDRS];
	struct net_addr told;
	size_t n, good = 0;

	if (r->n == 0 || (r->n - 1) % sizeof(addrs[0]) != 0) {
		finish(r, NULL, 0, "the look-up ended without an answer");
		return;
	}
	n = (r->n - 1) / sizeof(addrs[0]);
	for (size_t i = 0; i < n; i++) {
		memcpy(&told, r->answer + 1 + i * sizeof(told), sizeof(told));
		if (net_addr_from(&told.u.sa, told.len, &addrs[good]))
			good++;
	}
	if (r->answer[0] == STATUS_OK)
		finish(r, addrs, good, good == 0 ? "the name has no address" : NULL);
	else if (r->answer[0] == STATUS_NONE)
		finish(r, NULL, 0, "the name does not exist");
	else
		finish(r, NULL, 0, "the look-up failed");
}

static void
on_pipe(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *r = arg;
	ssize_t got;

	if (what & EV_TIMEOUT) {
		finish(r, NULL, 0, "the look-up took too long");
		return;
	}
	got = read(fd, r->answer + r->n, sizeof(r->answer) - r->n);
	if (got > 0)
		r->n += (size_t)got;
	if (got == 0 || (got > 0 && r->n == sizeof(r->answer)))
		take_answer(r);
	else if (got == -1 && errno != EAGAIN && errno != EINTR)
		finish(r, NULL, 0, "the look-up's pipe broke");
}

/* Forks the child of a look-up that left the queue. */
static bool
spawn(struct resolve *r)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) == -1)
		return false;
	r->ev = event_new(base, pair[0], EV_READ | EV_PERSIST, on_pipe, r);
	r->pid = r->ev != NULL ? fork() : -1;
	if (r->pid == 0)
		child(r, pair[1]);
	close(pair[1]);
	if (r->pid == -1) {
		r->pid = 0;
		close(pair[0]);
		return false;
	}
	r->fd = pair[0];
	children++;
	event_add(r->ev, &r->timeout);
	return true;
}

/* Answers a look-up that could not even begin, or was none. */
static void
on_at_once(evutil_socket_t fd, short what, void *arg)
{
	struct resolve *r = arg;
	struct net_addr addr;

	(void)fd, (void)what;
	if (net_addr_parse(r->host, r->port, &addr))
		finish(r, &addr, 1, NULL);
	else
		finish(r, NULL, 0, "no look-up could be started");
}

/* Ends r from the loop rather than from inside resolve_start(). */
static void
finish_soon(struct resolve *r)
{
	struct timeval now = {0, 0};

	if (r->ev != NULL)
		event_free(r->ev);
	r->ev = evtimer_new(base, on_at_once, r);
	if (r->ev == NULL)
		fatal("out of memory");
	evtimer_add(r->ev, &now);
}

static void
start_waiting(void)
{
	struct resolve *r, *next;

	for (r = TAILQ_FIRST(&waiting); r != NULL && children < RESOLVE_CHILDREN;
	     r = next) {
		next = TAILQ_NEXT(r, entry);
		if (r->ev != NULL) /* about to be answered */
			continue;
		if (spawn(r))
			TAILQ_REMOVE(&waiting, r, entry);
		else
			finish_soon(r);
	}
}

struct resolve *
resolve_start(
    const char *host, uint16_t port, uint64_t timeout_ms, resolve_done *done, void *arg)
{
	struct net_addr literal;
	struct resolve *r;

	if (count >= RESOLVE_WAITING || strlen(host) >= sizeof(r->host))
		return NULL;
	r = xcalloc(1, sizeof(*r));
	memcpy(r->host, host, strlen(host));
	r->port = port;
	r->timeout.tv_sec = (time_t)(timeout_ms / 1000);
	r->timeout.tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000);
	r->done = done;
	r->arg = arg;
	r->fd = -1;
	TAILQ_INSERT_TAIL(&waiting, r, entry);
	count++;
	if (net_addr_parse(host, port, &literal))
		finish_soon(r);
	else
		start_waiting();
	return r;
}
