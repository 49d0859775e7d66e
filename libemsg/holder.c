/* SPDX-License-Identifier: ISC */
/*
 * holder.c - which of several programs on one account has the link.
 *
 * The one that has the lock on "link.lock" holds the link; the kernel gives the lock back
 * however a program ends. It also listens on the Unix socket "link.sock" in the account's
 * directory. What the programs have to tell each other is in the database; through the socket
 * goes only one byte, meaning "look". When the holder goes, the others see the end of their
 * connection and one of them takes the lock.
 *
 * Owns the lock, the socket and the connections. Called by session.c. Cannot fail: without a
 * connection a program looks into the database from time to time.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "holder.h"

#define LOCK_NAME "link.lock"
#define SOCK_NAME "link.sock"

struct holder {
	int dir;                         /* owned: the account's directory */
	int lock;                        /* owned, -1: not the holder */
	int listen;                      /* owned, -1: none */
	int epoll;                       /* owned */
	int friends[HOLDER_FRIENDS_MAX]; /* owned: of others, or one: the holder */
	unsigned n;
};

struct holder *
holder_new(const char *dir)
{
	struct holder *h = xcalloc(1, sizeof(*h));

	h->lock = h->listen = -1;
	h->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (h->dir >= 0 && h->epoll >= 0)
		return h;
	holder_free(h);
	return NULL;
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
drop_friend(struct holder *h, unsigned i)
{
	close_fd(&h->friends[i]);
	h->friends[i] = h->friends[--h->n];
}

void
holder_free(struct holder *h)
{
	if (h == NULL)
		return;
	if (h->listen >= 0)
		unlinkat(h->dir, SOCK_NAME, 0);
	while (h->n > 0)
		drop_friend(h, 0);
	close_fd(&h->listen);
	close_fd(&h->lock);
	close_fd(&h->epoll);
	close_fd(&h->dir);
	free(h);
}

/* The socket's address through the directory's descriptor: paths of sockets are short. */
static void
address(const struct holder *h, struct sockaddr_un *un)
{
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	snprintf(
	    un->sun_path, sizeof(un->sun_path), "/proc/self/fd/%d/" SOCK_NAME, h->dir);
}

static int
make_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static void
watch(struct holder *h, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* As the holder: lets others connect. */
static void
start_listening(struct holder *h)
{
	struct sockaddr_un un;

	address(h, &un);
	unlinkat(h->dir, SOCK_NAME, 0);
	if ((h->listen = make_socket()) < 0)
		return;
	if (bind(h->listen, (struct sockaddr *)&un, sizeof(un)) < 0 ||
	    listen(h->listen, HOLDER_FRIENDS_MAX) < 0)
		close_fd(&h->listen);
	else
		watch(h, h->listen);
}

/* As another: connects to the holder. */
static void
find_friend(struct holder *h)
{
	struct sockaddr_un un;
	int fd;

	if (h->n > 0 || (fd = make_socket()) < 0)
		return;
	address(h, &un);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
		close(fd);
		return;
	}
	h->friends[h->n++] = fd;
	watch(h, fd);
}

bool
holder_try(struct holder *h)
{
	int fd;

	if (h->lock >= 0)
		return true;
	fd = openat(h->dir, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		find_friend(h);
		return false;
	}
	h->lock = fd;
	while (h->n > 0)
		drop_friend(h, 0);
	start_listening(h);
	return true;
}

bool
holder_is(const struct holder *h)
{
	return h->lock >= 0;
}

bool
holder_has_friend(const struct holder *h)
{
	return h->n > 0;
}

int
holder_fd(const struct holder *h)
{
	return h->epoll;
}

static void
accept_friends(struct holder *h)
{
	int fd;

	while ((fd = accept4(h->listen, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (h->n == HOLDER_FRIENDS_MAX) {
			close(fd);
			continue;
		}
		h->friends[h->n++] = fd;
		watch(h, fd);
	}
}

bool
holder_process(struct holder *h)
{
	bool woken = false;
	char bytes[256];
	ssize_t n;

	if (h->listen >= 0)
		accept_friends(h);
	for (unsigned i = 0; i < h->n;) {
		while ((n = recv(h->friends[i], bytes, sizeof(bytes), 0)) > 0)
			woken = true;
		if (n == 0) {
			drop_friend(h, i);
			woken = true;
		} else {
			i++;
		}
	}
	return woken;
}

void
holder_wake(struct holder *h)
{
	for (unsigned i = 0; i < h->n; i++)
		send(h->friends[i], "!", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}
