/* SPDX-License-Identifier: ISC */
/*
 * ctlsock.c - asks the server over its admin socket.
 *
 * Owns one connection with one deadline for all that is asked over it, which --timeout sets.
 * Called by ask.c, account.c and complete.c. That the server is down, refuses this user or
 * does not answer are ordinary results with an exit code and one line that says what to do.
 */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/ctlsock.h"
#include "ipc/frame.h"
#include "ipc/msg.h"
#include "ipc/msgs.h"
#include "wire/code.h"

#define ASK_BYTES (64 * 1024) /* of a message either way; CALLER_MESSAGE_MAX there */
#define VIEW_SOCKET "view.sock"

struct ctlsock {
	struct frame *frame; /* owned */
	uint64_t deadline;   /* clock_mono_ms() */
	uint64_t last_id;
};

void
ctlsock_path(const struct call *call, char *out, size_t size)
{
	const char *dir = call->opt[OPT_DIRECTORY];

	if (call->opt[OPT_SOCKET] != NULL)
		(void)snprintf(out, size, "%s", call->opt[OPT_SOCKET]);
	else if (dir != NULL)
		(void)snprintf(out, size, "%s/run/control.sock", dir);
	else
		(void)snprintf(out, size, "%s/emsg/control.sock", EMSG_RUNSTATEDIR);
}

/* A connected non-blocking socket, or -1 with errno. */
static int
connect_to(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd, keep;

	if ((size_t)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0)
		return fd;
	keep = errno;
	close(fd);
	errno = keep;
	return -1;
}

/* The same in the same directory, for those who may only look. */
static int
connect_to_view(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *view = xasprintf(
	    "%.*s%s", slash == NULL ? 0 : (int)(slash - path + 1), path, VIEW_SOCKET);
	int fd = connect_to(view);

	free(view);
	return fd;
}

static enum tool_exit
explain(const struct call *call, const char *path, int error)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
	case ENOTDIR:
		return (enum tool_exit)tool_fail(call, TOOL_DOWN,
		    "the server is not running (nobody listens on %s)", path);
	case EACCES:
	case EPERM:
		return (enum tool_exit)tool_fail(call, TOOL_DENIED,
		    "%s: not allowed for this user; join the group _emsgq or _emsgadm",
		    path);
	case EAGAIN:
		return (enum tool_exit)tool_fail(
		    call, TOOL_LATER, "%s: the server is busy, try again later", path);
	default:
		return (enum tool_exit)tool_fail(
		    call, TOOL_FAILED, "%s: %s", path, strerror(error));
	}
}

enum tool_exit
ctlsock_open(const struct call *call, bool quietly, struct ctlsock **out)
{
	static const struct frame_limits limits = {.max = ASK_BYTES,
	    .high = 2 * ASK_BYTES,
	    .low = ASK_BYTES,
	    .cap = 4 * ASK_BYTES};
	uint64_t seconds = TOOL_TIMEOUT_S;
	char path[4096];
	int fd;

	ctlsock_path(call, path, sizeof(path));
	fd = connect_to(path);
	if (fd == -1 && errno == EACCES && call->opt[OPT_SOCKET] == NULL) {
		fd = connect_to_view(path);
		if (fd == -1)
			errno = EACCES;
	}
	if (fd == -1)
		return quietly ? TOOL_DOWN : explain(call, path, errno);
	if (call->opt[OPT_TIMEOUT] != NULL)
		(void)words_duration(call->opt[OPT_TIMEOUT], &seconds);
	*out = xcalloc(1, sizeof(**out));
	(*out)->frame = frame_new(fd, &limits);
	(*out)->deadline = clock_mono_ms() + seconds * 1000;
	return TOOL_OK;
}

void
ctlsock_free(struct ctlsock *s)
{
	if (s == NULL)
		return;
	frame_free(s->frame);
	free(s);
}

/* Waits for the socket; false when time is up. */
static bool
wait_for(struct ctlsock *s, short events)
{
	struct pollfd p = {.fd = frame_fd(s->frame), .events = events};
	uint64_t now = clock_mono_ms();

	while (now < s->deadline) {
		int n = poll(&p, 1, (int)(s->deadline - now));

		if (n > 0)
			return true;
		now = clock_mono_ms();
	}
	return false;
}

/* Sends all of the output. 0, -1 the other end is gone, 1 time is up. */
static int
send_all(struct ctlsock *s)
{
	for (;;) {
		switch (frame_write(s->frame)) {
		case FRAME_OK:
			return 0;
		case FRAME_AGAIN:
		case FRAME_LATER:
			if (!wait_for(s, POLLOUT))
				return 1;
			break;
		default:
			return -1;
		}
	}
}

/* The next message. 0, -1 the other end is gone or talks nonsense, 1 time is up. */
static int
next(struct ctlsock *s, struct frame_msg *in)
{
	for (;;) {
		switch (frame_next(s->frame, in)) {
		case FRAME_OK:
			return 0;
		case FRAME_AGAIN:
			break;
		default:
			return -1;
		}
		switch (frame_read(s->frame)) {
		case FRAME_OK:
			break;
		case FRAME_AGAIN:
			if (!wait_for(s, POLLIN))
				return 1;
			break;
		default:
			return -1;
		}
	}
}

static int
send_ask(struct ctlsock *s, unsigned command, struct span args)
{
	struct m_ctl_ask ask = {.command = (uint16_t)command, .args = args};
	struct buf b;
	int rc = -1;

	buf_init(&b, ASK_BYTES);
	if (payload_put(msg_find(MSG_CTL_ASK)->fields, &ask, &b) == 0 &&
	    frame_queue(s->frame, MSG_CTL_ASK, 0, ++s->last_id, buf_span(&b), -1) == 0)
		rc = send_all(s);
	buf_clear(&b);
	return rc;
}

/* Judges one message. 0 go on, -1 nonsense, 1 it was the end. */
static int
take(const struct frame_msg *in, void (*row)(unsigned, struct span, void *), void *arg,
    struct ctlsock_end *end)
{
	struct m_ctl_row r;
	struct m_ctl_end e;

	if (in->type == MSG_CTL_ROW) {
		if (payload_get(msg_find(MSG_CTL_ROW)->fields, in->payload, &r) == -1)
			return -1;
		end->rows++;
		if (row != NULL)
			row(r.kind, r.row, arg);
		return 0;
	}
	if (in->type != MSG_CTL_END ||
	    payload_get(msg_find(MSG_CTL_END)->fields, in->payload, &e) == -1)
		return -1;
	end->code = e.code;
	(void)text_copy(end->text, sizeof(end->text), e.text);
	return 1;
}

int
ctlsock_ask(struct ctlsock *s, unsigned command, struct span args,
    void (*row)(unsigned kind, struct span row, void *arg), void *arg,
    struct ctlsock_end *end)
{
	struct frame_msg in;
	int rc;

	*end = (struct ctlsock_end){.code = CODE_TIMEOUT};
	rc = send_ask(s, command, args);
	while (rc == 0) {
		rc = next(s, &in);
		if (rc != 0)
			break;
		if (in.id != s->last_id)
			continue;
		rc = take(&in, row, arg, end);
		if (rc == 1)
			return 0;
	}
	if (rc == 1)
		(void)snprintf(end->text, sizeof(end->text), "no answer in time");
	return rc == 1 ? 0 : -1;
}
