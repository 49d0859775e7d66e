/* SPDX-License-Identifier: ISC */
/*
 * words.c - reads a command line by the table of a tool.
 *
 * Options may stand anywhere before "--"; an option of a command only after its words. Words
 * are never guessed for scripts: a cut word is accepted at a terminal only, and only if it is
 * unique. Called by tool.c, and by complete.c for the table of options. Nothing is allocated,
 * printed or kept; every mistake is one phrase for the person who typed.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cli/words.h"
#include "wire/addr.h"
#include "wire/ctl.h"

static const struct word_option options[OPT_COUNT] = {
    [OPT_SOCKET] = {'s', "socket", WORD_FILE, "file", "the admin socket to call"},
    [OPT_DIRECTORY] = {'d', "directory", WORD_DIRECTORY, "directory",
	"the directory of a server that runs below one directory"},
    [OPT_LIBEXEC] = {'x', "libexec", WORD_DIRECTORY, "directory", "where emsgd is"},
    [OPT_JSON] = {'j', "json", WORD_NONE, NULL, "print JSON, one object a line"},
    [OPT_QUIET] = {'q', "quiet", WORD_NONE, NULL, "no heads of columns, no remarks"},
    [OPT_TIMEOUT] = {'t', "timeout", WORD_DURATION, "duration",
	"how long to wait for the server; 5s if not given"},
    [OPT_HELP] = {'h', "help", WORD_NONE, NULL, "show what there is"},
    [OPT_DRY_RUN] = {'n', "dry-run", WORD_NONE, NULL, "say what would be done"},
    [OPT_YES] = {'y', "yes", WORD_NONE, NULL, "do not ask"},
    [OPT_DOMAIN] = {0, "domain", WORD_DOMAIN, "domain", "the domain of the server"},
    [OPT_SELF_SIGNED] = {0, "self-signed", WORD_NONE, NULL,
	"make a certificate that peers and clients check by the pin"},
    [OPT_CERT] = {0, "cert", WORD_FILE, "file", "the certificate to use"},
    [OPT_KEY] = {0, "key", WORD_FILE, "file", "the private key of the certificate"},
    [OPT_HOST] = {0, "host", WORD_TEXT, "host", "host name or address to be reached at"},
    [OPT_PORT] = {0, "port", WORD_PORT, "port", "port to be reached at"},
    [OPT_USER] = {0, "user", WORD_USER, "name", "only for this address"},
    [OPT_TTL] = {0, "ttl", WORD_DURATION, "duration",
	"how long it can be used; 7d if not given"},
    [OPT_CONFIG] = {'c', "config", WORD_FILE, "file", "the configuration file"},
    [OPT_ALL] = {0, "all", WORD_NONE, NULL, "everything"},
    [OPT_ORIGIN] = {0, "origin", WORD_NONE, NULL, "say where each value comes from"},
    [OPT_DEST] = {0, "dest", WORD_DOMAIN, "domain", "what goes to this domain"},
    [OPT_LIMIT] = {0, "limit", WORD_NUMBER, "number", "at most so many"},
};

const struct word_option *
words_option(enum opt o)
{
	return &options[o];
}

const struct word_command *
words_find(const struct tool *t, const char *words)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->commands[i].words, words) == 0)
			return &t->commands[i];
	return NULL;
}

const char *
words_right(const struct word_command *c)
{
	static const char *const names[] = {
	    [CTL_VIEW] = "_emsgq", [CTL_ADMIN] = "_emsgadm", [CTL_ROOT] = "root"};
	const struct ctl *ctl = ctl_find(c->ask);

	return ctl == NULL ? c->right : names[ctl->right];
}

/* --- values ---------------------------------------------------------------------------- */

bool
words_duration(const char *text, uint64_t *seconds)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char digits[12];
	size_t n = strlen(text);
	uint64_t value;

	if (n < 2 || n > sizeof(digits))
		return false;
	memcpy(digits, text, n - 1);
	digits[n - 1] = '\0';
	if (!num_parse(digits, 1, 1000 * 1000 * 1000, &value))
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit == text[n - 1]) {
			*seconds = value * units[i].seconds;
			return true;
		}
	}
	return false;
}

const char *
words_check(enum word_kind kind, const char *value)
{
	const char *why = NULL;
	uint64_t n;

	if (value[0] == '\0')
		return "is empty";
	switch (kind) {
	case WORD_DURATION:
		return words_duration(value, &n) ? NULL
						 : "is not a duration like 30s or 7d";
	case WORD_PORT:
		return num_parse(value, 1, 65535, &n) ? NULL : "is not a port number";
	case WORD_NUMBER:
		return num_parse(value, 1, 1000 * 1000 * 1000, &n) ? NULL
								   : "is not a number";
	case WORD_DOMAIN:
		addr_domain_valid(span_str(value), &why);
		return why == NULL ? NULL : "is not a domain in lower-case ASCII form";
	case WORD_QID:
		return id32_decode(value, &n) ? NULL : "is not a queue id";
	case WORD_SHELL:
		return strcmp(value, "bash") == 0 || strcmp(value, "zsh") == 0 ||
			strcmp(value, "fish") == 0
		    ? NULL
		    : "is not one of bash, zsh, fish";
	default:
		return utf8_valid(span_str(value)) ? NULL : "is not UTF-8";
	}
}

/* --- reading --------------------------------------------------------------------------- */

struct reading {
	struct call *call;
	char *const *next; /* what is still to be read */
	char word[2][32];  /* words of the command so far */
	size_t nwords;
	char *error;
};

static bool complain(struct reading *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool
complain(struct reading *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(r->error, WORDS_ERROR_MAX, fmt, ap);
	va_end(ap);
	return false;
}

static unsigned
allowed(const struct call *call)
{
	return call->tool->options | (call->command != NULL ? call->command->options : 0);
}

/* Takes an option; value is what stood behind "=" or the letter, or NULL. */
static bool
take_option(struct reading *r, enum opt o, const char *value, const char *shown)
{
	const struct word_option *opt = &options[o];
	const char *why;

	if (r->call->opt[o] != NULL)
		return complain(r, "%s is given twice", shown);
	if (opt->metavar == NULL) {
		if (value != NULL)
			return complain(r, "%s takes no value", shown);
		r->call->opt[o] = "";
		return true;
	}
	if (value == NULL)
		value = *r->next == NULL ? NULL : *r->next++;
	if (value == NULL)
		return complain(r, "%s needs a %s", shown, opt->metavar);
	why = words_check(opt->kind, value);
	if (why != NULL)
		return complain(r, "%s: \"%s\" %s", shown, value, why);
	r->call->opt[o] = value;
	return true;
}

static bool
take_long(struct reading *r, const char *text)
{
	const char *value = strchr(text, '=');
	size_t n = value == NULL ? strlen(text) : (size_t)(value - text);
	char shown[64];

	(void)snprintf(shown, sizeof(shown), "--%.*s", (int)(n < 60 ? n : 60), text);
	for (enum opt o = 0; o < OPT_COUNT; o++)
		if ((allowed(r->call) & OPT_BIT(o)) != 0 &&
		    strlen(options[o].name) == n &&
		    strncmp(options[o].name, text, n) == 0)
			return take_option(r, o, value == NULL ? NULL : value + 1, shown);
	return complain(r, "there is no option %s%s%s", shown,
	    r->call->command != NULL && r->nwords > 0 ? " for " : "",
	    r->call->command != NULL ? r->call->command->words : "");
}

/* One or more options of a letter in one word. */
static bool
take_letters(struct reading *r, const char *text)
{
	for (; *text != '\0'; text++) {
		char shown[3] = {'-', *text, '\0'};
		enum opt o = 0;

		while (o < OPT_COUNT &&
		    (options[o].letter != *text || (allowed(r->call) & OPT_BIT(o)) == 0))
			o++;
		if (o == OPT_COUNT)
			return complain(r, "there is no option %s%s%s", shown,
			    r->call->command != NULL && r->nwords > 0 ? " for " : "",
			    r->call->command != NULL ? r->call->command->words : "");
		if (options[o].metavar != NULL)
			return take_option(
			    r, o, text[1] != '\0' ? text + 1 : NULL, shown);
		if (!take_option(r, o, NULL, shown))
			return false;
	}
	return true;
}

/* Compares the n-th word of a command with what was typed: 2 the same, 1 begins so, 0 not. */
static int
matches(const char *words, size_t index, const char *typed)
{
	const char *end;
	size_t n = strlen(typed);

	for (; index > 0; index--) {
		words = strchr(words, ' ');
		if (words == NULL)
			return 0;
		words++;
	}
	end = strchr(words, ' ');
	if (end == NULL)
		end = words + strlen(words);
	if (n > (size_t)(end - words) || strncmp(words, typed, n) != 0)
		return 0;
	return (size_t)(end - words) == n ? 2 : 1;
}

/* The full form of a word typed as the next one of a command. Several commands may share
 * their first word. NULL: none begins so; "": more than one. */
static const char *
complete_word(const struct reading *r, const char *typed, bool cut)
{
	static char found[32];
	bool any = false;

	for (size_t i = 0; i < r->call->tool->n; i++) {
		const char *words = r->call->tool->commands[i].words;
		int m = matches(words, r->nwords, typed);

		if (words[0] == '\0' ||
		    (r->nwords > 0 && matches(words, 0, r->word[0]) != 2))
			continue;
		if (m == 2)
			return typed;
		if (m == 0 || !cut || typed[0] == '\0')
			continue;
		if (r->nwords > 0)
			words = strchr(words, ' ') + 1;
		if (any && matches(words, 0, found) != 2)
			return "";
		(void)snprintf(
		    found, sizeof(found), "%.*s", (int)strcspn(words, " "), words);
		any = true;
	}
	return any ? found : NULL;
}

/* A word that belongs to the command's name. */
static bool
take_word(struct reading *r, const char *typed)
{
	const char *full = complete_word(r, typed, r->call->interactive);
	char words[80];

	if (full == NULL || full[0] == '\0' || strlen(full) >= sizeof(r->word[0]))
		return complain(r, "%s \"%s%s%s\"",
		    full != NULL && full[0] == '\0' ? "more than one command begins with"
						    : "there is no command",
		    r->nwords > 0 ? r->word[0] : "", r->nwords > 0 ? " " : "", typed);
	(void)snprintf(r->word[r->nwords], sizeof(r->word[0]), "%s", full);
	r->nwords++;
	(void)snprintf(words, sizeof(words), "%s%s%s", r->word[0],
	    r->nwords > 1 ? " " : "", r->nwords > 1 ? r->word[1] : "");
	r->call->command = words_find(r->call->tool, words);
	return true;
}

static bool
take_argument(struct reading *r, const char *text)
{
	const struct word_command *c = r->call->command;
	const char *why;

	if (r->call->nargs == c->max || r->call->nargs == WORDS_ARGS_MAX)
		return c->max == 0
		    ? complain(
			  r, "%s takes no argument, but \"%s\" is given", c->words, text)
		    : complain(r, "%s takes no more than %zu argument%s", c->words,
			  c->max, c->max == 1 ? "" : "s");
	why = words_check(c->kind, text);
	if (why != NULL)
		return complain(r, "\"%s\" %s", text, why);
	r->call->args[r->call->nargs++] = text;
	return true;
}

static bool
take(struct reading *r, const char *text, bool plain)
{
	if (!plain && text[0] == '-' && text[1] == '-')
		return take_long(r, text + 2);
	if (!plain && text[0] == '-' && text[1] != '\0')
		return take_letters(r, text + 1);
	if (r->nwords == 0 || r->call->command == NULL)
		return take_word(r, text);
	return take_argument(r, text);
}

/* What can only be judged when everything was read. */
static bool
judge(struct reading *r)
{
	const struct call *call = r->call;

	if (call->opt[OPT_HELP] != NULL)
		return true;
	if (call->command == NULL)
		return r->nwords == 0 ? complain(r, "which command?")
				      : complain(r, "%s what?", r->word[0]);
	if (call->nargs < call->command->min)
		return complain(
		    r, "%s needs a %s", call->command->words, call->command->metavar);
	return true;
}

bool
words_parse(const struct tool *tool, char *const *argv, bool interactive,
    struct call *call, char error[WORDS_ERROR_MAX])
{
	struct reading r = {.call = call, .next = argv, .error = error};
	bool plain = false;

	memset(call, 0, sizeof(*call));
	call->tool = tool;
	call->command = words_find(tool, "");
	call->interactive = interactive;
	error[0] = '\0';
	while (*r.next != NULL) {
		const char *text = *r.next++;

		if (!plain && strcmp(text, "--") == 0)
			plain = true;
		else if (!take(&r, text, plain))
			return false;
	}
	return judge(&r);
}
