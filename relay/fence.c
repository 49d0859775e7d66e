/* SPDX-License-Identifier: ISC */
/*
 * fence.c - holds items back that were sent in ignorance of a link's end.
 *
 * Owns one count for each domain that waits for queue: the ends of links that were told and
 * not noted yet (links for requests may come and go meanwhile). Called by outbound.c when a
 * link ends and for each item, by relay.c when queue answers or is gone. Queue answers every
 * end, so an entry lives for one turn of the two processes. Cannot fail.
 */
#include "relay/fence.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

struct fence {
	unsigned ends; /* told and not noted */
	uint16_t code; /* of the last one */
};

static struct map *fences; /* domain -> struct fence, owned */

void
fence_put(struct span domain, uint16_t code)
{
	struct fence *f;

	if (fences == NULL)
		fences = map_new();
	f = map_find(fences, domain);
	if (f == NULL) {
		f = xcalloc(1, sizeof(*f));
		map_put(fences, domain, f);
	}
	f->ends++;
	f->code = code;
}

void
fence_noted(struct span domain)
{
	struct fence *f = fences == NULL ? NULL : map_find(fences, domain);

	if (f != NULL && --f->ends == 0)
		free(map_take(fences, domain));
}

uint16_t
fence_code(struct span domain)
{
	const struct fence *f = fences == NULL ? NULL : map_find(fences, domain);

	return f == NULL ? 0 : f->code;
}

void
fence_clear(void)
{
	struct span key;
	size_t pos = 0;
	void *f;

	while (fences != NULL && map_next(fences, &pos, &key, &f))
		free(map_take(fences, key));
}
