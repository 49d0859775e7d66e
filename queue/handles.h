/* SPDX-License-Identifier: ISC */
/*
 * handles.h - who stands behind a handle, as store told us; listener's word does not count.
 */
#ifndef QUEUE_HANDLES_H
#define QUEUE_HANDLES_H

#include "base/span.h"

#define HANDLES_MAX (1U << 20) /* one more is refused */
#define HANDLES_ID_SIZE 16

struct handles;

struct handle {
	uint64_t number;
	uint8_t kind; /* enum handle_kind */
	uint8_t device[HANDLES_ID_SIZE];
	char *name; /* owned: address or domain */
};

struct handles *handles_new(void);
void handles_free(struct handles *);
/* Adds or replaces. False if there are too many. */
bool handles_put(struct handles *, uint64_t number, uint8_t kind, const uint8_t *device,
    struct span name);
void handles_take(struct handles *, uint64_t number);
/* NULL if unknown. */
const struct handle *handles_find(const struct handles *, uint64_t number);
size_t handles_count(const struct handles *);

#endif
