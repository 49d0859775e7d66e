/* SPDX-License-Identifier: ISC */
/*
 * people.c - contact add, grant, remove, list, show; verify.
 *
 * Consent is asked for and given through the server; what has been decided here is stored at
 * once and told to it when there is a link. A contact whose identity key changed is shown in
 * capitals: nothing is sent to him until the user has compared the number.
 *
 * Owns nothing. Called by main.c. Fails with an exit code after one line on stderr.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "verbs.h"
#include "show.h"

/* --- saying something about consent -------------------------------------------------------- */

typedef int say_fn(struct emsg *, const char *address, uint64_t *work);

static int
say(struct emsg *e, const struct given *g, say_fn *fn)
{
	char address[EMSG_ADDRESS_SIZE] = "";
	uint64_t work = 0;
	int rc;

	link_up(e, g);
	rc = fn(e, g->args[0], &work);
	if (rc == EMSG_OK)
		emsg_normalise(g->args[0], address, NULL);
	rc = finish_work(e, g, rc, work, address);
	link_settle(e, g);
	return rc;
}

int
on_contact_add(struct emsg *e, const struct given *g)
{
	return say(e, g, emsg_contact_ask);
}

int
on_contact_grant(struct emsg *e, const struct given *g)
{
	return say(e, g, emsg_contact_grant);
}

int
on_contact_remove(struct emsg *e, const struct given *g)
{
	return say(e, g, emsg_contact_remove);
}

/* --- looking ------------------------------------------------------------------------------ */

static void
contact_json(const struct emsg_contact *c)
{
	show_begin();
	show_str("address", c->address);
	show_str("state", c->state);
	show_str("identity", c->identity);
	show_bool("verified", c->verified);
	show_bool("alarm", c->alarm);
	show_time("since", c->since);
	show_num("devices", c->devices);
	show_end();
}

static const char *
standing(const struct emsg_contact *c)
{
	if (c->alarm)
		return "IDENTITY KEY CHANGED";
	return c->verified ? "verified" : "not verified";
}

static void
on_contact(void *arg, const struct emsg_contact *c)
{
	const struct given *g = arg;
	const char *mark = isatty(STDOUT_FILENO) ? "  " : "\t";

	if (g->json) {
		contact_json(c);
		return;
	}
	show_escaped(c->address, strlen(c->address), false);
	printf("%s%s%s%s\n", mark, c->state, mark, standing(c));
}

static void
on_details(void *arg, const struct emsg_contact *c)
{
	const struct given *g = arg;

	if (g->json) {
		contact_json(c);
		return;
	}
	fputs("address:   ", stdout);
	show_escaped(c->address, strlen(c->address), false);
	printf("\nstate:     %s\nsince:     ", c->state);
	show_when(c->since);
	printf("\ndevices:   %llu\nidentity:  %s\nstanding:  %s\n",
	    (unsigned long long)c->devices,
	    c->identity[0] == '\0' ? "not known yet" : c->identity, standing(c));
}

int
on_contact_list(struct emsg *e, const struct given *g)
{
	int rc;

	link_up(e, g);
	rc = emsg_contacts(e, NULL, on_contact, (void *)(uintptr_t)g);
	return rc == EMSG_OK ? rc : complain(e, rc);
}

int
on_contact_show(struct emsg *e, const struct given *g)
{
	int rc;

	link_up(e, g);
	rc = emsg_contacts(e, g->args[0], on_details, (void *)(uintptr_t)g);
	return rc == EMSG_OK ? rc : complain(e, rc);
}

/* --- verifying ---------------------------------------------------------------------------- */

static void
show_number(const struct given *g, const char *number, bool changed, bool marked)
{
	if (g->json) {
		show_begin();
		show_str("address", g->args[0]);
		show_str("number", number);
		show_bool("changed", changed);
		show_bool("marked", marked);
		show_end();
		return;
	}
	if (changed && !marked)
		printf("THE IDENTITY KEY CHANGED. This is the number of the new key; "
		       "nothing is\n"
		       "sent until you have compared it and used --mark:\n");
	printf("%.35s\n%s\n", number, number + 36);
	if (marked)
		printf("marked as verified\n");
}

int
on_verify(struct emsg *e, const struct given *g)
{
	bool changed, mark = (g->set & OPT_MARK) != 0;
	char number[72];
	int rc = mark ? emsg_verify_mark(e, g->args[0]) : EMSG_OK;

	if (rc == EMSG_OK)
		rc = emsg_verify(e, g->args[0], number, &changed);
	if (rc != EMSG_OK)
		return complain(e, rc);
	show_number(g, number, changed, mark);
	return EMSG_OK;
}
