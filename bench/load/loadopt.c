/* SPDX-License-Identifier: ISC */
/*
 * loadopt.c - reads emsg-load's options and the file of invitations.
 *
 * Every number has a least and a greatest value in one table. Owns the tokens that it reads;
 * they live as long as the program. Wrong usage ends the program with status 64 and one line
 * that says what is wrong.
 */
#include "config.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "wire/inner.h"

#include "loadopt.h"

#define EXIT_USAGE 64
#define INVITES_MAX 1000000u
#define INVITE_PREFIX "emsg:invite:"

static const char usage_text[] =
    "usage: emsg-load --server DOMAIN=ADDRESS:PORT [--server ...] [OPTION ...] PHASE "
    "...\n"
    "phases: rate latency idle, carried out in the order given\n"
    "  --name TEXT        figures begin with this (emsg)\n"
    "  --json             one JSON object instead of lines\n"
    "  --pid PID          a server's first process; may be repeated\n"
    "  --invites FILE     invitations, one a line, if registration is not open\n"
    "  --messages N       rate: messages in all (10000)\n"
    "  --pairs N          rate: pairs of sender and receiver (4)\n"
    "  --window N         rate: messages of a pair in flight (100)\n"
    "  --body BYTES       sealed body (1024)\n"
    "  --rate N           latency: messages a second, one pair (100)\n"
    "  --seconds N        latency: for so long (10)\n"
    "  --devices N        idle: devices (1000)\n"
    "  --logins N         idle: under way at the same time (16)\n"
    "  --patience SECONDS for each phase before it counts as failed (120)\n";

struct number {
	const char *name;
	size_t offset;
	uint64_t preset, min, max;
};
#define NUMBER(n, preset, min, max)                                                      \
	{                                                                                \
#n, offsetof(struct loadopt, n), preset, min, max                        \
	}
static const struct number numbers[] = {
    NUMBER(messages, 10000, 1, 10000000),
    NUMBER(pairs, 4, 1, 1000),
    NUMBER(window, 100, 1, 10000),
    NUMBER(body, 1024, 16, 200000),
    NUMBER(rate, 100, 1, 100000),
    NUMBER(seconds, 10, 1, 3600),
    NUMBER(devices, 1000, 1, 1000000),
    NUMBER(logins, 16, 1, 1000),
    NUMBER(patience, 120, 1, 86400),
};
#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

enum other { OPT_SERVER = NUMBERS, OPT_NAME, OPT_JSON, OPT_PID, OPT_INVITES, OPT_END };
static const struct {
	const char *name;
	int arg;
} others[] = {{"server", required_argument}, {"name", required_argument},
    {"json", no_argument}, {"pid", required_argument}, {"invites", required_argument}};

_Noreturn static void __attribute__((format(printf, 1, 2))) wrong(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fprintf(stderr, "emsg-load: ");
	(void)vfprintf(stderr, fmt, ap);
	(void)fprintf(stderr, "\n%s", usage_text);
	va_end(ap);
	exit(EXIT_USAGE);
}

static void
set_number(struct loadopt *o, const struct number *n, const char *text)
{
	uint64_t value;

	if (!num_parse(text, n->min, n->max, &value))
		wrong("--%s wants a number from %llu to %llu, not %s", n->name,
		    (unsigned long long)n->min, (unsigned long long)n->max, text);
	memcpy((char *)o + n->offset, &value, sizeof(value));
}

/* DOMAIN=ADDRESS:PORT, the address in digits. */
static void
add_server(struct loadopt *o, const char *text)
{
	struct loadserver *s = &o->server[o->n_servers];
	const char *eq = strchr(text, '='), *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN];
	uint64_t port;

	if (o->n_servers == LOADOPT_SERVERS)
		wrong("more than %d servers", LOADOPT_SERVERS);
	if (eq == NULL || colon == NULL || colon < eq ||
	    !text_copy(
		s->domain, sizeof(s->domain), span_of(text, (size_t)(eq - text))) ||
	    !text_copy(host, sizeof(host), span_of(eq + 1, (size_t)(colon - eq - 1))) ||
	    inet_pton(AF_INET, host, &s->addr.sin_addr) != 1 ||
	    !num_parse(colon + 1, 1, UINT16_MAX, &port))
		wrong("--server wants DOMAIN=ADDRESS:PORT, not %s", text);
	s->addr.sin_family = AF_INET;
	s->addr.sin_port = htons((uint16_t)port);
	o->n_servers++;
}

static void
add_pid(struct loadopt *o, const char *text)
{
	uint64_t pid;

	if (o->procs.n == LOADPROC_ROOTS || !num_parse(text, 1, INT32_MAX, &pid))
		wrong("--pid %s", text);
	o->procs.root[o->procs.n++] = (pid_t)pid;
}

/* The token of one invitation. False if the line is none. */
static bool
read_invite(struct span line, uint8_t token[16])
{
	struct span prefix = span_str(INVITE_PREFIX);
	struct i_invite invite;
	uint8_t raw[1024];
	size_t n;

	if (line.n <= prefix.n || memcmp(line.p, prefix.p, prefix.n) != 0 ||
	    !b64url_decode(
		span_of(line.p + prefix.n, line.n - prefix.n), raw, sizeof(raw), &n) ||
	    obj_decode(&i_invite_def, span_of(raw, n), &invite) != WIRE_OK)
		return false;
	memcpy(token, invite.token, 16);
	return true;
}

static void
read_invites(struct loadopt *o, const char *path)
{
	FILE *f = fopen(path, "re");
	char line[2048];

	if (f == NULL)
		wrong("cannot open %s", path);
	while (fgets(line, sizeof(line), f) != NULL && o->n_tokens < INVITES_MAX) {
		line[strcspn(line, "\n")] = '\0';
		o->tokens =
		    xreallocarray(o->tokens, o->n_tokens + 1, sizeof(o->tokens[0]));
		if (!read_invite(span_str(line), o->tokens[o->n_tokens]))
			wrong("%s has a line that is no invitation", path);
		o->n_tokens++;
	}
	(void)fclose(f);
}

static void
add_phase(struct loadopt *o, const char *word)
{
	static const char *const words[] = {"rate", "latency", "idle"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0 && o->n_phases < LOADOPT_PHASES) {
			o->phase[o->n_phases++] = (enum loadphase)i;
			return;
		}
	wrong("no such phase: %s", word);
}

static void
take(struct loadopt *o, int which)
{
	switch (which) {
	case OPT_SERVER:
		add_server(o, optarg);
		break;
	case OPT_NAME:
		o->name = optarg;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_PID:
		add_pid(o, optarg);
		break;
	case OPT_INVITES:
		read_invites(o, optarg);
		break;
	default:
		set_number(o, &numbers[which], optarg);
	}
}

void
loadopt_parse(struct loadopt *o, int argc, char **argv)
{
	struct option table[OPT_END + 1] = {{0}};
	int c, which = 0;

	memset(o, 0, sizeof(*o));
	o->name = "emsg";
	for (size_t i = 0; i < NUMBERS; i++) {
		memcpy(
		    (char *)o + numbers[i].offset, &numbers[i].preset, sizeof(uint64_t));
		table[i].name = numbers[i].name;
		table[i].has_arg = required_argument;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		table[OPT_SERVER + i].name = others[i].name;
		table[OPT_SERVER + i].has_arg = others[i].arg;
	}
	while ((c = getopt_long(argc, argv, "", table, &which)) != -1) {
		if (c == '?')
			wrong("an option is not understood");
		take(o, which);
	}
	for (; optind < argc; optind++)
		add_phase(o, argv[optind]);
	if (o->n_servers == 0 || o->n_phases == 0)
		wrong("a server and a phase are needed");
}
