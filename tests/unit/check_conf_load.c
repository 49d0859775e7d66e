/* SPDX-License-Identifier: ISC */
/*
 * check_conf_load.c - loading: the files of tests/conf, and several files at once.
 *
 * Each file of tests/conf carries what it must give: its lines "#! line:col: path: text",
 * in order and complete. A file without such lines must load, and what print_conf() makes
 * of it must load again to the same values.
 */
#include "config.h"

#include <sys/stat.h>

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/load.h"
#include "conf/print.h"

#define GOLDEN_MIN 60 /* files below tests/conf, so that none gets lost */

static char dir[64];

static void
enter(void)
{
	snprintf(dir, sizeof(dir), "/tmp/emsg-conf-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

static void
leave(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	ck_assert_int_eq(nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void
put(const char *name, const void *text, size_t n)
{
	FILE *f = fopen(name, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(name, 0600), 0);
}

static void
put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static char *
slurp(const char *name, size_t *n)
{
	FILE *f = fopen(name, "r");
	char *text = xcalloc(1, 65536);

	ck_assert_msg(f != NULL, "%s", name);
	*n = fread(text, 1, 65535, f);
	fclose(f);
	return text;
}

static char *
faults_text(const struct faults *faults)
{
	char *text;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	faults_print(f, faults);
	fclose(f);
	return text;
}

static char *
conf_text(const struct conf *c, enum print_what what)
{
	char *text;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	print_conf(f, c, what, false);
	fclose(f);
	return text;
}

/* Loads emsg.yaml of the current directory, which must give exactly these faults. */
static void
expect_faults(const char *base, const char *expected)
{
	struct faults faults;
	struct conf *c = conf_load("emsg.yaml", base, &faults);
	char *text = faults_text(&faults);

	ck_assert_str_eq(text, expected);
	ck_assert(c == NULL);
	free(text);
	faults_clear(&faults);
}

static struct conf *
expect_conf(const char *base)
{
	struct faults faults;
	struct conf *c = conf_load("emsg.yaml", base, &faults);
	char *text = faults_text(&faults);

	ck_assert_str_eq(text, "");
	ck_assert(c != NULL);
	free(text);
	faults_clear(&faults);
	return c;
}

/* The lines "#! ..." of a file, as faults_print() would say it. */
static char *
expected_faults(const char *text)
{
	char *all = xstrdup("");

	for (const char *p = strstr(text, "#! "); p != NULL; p = strstr(p + 1, "\n#! ")) {
		char *more;

		p += *p == '\n';
		more = xasprintf(
		    "%semsg.yaml:%.*s\n", all, (int)strcspn(p + 3, "\n"), p + 3);
		free(all);
		all = more;
	}
	return all;
}

static void
check_round_trip(const char *name)
{
	struct conf *first = expect_conf(NULL), *second;
	struct conf_change changes[CONF_COUNT];

	for (int what = PRINT_NONDEFAULT; what <= PRINT_ORIGIN; what++) {
		char *text = conf_text(first, (enum print_what)what);

		put_text("emsg.yaml", text);
		second = expect_conf(NULL);
		ck_assert_msg(
		    conf_diff(first, second, changes) == 0, "%s:\n%s", name, text);
		conf_free(second);
		free(text);
	}
	conf_free(first);
}

static int
is_yaml(const struct dirent *e)
{
	return strstr(e->d_name, ".yaml") != NULL;
}

START_TEST(golden)
{
	const char *src = getenv("EMSG_SRC");
	char *where = xasprintf("%s/tests/conf", src == NULL ? "." : src);
	struct dirent **names;
	int n = scandir(where, &names, is_yaml, alphasort), broken = 0;

	for (int i = 0; i < n; i++) {
		char *path = xasprintf("%s/%s", where, names[i]->d_name), *text,
		     *expected;
		size_t size;

		text = slurp(path, &size);
		put("emsg.yaml", text, size);
		expected = expected_faults(text);
		if (expected[0] == '\0')
			check_round_trip(path);
		else
			expect_faults(NULL, expected);
		broken += expected[0] != '\0';
		free(expected);
		free(text);
		free(path);
		free(names[i]);
	}
	ck_assert_int_ge(broken, GOLDEN_MIN);
	free(names);
	free(where);
}
END_TEST

START_TEST(shipped_sample)
{
	const char *src = getenv("EMSG_SRC");
	char *path = xasprintf("%s/etc/emsg.yaml", src == NULL ? "." : src), *text;
	struct conf *c;
	size_t n;

	text = slurp(path, &n);
	put("emsg.yaml", text, n);
	c = expect_conf(NULL);
	ck_assert_str_eq(conf_str(c, CONF_DOMAIN), "im.alpha.test");
	conf_free(c);
	free(text);
	free(path);
}
END_TEST

START_TEST(merge)
{
	struct conf *c;
	char *text;

	put_text(
	    "emsg.yaml", "version: 1\ndomain: im.alpha.test\nqueue:\n  lifetime: 3d\n");
	ck_assert_int_eq(mkdir("conf.d", 0700), 0);
	put_text("conf.d/20-b.yaml", "queue:\n  retry_min: 2s\n");
	put_text("conf.d/10-a.yaml", "# nothing\n");
	put_text("conf.d/ignored.txt", "]]]");
	put_text("conf.d/95-local.yaml", "queue:\n  lifetime: 2d\n");
	c = expect_conf(NULL);
	ck_assert_uint_eq(conf_u64(c, CONF_QUEUE_LIFETIME), 2 * 86400000ULL);
	ck_assert_uint_eq(conf_u64(c, CONF_QUEUE_RETRY_MIN), 2000);
	text = conf_text(c, PRINT_ORIGIN);
	ck_assert_ptr_nonnull(strstr(text, "  lifetime: 2d  # conf.d/95-local.yaml:2\n"));
	ck_assert_ptr_nonnull(strstr(text, "  retry_min: 2s  # conf.d/20-b.yaml:2\n"));
	ck_assert_ptr_nonnull(strstr(text, "  retry_max: 1h  # default\n"));
	free(text);
	conf_free(c);
}
END_TEST

START_TEST(merge_faults)
{
	put_text(
	    "emsg.yaml", "version: 1\ndomain: im.alpha.test\nqueue:\n  lifetime: 3d\n");
	ck_assert_int_eq(mkdir("conf.d", 0700), 0);
	put_text("conf.d/10-a.yaml", "queue:\n  lifetime: 2d\n  retry: 5s\n");
	put_text("conf.d/30-b.yaml", "tls:\n\tkey: /x\n");
	put_text("conf.d/99-c.yaml", "domain: X\n");
	put_text("conf.d/z.yaml", "domain: im.beta.test\n");
	expect_faults(NULL,
	    "conf.d/10-a.yaml:2:3: queue.lifetime: already set in emsg.yaml, line 4; "
	    "only "
	    "files named 90- to 99- in conf.d may change it\n"
	    "conf.d/10-a.yaml:3:3: queue.retry: unknown key\n"
	    "conf.d/30-b.yaml:2:1: tab character; use spaces\n"
	    "conf.d/99-c.yaml:1:9: domain: write the domain in lower case: \"X\"\n"
	    "conf.d/z.yaml:1:1: domain: already set in emsg.yaml, line 2; only files "
	    "named "
	    "90- to 99- in conf.d may change it\n");
}
END_TEST

START_TEST(refused_files)
{
	expect_faults(NULL, "emsg.yaml: No such file or directory\n");
	put_text("emsg.yaml", "version: 1\ndomain: im.alpha.test\n");
	ck_assert_int_eq(chmod("emsg.yaml", 0620), 0);
	expect_faults(
	    NULL, "emsg.yaml: group or others may write to it; use chmod go-w\n");
	ck_assert_int_eq(chmod("emsg.yaml", 0602), 0);
	expect_faults(
	    NULL, "emsg.yaml: group or others may write to it; use chmod go-w\n");
	ck_assert_int_eq(chmod("emsg.yaml", 0644), 0);
	ck_assert_int_eq(mkdir("conf.d", 0700), 0);
	ck_assert_int_eq(chmod("conf.d", 0770), 0);
	expect_faults(NULL, "conf.d: group or others may write to it; use chmod go-w\n");
	ck_assert_int_eq(chmod("conf.d", 0755), 0);
	ck_assert_int_eq(mkfifo("conf.d/10-fifo.yaml", 0600), 0);
	expect_faults(NULL, "conf.d/10-fifo.yaml: not a regular file\n");
	ck_assert_int_eq(unlink("conf.d/10-fifo.yaml"), 0);
	ck_assert_int_eq(truncate("emsg.yaml", 1024 * 1024 + 1), 0);
	expect_faults(NULL, "emsg.yaml: file larger than 1 MiB\n");
}
END_TEST

START_TEST(base_directory)
{
	struct conf *c;
	char expected[600];

	put_text("emsg.yaml",
	    "version: 1\ndomain: im.alpha.test\ntls:\n  certificate: my/cert.pem\n");
	c = expect_conf(dir);
	snprintf(expected, sizeof(expected), "%s/my/cert.pem", dir);
	ck_assert_str_eq(conf_str(c, CONF_TLS_CERTIFICATE), expected);
	snprintf(expected, sizeof(expected), "%s/tls/key.pem", dir);
	ck_assert_str_eq(conf_str(c, CONF_TLS_KEY), expected);
	snprintf(expected, sizeof(expected), "%s/queue", dir);
	ck_assert_str_eq(conf_str(c, CONF_QUEUE_DIRECTORY), expected);
	snprintf(expected, sizeof(expected), "%s/run/control.sock", dir);
	ck_assert_str_eq(conf_str(c, CONF_CONTROL_SOCKET), expected);
	ck_assert_ptr_null(conf_str(c, CONF_TLS_CA_FILE));
	conf_free(c);
	expect_faults("here",
	    "here: base directory must be an absolute path of at most 512 bytes\n");
}
END_TEST

START_TEST(bounded_faults)
{
	struct faults faults;
	FILE *f = fopen("emsg.yaml", "w");

	for (int i = 0; i < FAULTS_MAX + 10; i++)
		fprintf(f, "key%d: 1\n", i);
	fclose(f);
	ck_assert_int_eq(chmod("emsg.yaml", 0600), 0);
	ck_assert_ptr_null(conf_load("emsg.yaml", NULL, &faults));
	ck_assert_uint_eq(faults.n, FAULTS_MAX);
	ck_assert_uint_eq(faults.more, 12);
	faults_clear(&faults);
}
END_TEST

START_TEST(faults_as_json)
{
	struct faults faults;
	char *text;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	put_text("emsg.yaml", "version: 1\ndomain: im.alpha.test\nqueue: \"a\\\"b\"\n");
	ck_assert_ptr_null(conf_load("emsg.yaml", NULL, &faults));
	faults_print_json(f, &faults);
	fclose(f);
	ck_assert_str_eq(text,
	    "{\"file\":\"emsg.yaml\",\"line\":3,\"col\":8,\"path\":\"queue\",\"text\":"
	    "\"is a section: write its keys on the lines below, indented\"}\n");
	free(text);
	faults_clear(&faults);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf_load");
	TCase *t = tcase_create("load");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, enter, leave);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, golden);
	tcase_add_test(t, shipped_sample);
	tcase_add_test(t, merge);
	tcase_add_test(t, merge_faults);
	tcase_add_test(t, refused_files);
	tcase_add_test(t, base_directory);
	tcase_add_test(t, bounded_faults);
	tcase_add_test(t, faults_as_json);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
