/* SPDX-License-Identifier: ISC */
/*
 * storeproc.h - a real emsg-store and the other ends of its channels.
 */
#ifndef TESTS_STOREPROC_H
#define TESTS_STOREPROC_H

#include "ipc/msgs.h"
#include "tests/unit/objkit.h"
#include "wire/call.h"

#define WAIT_MS 10000
#define ALICE "alice#im.alpha.test"
#define BETA "im.beta.test"

union storeproc_got {
	struct m_nonce nonce;
	struct m_login_res login;
	struct m_peer_auth_res peer;
	struct m_res res;
	struct m_put_res put_res;
	struct m_push push;
	struct m_handle handle;
	struct m_handle_add add;
	struct m_domain domain;
	struct m_ctl_row row;
	struct m_ctl_end end;
	char room[1024];
};

/* The last message, and its id. */
extern union storeproc_got sp_got;
extern uint64_t sp_id;
/* Keeps what sp_got borrows from; the test makes and clears it. */
extern struct buf sp_bytes;
/* The process's directory, ending in six characters for mkdtemp. */
extern char sp_dir[];
/* What strace is to do to the next run; NULL: it runs by itself. */
extern const char *sp_inject;
/* Alice's keys. */
extern struct kit_key sp_identity, sp_list, sp_device;
extern uint8_t sp_device_id[16];

/* One message from a neighbour (the struct of its type). */
void sp_say(enum role from, uint16_t type, uint64_t id, const void *body);
/* The next message at a neighbour's end, in got; 0 if none comes within ms. */
uint16_t sp_next_message(enum role at, int ms);
/* The next message must be of this type. */
void sp_hear(enum role at, uint16_t type);
/* Nothing comes for a while. */
void sp_silence(enum role at);
/* A fresh channel to this neighbour, as after its restart. */
void sp_send_peer(enum role role);
/* Starts the process and waits until it is ready. */
void sp_run(void);
/* Waits for its end after a signal (0: it ends by itself): its exit status, or -1. */
int sp_end_run(int sig);
/* kill -9, and a new one. */
void sp_kill_and_run(void);
/* A request on link 1: the code of its answer. */
uint64_t sp_request(
    uint64_t handle, const char *method, const struct obj_def *def, const void *args);
/* Makes alice's account: the code. */
uint64_t sp_register_alice(void);
/* One nonce. */
void sp_ask_nonce(uint8_t nonce[32]);
/* Sends alice's proof over this nonce, with something changed. */
void sp_prove(const uint8_t nonce[32], const char *domain, bool exporter_ok,
    const struct kit_key *key);
/* Queue hears of a handle and notes it. */
uint64_t sp_queue_notes(void);
/* All of a login: the handle. */
uint64_t sp_log_in(void);
/* Puts an item into alice's own mailbox. */
void sp_put(uint64_t handle, uint64_t id, const uint8_t mid[16]);
/* The code of the one recipient of that put. */
uint64_t sp_outcome(uint64_t id);
/* The device's window. */
void sp_grant_credit(uint64_t handle, uint64_t items);
/* A push of this kind comes: its seq. */
uint64_t sp_pushed(uint64_t handle, uint64_t kind);
/* The device has all up to seq. */
void sp_done(uint64_t handle, uint64_t seq);

#endif
