/* SPDX-License-Identifier: ISC */
/*
 * print.c - configuration and schema -> text.
 *
 * Called by the master for "emsgd -p", "-D" and "-e", which emsgctl config runs, and by
 * the test that compares the manual page with the schema. Two forms each: for people
 * (YAML that conf_load() takes, or paragraphs) and JSON. It borrows everything and keeps
 * nothing. Write errors stay in the FILE; nothing else can fail but a key that does not
 * exist.
 */
#include <string.h>

#include "conf/jsontext.h"
#include "conf/print.h"

#define HELP_WIDTH 72 /* columns of help text */
#define SECTION_MAX 32

bool
print_what_parse(const char *word, enum print_what *what)
{
	static const char *const words[] = {"nondefault", "all", "origin"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0) {
			*what = (enum print_what)i;
			return true;
		}
	return false;
}

/* Text as a YAML scalar: plain where that is beyond doubt, else in double quotes. */
static void
put_yaml_text(FILE *out, const char *text)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_./-";

	if (text[0] != '-' && text[0] != '\0' && strspn(text, safe) == strlen(text))
		fputs(text, out);
	else
		jsontext_put(out, text);
}

/* One scalar of a row, as text. num_text: room for VALUE_TEXT_MAX bytes. */
static const char *
scalar_text(const struct schema_row *row, const struct value *v, char *num_text)
{
	if (!value_is_number(row))
		return v->text;
	value_format(row, v->num, num_text);
	return num_text;
}

/* Integers, ports and booleans are bare in JSON; all else is a string, null if not
 * set. */
static void
put_json_scalar(FILE *out, const struct schema_row *row, const struct value *v)
{
	char num_text[VALUE_TEXT_MAX];

	if (!v->set)
		fputs("null", out);
	else if (row->type == SCHEMA_INT || row->type == SCHEMA_PORT ||
	    row->type == SCHEMA_BOOL)
		fputs(scalar_text(row, v, num_text), out);
	else
		jsontext_put(out, scalar_text(row, v, num_text));
}

static bool
entry_key_shown(const struct value *v, enum print_what what)
{
	return v->set && (what != PRINT_NONDEFAULT || v->from_file);
}

static const char *
last_part(const char *path)
{
	const char *dot = strrchr(path, '.');

	return dot == NULL ? path : dot + 1;
}

static void
put_json_entries(
    FILE *out, enum conf_key key, const struct value *v, enum print_what what)
{
	size_t width = schema_entry_rows(key);

	for (size_t i = 0; i < v->n; i++) {
		const char *sep = "";

		fputs(i == 0 ? "{" : ",{", out);
		for (size_t k = 0; k < width; k++) {
			const struct schema_row *row = schema_row(key) + 1 + k;
			const struct value *e = &v->entries[i * width + k];

			if (!entry_key_shown(e, what))
				continue;
			fprintf(out, "%s\"%s\":", sep, last_part(row->path));
			put_json_scalar(out, row, e);
			sep = ",";
		}
		putc('}', out);
	}
}

static void
put_json_value(FILE *out, enum conf_key key, const struct value *v, enum print_what what)
{
	if (!schema_is_list(key)) {
		put_json_scalar(out, schema_row(key), v);
		return;
	}
	putc('[', out);
	if (schema_row(key)->type == SCHEMA_MAPS)
		put_json_entries(out, key, v, what);
	else
		for (size_t i = 0; i < v->n; i++) {
			if (i > 0)
				putc(',', out);
			jsontext_put(out, v->list[i]);
		}
	putc(']', out);
}

static void
put_json_key(FILE *out, const struct conf *c, enum conf_key key, enum print_what what)
{
	const struct value *v = &c->v[key];

	fprintf(out, "\"%s\":", schema_row(key)->path);
	if (what != PRINT_ORIGIN) {
		put_json_value(out, key, v, what);
		return;
	}
	fputs("{\"value\":", out);
	put_json_value(out, key, v, what);
	if (v->from_file) {
		fputs(",\"file\":", out);
		jsontext_put(out, c->files[v->at.file]);
		fprintf(out, ",\"line\":%u", v->at.line);
	}
	putc('}', out);
}

/* The end of a line: where the value comes from, if that was asked for. */
static void
put_yaml_end(FILE *out, const struct conf *c, const struct value *v, enum print_what what)
{
	if (what == PRINT_ORIGIN && v->from_file)
		fprintf(out, "  # %s:%u", c->files[v->at.file], v->at.line);
	else if (what == PRINT_ORIGIN)
		fputs("  # default", out);
	putc('\n', out);
}

static void
put_yaml_entries(
    FILE *out, enum conf_key key, const struct value *v, enum print_what what)
{
	size_t width = schema_entry_rows(key);
	char num_text[VALUE_TEXT_MAX];

	for (size_t i = 0; i < v->n; i++) {
		const char *lead = "  - ";

		for (size_t k = 0; k < width; k++) {
			const struct schema_row *row = schema_row(key) + 1 + k;
			const struct value *e = &v->entries[i * width + k];

			if (!entry_key_shown(e, what))
				continue;
			fprintf(out, "%s%s: ", lead, last_part(row->path));
			put_yaml_text(out, scalar_text(row, e, num_text));
			putc('\n', out);
			lead = "    ";
		}
	}
}

static void
put_yaml_list(FILE *out, const struct conf *c, enum conf_key key, enum print_what what,
    const char *indent)
{
	const struct value *v = &c->v[key];

	fprintf(out, "%s%s:%s", indent, last_part(schema_row(key)->path),
	    v->n == 0 ? " []" : "");
	put_yaml_end(out, c, v, what);
	if (schema_row(key)->type == SCHEMA_MAPS) {
		put_yaml_entries(out, key, v, what);
		return;
	}
	for (size_t i = 0; i < v->n; i++) {
		fprintf(out, "%s  - ", indent);
		put_yaml_text(out, v->list[i]);
		putc('\n', out);
	}
}

static void
put_yaml_key(FILE *out, const struct conf *c, enum conf_key key, enum print_what what)
{
	const struct schema_row *row = schema_row(key);
	const char *indent = strchr(row->path, '.') == NULL ? "" : "  ";
	const struct value *v = &c->v[key];
	char num_text[VALUE_TEXT_MAX];

	if (schema_is_list(key)) {
		put_yaml_list(out, c, key, what, indent);
	} else if (!v->set) {
		fprintf(out, "%s# %s: (not set)\n", indent, last_part(row->path));
	} else {
		fprintf(out, "%s%s: ", indent, last_part(row->path));
		put_yaml_text(out, scalar_text(row, v, num_text));
		put_yaml_end(out, c, v, what);
	}
}

/* Writes "section:" when the keys of another section begin. */
static void
put_yaml_section(FILE *out, const char *path, char section[SECTION_MAX])
{
	const char *dot = strchr(path, '.');
	int n = dot == NULL ? 0 : (int)(dot - path);

	if (strlen(section) == (size_t)n && strncmp(section, path, (size_t)n) == 0)
		return;
	snprintf(section, SECTION_MAX, "%.*s", n, path);
	if (n > 0)
		fprintf(out, "%s:\n", section);
}

void
print_conf(FILE *out, const struct conf *c, enum print_what what, bool json)
{
	struct conf *defaults = conf_new_defaults(c->base);
	char section[SECTION_MAX] = "";
	const char *sep = "{";

	for (int k = 0; k < CONF_COUNT; k++) {
		enum conf_key key = (enum conf_key)k;
		const struct schema_row *row = schema_row(key);

		if ((row->flags & SCHEMA_ENTRY) != 0 ||
		    (what == PRINT_NONDEFAULT &&
			value_eq(key, &c->v[k], &defaults->v[k])))
			continue;
		if (json) {
			fputs(sep, out);
			put_json_key(out, c, key, what);
			sep = ",";
		} else {
			put_yaml_section(out, row->path, section);
			put_yaml_key(out, c, key, what);
		}
	}
	if (json)
		fputs(sep[0] == '{' ? "{}\n" : "}\n", out);
	conf_free(defaults);
}

bool
print_defaults(FILE *out, const char *base, bool json)
{
	struct conf *defaults;

	if (!conf_base_ok(base))
		return false;
	defaults = conf_new_defaults(base);
	print_conf(out, defaults, PRINT_ALL, json);
	conf_free(defaults);
	return true;
}

/* The default of a row, with %etc and the like as on this installation; NULL if none. */
static const char *
default_text(const struct conf *defaults, enum conf_key key, char *num_text)
{
	const struct schema_row *row = schema_row(key);
	const struct value *v = &defaults->v[key];

	if (row->def == NULL)
		return NULL;
	if ((row->flags & SCHEMA_ENTRY) != 0)
		return row->def;
	return schema_is_list(key) ? v->list[0] : scalar_text(row, v, num_text);
}

static void
explain_json(FILE *out, const struct conf *defaults, enum conf_key key)
{
	const struct schema_row *row = schema_row(key);
	char text[VALUE_TEXT_MAX];
	const char *def = default_text(defaults, key, text), *sep = "";

	fprintf(out,
	    "{\"key\":\"%s\",\"type\":\"%s\",\"list\":%s,\"required\":%s,\"default\":",
	    row->path, schema_type_name(row->type),
	    schema_is_list(key) ? "true" : "false",
	    (row->flags & SCHEMA_REQUIRED) != 0 ? "true" : "false");
	if (def == NULL)
		fputs("null", out);
	else
		jsontext_put(out, def);
	if (row->max > 0 && row->type != SCHEMA_BOOL) {
		value_format(row, row->min, text);
		fprintf(out, ",\"min\":\"%s\"", text);
		value_format(row, row->max, text);
		fprintf(out, ",\"max\":\"%s\"", text);
	}
	if (row->values != NULL) {
		fputs(",\"values\":[", out);
		for (size_t i = 0; row->values[i] != NULL; i++, sep = ",")
			fprintf(out, "%s\"%s\"", sep, row->values[i]);
		putc(']', out);
	}
	fprintf(out, ",\"secret\":%s,\"reload\":\"%s\",\"since\":\"%s\",\"help\":",
	    (row->flags & SCHEMA_SECRET_FILE) != 0 ? "true" : "false",
	    schema_reload_name(row->reload), row->since);
	jsontext_put(out, row->help);
	fputs("}\n", out);
}

/* Help, broken at blanks, indented by four. */
static void
put_help(FILE *out, const char *help)
{
	while (*help != '\0') {
		size_t n = strlen(help);

		if (n > HELP_WIDTH) {
			n = HELP_WIDTH;
			while (n > 0 && help[n] != ' ')
				n--;
		}
		fprintf(out, "    %.*s\n", (int)n, help);
		help += n;
		help += strspn(help, " ");
	}
}

static void
explain_values(FILE *out, const struct schema_row *row)
{
	char min[VALUE_TEXT_MAX], max[VALUE_TEXT_MAX];

	if (row->max > 0 && row->type != SCHEMA_BOOL) {
		value_format(row, row->min, min);
		value_format(row, row->max, max);
		fprintf(out, "    range:    %s to %s\n", min, max);
	}
	if (row->values == NULL)
		return;
	fputs("    values:  ", out);
	for (size_t i = 0; row->values[i] != NULL; i++)
		fprintf(out, "%s %s", i == 0 ? "" : ",", row->values[i]);
	putc('\n', out);
}

static void
explain_text(FILE *out, const struct conf *defaults, enum conf_key key)
{
	const struct schema_row *row = schema_row(key);
	char text[VALUE_TEXT_MAX];
	const char *def = default_text(defaults, key, text);

	fprintf(out, "%s\n", row->path);
	put_help(out, row->help);
	fprintf(out, "    type:     %s%s\n",
	    (row->flags & SCHEMA_LIST) != 0 ? "list of " : "",
	    schema_type_name(row->type));
	if ((row->flags & SCHEMA_REQUIRED) != 0)
		def = "none; must be set";
	fprintf(out, "    default:  %s\n", def == NULL ? "none" : def);
	explain_values(out, row);
	fprintf(out, "    reload:   %s\n", schema_reload_name(row->reload));
	fprintf(out, "    since:    %s\n", row->since);
}

/* True if the key is the path itself or lies in the section of that name. */
static bool
is_below(const struct schema_row *row, const char *path, enum conf_key exact,
    enum conf_key key)
{
	size_t n = path == NULL ? 0 : strlen(path);

	if (path == NULL || key == exact)
		return true;
	return strncmp(row->path, path, n) == 0 &&
	    (row->path[n] == '.' || strncmp(row->path + n, "[].", 3) == 0);
}

bool
print_explain(FILE *out, FILE *err, const char *path, bool json)
{
	enum conf_key exact = path == NULL ? CONF_COUNT : schema_find(path);
	struct conf *defaults;
	char near[SCHEMA_PATH_MAX];

	if (path != NULL && exact == CONF_COUNT && !schema_is_section(path)) {
		fprintf(err, "unknown key \"%s\"", path);
		if (schema_nearest(path, near))
			fprintf(err, "; did you mean \"%s\"?", near);
		putc('\n', err);
		return false;
	}
	defaults = conf_new_defaults(NULL);
	for (int k = 0; k < CONF_COUNT; k++) {
		enum conf_key key = (enum conf_key)k;

		if (!is_below(schema_row(key), path, exact, key))
			continue;
		if (json)
			explain_json(out, defaults, key);
		else
			explain_text(out, defaults, key);
	}
	conf_free(defaults);
	return true;
}
