/* SPDX-License-Identifier: ISC */
/*
 * complete.c - completion in shells, answered by the tool itself from its table.
 *
 * The shell passes the words typed so far and gets the candidates for the last one: words of
 * commands, options, values that are fixed. Called by tool.c. It never fails and never asks
 * the server, so that a key press never waits.
 */
#include "config.h"

#include <string.h>

#include "cli/complete.h"

/* What the words before the last one say. */
struct typed {
	const char *word[2]; /* plain words, the first two */
	size_t nwords;
	const struct word_command *command;
	const char *last; /* to be completed; "" for a new word */
};

static bool
takes_value(const char *option)
{
	for (enum opt o = 0; o < OPT_COUNT; o++) {
		const struct word_option *opt = words_option(o);
		bool same = option[1] == '-'
		    ? strcmp(opt->name, option + 2) == 0
		    : opt->letter == option[1] && option[2] == '\0';

		if (same)
			return opt->metavar != NULL;
	}
	return false;
}

static void
read_typed(const struct tool *tool, char *const *argv, struct typed *t)
{
	char words[80];

	*t = (struct typed){.last = ""};
	for (; *argv != NULL; argv++) {
		if (argv[1] == NULL) {
			t->last = *argv;
		} else if ((*argv)[0] == '-') {
			if (takes_value(*argv) && argv[1] != NULL && argv[2] != NULL)
				argv++;
		} else if (t->nwords < 2 && t->command == NULL) {
			t->word[t->nwords++] = *argv;
			(void)snprintf(words, sizeof(words), "%s%s%s", t->word[0],
			    t->nwords > 1 ? " " : "", t->nwords > 1 ? t->word[1] : "");
			t->command = words_find(tool, words);
		}
	}
}

static void
offer(FILE *out, const char *candidate, size_t n, const char *begin)
{
	if (strlen(begin) <= n && strncmp(candidate, begin, strlen(begin)) == 0)
		(void)fprintf(out, "%.*s\n", (int)n, candidate);
}

/* The n-th words of commands; each once, as commands with one first word stand together. */
static void
offer_words(FILE *out, const struct tool *tool, const struct typed *t)
{
	const char *before = "";

	for (size_t i = 0; i < tool->n; i++) {
		const char *words = tool->commands[i].words;
		size_t n = strcspn(words, " ");

		if (t->nwords == 1) {
			if (strlen(t->word[0]) != n || words[n] != ' ' ||
			    strncmp(words, t->word[0], n) != 0)
				continue;
			words += n + 1;
			n = strlen(words);
		}
		if (n > 0 && (strncmp(before, words, n) != 0 || before[n] > ' '))
			offer(out, words, n, t->last);
		before = words;
	}
}

static void
offer_options(FILE *out, const struct tool *tool, const struct typed *t)
{
	unsigned mask = tool->options;
	const struct word_command *c = t->command;

	if (c == NULL && t->nwords == 0)
		c = words_find(tool, "");
	if (c != NULL)
		mask |= c->options;
	for (enum opt o = 0; o < OPT_COUNT; o++) {
		char text[64];

		if ((mask & OPT_BIT(o)) == 0)
			continue;
		(void)snprintf(text, sizeof(text), "--%s", words_option(o)->name);
		offer(out, text, strlen(text), t->last);
	}
}

int
complete_words(FILE *out, const struct tool *tool, char *const *argv)
{
	static const char *const shells[] = {"bash", "zsh", "fish"};
	struct typed t;

	read_typed(tool, argv, &t);
	if (t.last[0] == '-')
		offer_options(out, tool, &t);
	else if (t.command == NULL)
		offer_words(out, tool, &t);
	else if (t.command->kind == WORD_COMMAND)
		offer_words(out, tool, &(struct typed){.last = t.last});
	else if (t.command->kind == WORD_SHELL)
		for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
			offer(out, shells[i], strlen(shells[i]), t.last);
	return 0;
}

void
complete_script(FILE *out, const struct tool *tool, const char *shell)
{
	const char *name = tool->name;

	if (strcmp(shell, "bash") == 0)
		(void)fprintf(out,
		    "_%s() {\n"
		    "\tmapfile -t COMPREPLY < <(\"$1\" __complete "
		    "\"${COMP_WORDS[@]:1:COMP_CWORD}\" 2>/dev/null)\n"
		    "}\n"
		    "complete -o default -F _%s %s\n",
		    name, name, name);
	else if (strcmp(shell, "zsh") == 0)
		(void)fprintf(out,
		    "#compdef %s\n"
		    "_%s() {\n"
		    "\tlocal -a found\n"
		    "\tfound=(${(f)\"$($words[1] __complete \"${(@)words[2,$CURRENT]}\" "
		    "2>/dev/null)\"})\n"
		    "\t(( $#found )) && compadd -a found || _files\n"
		    "}\n"
		    "compdef _%s %s\n",
		    name, name, name, name);
	else
		(void)fprintf(out,
		    "complete -c %s -a '(%s __complete (commandline -opc)[2..-1] "
		    "(commandline -ct) 2>/dev/null)'\n",
		    name, name);
}
