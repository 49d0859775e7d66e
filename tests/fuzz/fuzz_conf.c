/* SPDX-License-Identifier: ISC */
/*
 * fuzz_conf.c - fuzz target: configuration files.
 *
 * What must hold for any bytes: reading and checking end; what is left out has a fault, with
 * a place inside the text; a configuration without faults fits into what a process can be
 * sent, and comes out of it equal for that process.
 */
#include "config.h"

#include "conf/crosscheck.h"
#include "conf/share.h"
#include "conf/yaml.h"
#include "fuzz/fuzz.h"

static void
check_places(const struct faults *faults, size_t n)
{
	for (size_t i = 0; i < faults->n; i++)
		fuzz_check(faults->v[i].at.line <= n + 2 && faults->v[i].at.col <= n + 2);
}

static void
check_shared(const struct conf *c, enum role role)
{
	struct conf_change changes[CONF_COUNT];
	struct conf *got;
	struct buf b;
	size_t n;

	buf_init(&b, CONF_SHARE_MAX);
	conf_share_put(&b, c, role);
	fuzz_check(!buf_failed(&b));
	got = conf_share_get(buf_span(&b), role);
	fuzz_check(got != NULL);
	n = conf_diff(c, got, changes);
	for (size_t i = 0; i < n; i++)
		fuzz_check((schema_row(changes[i].key)->roles & ROLE_BIT(role)) == 0);
	conf_free(got);
	buf_clear(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct faults faults;
	struct fill fill = {.faults = &faults};
	struct place at = {0, 1, 1};
	struct node *root;
	bool whole;

	faults_init(&faults);
	faults_file(&faults, "input");
	fill.conf = conf_new_defaults(NULL);
	root = yaml_read(span_of(p, n), 0, &faults, &whole);
	fuzz_check(whole || faults.n > 0);
	fill_file(&fill, root);
	node_free(root);
	fill_required(&fill, at);
	crosscheck_run(&fill);
	faults_sort(&faults);
	check_places(&faults, n);
	for (int role = ROLE_STORE; faults.n == 0 && role < ROLE_COUNT; role++)
		check_shared(fill.conf, (enum role)role);
	conf_free(fill.conf);
	faults_clear(&faults);
	return 0;
}
