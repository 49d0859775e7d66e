/* SPDX-License-Identifier: ISC */
/*
 * handover.c - keeps what the master hands over until the process can take it.
 *
 * Descriptors come before the configuration that they belong to, at boot and at every reload,
 * so they wait here and are given to the process together with it. The configuration stays as
 * bytes: decoding it is the business of conf/share.h, which this layer does not know. proc.c
 * is the only user. Nothing fails but the bound on waiting descriptors.
 */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "ipc/handover.h"

static char *
copy_text(struct span s)
{
	return xstrndup(s.n == 0 ? "" : (const char *)s.p, s.n);
}

void
handover_init(struct handover *h)
{
	memset(h, 0, sizeof(*h));
	handover_boot(h, &(const struct m_boot){0});
	h->known = false;
}

void
handover_boot(struct handover *h, const struct m_boot *boot)
{
	free(h->user);
	free(h->root);
	free(h->data);
	h->boot = *boot;
	h->user = copy_text(boot->user);
	h->root = copy_text(boot->root);
	h->data = copy_text(boot->data);
	h->known = true;
}

static void
conf_clear(struct handover_conf *c)
{
	freezero(c->p, c->n);
	*c = (struct handover_conf){0};
}

void
handover_conf(struct handover_conf *c, const struct m_conf *m)
{
	conf_clear(c);
	c->p = m->values.n == 0 ? NULL : xmemdup(m->values.p, m->values.n);
	c->n = m->values.n;
	c->number = m->number;
}

bool
handover_switch(struct handover *h, uint64_t number)
{
	if (h->next.p == NULL || h->next.number != number)
		return false;
	conf_clear(&h->conf);
	h->conf = h->next;
	h->next = (struct handover_conf){0};
	return true;
}

bool
handover_keep(struct handover *h, const struct m_resource *m, int fd)
{
	struct handover_resource *r;

	if (h->nresources == HANDOVER_RESOURCES) {
		close(fd);
		return false;
	}
	r = &h->resources[h->nresources++];
	r->kind = m->kind;
	r->name = m->name.n == 0 ? NULL : xmemdup(m->name.p, m->name.n);
	r->n = m->name.n;
	r->fd = fd;
	return true;
}

int
handover_give(struct handover *h, int (*take)(unsigned kind, struct span name, int fd))
{
	int rc = 0;

	for (size_t i = 0; i < h->nresources; i++) {
		struct handover_resource *r = &h->resources[i];

		if (rc == 0 && take != NULL)
			rc = take(r->kind, span_of(r->name, r->n), r->fd);
		else
			close(r->fd);
		free(r->name);
	}
	h->nresources = 0;
	return rc;
}

const char *
handover_data_path(const struct handover *h)
{
	size_t n = strlen(h->root);

	if (h->boot.privileged == 0 || n <= 1 || strncmp(h->data, h->root, n) != 0)
		return h->data;
	return h->data[n] == '\0' ? "/" : h->data + n;
}

void
handover_clear(struct handover *h)
{
	(void)handover_give(h, NULL);
	conf_clear(&h->conf);
	conf_clear(&h->next);
	free(h->user);
	free(h->root);
	free(h->data);
	h->user = h->root = h->data = NULL;
}
