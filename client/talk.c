/* SPDX-License-Identifier: ISC */
/*
 * talk.c - send, receive, history, fates.
 *
 * Lines for people have the time, who wrote and the text; in a pipe they are separated by tabs.
 * A text is shown by receive once, whatever number of emsg run; history shows all of them as
 * often as one likes.
 *
 * Owns nothing. Called by main.c. Fails with an exit code after one line on stderr.
 */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "verbs.h"
#include "show.h"

/* --- texts -------------------------------------------------------------------------------- */

static void
text_json(const struct emsg_text *t)
{
	show_begin();
	show_str("mid", t->mid);
	show_str("peer", t->peer);
	show_str("from", t->from);
	show_str("device", t->device);
	show_str("direction", t->outgoing ? "out" : "in");
	show_time("time", t->time);
	show_time("received", t->received);
	show_num("counter", t->counter);
	show_str("type", t->type);
	show_text("text", t->text, t->text_n);
	show_bool("unread", t->unread);
	show_end();
}

static void
text_line(const struct emsg_text *t)
{
	const char *mark = isatty(STDOUT_FILENO) ? " " : "\t";

	show_when(t->time);
	fputs(mark, stdout);
	show_escaped(t->from, strlen(t->from), false);
	if (t->outgoing) {
		fputs(" -> ", stdout);
		show_escaped(t->peer, strlen(t->peer), false);
	}
	printf(":%s", mark);
	if (t->type[0] == '\0')
		fputs("(content that this version cannot show)", stdout);
	show_escaped(t->text, t->text_n, true);
	putchar('\n');
}

static void
on_text(void *arg, const struct emsg_text *t)
{
	const struct given *g = arg;

	if (g->json)
		text_json(t);
	else
		text_line(t);
}

/* --- send --------------------------------------------------------------------------------- */

/* All of standard input, without the last line end. The caller frees it. */
static char *
read_stdin(size_t *n)
{
	char *text = xmalloc(EMSG_TEXT_MAX + 2);
	ssize_t got;

	*n = 0;
	while (*n < EMSG_TEXT_MAX + 2 &&
	    (got = read(STDIN_FILENO, text + *n, EMSG_TEXT_MAX + 2 - *n)) > 0)
		*n += (size_t)got;
	if (*n > 0 && text[*n - 1] == '\n')
		--*n;
	return text;
}

struct fate_line {
	char state[32], code[64];
};

static void
keep_fate(void *arg, const struct emsg_fate *f)
{
	struct fate_line *line = arg;

	snprintf(line->state, sizeof(line->state), "%s", f->state);
	snprintf(line->code, sizeof(line->code), "%s", f->code);
}

static int
say_sent(struct emsg *e, const struct given *g, const char *mid)
{
	struct fate_line line = {"waiting", ""};
	char address[EMSG_ADDRESS_SIZE];

	emsg_fates(e, mid, 0, keep_fate, &line);
	if (g->json) {
		emsg_normalise(g->args[0], address, NULL);
		show_begin();
		show_str("mid", mid);
		show_str("to", address);
		show_str("state", line.state);
		show_str("code", line.code);
		show_end();
	} else {
		printf("%s %s\n", mid, line.state);
	}
	return EMSG_OK;
}

static int
send_text(struct emsg *e, const struct given *g, const char *text, size_t n)
{
	char mid[EMSG_MID_SIZE];
	uint64_t work;
	int rc;

	/* Consent may just have come; without a link the text is stored all the same. */
	link_up(e, g);
	if ((rc = emsg_send(e, g->args[0], text, n, mid, &work)) != EMSG_OK)
		return complain(e, rc);
	if ((g->set & OPT_OFFLINE) == 0) {
		rc = emsg_work_wait(e, work, (int)g->timeout_ms);
		if (rc == EMSG_REFUSED || rc == EMSG_FAILED)
			return complain(e, rc);
	}
	link_settle(e, g);
	return say_sent(e, g, mid);
}

/* --- send --lines ------------------------------------------------------------------------- */

/* Standard input as lines, while the link goes on working. */
struct lines {
	struct emsg *e;
	const struct given *g;
	char *text; /* owned: what is not a whole line yet */
	size_t n;
	bool end; /* of input */
};

static int
send_line(struct lines *l, size_t n)
{
	char mid[EMSG_MID_SIZE];
	uint64_t work;
	int rc;

	if (n == 0)
		return EMSG_OK;
	rc = emsg_send(l->e, l->g->args[0], l->text, n, mid, &work);
	if (rc != EMSG_OK)
		return complain(l->e, rc);
	return say_sent(l->e, l->g, mid);
}

/* Sends every whole line; at the end of input, the rest as well. */
static int
send_lines(struct lines *l)
{
	char *end;
	int rc;

	while ((end = memchr(l->text, '\n', l->n)) != NULL) {
		size_t n = (size_t)(end - l->text);

		if ((rc = send_line(l, n)) != EMSG_OK)
			return rc;
		l->n -= n + 1;
		memmove(l->text, end + 1, l->n);
	}
	if (l->n > EMSG_TEXT_MAX) {
		show_error("a text has 1 to %d bytes of UTF-8", EMSG_TEXT_MAX);
		return EXIT_USAGE;
	}
	rc = l->end ? send_line(l, l->n) : EMSG_OK;
	return show_flush() ? rc : EMSG_FAILED;
}

/* Waits for input or the link, and reads what there is. */
static void
read_more(struct lines *l)
{
	struct pollfd p[2] = {{.fd = emsg_fd(l->e), .events = POLLIN},
	    {.fd = STDIN_FILENO, .events = POLLIN}};
	ssize_t got;

	poll(p, 2, emsg_timeout(l->e));
	if (p[1].revents == 0)
		return;
	got = read(STDIN_FILENO, l->text + l->n, EMSG_TEXT_MAX + 2 - l->n);
	if (got > 0)
		l->n += (size_t)got;
	else
		l->end = true;
}

/* Waits until everything is with the server, or at most the time that was given. */
static void
drain(struct emsg *e, const struct given *g)
{
	uint64_t end = clock_mono_ms() + g->timeout_ms;
	struct emsg_status s;

	for (emsg_get_status(e, &s); s.waiting > 0; emsg_get_status(e, &s)) {
		struct pollfd p = {.fd = emsg_fd(e), .events = POLLIN};
		int n = emsg_timeout(e);

		if (clock_mono_ms() >= end || emsg_process(e) != EMSG_OK)
			return;
		poll(&p, 1, n < 0 || n > 100 ? 100 : n);
	}
}

static int
send_all(struct emsg *e, const struct given *g)
{
	struct lines l = {.e = e, .g = g, .text = xmalloc(EMSG_TEXT_MAX + 2)};
	bool online = (g->set & OPT_OFFLINE) == 0;
	int rc = EMSG_OK;

	if (online)
		emsg_connect(e);
	while (rc == EMSG_OK && !l.end) {
		read_more(&l);
		rc = send_lines(&l);
		if (rc == EMSG_OK && emsg_process(e) != EMSG_OK)
			rc = complain(e, EMSG_FAILED);
	}
	if (rc == EMSG_OK && online)
		drain(e, g);
	freezero(l.text, EMSG_TEXT_MAX + 2);
	return rc;
}

int
on_send(struct emsg *e, const struct given *g)
{
	char *text = NULL;
	size_t n;
	int rc;

	if ((g->set & OPT_LINES) != 0) {
		if (g->n == 1 || strcmp(g->args[1], "-") == 0)
			return send_all(e, g);
		show_error("--lines: the texts come from standard input");
		return EXIT_USAGE;
	}
	if (g->n == 2 && strcmp(g->args[1], "-") != 0)
		return send_text(e, g, g->args[1], strlen(g->args[1]));
	text = read_stdin(&n);
	rc = send_text(e, g, text, n);
	freezero(text, EMSG_TEXT_MAX + 2);
	return rc;
}

/* --- receive ------------------------------------------------------------------------------ */

/* Shows what is new until nothing is left. */
static int
show_new(struct emsg *e, const struct given *g)
{
	size_t n = 1;

	while (n > 0) {
		int rc = emsg_receive(e, on_text, (void *)(uintptr_t)g, &n);

		if (rc != EMSG_OK)
			return complain(e, rc);
	}
	if (show_flush())
		return EMSG_OK;
	show_error("standard output cannot be written");
	return EMSG_FAILED;
}

/* One line when the link comes or goes. */
static void
say_link(struct emsg *e, int *state)
{
	int now = emsg_synced(e) ? 1 : emsg_offline(e) ? 2 : 0;

	if (now == *state || now == 0)
		return;
	if (now == 2)
		complain(e, 0);
	else if (*state == 2)
		show_error("the link is back");
	*state = now;
}

static int
follow(struct emsg *e, const struct given *g)
{
	struct pollfd p = {.fd = emsg_fd(e), .events = POLLIN};
	int state = 1, rc;

	for (;;) {
		if (emsg_process(e) != EMSG_OK)
			return complain(e, EMSG_FAILED);
		if ((rc = show_new(e, g)) != EMSG_OK)
			return rc;
		say_link(e, &state);
		poll(&p, 1, emsg_timeout(e));
	}
}

int
on_receive(struct emsg *e, const struct given *g)
{
	int link = link_up(e, g), rc = show_new(e, g);

	if (rc != EMSG_OK)
		return rc;
	if ((g->set & OPT_FOLLOW) != 0) {
		if ((g->set & OPT_OFFLINE) == 0)
			return follow(e, g);
		show_error("--follow and --offline exclude each other");
		return EXIT_USAGE;
	}
	/* What had to wait for its sender's keys comes now. */
	link_settle(e, g);
	if ((rc = show_new(e, g)) != EMSG_OK)
		return rc;
	link_settle(e, g);
	return link;
}

/* --- history, fates ------------------------------------------------------------------------ */

int
on_history(struct emsg *e, const struct given *g)
{
	int rc;

	link_up(e, g);
	rc = emsg_history(e, g->n > 0 ? g->args[0] : NULL, (size_t)g->limit, on_text,
	    (void *)(uintptr_t)g);
	if (rc != EMSG_OK)
		return complain(e, rc);
	link_settle(e, g);
	return EMSG_OK;
}

static void
on_fate(void *arg, const struct emsg_fate *f)
{
	const struct given *g = arg;
	const char *mark = isatty(STDOUT_FILENO) ? "  " : "\t";

	if (g->json) {
		show_begin();
		show_str("mid", f->mid);
		show_str("account", f->account);
		show_str("state", f->state);
		show_str("code", f->code);
		show_str("text", f->text);
		show_time("time", f->time);
		show_end();
		return;
	}
	show_when(f->time);
	printf("%s%s%s%s%s", mark, f->mid, mark, f->state, mark);
	show_escaped(f->account, strlen(f->account), false);
	if (strcmp(f->state, "failed") == 0)
		printf("%s%s", mark, f->code);
	if (f->text[0] != '\0') {
		fputs(mark, stdout);
		show_escaped(f->text, strlen(f->text), false);
	}
	putchar('\n');
}

int
on_fates(struct emsg *e, const struct given *g)
{
	int rc;

	link_up(e, g);
	rc = emsg_fates(e, g->n > 0 ? g->args[0] : NULL, (size_t)g->limit, on_fate,
	    (void *)(uintptr_t)g);
	return rc == EMSG_OK ? rc : complain(e, rc);
}
