/* SPDX-License-Identifier: ISC */
/*
 * xmppload.c - the same load for XMPP servers: rate, latency, idle (see emsg-load).
 *
 *   xmppload NAME PHASE DOMAIN=ADDRESS:PORT DOMAIN=ADDRESS:PORT [KEY=NUMBER ...]
 *
 * Senders are at the first server, receivers at the second (the same for local load). NAME
 * begins every figure. Keys: messages, pairs, window, body, rate, seconds, devices, logins,
 * and pid (a server's first process; may be repeated). Idle devices log in by SASL ANONYMOUS
 * at anon.DOMAIN of the first server. A message counts when the receiver has it; XMPP has no
 * answer to the sender, so there is no rate of acceptance. Owns loop, TLS context and
 * clients. Exit status: 0, 1 when something failed, 64 wrong usage.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include "../load/loadout.h"
#include "../load/loadproc.h"
#include "xmppdev.h"

#define EXIT_USAGE 64
#define PATIENCE_MS 120000
#define SETTLE_MS 2000
#define NUMBER_DIGITS 20 /* a message's number at the start of its body */

struct msg {
	uint64_t sent_us;
	bool delivered;
};

struct pair {
	struct load *load;
	struct xmppdev *from, *to;
	char *address; /* the receiver's */
	struct msg *msgs;
	uint64_t n, next, underway, delivered;
	bool paced;
};

struct load {
	struct xmppenv env;
	struct xmppserver server[2];
	uint64_t messages, pairs_wanted, window, body, rate, seconds, devices, logins;
	struct loadproc procs;
	struct pair *pairs;
	size_t n_pairs;
	struct xmppdev **idle;
	size_t n_idle, ready;
	struct loadtimes times;
	uint64_t first_us, last_us, repeats;
	uint64_t cpu_ms, own_ms, until;
	char *text; /* of a body */
	char tag[14];
	const char *why;
};

static void
on_failed(struct xmppdev *d, const char *why, void *arg)
{
	(void)d;
	((struct pair *)arg)->load->why = why;
}

static void
turn_until(struct load *l, bool (*done)(struct load *), const char *what)
{
	uint64_t end = clock_mono_ms() + PATIENCE_MS;

	while (!done(l)) {
		if (event_base_loop(l->env.base, EVLOOP_ONCE) == -1)
			l->why = "the event loop failed";
		if (clock_mono_ms() > end)
			l->why = "not finished in time";
		if (l->why != NULL) {
			(void)fprintf(stderr, "xmppload: %s: %s\n", what, l->why);
			exit(EXIT_FAILURE);
		}
	}
}

static void
measure_begin(struct load *l)
{
	l->cpu_ms = loadproc_cpu_ms(&l->procs);
	l->own_ms = loadproc_own_ms();
}

static void
measure_put(
    struct load *l, const char *server, const char *own, double n, const char *unit)
{
	double used = (double)(loadproc_cpu_ms(&l->procs) - l->cpu_ms);

	if (l->procs.n > 0)
		loadout_put(server, used * 1000 / n, 1, unit);
	loadout_put(own, (double)(loadproc_own_ms() - l->own_ms) * 1000 / n, 1, unit);
}

/* --- pairs ---------------------------------------------------------------------------------- */

static void
send_one(struct pair *p)
{
	struct load *l = p->load;
	char number[NUMBER_DIGITS + 1];

	(void)snprintf(
	    number, sizeof(number), "%0*llu", NUMBER_DIGITS, (unsigned long long)p->next);
	memcpy(l->text, number, NUMBER_DIGITS);
	p->msgs[p->next].sent_us = clock_mono_us();
	if (l->first_us == 0)
		l->first_us = p->msgs[p->next].sent_us;
	p->next++;
	p->underway++;
	xmppdev_message(p->from, p->address, span_of(l->text, l->body));
}

static void
refill(struct pair *p)
{
	while (!p->paced && p->next < p->n && p->underway < p->load->window)
		send_one(p);
	xmppdev_flush(p->from);
}

static void
on_ready(struct xmppdev *d, void *arg)
{
	struct pair *p = arg;

	(void)d;
	p->load->ready++;
}

static void
on_body(struct xmppdev *d, struct span body, void *arg)
{
	struct pair *p = arg;
	uint64_t now = clock_mono_us(), i;
	char number[NUMBER_DIGITS + 1] = "";

	(void)d;
	if (body.n >= NUMBER_DIGITS)
		memcpy(number, body.p, NUMBER_DIGITS);
	i = strtoull(number, NULL, 10);
	if (i >= p->next || p->msgs[i].delivered) {
		p->load->repeats++;
		return;
	}
	p->msgs[i].delivered = true;
	p->underway--;
	p->delivered++;
	p->load->last_us = now;
	loadtimes_add(&p->load->times, now - p->msgs[i].sent_us);
}

static void
on_turn(struct xmppdev *d, void *arg)
{
	(void)d;
	refill(arg);
}

static const struct xmppdev_ops pair_ops = {on_ready, on_body, on_turn, on_failed};

static bool
pairs_ready(struct load *l)
{
	return l->ready == 2 * l->pairs_wanted;
}

static bool
pairs_done(struct load *l)
{
	for (size_t i = 0; i < l->n_pairs; i++)
		if (l->pairs[i].delivered < l->pairs[i].n)
			return false;
	return true;
}

static void
must_connect(struct xmppdev *d)
{
	if (xmppdev_connect(d) == 0)
		return;
	(void)fprintf(stderr, "xmppload: cannot connect: %s\n", strerror(errno));
	exit(EXIT_FAILURE);
}

static void
make_pairs(struct load *l, size_t n)
{
	l->pairs_wanted = n;
	l->pairs = xcalloc(n, sizeof(*l->pairs));
	for (size_t i = 0; i < n; i++) {
		struct pair *p = &l->pairs[i];
		char *from = xasprintf("s%s%zu", l->tag, i);
		char *to = xasprintf("r%s%zu", l->tag, i);

		p->load = l;
		p->address = xasprintf("%s@%s", to, l->server[1].domain);
		p->from = xmppdev_new(
		    &l->env, &l->server[0], l->server[0].domain, from, &pair_ops, p);
		p->to = xmppdev_new(
		    &l->env, &l->server[1], l->server[1].domain, to, &pair_ops, p);
		must_connect(p->from);
		must_connect(p->to);
		free(from);
		free(to);
	}
	l->n_pairs = n;
	turn_until(l, pairs_ready, "logging in");
}

static void
start(struct load *l, uint64_t per_pair, bool paced)
{
	loadtimes_init(&l->times, per_pair * l->n_pairs);
	l->first_us = l->repeats = 0;
	for (size_t i = 0; i < l->n_pairs; i++) {
		struct pair *p = &l->pairs[i];

		free(p->msgs);
		p->msgs = xcalloc(per_pair, sizeof(*p->msgs));
		p->n = per_pair;
		p->next = p->underway = p->delivered = 0;
		p->paced = paced;
		refill(p);
	}
}

/* One message of each pair, so that the link between the servers is there. */
static void
warm_up(struct load *l)
{
	start(l, 1, false);
	turn_until(l, pairs_done, "first message");
	free(l->times.us);
}

static void
phase_rate(struct load *l)
{
	uint64_t per = (l->messages + l->pairs_wanted - 1) / l->pairs_wanted, all;

	make_pairs(l, l->pairs_wanted);
	warm_up(l);
	all = per * l->n_pairs;
	measure_begin(l);
	start(l, per, false);
	turn_until(l, pairs_done, "rate");
	loadout_put("delivered", (double)all * 1e6 / (double)(l->last_us - l->first_us),
	    0, "msg/s");
	measure_put(l, "server-cpu", "generator-cpu", (double)all, "us/message");
	loadtimes_put(&l->times, "loaded.deliver");
	loadout_put("repeats", (double)l->repeats, 0, "messages");
}

static void
on_pace(evutil_socket_t fd, short what, void *arg)
{
	struct load *l = arg;
	struct pair *p = &l->pairs[0];
	uint64_t due = (clock_mono_us() - l->until) * l->rate / 1000000;

	(void)fd;
	(void)what;
	while (p->next < due && p->next < p->n)
		send_one(p);
	xmppdev_flush(p->from);
}

static void
phase_latency(struct load *l)
{
	uint64_t gap = 1000000 / l->rate;
	struct timeval tv = {(time_t)(gap / 1000000), (suseconds_t)(gap % 1000000)};
	struct event *pace = event_new(l->env.base, -1, EV_PERSIST, on_pace, l);

	make_pairs(l, 1);
	warm_up(l);
	l->until = clock_mono_us();
	start(l, l->rate * l->seconds, true);
	(void)event_add(pace, &tv);
	turn_until(l, pairs_done, "latency");
	event_free(pace);
	loadtimes_put(&l->times, "latency.deliver");
}

/* --- idle ----------------------------------------------------------------------------------- */

static bool
idle_through(struct load *l)
{
	return l->ready == l->devices;
}

static bool
idle_settled(struct load *l)
{
	return clock_mono_ms() >= l->until;
}

static void
on_idle_turn(struct xmppdev *d, void *arg)
{
	struct load *l = ((struct pair *)arg)->load;

	(void)d;
	while (l->n_idle < l->devices && l->n_idle - l->ready < l->logins)
		must_connect(l->idle[l->n_idle++]);
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void
phase_idle(struct load *l)
{
	static const struct xmppdev_ops ops = {
	    on_ready, on_body, on_idle_turn, on_failed};
	const struct timeval tick = {0, 50000};
	struct event *timer = event_new(l->env.base, -1, EV_PERSIST, on_tick, NULL);
	char *domain = xasprintf("anon.%s", l->server[0].domain);
	struct pair all = {.load = l};
	uint64_t kib = loadproc_memory_kib(&l->procs), from;

	l->idle = xcalloc(l->devices, sizeof(struct xmppdev *));
	for (size_t i = 0; i < l->devices; i++)
		l->idle[i] =
		    xmppdev_new(&l->env, &l->server[0], domain, NULL, &ops, &all);
	(void)event_add(timer, &tick);
	measure_begin(l);
	from = clock_mono_us();
	on_idle_turn(NULL, &all);
	turn_until(l, idle_through, "logging in");
	loadout_put("idle.logins",
	    (double)l->devices * 1e6 / (double)(clock_mono_us() - from), 0, "logins/s");
	measure_put(
	    l, "idle.server-cpu", "idle.generator-cpu", (double)l->devices, "us/login");
	l->until = clock_mono_ms() + SETTLE_MS;
	turn_until(l, idle_settled, "settling");
	loadout_put("idle.base", (double)kib, 0, "KiB");
	loadout_put("idle.memory",
	    ((double)loadproc_memory_kib(&l->procs) - (double)kib) * 1024 /
		(double)l->devices,
	    0, "bytes/device");
	event_free(timer);
	free(domain);
}

/* --- start ---------------------------------------------------------------------------------- */

_Noreturn static void
wrong(const char *what)
{
	(void)fprintf(stderr,
	    "xmppload: not understood: %s\n"
	    "usage: xmppload NAME rate|latency|idle DOMAIN=ADDRESS:PORT "
	    "DOMAIN=ADDRESS:PORT [KEY=NUMBER ...]\n",
	    what);
	exit(EXIT_USAGE);
}

static void
parse_server(struct xmppserver *s, const char *text)
{
	const char *eq = strchr(text, '='), *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN];
	uint64_t port;

	if (eq == NULL || colon == NULL || colon < eq ||
	    !text_copy(
		s->domain, sizeof(s->domain), span_of(text, (size_t)(eq - text))) ||
	    !text_copy(host, sizeof(host), span_of(eq + 1, (size_t)(colon - eq - 1))) ||
	    inet_pton(AF_INET, host, &s->addr.sin_addr) != 1 ||
	    !num_parse(colon + 1, 1, UINT16_MAX, &port))
		wrong(text);
	s->addr.sin_family = AF_INET;
	s->addr.sin_port = htons((uint16_t)port);
}

static void
parse_key(struct load *l, const char *text)
{
	const struct {
		const char *name;
		uint64_t *where;
	} keys[] = {{"messages", &l->messages}, {"pairs", &l->pairs_wanted},
	    {"window", &l->window}, {"body", &l->body}, {"rate", &l->rate},
	    {"seconds", &l->seconds}, {"devices", &l->devices}, {"logins", &l->logins}};
	const char *eq = strchr(text, '=');
	uint64_t value;

	if (eq == NULL || !num_parse(eq + 1, 1, 10000000, &value))
		wrong(text);
	if (strncmp(text, "pid=", 4) == 0 && l->procs.n < LOADPROC_ROOTS) {
		l->procs.root[l->procs.n++] = (pid_t)value;
		return;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (span_eq(span_str(keys[i].name), span_of(text, (size_t)(eq - text)))) {
			*keys[i].where = value;
			return;
		}
	wrong(text);
}

static void
set_up(struct load *l)
{
	struct event_config *cfg = event_config_new();
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	l->env.tls = SSL_CTX_new(TLS_client_method());
	if (cfg == NULL || l->env.tls == NULL)
		exit(EXIT_FAILURE);
	(void)SSL_CTX_set_min_proto_version(l->env.tls, TLS1_3_VERSION);
	(void)SSL_CTX_set_mode(l->env.tls,
	    SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
		SSL_MODE_RELEASE_BUFFERS);
	(void)event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER);
	l->env.base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	if (l->body <= NUMBER_DIGITS)
		l->body = NUMBER_DIGITS + 1;
	l->text = xmalloc(l->body);
	memset(l->text, 'x', l->body);
	id32_encode(random_u64(), l->tag);
}

int
main(int argc, char **argv)
{
	static struct load l = {.messages = 10000,
	    .pairs_wanted = 4,
	    .window = 100,
	    .body = 1024,
	    .rate = 100,
	    .seconds = 10,
	    .devices = 1000,
	    .logins = 16};

	if (argc < 5)
		wrong("too few arguments");
	parse_server(&l.server[0], argv[3]);
	parse_server(&l.server[1], argv[4]);
	for (int i = 5; i < argc; i++)
		parse_key(&l, argv[i]);
	set_up(&l);
	loadout_begin(argv[1], false);
	if (strcmp(argv[2], "rate") == 0)
		phase_rate(&l);
	else if (strcmp(argv[2], "latency") == 0)
		phase_latency(&l);
	else if (strcmp(argv[2], "idle") == 0)
		phase_idle(&l);
	else
		wrong(argv[2]);
	return EXIT_SUCCESS;
}
