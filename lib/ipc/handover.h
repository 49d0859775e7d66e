/* SPDX-License-Identifier: ISC */
/*
 * handover.h - what the master hands to a process: who it is, its configuration, and open
 * descriptors. Used by proc.c only.
 */
#ifndef IPC_HANDOVER_H
#define IPC_HANDOVER_H

#include "base/span.h"
#include "ipc/msgs.h"

#define HANDOVER_RESOURCES 256 /* descriptors that wait for their configuration */

/* A descriptor that was not given to the process yet. */
struct handover_resource {
	unsigned kind; /* enum resource */
	uint8_t *name; /* owned */
	size_t n;
	int fd; /* owned */
};

/* A configuration as bytes (conf/share.h). */
struct handover_conf {
	uint8_t *p; /* owned */
	size_t n;
	uint64_t number;
};

struct handover {
	bool known;               /* boot has come */
	struct m_boot boot;       /* its spans are not valid; use the strings */
	char *user, *root, *data; /* owned; "" where there is none */
	struct handover_conf conf, next;
	struct handover_resource resources[HANDOVER_RESOURCES];
	size_t nresources;
};

void handover_init(struct handover *);
/* Frees everything and closes what was not given out. */
void handover_clear(struct handover *);
void handover_boot(struct handover *, const struct m_boot *);
/* The first configuration, or the next one. */
void handover_conf(struct handover_conf *, const struct m_conf *);
/* The next configuration becomes the present one; false if it has another number. */
bool handover_switch(struct handover *, uint64_t number);
/* Keeps a descriptor, which it owns then. False if there are too many (fd is closed). */
bool handover_keep(struct handover *, const struct m_resource *, int fd);
/* Gives out all that is kept; take owns the descriptor from then on. Stops giving at the first
 * result that is not 0 and returns it; the rest is closed. take NULL: nobody wants any. */
int handover_give(
    struct handover *, int (*take)(unsigned kind, struct span name, int fd));
/* The data directory as it is called after chroot, if there was one. */
const char *handover_data_path(const struct handover *);

#endif
