/* SPDX-License-Identifier: ISC */
/*
 * handle.c - what was proved on links at listener.
 *
 * Owns all handles, by number and by account, in memory only: after a restart every link
 * proves itself again. Made by slogin.c and peer.c; used by every message of listener to find
 * out who speaks. Queue is told before listener, so that no item of a link can reach it before
 * the handle does; when queue comes back it hears of all that live. A message with a handle
 * that is not here gets a temporary answer from its handler.
 */
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "ipc/proc.h"
#include "store/bounds.h"
#include "store/handle.h"
#include "store/store.h"
#include "wire/code.h"

struct links {
	struct handle *first;
	size_t n;
};

static struct map *by_id;      /* owned: struct handle */
static struct map *by_account; /* owned: struct links */
static uint32_t last;

static void
prepare(void)
{
	if (by_id != NULL)
		return;
	by_id = map_new();
	by_account = map_new();
}

struct span
handle_name(const struct handle *h)
{
	return span_str(h->name);
}

size_t
handle_count(void)
{
	return by_id == NULL ? 0 : map_count(by_id);
}

struct handle *
handle_find_any(uint64_t id)
{
	prepare();
	return map_find_u64(by_id, id);
}

struct handle *
handle_find(uint64_t id)
{
	struct handle *h = handle_find_any(id);

	return h != NULL && h->known ? h : NULL;
}

struct handle *
handle_of(struct span account)
{
	struct links *links;

	prepare();
	links = map_find(by_account, account);
	return links == NULL ? NULL : links->first;
}

static struct links *
links_obtain(struct span account)
{
	struct links *links = map_find(by_account, account);

	if (links == NULL) {
		links = xcalloc(1, sizeof(*links));
		map_put(by_account, account, links);
	}
	return links;
}

static void
unlink_account(struct handle *h)
{
	struct links *links = map_find(by_account, handle_name(h));
	struct handle **at;

	if (links == NULL)
		return;
	for (at = &links->first; *at != NULL; at = &(*at)->next) {
		if (*at != h)
			continue;
		*at = h->next;
		links->n--;
		break;
	}
	if (links->n == 0)
		free(map_take(by_account, handle_name(h)));
}

/* --- making --------------------------------------------------------------------------------- */

static void
tell_queue(struct channel *queue, const struct handle *h)
{
	struct m_handle_add add = {
	    .handle = h->id, .kind = (uint8_t)h->kind, .name = handle_name(h)};

	memcpy(add.device, h->device, sizeof(add.device));
	channel_send(queue, MSG_HANDLE_ADD, 0, &add, -1);
}

static unsigned
may_make(const struct handle_new *new)
{
	struct links *links = map_find(by_account, new->name);

	if (proc_channel(ROLE_QUEUE) == NULL)
		return CODE_STARTING;
	if (map_count(by_id) >= STORE_HANDLES)
		return CODE_BUSY;
	if (new->kind == HANDLE_ACCOUNT && links != NULL &&
	    links->n >= STORE_HANDLES_PER_ACCOUNT)
		return CODE_BUSY;
	return CODE_DONE;
}

struct handle *
handle_new(const struct handle_new *new, unsigned *code)
{
	struct handle *h;
	struct links *links;

	prepare();
	*code = may_make(new);
	if (*code != CODE_DONE)
		return NULL;
	h = xcalloc(1, sizeof(*h));
	h->id = store_start() << 32 | ++last;
	h->link = new->link;
	h->kind = new->kind;
	h->name = xstrndup((const char *)new->name.p, new->name.n);
	if (new->device != NULL)
		memcpy(h->device, new->device, sizeof(h->device));
	h->answer_type = new->type;
	h->answer_id = new->id;
	map_put_u64(by_id, h->id, h);
	if (h->kind == HANDLE_ACCOUNT) {
		links = links_obtain(new->name);
		h->next = links->first;
		links->first = h;
		links->n++;
	}
	tell_queue(proc_channel(ROLE_QUEUE), h);
	return h;
}

void
handle_answer(struct handle *h, const void *body)
{
	struct buf b;

	buf_init(&b, MSG_PAYLOAD_MAX);
	if (payload_put(msg_find(h->answer_type)->fields, body, &b) == 0)
		h->answer = buf_take(&b, &h->answer_n);
	buf_clear(&b);
}

union answer {
	struct m_login_res login;
	struct m_peer_auth_res peer;
};

/* Makes a refusal of an answer. */
static void
refuse_answer(const struct handle *h, union answer *body, uint16_t code)
{
	if (h->answer_type == MSG_LOGIN_RES) {
		body->login.handle = 0;
		body->login.code = code;
		body->login.welcome = span_of(NULL, 0);
	} else {
		body->peer.handle = 0;
		body->peer.code = code;
	}
}

/* Sends the answer that waited, or a refusal in its place (code other than 0). */
static void
tell_listener(struct handle *h, uint16_t code)
{
	struct channel *ch = proc_channel(ROLE_LISTENER);
	union answer body;

	h->known = code == 0;
	if (ch != NULL && h->answer != NULL &&
	    payload_get(msg_find(h->answer_type)->fields, span_of(h->answer, h->answer_n),
		&body) == 0) {
		if (code != 0)
			refuse_answer(h, &body, code);
		channel_send(ch, h->answer_type, h->answer_id, &body, -1);
	}
	free(h->answer);
	h->answer = NULL;
}

void
on_handle_ok(struct channel *ch, struct channel_msg *msg)
{
	const struct m_handle *m = msg->body;
	struct handle *h = handle_find_any(m->handle);

	(void)ch;
	if (h == NULL)
		return;
	if (m->code != 0 && h->known) {
		handle_revoke(h, CODE_BUSY);
	} else if (m->code != 0) {
		tell_listener(h, CODE_BUSY);
		handle_free(h);
	} else if (!h->known) {
		tell_listener(h, 0);
	}
}

void
handle_announce(struct channel *queue)
{
	struct handle *h;
	size_t pos = 0;

	while (handle_next(&pos, &h))
		tell_queue(queue, h);
}

/* --- ending --------------------------------------------------------------------------------- */

static void
release(struct handle *h)
{
	if (h->kind == HANDLE_ACCOUNT)
		unlink_account(h);
	map_free(h->order);
	free(h->push.items);
	free(h->answer);
	free(h->name);
	free(h);
}

void
handle_free(struct handle *h)
{
	struct m_handle del = {.handle = h->id};
	struct channel *queue = proc_channel(ROLE_QUEUE);

	map_take_u64(by_id, h->id);
	if (queue != NULL)
		channel_send(queue, MSG_HANDLE_DEL, 0, &del, -1);
	release(h);
}

void
handle_revoke(struct handle *h, unsigned code)
{
	struct m_handle m = {.handle = h->id, .code = (uint16_t)code};
	struct channel *ch = proc_channel(ROLE_LISTENER);

	log_info("store.revoke", "name=%s code=%s", log_account(span_str(h->name)),
	    code_symbol(code));
	if (!h->known)
		tell_listener(h, 0);
	if (ch != NULL)
		channel_send(ch, MSG_REVOKE, 0, &m, -1);
	handle_free(h);
}

void
handle_revoke_device(struct span account, const uint8_t *device, unsigned code)
{
	struct handle *h = handle_of(account), *next;

	for (; h != NULL; h = next) {
		next = h->next;
		if (device == NULL || memcmp(h->device, device, sizeof(h->device)) == 0)
			handle_revoke(h, code);
	}
}

void
handle_drop_all(void)
{
	struct handle *h;
	size_t pos = 0;

	while (handle_next(&pos, &h))
		handle_free(h);
}

bool
handle_next(size_t *pos, struct handle **h)
{
	struct span key;
	void *value;

	prepare();
	if (!map_next(by_id, pos, &key, &value))
		return false;
	*h = value;
	return true;
}

void
on_link_end(struct channel *ch, struct channel_msg *msg)
{
	const struct m_handle *m = msg->body;
	struct handle *h = handle_find_any(m->handle);

	(void)ch;
	if (h != NULL)
		handle_free(h);
}
