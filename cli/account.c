/* SPDX-License-Identifier: ISC */
/*
 * account.c - makes what an operator types into addresses.
 *
 * Servers compare bytes and refuse what is not in normal form, so tools make it normal, by the
 * rules that clients use (libemsg/normal.c). Called by ask.c, which has asked the server for
 * its domain, so that a bare name is enough. Mistakes are one phrase each.
 */
#include "config.h"

#include <stdio.h>

#include "cli/account.h"
#include "libemsg/normal.h"

bool
account_normal(
    const char *typed, const char *domain, char out[ADDR_TEXT_SIZE], const char **why)
{
	char whole[NORMAL_INPUT_MAX];
	bool bare = strpbrk(typed, "#@") == NULL;

	*why = "the domain is missing";
	if (bare && domain == NULL)
		return false;
	*why = "too long for an address";
	if ((size_t)snprintf(whole, sizeof(whole), "%s%s%s", typed, bare ? "#" : "",
		bare ? domain : "") >= sizeof(whole))
		return false;
	return normal_address(span_str(whole), out, why);
}
