/* SPDX-License-Identifier: ISC */
/*
 * main.c - emsgd's command line.
 *
 * Reads the options and calls what they ask for: run the suite (master.c), or check or print
 * the configuration (lib/conf) and exit. emsgctl config uses the latter, because libyaml is
 * linked into this program only. Exit status: 0, 1 trouble, 7 the configuration is invalid,
 * 64 wrong usage.
 */
#include "config.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/load.h"
#include "conf/print.h"
#include "master/master.h"

#define EXIT_USAGE 64

/* What the options say. */
struct options {
	struct master_opts master;
	bool check;
	bool print;
	bool defaults;
	bool json;
	enum print_what what;
	const char *explain;
};

_Noreturn static void
usage(void)
{
	(void)fprintf(stderr,
	    "usage: emsgd [-F] [-c file] [-d directory] [-x directory]\n"
	    "       emsgd -n [-j] [-c file] [-d directory]\n"
	    "       emsgd -p all|nondefault|origin [-j] [-c file] [-d directory]\n"
	    "       emsgd -D [-j] [-d directory]\n"
	    "       emsgd -e key|all [-j]\n"
	    "       emsgd -V\n");
	exit(EXIT_USAGE);
}

/* The absolute form, because children and reloads must find it whatever the directory. */
static const char *
absolute(const char *path)
{
	char *full = realpath(path, NULL);

	if (full == NULL) {
		perror(path);
		exit(EXIT_USAGE);
	}
	return full;
}

static void
parse(struct options *o, int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "Fnp:De:jVc:d:x:")) != -1) {
		switch (c) {
		case 'F': /* the foreground is the only place where we run */
			break;
		case 'n':
			o->check = true;
			break;
		case 'p':
			o->print = true;
			if (!print_what_parse(optarg, &o->what))
				usage();
			break;
		case 'D':
			o->defaults = true;
			break;
		case 'e':
			o->explain = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 'V':
			(void)printf("emsgd %s\n", PACKAGE_VERSION);
			exit(EXIT_SUCCESS);
		case 'c':
			o->master.file = absolute(optarg);
			break;
		case 'd':
			o->master.dir = absolute(optarg);
			break;
		case 'x':
			o->master.libexec = absolute(optarg);
			break;
		default:
			usage();
		}
	}
	if (optind != argc ||
	    o->check + o->print + o->defaults + (o->explain != NULL) > 1)
		usage();
}

/* -n and -p. */
static int
check_or_print(const struct options *o)
{
	static struct faults faults;
	struct conf *conf = conf_load(o->master.file, o->master.dir, &faults);

	if (conf != NULL && o->print)
		print_conf(stdout, conf, o->what, o->json);
	if (conf == NULL && o->json)
		faults_print_json(stdout, &faults);
	else if (conf == NULL)
		faults_print(stderr, &faults);
	faults_clear(&faults);
	conf_free(conf);
	return conf == NULL ? CONF_EXIT_INVALID : EXIT_SUCCESS;
}

/* -e. */
static int
explain(const struct options *o)
{
	const char *key = strcmp(o->explain, "all") == 0 ? NULL : o->explain;

	return print_explain(stdout, stderr, key, o->json) ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	static struct options o; /* its paths live as long as the program */
	int status = EXIT_SUCCESS;

	parse(&o, argc, argv);
	if (o.defaults)
		status = print_defaults(stdout, o.master.dir, o.json) ? 0 : EXIT_FAILURE;
	else if (o.explain != NULL)
		status = explain(&o);
	else if (o.check || o.print)
		status = check_or_print(&o);
	else
		return master_run(&o.master);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		perror("standard output");
		status = EXIT_FAILURE;
	}
	return status;
}
