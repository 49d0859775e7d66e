/* SPDX-License-Identifier: ISC */
/*
 * myself.c - register, status, receipts, device list and invite, prekey rotate.
 *
 * What concerns the account itself. Registering without a passphrase is possible only when asked
 * for by name; it is then said here, and in status for ever.
 *
 * Owns nothing. Called by main.c. Fails with an exit code after one line on stderr.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "verbs.h"
#include "passphrase.h"
#include "show.h"

#define ENROL_MS (15 * 60 * 1000) /* for a device that waits to be added */
#define NAME_SIZE 65

/* --- status ------------------------------------------------------------------------------- */

static void
status_json(const struct emsg_status *s)
{
	show_begin();
	show_str("account", s->account);
	show_str("device", s->device);
	show_str("server", s->server);
	show_bool("pinned", s->pinned);
	show_bool("linked", s->linked);
	show_str("identity", s->identity);
	show_bool("passphrase", s->passphrase);
	show_bool("receipts", s->receipts);
	show_num("contacts", s->contacts);
	show_num("unread", s->unread);
	show_num("waiting", s->waiting);
	show_int("clock_offset_ms", s->clock_offset);
	show_num("lost", s->lost);
	show_str("lost_why", s->lost_why);
	show_end();
}

static void
status_lines(const struct emsg_status *s)
{
	fputs("account:     ", stdout);
	show_escaped(s->account, strlen(s->account), false);
	fputs("\ndevice:      ", stdout);
	show_escaped(s->device, strlen(s->device), false);
	fputs("\nserver:      ", stdout);
	show_escaped(s->server, strlen(s->server), false);
	printf(", %s, %s\n",
	    s->pinned ? "pinned by its domain key" : "known by its certificate",
	    s->linked ? "linked" : "NOT LINKED");
	printf("identity:    %s\n", s->identity);
	printf("local data:  %s\n",
	    s->passphrase ? "protected by a passphrase"
			  : "NOT PROTECTED: who can read the files can read everything");
	printf("receipts:    %s\n", s->receipts ? "on" : "off");
	printf("contacts:    %llu\nunread:      %llu\nwaiting:     %llu\n",
	    (unsigned long long)s->contacts, (unsigned long long)s->unread,
	    (unsigned long long)s->waiting);
	if (s->clock_offset != 0)
		printf(
		    "clock:       %lld s off from the server; corrected for messages\n",
		    (long long)(-s->clock_offset / 1000));
	if (s->lost > 0)
		printf("lost:        %llu that could not be opened; the last: %s\n",
		    (unsigned long long)s->lost, s->lost_why);
}

int
on_status(struct emsg *e, const struct given *g)
{
	struct emsg_status s;
	int link = link_up(e, g);

	emsg_get_status(e, &s);
	if (g->json)
		status_json(&s);
	else
		status_lines(&s);
	return link;
}

int
on_receipts(struct emsg *e, const struct given *g)
{
	bool on = strcmp(g->args[0], "on") == 0;
	int rc;

	if (!on && strcmp(g->args[0], "off") != 0) {
		show_error("receipts %s: on or off", g->args[0]);
		return EXIT_USAGE;
	}
	if ((rc = emsg_set_receipts(e, on)) != EMSG_OK)
		return complain(e, rc);
	if (g->json) {
		show_begin();
		show_bool("receipts", on);
		show_end();
	} else {
		printf("receipts are %s\n", on ? "on" : "off");
	}
	return EMSG_OK;
}

/* --- register ----------------------------------------------------------------------------- */

/* A name for this device if none was given: that of the machine. */
static void
device_name(const struct given *g, char out[NAME_SIZE])
{
	if (g->name != NULL) {
		snprintf(out, NAME_SIZE, "%s", g->name);
		return;
	}
	if (gethostname(out, NAME_SIZE) < 0 || out[0] == '\0')
		snprintf(out, NAME_SIZE, "emsg");
	out[NAME_SIZE - 1] = '\0';
	if (!utf8_valid(span_str(out)))
		snprintf(out, NAME_SIZE, "emsg");
}

static int
say_registered(struct emsg *e, const struct given *g)
{
	struct emsg_status s;

	emsg_get_status(e, &s);
	if (g->json) {
		show_begin();
		show_str("account", s.account);
		show_str("device", s.device);
		show_str("identity", s.identity);
		show_bool("passphrase", s.passphrase);
		show_end();
		return EMSG_OK;
	}
	fputs("registered ", stdout);
	show_escaped(s.account, strlen(s.account), false);
	putchar('\n');
	if (!s.passphrase)
		printf("without a passphrase: who can read the files of this account can "
		       "read\n"
		       "all messages and write in its name\n");
	return EMSG_OK;
}

static int
do_register(const struct given *g, const char *passphrase)
{
	struct emsg_access access = {.home = g->home,
	    .account = g->n > 1 ? g->args[1] : g->account,
	    .passphrase = passphrase};
	bool timed = (g->set & OPT_TIMEOUT) != 0;
	char name[NAME_SIZE], *invite = g->args[0];
	struct emsg *e = NULL;
	const char *why = "";
	int rc;

	device_name(g, name);
	if (g->name != NULL && strlen(g->name) >= NAME_SIZE) {
		show_error("--name: a device name has 1 to %d bytes", NAME_SIZE - 1);
		return EXIT_USAGE;
	}
	rc = emsg_register(
	    &access, invite, name, timed ? (int)g->timeout_ms : ENROL_MS, &e, &why);
	if (rc != EMSG_OK) {
		show_error("%s", why);
		return rc;
	}
	rc = say_registered(e, g);
	emsg_close(e);
	return rc;
}

int
on_register(struct emsg *none, const struct given *g)
{
	char passphrase[PASSPHRASE_SIZE];
	int rc = EXIT_USAGE;

	(void)none;
	if ((g->set & OPT_NO_PASSPHRASE) != 0) {
		if ((g->set & OPT_PASSPHRASE_FILE) == 0)
			return do_register(g, NULL);
		show_error("--no-passphrase and --passphrase-file exclude each other");
		return EXIT_USAGE;
	}
	if (passphrase_read(g->passphrase_file, true, passphrase))
		rc = do_register(g, passphrase);
	wipe(passphrase, sizeof(passphrase));
	return rc;
}

/* --- devices ------------------------------------------------------------------------------ */

static void
on_device(void *arg, const struct emsg_device *d)
{
	const struct given *g = arg;
	const char *mark = isatty(STDOUT_FILENO) ? "  " : "\t";

	if (g->json) {
		show_begin();
		show_str("id", d->id);
		show_str("name", d->name);
		show_time("added", d->added);
		show_bool("this", d->own);
		show_end();
		return;
	}
	printf("%s%s", d->id, mark);
	show_when(d->added);
	fputs(mark, stdout);
	show_escaped(d->name, strlen(d->name), false);
	printf("%s\n", d->own ? " (this one)" : "");
}

int
on_device_list(struct emsg *e, const struct given *g)
{
	int rc;

	link_up(e, g);
	rc = emsg_devices(e, on_device, (void *)(uintptr_t)g);
	return rc == EMSG_OK ? rc : complain(e, rc);
}

/* Waits until the new device is in the list. */
static int
wait_for_device(struct emsg *e, const struct given *g, uint64_t work)
{
	int rc = emsg_work_wait(e, work, (int)g->ttl_ms);

	if (rc == EMSG_OK) {
		if (!g->json)
			printf("the new device was added\n");
		return EMSG_OK;
	}
	complain(e, rc);
	return rc == EMSG_WAITING ? EMSG_LATER : rc;
}

int
on_device_invite(struct emsg *e, const struct given *g)
{
	char invite[EMSG_INVITE_SIZE];
	uint64_t work;
	int rc;

	link_up(e, g);
	rc = emsg_device_invite(e, g->ttl_ms, invite, &work);
	if (rc != EMSG_OK)
		return complain(e, rc);
	if (g->json) {
		show_begin();
		show_str("invite", invite);
		show_end();
	} else {
		printf("%s\n", invite);
	}
	show_flush();
	if ((g->set & OPT_WAIT) != 0)
		rc = wait_for_device(e, g, work);
	else
		link_settle(e, g);
	wipe(invite, sizeof(invite));
	return rc;
}

int
on_prekey_rotate(struct emsg *e, const struct given *g)
{
	uint64_t work = 0;
	int rc;

	link_up(e, g);
	rc = emsg_prekey_rotate(e, &work);
	return finish_work(e, g, rc, work, NULL);
}
