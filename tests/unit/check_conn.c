/* SPDX-License-Identifier: ISC */
/*
 * check_conn.c - two TLS connections, or two links, that talk inside one event loop.
 *
 * A struct side gathers what its callbacks saw; tests run the loop until a condition holds, at
 * most a few seconds. What is proved: bytes arrive whole and in order under back-pressure,
 * marks and pauses work, each kind of end is told apart, and a link carries messages both
 * ways and answers what it does not accept.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <check.h>

#include "base/clock.h"
#include "base/fd.h"
#include "net/cert.h"
#include "net/link.h"
#include "netpair.h"

#define LARGE (3U * 1024 * 1024)
#define RUN_MS 8000

struct side {
	struct conn *conn;
	struct link *link;
	size_t to_send, sent, received; /* a counted pattern */
	bool pattern_broken;
	int opens, closes, fulls, drains, quiets, requests, documents, messages;
	enum conn_reason reason;
	struct link_end end;
	char text[256]; /* last message or document */
	bool echo, close_on_open, free_on_open, free_on_read, take_nothing,
	    pause_on_message;
};

static struct event_base *loop;
static struct netpair np;
static struct side server, client;
static struct conn_limits limits;

static uint8_t
pattern(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

/* Sends as much of the pattern as the marks allow. */
static void
pump(struct side *s)
{
	uint8_t chunk[4096];
	size_t i;

	while (s->sent < s->to_send && conn_unsent(s->conn) <= limits.out_high) {
		for (i = 0; i < sizeof(chunk); i++)
			chunk[i] = pattern(s->sent + i);
		ck_assert_int_eq(conn_write(s->conn, span_of(chunk, sizeof(chunk))), 0);
		s->sent += sizeof(chunk);
	}
}

static void
on_open(struct conn *c, void *arg)
{
	struct side *s = arg;

	s->opens++;
	if (s->free_on_open) {
		s->conn = NULL;
		conn_free(c);
		return;
	}
	conn_established(c);
	pump(s);
	if (s->close_on_open)
		conn_close(c);
}

static void
on_read(struct conn *c, struct buf *in, void *arg)
{
	struct side *s = arg;
	size_t i;

	if (s->take_nothing)
		return;
	for (i = 0; i < in->n; i++)
		if (in->p[i] != pattern(s->received + i))
			s->pattern_broken = true;
	s->received += in->n;
	buf_consume(in, in->n);
	if (s->free_on_read) {
		s->conn = NULL;
		conn_free(c);
	}
}

static void
on_full(struct conn *c, void *arg)
{
	(void)c;
	((struct side *)arg)->fulls++;
}

static void
on_drained(struct conn *c, void *arg)
{
	(void)c;
	((struct side *)arg)->drains++;
	pump(arg);
}

static void
on_quiet(struct conn *c, void *arg)
{
	(void)c;
	((struct side *)arg)->quiets++;
}

static void
on_close(struct conn *c, enum conn_reason reason, void *arg)
{
	struct side *s = arg;

	(void)c;
	s->closes++;
	s->reason = reason;
}

static const struct conn_ops ops = {
    on_open, on_read, on_full, on_drained, on_quiet, on_close};

static void
setup(void)
{
	memset(&server, 0, sizeof(server));
	memset(&client, 0, sizeof(client));
	limits = conn_limits_default;
	loop = event_base_new();
	netpair_init(&np);
}

static void
teardown(void)
{
	conn_free(server.conn);
	conn_free(client.conn);
	link_free(server.link);
	link_free(client.link);
	event_base_free(loop);
	netpair_clear(&np);
}

static void
connect_as(const char *name, enum tls_verify verify)
{
	int fd[2];

	netpair_sockets(fd);
	server.conn =
	    conn_accept(loop, fd[0], np.server, "peer-a", &limits, &ops, &server);
	client.conn = conn_connect(
	    loop, fd[1], np.client, name, verify, "peer-b", &limits, &ops, &client);
	ck_assert(server.conn != NULL && client.conn != NULL);
}

static void
connect_both(const char *name)
{
	connect_as(name, TLS_VERIFY_CHAIN);
}

/* Runs the loop until the condition holds; fails after RUN_MS. */
#define RUN_UNTIL(condition)                                                             \
	do {                                                                             \
		uint64_t end_ = clock_mono_ms() + RUN_MS;                                \
                                                                                         \
		while (!(condition) && clock_mono_ms() < end_) {                         \
			struct timeval tv_ = {0, 5000};                                  \
                                                                                         \
			event_base_loopexit(loop, &tv_);                                 \
			event_base_dispatch(loop);                                       \
		}                                                                        \
		ck_assert(condition);                                                    \
	} while (0)

START_TEST(large_transfer_both_ways)
{
	uint8_t a[TLS_EXPORT_LEN], b[TLS_EXPORT_LEN];

	server.to_send = client.to_send = LARGE;
	connect_both(NETPAIR_DOMAIN);
	RUN_UNTIL(server.received == LARGE && client.received == LARGE);
	ck_assert(!server.pattern_broken && !client.pattern_broken);
	ck_assert_int_gt(server.fulls + client.fulls, 0);
	ck_assert_int_gt(server.drains + client.drains, 0);
	ck_assert_uint_eq(conn_unsent(server.conn), 0);
	ck_assert_int_eq(conn_export(server.conn, "EXPORTER-emsg-v1-s2s", a), 0);
	ck_assert_int_eq(conn_export(client.conn, "EXPORTER-emsg-v1-s2s", b), 0);
	ck_assert_mem_eq(a, b, sizeof(a));
	ck_assert_int_eq(conn_export(client.conn, "EXPORTER-emsg-v1-c2s", b), 0);
	ck_assert_mem_ne(a, b, sizeof(a));
	ck_assert_str_eq(conn_domain(server.conn), NETPAIR_DOMAIN);
	ck_assert_str_eq(conn_peer(server.conn), "peer-a");
	ck_assert(conn_verified(client.conn));
	ck_assert_int_eq(server.closes + client.closes, 0);
}
END_TEST

START_TEST(pause_holds_the_peer_back)
{
	size_t before;
	int i;

	client.to_send = LARGE;
	connect_both(NETPAIR_DOMAIN);
	RUN_UNTIL(server.received > 0);
	conn_pause(server.conn);
	conn_pause(server.conn);
	before = server.received;
	for (i = 0; i < 20; i++) {
		struct timeval tv = {0, 5000};

		event_base_loopexit(loop, &tv);
		event_base_dispatch(loop);
	}
	ck_assert_uint_eq(server.received, before);
	ck_assert_uint_gt(conn_unsent(client.conn), limits.out_low);
	ck_assert_uint_lt(client.sent, LARGE);
	conn_resume(server.conn);
	ck_assert_uint_eq(server.received, before);
	conn_resume(server.conn);
	RUN_UNTIL(server.received == LARGE);
	ck_assert(!server.pattern_broken);
}
END_TEST

/* An orderly close delivers all that was written before it. */
START_TEST(close_delivers_what_was_written)
{
	client.to_send = 200U * 1024;
	client.close_on_open = true;
	limits.out_high = limits.out_max;
	connect_both(NETPAIR_DOMAIN);
	RUN_UNTIL(server.closes == 1 && client.closes == 1);
	ck_assert_uint_eq(server.received, 200U * 1024);
	ck_assert(!server.pattern_broken);
	ck_assert_int_eq(server.reason, CONN_EOF);
	ck_assert_int_eq(client.reason, CONN_LOCAL);
	ck_assert_int_eq(conn_write(client.conn, span_str("x")), -1);
}
END_TEST

START_TEST(cut_is_not_eof)
{
	int fd[2];

	netpair_sockets(fd);
	client.conn = conn_connect(loop, fd[1], np.client, NETPAIR_DOMAIN,
	    TLS_VERIFY_CHAIN, NULL, &limits, &ops, &client);
	RUN_UNTIL(client.conn != NULL && recv(fd[0], client.text, 1, MSG_PEEK) == 1);
	close(fd[0]);
	RUN_UNTIL(client.closes == 1);
	ck_assert_int_eq(client.reason, CONN_CUT);
	ck_assert_int_eq(client.opens, 0);
}
END_TEST

START_TEST(handshake_failures_have_reasons)
{
	connect_both("im.gamma.test");
	RUN_UNTIL(server.closes == 1 && client.closes == 1);
	ck_assert_int_eq(server.reason, CONN_TLS);
	ck_assert_int_eq(client.reason, CONN_TLS);
	ck_assert_str_ne(conn_error(client.conn), "");
	ck_assert_int_eq(server.opens + client.opens, 0);
}
END_TEST

START_TEST(untrusted_server)
{
	const char *err;

	tls_client_free(np.client);
	np.client = tls_client_new(np.tls, span_of(NULL, 0), &err);
	connect_both(NETPAIR_DOMAIN);
	RUN_UNTIL(client.closes == 1);
	ck_assert_int_eq(client.reason, CONN_UNTRUSTED);
	ck_assert_str_ne(conn_error(client.conn), "");
}
END_TEST

/* For a peer pinned by domain key: the certificate is judged later, by others. */
START_TEST(untrusted_server_may_be_judged_later)
{
	uint8_t spki[TLS_SPKI_LEN], real[TLS_SPKI_LEN];
	const char *err;

	tls_client_free(np.client);
	np.client = tls_client_new(np.tls, span_of(NULL, 0), &err);
	connect_as(NETPAIR_DOMAIN, TLS_VERIFY_LATER);
	RUN_UNTIL(client.opens == 1 && server.opens == 1);
	ck_assert(!conn_verified(client.conn));
	ck_assert_int_eq(conn_peer_spki(client.conn, spki), 0);
	ck_assert_int_eq(cert_key_spki(np.key, real), 0);
	ck_assert_mem_eq(spki, real, sizeof(spki));
	ck_assert_int_eq(conn_peer_spki(server.conn, spki), -1);
}
END_TEST

START_TEST(garbage_instead_of_tls)
{
	int fd[2];

	netpair_sockets(fd);
	server.conn = conn_accept(loop, fd[0], np.server, NULL, &limits, &ops, &server);
	ck_assert_int_eq(write(fd[1], "GET / HTTP/1.1\r\n\r\n", 18), 18);
	RUN_UNTIL(server.closes == 1);
	ck_assert_int_eq(server.reason, CONN_TLS);
	close(fd[1]);
}
END_TEST

START_TEST(deadlines)
{
	int fd[2];

	limits.setup_ms = 50;
	netpair_sockets(fd);
	server.conn = conn_accept(loop, fd[0], np.server, NULL, &limits, &ops, &server);
	RUN_UNTIL(server.closes == 1);
	ck_assert_int_eq(server.reason, CONN_SETUP_TIMEOUT);
	conn_free(server.conn);
	close(fd[1]);
	memset(&server, 0, sizeof(server));
	limits.setup_ms = 5000;
	limits.idle_ms = 100;
	connect_both(NETPAIR_DOMAIN);
	RUN_UNTIL(server.closes == 1 || client.closes == 1);
	ck_assert_int_eq(
	    server.closes ? server.reason : client.reason, CONN_IDLE_TIMEOUT);
	ck_assert_int_ge(server.quiets + client.quiets, 1);
}
END_TEST

/* A peer that takes nothing must not keep us waiting for ever, even while we are paused. */
START_TEST(stalled_output_ends_while_paused)
{
	uint64_t start;

	limits.idle_ms = 100;
	connect_both(NETPAIR_DOMAIN);
	RUN_UNTIL(client.opens == 1 && server.opens == 1);
	conn_pause(server.conn);
	conn_pause(client.conn);
	start = clock_mono_ms();
	RUN_UNTIL(clock_mono_ms() > start + 250);
	ck_assert_int_eq(server.closes + client.closes, 0);
	client.to_send = LARGE;
	pump(&client);
	RUN_UNTIL(client.closes == 1);
	ck_assert_int_eq(client.reason, CONN_IDLE_TIMEOUT);
	ck_assert_int_eq(server.closes, 0);
}
END_TEST

START_TEST(limits_end_the_connection)
{
	uint8_t junk[1000] = {0};

	server.take_nothing = true;
	client.to_send = 65536;
	connect_both(NETPAIR_DOMAIN);
	RUN_UNTIL(server.closes == 1);
	ck_assert_int_eq(server.reason, CONN_INPUT_FULL);
	RUN_UNTIL(client.closes == 1);
	conn_free(server.conn);
	conn_free(client.conn);
	memset(&server, 0, sizeof(server));
	memset(&client, 0, sizeof(client));
	limits.out_max = 2500;
	connect_both(NETPAIR_DOMAIN);
	RUN_UNTIL(client.opens == 1);
	ck_assert_int_eq(conn_write(client.conn, span_of(junk, sizeof(junk))), 0);
	ck_assert_int_eq(conn_write(client.conn, span_of(junk, sizeof(junk))), 0);
	ck_assert_int_eq(conn_write(client.conn, span_of(junk, sizeof(junk))), -1);
	RUN_UNTIL(client.closes == 1);
	ck_assert_int_eq(client.reason, CONN_OUTPUT_FULL);
}
END_TEST

START_TEST(free_inside_callbacks)
{
	server.free_on_read = true;
	client.to_send = 4096;
	connect_both(NETPAIR_DOMAIN);
	RUN_UNTIL(client.closes == 1 && server.conn == NULL);
	ck_assert_int_eq(server.closes, 0);
	ck_assert_int_eq(client.reason, CONN_EOF);
	conn_free(client.conn);
	memset(&client, 0, sizeof(client));
	client.free_on_open = true;
	connect_both(NETPAIR_DOMAIN);
	RUN_UNTIL(client.conn == NULL && server.closes == 1);
}
END_TEST

/* Links. */

static void
on_request(
    struct link *l, const struct http_request *req, struct link_answer *answer, void *arg)
{
	struct side *s = arg;

	(void)l;
	s->requests++;
	ck_assert_str_eq(req->host, NETPAIR_DOMAIN);
	if (strcmp(req->path, HTTP_PATH_C2S) == 0) {
		answer->status = 101;
		answer->proto = HTTP_PROTO_C2S;
	} else if (strcmp(req->path, HTTP_PATH_DOCUMENT) == 0) {
		answer->status = 200;
		answer->type = "application/cbor";
		answer->body = span_str("the document");
	}
}

static void
on_link_open(struct link *l, void *arg)
{
	struct side *s = arg;

	s->opens++;
	if (!s->echo)
		ck_assert_int_eq(link_send(l, span_str("hello")), 0);
}

static void
on_message(struct link *l, struct span m, void *arg)
{
	struct side *s = arg;

	s->messages++;
	s->received = m.n;
	snprintf(s->text, sizeof(s->text), "%.*s", (int)(m.n < 200 ? m.n : 200),
	    (const char *)m.p);
	if (s->pause_on_message)
		link_pause(l);
	if (s->echo)
		ck_assert_int_eq(link_send(l, m), 0);
}

static void
on_document(struct link *l, struct span body, void *arg)
{
	struct side *s = arg;

	(void)l;
	s->documents++;
	snprintf(s->text, sizeof(s->text), "%.*s", (int)body.n, (const char *)body.p);
}

static void
on_link_close(struct link *l, const struct link_end *end, void *arg)
{
	struct side *s = arg;

	(void)l;
	s->closes++;
	s->end = *end;
}

static const struct link_ops link_ops = {
    .on_request = on_request,
    .on_open = on_link_open,
    .on_message = on_message,
    .on_document = on_document,
    .on_close = on_link_close,
};

static void
link_both(const char *path, enum http_proto proto, bool fetch)
{
	struct link_target t = {NETPAIR_DOMAIN, path, proto, TLS_VERIFY_CHAIN, "peer"};
	int fd[2];

	server.echo = true;
	netpair_sockets(fd);
	server.link =
	    link_accept(loop, fd[0], np.server, "peer", &limits, &link_ops, &server);
	client.link = (fetch ? link_fetch : link_connect)(
	    loop, fd[1], np.client, &t, &limits, &link_ops, &client);
	ck_assert(server.link != NULL && client.link != NULL);
}

START_TEST(link_carries_messages)
{
	static uint8_t big[300000];

	link_both(HTTP_PATH_C2S, HTTP_PROTO_C2S, false);
	RUN_UNTIL(client.messages == 1);
	ck_assert_str_eq(client.text, "hello");
	link_established(server.link, sizeof(big));
	link_established(client.link, sizeof(big));
	memset(big, 'x', sizeof(big));
	ck_assert_int_eq(link_send(client.link, span_of(big, sizeof(big))), 0);
	RUN_UNTIL(client.messages == 2);
	ck_assert_uint_eq(client.received, sizeof(big));
	link_close(client.link, WS_CODE_AWAY, "bye");
	RUN_UNTIL(client.closes == 1 && server.closes == 1);
	ck_assert_uint_eq(server.end.code, WS_CODE_AWAY);
	ck_assert(server.end.remote && server.end.opened && !client.end.remote);
	ck_assert_uint_eq(client.end.code, WS_CODE_AWAY);
	ck_assert_int_eq(link_send(client.link, span_str("x")), -1);
}
END_TEST

START_TEST(link_pauses_between_messages)
{
	int i;

	server.pause_on_message = true;
	link_both(HTTP_PATH_C2S, HTTP_PROTO_C2S, false);
	RUN_UNTIL(client.messages == 1);
	for (i = 0; i < 3; i++)
		link_send(client.link, span_str("more"));
	for (i = 1; i <= 4; i++) {
		RUN_UNTIL(client.messages == i);
		ck_assert_int_eq(server.messages, i);
		link_resume(server.link);
	}
}
END_TEST

START_TEST(link_limits_messages_before_login)
{
	static uint8_t big[WS_LIMIT_LOGIN + 1];

	link_both(HTTP_PATH_C2S, HTTP_PROTO_C2S, false);
	RUN_UNTIL(client.messages == 1);
	ck_assert_int_eq(link_send(client.link, span_of(big, sizeof(big))), 0);
	RUN_UNTIL(client.closes == 1 && server.closes == 1);
	ck_assert_uint_eq(client.end.code, WS_CODE_TOO_BIG);
	ck_assert(client.end.remote && !server.end.remote);
}
END_TEST

START_TEST(link_fetches_a_document)
{
	link_both(HTTP_PATH_DOCUMENT, HTTP_PROTO_NONE, true);
	RUN_UNTIL(client.closes == 1 && server.closes == 1);
	ck_assert_int_eq(client.documents, 1);
	ck_assert_str_eq(client.text, "the document");
	ck_assert_uint_eq(client.end.status, 200);
	ck_assert(client.end.opened);
}
END_TEST

START_TEST(link_refuses)
{
	link_both("/nowhere", HTTP_PROTO_C2S, false);
	RUN_UNTIL(client.closes == 1 && server.closes == 1);
	ck_assert_uint_eq(client.end.status, 404);
	ck_assert(!client.end.opened);
	link_free(server.link);
	link_free(client.link);
	memset(&server, 0, sizeof(server));
	memset(&client, 0, sizeof(client));
	link_both(HTTP_PATH_C2S, HTTP_PROTO_S2S, false);
	RUN_UNTIL(client.closes == 1 && server.closes == 1);
	ck_assert_uint_eq(client.end.status, 400);
	ck_assert_int_eq(server.opens + client.opens, 0);
}
END_TEST

START_TEST(quiet_links_are_pinged)
{
	uint64_t start = clock_mono_ms();

	limits.idle_ms = 200;
	link_both(HTTP_PATH_C2S, HTTP_PROTO_C2S, false);
	RUN_UNTIL(client.messages == 1);
	link_established(server.link, WS_LIMIT_LOGIN);
	link_established(client.link, WS_LIMIT_LOGIN);
	RUN_UNTIL(clock_mono_ms() > start + 700);
	ck_assert_msg(server.closes + client.closes == 0, "%s %u %s",
	    conn_reason_name(server.end.reason), server.end.code, client.text);
}
END_TEST

static TCase *
tcase_of(const char *name)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	return t;
}

int
main(void)
{
	Suite *s = suite_create("conn");
	TCase *conns = tcase_of("conn"), *links = tcase_of("link");
	SRunner *r;
	int failed;

	tcase_add_test(conns, large_transfer_both_ways);
	tcase_add_test(conns, pause_holds_the_peer_back);
	tcase_add_test(conns, close_delivers_what_was_written);
	tcase_add_test(conns, cut_is_not_eof);
	tcase_add_test(conns, handshake_failures_have_reasons);
	tcase_add_test(conns, untrusted_server);
	tcase_add_test(conns, untrusted_server_may_be_judged_later);
	tcase_add_test(conns, garbage_instead_of_tls);
	tcase_add_test(conns, deadlines);
	tcase_add_test(conns, stalled_output_ends_while_paused);
	tcase_add_test(conns, limits_end_the_connection);
	tcase_add_test(conns, free_inside_callbacks);
	tcase_add_test(links, link_carries_messages);
	tcase_add_test(links, link_pauses_between_messages);
	tcase_add_test(links, link_limits_messages_before_login);
	tcase_add_test(links, link_fetches_a_document);
	tcase_add_test(links, link_refuses);
	tcase_add_test(links, quiet_links_are_pinged);
	suite_add_tcase(s, conns);
	suite_add_tcase(s, links);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
