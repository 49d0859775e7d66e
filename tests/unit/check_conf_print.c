/* SPDX-License-Identifier: ISC */
/*
 * check_conf_print.c - what emsgd -p, -D and -e print, and emsg.yaml(5) against the
 * schema.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/print.h"

#define PAGE_MAX (256 * 1024)

static char *text; /* what was printed last */

static void
drop(void)
{
	free(text);
	text = NULL;
}

static bool
explain(const char *path, bool json)
{
	size_t n;
	FILE *f;
	bool ok;

	drop();
	f = open_memstream(&text, &n);
	ok = print_explain(f, f, path, json);
	fclose(f);
	return ok;
}

START_TEST(explain_key)
{
	ck_assert(explain("queue.lifetime", false));
	ck_assert_str_eq(text,
	    "queue.lifetime\n"
	    "    How long an item is tried before its sender is told that it failed.\n"
	    "    type:     duration\n"
	    "    default:  5d\n"
	    "    range:    1m to 14d\n"
	    "    reload:   live\n"
	    "    since:    0.1\n");
	ck_assert(explain("registration.policy", false));
	ck_assert_ptr_nonnull(strstr(text, "    values:   closed, invite, open\n"));
	ck_assert(explain("domain", false));
	ck_assert_ptr_nonnull(strstr(text, "    default:  none; must be set\n"));
	ck_assert(explain("log.level", true));
	ck_assert_str_eq(text,
	    "{\"key\":\"log.level\",\"type\":\"word\",\"list\":false,\"required\":false,"
	    "\"default\":\"info\",\"values\":[\"error\",\"warning\",\"info\",\"debug\"],"
	    "\"secret\":false,\"reload\":\"live\",\"since\":\"0.1\",\"help\":"
	    "\"Least severity that is logged.\"}\n");
}
END_TEST

START_TEST(explain_sections)
{
	ck_assert(explain("tls", false));
	ck_assert_ptr_nonnull(strstr(text, "tls.certificate\n"));
	ck_assert_ptr_nonnull(strstr(text, "tls.ca_file\n"));
	ck_assert_ptr_null(strstr(text, "queue."));
	ck_assert(explain("peers", false));
	ck_assert_ptr_nonnull(strstr(text, "peers[].pin\n"));
	ck_assert(explain("peers.pin", false));
	ck_assert_ptr_null(strstr(text, "peers[].port\n"));
	ck_assert(!explain("tls.kee", false));
	ck_assert_str_eq(text, "unknown key \"tls.kee\"; did you mean \"tls.key\"?\n");
	ck_assert(!explain("nothing.like.it", false));
	ck_assert_str_eq(text, "unknown key \"nothing.like.it\"\n");
}
END_TEST

START_TEST(defaults)
{
	size_t n;
	FILE *f = open_memstream(&text, &n);

	ck_assert(print_defaults(f, "/srv/x", false));
	ck_assert(!print_defaults(f, "relative", false));
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "# domain: (not set)\n"));
	ck_assert_ptr_nonnull(strstr(text, "listen:\n  - \"[::]:443\"\n"));
	ck_assert_ptr_nonnull(strstr(text, "tls:\n  certificate: /srv/x/tls/cert.pem\n"));
	ck_assert_ptr_nonnull(strstr(text, "run:\n  directory: /srv/x/run\n"));
	drop();
	f = open_memstream(&text, &n);
	ck_assert(print_defaults(f, "/srv/x", true));
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "{\"version\":null,\"domain\":null,"));
	ck_assert_ptr_nonnull(strstr(text, "\"dialer.port\":443,"));
}
END_TEST

START_TEST(words)
{
	enum print_what what;

	ck_assert(print_what_parse("nondefault", &what) && what == PRINT_NONDEFAULT);
	ck_assert(print_what_parse("all", &what) && what == PRINT_ALL);
	ck_assert(print_what_parse("origin", &what) && what == PRINT_ORIGIN);
	ck_assert(!print_what_parse("", &what));
}
END_TEST

static char *
manual_page(void)
{
	const char *src = getenv("EMSG_SRC");
	char *path = xasprintf("%s/man/emsg.yaml.5", src == NULL ? "." : src);
	char *page = xcalloc(1, PAGE_MAX);
	FILE *f = fopen(path, "r");

	ck_assert_msg(f != NULL, "%s", path);
	ck_assert_uint_gt(fread(page, 1, PAGE_MAX - 1, f), 0);
	fclose(f);
	free(path);
	return page;
}

/* The default as Debian's packages have it. */
static const char *
default_in_manual(const struct schema_row *row, char out[VALUE_TEXT_MAX])
{
	static const char *const dirs[][2] = {{"%etc", "/etc/emsg"},
	    {"%state", "/var/lib/emsg"}, {"%spool", "/var/spool/emsg"},
	    {"%run", "/run/emsg"}};

	snprintf(out, VALUE_TEXT_MAX, "%s", row->def == NULL ? "none" : row->def);
	for (size_t i = 0; i < 4; i++) {
		size_t n = strlen(dirs[i][0]);

		if (strncmp(out, dirs[i][0], n) == 0)
			snprintf(out, VALUE_TEXT_MAX, "%s%s", dirs[i][1], row->def + n);
	}
	return out;
}

/* The facts of one key as lines of the manual page. */
static char *
facts(enum conf_key key)
{
	const struct schema_row *row = schema_row(key);
	char def[VALUE_TEXT_MAX], min[VALUE_TEXT_MAX], max[VALUE_TEXT_MAX], *all;
	size_t n;
	FILE *f = open_memstream(&all, &n);

	fprintf(f, ".Pp\nType: %s%s.\n",
	    (row->flags & SCHEMA_LIST) != 0 ? "list of " : "",
	    schema_type_name(row->type));
	if ((row->flags & SCHEMA_REQUIRED) != 0)
		fputs("Required.\n", f);
	else
		fprintf(f, "Default: %s.\n", default_in_manual(row, def));
	if (row->max > 0 && row->type != SCHEMA_BOOL) {
		value_format(row, row->min, min);
		value_format(row, row->max, max);
		fprintf(f, "Range: %s to %s.\n", min, max);
	}
	for (size_t i = 0; row->values != NULL && row->values[i] != NULL; i++)
		fprintf(f, "%s%s%s", i == 0 ? "Values: " : ", ", row->values[i],
		    row->values[i + 1] == NULL ? ".\n" : "");
	fprintf(
	    f, "Reload: %s.\nSince: %s.\n", schema_reload_name(row->reload), row->since);
	fclose(f);
	return all;
}

/* Every key of the schema has an entry with its facts in the manual page. */
START_TEST(schema_in_manual)
{
	char *page = manual_page();

	for (int k = 0; k < CONF_COUNT; k++) {
		const char *path = schema_row((enum conf_key)k)->path;
		char *head = xasprintf("\n.It Cm %s\n", path), *want, *at;
		char *end;

		at = strstr(page, head);
		ck_assert_msg(at != NULL, "%s is not in the manual page", path);
		end = strstr(at, "\nSince: ");
		ck_assert_ptr_nonnull(end);
		want = facts((enum conf_key)k);
		at = strstr(at, "\n.Pp\nType: ");
		ck_assert_msg(
		    at != NULL && at < end && strncmp(at + 1, want, strlen(want)) == 0,
		    "the manual page must say of %s:\n%s", path, want);
		free(want);
		free(head);
	}
	free(page);
}
END_TEST

/* Every key of the manual page is in the schema. */
START_TEST(manual_in_schema)
{
	char *page = manual_page();
	int n = 0;

	for (char *p = page; (p = strstr(p, "\n.It Cm ")) != NULL; n++) {
		char *key;

		p += strlen("\n.It Cm ");
		key = xstrndup(p, strcspn(p, "\n"));
		ck_assert_msg(schema_find(key) != CONF_COUNT, "%s is no key", key);
		free(key);
	}
	ck_assert_int_eq(n, CONF_COUNT);
	free(page);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf_print");
	TCase *t = tcase_create("print");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, NULL, drop);
	tcase_add_test(t, explain_key);
	tcase_add_test(t, explain_sections);
	tcase_add_test(t, defaults);
	tcase_add_test(t, words);
	tcase_add_test(t, schema_in_manual);
	tcase_add_test(t, manual_in_schema);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
