/* SPDX-License-Identifier: ISC */
/*
 * tool.h - what emsgctl and emsgq have in common: main(), exit codes, remarks.
 */
#ifndef CLI_TOOL_H
#define CLI_TOOL_H

#include "cli/words.h"

/* Exit codes of both tools. */
enum tool_exit {
	TOOL_OK = 0,
	TOOL_FAILED = 1,
	TOOL_USAGE = 2,
	TOOL_DOWN = 3,    /* the server is not running */
	TOOL_NONE = 4,    /* no such thing, nothing matched */
	TOOL_DENIED = 5,  /* not allowed */
	TOOL_PARTIAL = 6, /* some objects failed, or some process did not answer */
	TOOL_INVALID = 7, /* the configuration is invalid */
	TOOL_LATER = 75,  /* try again later */
};

#define TOOL_TIMEOUT_S 5  /* seconds to wait for an answer */
#define TOOL_TTL_S 604800 /* seconds that an invitation lives */

/* The options that every command of both tools takes. */
#define TOOL_OPTIONS                                                                     \
	(OPT_BIT(OPT_SOCKET) | OPT_BIT(OPT_DIRECTORY) | OPT_BIT(OPT_JSON) |              \
	    OPT_BIT(OPT_QUIET) | OPT_BIT(OPT_TIMEOUT) | OPT_BIT(OPT_HELP))

/* Runs a tool; returns its exit code. */
int tool_main(const struct tool *, int argc, char **argv);
/* One line on standard error, after the tool's name. Returns code, so that a command can end
 * with it. */
int tool_fail(const struct call *, enum tool_exit code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* One line on standard output for people: nothing with --json or --quiet. */
void tool_say(const struct call *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Asks a question with yes or no at the terminal; --yes answers it. False without either. */
bool tool_confirm(const struct call *, const char *question);

/* Commands that both tools have. */
int tool_help(const struct call *);
int tool_version(const struct call *);
int tool_completion(const struct call *);
/* Their rows in the table. */
#define TOOL_COMMANDS                                                                    \
	{"help", "show how a command is used", WORD_COMMAND, "command", 0, 2, 0, 0, 0,   \
	    "anybody", false, tool_help},                                                \
	    {"version", "show the release", WORD_NONE, NULL, 0, 0, 0, 0, 0, "anybody",   \
		false, tool_version},                                                    \
	{                                                                                \
		"completion", "print the completion file for a shell", WORD_SHELL,       \
		    "shell", 1, 1, 0, 0, 0, "anybody", false, tool_completion            \
	}

#endif
