/* SPDX-License-Identifier: ISC */
/*
 * fault.c - collects what is wrong with a configuration.
 *
 * A struct faults is filled by yaml.c (syntax), fill.c (schema), crosscheck.c (keys
 * against each other) and load.c (files), sorted once, and printed by the master for
 * "emsgd -n" and before it refuses to start. It owns copies of all texts, so it outlives
 * trees and files. Nothing here fails: beyond FAULTS_MAX faults are only counted, and
 * memory exhaustion is fatal in base.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/fault.h"
#include "conf/jsontext.h"

#define FAULT_TEXT_MAX 512

void
faults_init(struct faults *fs)
{
	memset(fs, 0, sizeof(*fs));
}

void
faults_clear(struct faults *fs)
{
	for (unsigned int i = 0; i < fs->nfiles; i++)
		free(fs->files[i]);
	for (size_t i = 0; i < fs->n; i++) {
		free(fs->v[i].path);
		free(fs->v[i].text);
	}
	faults_init(fs);
}

unsigned int
faults_file(struct faults *fs, const char *name)
{
	if (fs->nfiles == FAULT_FILES_MAX)
		return FAULT_FILES_MAX - 1;
	fs->files[fs->nfiles] = xstrdup(name);
	return fs->nfiles++;
}

void
fault_add(struct faults *fs, struct place at, const char *path, const char *fmt, ...)
{
	char text[FAULT_TEXT_MAX];
	va_list ap;

	if (fs->n == FAULTS_MAX) {
		fs->more++;
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fs->v[fs->n].at = at;
	fs->v[fs->n].path = xstrdup(path == NULL ? "" : path);
	fs->v[fs->n].text = xstrdup(text);
	fs->n++;
}

static bool
place_after(struct place a, struct place b)
{
	if (a.file != b.file)
		return a.file > b.file;
	if (a.line != b.line)
		return a.line > b.line;
	return a.col > b.col;
}

/* Insertion sort: stable, and there are at most FAULTS_MAX. */
void
faults_sort(struct faults *fs)
{
	for (size_t i = 1; i < fs->n; i++) {
		struct fault f = fs->v[i];
		size_t k = i;

		while (k > 0 && place_after(fs->v[k - 1].at, f.at)) {
			fs->v[k] = fs->v[k - 1];
			k--;
		}
		fs->v[k] = f;
	}
}

static const char *
file_name(const struct faults *fs, const struct fault *f)
{
	return f->at.file < fs->nfiles ? fs->files[f->at.file] : "-";
}

void
faults_print(FILE *out, const struct faults *fs)
{
	for (size_t i = 0; i < fs->n; i++) {
		const struct fault *f = &fs->v[i];

		fprintf(out, "%s:", file_name(fs, f));
		if (f->at.line > 0)
			fprintf(out, "%u:%u:", f->at.line, f->at.col);
		if (f->path[0] != '\0')
			fprintf(out, " %s:", f->path);
		fprintf(out, " %s\n", f->text);
	}
	if (fs->more > 0)
		fprintf(out, "and %zu more\n", fs->more);
}

void
faults_print_json(FILE *out, const struct faults *fs)
{
	for (size_t i = 0; i < fs->n; i++) {
		const struct fault *f = &fs->v[i];

		fputs("{\"file\":", out);
		jsontext_put(out, file_name(fs, f));
		fprintf(out, ",\"line\":%u,\"col\":%u,\"path\":", f->at.line, f->at.col);
		jsontext_put(out, f->path);
		fputs(",\"text\":", out);
		jsontext_put(out, f->text);
		fputs("}\n", out);
	}
	if (fs->more > 0)
		fprintf(out, "{\"more\":%zu}\n", fs->more);
}
