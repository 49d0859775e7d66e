/* SPDX-License-Identifier: ISC */
/*
 * prekey.c - the newest signed prekey of each device, and the answer to keys.get.
 *
 * Rows are the signed objects as they came, verified by the callers (devlist.c, sreq.c) and
 * handed out unchanged: whoever gets them verifies again. Owns nothing. A prekey of a device
 * that was removed goes with its device; a bad row is left out of the answer.
 */
#include "base/buf.h"
#include "store/devlist.h"
#include "wire/call.h"

#define KEYS_BYTES (SOBJ_DEVICES_MAX * (SOBJ_PREKEY_MAX + 8))

static void
row_key(struct skey *k, struct span address, const uint8_t device[16])
{
	skey_local(k, address);
	skey_bytes(k, device, 16);
}

enum sdb_result
prekey_put(
    struct sdb *db, struct span address, const uint8_t device[16], struct span object)
{
	struct skey k;

	row_key(&k, address, device);
	return sdb_put(db, SDB_PREKEY, skey_span(&k), &object, 1);
}

enum sdb_result
prekey_del(struct sdb *db, struct span address, const uint8_t device[16])
{
	struct skey k;

	row_key(&k, address, device);
	return sdb_del(db, SDB_PREKEY, skey_span(&k));
}

/* Collects the prekeys of an account as a list of byte strings. */
static void
collect(struct sdb *db, struct span address, struct buf *out, size_t *count)
{
	struct span key, value;
	struct sdb_walk w;
	struct skey k;

	skey_local(&k, address);
	sdb_walk_init(&w, db, SDB_PREKEY, &k);
	while (*count < SOBJ_DEVICES_MAX && sdb_walk_next(&w, &key, &value)) {
		cbor_put_bstr(out, value);
		(*count)++;
	}
}

unsigned
prekey_answer(struct sdb *db, struct span address, struct buf *out)
{
	struct c_keys keys = {.has = 0};
	enum sdb_result res;
	struct devlist d;
	struct buf list;
	unsigned code = CODE_DONE;

	res = devlist_get(db, address, &d);
	if (res != SDB_OK)
		return res == SDB_NONE ? CODE_UNKNOWN_ACCOUNT : CODE_STORAGE;
	buf_init(&list, KEYS_BYTES);
	collect(db, address, &list, &keys.prekeys.count);
	keys.prekeys.raw = buf_span(&list);
	keys.listkey = d.listkey;
	keys.devlist = d.devlist;
	if (obj_encode(&c_keys_def, &keys, out) != WIRE_OK || buf_failed(out))
		code = CODE_STORAGE;
	buf_clear(&list);
	return code;
}
