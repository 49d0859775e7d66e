/* SPDX-License-Identifier: ISC */
/*
 * handles.c - who stands behind a handle.
 *
 * Owns one small struct for each live handle. Filled and emptied by the messages of store in
 * queue.c; asked by intake.c. A handle lives here before listener hears of it, and ends when
 * store says so or when store itself is gone: a new store makes new handles. Refuses only what
 * would pass HANDLES_MAX; the item that comes with such a handle is then refused for now.
 */
#include "queue/handles.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

struct handles {
	struct map *map; /* number -> struct handle, owned */
};

struct handles *
handles_new(void)
{
	struct handles *h = xcalloc(1, sizeof(*h));

	h->map = map_new();
	return h;
}

static void
handle_free(struct handle *h)
{
	if (h == NULL)
		return;
	free(h->name);
	free(h);
}

void
handles_free(struct handles *h)
{
	struct span key;
	size_t pos = 0;
	void *value;

	if (h == NULL)
		return;
	while (map_next(h->map, &pos, &key, &value))
		handle_free(value);
	map_free(h->map);
	free(h);
}

bool
handles_put(struct handles *h, uint64_t number, uint8_t kind, const uint8_t *device,
    struct span name)
{
	struct handle *one;

	if (map_count(h->map) >= HANDLES_MAX)
		return false;
	one = xcalloc(1, sizeof(*one));
	one->number = number;
	one->kind = kind;
	memcpy(one->device, device, sizeof(one->device));
	one->name = xstrndup((const char *)name.p, name.n);
	handle_free(map_put_u64(h->map, number, one));
	return true;
}

void
handles_take(struct handles *h, uint64_t number)
{
	handle_free(map_take_u64(h->map, number));
}

const struct handle *
handles_find(const struct handles *h, uint64_t number)
{
	return map_find_u64(h->map, number);
}

size_t
handles_count(const struct handles *h)
{
	return map_count(h->map);
}
