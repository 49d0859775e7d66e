/* SPDX-License-Identifier: ISC */
/*
 * help.c - synopsis, help texts and the dump of a tool's table.
 *
 * Everything is generated, so that help cannot say what the parser does not do; the test of
 * the manual compares the pages with help_dump(). Called by tool.c. Write errors are left to
 * the caller, who looks at the stream when all is written.
 */
#include "config.h"

#include "cli/help.h"

static void
put_option(FILE *out, const struct word_option *o)
{
	if (o->letter != 0)
		(void)fprintf(out, "-%c, ", o->letter);
	(void)fprintf(out, "--%s", o->name);
	if (o->metavar != NULL)
		(void)fprintf(out, " %s", o->metavar);
}

void
help_synopsis(FILE *out, const struct word_command *c)
{
	(void)fputs(c->words, out);
	for (enum opt o = 0; o < OPT_COUNT; o++) {
		const struct word_option *opt = words_option(o);

		if ((c->options & OPT_BIT(o)) == 0)
			continue;
		(void)fprintf(out, " [--%s%s%s]", opt->name,
		    opt->metavar != NULL ? " " : "",
		    opt->metavar != NULL ? opt->metavar : "");
	}
	if (c->max > 0)
		(void)fprintf(out, c->min > 0 ? " %s%s" : " [%s%s]", c->metavar,
		    c->max > 1 ? " ..." : "");
}

static void
list_options(FILE *out, unsigned mask)
{
	for (enum opt o = 0; o < OPT_COUNT; o++) {
		if ((mask & OPT_BIT(o)) == 0)
			continue;
		(void)fputs("  ", out);
		put_option(out, words_option(o));
		(void)fprintf(out, "\n        %s\n", words_option(o)->help);
	}
}

void
help_tool(FILE *out, const struct tool *t)
{
	(void)fprintf(out, "%s - %s\n\nusage: %s [option ...] command [argument ...]\n\n",
	    t->name, t->help, t->name);
	(void)fputs("commands:\n", out);
	for (size_t i = 0; i < t->n; i++) {
		if (t->commands[i].words[0] == '\0') {
			(void)fprintf(out, "  (none)\n        %s\n", t->commands[i].help);
			continue;
		}
		(void)fputs("  ", out);
		help_synopsis(out, &t->commands[i]);
		(void)fprintf(out, "\n        %s\n", t->commands[i].help);
	}
	(void)fputs("\noptions of all commands:\n", out);
	list_options(out, t->options);
}

void
help_command(FILE *out, const struct tool *t, const struct word_command *c)
{
	(void)fprintf(out, "usage: %s ", t->name);
	help_synopsis(out, c);
	(void)fprintf(out, "\n\n%s (for %s)\n", c->help, words_right(c));
	if (c->options != 0)
		(void)fputc('\n', out);
	list_options(out, c->options);
	(void)fprintf(out, "\noptions of all commands: %s help\n", t->name);
}

static void
dump_option(FILE *out, const char *words, enum opt o)
{
	const struct word_option *opt = words_option(o);

	(void)fprintf(out, "option\t%s\t--%s\t%c\t%s\n", words, opt->name,
	    opt->letter == 0 ? '-' : opt->letter,
	    opt->metavar == NULL ? "-" : opt->metavar);
}

void
help_dump(FILE *out, const struct tool *t)
{
	for (enum opt o = 0; o < OPT_COUNT; o++)
		if ((t->options & OPT_BIT(o)) != 0)
			dump_option(out, "", o);
	for (size_t i = 0; i < t->n; i++) {
		const struct word_command *c = &t->commands[i];

		(void)fprintf(out, "command\t%s\t%s\t", c->words, words_right(c));
		help_synopsis(out, c);
		(void)fputc('\n', out);
		for (enum opt o = 0; o < OPT_COUNT; o++)
			if ((c->options & OPT_BIT(o)) != 0)
				dump_option(out, c->words, o);
	}
}
