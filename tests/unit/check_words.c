/* SPDX-License-Identifier: ISC */
/*
 * check_words.c - tests of cli/words, help and complete: what is understood, and that each
 * mistake gets one phrase.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/help.h"
#include "cli/words.h"
#include "wire/ctl.h"

static const struct word_command commands[] = {
    {"status", "s", WORD_NONE, NULL, 0, 0, 0, CTL_STATUS, 0, NULL, false, NULL},
    {"user add", "a", WORD_USER, "name", 1, 1, OPT_BIT(OPT_TTL) | OPT_BIT(OPT_DRY_RUN),
	CTL_USER_ADD, 0, NULL, false, NULL},
    {"user list", "l", WORD_NONE, NULL, 0, 0, 0, CTL_USER_LIST, 0, NULL, false, NULL},
    {"drop", "d", WORD_QID, "qid", 0, 2, OPT_BIT(OPT_YES), 0, 0, "root", false, NULL},
};
static const struct tool tool = {"try", "a tool",
    OPT_BIT(OPT_JSON) | OPT_BIT(OPT_QUIET) | OPT_BIT(OPT_SOCKET) | OPT_BIT(OPT_HELP),
    commands, sizeof(commands) / sizeof(commands[0])};

static struct call call;
static char error[WORDS_ERROR_MAX];

/* Splits at blanks and reads the words. */
static bool
parse(const char *line, bool interactive)
{
	static char text[512];
	char *argv[32], *save = NULL;
	size_t n = 0;

	(void)snprintf(text, sizeof(text), "%s", line);
	for (char *w = strtok_r(text, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	argv[n] = NULL;
	return words_parse(&tool, argv, interactive, &call, error);
}

START_TEST(good_lines)
{
	ck_assert(parse("status", false));
	ck_assert_str_eq(call.command->words, "status");
	ck_assert(parse("--json user -q add alice --ttl 7d", false));
	ck_assert_str_eq(call.command->words, "user add");
	ck_assert_ptr_nonnull(call.opt[OPT_JSON]);
	ck_assert_ptr_nonnull(call.opt[OPT_QUIET]);
	ck_assert_str_eq(call.opt[OPT_TTL], "7d");
	ck_assert_uint_eq(call.nargs, 1);
	ck_assert_str_eq(call.args[0], "alice");
	ck_assert(parse("-s/run/x -jq status", false));
	ck_assert_str_eq(call.opt[OPT_SOCKET], "/run/x");
	ck_assert(parse("user add --ttl=30s -- -odd", false));
	ck_assert_str_eq(call.args[0], "-odd");
	ck_assert(parse("drop 1111111111111 1111111111112 -y", false));
	ck_assert_uint_eq(call.nargs, 2);
	ck_assert(parse("user add --help", false));
}
END_TEST

/* Words are completed for a person only, and only if one command is left. */
START_TEST(cut_words)
{
	ck_assert(!parse("stat", false));
	ck_assert(parse("stat", true));
	ck_assert_str_eq(call.command->words, "status");
	ck_assert(parse("u a alice", true));
	ck_assert_str_eq(call.command->words, "user add");
	ck_assert(parse("us l", true));
	ck_assert_str_eq(call.command->words, "user list");
	ck_assert(!parse("user x", true));
}
END_TEST

static const struct {
	const char *line, *error;
} bad[] = {
    {"", "which command?"},
    {"user", "user what?"},
    {"nothing", "there is no command \"nothing\""},
    {"user nothing", "there is no command \"user nothing\""},
    {"user add", "user add needs a name"},
    {"user add a b", "user add takes no more than 1 argument"},
    {"status x", "status takes no argument, but \"x\" is given"},
    {"status --ttl 7d", "there is no option --ttl for status"},
    {"--ttl 7d status", "there is no option --ttl"},
    {"status -z", "there is no option -z for status"},
    {"status --json=1", "--json takes no value"},
    {"status --json --json", "--json is given twice"},
    {"user add a --ttl", "--ttl needs a duration"},
    {"user add a --ttl 7x", "--ttl: \"7x\" is not a duration like 30s or 7d"},
    {"user add a --ttl 07d", "--ttl: \"07d\" is not a duration like 30s or 7d"},
    {"drop abc", "\"abc\" is not a queue id"},
};

START_TEST(bad_lines)
{
	ck_assert(!parse(bad[_i].line, false));
	ck_assert_str_eq(error, bad[_i].error);
}
END_TEST

START_TEST(values)
{
	uint64_t s;

	ck_assert(words_duration("30s", &s) && s == 30);
	ck_assert(words_duration("7d", &s) && s == 604800);
	ck_assert(!words_duration("7", &s) && !words_duration("d", &s));
	ck_assert(!words_duration("0s", &s) && !words_duration("-1s", &s));
	ck_assert_ptr_null(words_check(WORD_PORT, "65535"));
	ck_assert_ptr_nonnull(words_check(WORD_PORT, "65536"));
	ck_assert_ptr_nonnull(words_check(WORD_PORT, "0"));
	ck_assert_ptr_null(words_check(WORD_DOMAIN, "im.alpha.test"));
	ck_assert_ptr_nonnull(words_check(WORD_DOMAIN, "Im.alpha.test"));
	ck_assert_ptr_nonnull(words_check(WORD_TEXT, ""));
	ck_assert_ptr_nonnull(words_check(WORD_TEXT, "\xff"));
	ck_assert_ptr_nonnull(words_check(WORD_SHELL, "csh"));
}
END_TEST

/* Runs a function that prints and compares. */
static char *printed;
static size_t nprinted;

static FILE *
print_begin(void)
{
	FILE *f = open_memstream(&printed, &nprinted);

	ck_assert_ptr_nonnull(f);
	return f;
}

static void
print_end(FILE *f, const char *want)
{
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_str_eq(printed, want);
	free(printed);
}

START_TEST(texts)
{
	FILE *f = print_begin();

	help_synopsis(f, &commands[1]);
	print_end(f, "user add [--dry-run] [--ttl duration] name");
	f = print_begin();
	help_synopsis(f, &commands[3]);
	print_end(f, "drop [--yes] [qid ...]");
	ck_assert_str_eq(words_right(&commands[0]), "_emsgq");
	ck_assert_str_eq(words_right(&commands[1]), "_emsgadm");
	ck_assert_str_eq(words_right(&commands[3]), "root");
}
END_TEST

static void
completes(const char *line, const char *want)
{
	char text[256], *argv[16], *save = NULL;
	size_t n = 0;
	FILE *f = print_begin();

	(void)snprintf(text, sizeof(text), "%s", line);
	for (char *w = strtok_r(text, ",", &save); w != NULL;
	     w = strtok_r(NULL, ",", &save))
		argv[n++] = strcmp(w, "''") == 0 ? (char[]){""} : w;
	argv[n] = NULL;
	ck_assert_int_eq(complete_words(f, &tool, argv), 0);
	print_end(f, want);
}

START_TEST(completion)
{
	completes("u", "user\n");
	completes("''", "status\nuser\ndrop\n");
	completes("user,''", "add\nlist\n");
	completes("user,add,--t", "--ttl\n");
	completes("status,--t", "");
	completes("--s", "--socket\n");
	completes("--socket,x,user,l", "list\n");
	completes("nothing,x,y", "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("words");
	TCase *tc = tcase_create("words");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, good_lines);
	tcase_add_test(tc, cut_words);
	tcase_add_loop_test(tc, bad_lines, 0, sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, values);
	tcase_add_test(tc, texts);
	tcase_add_test(tc, completion);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
