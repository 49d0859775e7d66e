/* SPDX-License-Identifier: ISC */
/*
 * main.c - emsg-load: drives EMSG servers with load and prints what they give.
 *
 * One process, one libevent loop. Carries out the phases of the command line one after the
 * other: rate (pairs with a window of messages in flight), latency (one pair at a fixed
 * rate), idle (many devices that only log in). Owns the loop, the TLS context and the pairs.
 * Exit status: 0, 1 when a phase failed (with one line on standard error), 64 wrong usage.
 */
#include "config.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/tls.h"

#include "loadidle.h"
#include "loadopt.h"
#include "loadout.h"
#include "loadpair.h"

#define TICK_US 50000
#define SETTLE_MS 2000 /* after the last login, before memory is read */

struct load {
	struct loadopt opt;
	struct loadenv env;
	struct loadrun run;
	struct loadidle idle;
	struct loadpair **pairs; /* owned */
	size_t n_pairs;
	struct event *tick, *pace;
	uint64_t pace_start, pace_sent;
	uint64_t settle_until;
	uint64_t cpu_ms, own_ms; /* at the start of a measurement */
	char tag[14];            /* part of every address of this run */
};

_Noreturn static void
die(const char *what, const char *why)
{
	(void)fprintf(stderr, "emsg-load: %s: %s\n", what, why);
	exit(EXIT_FAILURE);
}

/* --- the loop ------------------------------------------------------------------------------- */

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct load *l = arg;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < l->n_pairs; i++)
		loadpair_tick(l->pairs[i]);
}

/* Turns the loop until done says so; a failure or the end of patience ends the program. */
static void
turn_until(struct load *l, bool (*done)(struct load *), const char *what)
{
	uint64_t end = clock_mono_ms() + l->opt.patience * 1000;

	while (!done(l)) {
		if (event_base_loop(l->env.base, EVLOOP_ONCE) == -1)
			die(what, "the event loop failed");
		if (l->run.why[0] != '\0')
			die(what, l->run.why);
		if (l->idle.why[0] != '\0')
			die(what, l->idle.why);
		if (clock_mono_ms() > end) {
			(void)fprintf(stderr,
			    "emsg-load: accepted %llu delivered %llu of %llu\n",
			    (unsigned long long)l->run.accepted,
			    (unsigned long long)l->run.delivered,
			    (unsigned long long)(l->run.per_pair * l->n_pairs));
			die(what, "not finished in time");
		}
	}
}

static void
measure_begin(struct load *l)
{
	l->cpu_ms = loadproc_cpu_ms(&l->opt.procs);
	l->own_ms = loadproc_own_ms();
}

/* CPU time per unit since measure_begin(), in microseconds. */
static void
measure_put(
    struct load *l, const char *server, const char *own, double units, const char *unit)
{
	double used = (double)(loadproc_cpu_ms(&l->opt.procs) - l->cpu_ms);

	if (l->opt.procs.n > 0)
		loadout_put(server, used * 1000 / units, 1, unit);
	loadout_put(own, (double)(loadproc_own_ms() - l->own_ms) * 1000 / units, 1, unit);
}

/* --- pairs ---------------------------------------------------------------------------------- */

static bool
pairs_ready(struct load *l)
{
	for (size_t i = 0; i < l->n_pairs; i++)
		if (!loadpair_ready(l->pairs[i]))
			return false;
	return true;
}

static bool
pairs_done(struct load *l)
{
	for (size_t i = 0; i < l->n_pairs; i++)
		if (!loadpair_done(l->pairs[i]))
			return false;
	return true;
}

/* Makes the pairs at the first phase that wants them. */
static void
need_pairs(struct load *l)
{
	const struct loadserver *from = &l->opt.server[0];
	const struct loadserver *to = &l->opt.server[l->opt.n_servers - 1];

	if (l->pairs != NULL)
		return;
	l->run.window = l->opt.window;
	l->run.body = l->opt.body;
	l->pairs = xcalloc(l->opt.pairs, sizeof(struct loadpair *));
	for (size_t i = 0; i < l->opt.pairs; i++) {
		char *name = xasprintf("%s-%zu", l->tag, i);

		l->pairs[i] = loadpair_new(&l->env, &l->run, from, to, name);
		free(name);
		if (loadpair_connect(l->pairs[i]) == -1)
			die("cannot connect", strerror(errno));
		/* One after the other: few requests are pending at any time. */
		l->n_pairs = i + 1;
		turn_until(l, pairs_ready, "making contacts");
	}
}

static void
run_reset(struct load *l, uint64_t per_pair, size_t all)
{
	struct loadrun *r = &l->run;

	r->per_pair = per_pair;
	r->first_us = r->accepted_us = r->delivered_us = 0;
	r->accepted = r->delivered = 0;
	r->repeats = r->disorder = r->retried = r->fates = 0;
	loadtimes_init(&r->result_times, all);
	loadtimes_init(&r->push_times, all);
}

static double
per_second(uint64_t n, uint64_t from_us, uint64_t to_us)
{
	return to_us <= from_us ? 0 : (double)n * 1e6 / (double)(to_us - from_us);
}

/* What should be 0, as one figure each; a phase without faults prints none. */
static void
put_faults(const struct loadrun *r, const char *phase)
{
	const struct {
		const char *name;
		uint64_t n;
	} rows[] = {
	    {"repeats", r->repeats}, {"disorder", r->disorder}, {"retried", r->retried}};
	char name[64], unit[64] = "messages";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].n == 0)
			continue;
		(void)snprintf(name, sizeof(name), "%s.%s", phase, rows[i].name);
		if (i == 2)
			(void)snprintf(
			    unit, sizeof(unit), "messages, last %s", r->retry_code);
		loadout_put(name, (double)rows[i].n, 0, unit);
	}
}

static void
phase_rate(struct load *l)
{
	struct loadrun *r = &l->run;
	uint64_t per =
	    l->opt.messages / l->opt.pairs + (l->opt.messages % l->opt.pairs != 0);
	uint64_t all = per * l->opt.pairs;

	need_pairs(l);
	run_reset(l, per, all);
	measure_begin(l);
	for (size_t i = 0; i < l->n_pairs; i++)
		loadpair_start(l->pairs[i], false);
	turn_until(l, pairs_done, "rate");
	loadout_put("accepted", per_second(all, r->first_us, r->accepted_us), 0, "msg/s");
	loadout_put(
	    "delivered", per_second(all, r->first_us, r->delivered_us), 0, "msg/s");
	measure_put(l, "server-cpu", "generator-cpu", (double)all, "us/message");
	loadtimes_put(&r->result_times, "loaded.accept");
	loadtimes_put(&r->push_times, "loaded.deliver");
	put_faults(r, "loaded");
}

/* --- latency -------------------------------------------------------------------------------- */

static void
on_pace(evutil_socket_t fd, short what, void *arg)
{
	struct load *l = arg;
	uint64_t due = (clock_mono_us() - l->pace_start) * l->opt.rate / 1000000;

	(void)fd;
	(void)what;
	for (; l->pace_sent < due; l->pace_sent++)
		if (!loadpair_one(l->pairs[0]))
			return;
}

static bool
first_done(struct load *l)
{
	return loadpair_done(l->pairs[0]);
}

static void
phase_latency(struct load *l)
{
	struct loadrun *r = &l->run;
	uint64_t n = l->opt.rate * l->opt.seconds, gap = 1000000 / l->opt.rate;
	struct timeval tv = {(time_t)(gap / 1000000), (suseconds_t)(gap % 1000000)};

	need_pairs(l);
	run_reset(l, n, n);
	measure_begin(l);
	l->pace_start = clock_mono_us();
	l->pace_sent = 0;
	loadpair_start(l->pairs[0], true);
	(void)event_add(l->pace, &tv);
	turn_until(l, first_done, "latency");
	(void)event_del(l->pace);
	loadtimes_put(&r->result_times, "latency.accept");
	loadtimes_put(&r->push_times, "latency.deliver");
	measure_put(
	    l, "latency.server-cpu", "latency.generator-cpu", (double)n, "us/message");
	put_faults(r, "latency");
}

/* --- idle ----------------------------------------------------------------------------------- */

static bool
idle_through(struct load *l)
{
	return loadidle_pump(&l->idle);
}

static bool
idle_settled(struct load *l)
{
	return clock_mono_ms() >= l->settle_until;
}

static void
settle(struct load *l)
{
	l->settle_until = clock_mono_ms() + SETTLE_MS;
	turn_until(l, idle_settled, "settling");
}

static void
phase_idle(struct load *l)
{
	size_t n = l->opt.devices;
	uint64_t kib, start, spent;

	loadidle_init(&l->idle, &l->env, &l->opt.server[0], n, l->opt.logins, l->tag);
	loadidle_start(&l->idle, true);
	turn_until(l, idle_through, "registering");
	(void)loadidle_pump(&l->idle);
	settle(l);
	kib = loadproc_memory_kib(&l->opt.procs);
	measure_begin(l);
	start = clock_mono_us();
	loadidle_start(&l->idle, false);
	turn_until(l, idle_through, "logging in");
	spent = clock_mono_us();
	loadout_put("idle.logins", per_second(n, start, spent), 0, "logins/s");
	measure_put(l, "idle.server-cpu", "idle.generator-cpu", (double)n, "us/login");
	settle(l);
	loadout_put("idle.base", (double)kib, 0, "KiB");
	loadout_put("idle.memory",
	    ((double)loadproc_memory_kib(&l->opt.procs) - (double)kib) * 1024 / (double)n,
	    0, "bytes/device");
	loadidle_clear(&l->idle);
}

/* --- start ---------------------------------------------------------------------------------- */

static void
raise_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

static void
set_up(struct load *l, struct tls *tls)
{
	const struct timeval tick = {0, TICK_US};
	struct event_config *cfg = event_config_new();
	const char *err = NULL;

	if (cfg == NULL || tls == NULL)
		die("start", "out of memory");
	(void)event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER);
	l->env.base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	l->env.tls = tls_client_new(tls, span_of(NULL, 0), &err);
	if (l->env.base == NULL || l->env.tls == NULL)
		die("start", err == NULL ? "no event loop" : err);
	l->env.tokens = (const uint8_t(*)[16])l->opt.tokens;
	l->env.n_tokens = l->opt.n_tokens;
	l->tick = event_new(l->env.base, -1, EV_PERSIST, on_tick, l);
	l->pace = event_new(l->env.base, -1, EV_PERSIST, on_pace, l);
	if (l->tick == NULL || l->pace == NULL || event_add(l->tick, &tick) == -1)
		die("start", "no timers");
	id32_encode(random_u64(), l->tag);
}

static void
tear_down(struct load *l, struct tls *tls)
{
	for (size_t i = 0; i < l->n_pairs; i++)
		loadpair_free(l->pairs[i]);
	free(l->pairs);
	free(l->opt.tokens);
	event_free(l->tick);
	event_free(l->pace);
	tls_client_free(l->env.tls);
	event_base_free(l->env.base);
	tls_free(tls);
}

int
main(int argc, char **argv)
{
	static void (*const phases[])(struct load *) = {
	    [PHASE_RATE] = phase_rate,
	    [PHASE_LATENCY] = phase_latency,
	    [PHASE_IDLE] = phase_idle,
	};
	static struct load l;
	struct tls *tls = tls_new();

	loadopt_parse(&l.opt, argc, argv);
	(void)signal(SIGPIPE, SIG_IGN);
	raise_descriptors();
	set_up(&l, tls);
	loadout_begin(l.opt.name, l.opt.json);
	for (size_t i = 0; i < l.opt.n_phases; i++)
		phases[l.opt.phase[i]](&l);
	loadout_end();
	tear_down(&l, tls);
	return EXIT_SUCCESS;
}
