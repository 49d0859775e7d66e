/* SPDX-License-Identifier: ISC */
/*
 * load.c - configuration files -> struct conf. Master only.
 *
 * Finds the files, refuses those that others could have written, has each parsed (yaml.c)
 * and taken over (fill.c), then runs the checks across keys (crosscheck.c). Either there
 * is a complete struct conf, or a sorted list of everything that is wrong; never both.
 * Called by the master at start, for reload, and for "emsgd -n" and its friends. Needs no
 * network, no running server and none of the files that the configuration names. It
 * neither logs nor exits.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "conf/crosscheck.h"
#include "conf/fill.h"
#include "conf/load.h"
#include "conf/yaml.h"

#define CONF_D "conf.d"
#define CONF_D_MAX (FAULT_FILES_MAX - 2) /* the main file and conf.d itself count */
#define OVERRIDE_FIRST "90-"

struct loading {
	struct fill fill;
	bool whole; /* nothing was left out of any tree */
};

static void
file_fault(struct loading *l, unsigned int file, const char *text)
{
	fault_add(l->fill.faults, (struct place){file, 0, 0}, NULL, "%s", text);
	l->whole = false;
}

/* True if nobody but owner (and root) can have written what fd is. */
static bool
check_mode(struct loading *l, int fd, unsigned int file, mode_t kind)
{
	struct stat st;

	if (fstat(fd, &st) == -1) {
		file_fault(l, file, strerror(errno));
		return false;
	}
	if ((st.st_mode & S_IFMT) != kind) {
		file_fault(
		    l, file, kind == S_IFDIR ? "not a directory" : "not a regular file");
		return false;
	}
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
		file_fault(l, file, "group or others may write to it; use chmod go-w");
		return false;
	}
	return true;
}

static void
load_text(struct loading *l, struct span text, unsigned int file)
{
	struct node *root;
	bool whole;

	root = yaml_read(text, file, l->fill.faults, &whole);
	l->whole = fill_file(&l->fill, root) && whole && l->whole;
	node_free(root);
}

static void
load_file(struct loading *l, const char *path)
{
	unsigned int file = faults_file(l->fill.faults, path);
	unsigned char *text;
	size_t n;
	int fd;

	/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1) {
		file_fault(l, file, strerror(errno));
		return;
	}
	if (check_mode(l, fd, file, S_IFREG)) {
		if (fd_read_all(fd, YAML_FILE_MAX, &text, &n) == 0) {
			load_text(l, span_of(text, n), file);
			free(text);
		} else {
			file_fault(l, file,
			    errno == EFBIG ? "file larger than 1 MiB" : strerror(errno));
		}
	}
	close(fd);
}

static int
is_yaml(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > 5 &&
	    strcmp(entry->d_name + n - 5, ".yaml") == 0;
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Names from 90- to 99- may override. */
static bool
may_override(const char *name)
{
	return strcmp(name, OVERRIDE_FIRST) >= 0 && name[0] == '9';
}

static void
load_entries(struct loading *l, const char *dir, unsigned int file)
{
	struct dirent **names;
	int n = scandir(dir, &names, is_yaml, by_name);

	if (n == -1) {
		file_fault(l, file, strerror(errno));
		return;
	}
	if (n > CONF_D_MAX)
		file_fault(l, file, "more than 62 files");
	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", dir, names[i]->d_name);

		l->fill.override = may_override(names[i]->d_name);
		if (n <= CONF_D_MAX)
			load_file(l, path);
		free(path);
		free(names[i]);
	}
	free(names);
}

/* conf.d beside the main file; it need not exist. */
static void
load_directory(struct loading *l, const char *main_file)
{
	char *copy = xstrdup(main_file);
	const char *parent = dirname(copy);
	char *dir = strcmp(parent, ".") == 0 && strncmp(main_file, "./", 2) != 0
	    ? xstrdup(CONF_D)
	    : xasprintf("%s/" CONF_D, parent);
	int fd = open(dir, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd != -1) {
		unsigned int file = faults_file(l->fill.faults, dir);

		if (check_mode(l, fd, file, S_IFDIR))
			load_entries(l, dir, file);
		close(fd);
	} else if (errno != ENOENT) {
		file_fault(l, faults_file(l->fill.faults, dir), strerror(errno));
	}
	free(dir);
	free(copy);
}

/* The names of the files go with the conf, for print_conf(). */
static void
keep_files(struct conf *c, const struct faults *faults)
{
	c->nfiles = faults->nfiles;
	c->files = xcalloc(c->nfiles, sizeof(*c->files));
	for (unsigned int i = 0; i < c->nfiles; i++)
		c->files[i] = xstrdup(faults->files[i]);
}

static char *
main_file_name(const char *file, const char *base)
{
	if (file != NULL)
		return xstrdup(file);
	if (base != NULL)
		return xasprintf("%s/emsg.yaml", base);
	return xstrdup(EMSG_SYSCONFDIR "/emsg/emsg.yaml");
}

struct conf *
conf_load(const char *file, const char *base, struct faults *faults)
{
	struct loading l = {.fill = {.faults = faults}, .whole = true};
	char *main_file;

	faults_init(faults);
	if (!conf_base_ok(base)) {
		file_fault(&l, faults_file(faults, base),
		    "base directory must be an absolute path of at most 512 bytes");
		return NULL;
	}
	main_file = main_file_name(file, base);
	l.fill.conf = conf_new_defaults(base);
	load_file(&l, main_file);
	load_directory(&l, main_file);
	if (l.whole) {
		fill_required(&l.fill, (struct place){0, 1, 1});
		crosscheck_run(&l.fill);
	}
	free(main_file);
	if (faults->n == 0) {
		keep_files(l.fill.conf, faults);
		return l.fill.conf;
	}
	faults_sort(faults);
	conf_free(l.fill.conf);
	return NULL;
}
