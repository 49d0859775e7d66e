/* SPDX-License-Identifier: ISC */
/*
 * ctlsock.h - the connection of a tool to the server's admin socket.
 */
#ifndef CLI_CTLSOCK_H
#define CLI_CTLSOCK_H

#include "base/span.h"
#include "cli/tool.h"

struct ctlsock;

#define CTLSOCK_TEXT 513

struct ctlsock_end {
	unsigned code; /* wire/code.h; CODE_TIMEOUT if nobody answered in time */
	char text[CTLSOCK_TEXT]; /* for people, may be empty */
	size_t rows;
};

/* Where to call: --socket, or below --directory, or the installed place. */
void ctlsock_path(const struct call *, char *out, size_t size);
/* Connects: to the socket of the admin group, or to that of the view group beside it if the
 * first one is not for this user. TOOL_OK with *s, or TOOL_DOWN, TOOL_DENIED or TOOL_FAILED;
 * then a line was printed unless quietly. */
enum tool_exit ctlsock_open(const struct call *, bool quietly, struct ctlsock **s);
/* NULL-safe. */
void ctlsock_free(struct ctlsock *);
/* Asks and waits for the end; row() gets each row as it comes. Returns 0, or -1 if the
 * server closed the connection. */
int ctlsock_ask(struct ctlsock *, unsigned command, struct span args,
    void (*row)(unsigned kind, struct span row, void *arg), void *arg,
    struct ctlsock_end *);

#endif
