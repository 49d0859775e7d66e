/* SPDX-License-Identifier: ISC */
/*
 * emsgctl.c - the operator's tool: its table of commands, and main().
 *
 * A row names words, help, arguments, options, what to ask of the server, and the function
 * that runs it. Parser, help, completion and the test of emsgctl(8) read this table; nothing
 * else in the tool knows which commands there are.
 */
#include "config.h"

#include "cli/ask.h"
#include "cli/execconf.h"
#include "cli/setup.h"
#include "cli/tool.h"

#define DRY OPT_BIT(OPT_DRY_RUN)
#define INVITE (DRY | OPT_BIT(OPT_TTL))
#define SETUP                                                                            \
	(DRY | OPT_BIT(OPT_DOMAIN) | OPT_BIT(OPT_SELF_SIGNED) | OPT_BIT(OPT_CERT) |      \
	    OPT_BIT(OPT_KEY) | OPT_BIT(OPT_HOST) | OPT_BIT(OPT_PORT))

/* Stop and reload change the whole server; to rehearse a reload is to check the file. */
static int
run_reload(const struct call *call)
{
	return call->opt[OPT_DRY_RUN] != NULL ? execconf_check(call) : ask_run(call);
}

/* clang-format off */
static const struct word_command commands[] = {
	{"setup", "make what the server needs before its first start",
	    WORD_NONE, NULL, 0, 0, SETUP, 0, 0, "root", true, setup_run},
	{"status", "show the processes and how they are",
	    WORD_NONE, NULL, 0, 0, 0, CTL_STATUS, 0, NULL, false, ask_status},
	{"reload", "read the configuration, keys and certificates again",
	    WORD_NONE, NULL, 0, 0, DRY, CTL_RELOAD, 0, NULL, false, run_reload},
	{"stop", "stop the server in order",
	    WORD_NONE, NULL, 0, 0, DRY, CTL_STOP, CTL_STATUS, NULL, false, ask_run},
	{"user add", "make an account, and an invitation for its first device",
	    WORD_USER, "name", 1, 1, INVITE, CTL_USER_ADD, CTL_USER_SHOW, NULL, true,
	    ask_run},
	{"user list", "list the accounts",
	    WORD_NONE, NULL, 0, 0, 0, CTL_USER_LIST, 0, NULL, false, ask_run},
	{"user show", "show an account and its devices",
	    WORD_USER, "name", 1, 1, 0, CTL_USER_SHOW, 0, NULL, false, ask_run},
	{"user del", "delete an account, its mailbox and its devices",
	    WORD_USER, "name", 1, 1, DRY, CTL_USER_DEL, CTL_USER_SHOW, NULL, false, ask_run},
	{"invite create", "make an invitation to register",
	    WORD_NONE, NULL, 0, 0, INVITE | OPT_BIT(OPT_USER), CTL_INVITE_CREATE,
	    CTL_DOMAIN_SHOW, NULL, true, ask_run},
	{"domain", "show the domain, its pin and its document",
	    WORD_NONE, NULL, 0, 0, 0, CTL_DOMAIN_SHOW, 0, NULL, true, setup_domain},
	{"key list", "list the server's keys",
	    WORD_NONE, NULL, 0, 0, 0, CTL_KEY_LIST, 0, NULL, false, ask_run},
	{"key show", "show a key",
	    WORD_KEY, "key", 1, 1, 0, CTL_KEY_SHOW, 0, NULL, true, ask_run},
	{"peer list", "list the servers that this one knows",
	    WORD_NONE, NULL, 0, 0, 0, CTL_PEER_LIST, 0, NULL, false, ask_run},
	{"config check", "check the configuration, without the server",
	    WORD_FILE, "file", 0, 1, 0, 0, 0, "anybody", false, execconf_check},
	{"config show", "show what the configuration sets",
	    WORD_CONFKEY, "key", 0, WORDS_ARGS_MAX,
	    OPT_BIT(OPT_CONFIG) | OPT_BIT(OPT_ALL) | OPT_BIT(OPT_ORIGIN), 0, 0,
	    "anybody", false, execconf_show},
	{"config explain", "explain a configuration key, or all",
	    WORD_CONFKEY, "key", 0, 1, 0, 0, 0, "anybody", false, execconf_explain},
	{"config defaults", "show the defaults",
	    WORD_NONE, NULL, 0, 0, 0, 0, 0, "anybody", false, execconf_defaults},
	TOOL_COMMANDS,
};
/* clang-format on */

static const struct tool emsgctl = {"emsgctl", "control the EMSG server",
    TOOL_OPTIONS | OPT_BIT(OPT_LIBEXEC), commands,
    sizeof(commands) / sizeof(commands[0])};

int
main(int argc, char **argv)
{
	return tool_main(&emsgctl, argc, argv);
}
