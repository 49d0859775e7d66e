/* SPDX-License-Identifier: ISC */
/*
 * seed_share.c - makes the corpus of fuzz_share from valid configuration files.
 *
 * usage: seed_share DIRECTORY FILE ...
 *
 * For each process and the n-th file it writes DIRECTORY/<process>-<n>: the byte that chooses
 * the role, then what the master would send. To be run again when a key was added to the
 * schema: old seeds are refused then, and the coverage suite says so.
 */
#include "config.h"

#include <stdio.h>

#include "base/log.h"
#include "conf/load.h"
#include "conf/share.h"

#define NAME_MAX_BYTES 4096

static void
write_seed(const char *dir, int number, const struct conf *conf, enum role role)
{
	char name[NAME_MAX_BYTES];
	struct buf b;
	FILE *f;

	buf_init(&b, CONF_SHARE_MAX + 1);
	buf_put_u8(&b, (uint8_t)(role - ROLE_STORE));
	conf_share_put(&b, conf, role);
	snprintf(name, sizeof(name), "%s/%s-%d", dir, role_name(role), number);
	f = fopen(name, "w");
	if (f == NULL || fwrite(b.p, 1, b.n, f) != b.n || fclose(f) != 0)
		fatal_errno("%s", name);
	buf_clear(&b);
}

int
main(int argc, char **argv)
{
	struct faults faults;
	struct conf *conf;

	for (int i = 2; i < argc; i++) {
		conf = conf_load(argv[i], "/srv/emsg", &faults);
		if (conf == NULL)
			fatal("%s is not valid", argv[i]);
		for (unsigned role = ROLE_STORE; role < ROLE_COUNT; role++)
			write_seed(argv[1], i - 1, conf, (enum role)role);
		conf_free(conf);
		faults_clear(&faults);
	}
	return 0;
}
