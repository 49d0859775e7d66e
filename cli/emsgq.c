/* SPDX-License-Identifier: ISC */
/*
 * emsgq.c - the tool for the queue: its table of commands, and main().
 *
 * As emsgctl.c: parser, help, completion and the test of emsgq(8) read this table.
 */
#include "config.h"

#include "cli/ask.h"
#include "cli/summary.h"
#include "cli/tool.h"
#include "wire/ctl.h"

#define CHOICE (OPT_BIT(OPT_DRY_RUN) | OPT_BIT(OPT_DEST) | OPT_BIT(OPT_ALL))

/* clang-format off */
static const struct word_command commands[] = {
	{"", "show what waits, by destination",
	    WORD_NONE, NULL, 0, 0, 0, CTL_QUEUE_LIST, 0, NULL, false, summary_run},
	{"list", "list the items in the queue",
	    WORD_NONE, NULL, 0, 0, OPT_BIT(OPT_DEST) | OPT_BIT(OPT_LIMIT), CTL_QUEUE_LIST,
	    0, NULL, false, ask_run},
	{"show", "show an item and what became of each attempt",
	    WORD_QID, "qid", 1, 1, 0, CTL_QUEUE_SHOW, 0, NULL, false, ask_run},
	{"retry", "try items now",
	    WORD_QID, "qid", 0, WORDS_ARGS_MAX, CHOICE, CTL_QUEUE_RETRY, CTL_QUEUE_LIST,
	    NULL, false, summary_retry},
	{"drop", "remove items from the queue for good",
	    WORD_QID, "qid", 0, WORDS_ARGS_MAX, CHOICE | OPT_BIT(OPT_YES), CTL_QUEUE_DROP,
	    CTL_QUEUE_LIST, NULL, false, summary_drop},
	TOOL_COMMANDS,
};
/* clang-format on */

static const struct tool emsgq = {"emsgq",
    "look at the queue of the EMSG server, and act on it", TOOL_OPTIONS, commands,
    sizeof(commands) / sizeof(commands[0])};

int
main(int argc, char **argv)
{
	return tool_main(&emsgq, argc, argv);
}
