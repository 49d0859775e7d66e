/* SPDX-License-Identifier: ISC */
/*
 * notify.c - tells the service manager how we are.
 *
 * The protocol is one datagram of NAME=value lines to the socket named in NOTIFY_SOCKET, so no
 * library is needed. master.c calls it when all children are ready, around reloads, at the
 * stop, and as watchdog as long as every child answers. The socket stays open for the life of
 * the master. Nothing here can fail in a way that matters.
 */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "master/notify.h"

#define NOTIFY_LINE 256 /* bytes of one datagram */

static int sock = -1;
static struct sockaddr_un address;
static socklen_t address_size;

static void
say(const char *text)
{
	if (sock != -1)
		(void)sendto(sock, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		    (const struct sockaddr *)&address, address_size);
}

/* An absolute path, or "@" and the name of an abstract socket. */
static void
open_socket(const char *name)
{
	size_t n = strlen(name);

	if ((name[0] != '/' && name[0] != '@') || n < 2 || n >= sizeof(address.sun_path))
		return;
	address.sun_family = AF_UNIX;
	memcpy(address.sun_path, name, n);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static uint64_t
watchdog_interval(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t value, owner;

	if (usec == NULL || !num_parse(usec, 1, UINT64_MAX, &value))
		return 0;
	if (pid != NULL &&
	    (!num_parse(pid, 1, UINT64_MAX, &owner) || owner != (uint64_t)getpid()))
		return 0;
	return value / 2000 + 1;
}

uint64_t
notify_init(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	uint64_t interval = watchdog_interval();

	if (name != NULL)
		open_socket(name);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return sock == -1 ? 0 : interval;
}

void
notify_ready(void)
{
	say("READY=1\n");
}

void
notify_reloading(void)
{
	char text[NOTIFY_LINE];

	(void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu\n",
	    (unsigned long long)clock_mono_us());
	say(text);
}

void
notify_stopping(void)
{
	say("STOPPING=1\n");
}

void
notify_watchdog(void)
{
	say("WATCHDOG=1\n");
}

void
notify_status(const char *status)
{
	char text[NOTIFY_LINE];

	(void)snprintf(text, sizeof(text), "STATUS=%s\n", status);
	say(text);
}
