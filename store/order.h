/* SPDX-License-Identifier: ISC */
/*
 * order.h - the order of items on links between servers (doc/protocol.md section 9.4).
 *
 * After a temporary outcome for a recipient, later items of the same fifo to it wait until
 * one comes with "restart". What is remembered ends with the link.
 */
#ifndef STORE_ORDER_H
#define STORE_ORDER_H

#include "store/handle.h"

/* True: this recipient's outcome is "after". restart forgets what was remembered. */
bool order_waits(struct handle *, uint64_t fifo, struct span account, bool restart);
/* This recipient had a temporary outcome. */
void order_note(struct handle *, uint64_t fifo, struct span account);
/* The put with this message id may still fail with its turn. */
void order_expect(uint64_t id, uint64_t handle, uint64_t fifo);
/* It did, for this recipient. */
void order_failed(uint64_t id, struct span account);
/* The turn is over. */
void order_turn(void);

#endif
