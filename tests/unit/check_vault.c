/* SPDX-License-Identifier: ISC */
/*
 * check_vault.c - the database key: wrapped, unwrapped, refused with another passphrase or
 * after any change; and the local database: what lies in its file, rows, claims, walks.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/text.h"
#include "libemsg/dbase.h"
#include "libemsg/vault.h"

static const struct scrypt_cost cheap = {.n = 16, .r = 8, .p = 1};
static char dir[64], path[96];
static struct dbase *d;

static struct dbase *
reopen(void)
{
	const char *why;
	struct dbase *db = dbase_open(path, true, &why);

	ck_assert_msg(db != NULL, "%s", why);
	return db;
}

static void
setup(void)
{
	struct vault vault;
	struct buf blob;

	snprintf(dir, sizeof(dir), "/tmp/check_vault.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/account.db", dir);
	d = reopen();
	buf_init(&blob, VAULT_BLOB_MAX);
	ck_assert_int_eq(vault_make(NULL, &cheap, &blob, &vault), VAULT_OK);
	ck_assert_int_eq(dbase_blob_put(d, buf_span(&blob)), 0);
	dbase_unlock(d, &vault);
	buf_clear(&blob);
}

static void
teardown(void)
{
	static const char *const files[] = {"", "-wal", "-shm"};
	char name[128];

	dbase_close(d);
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, files[i]);
		unlink(name);
	}
	rmdir(dir);
}

/* --- vault -------------------------------------------------------------------------------- */

START_TEST(passphrase_opens)
{
	struct span right = span_str("correct horse"), wrong = span_str("correct horse ");
	struct vault made, opened;
	enum vault_mode mode;
	struct buf blob;

	buf_init(&blob, VAULT_BLOB_MAX);
	ck_assert_int_eq(vault_make(&right, &cheap, &blob, &made), VAULT_OK);
	ck_assert(vault_mode(buf_span(&blob), &mode) && mode == VAULT_PASSPHRASE);
	ck_assert_int_eq(vault_open(buf_span(&blob), &right, &opened), VAULT_OK);
	ck_assert_mem_eq(made.seal, opened.seal, VAULT_KEY_SIZE);
	ck_assert_mem_eq(made.index, opened.index, VAULT_KEY_SIZE);
	ck_assert_int_eq(opened.mode, VAULT_PASSPHRASE);
	ck_assert_int_eq(vault_open(buf_span(&blob), &wrong, &opened), VAULT_WRONG);
	ck_assert_int_eq(
	    vault_open(buf_span(&blob), NULL, &opened), VAULT_NEEDS_PASSPHRASE);
	buf_clear(&blob);
}
END_TEST

START_TEST(no_passphrase_is_said)
{
	struct vault made, opened;
	enum vault_mode mode;
	struct buf blob;

	buf_init(&blob, VAULT_BLOB_MAX);
	ck_assert_int_eq(vault_make(NULL, &cheap, &blob, &made), VAULT_OK);
	ck_assert(vault_mode(buf_span(&blob), &mode) && mode == VAULT_OPEN);
	ck_assert_int_eq(vault_open(buf_span(&blob), NULL, &opened), VAULT_OK);
	ck_assert_int_eq(opened.mode, VAULT_OPEN);
	ck_assert_mem_eq(made.seal, opened.seal, VAULT_KEY_SIZE);
	buf_clear(&blob);
}
END_TEST

START_TEST(altered_blob_is_refused)
{
	struct span pass = span_str("p");
	struct vault vault;
	struct buf blob;

	buf_init(&blob, VAULT_BLOB_MAX);
	ck_assert_int_eq(vault_make(&pass, &cheap, &blob, &vault), VAULT_OK);
	for (size_t i = 0; i < blob.n; i++) {
		blob.p[i] ^= 1;
		ck_assert_msg(vault_open(buf_span(&blob), &pass, &vault) != VAULT_OK,
		    "byte %zu", i);
		blob.p[i] ^= 1;
	}
	ck_assert_int_eq(
	    vault_open(span_of(blob.p, blob.n - 1), &pass, &vault), VAULT_BROKEN);
	buf_clear(&blob);
}
END_TEST

START_TEST(default_cost)
{
	ck_assert_uint_eq(scrypt_default.n, 1U << 17);
	ck_assert_uint_eq(scrypt_default.r, 8);
	ck_assert_uint_eq(scrypt_default.p, 1);
}
END_TEST

/* --- rows --------------------------------------------------------------------------------- */

static void
put(enum dbase_kind kind, const char *key, const char *group, int64_t state,
    uint64_t order, const char *value)
{
	ck_assert_int_eq(dbase_put(d, kind, span_str(key), span_str(group), state, order,
			     span_str(value)),
	    0);
}

static void
expect(enum dbase_kind kind, const char *key, const char *value)
{
	struct buf out;

	buf_init(&out, 1000);
	ck_assert_int_eq(
	    dbase_get(d, kind, span_str(key), &out, NULL), value == NULL ? 0 : 1);
	if (value != NULL)
		ck_assert(span_eq(buf_span(&out), span_str(value)));
	buf_clear(&out);
}

START_TEST(rows_come_back)
{
	put(DB_CONTACT, "bob", "", 1, 5, "one");
	put(DB_FATE, "bob", "", 1, 5, "other kind");
	expect(DB_CONTACT, "bob", "one");
	put(DB_CONTACT, "bob", "", 2, 6, "two");
	expect(DB_CONTACT, "bob", "two");
	expect(DB_FATE, "bob", "other kind");
	expect(DB_CONTACT, "eve", NULL);
	ck_assert_int_eq(dbase_count(d, DB_CONTACT, 2), 1);
	ck_assert_int_eq(dbase_count(d, DB_CONTACT, 1), 0);
	ck_assert_int_eq(dbase_count(d, DB_CONTACT, -1), 1);
	ck_assert_int_eq(dbase_del(d, DB_CONTACT, span_str("bob")), 0);
	expect(DB_CONTACT, "bob", NULL);
}
END_TEST

struct walk {
	char seen[64];
	int64_t id;
};

static int
on_row(void *arg, const struct dbase_row *row)
{
	struct walk *w = arg;
	size_t n = strlen(w->seen);

	ck_assert_uint_lt(n + row->value.n, sizeof(w->seen));
	memcpy(w->seen + n, row->value.p, row->value.n);
	w->id = row->id;
	return 0;
}

static void
walk(struct dbase_filter filter, const char *expected)
{
	struct walk w = {.seen = ""};

	ck_assert_int_eq(dbase_walk(d, &filter, on_row, &w), 0);
	ck_assert_str_eq(w.seen, expected);
}

START_TEST(walks)
{
	put(DB_MESSAGE, "3", "bob", 1, 30, "c");
	put(DB_MESSAGE, "1", "bob", 1, 10, "a");
	put(DB_MESSAGE, "2", "carol", 2, 20, "b");
	put(DB_JOB, "9", "bob", 1, 5, "x");
	walk((struct dbase_filter){.kind = DB_MESSAGE, .state = -1}, "abc");
	walk((struct dbase_filter){.kind = DB_MESSAGE, .state = 1}, "ac");
	walk((struct dbase_filter){.kind = DB_MESSAGE, .state = -1, .limit = 2}, "bc");
	walk((struct dbase_filter){.kind = DB_MESSAGE, .state = -1, .order_max = 20},
	    "ab");
	walk(
	    (struct dbase_filter){
		.kind = DB_MESSAGE, .state = -1, .group = span_str("bob")},
	    "ac");
	walk(
	    (struct dbase_filter){
		.kind = DB_MESSAGE, .state = -1, .group = span_str("eve")},
	    "");
}
END_TEST

START_TEST(one_claim)
{
	struct dbase_filter all = {.kind = DB_MESSAGE, .state = 1};
	struct walk w = {.seen = ""};

	put(DB_MESSAGE, "1", "bob", 1, 10, "a");
	ck_assert_int_eq(dbase_walk(d, &all, on_row, &w), 0);
	ck_assert_int_eq(dbase_shift(d, w.id, 1, 2), 1);
	ck_assert_int_eq(dbase_shift(d, w.id, 1, 2), 0);
}
END_TEST

START_TEST(rollback_forgets)
{
	ck_assert_int_eq(dbase_begin(d), 0);
	ck_assert_int_eq(dbase_begin(d), 0);
	put(DB_CONTACT, "bob", "", 1, 5, "one");
	ck_assert_int_eq(dbase_commit(d), 0);
	dbase_rollback(d);
	expect(DB_CONTACT, "bob", NULL);
}
END_TEST

START_TEST(numbers_grow)
{
	ck_assert_uint_eq(dbase_next(d, span_str("a"), 0), 1);
	ck_assert_uint_eq(dbase_next(d, span_str("a"), 0), 2);
	ck_assert_uint_eq(dbase_next(d, span_str("a"), 100), 100);
	ck_assert_uint_eq(dbase_next(d, span_str("a"), 5), 101);
	ck_assert_uint_eq(dbase_next(d, span_str("b"), 0), 1);
}
END_TEST

START_TEST(survives_closing)
{
	struct vault vault;
	struct buf blob;

	put(DB_CONTACT, "bob", "", 1, 5, "one");
	dbase_close(d);
	d = reopen();
	buf_init(&blob, VAULT_BLOB_MAX);
	ck_assert_int_eq(dbase_blob_get(d, &blob), 1);
	ck_assert_int_eq(vault_open(buf_span(&blob), NULL, &vault), VAULT_OK);
	dbase_unlock(d, &vault);
	expect(DB_CONTACT, "bob", "one");
	buf_clear(&blob);
}
END_TEST

START_TEST(others_are_noticed)
{
	struct dbase *other = reopen();
	uint64_t before = dbase_version(d);

	put(DB_CONTACT, "bob", "", 1, 5, "mine");
	ck_assert_uint_eq(dbase_version(d), before);
	ck_assert_int_eq(dbase_blob_put(other, span_str("x")), 0);
	ck_assert_uint_ne(dbase_version(d), before);
	dbase_close(other);
}
END_TEST

/* Runs SQL behind the library's back. */
static void
raw(const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

START_TEST(altered_rows_are_refused)
{
	struct buf out;

	buf_init(&out, 1000);
	put(DB_CONTACT, "bob", "", 1, 5, "one");
	put(DB_CONTACT, "eve", "", 2, 5, "two");
	raw("UPDATE rec SET value = (SELECT value FROM rec WHERE state = 2) WHERE state "
	    "= 1");
	ck_assert_int_eq(dbase_get(d, DB_CONTACT, span_str("bob"), &out, NULL), -1);
	ck_assert_ptr_nonnull(strstr(dbase_error(d), "damaged"));
	ck_assert_int_eq(dbase_get(d, DB_CONTACT, span_str("eve"), &out, NULL), 1);
	raw("UPDATE rec SET value = x'00' WHERE state = 2");
	ck_assert_int_eq(dbase_get(d, DB_CONTACT, span_str("eve"), &out, NULL), -1);
	buf_clear(&out);
}
END_TEST

/* --- the file ----------------------------------------------------------------------------- */

/* Looks for bytes in a file and its log. */
static int
in_files(const char *what)
{
	static const char *const files[] = {"", "-wal"};
	int hits = 0;

	for (int i = 0; i < 2; i++) {
		char name[128], *text = NULL;
		size_t size = 0, n = 0;
		FILE *f;

		snprintf(name, sizeof(name), "%s%s", path, files[i]);
		if ((f = fopen(name, "r")) == NULL)
			continue;
		text = malloc(size = 4 << 20);
		n = fread(text, 1, size, f);
		hits += memmem(text, n, what, strlen(what)) != NULL;
		free(text);
		fclose(f);
	}
	return hits;
}

START_TEST(nothing_in_the_clear)
{
	static const char text[] = "MARKER-text-9f3c", key[] = "MARKER-key-77aa",
			  group[] = "MARKER-group-1b2d";
	char sql[128];

	/* The search finds what is there. */
	snprintf(
	    sql, sizeof(sql), "INSERT INTO meta VALUES('planted', '%s')", "PLANTED-4e");
	raw(sql);
	ck_assert_int_gt(in_files("PLANTED-4e"), 0);
	put(DB_MESSAGE, key, group, 1, 5, text);
	put(DB_MESSAGE, key, group, 1, 5, "changed");
	put(DB_MESSAGE, "other", group, 1, 5, text);
	ck_assert_int_eq(dbase_del(d, DB_MESSAGE, span_str("other")), 0);
	ck_assert_int_eq(in_files(text), 0);
	ck_assert_int_eq(in_files(key), 0);
	ck_assert_int_eq(in_files(group), 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("vault");
	TCase *tc = tcase_create("vault");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, passphrase_opens);
	tcase_add_test(tc, no_passphrase_is_said);
	tcase_add_test(tc, altered_blob_is_refused);
	tcase_add_test(tc, default_cost);
	tcase_add_test(tc, rows_come_back);
	tcase_add_test(tc, walks);
	tcase_add_test(tc, one_claim);
	tcase_add_test(tc, rollback_forgets);
	tcase_add_test(tc, numbers_grow);
	tcase_add_test(tc, survives_closing);
	tcase_add_test(tc, others_are_noticed);
	tcase_add_test(tc, altered_rows_are_refused);
	tcase_add_test(tc, nothing_in_the_clear);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
