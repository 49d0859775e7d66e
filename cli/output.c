/* SPDX-License-Identifier: ISC */
/*
 * output.c - prints rows by their tables: JSON, table, one thing, tabs.
 *
 * Owns the rows that it holds until the widths of their columns are known: at most
 * OUTPUT_HOLD, then the widths found so far are kept. Text came from users and peers and is
 * escaped, so that it can neither end a line nor command a terminal. Called by ask.c and
 * setup.c. Write errors are left to tool.c, who looks at the stream at the end.
 */
#include "config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/output.h"

struct output {
	FILE *out;
	enum output_form form;
	bool heads;
	const struct obj_def *def; /* borrowed: of the rows held or last printed */
	char **held[OUTPUT_HOLD];  /* owned: rows of owned cells */
	size_t nheld;
	size_t width[OUTPUT_FIELDS];
};

struct output *
output_new(FILE *out, enum output_form form, bool heads)
{
	struct output *o = xcalloc(1, sizeof(*o));

	o->out = out;
	o->form = form;
	o->heads = heads;
	return o;
}

/* --- text -------------------------------------------------------------------------------- */

void
output_text(FILE *out, struct span s)
{
	uint32_t code;

	while (s.n > 0) {
		size_t n = utf8_step(s);

		if (n == 0 || utf8_commands(span_of(s.p, n), &code)) {
			n = n == 0 ? 1 : n;
			for (size_t i = 0; i < n; i++)
				(void)fprintf(out, "\\x%02x", s.p[i]);
		} else {
			(void)fwrite(s.p, 1, n, out);
		}
		s = span_of(s.p + n, s.n - n);
	}
}

void
output_json_text(FILE *out, struct span s)
{
	uint32_t code;

	(void)fputc('"', out);
	while (s.n > 0) {
		size_t n = utf8_step(s);

		if (n == 0)
			(void)fputs("\\ufffd", out);
		else if (utf8_commands(span_of(s.p, n), &code))
			(void)fprintf(out, "\\u%04x", code);
		else if (s.p[0] == '"' || s.p[0] == '\\')
			(void)fprintf(out, "\\%c", s.p[0]);
		else
			(void)fwrite(s.p, 1, n, out);
		n = n == 0 ? 1 : n;
		s = span_of(s.p + n, s.n - n);
	}
	(void)fputc('"', out);
}

/* --- members ----------------------------------------------------------------------------- */

static bool
is_time(const struct obj_field *f)
{
	size_t n = strlen(f->name);

	return f->type == OBJ_UINT && n > 3 && strcmp(f->name + n - 3, "_at") == 0;
}

static uint64_t
number(const struct obj_field *f, const void *object)
{
	uint64_t v;

	memcpy(&v, (const char *)object + f->offset, sizeof(v));
	return v;
}

static struct span
text(const struct obj_field *f, const void *object)
{
	struct span s;

	memcpy(&s, (const char *)object + f->offset, sizeof(s));
	return s;
}

static bool
truth(const struct obj_field *f, const void *object)
{
	bool b;

	memcpy(&b, (const char *)object + f->offset, sizeof(b));
	return b;
}

/* Figures of a process, "name=number" with white space between, as names and numbers. */
static void
put_figures(FILE *out, struct span s, bool quoted)
{
	const char *sep = quoted ? "{" : "";

	while (s.n > 0) {
		size_t n = 0, name = 0;

		for (; n < s.n && s.p[n] != ' ' && s.p[n] != '\n'; n++)
			if (s.p[n] == '=')
				name = n;
		if (name > 0 && name + 1 < n) {
			(void)fputs(sep, out);
			if (quoted)
				output_json_text(out, span_of(s.p, name));
			else
				output_text(out, span_of(s.p, name));
			(void)fputc(quoted ? ':' : '=', out);
			output_text(out, span_of(s.p + name + 1, n - name - 1));
			sep = quoted ? "," : " ";
		}
		n += n < s.n;
		s = span_of(s.p + n, s.n - n);
	}
	if (quoted)
		(void)fputs(sep[0] == '{' ? "{}" : "}", out);
}

/* A member's value; quoted: as JSON. Rows have numbers, truths and texts only. */
static void
put_value(FILE *out, const struct obj_field *f, const void *object, bool quoted)
{
	char when[32];

	if (is_time(f) && clock_format(number(f, object), when, sizeof(when)))
		(void)fprintf(out, quoted ? "\"%s\"" : "%s", when);
	else if (f->type == OBJ_UINT)
		(void)fprintf(out, "%" PRIu64, number(f, object));
	else if (f->type == OBJ_BOOL)
		(void)fputs(truth(f, object) ? "true" : "false", out);
	else if (strcmp(f->name, "figures") == 0)
		put_figures(out, text(f, object), quoted);
	else if (quoted)
		output_json_text(out, text(f, object));
	else
		output_text(out, text(f, object));
}

static bool
present(const struct obj_def *def, const void *object, const struct obj_field *f)
{
	return (f->flags & OBJ_REQUIRED) != 0 || obj_has(def, object, f->key);
}

/* --- forms ------------------------------------------------------------------------------- */

static void
put_json(struct output *o, const struct obj_def *def, const void *object)
{
	(void)fprintf(o->out, "{\"v\":%d", OUTPUT_VERSION);
	for (size_t i = 0; i < def->n; i++) {
		if (!present(def, object, &def->fields[i]))
			continue;
		(void)fprintf(o->out, ",\"%s\":", def->fields[i].name);
		put_value(o->out, &def->fields[i], object, true);
	}
	(void)fputs("}\n", o->out);
}

static void
put_record(struct output *o, const struct obj_def *def, const void *object)
{
	size_t width = 0;

	if (o->def != NULL)
		(void)fputc('\n', o->out);
	for (size_t i = 0; i < def->n; i++)
		if (strlen(def->fields[i].name) > width)
			width = strlen(def->fields[i].name);
	for (size_t i = 0; i < def->n; i++) {
		if (!present(def, object, &def->fields[i]))
			continue;
		(void)fprintf(o->out, "%-*s  ", (int)width, def->fields[i].name);
		put_value(o->out, &def->fields[i], object, false);
		(void)fputc('\n', o->out);
	}
	o->def = def;
}

static void
put_tabs(struct output *o, const struct obj_def *def, const void *object)
{
	for (size_t i = 0; o->heads && o->def != def && i < def->n; i++)
		(void)fprintf(
		    o->out, "%s%s", def->fields[i].name, i + 1 < def->n ? "\t" : "\n");
	o->def = def;
	for (size_t i = 0; i < def->n; i++) {
		if (present(def, object, &def->fields[i]))
			put_value(o->out, &def->fields[i], object, false);
		else
			(void)fputc('-', o->out);
		(void)fputc(i + 1 < def->n ? '\t' : '\n', o->out);
	}
}

/* --- tables ------------------------------------------------------------------------------ */

/* Characters, which is what a terminal shows of most scripts. */
static size_t
columns(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
put_cell(struct output *o, const char *cell, size_t i)
{
	size_t n = columns(cell);

	(void)fputs(cell, o->out);
	if (i + 1 == o->def->n) {
		(void)fputc('\n', o->out);
		return;
	}
	for (n = n > o->width[i] ? o->width[i] : n; n < o->width[i] + 2; n++)
		(void)fputc(' ', o->out);
}

/* Prints the rows held, under the heads if these have not been printed. */
static void
flush_table(struct output *o, bool first)
{
	for (size_t i = 0; o->nheld > 0 && first && o->heads && i < o->def->n; i++)
		put_cell(o, o->def->fields[i].name, i);
	for (size_t r = 0; r < o->nheld; r++) {
		for (size_t i = 0; i < o->def->n; i++) {
			put_cell(o, o->held[r][i], i);
			free(o->held[r][i]);
		}
		free(o->held[r]);
	}
	o->nheld = 0;
}

/* A member as a string of its own. */
static char *
cell_of(const struct obj_def *def, const struct obj_field *f, const void *object)
{
	char *cell = NULL;
	size_t n;
	FILE *mem;

	if (!present(def, object, f))
		return xstrdup("-");
	mem = open_memstream(&cell, &n);
	if (mem == NULL)
		return xstrdup("?");
	put_value(mem, f, object, false);
	(void)fclose(mem);
	return cell;
}

static void
hold(struct output *o, const struct obj_def *def, const void *object)
{
	char **row = xcalloc(def->n, sizeof(*row));

	if (o->def != def) {
		flush_table(o, true);
		if (o->def != NULL)
			(void)fputc('\n', o->out);
		o->def = def;
		for (size_t i = 0; i < def->n; i++)
			o->width[i] = strlen(def->fields[i].name);
	}
	for (size_t i = 0; i < def->n; i++) {
		row[i] = cell_of(def, &def->fields[i], object);
		if (columns(row[i]) > o->width[i])
			o->width[i] = columns(row[i]);
	}
	o->held[o->nheld++] = row;
	if (o->nheld == OUTPUT_HOLD) {
		flush_table(o, true);
		o->heads = false;
	}
}

void
output_object(struct output *o, const struct obj_def *def, const void *object)
{
	switch (o->form) {
	case OUTPUT_JSON:
		put_json(o, def, object);
		break;
	case OUTPUT_RECORD:
		put_record(o, def, object);
		break;
	case OUTPUT_TABS:
		put_tabs(o, def, object);
		break;
	case OUTPUT_TABLE:
		hold(o, def, object);
		break;
	}
}

bool
output_row(struct output *o, const struct obj_def *def, struct span row)
{
	void *object = xcalloc(1, def->size);
	bool ok = def->n <= OUTPUT_FIELDS && obj_decode(def, row, object) == WIRE_OK;

	if (ok)
		output_object(o, def, object);
	free(object);
	return ok;
}

void
output_free(struct output *o)
{
	if (o == NULL)
		return;
	flush_table(o, true);
	free(o);
}
