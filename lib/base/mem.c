/* SPDX-License-Identifier: ISC */
/*
 * mem.c - memory that does not run out quietly.
 *
 * Wrappers around malloc(3) for everybody. They own nothing: what they return belongs to the
 * caller and is freed with free(3), or with freezero() if it held a secret.
 * Fails: exhaustion ends the process with fatal(); its supervisor starts it again, and what
 * it had acknowledged is on disk. A size of zero is taken as one, so that a result is never
 * NULL and sizes need no special case.
 */
#include "config.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

static void *
mem_check(void *p, size_t n)
{
	if (p == NULL)
		fatal("out of memory: %zu bytes", n);
	return p;
}

void *
xcalloc(size_t n, size_t size)
{
	if (n == 0 || size == 0)
		n = size = 1;
	if (size > SIZE_MAX / n)
		fatal("out of memory: %zu times %zu bytes", n, size);
	return mem_check(calloc(n, size), n * size);
}

void *
xmalloc(size_t size)
{
	return mem_check(malloc(size == 0 ? 1 : size), size);
}

void *
xreallocarray(void *p, size_t n, size_t size)
{
	if (n == 0 || size == 0)
		n = size = 1;
	if (size > SIZE_MAX / n)
		fatal("out of memory: %zu times %zu bytes", n, size);
	return mem_check(realloc(p, n * size), n * size);
}

void *
xmemdup(const void *p, size_t n)
{
	void *copy = xmalloc(n);

	if (n > 0)
		memcpy(copy, p, n);
	return copy;
}

char *
xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

char *
xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = xmalloc(len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *
xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		fatal("out of memory: text");
	return s;
}

void
wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

void
freezero(void *p, size_t n)
{
	if (p == NULL)
		return;
	wipe(p, n);
	free(p);
}
