/* SPDX-License-Identifier: ISC */
/*
 * main.c - emsg, the client for the terminal: options, the table of commands, and what the
 * commands share.
 *
 * Options may stand before or after the command; each command takes those that mean something
 * to it and refuses the others. Every command but a few first brings the account up to date
 * if the server can be reached, and works with the local data if not. Exit codes are those of
 * enum emsg_error.
 */
#include "config.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "verbs.h"
#include "passphrase.h"
#include "show.h"

#define TIMEOUT_MS 10000
#define SETTLE_MS 3000
#define TTL_MS (15ULL * 60 * 1000)
#define LIMIT_MAX 1000000
#define TIMEOUT_MAX_S (24 * 3600)

static const struct command table[] = {
    {"register", NULL, "INVITATION [ADDRESS]", 1, 2,
	OPT_TIMEOUT | OPT_NO_PASSPHRASE | OPT_NAME, false, on_register,
	"use an invitation: a new account, or this device for an account"},
    {"status", NULL, "", 0, 0, OPT_LINK, true, on_status, "the account at a glance"},
    {"send", NULL, "ADDRESS [TEXT | -]", 1, 2, OPT_LINK | OPT_LINES, true, on_send,
	"send a text, of the command line or of standard input"},
    {"receive", NULL, "", 0, 0, OPT_LINK | OPT_FOLLOW, true, on_receive,
	"show what is new, once"},
    {"history", NULL, "[ADDRESS]", 0, 1, OPT_LINK | OPT_LIMIT, true, on_history,
	"show texts, oldest first"},
    {"fates", NULL, "[MID]", 0, 1, OPT_LINK | OPT_LIMIT, true, on_fates,
	"what became of texts that were sent"},
    {"contact", "add", "ADDRESS", 1, 1, OPT_LINK, true, on_contact_add,
	"ask somebody for consent"},
    {"contact", "grant", "ADDRESS", 1, 1, OPT_LINK, true, on_contact_grant,
	"give consent to somebody who asked"},
    {"contact", "remove", "ADDRESS", 1, 1, OPT_LINK, true, on_contact_remove,
	"take consent back"},
    {"contact", "list", "", 0, 0, OPT_LINK, true, on_contact_list,
	"contacts, and who asks"},
    {"contact", "show", "ADDRESS", 1, 1, OPT_LINK, true, on_contact_show, "one contact"},
    {"verify", NULL, "ADDRESS", 1, 1, OPT_MARK, true, on_verify,
	"the number to compare with a contact"},
    {"device", "list", "", 0, 0, OPT_LINK, true, on_device_list,
	"the devices of the account"},
    {"device", "invite", "", 0, 0, OPT_LINK | OPT_WAIT | OPT_TTL, true, on_device_invite,
	"an invitation for one more device"},
    {"prekey", "rotate", "", 0, 0, OPT_LINK, true, on_prekey_rotate,
	"publish a new key to be sealed to"},
    {"receipts", NULL, "on | off", 1, 1, 0, true, on_receipts,
	"whether contacts are told that a text came and was read"},
};

static const struct option_row {
	const char *name;
	enum opt bit;
	const char *arg; /* NULL: takes none */
} options[] = {
    {"home", OPT_HOME, "DIR"},
    {"account", OPT_ACCOUNT, "ADDRESS"},
    {"passphrase-file", OPT_PASSPHRASE_FILE, "FILE"},
    {"no-passphrase", OPT_NO_PASSPHRASE, NULL},
    {"json", OPT_JSON, NULL},
    {"offline", OPT_OFFLINE, NULL},
    {"timeout", OPT_TIMEOUT, "SECONDS"},
    {"name", OPT_NAME, "NAME"},
    {"limit", OPT_LIMIT, "NUMBER"},
    {"follow", OPT_FOLLOW, NULL},
    {"mark", OPT_MARK, NULL},
    {"wait", OPT_WAIT, NULL},
    {"ttl", OPT_TTL, "SECONDS"},
    {"lines", OPT_LINES, NULL},
};
#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

const struct command *
command_at(size_t i)
{
	return i < sizeof(table) / sizeof(table[0]) ? &table[i] : NULL;
}

/* --- usage -------------------------------------------------------------------------------- */

static void
print_command(FILE *f, const struct command *c)
{
	fprintf(f, "  emsg %s", c->noun);
	if (c->verb != NULL)
		fprintf(f, " %s", c->verb);
	if (c->args[0] != '\0')
		fprintf(f, " %s", c->args);
	for (size_t i = 0; i < N_OPTIONS; i++)
		if ((c->options & ~(unsigned)OPT_LINK & options[i].bit) != 0)
			fprintf(f, options[i].arg == NULL ? " [--%s]" : " [--%s %s]",
			    options[i].name, options[i].arg);
	fprintf(f, "\n      %s\n", c->what);
}

static void
usage(FILE *f)
{
	fprintf(f, "usage: emsg COMMAND [ARGUMENT ...] [OPTION ...]\n\n");
	for (size_t i = 0; command_at(i) != NULL; i++)
		print_command(f, command_at(i));
	fprintf(f,
	    "\nAll commands: --home DIR, --account ADDRESS, --passphrase-file FILE, "
	    "--json;\n"
	    "most: --offline, --timeout SECONDS. The manual is emsg(1).\n");
}

/* --- options ------------------------------------------------------------------------------ */

static int
bad(const char *what, const char *value)
{
	show_error("%s: %s", what, value);
	return EXIT_USAGE;
}

static int
take_number(const char *name, const char *value, uint64_t max, uint64_t *out)
{
	if (num_parse(value, 1, max, out))
		return 0;
	show_error("--%s: %s is not a number from 1 to %llu", name, value,
	    (unsigned long long)max);
	return EXIT_USAGE;
}

static int
take_option(const struct option_row *row, const char *value, struct given *g)
{
	uint64_t n;
	int rc = 0;

	g->set |= row->bit;
	switch (row->bit) {
	case OPT_HOME:
		g->home = value;
		break;
	case OPT_ACCOUNT:
		g->account = value;
		break;
	case OPT_PASSPHRASE_FILE:
		g->passphrase_file = value;
		break;
	case OPT_NAME:
		g->name = value;
		break;
	case OPT_JSON:
		g->json = true;
		break;
	case OPT_TIMEOUT:
		if ((rc = take_number(row->name, value, TIMEOUT_MAX_S, &n)) == 0)
			g->timeout_ms = n * 1000;
		break;
	case OPT_TTL:
		if ((rc = take_number(row->name, value, TIMEOUT_MAX_S, &n)) == 0)
			g->ttl_ms = n * 1000;
		break;
	case OPT_LIMIT:
		rc = take_number(row->name, value, LIMIT_MAX, &g->limit);
		break;
	default:
		break;
	}
	return rc;
}

static int
read_options(int argc, char **argv, struct given *g)
{
	struct option longs[N_OPTIONS + 3] = {{0}};
	int c, rc = 0;

	for (size_t i = 0; i < N_OPTIONS; i++)
		longs[i] = (struct option){options[i].name,
		    options[i].arg != NULL ? required_argument : no_argument, NULL,
		    (int)i + 256};
	longs[N_OPTIONS] = (struct option){"help", no_argument, NULL, 'h'};
	longs[N_OPTIONS + 1] = (struct option){"version", no_argument, NULL, 'V'};
	opterr = 0;
	while (rc == 0 && (c = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		if (c == 'h') {
			usage(stdout);
			exit(0);
		} else if (c == 'V') {
			printf("emsg %s\n", emsg_version());
			exit(0);
		} else if (c == ':') {
			return bad(argv[optind - 1], "an argument is missing");
		} else if (c == '?') {
			return bad(argv[optind - 1], "unknown option, see emsg --help");
		}
		rc = take_option(&options[c - 256], optarg, g);
	}
	g->args = argv + optind;
	g->n = argc - optind;
	return rc;
}

/* --- commands ----------------------------------------------------------------------------- */

static const struct command *
find_command(struct given *g)
{
	bool noun = false;

	for (size_t i = 0; command_at(i) != NULL; i++) {
		const struct command *c = command_at(i);

		if (strcmp(c->noun, g->args[0]) != 0)
			continue;
		noun = true;
		if (c->verb != NULL && (g->n < 2 || strcmp(c->verb, g->args[1]) != 0))
			continue;
		g->args += c->verb == NULL ? 1 : 2;
		g->n -= c->verb == NULL ? 1 : 2;
		return c;
	}
	if (!noun)
		show_error("%s: unknown command, see emsg --help", g->args[0]);
	else if (g->n < 2)
		show_error("%s: the verb is missing, see emsg --help", g->args[0]);
	else
		show_error(
		    "%s %s: unknown command, see emsg --help", g->args[0], g->args[1]);
	return NULL;
}

/* An address that cannot be one is refused before anything is opened or asked for. */
static int
check_address(const struct command *c, const struct given *g)
{
	char address[EMSG_ADDRESS_SIZE];
	const char *args = c->args[0] == '[' ? c->args + 1 : c->args;
	const char *why = NULL, *typed = g->account;

	if (g->n > 0 && strncmp(args, "ADDRESS", 7) == 0)
		typed = g->args[0];
	if (g->account != NULL && emsg_normalise(g->account, address, &why) != EMSG_OK)
		typed = g->account;
	else if (typed != NULL)
		emsg_normalise(typed, address, &why);
	if (why == NULL)
		return 0;
	show_error("%s: %s", typed, why);
	return EXIT_USAGE;
}

static int
check_command(const struct command *c, const struct given *g)
{
	unsigned extra = g->set & ~(c->options | OPT_ALWAYS);

	for (size_t i = 0; i < N_OPTIONS; i++)
		if ((extra & options[i].bit) != 0) {
			show_error("--%s means nothing to emsg %s%s%s", options[i].name,
			    c->noun, c->verb == NULL ? "" : " ",
			    c->verb == NULL ? "" : c->verb);
			return EXIT_USAGE;
		}
	if (g->n >= c->min && g->n <= c->max)
		return check_address(c, g);
	show_error("emsg %s%s%s takes %s", c->noun, c->verb == NULL ? "" : " ",
	    c->verb == NULL ? "" : c->verb,
	    c->args[0] == '\0' ? "no arguments" : c->args);
	return EXIT_USAGE;
}

static int
run_with_account(const struct command *c, const struct given *g)
{
	struct emsg_access access = {.home = g->home, .account = g->account};
	char passphrase[PASSPHRASE_SIZE];
	const char *why = "there is no account here: use emsg register first";
	struct emsg *e = NULL;
	bool needed = false;
	int rc = emsg_needs_passphrase(&access, &needed);

	if (rc == EMSG_OK && needed) {
		if (!passphrase_read(g->passphrase_file, false, passphrase))
			return EMSG_REFUSED;
		access.passphrase = passphrase;
	}
	rc = emsg_open(&access, &e, &why);
	wipe(passphrase, sizeof(passphrase));
	if (rc != EMSG_OK) {
		show_error("%s", why);
		return rc;
	}
	rc = c->run(e, g);
	emsg_close(e);
	return rc;
}

int
main(int argc, char **argv)
{
	struct given g = {.timeout_ms = TIMEOUT_MS, .ttl_ms = TTL_MS};
	const struct command *c;
	int rc;

	fd_sane_stdio();
	if ((rc = read_options(argc, argv, &g)) != 0)
		return rc;
	if (g.n == 0) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if ((c = find_command(&g)) == NULL)
		return EXIT_USAGE;
	if ((rc = check_command(c, &g)) != 0)
		return rc;
	rc = c->account ? run_with_account(c, &g) : c->run(NULL, &g);
	if (!show_flush()) {
		show_error("standard output cannot be written");
		rc = EMSG_FAILED;
	}
	return rc;
}

/* --- shared ------------------------------------------------------------------------------- */

int
complain(struct emsg *e, int code)
{
	show_error("%s", emsg_message(e));
	return code;
}

int
link_up(struct emsg *e, const struct given *g)
{
	int rc;

	if ((g->set & OPT_OFFLINE) != 0)
		return EMSG_OK;
	rc = emsg_sync(e, (int)g->timeout_ms);
	if (rc != EMSG_OK)
		complain(e, rc);
	return rc;
}

void
link_settle(struct emsg *e, const struct given *g)
{
	uint64_t end = clock_mono_ms() + SETTLE_MS;
	struct pollfd p = {.fd = emsg_fd(e), .events = POLLIN};
	struct emsg_status s;

	if ((g->set & OPT_OFFLINE) != 0)
		return;
	for (;;) {
		int n;

		if (emsg_process(e) != EMSG_OK || emsg_offline(e))
			return;
		emsg_get_status(e, &s);
		if (s.waiting == 0 || clock_mono_ms() >= end)
			return;
		n = emsg_timeout(e);
		poll(&p, 1, n < 0 || n > 100 ? 100 : n);
	}
}

int
finish_work(
    struct emsg *e, const struct given *g, int code, uint64_t work, const char *address)
{
	const char *state = "waiting";

	if (code != EMSG_OK)
		return complain(e, code);
	if ((g->set & OPT_OFFLINE) == 0)
		code = emsg_work_wait(e, work, (int)g->timeout_ms);
	else
		code = EMSG_WAITING;
	if (code == EMSG_REFUSED || code == EMSG_FAILED)
		return complain(e, code);
	if (code == EMSG_OK)
		state = "done";
	if (g->json) {
		show_begin();
		if (address != NULL)
			show_str("address", address);
		show_str("state", state);
		show_end();
	} else {
		printf("%s\n", state);
	}
	return EMSG_OK;
}
