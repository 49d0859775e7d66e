/* SPDX-License-Identifier: ISC */
/*
 * check_addrset.c - socket addresses: text both ways, prefixes, and what may be dialled.
 */
#include <stdlib.h>
#include <check.h>

#include "net/addrset.h"

static struct net_addr
addr(const char *text)
{
	struct net_addr a;

	ck_assert_msg(net_addr_parse(text, 443, &a), "%s", text);
	return a;
}

static const struct {
	const char *in, *out; /* out NULL: refused */
} texts[] = {
    {"192.0.2.1", "192.0.2.1:443"},
    {"192.0.2.1:8443", "192.0.2.1:8443"},
    {"2001:db8::1", "[2001:db8::1]:443"},
    {"[2001:db8::1]", "[2001:db8::1]:443"},
    {"[2001:db8::1]:8443", "[2001:db8::1]:8443"},
    {"::1", "[::1]:443"},
    {"im.alpha.test", NULL},
    {"192.0.2.256", NULL},
    {"192.0.2.1:0", NULL},
    {"192.0.2.1:65536", NULL},
    {"192.0.2.1:", NULL},
    {"192.0.2.1:+1", NULL},
    {"[192.0.2.1]:443x", NULL},
    {"[2001:db8::1", NULL},
    {"[2001:db8::1]x", NULL},
    {"fe80::1%eth0", NULL},
    {"127.1", NULL},
    {"0x7f.0.0.1", NULL},
    {"", NULL},
};

START_TEST(text_both_ways)
{
	char out[NET_ADDR_TEXT_MAX];
	struct net_addr a, b;
	bool ok = net_addr_parse(texts[_i].in, 443, &a);

	ck_assert_msg(ok == (texts[_i].out != NULL), "%s", texts[_i].in);
	if (!ok)
		return;
	ck_assert_str_eq(net_addr_text(&a, out), texts[_i].out);
	ck_assert(net_addr_from(&a.u.sa, a.len, &b) && net_addr_eq(&a, &b));
	net_addr_set_port(&b, 1);
	ck_assert(!net_addr_eq(&a, &b));
}
END_TEST

START_TEST(hosts_and_ports)
{
	char host[NET_HOST_MAX + 1];
	uint16_t port;

	ck_assert(net_hostport_parse("im.alpha.test", 443, host, &port));
	ck_assert_str_eq(host, "im.alpha.test");
	ck_assert_uint_eq(port, 443);
	ck_assert(net_hostport_parse("im.alpha.test:8443", 443, host, &port));
	ck_assert_uint_eq(port, 8443);
	ck_assert(net_hostport_parse("[::1]:99", 443, host, &port));
	ck_assert_str_eq(host, "::1");
	ck_assert(!net_hostport_parse(":443", 443, host, &port));
	ck_assert(!net_hostport_parse("a b", 443, host, &port));
	ck_assert(!net_hostport_parse("a/b:1", 443, host, &port));
	ck_assert(!net_hostport_parse("a:1:2", 443, host, &port));
}
END_TEST

static const struct {
	const char *prefix, *addr;
	bool match;
} prefixes[] = {
    {"10.0.0.0/8", "10.255.0.1", true},
    {"10.0.0.0/8", "11.0.0.1", false},
    {"192.0.2.128/25", "192.0.2.129", true},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.1", "192.0.2.1", true},
    {"0.0.0.0/0", "8.8.8.8", true},
    {"10.0.0.0/8", "::ffff:10.1.1.1", true},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/33", "2001:db8:ffff::1", false},
    {"::/0", "10.0.0.1", false},
    {"::1", "::1", true},
};

START_TEST(prefixes_match)
{
	struct net_addr a = addr(prefixes[_i].addr);
	struct net_prefix p;

	ck_assert(net_prefix_parse(prefixes[_i].prefix, &p));
	ck_assert_int_eq(net_prefix_match(&p, &a.u.sa), prefixes[_i].match);
}
END_TEST

START_TEST(bad_prefixes)
{
	static const char *const bad[] = {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "x/8",
	    "2001:db8::1/64", "::/129", "10.0.0.0/-1", ""};
	struct net_prefix p;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!net_prefix_parse(bad[i], &p), "%s", bad[i]);
}
END_TEST

START_TEST(blocks)
{
	struct net_addr a = addr("192.0.2.1"), b = addr("::ffff:192.0.2.200");
	struct net_addr c = addr("2001:db8:0:1100::1"), d = addr("2001:db8:0:11ff::2");
	struct net_addr e = addr("2001:db8:0:1200::1");
	uint8_t x[17], y[17];

	net_addr_block(&a.u.sa, x);
	net_addr_block(&b.u.sa, y);
	ck_assert_mem_eq(x, y, sizeof(x));
	net_addr_block(&c.u.sa, x);
	net_addr_block(&d.u.sa, y);
	ck_assert_mem_eq(x, y, sizeof(x));
	net_addr_block(&e.u.sa, y);
	ck_assert_mem_ne(x, y, sizeof(x));
}
END_TEST

static const char *const public_addrs[] = {"8.8.8.8", "1.1.1.1", "9.255.255.255",
    "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0",
    "192.0.1.1", "192.167.0.1", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2001:4860:4860::8888", "2606:4700::1", "2001:200::1", "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:0:808:808::f7f7:f7f7", "::8.8.8.8"};

static const char *const private_addrs[] = {"0.0.0.0", "0.1.2.3", "10.0.0.1",
    "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fc00::1", "fdff::1",
    "fe80::1", "fec0::1", "ff02::1", "2001:db8::1", "2001:2::1", "2001:10::1",
    "2001:20::1", "3fff::1", "100::1", "4000::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8", "2002:7f00:1::1",
    "2002:a00:1::1", "2001:0:a00:1::f7f7:f7f7", "2001:0:808:808::f5ff:fffe"};

START_TEST(public_and_not)
{
	size_t i;

	for (i = 0; i < sizeof(public_addrs) / sizeof(public_addrs[0]); i++) {
		struct net_addr a = addr(public_addrs[i]);

		ck_assert_msg(net_addr_public(&a.u.sa), "%s", public_addrs[i]);
	}
	for (i = 0; i < sizeof(private_addrs) / sizeof(private_addrs[0]); i++) {
		struct net_addr a = addr(private_addrs[i]);

		ck_assert_msg(!net_addr_public(&a.u.sa), "%s", private_addrs[i]);
	}
	ck_assert(!net_addr_public(&(struct sockaddr){.sa_family = AF_UNIX}));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("addrset");
	TCase *t = tcase_create("addrset");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, text_both_ways, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(t, hosts_and_ports);
	tcase_add_loop_test(t, prefixes_match, 0, sizeof(prefixes) / sizeof(prefixes[0]));
	tcase_add_test(t, bad_prefixes);
	tcase_add_test(t, blocks);
	tcase_add_test(t, public_and_not);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
