/* SPDX-License-Identifier: ISC */
/*
 * fail.h - how the parts of lib/sandbox say what failed. Private to lib/sandbox.
 */
#ifndef SANDBOX_FAIL_H
#define SANDBOX_FAIL_H

/* Keeps the static text for sandbox_error(); returns -1, leaves errno alone. */
int sandbox_fail(const char *what);

#endif
