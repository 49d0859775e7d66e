/* SPDX-License-Identifier: ISC */
/* store.h - the process that owns accounts, consent and mailboxes: what its parts share. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "conf/conf.h"
#include "ipc/proc.h"
#include "store/sdb.h"

extern const struct proc store_proc;

/* The database, open from "ready" to the end. */
struct sdb *store_db(void);
const struct conf *store_conf(void);
/* Our domain; valid as long as the process lives. */
struct span store_domain(void);
/* The start number of this process: durable and growing before anybody gets a handle. */
uint64_t store_start(void);
/* A number for an item in results: start number and a count, as queue's qids. */
uint64_t store_number(void);
/* An address in normal form, of our domain. */
bool store_is_ours(struct span address);

#endif
