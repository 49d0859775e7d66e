/* SPDX-License-Identifier: ISC */
/*
 * handle.h - numbers that stand for what was proved on a link at listener.
 *
 * Queue hears of a handle first; listener gets its answer only after queue noted it. Handles
 * are never used again: their upper half is the durable start number.
 */
#ifndef STORE_HANDLE_H
#define STORE_HANDLE_H

#include "base/map.h"
#include "ipc/channel.h"
#include "ipc/msgs.h"

/* Pushes of one device's link (push.c). */
struct push_item {
	uint64_t seq, bytes;
};
struct pushing {
	bool open;  /* a credit came */
	bool dirty; /* something may be there to push */
	uint64_t window_items, window_bytes;
	uint64_t sent;           /* newest seq that was looked at */
	uint64_t skipped;        /* all up to here was not for this device, or is done */
	struct push_item *items; /* owned ring: pushed and not done */
	size_t first, count, room;
	uint64_t bytes; /* of these */
};

struct handle {
	uint64_t id, link;
	enum handle_kind kind;
	char *name; /* owned: address or domain */
	uint8_t device[16];
	bool known; /* queue has it and listener was told */
	bool seen;  /* the device's row says when it was here last */
	/* The answer that listener gets when queue has noted the handle. */
	uint16_t answer_type;
	uint64_t answer_id;
	uint8_t *answer; /* owned payload */
	size_t answer_n;
	struct pushing push;
	struct map *order; /* owned: order.c */
	bool order_over;
	struct handle *next; /* of the same account */
};

/* Makes one for a proved link and tells queue. type and body: the answer for listener (struct
 * of that type, its handle filled in here), sent under id. NULL if there are too many links or
 * no queue; *code says which. */
struct handle_new {
	enum handle_kind kind;
	struct span name;
	const uint8_t *device; /* NULL for a peer */
	uint64_t link;
	uint16_t type;
	uint64_t id;
};
struct handle *handle_new(const struct handle_new *, unsigned *code);
/* The answer (struct of answer_type, with the handle in it) to send when queue is ready. */
void handle_answer(struct handle *, const void *body);
/* A live handle, or NULL. Only known ones: a link that was never told has no rights. */
struct handle *handle_find(uint64_t id);
/* The same, also one that queue has not noted yet: what is revoked must not come up later. */
struct handle *handle_find_any(uint64_t id);
/* First link of an account; follow next. */
struct handle *handle_of(struct span account);
size_t handle_count(void);
struct span handle_name(const struct handle *);
/* Forgets it and tells queue. */
void handle_free(struct handle *);
/* Has listener end the link (bye with code), then forgets it. */
void handle_revoke(struct handle *, unsigned code);
/* All links of an account, or of one device of it (NULL: all). */
void handle_revoke_device(struct span account, const uint8_t *device, unsigned code);
/* Queue is there (again): it hears all live handles. */
void handle_announce(struct channel *queue);
/* Listener is gone: so are all links. */
void handle_drop_all(void);
/* Walks all. */
bool handle_next(size_t *pos, struct handle **);
void on_handle_ok(struct channel *, struct channel_msg *);
void on_link_end(struct channel *, struct channel_msg *);

#endif
