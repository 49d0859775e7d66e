/* SPDX-License-Identifier: ISC */
/*
 * vecfile.c - reads the test vectors that tests/vectors/json2txt.py flattened to text.
 *
 * A record is a run of lines "name value" up to an empty line; the reader holds one record
 * at a time and owns its strings until the next one is read. Linked by the check programs that
 * run third-party vectors; the files are made by make check below the build directory
 * (VECTOR_DIR). Fails by failing the test that asked: a missing file, a missing
 * member and odd hex all mean that vectors would silently go unused.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "vecfile.h"

void
vecfile_open(struct vecfile *v, const char *path)
{
	char *name = xasprintf("%s/%s.txt", VECTOR_DIR, path);

	memset(v, 0, sizeof(*v));
	v->file = fopen(name, "r");
	ck_assert_msg(v->file != NULL, "%s: cannot open (make check builds it)", name);
	free(name);
}

static void
forget(struct vecfile *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->member[i].name);
		free(v->member[i].value);
		free(v->member[i].bytes);
	}
	v->n = 0;
}

void
vecfile_close(struct vecfile *v)
{
	forget(v);
	fclose(v->file);
}

static void
take_line(struct vecfile *v, const char *line)
{
	const char *blank = strchr(line, ' ');
	struct vecfile_member *m = &v->member[v->n];

	ck_assert_msg(blank != NULL, "not \"name value\": %s", line);
	ck_assert_uint_lt(v->n, VECFILE_MEMBERS);
	m->name = xstrndup(line, (size_t)(blank - line));
	m->value = xstrdup(blank + 1);
	m->bytes = NULL;
	v->n++;
}

bool
vecfile_next(struct vecfile *v)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	forget(v);
	while ((n = getline(&line, &size, v->file)) > 1) {
		line[n - 1] = '\0';
		take_line(v, line);
	}
	free(line);
	return v->n > 0;
}

static struct vecfile_member *
find_member(const struct vecfile *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++) {
		if (strcmp(v->member[i].name, name) == 0)
			return (struct vecfile_member *)(uintptr_t)&v->member[i];
	}
	return NULL;
}

const char *
vecfile_find(const struct vecfile *v, const char *name)
{
	struct vecfile_member *m = find_member(v, name);

	return m == NULL ? NULL : m->value;
}

const char *
vecfile_text(const struct vecfile *v, const char *name)
{
	const char *value = vecfile_find(v, name);

	ck_assert_msg(value != NULL, "record without \"%s\"", name);
	return value;
}

unsigned long
vecfile_number(const struct vecfile *v, const char *name)
{
	return strtoul(vecfile_text(v, name), NULL, 10);
}

struct span
vecfile_bytes(struct vecfile *v, const char *name)
{
	struct vecfile_member *m = find_member(v, name);
	size_t n;

	ck_assert_msg(m != NULL, "record without \"%s\"", name);
	n = strlen(m->value) / 2;
	if (m->bytes == NULL) {
		/* Exactly n bytes, so that AddressSanitizer sees reads beyond. */
		m->bytes = xmalloc(n > 0 ? n : 1);
		ck_assert_msg(hex_decode(m->value, m->bytes, n), "%s: not hex", name);
	}
	return span_of(m->bytes, n);
}

void
vecfile_copy(struct vecfile *v, const char *name, uint8_t *out, size_t n)
{
	struct span bytes = vecfile_bytes(v, name);

	ck_assert_uint_eq(bytes.n, n);
	memcpy(out, bytes.p, n);
}

bool
vecfile_is(const struct vecfile *v, const char *name, const char *value)
{
	const char *is = vecfile_find(v, name);

	return is != NULL && strcmp(is, value) == 0;
}
