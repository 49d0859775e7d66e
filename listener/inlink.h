/* SPDX-License-Identifier: ISC */
/*
 * inlink.h - one accepted connection: who it is, what state it is in, what waits on it.
 *
 *	NEW -> GREETED -> PROVING -> IN		the way in
 *	IN -> AGAIN -> PROVING -> IN		store lost its state: prove once more
 *	any -> ENDING				bye was said; only its end is awaited
 */
#ifndef LISTENER_INLINK_H
#define LISTENER_INLINK_H

#include <sys/queue.h>

#include "base/buf.h"
#include "listener/inlimits.h"
#include "net/link.h"
#include "wire/proto.h"

#define INLINK_BATCH (64u * 1024u) /* bytes of frames that go out in one message */
#define INLINK_REQS 32             /* requests without an answer, of one link */
#define INLINK_REQS_EARLY 4        /* the same before login */
#define INLINK_EARLY_BURST 16      /* requests before login that may come at once, */
#define INLINK_EARLY_MS 1000       /* and one more for each of these */
#define INLINK_HELD_MAX (64u * 1024u * 1024u) /* bytes of input put by, all links */

enum inlink_state {
	INLINK_NEW,     /* open, no hello yet */
	INLINK_GREETED, /* hello is out */
	INLINK_PROVING, /* store (then keyd) works on the proof */
	INLINK_IN,      /* welcome is out */
	INLINK_AGAIN,   /* was in; store must see a proof again */
	INLINK_ENDING,
	INLINK_STATES
};
enum inlink_path { INLINK_C2S, INLINK_S2S, INLINK_PATHS };

struct inlink {
	uint64_t number;   /* never reused; store echoes it */
	struct link *link; /* owned */
	char from[CONN_PEER_MAX];
	uint8_t key[INLIMITS_KEY];
	enum inlink_path path;
	enum inlink_state state;
	bool opened;  /* the WebSocket is open: frames may go out */
	bool proved;  /* counted as authenticated (inlimits.h) */
	bool greeted; /* AGAIN: the hello is out */
	bool was_in;  /* PROVING: for the second time */
	uint8_t nonce[32];
	uint8_t exporter[32];
	uint64_t handle;                /* at store; 0: none */
	char peer[ADDR_DOMAIN_MAX + 1]; /* s2s: the proved domain */

	uint64_t open_items, open_bytes; /* puts without a full result */
	unsigned open_reqs;
	unsigned early_left; /* requests before login: as of early_at */
	uint64_t early_at;   /* clock_mono_ms() */
	struct buf held;     /* input that waits for room in another process */
	bool stalled;        /* input was put by: the link is paused */
	bool full;           /* output waits: the link is paused */
	struct buf out;      /* frames of this turn */
	bool dirty;          /* on the list of those with output */
	bool waiting;        /* on the list of those that want a nonce */

	/* all_entry: also on the list of those to be freed. */
	TAILQ_ENTRY(inlink) all_entry, dirty_entry, stalled_entry, waiting_entry;
};

/* What new connections get; called again with a new configuration. All but the limits are
 * borrowed. */
void inlink_setup(struct event_base *, struct tls_server *, const struct conn_limits *);
/* A connection within the limits (accept_fn). */
void inlink_accept(int fd, const uint8_t *key, const char *from);
/* By number or handle; NULL if it is gone or ending. */
struct inlink *inlink_find(uint64_t number);
struct inlink *inlink_by_handle(uint64_t handle);
/* Enters the handle that store gave, so that it can be found; 0: takes it out. */
void inlink_set_handle(struct inlink *, uint64_t handle);
/* The proof was accepted: state IN, no set-up deadline, the great message limit. */
void inlink_in(struct inlink *);

/* Queues a frame for the end of this turn. Nothing happens on a link that is ending. */
void inlink_frame(struct inlink *, uint64_t type, uint64_t id, struct span body);
void inlink_frame_obj(struct inlink *, uint64_t type, uint64_t id, const struct obj_def *,
    const void *body);
/* Says bye with this code and text (static or "") and ends the link. */
void inlink_bye(struct inlink *, uint16_t code, const char *text);
/* Takes back the pause of a link whose input waited, and handles the input. */
void inlink_resume_stalled(void);
/* The end of a turn: sends its frames, frees the links that are over. */
void inlink_flush(void);
/* For every link that is not ending; fn may end it. */
void inlink_each(void (*fn)(struct inlink *));
/* Puts input by: the link is paused until inlink_resume_stalled(). False if there is too
 * much of it already. */
bool inlink_hold(struct inlink *, struct span rest);
/* Says bye on every link. */
void inlink_stop(void);
/* There is none any more. */
bool inlink_none(void);
/* Bytes of input put by, of all links. */
size_t inlink_held_bytes(void);

#endif
