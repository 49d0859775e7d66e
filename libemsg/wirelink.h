/* SPDX-License-Identifier: ISC */
/*
 * wirelink.h - the link of a device to its server: WebSocket, hello, proof, login, frames.
 */
#ifndef LIBEMSG_WIRELINK_H
#define LIBEMSG_WIRELINK_H

#include "rows.h"
#include "wiresock.h"

#define WIRELINK_ITEMS 256 /* our window for pushes */
#define WIRELINK_BYTES ((uint64_t)4 << 20)
#define WIRELINK_QUIET_MS 60000 /* after that much silence we ask whether it lives */
#define WIRELINK_DEAD_MS 25000  /* and give it up when that long no answer came */

enum wirelink_state {
	LINK_DOWN,
	LINK_OPENING, /* TCP, TLS, HTTP, hello, proof of the domain key */
	LINK_OPEN,    /* hello was good; nobody logged in (before registration) */
	LINK_LOGIN,   /* auth is on its way */
	LINK_READY
};

struct wirelink_ops {
	/* Logged in, at first and again. The welcome borrows. */
	void (*up)(void *arg, const struct p_welcome_c2s *);
	/* A result, push, res or event. */
	void (*frame)(void *arg, const struct wframe *);
	/* All frames that came together were given. */
	void (*batch)(void *arg);
	/* It is down. code: of a bye, else 0. */
	void (*down)(void *arg, unsigned code, const char *why);
};

struct wirelink;

/* self is borrowed and must outlive the link; login false: stay LINK_OPEN. NULL and *why. */
struct wirelink *wirelink_new(const struct row_self *self, bool login,
    const struct wirelink_ops *, void *arg, const char **why);
/* NULL-safe. */
void wirelink_free(struct wirelink *);
/* Begins to connect; what fails later comes through down(). */
void wirelink_start(struct wirelink *);
/* Says good-bye and closes, without down(). */
void wirelink_stop(struct wirelink *);
enum wirelink_state wirelink_state(const struct wirelink *);
void wirelink_process(struct wirelink *);
int wirelink_fd(const struct wirelink *);
bool wirelink_wants_write(const struct wirelink *);
/* Milliseconds until wirelink_process() is due; -1: never. */
int wirelink_timeout(const struct wirelink *);
/* Sends a frame with an encoded body; -1 if the link is not open or has too much to send. */
int wirelink_send(struct wirelink *, enum frame_type, uint64_t id, struct span body);
int wirelink_send_obj(struct wirelink *, enum frame_type, uint64_t id,
    const struct obj_def *, const void *);
/* Sends a request. args NULL: none. */
int wirelink_request(struct wirelink *, uint64_t id, const char *method,
    const struct obj_def *, const void *args);
/* How far the server's clock is ahead, ms, as its last hello said. */
int64_t wirelink_clock(const struct wirelink *);

#endif
