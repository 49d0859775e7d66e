/* SPDX-License-Identifier: ISC */
/*
 * check_conf_share.c - schema, values, and the way of a configuration to the processes.
 */
#include <check.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/share.h"

static void
set(struct conf *c, enum conf_key key, const char *text)
{
	char error[VALUE_ERROR_MAX];

	ck_assert_msg(value_parse(schema_row(key), text, &c->v[key], error), "%s", error);
}

/* Two peers, the second with everything. */
static void
set_peers(struct conf *c)
{
	static const struct {
		size_t entry;
		enum conf_key key;
		const char *text;
	} all[] = {
	    {0, CONF_PEERS_DOMAIN, "im.beta.test"},
	    {0, CONF_PEERS_ALLOW_PRIVATE, "false"},
	    {1, CONF_PEERS_DOMAIN, "im.gamma.test"},
	    {1, CONF_PEERS_HOST, "127.0.0.1"},
	    {1, CONF_PEERS_PORT, "8443"},
	    {1, CONF_PEERS_CA_FILE, "/etc/ca.pem"},
	    {1, CONF_PEERS_ALLOW_PRIVATE, "true"},
	};
	size_t width = schema_entry_rows(CONF_PEERS);
	struct value *v = &c->v[CONF_PEERS];
	char error[VALUE_ERROR_MAX];

	v->n = 2;
	v->entries = xcalloc(2 * width, sizeof(*v->entries));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		ck_assert(value_parse(schema_row(all[i].key), all[i].text,
		    &v->entries[all[i].entry * width + all[i].key - CONF_PEERS - 1],
		    error));
}

static struct conf *
sample(void)
{
	struct conf *c = conf_new_defaults("/srv/emsg");

	set(c, CONF_VERSION, "1");
	set(c, CONF_DOMAIN, "im.alpha.test");
	set_peers(c);
	c->generation = 7;
	return c;
}

/* Every row is there, stands at its number, and is complete. */
START_TEST(schema_complete)
{
	for (int k = 0; k < CONF_COUNT; k++) {
		const struct schema_row *row = schema_row((enum conf_key)k);
		bool entry;

		ck_assert_msg(row->path != NULL, "row %d is missing", k);
		entry = (row->flags & SCHEMA_ENTRY) != 0;
		ck_assert_int_eq(schema_find(row->path), k);
		ck_assert_int_eq(strstr(row->path, "[].") != NULL, entry);
		ck_assert_ptr_nonnull(row->since);
		ck_assert_msg(strlen(row->help) > 10, "%s", row->path);
		ck_assert_msg(entry ? row->roles == 0 : row->roles != 0, "%s", row->path);
		ck_assert_int_eq(row->values != NULL, row->type == SCHEMA_ENUM);
		ck_assert_uint_lt(strlen(row->path), 60);
		if (row->type == SCHEMA_INT || row->type == SCHEMA_SIZE ||
		    row->type == SCHEMA_DURATION || row->type == SCHEMA_PORT)
			ck_assert_msg(row->max > 0, "%s", row->path);
	}
	ck_assert_int_eq(schema_find("queue.life"), CONF_COUNT);
	ck_assert_int_eq(schema_find("queue.lifetime2"), CONF_COUNT);
	ck_assert_int_eq(schema_find("peers.port"), CONF_PEERS_PORT);
	ck_assert(schema_is_section("tls") && !schema_is_section("tl"));
}
END_TEST

/* The words of each enum stand where the accessors' enums say. */
START_TEST(schema_words)
{
	struct conf *c = sample();

	set(c, CONF_SANDBOX, "try");
	ck_assert_uint_eq(conf_u64(c, CONF_SANDBOX), CONF_SANDBOX_TRY);
	set(c, CONF_REGISTRATION_POLICY, "invite");
	ck_assert_uint_eq(
	    conf_u64(c, CONF_REGISTRATION_POLICY), CONF_REGISTRATION_INVITE);
	set(c, CONF_REGISTRATION_POLICY, "open");
	ck_assert_uint_eq(conf_u64(c, CONF_REGISTRATION_POLICY), CONF_REGISTRATION_OPEN);
	set(c, CONF_CONSENT_POLICY_DEFAULT, "ticket");
	ck_assert_uint_eq(conf_u64(c, CONF_CONSENT_POLICY_DEFAULT), CONF_CONSENT_TICKET);
	set(c, CONF_CONSENT_POLICY_DEFAULT, "nobody");
	ck_assert_uint_eq(conf_u64(c, CONF_CONSENT_POLICY_DEFAULT), CONF_CONSENT_NOBODY);
	set(c, CONF_LOG_ADDRESSES, "domain");
	ck_assert_uint_eq(conf_u64(c, CONF_LOG_ADDRESSES), CONF_LOG_ADDRESSES_DOMAIN);
	ck_assert_str_eq(conf_word(c, CONF_LOG_ADDRESSES), "domain");
	conf_free(c);
}
END_TEST

START_TEST(values_format)
{
	static const struct {
		enum conf_key key;
		const char *in, *out;
	} cases[] = {
	    {CONF_QUEUE_LIFETIME, "48h", "2d"},
	    {CONF_QUEUE_RETRY_MIN, "1500ms", "1500ms"},
	    {CONF_QUEUE_RETRY_MIN, "60s", "1m"},
	    {CONF_LIMITS_ITEM_SIZE, "65536", "64KiB"},
	    {CONF_LIMITS_ITEM_SIZE, "65537", "65537"},
	    {CONF_STORE_MAP_SIZE, "1024GiB", "1TiB"},
	    {CONF_SANDBOX, "try", "try"},
	    {CONF_DIALER_PORT, "443", "443"},
	    {CONF_PEERS_ALLOW_PRIVATE, "true", "true"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct schema_row *row = schema_row(cases[i].key);
		char error[VALUE_ERROR_MAX], text[VALUE_TEXT_MAX];
		struct value v = {0};

		ck_assert_msg(value_parse(row, cases[i].in, &v, error), "%s", error);
		value_format(row, v.num, text);
		ck_assert_str_eq(text, cases[i].out);
	}
}
END_TEST

START_TEST(addresses)
{
	const uint8_t inside[4] = {10, 63, 255, 1}, outside[4] = {10, 64, 0, 0};
	uint8_t ula[16] = {0xfd, 0x12};
	struct sockaddr_storage ss;
	struct prefix p;
	socklen_t len;

	ck_assert(value_sockaddr("[::1]:8443", &ss, &len));
	ck_assert_int_eq(ss.ss_family, AF_INET6);
	ck_assert_uint_eq(len, sizeof(struct sockaddr_in6));
	ck_assert_uint_eq(((struct sockaddr_in6 *)(void *)&ss)->sin6_port, htons(8443));
	ck_assert(value_sockaddr("127.0.0.1:1", &ss, &len));
	ck_assert_int_eq(ss.ss_family, AF_INET);
	ck_assert(!value_sockaddr("::1:443", &ss, &len));
	ck_assert(!value_sockaddr("[127.0.0.1]:443", &ss, &len));
	ck_assert(!value_sockaddr("[]:443", &ss, &len));
	ck_assert(!value_sockaddr("[:443", &ss, &len));
	ck_assert(!value_sockaddr(":443", &ss, &len));
	ck_assert(!value_sockaddr("127.0.0.1:", &ss, &len));

	ck_assert(value_prefix("10.0.0.0/10", &p));
	ck_assert(value_prefix_has(&p, AF_INET, inside));
	ck_assert(!value_prefix_has(&p, AF_INET, outside));
	ck_assert(!value_prefix_has(&p, AF_INET6, ula));
	ck_assert(value_prefix("fd00::/8", &p));
	ck_assert(value_prefix_has(&p, AF_INET6, ula));
	ula[0] = 0xfc;
	ck_assert(!value_prefix_has(&p, AF_INET6, ula));
	ck_assert(value_prefix("0.0.0.0/0", &p));
	ck_assert(value_prefix_has(&p, AF_INET, outside));
	ck_assert(value_prefix("10.64.0.0", &p));
	ck_assert(value_prefix_has(&p, AF_INET, outside));
	ck_assert(!value_prefix_has(&p, AF_INET, inside));
	ck_assert(!value_prefix("10.0.0.0/", &p));
	ck_assert(!value_prefix("10.0.0.0/08", &p));
}
END_TEST

static void
expect_equal(const struct conf *a, const struct conf *b, enum role role)
{
	struct conf_change changes[CONF_COUNT];
	size_t n = conf_diff(a, b, changes);

	for (size_t i = 0; i < n; i++)
		ck_assert_msg((schema_row(changes[i].key)->roles & ROLE_BIT(role)) == 0,
		    "%s differs for %s", schema_row(changes[i].key)->path,
		    role_name(role));
}

START_TEST(share_round_trip)
{
	enum role role = (enum role)_i;
	struct conf *c = sample(), *got;
	struct span bytes;
	struct buf b;

	buf_init(&b, CONF_SHARE_MAX);
	conf_share_put(&b, c, role);
	ck_assert(!buf_failed(&b));
	bytes = buf_span(&b);
	got = conf_share_get(bytes, role);
	ck_assert(got != NULL);
	ck_assert_uint_eq(got->generation, 7);
	ck_assert_str_eq(conf_str(got, CONF_DOMAIN), "im.alpha.test");
	expect_equal(c, got, role);
	conf_free(got);

	for (size_t n = 0; n < bytes.n; n++) {
		uint8_t *part = xmemdup(bytes.p, n + 1);

		ck_assert(conf_share_get(span_of(part, n), role) == NULL);
		free(part);
	}
	buf_put_u8(&b, 0);
	ck_assert(conf_share_get(buf_span(&b), role) == NULL);
	for (int other = ROLE_STORE; other < ROLE_COUNT; other++)
		if (other != (int)role)
			ck_assert(conf_share_get(bytes, (enum role)other) == NULL);
	buf_clear(&b);
	conf_free(c);
}
END_TEST

/* Whatever a single byte is changed to, decoding ends, with a valid conf or none. */
START_TEST(share_changed_bytes)
{
	struct conf *c = sample(), *got;
	size_t refused = 0;
	struct buf b;

	buf_init(&b, CONF_SHARE_MAX);
	conf_share_put(&b, c, ROLE_RELAY);
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 0xff;
		got = conf_share_get(buf_span(&b), ROLE_RELAY);
		refused += got == NULL;
		conf_free(got);
		b.p[i] ^= 0xff;
	}
	ck_assert_uint_gt(refused, b.n / 2);
	buf_clear(&b);
	conf_free(c);
}
END_TEST

START_TEST(peers)
{
	struct conf *c = sample();
	struct conf_peer p;

	ck_assert_uint_eq(conf_peer_count(c), 2);
	ck_assert(conf_peer_find(c, "im.beta.test", &p));
	ck_assert(p.host == NULL && p.port == 0 && !p.allow_private && p.pin == NULL);
	ck_assert(conf_peer_find(c, "im.gamma.test", &p));
	ck_assert_str_eq(p.host, "127.0.0.1");
	ck_assert_str_eq(p.ca_file, "/etc/ca.pem");
	ck_assert_uint_eq(p.port, 8443);
	ck_assert(p.allow_private);
	ck_assert(!conf_peer_find(c, "im.delta.test", &p));
	conf_free(c);
}
END_TEST

START_TEST(differences)
{
	struct conf_change changes[CONF_COUNT];
	struct conf *a = sample(), *b = sample();

	ck_assert_uint_eq(conf_diff(a, b, changes), 0);
	set(b, CONF_STORE_DIRECTORY, "/elsewhere");
	set(b, CONF_LOG_LEVEL, "debug");
	b->v[CONF_PEERS].entries[0].text[0] = 'x';
	free(b->v[CONF_LISTEN].list[0]);
	b->v[CONF_LISTEN].list[0] = xstrdup("127.0.0.1:443");
	ck_assert_uint_eq(conf_diff(a, b, changes), 4);
	ck_assert_int_eq(changes[0].key, CONF_LISTEN);
	ck_assert_int_eq(changes[0].reload, RELOAD_LISTENER);
	ck_assert_int_eq(changes[1].key, CONF_STORE_DIRECTORY);
	ck_assert_int_eq(changes[1].reload, RELOAD_RESTART);
	ck_assert_int_eq(changes[2].key, CONF_PEERS);
	ck_assert_int_eq(changes[3].key, CONF_LOG_LEVEL);
	ck_assert_int_eq(changes[3].reload, RELOAD_LIVE);
	conf_free(a);
	conf_free(b);
}
END_TEST

/* Asking for what the process does not receive ends it. */
START_TEST(foreign_key)
{
	struct conf *c = conf_new(ROLE_LISTENER);

	conf_str(c, CONF_TLS_KEY);
}
END_TEST

/* So does asking for another type. */
START_TEST(foreign_type)
{
	struct conf *c = sample();

	conf_str(c, CONF_DIALER_PORT);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("conf_share");
	TCase *t = tcase_create("share");
	SRunner *sr;
	int failed;

	tcase_add_test(t, schema_complete);
	tcase_add_test(t, schema_words);
	tcase_add_test(t, values_format);
	tcase_add_test(t, addresses);
	tcase_add_loop_test(t, share_round_trip, ROLE_STORE, ROLE_COUNT);
	tcase_add_test(t, share_changed_bytes);
	tcase_add_test(t, peers);
	tcase_add_test(t, differences);
	tcase_add_test_raise_signal(t, foreign_key, SIGABRT);
	tcase_add_test_raise_signal(t, foreign_type, SIGABRT);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
