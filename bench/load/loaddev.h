/* SPDX-License-Identifier: ISC */
/*
 * loaddev.h - one device of the load generator on its link: connect, register, log in, frames.
 *
 * Life: loaddev_new -> loaddev_connect -> on_ready (logged in, credit given) -> on_push,
 * on_outcome, on_res ... -> loaddev_free. When the server says hello again, the device proves
 * itself again and on_ready comes again. Pushes are confirmed (done) by loaddev itself, once a
 * WebSocket message. Everything that goes wrong with the link ends in on_failed.
 */
#ifndef BENCH_LOADDEV_H
#define BENCH_LOADDEV_H

#include <netinet/in.h>

#include "wire/proto.h"

#include "loadkeys.h"

#define LOADDEV_WHY_MAX 1024 /* bytes of a reason with terminator */

struct event_base;
struct loaddev;
struct tls_client;

/* A server that is under load. */
struct loadserver {
	char domain[ADDR_DOMAIN_MAX + 1];
	struct sockaddr_in addr;
};
/* What all devices share; borrowed. */
struct loadenv {
	struct event_base *base;
	struct tls_client *tls;
	/* Tokens of invitations, 16 bytes each, for those who register; may be NULL. */
	const uint8_t (*tokens)[16];
	size_t n_tokens, next_token;
};

struct loaddev_ops { /* any may be NULL but on_failed */
	void (*on_ready)(struct loaddev *, void *arg);
	/* One recipient's outcome of the put with that id. */
	void (*on_outcome)(
	    struct loaddev *, uint64_t id, const struct p_outcome *, void *arg);
	void (*on_push)(struct loaddev *, const struct p_push *, void *arg);
	void (*on_res)(struct loaddev *, uint64_t id, uint64_t code, void *arg);
	/* All frames of one WebSocket message were handled. */
	void (*on_turn)(struct loaddev *, void *arg);
	void (*on_failed)(struct loaddev *, const char *why, void *arg);
};

/* keys must outlive it. arg goes to the callbacks. */
struct loaddev *loaddev_new(struct loadenv *, const struct loadserver *,
    struct loadkeys *, const struct loaddev_ops *, void *arg);
/* NULL-safe; may not be called from its own callbacks. */
void loaddev_free(struct loaddev *);
/* Connects and logs in; registers the account first if asked. -1 with errno. */
int loaddev_connect(struct loaddev *, bool reg);
/* Appends a frame to what goes out with the next flush (or when it is much). */
void loaddev_frame(struct loaddev *, uint64_t type, uint64_t id, const struct obj_def *,
    const void *obj);
void loaddev_req(struct loaddev *, uint64_t id, const char *method,
    const struct obj_def *args_def, const void *args);
void loaddev_flush(struct loaddev *);
bool loaddev_ready(const struct loaddev *);
const struct loadkeys *loaddev_keys(const struct loaddev *);
const struct loadserver *loaddev_server(const struct loaddev *);
/* Puts of that many bytes that the server lets this device have without a result. */
uint64_t loaddev_credit(const struct loaddev *, size_t bytes);

#endif
