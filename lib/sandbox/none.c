/* SPDX-License-Identifier: ISC */
/*
 * none.c - platforms for which there is no cage yet.
 *
 * Chosen by configure instead of linux.c, seccomp.c, landlock.c and needs.c. Users are still
 * separate and roots are still empty (sandbox.c); the rest does nothing and says so by
 * sandbox_supported(), which makes the caller warn the operator. Owns nothing, never fails.
 */
#include "config.h"

#include "sandbox/sandbox.h"

int
sandbox_enter(const struct sandbox_opts *o)
{
	(void)o;
	return 0;
}

int
sandbox_enter_master(void)
{
	return 0;
}

bool
sandbox_supported(void)
{
	return false;
}

int
sandbox_landlock_abi(void)
{
	return 0;
}
