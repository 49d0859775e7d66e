/* SPDX-License-Identifier: ISC */
/*
 * loadidle.c - registers n accounts, then logs all of them in and keeps the links.
 *
 * Registration and login are apart, so that what is measured before and after the login
 * differs by the links alone. At most width devices are under way at a time. Owns keys and
 * devices. Called by main.c; a device that fails ends the measurement (why).
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#include "loadidle.h"

static void
fail(struct loadidle *li, const char *why)
{
	if (li->why[0] == '\0')
		(void)snprintf(li->why, sizeof(li->why), "%s", why);
}

static void
on_ready(struct loaddev *d, void *arg)
{
	struct loadidle *li = arg;

	li->ready++;
	if (li->reg)
		li->gone[li->n_gone++] = (size_t)(loaddev_keys(d) - li->keys);
}

static void
on_turn(struct loaddev *d, void *arg)
{
	(void)arg;
	loaddev_flush(d);
}

static void
on_failed(struct loaddev *d, const char *why, void *arg)
{
	(void)d;
	fail(arg, why);
}

static const struct loaddev_ops ops = {
    .on_ready = on_ready, .on_turn = on_turn, .on_failed = on_failed};

void
loadidle_init(struct loadidle *li, struct loadenv *env, const struct loadserver *server,
    size_t n, size_t width, const char *name)
{
	memset(li, 0, sizeof(*li));
	li->env = env;
	li->server = server;
	li->n = n;
	li->width = width;
	li->keys = xcalloc(n, sizeof(*li->keys));
	li->devs = xcalloc(n, sizeof(struct loaddev *));
	li->gone = xcalloc(n, sizeof(*li->gone));
	for (size_t i = 0; i < n; i++) {
		char *a = xasprintf("i%s-%zu#%s", name, i, server->domain);

		if (loadkeys_make(&li->keys[i], a) == -1)
			fail(li, "cannot make keys");
		free(a);
	}
}

static void
close_all(struct loadidle *li)
{
	for (size_t i = 0; i < li->n; i++) {
		loaddev_free(li->devs[i]);
		li->devs[i] = NULL;
	}
}

void
loadidle_clear(struct loadidle *li)
{
	close_all(li);
	for (size_t i = 0; i < li->n; i++)
		loadkeys_trim(&li->keys[i]);
	free(li->keys);
	free(li->devs);
	free(li->gone);
}

void
loadidle_start(struct loadidle *li, bool reg)
{
	close_all(li);
	li->reg = reg;
	li->next = li->ready = li->n_gone = 0;
}

bool
loadidle_pump(struct loadidle *li)
{
	while (li->n_gone > 0) {
		size_t i = li->gone[--li->n_gone];

		loaddev_free(li->devs[i]);
		li->devs[i] = NULL;
		loadkeys_trim(&li->keys[i]);
	}
	while (li->next < li->n && li->next - li->ready < li->width) {
		size_t i = li->next++;

		li->devs[i] = loaddev_new(li->env, li->server, &li->keys[i], &ops, li);
		if (loaddev_connect(li->devs[i], li->reg) == -1) {
			fail(li, strerror(errno));
			return false;
		}
	}
	return li->ready == li->n;
}
