/* SPDX-License-Identifier: ISC */
/*
 * roots.c - which certificates relay believes.
 *
 * Owns one TLS client context for all peers (the system's CAs and the operator's extra ones)
 * and one for each peer that has CAs of its own. Files are read before the sandbox closes, or
 * come as descriptors at a reload. A reload builds a new set and then swaps; connections made
 * from old contexts live on.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "relay/roots.h"

#define CA_FILE_MAX (4u * 1024 * 1024)
#define CA_ALL_MAX (8u * 1024 * 1024)

static struct tls *tls;           /* owned: library context */
static unsigned char *system_pem; /* owned */
static size_t nsystem;
static struct buf extra;           /* for all peers */
static struct map *own;            /* domain -> struct buf: being added */
static struct tls_client *general; /* owned */
static struct map *special;        /* domain -> struct tls_client, owned */

int
roots_start(void)
{
	tls = tls_new();
	if (tls == NULL) {
		log_error("relay.tls", "error=\"OpenSSL cannot give a context\"");
		return -1;
	}
	if (tls_ca_read(NULL, &system_pem, &nsystem) == -1) {
		log_warn("relay.ca", "error=\"no system CAs: %s\"", strerror(errno));
		system_pem = NULL;
		nsystem = 0;
	}
	buf_init(&extra, CA_FILE_MAX);
	own = map_new();
	special = map_new();
	return 0;
}

int
roots_add(struct span domain, int fd)
{
	unsigned char *pem = NULL;
	struct buf *b = &extra;
	size_t n = 0;
	int r = fd_read_all(fd, CA_FILE_MAX, &pem, &n);

	close(fd);
	if (r == -1) {
		log_error("relay.ca", "peer=%s error=\"%s\"", log_text(domain),
		    strerror(errno));
		return -1;
	}
	if (domain.n > 0 && (b = map_find(own, domain)) == NULL) {
		b = xcalloc(1, sizeof(*b));
		buf_init(b, CA_FILE_MAX);
		map_put(own, domain, b);
	}
	buf_put(b, pem, n);
	buf_put(b, "\n", 1);
	free(pem);
	return buf_failed(b) ? -1 : 0;
}

/* A context that believes the system's CAs, the extra ones, and the peer's own. */
static struct tls_client *
make_client(const struct buf *peer)
{
	struct tls_client *client;
	const char *err = NULL;
	struct buf all;

	buf_init(&all, CA_ALL_MAX + 2);
	buf_put(&all, system_pem, nsystem);
	buf_put(&all, "\n", 1);
	buf_put_span(&all, buf_span(&extra));
	if (peer != NULL)
		buf_put_span(&all, buf_span(peer));
	client = buf_failed(&all) ? NULL : tls_client_new(tls, buf_span(&all), &err);
	if (client == NULL)
		log_error("relay.ca", "error=\"%s\"", err != NULL ? err : "too many CAs");
	buf_clear(&all);
	return client;
}

static void
free_clients(struct map *clients)
{
	struct span key;
	size_t pos = 0;
	void *client;

	while (map_next(clients, &pos, &key, &client))
		tls_client_free(client);
	map_free(clients);
}

/* What was added is used up by a switch; a reload brings all files again. */
static void
forget_added(void)
{
	struct span key;
	size_t pos = 0;
	void *b;

	buf_reset(&extra);
	while (map_next(own, &pos, &key, &b)) {
		buf_clear(b);
		free(b);
	}
	map_free(own);
	own = map_new();
}

int
roots_switch(void)
{
	struct tls_client *all = make_client(NULL), *one = all;
	struct map *clients = map_new();
	struct span domain;
	size_t pos = 0;
	void *b;

	while (one != NULL && map_next(own, &pos, &domain, &b))
		if ((one = make_client(b)) != NULL)
			map_put(clients, domain, one);
	forget_added();
	if (one == NULL) {
		tls_client_free(all);
		free_clients(clients);
		return -1;
	}
	tls_client_free(general);
	free_clients(special);
	general = all;
	special = clients;
	return 0;
}

struct tls_client *
roots_client(const char *domain)
{
	struct tls_client *client = map_find(special, span_str(domain));

	return client != NULL ? client : general;
}
