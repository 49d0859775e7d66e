/* SPDX-License-Identifier: ISC */
/*
 * fuzz_share.c - fuzz target: the configuration as a process receives it.
 *
 * The first byte chooses the role and a valid file, which is encoded for that role as the
 * master would; the rest are changes to these bytes: offset (two bytes), how many go, how many
 * come, and those. So no input ages when the schema changes. What must hold: conf_share_get()
 * ends with NULL, or with a configuration that is encoded to the same bytes again; without a
 * change it is taken.
 */
#include "config.h"

#include "conf/load.h"
#include "conf/share.h"
#include "fuzz/fuzz.h"

#define HOW_LEAST 0x80 /* the file with the least in it, else the one with everything */

static struct conf *files[2];

static struct conf *
load(const char *path)
{
	struct faults faults;
	struct conf *c = conf_load(path, "/srv/emsg", &faults);

	fuzz_check(c != NULL);
	faults_clear(&faults);
	return c;
}

/* Carries out one change; what lies beyond the end is the end. */
static void
change(struct buf *b, struct cur *c)
{
	size_t at = cur_u16(c), gone = cur_u8(c), come = cur_u8(c);
	struct span bytes = cur_bytes(c, come < c->n ? come : c->n);
	struct buf out;

	at = at < b->n ? at : b->n;
	gone = gone < b->n - at ? gone : b->n - at;
	buf_init(&out, CONF_SHARE_MAX);
	buf_put(&out, b->p, at);
	buf_put_span(&out, bytes);
	buf_put(&out, b->p + at + gone, b->n - at - gone);
	buf_clear(b);
	*b = out;
}

static void
take(struct span in, enum role role, bool changed)
{
	struct conf *c = conf_share_get(in, role);
	struct buf again;

	fuzz_check(c != NULL || changed);
	if (c == NULL)
		return;
	buf_init(&again, CONF_SHARE_MAX);
	conf_share_put(&again, c, role);
	fuzz_check(!buf_failed(&again) && span_eq(buf_span(&again), in));
	buf_clear(&again);
	conf_free(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	enum role role;
	struct buf b;
	struct cur c;

	if (n == 0 || n > CONF_SHARE_MAX)
		return 0;
	if (files[0] == NULL) {
		files[0] = load(FUZZ_CONF "/good-full.yaml");
		files[1] = load(FUZZ_CONF "/good-least.yaml");
	}
	role = (enum role)(ROLE_STORE + (p[0] & 0x7f) % (ROLE_COUNT - ROLE_STORE));
	buf_init(&b, CONF_SHARE_MAX);
	conf_share_put(&b, files[(p[0] & HOW_LEAST) != 0], role);
	cur_init(&c, span_of(p + 1, n - 1));
	while (c.n > 0 && !c.failed && !buf_failed(&b))
		change(&b, &c);
	take(buf_span(&b), role, n > 1);
	buf_clear(&b);
	return 0;
}
