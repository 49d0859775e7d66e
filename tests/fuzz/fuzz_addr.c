/* SPDX-License-Identifier: ISC */
/*
 * fuzz_addr.c - fuzz target: addresses.
 *
 * What must hold for any bytes: an accepted address prints within its limit, the print is
 * accepted on the wire and equal; a refusal has a reason.
 */
#include "config.h"

#include <string.h>

#include "fuzz/fuzz.h"
#include "wire/addr.h"

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char text[ADDR_TEXT_SIZE];
	const char *why = NULL;
	struct addr a, b;

	if (!addr_parse(span_of(p, n), &a, &why)) {
		fuzz_check(why != NULL && !addr_parse_wire(span_of(p, n), &b));
		return 0;
	}
	fuzz_check(n <= ADDR_MAX && a.local.n + 1 + a.domain.n == n);
	addr_print(&a, text);
	fuzz_check(strlen(text) == n);
	fuzz_check(addr_parse_wire(span_str(text), &b));
	fuzz_check(addr_eq(&a, &b) && addr_cmp(&a, &b) == 0);
	return 0;
}
