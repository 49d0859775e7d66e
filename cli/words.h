/* SPDX-License-Identifier: ISC */
/*
 * words.h - the table that describes a tool's commands, and reading a command line by it.
 *
 * Parser, help texts, completion and the test of the manual all come from one static
 * struct tool for each tool. Adding a command is adding a row.
 */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_ARGS_MAX 512 /* arguments of one command */
#define WORDS_ERROR_MAX 256

/* What a word stands for: how it is checked and completed. */
enum word_kind {
	WORD_NONE, /* an option without a value; no arguments */
	WORD_TEXT,
	WORD_FILE,
	WORD_DIRECTORY,
	WORD_DURATION, /* 30s 5m 1h 7d */
	WORD_PORT,
	WORD_NUMBER,
	WORD_DOMAIN,
	WORD_USER,    /* alice, or alice#im.alpha.test */
	WORD_KEY,     /* name of a server key */
	WORD_CONFKEY, /* configuration key */
	WORD_QID,
	WORD_COMMAND, /* words of a command */
	WORD_SHELL,   /* bash, zsh, fish */
};

enum opt {
	OPT_SOCKET,
	OPT_DIRECTORY,
	OPT_LIBEXEC,
	OPT_JSON,
	OPT_QUIET,
	OPT_TIMEOUT,
	OPT_HELP,
	OPT_DRY_RUN,
	OPT_YES,
	OPT_DOMAIN,
	OPT_SELF_SIGNED,
	OPT_CERT,
	OPT_KEY,
	OPT_HOST,
	OPT_PORT,
	OPT_USER,
	OPT_TTL,
	OPT_CONFIG,
	OPT_ALL,
	OPT_ORIGIN,
	OPT_DEST,
	OPT_LIMIT,
	OPT_COUNT
};
#define OPT_BIT(o) (1U << (o))

struct word_option {
	char letter; /* 0: none */
	const char *name;
	enum word_kind kind;
	const char *metavar; /* NULL: it takes no value */
	const char *help;
};
/* The options of both tools. */
const struct word_option *words_option(enum opt);

struct call;

struct word_command {
	const char *words; /* one or two; "" is the command that runs without any */
	const char *help;  /* one line */
	enum word_kind kind;
	const char *metavar; /* of the arguments */
	size_t min, max;     /* how many of them */
	unsigned options;    /* OPT_BIT, besides those of the tool */
	unsigned ask;        /* enum ctl_command, or 0: done by the tool itself */
	unsigned rehearse;   /* --dry-run asks this instead, or 0 */
	const char *right;   /* who may, if ask is 0 */
	bool record;         /* the answer is one thing, not a list */
	int (*run)(const struct call *);
};

struct tool {
	const char *name;
	const char *help; /* one line */
	unsigned options; /* allowed with every command */
	const struct word_command *commands;
	size_t n;
};

/* A command line that was understood. Everything is borrowed from argv. */
struct call {
	const struct tool *tool;
	const struct word_command *command;
	const char *opt[OPT_COUNT]; /* value, "" for one without, NULL if not given */
	const char *args[WORDS_ARGS_MAX];
	size_t nargs;
	bool interactive; /* a person at a terminal */
};

/* Reads argv (without the program's name). interactive: words may be cut short as long as
 * they are unique. False with one clear phrase in error. With --help, command may be NULL and
 * arguments are not counted. */
bool words_parse(const struct tool *, char *const *argv, bool interactive, struct call *,
    char error[WORDS_ERROR_MAX]);
/* The command of exactly these words, or NULL. */
const struct word_command *words_find(const struct tool *, const char *words);
/* Whether value can be what the kind says; else one phrase. */
const char *words_check(enum word_kind, const char *value);
/* "30s", "5m", "1h", "7d" in seconds; false if it is none. */
bool words_duration(const char *, uint64_t *seconds);
/* Who may give a command: "anybody", "_emsgq", "_emsgadm", "root", ... */
const char *words_right(const struct word_command *);

#endif
