/* SPDX-License-Identifier: ISC */
/*
 * state.c - one versioned object per account, encrypted by its owner's devices.
 *
 * Replaced by compare-and-swap on the version only; a device that lost the race gets the
 * present version and blob with its refusal, so that it can merge and try again. Called by
 * sreq.c. Owns nothing. The bytes mean nothing to the server.
 */
#include "base/buf.h"
#include "store/state.h"

static enum sdb_result
load(struct sdb *db, struct span account, struct c_state *state)
{
	enum sdb_result res;
	struct span value;
	struct skey k;
	struct cur c;

	*state = (struct c_state){.has = 0};
	skey_local(&k, account);
	res = sdb_get(db, SDB_STATE, skey_span(&k), &value);
	if (res != SDB_OK)
		return res;
	cur_init(&c, value);
	state->version = cur_u64(&c);
	if (c.failed)
		return SDB_FAULT;
	state->blob = span_of(c.p, c.n);
	if (c.n > 0)
		obj_set(&c_state_def, state, 2);
	return SDB_OK;
}

static unsigned
answer(const struct c_state *state, unsigned code, struct buf *out)
{
	return obj_encode(&c_state_def, state, out) == WIRE_OK && !buf_failed(out)
	    ? code
	    : CODE_STORAGE;
}

unsigned
state_get(struct sdb *db, struct span account, struct buf *out)
{
	struct c_state state;

	if (load(db, account, &state) == SDB_FAULT)
		return CODE_STORAGE;
	return answer(&state, CODE_DONE, out);
}

unsigned
state_put(
    struct sdb *db, struct span account, const struct c_state_put *put, struct buf *out)
{
	struct c_state state, fresh = {.version = put->version + 1};
	struct span parts[2];
	struct skey k;
	struct buf version;
	enum sdb_result res;

	if (load(db, account, &state) == SDB_FAULT)
		return CODE_STORAGE;
	if (state.version != put->version)
		return answer(&state, CODE_CONFLICT, out);
	buf_init(&version, 8);
	buf_put_u64(&version, fresh.version);
	parts[0] = buf_span(&version);
	parts[1] = put->blob;
	skey_local(&k, account);
	res = sdb_put(db, SDB_STATE, skey_span(&k), parts, 2);
	buf_clear(&version);
	return res == SDB_OK ? answer(&fresh, CODE_DONE, out) : CODE_STORAGE;
}
