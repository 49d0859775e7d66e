/* SPDX-License-Identifier: ISC */
/*
 * relayproc.h - a real emsg-relay, the other ends of its channels, and the peer that it dials.
 */
#ifndef TESTS_RELAYPROC_H
#define TESTS_RELAYPROC_H

#include <sys/types.h>

#include "ipc/msgs.h"
#include "net/link.h"
#include "wire/proto.h"

#define BOB "bob#im.beta.test"
#define CAROL "carol#im.beta.test"

union relayproc_got {
	struct m_sent sent;
	struct m_send_fail fail;
	struct m_peer_up up;
	struct m_peer_down down;
	struct m_peer_check check;
	struct m_query_res res;
	struct m_prove prove;
	struct m_domain connect;
	char room[1024];
};

/* The last message, and its id. */
extern union relayproc_got rp_got;
extern uint64_t rp_got_id;
/* The process; 0: it has ended. */
extern pid_t rp_pid;
/* The far end of its link; NULL: none, or it has ended. */
extern struct link *rp_peer;

/* Starts the process and waits until it is ready; ends it. */
void rp_setup(void);
void rp_teardown(void);

/* One message from a neighbour (the struct of its type). */
void rp_say(enum role from, uint16_t type, uint64_t id, const void *body);
/* The next message at a neighbour's end must be of this type. */
void rp_hear(enum role at, uint16_t type);
/* Nothing comes for a while. */
void rp_silence(enum role at);
/* A fresh channel to this neighbour, as after its restart. */
void rp_send_peer(enum role role);
/* Queue hands over an item for bob, or for bob and carol, with so large a body. */
void rp_send_item(uint64_t qid, size_t size, bool both);
/* Queue hears a result of this item; that it comes back; that the link is down, and then
 * nothing more; it notes that end. */
void rp_queue_hears_sent(uint64_t qid);
void rp_queue_hears_fail(uint64_t qid, uint16_t code);
void rp_queue_hears_down(uint16_t code, bool orderly);
/* Store asks the peer something; it hears the answer: its code. */
void rp_send_query(uint64_t id);
uint64_t rp_store_hears_res(uint64_t id);

/* Dialer is asked for the peer and has a socket; the peer is behind it. */
void rp_dial(void);
/* From the peer's hello to the proved link; the peer grants this window. */
void rp_prove(uint64_t items, uint64_t size);
/* All of it: a proved link with nothing to carry. */
void rp_link_up(uint64_t items, uint64_t size);
/* A frame of the peer. */
void rp_peer_say(uint64_t type, uint64_t id, const struct obj_def *, const void *body);
void rp_say_hello(void);
/* A result with the same code for all these accounts (to NULL), and with this text. */
void rp_peer_result(
    uint64_t id, uint64_t code, const char *const *accounts, struct span text);
/* Bob has it. */
void rp_peer_done(uint64_t id);
/* The next frame that the peer hears must be of this type; its id. */
uint64_t rp_peer_hears(uint64_t type);
/* The peer hears a bye with this code, and then the link ends in order. */
void rp_peer_hears_bye(uint64_t code);
/* It hears nothing for a while. */
void rp_peer_silence(void);

#endif
