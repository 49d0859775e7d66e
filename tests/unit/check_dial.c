/* SPDX-License-Identifier: ISC */
/*
 * check_dial.c - tests of dialer: policy, look-ups in children, connections, failures. Only
 * addresses of the loopback interface are dialled.
 */
#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/text.h"
#include "dialer/dial.h"
#include "dialer/resolve.h"

static struct event_base *base;
static struct dial_policy loopback, nothing;

struct result {
	bool done;
	int fd;
	struct net_addr addr;
	const char *err;
	size_t n;
};

static void
setup(void)
{
	base = event_base_new();
	resolve_init(base);
	ck_assert(net_prefix_parse("127.0.0.0/8", &loopback.allowed[0]));
	loopback.n = 1;
}

static void
teardown(void)
{
	event_base_free(base);
}

static void
on_done(void *arg, int fd, const struct net_addr *addr, const char *err)
{
	struct result *r = arg;

	ck_assert(!r->done);
	r->done = true;
	r->fd = fd;
	r->addr = *addr;
	r->err = err;
	event_base_loopbreak(base);
}

static struct result
dial(const char *host, uint16_t port, const struct dial_policy *policy, bool allow)
{
	struct dial_target target = {
	    .port = port, .allow_private = allow, .timeout_ms = 5000};
	struct result r = {.fd = -1};

	ck_assert(text_copy(target.host, sizeof(target.host), span_str(host)));
	ck_assert_ptr_nonnull(dial_start(base, &target, policy, on_done, &r));
	ck_assert(!r.done);
	event_base_dispatch(base);
	ck_assert(r.done);
	ck_assert_uint_eq(resolve_count(), 0);
	return r;
}

/* A listening socket on 127.0.0.1; its port. */
static int
listen_on(uint16_t *port)
{
	struct net_addr addr;
	socklen_t n = sizeof(addr.u.in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert(net_addr_parse("127.0.0.1", 0, &addr));
	ck_assert_int_eq(bind(fd, &addr.u.sa, addr.len), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	ck_assert_int_eq(getsockname(fd, &addr.u.sa, &n), 0);
	*port = net_addr_port(&addr);
	return fd;
}

START_TEST(literal_is_connected)
{
	uint16_t port;
	int fd = listen_on(&port);
	struct result r = dial("127.0.0.1", port, &loopback, false);

	ck_assert_int_ne(r.fd, -1);
	ck_assert_uint_eq(net_addr_port(&r.addr), port);
	close(r.fd);
	close(fd);
}
END_TEST

START_TEST(name_is_looked_up_in_a_child)
{
	uint16_t port;
	int fd = listen_on(&port);
	struct result r = dial("localhost", port, &loopback, true);

	ck_assert_int_ne(r.fd, -1);
	close(r.fd);
	close(fd);
}
END_TEST

START_TEST(private_address_is_refused)
{
	uint16_t port;
	int fd = listen_on(&port);
	struct result r = dial("127.0.0.1", port, &nothing, false);

	ck_assert_int_eq(r.fd, -1);
	ck_assert_str_eq(r.err, "the address is private, loopback or reserved");
	r = dial("::ffff:127.0.0.1", port, &nothing, false);
	ck_assert_int_eq(r.fd, -1);
	r = dial("localhost", port, &nothing, false);
	ck_assert_int_eq(r.fd, -1);
	r = dial("127.0.0.1", port, &nothing, true);
	ck_assert_int_ne(r.fd, -1);
	close(r.fd);
	close(fd);
}
END_TEST

START_TEST(refused_connection_is_told)
{
	uint16_t port;
	int fd = listen_on(&port);
	struct result r;

	close(fd);
	r = dial("127.0.0.1", port, &loopback, false);
	ck_assert_int_eq(r.fd, -1);
	ck_assert_str_eq(r.err, "connection refused");
}
END_TEST

START_TEST(unknown_name_is_told)
{
	struct result r = dial("nobody.invalid", 443, &loopback, false);

	ck_assert_int_eq(r.fd, -1);
	ck_assert_ptr_nonnull(r.err);
}
END_TEST

START_TEST(cancelled_attempts_leave_nothing)
{
	struct dial_target target = {.host = "localhost", .port = 1, .timeout_ms = 5000};
	struct result r[2 * RESOLVE_CHILDREN] = {{.fd = -1}};
	struct dial *d[2 * RESOLVE_CHILDREN];

	for (size_t i = 0; i < 2 * RESOLVE_CHILDREN; i++)
		d[i] = dial_start(base, &target, &loopback, on_done, &r[i]);
	ck_assert_uint_eq(resolve_count(), 2 * RESOLVE_CHILDREN);
	for (size_t i = 0; i < 2 * RESOLVE_CHILDREN; i++)
		dial_cancel(d[i]);
	ck_assert_uint_eq(resolve_count(), 0);
	event_base_dispatch(base);
	for (size_t i = 0; i < 2 * RESOLVE_CHILDREN; i++)
		ck_assert(!r[i].done);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("dialer");
	TCase *tc = tcase_create("dial");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, literal_is_connected);
	tcase_add_test(tc, name_is_looked_up_in_a_child);
	tcase_add_test(tc, private_address_is_refused);
	tcase_add_test(tc, refused_connection_is_told);
	tcase_add_test(tc, unknown_name_is_told);
	tcase_add_test(tc, cancelled_attempts_leave_nothing);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
