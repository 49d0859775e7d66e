/* SPDX-License-Identifier: ISC */
/*
 * fuzz_share.c - fuzz target: the configuration as a process receives it.
 *
 * The first byte chooses the role, the rest is what conf_share_get() is given. What must
 * hold for any bytes: it ends with NULL, or with a configuration that is encoded to the same
 * bytes again.
 */
#include "config.h"

#include "conf/share.h"
#include "fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	enum role role;
	struct conf *c;
	struct buf b;

	if (n == 0 || n > CONF_SHARE_MAX)
		return 0;
	role = (enum role)(ROLE_STORE + p[0] % (ROLE_COUNT - ROLE_STORE));
	c = conf_share_get(span_of(p + 1, n - 1), role);
	if (c == NULL)
		return 0;
	buf_init(&b, CONF_SHARE_MAX);
	conf_share_put(&b, c, role);
	fuzz_check(!buf_failed(&b) && span_eq(buf_span(&b), span_of(p + 1, n - 1)));
	buf_clear(&b);
	conf_free(c);
	return 0;
}
