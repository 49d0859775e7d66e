/* SPDX-License-Identifier: ISC */
/*
 * fate.c - what became of messages that devices of this server sent.
 *
 * Queue hands over single fates; those of one turn are gathered by sending device and become
 * one mailbox entry for that device, pushed like any other. (mid, recipient, state) is told
 * once, so a repeat after a crash is harmless. Queue hears FATE_OK after the commit, also when
 * the account or device is gone: then nobody is left to be told. Owns the groups of the turn.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "ipc/msgs.h"
#include "store/bounds.h"
#include "store/fate.h"
#include "store/mailbox.h"
#include "store/outbox.h"
#include "store/push.h"
#include "store/seen.h"
#include "store/store.h"

struct group {
	char *account; /* owned */
	uint8_t device[16];
	struct buf list; /* of p_fate */
	size_t count;
};

static struct map *groups; /* owned: "account" + device -> struct group */

/* --- writing a group ------------------------------------------------------------------------ */

static void
write_group(struct group *g)
{
	struct p_fates fates = {.fates = {.raw = buf_span(&g->list), .count = g->count}};
	struct mail m = {.kind = ITEM_FATES, .time = clock_wall_ms()};
	struct buf body;

	m.expires = m.time + conf_u64(store_conf(), CONF_RETENTION_DEFAULT);
	memcpy(m.device, g->device, sizeof(m.device));
	buf_init(&body, STORE_FATES_BYTES + 16);
	if (obj_encode(&p_fates_def, &fates, &body) == WIRE_OK && !buf_failed(&body)) {
		m.body = buf_span(&body);
		if (mailbox_append(store_db(), span_str(g->account), &m, NULL) == SDB_OK)
			push_touch(span_str(g->account));
	}
	buf_clear(&body);
}

static void
group_free(struct group *g)
{
	buf_clear(&g->list);
	free(g->account);
	free(g);
}

void
fate_turn(void)
{
	struct span key;
	void *value;
	size_t pos = 0;

	if (groups == NULL || map_count(groups) == 0)
		return;
	while (map_next(groups, &pos, &key, &value)) {
		if (!sdb_failed(store_db()))
			write_group(value);
		group_free(value);
	}
	map_free(groups);
	groups = NULL;
}

/* --- gathering ------------------------------------------------------------------------------ */

static struct group *
group_obtain(const struct m_fate *m)
{
	struct group *g;
	struct skey k;

	if (groups != NULL && map_count(groups) >= STORE_FATES_GROUPS)
		fate_turn();
	if (groups == NULL)
		groups = map_new();
	skey_local(&k, m->account);
	skey_bytes(&k, m->device, sizeof(m->device));
	g = map_find(groups, skey_span(&k));
	if (g != NULL)
		return g;
	g = xcalloc(1, sizeof(*g));
	g->account = xstrndup((const char *)m->account.p, m->account.n);
	memcpy(g->device, m->device, sizeof(g->device));
	buf_init(&g->list, STORE_FATES_BYTES);
	map_put(groups, skey_span(&k), g);
	return g;
}

static void
gather(const struct m_fate *m)
{
	struct group *g = group_obtain(m);
	struct p_fate fate = {.account = m->recipient,
	    .state = m->state,
	    .code = m->code,
	    .time = m->time,
	    .text = m->text};

	if (m->text.n > PROTO_TEXT_MAX || !utf8_valid(m->text))
		fate.text.n = 0;
	memcpy(fate.mid, m->mid, sizeof(fate.mid));
	if (fate.text.n > 0)
		obj_set(&p_fate_def, &fate, 6);
	if (obj_encode(&p_fate_def, &fate, &g->list) == WIRE_OK)
		g->count++;
	else
		log_warn("store.fate", "account=%s error=range",
		    log_account(span_str(g->account)));
	if (g->count >= STORE_FATES_ROW || g->list.n > STORE_FATES_BYTES - 2048) {
		write_group(g);
		buf_reset(&g->list);
		g->count = 0;
	}
}

void
on_fate(struct channel *ch, struct channel_msg *msg)
{
	const struct m_fate *m = msg->body;
	struct seen_fate key = {.account = m->account,
	    .recipient = m->recipient,
	    .mid = m->mid,
	    .device = m->device,
	    .state = m->state};
	struct m_empty ok = {.zero = 0};
	struct device device;
	enum sdb_result res = SDB_NONE;

	(void)ch;
	/* Queue keeps it and tells it again. */
	if (sdb_low(store_db()))
		return;
	if (store_is_ours(m->account))
		res = device_get(store_db(), m->account, m->device, &device);
	if (res == SDB_OK && (res = seen_fate(store_db(), &key)) == SDB_OK)
		gather(m);
	if (res != SDB_FAULT)
		outbox_add(ROLE_QUEUE, MSG_FATE_OK, msg->id, &ok);
}
