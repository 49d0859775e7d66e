/* SPDX-License-Identifier: ISC */
/*
 * tool.c - main() of both tools: read the command line, run the command, end with its code.
 *
 * Data goes to standard output, remarks and mistakes to standard error, one line each. A full
 * disk or a closed pipe behind standard output is a failure like any other. Called by the
 * tools' main(); commands call back for messages and questions.
 */
#include "config.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "cli/complete.h"
#include "cli/help.h"
#include "cli/tool.h"

int
tool_fail(const struct call *call, enum tool_exit code, const char *fmt, ...)
{
	va_list ap;

	(void)fprintf(stderr, "%s: ", call->tool->name);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	return (int)code;
}

void
tool_say(const struct call *call, const char *fmt, ...)
{
	va_list ap;

	if (call->opt[OPT_JSON] != NULL || call->opt[OPT_QUIET] != NULL)
		return;
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
}

bool
tool_confirm(const struct call *call, const char *question)
{
	char answer[16];

	if (call->opt[OPT_YES] != NULL)
		return true;
	if (!call->interactive)
		return false;
	(void)fprintf(stderr, "%s [y/N] ", question);
	return fgets(answer, sizeof(answer), stdin) != NULL &&
	    (answer[0] == 'y' || answer[0] == 'Y');
}

int
tool_help(const struct call *call)
{
	const struct word_command *c;
	char words[80];

	if (call->nargs == 0) {
		help_tool(stdout, call->tool);
		return TOOL_OK;
	}
	(void)snprintf(words, sizeof(words), "%s%s%s", call->args[0],
	    call->nargs > 1 ? " " : "", call->nargs > 1 ? call->args[1] : "");
	c = words_find(call->tool, words);
	if (c == NULL)
		return tool_fail(call, TOOL_USAGE, "there is no command \"%s\"", words);
	help_command(stdout, call->tool, c);
	return TOOL_OK;
}

int
tool_version(const struct call *call)
{
	if (call->opt[OPT_JSON] != NULL)
		(void)printf("{\"v\":1,\"version\":\"%s\"}\n", PACKAGE_VERSION);
	else
		(void)printf("%s %s\n", call->tool->name, PACKAGE_VERSION);
	return TOOL_OK;
}

int
tool_completion(const struct call *call)
{
	complete_script(stdout, call->tool, call->args[0]);
	return TOOL_OK;
}

static int
run(const struct tool *tool, char **argv)
{
	struct call call;
	char error[WORDS_ERROR_MAX];
	bool person = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);

	if (argv[0] != NULL && strcmp(argv[0], "__complete") == 0)
		return complete_words(stdout, tool, argv + 1);
	if (argv[0] != NULL && strcmp(argv[0], "__dump") == 0) {
		help_dump(stdout, tool);
		return TOOL_OK;
	}
	if (!words_parse(tool, argv, person, &call, error))
		return tool_fail(&call, TOOL_USAGE, "%s; see \"%s help%s%s\"", error,
		    tool->name, call.command != NULL && call.command->words[0] ? " " : "",
		    call.command != NULL ? call.command->words : "");
	if (call.opt[OPT_HELP] != NULL) {
		if (call.command == NULL || call.command->words[0] == '\0')
			help_tool(stdout, tool);
		else
			help_command(stdout, tool, call.command);
		return TOOL_OK;
	}
	return call.command->run(&call);
}

int
tool_main(const struct tool *tool, int argc, char **argv)
{
	int code;

	if (fd_sane_stdio() == -1 || argc < 1)
		return TOOL_FAILED;
	(void)signal(SIGPIPE, SIG_IGN);
	log_init(tool->name, LOG_LEVEL_ERROR);
	code = run(tool, argv + 1);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("standard output");
		return code == TOOL_OK ? TOOL_FAILED : code;
	}
	return code;
}
