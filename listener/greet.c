/* SPDX-License-Identifier: ISC */
/*
 * greet.c - hellos, each with a nonce that store made.
 *
 * Owns a pool of at most GREET_POOL nonces, so that a new link does not wait for store, and the
 * list of links that wait because the pool is empty (their set-up deadline goes on). A nonce is
 * given out once. When store ends, the pool is void: the next store knows none of them.
 */
#include "config.h"

#include "base/clock.h"
#include "ipc/msgs.h"
#include "listener/greet.h"
#include "listener/listener.h"

static TAILQ_HEAD(, inlink) waiting = TAILQ_HEAD_INITIALIZER(waiting);
static uint8_t pool[GREET_POOL][32];
static unsigned have, asked;

/* Asks store for as many as are missing. */
static void
refill(void)
{
	struct channel *store = proc_channel(ROLE_STORE);

	while (store != NULL && have + asked < GREET_POOL &&
	    channel_send(store, MSG_NONCE_ASK, 0, NULL, -1) == 0)
		asked++;
}

static void
greet(struct inlink *l, const uint8_t nonce[32])
{
	struct p_hello hello = {.time = clock_wall_ms(),
	    .domain = span_str(conf_str(listener_conf(), CONF_DOMAIN)),
	    .version_min = PROTO_VERSION,
	    .version_max = PROTO_VERSION};

	hello.limits.item = conf_u64(listener_conf(), CONF_LIMITS_ITEM_SIZE);
	hello.limits.message = PROTO_MESSAGE_MAX;
	hello.limits.recipients = conf_u64(listener_conf(), CONF_LIMITS_RECIPIENTS);
	if (hello.limits.recipients > PROTO_RECIPIENTS_MAX)
		hello.limits.recipients = PROTO_RECIPIENTS_MAX;
	hello.limits.idle = conf_u64(listener_conf(), CONF_LIMITS_IDLE_TIMEOUT);
	memcpy(l->nonce, nonce, sizeof(l->nonce));
	memcpy(hello.nonce, nonce, sizeof(hello.nonce));
	l->greeted = true;
	if (l->state == INLINK_NEW)
		l->state = INLINK_GREETED;
	inlink_frame_obj(l, FRAME_HELLO, 0, &p_hello_def, &hello);
}

void
greet_want(struct inlink *l)
{
	if (have > 0) {
		have--;
		greet(l, pool[have]);
	} else if (!l->waiting) {
		l->waiting = true;
		TAILQ_INSERT_TAIL(&waiting, l, waiting_entry);
	}
	refill();
}

void
greet_forget(struct inlink *l)
{
	if (l->waiting)
		TAILQ_REMOVE(&waiting, l, waiting_entry);
	l->waiting = false;
}

void
greet_nonce(const uint8_t nonce[32])
{
	struct inlink *l = TAILQ_FIRST(&waiting);

	if (asked > 0)
		asked--;
	if (l != NULL) {
		greet_forget(l);
		greet(l, nonce);
		refill();
	} else if (have < GREET_POOL) {
		memcpy(pool[have++], nonce, sizeof(pool[0]));
	}
}

void
greet_store_up(void)
{
	have = asked = 0;
	refill();
}

void
greet_store_down(void)
{
	have = asked = 0;
}
