/* SPDX-License-Identifier: ISC */
/*
 * check_store_rows.c - cursors of devices, one-time tokens, the state object, device lists,
 * documents of peers, what waits on their links, and the database below them when it is full
 * or a row is bad.
 */
#include "config.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/body.h"
#include "store/bounds.h"
#include "store/order.h"
#include "store/peerdoc.h"
#include "store/state.h"
#include "store/token.h"
#include "tests/unit/storekit.h"

static struct kit_user bob;
static const uint8_t second[16] = "the second one.";

static void
setup(void)
{
	kit_open(64 << 20);
	kit_join(&bob, "bob#im.alpha.test");
	kit_commit();
}

static void
teardown(void)
{
	kit_user_clear(&bob);
	kit_close();
}

static struct span
name(void)
{
	return span_str(bob.address);
}

static struct acct
row(void)
{
	struct acct a;

	ck_assert_int_eq(acct_get(kit_db, name(), &a), SDB_OK);
	return a;
}

/* --- mailbox and cursors -------------------------------------------------------------------- */

static void
fill(size_t n)
{
	struct mail m = {.kind = ITEM_OBJECT,
	    .time = KIT_NOW,
	    .outer = span_str("outer"),
	    .body = span_str("body")};

	for (size_t i = 0; i < n; i++) {
		m.expires = KIT_NOW + 1000 + i;
		ck_assert_int_eq(mailbox_append(kit_db, name(), &m, NULL), SDB_OK);
	}
	kit_commit();
}

static void
add_device(uint64_t birth)
{
	struct device d = {.birth = birth, .cursor = birth};

	memcpy(d.id, second, sizeof(d.id));
	ck_assert_int_eq(device_put(kit_db, name(), &d), SDB_OK);
}

START_TEST(cursors)
{
	struct device d;
	struct mail m;
	uint64_t at = 0;

	fill(3);
	add_device(row().head);
	fill(2);
	ck_assert_uint_eq(row().head, 5);
	ck_assert_int_eq(mailbox_done(kit_db, name(), second, 5), SDB_OK);
	ck_assert_uint_eq(row().items, 5);
	ck_assert_int_eq(mailbox_done(kit_db, name(), bob.id, 2), SDB_OK);
	ck_assert_uint_eq(row().items, 3);
	ck_assert_int_eq(mailbox_done(kit_db, name(), bob.id, 1), SDB_OK);
	ck_assert_int_eq(device_get(kit_db, name(), bob.id, &d), SDB_OK);
	ck_assert_uint_eq(d.cursor, 2);
	ck_assert_int_eq(mailbox_next(kit_db, name(), &at, &m), SDB_OK);
	ck_assert_uint_eq(at, 3);
	ck_assert_int_eq(mailbox_done(kit_db, name(), bob.id, 1000), SDB_OK);
	ck_assert_int_eq(device_get(kit_db, name(), bob.id, &d), SDB_OK);
	ck_assert_uint_eq(d.cursor, 5);
	ck_assert_uint_eq(row().items, 0);
	ck_assert_uint_eq(row().bytes, 0);
	ck_assert_int_eq(mailbox_next(kit_db, name(), &at, &m), SDB_NONE);
	ck_assert_int_eq(mailbox_body(kit_db, name(), 4, &m), SDB_NONE);
	kit_commit();
	fill(1);
	ck_assert_uint_eq(row().head, 6);
}
END_TEST

START_TEST(expiry)
{
	struct mail m;
	uint64_t at = 0;

	fill(4);
	ck_assert_uint_eq(mailbox_expire(kit_db, KIT_NOW + 999, 10), 0);
	ck_assert_uint_eq(mailbox_expire(kit_db, KIT_NOW + 1001, 10), 2);
	ck_assert_uint_eq(row().items, 2);
	ck_assert_int_eq(mailbox_next(kit_db, name(), &at, &m), SDB_OK);
	ck_assert_uint_eq(at, 3);
	ck_assert_uint_eq(mailbox_expire(kit_db, KIT_NOW + 9999, 1), 1);
	ck_assert_uint_eq(mailbox_expire(kit_db, KIT_NOW + 9999, 10), 1);
	ck_assert_uint_eq(row().bytes, 0);
	kit_commit();
}
END_TEST

/* An account whose row cannot be read does not keep what is due in other mailboxes. */
START_TEST(expiry_with_bad_account)
{
	struct span value = span_str("no row of an account");
	struct acct a;
	struct skey k;

	fill(2);
	skey_local(&k, name());
	ck_assert_int_eq(sdb_put(kit_db, SDB_ACCOUNT, skey_span(&k), &value, 1), SDB_OK);
	ck_assert_int_eq(acct_get(kit_db, name(), &a), SDB_FAULT);
	kit_commit();
	ck_assert_uint_eq(mailbox_expire(kit_db, KIT_NOW + 9999, 10), 2);
	ck_assert_uint_eq(mailbox_expire(kit_db, KIT_NOW + 9999, 10), 0);
	kit_commit();
}
END_TEST

START_TEST(for_whom)
{
	struct p_stanza s = {.has = 0};
	struct mail m = {.kind = ITEM_MESSAGE};
	struct obj_list mine;
	struct buf all, out;

	buf_init(&all, 1024);
	buf_init(&out, 1024);
	memcpy(s.device, second, sizeof(s.device));
	ck_assert_int_eq(obj_encode(&p_stanza_def, &s, &all), WIRE_OK);
	m.stanzas = (struct obj_list){.raw = buf_span(&all), .count = 1};
	ck_assert(!mailbox_for(&m, bob.id, &out, &mine));
	ck_assert(mailbox_for(&m, second, &out, &mine));
	ck_assert_uint_eq(mine.count, 1);
	m = (struct mail){.kind = ITEM_FATES};
	memcpy(m.device, bob.id, sizeof(m.device));
	ck_assert(mailbox_for(&m, bob.id, &out, &mine));
	ck_assert(!mailbox_for(&m, second, &out, &mine));
	buf_clear(&all);
	buf_clear(&out);
}
END_TEST

/* --- tokens and state ----------------------------------------------------------------------- */

START_TEST(token_once)
{
	struct span carol = span_str("carol#im.alpha.test");
	uint8_t open[16], bound[16];

	ck_assert_int_eq(
	    token_invite(kit_db, span_of(NULL, 0), KIT_NOW + 10, open), SDB_OK);
	ck_assert_int_eq(token_invite(kit_db, carol, KIT_NOW + 10, bound), SDB_OK);
	kit_commit();
	ck_assert_uint_eq(token_redeem(kit_db, bound, name(), KIT_NOW), CODE_BAD_TOKEN);
	ck_assert_uint_eq(token_redeem(kit_db, bound, carol, KIT_NOW), CODE_DONE);
	ck_assert_uint_eq(token_redeem(kit_db, bound, carol, KIT_NOW), CODE_BAD_TOKEN);
	ck_assert_uint_eq(
	    token_redeem(kit_db, open, name(), KIT_NOW + 10), CODE_BAD_TOKEN);
	ck_assert_uint_eq(token_redeem(kit_db, open, name(), KIT_NOW), CODE_DONE);
	ck_assert_uint_eq(token_redeem(kit_db, open, name(), KIT_NOW), CODE_BAD_TOKEN);
	ck_assert_uint_eq(token_redeem(kit_db, second, name(), KIT_NOW), CODE_BAD_TOKEN);
}
END_TEST

START_TEST(token_swept)
{
	uint8_t token[16], hash[SHA_SIZE];
	struct skey at;
	struct token t;

	ck_assert_int_eq(token_invite(kit_db, name(), KIT_NOW, token), SDB_OK);
	ck_assert_int_eq(sha_of(span_of(token, 16), hash), 0);
	skey_init(&at);
	token_sweep(kit_db, KIT_NOW - 1, 10, &at);
	ck_assert_int_eq(token_get(kit_db, hash, KIT_NOW - 1, &t), SDB_OK);
	token_sweep(kit_db, KIT_NOW, 10, &at);
	ck_assert_int_eq(token_get(kit_db, hash, 0, &t), SDB_NONE);
}
END_TEST

/* The ninth slot of an account takes the place of the first. */
START_TEST(slots)
{
	uint8_t hash[STORE_ENROL_SLOTS + 1][SHA_SIZE];
	struct token t;

	for (size_t i = 0; i <= STORE_ENROL_SLOTS; i++) {
		memset(hash[i], (int)i + 1, SHA_SIZE);
		ck_assert_int_eq(
		    token_slot(kit_db, hash[i], name(), KIT_NOW + 1, KIT_NOW), SDB_OK);
	}
	ck_assert_int_eq(
	    token_slot(kit_db, hash[3], name(), KIT_NOW + 1, KIT_NOW), SDB_NONE);
	ck_assert_int_eq(token_get(kit_db, hash[0], KIT_NOW, &t), SDB_NONE);
	for (size_t i = 1; i <= STORE_ENROL_SLOTS; i++)
		ck_assert_int_eq(token_get(kit_db, hash[i], KIT_NOW, &t), SDB_OK);
	ck_assert_int_eq(token_close(kit_db, name()), SDB_OK);
	ck_assert_int_eq(token_get(kit_db, hash[5], KIT_NOW, &t), SDB_NONE);
}
END_TEST

static unsigned
put_state(uint64_t version, const char *blob, struct c_state *out, struct buf *b)
{
	struct c_state_put put = {.version = version, .blob = span_str(blob)};
	unsigned code;

	buf_reset(b);
	code = state_put(kit_db, name(), &put, b);
	ck_assert_int_eq(obj_decode(&c_state_def, buf_span(b), out), WIRE_OK);
	return code;
}

START_TEST(state_swap)
{
	struct c_state s;
	struct buf b;

	buf_init(&b, 65536);
	ck_assert_uint_eq(state_get(kit_db, name(), &b), CODE_DONE);
	ck_assert_uint_eq(put_state(0, "one", &s, &b), CODE_DONE);
	ck_assert_uint_eq(s.version, 1);
	ck_assert_uint_eq(put_state(0, "lost", &s, &b), CODE_CONFLICT);
	ck_assert_uint_eq(s.version, 1);
	ck_assert(span_eq(s.blob, span_str("one")));
	ck_assert_uint_eq(put_state(1, "two", &s, &b), CODE_DONE);
	ck_assert_uint_eq(put_state(3, "far", &s, &b), CODE_CONFLICT);
	ck_assert_uint_eq(s.version, 2);
	buf_clear(&b);
}
END_TEST

/* --- device lists --------------------------------------------------------------------------- */

/* Publishes a list with these devices; returns the code. */
static unsigned
publish(uint64_t generation, uint64_t seq, const uint8_t *prev, const uint8_t *expect,
    const struct kit_key *devices, size_t n, struct devlist_change *ch)
{
	struct devlist now;
	unsigned code;
	struct buf b;

	ck_assert_int_eq(devlist_get(kit_db, name(), &now), SDB_OK);
	buf_init(&b, 16384);
	kit_devlist(&b, bob.address, &bob.list, generation, seq,
	    prev != NULL ? prev : now.trust.head, devices, n);
	*ch = (struct devlist_change){.address = name(),
	    .caller = bob.id,
	    .expect = expect != NULL ? expect : now.trust.head,
	    .devlist = buf_span(&b),
	    .now = KIT_NOW};
	code = devlist_change(kit_db, ch);
	buf_clear(&b);
	kit_commit();
	return code;
}

START_TEST(lists)
{
	struct devlist_change ch;
	struct kit_key devices[2];
	uint8_t wrong[32] = {1}, id[16];
	struct device d;

	devices[0] = bob.device;
	kit_key(&devices[1]);
	ck_assert_int_eq(trust_device_id(devices[1].pub, id), 0);
	ck_assert_uint_eq(publish(1, 2, NULL, wrong, devices, 2, &ch), CODE_CONFLICT);
	ck_assert_uint_eq(publish(1, 2, wrong, NULL, devices, 2, &ch), CODE_CONFLICT);
	ck_assert_uint_eq(publish(1, 3, NULL, NULL, devices, 2, &ch), CODE_CONFLICT);
	ck_assert_uint_eq(
	    publish(1, 2, NULL, NULL, devices + 1, 1, &ch), CODE_NOT_AUTHORISED);
	fill(2);
	ck_assert_uint_eq(publish(1, 2, NULL, NULL, devices, 2, &ch), CODE_DONE);
	ck_assert_int_eq(device_get(kit_db, name(), id, &d), SDB_OK);
	ck_assert_uint_eq(d.cursor, 2);
	ck_assert_uint_eq(publish(1, 3, NULL, NULL, devices, 1, &ch), CODE_DONE);
	ck_assert_uint_eq(ch.ngone, 1);
	ck_assert_mem_eq(ch.gone[0], id, sizeof(id));
	ck_assert_int_eq(device_get(kit_db, name(), id, &d), SDB_NONE);
}
END_TEST

/* --- documents of peers --------------------------------------------------------------------- */

static void
document(struct peerdoc *d, struct trust_domain *td, const struct kit_key *root,
    uint64_t seq, const uint8_t *next)
{
	struct s_domain doc = {.seq = seq,
	    .issued = KIT_NOW,
	    .expires = KIT_NOW + DAY_MS,
	    .version_min = 1,
	    .version_max = 1};
	struct kit_key sign;
	struct buf b;

	kit_key(&sign);
	if (next != NULL) {
		memcpy(doc.next_root_hash, next, sizeof(doc.next_root_hash));
		obj_set(&s_domain_def, &doc, 6);
	}
	buf_init(&b, 16384);
	kit_domain(&b, &doc, "im.beta.test", root, &sign, KIT_NOW - 1, KIT_NOW + DAY_MS);
	ck_assert(peerdoc_set(d, buf_span(&b)));
	buf_clear(&b);
	ck_assert_uint_eq(
	    trust_domain(d->document, span_str("im.beta.test"), KIT_NOW, td), CODE_DONE);
	memcpy(d->pin, td->pin, sizeof(d->pin));
	d->fetched = KIT_NOW;
}

START_TEST(documents)
{
	static struct peerdoc old, new;
	struct trust_domain a, b;
	struct kit_key root, next;
	char text[PEERDOC_TEXT];

	kit_key(&root);
	kit_key(&next);
	document(&old, &a, &root, 5, NULL);
	ck_assert_uint_eq(peerdoc_judge(NULL, NULL, true, &a, KIT_NOW, text), CODE_DONE);
	ck_assert_uint_eq(
	    peerdoc_judge(NULL, NULL, false, &a, KIT_NOW, text), CODE_BAD_DOCUMENT);
	ck_assert_uint_eq(
	    peerdoc_judge(NULL, a.pin, false, &a, KIT_NOW, text), CODE_DONE);
	ck_assert_uint_eq(peerdoc_judge(&old, NULL, false, &a, KIT_NOW, text), CODE_DONE);
	document(&new, &b, &root, 4, NULL);
	ck_assert_uint_eq(
	    peerdoc_judge(&old, NULL, true, &b, KIT_NOW, text), CODE_BAD_DOCUMENT);
	document(&new, &b, &root, 5, NULL);
	ck_assert_uint_eq(
	    peerdoc_judge(&old, NULL, true, &b, KIT_NOW, text), CODE_BAD_DOCUMENT);
	document(&new, &b, &root, 6, NULL);
	ck_assert_uint_eq(peerdoc_judge(&old, NULL, false, &b, KIT_NOW, text), CODE_DONE);
	document(&new, &b, &next, 6, NULL);
	ck_assert_uint_eq(
	    peerdoc_judge(&old, NULL, true, &b, KIT_NOW, text), CODE_ROOT_CHANGED);
	ck_assert_ptr_nonnull(strstr(text, "the root key of im.beta.test is "));
	ck_assert_ptr_nonnull(strstr(text, ", pinned is "));
	ck_assert_uint_eq(
	    peerdoc_judge(&old, a.pin, true, &b, KIT_NOW, text), CODE_ROOT_CHANGED);
	ck_assert_uint_eq(
	    peerdoc_judge(&old, b.pin, false, &b, KIT_NOW, text), CODE_DONE);
	document(&old, &a, &root, 5, b.pin);
	ck_assert_uint_eq(peerdoc_judge(&old, NULL, false, &b, KIT_NOW, text), CODE_DONE);
}
END_TEST

/* --- the order on a link --------------------------------------------------------------------- */

/* What waits waits by fifo and recipient; a restart begins the whole fifo again. */
START_TEST(order)
{
	struct span bob_ = span_str("bob#im.alpha.test"),
		    eve = span_str("eve#im.alpha.test");
	struct handle h = {.kind = HANDLE_PEER};

	order_note(&h, 1, bob_);
	order_note(&h, 1, eve);
	order_note(&h, 2, eve);
	ck_assert(order_waits(&h, 1, bob_, false));
	ck_assert(order_waits(&h, 1, eve, false));
	ck_assert(!order_waits(&h, 2, bob_, false));
	ck_assert(!order_waits(&h, 1, bob_, true));
	ck_assert(!order_waits(&h, 1, bob_, false));
	ck_assert(!order_waits(&h, 1, eve, false));
	ck_assert(order_waits(&h, 2, eve, false));
	/* Beyond the bound all wait until something begins again. */
	for (uint64_t i = 0; i < STORE_ORDER_PAIRS; i++)
		order_note(&h, 100 + i, eve);
	ck_assert(order_waits(&h, 50, bob_, false));
	ck_assert(!order_waits(&h, 50, bob_, true));
	map_free(h.order);
}
END_TEST

/* --- the database --------------------------------------------------------------------------- */

/* A turn that does not fit is refused as a whole, and the next one works. */
START_TEST(full)
{
	struct span key = span_str("k"), value;
	uint8_t *big = xcalloc(1, 200000);
	struct skey k;
	int i;

	for (i = 0; i < 1000; i++) {
		skey_init(&k);
		skey_u64(&k, (uint64_t)i);
		value = span_of(big, 200000);
		if (sdb_put(kit_db, SDB_STATE, skey_span(&k), &value, 1) != SDB_OK)
			break;
	}
	free(big);
	ck_assert_int_lt(i, 1000);
	ck_assert(sdb_failed(kit_db));
	ck_assert_int_eq(sdb_get(kit_db, SDB_STATE, key, &value), SDB_FAULT);
	ck_assert_int_eq(sdb_commit(kit_db), SDB_FAULT);
	skey_init(&k);
	skey_u64(&k, 0);
	ck_assert_int_eq(sdb_get(kit_db, SDB_STATE, skey_span(&k), &value), SDB_NONE);
	value = span_str("small");
	ck_assert_int_eq(sdb_put(kit_db, SDB_STATE, key, &value, 1), SDB_OK);
	kit_commit();
	ck_assert_int_eq(sdb_get(kit_db, SDB_STATE, key, &value), SDB_OK);
}
END_TEST

/* Before the database is full it is low; then there is room to remove, and what was removed
 * is room for new rows. */
START_TEST(low)
{
	uint8_t *big = xcalloc(1, 20000);
	struct span value = span_of(big, 20000);
	struct skey k;
	uint64_t n;

	for (n = 0; n < 10000 && !sdb_low(kit_db); n++) {
		skey_init(&k);
		skey_u64(&k, n);
		ck_assert_int_eq(
		    sdb_put(kit_db, SDB_STATE, skey_span(&k), &value, 1), SDB_OK);
		if (n % 100 != 99)
			continue;
		kit_commit();
		sdb_measure(kit_db);
	}
	free(big);
	ck_assert_uint_lt(n, 10000);
	ck_assert_uint_eq(sdb_rows(kit_db, SDB_STATE), n);
	sdb_abort(kit_db);
	for (uint64_t i = 0; i < n; i++) {
		skey_init(&k);
		skey_u64(&k, i);
		ck_assert_int_eq(sdb_del(kit_db, SDB_STATE, skey_span(&k)), SDB_OK);
		if (i % 100 == 0)
			kit_commit();
	}
	kit_commit();
	sdb_measure(kit_db);
	ck_assert(!sdb_low(kit_db));
}
END_TEST

/* Overwrites the one place in the file that has these bytes. */
static void
spoil(const char *needle)
{
	size_t n = strlen(needle);
	unsigned char *all;
	char path[128];
	int fd, hits = 0;
	off_t size;

	snprintf(path, sizeof(path), "%s/data.mdb", kit_dir());
	fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	size = lseek(fd, 0, SEEK_END);
	all = xmalloc((size_t)size);
	ck_assert_int_eq(pread(fd, all, (size_t)size, 0), size);
	for (off_t i = 0; i + (off_t)n <= size; i++)
		if (memcmp(all + i, needle, n) == 0) {
			ck_assert_int_eq(pwrite(fd, "X", 1, i), 1);
			hits++;
		}
	ck_assert_int_gt(hits, 0);
	free(all);
	close(fd);
}

/* A bad row is a fault when asked for, passed over and set aside when walked over. */
START_TEST(bad_row)
{
	struct span key = span_str("b"), value;
	struct sdb_walk w;
	struct skey none;
	size_t n = 0;

	for (const char *c = "abc"; *c != '\0'; c++) {
		value = span_str(*c == 'b' ? "needle-in-the-file" : "fine");
		ck_assert_int_eq(
		    sdb_put(kit_db, SDB_STATE, span_of(c, 1), &value, 1), SDB_OK);
	}
	kit_commit();
	spoil("needle-in-the-file");
	kit_reopen();
	ck_assert_int_eq(sdb_get(kit_db, SDB_STATE, span_str("b"), &value), SDB_FAULT);
	ck_assert(!sdb_failed(kit_db));
	skey_init(&none);
	sdb_walk_init(&w, kit_db, SDB_STATE, &none);
	while (sdb_walk_next(&w, &key, &value))
		n++;
	ck_assert_uint_eq(n, 2);
	kit_commit();
	ck_assert_int_eq(sdb_get(kit_db, SDB_STATE, span_str("b"), &value), SDB_NONE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("store_rows");
	TCase *t = tcase_create("rows");
	SRunner *r;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, cursors);
	tcase_add_test(t, expiry);
	tcase_add_test(t, expiry_with_bad_account);
	tcase_add_test(t, for_whom);
	tcase_add_test(t, token_once);
	tcase_add_test(t, token_swept);
	tcase_add_test(t, slots);
	tcase_add_test(t, state_swap);
	tcase_add_test(t, lists);
	tcase_add_test(t, documents);
	tcase_add_test(t, order);
	tcase_add_test(t, full);
	tcase_add_test(t, low);
	tcase_add_test(t, bad_row);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
