/* SPDX-License-Identifier: ISC */
/*
 * check_http.c - request and response heads: what is taken, what is refused, with which status.
 *
 * Every accepted head is also fed byte by byte, and every refused one is a small change of an
 * accepted one, so that each refusal is for its own reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <check.h>

#include "net/http.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" /* RFC 6455 section 1.3 */
#define UPGRADE                                                                          \
	"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " KEY           \
	"\r\nSec-WebSocket-Version: 13\r\n"
#define HOST "Host: im.alpha.test\r\n"

static enum http_result
request(const char *text, size_t n, struct http_request *req)
{
	struct http_scan scan;
	struct buf in;
	enum http_result r;

	http_scan_init(&scan);
	buf_init(&in, 65536);
	buf_put(&in, text, n);
	r = http_request_next(&scan, &in, req);
	buf_clear(&in);
	return r;
}

/* The same in pieces of one byte; bytes after the head must stay. */
static enum http_result
request_slowly(const char *text, struct http_request *req)
{
	struct http_scan scan;
	struct buf in;
	enum http_result r = HTTP_MORE;
	const char *p;

	http_scan_init(&scan);
	buf_init(&in, 65536);
	for (p = text; *p != '\0'; p++) {
		ck_assert_int_eq(r, HTTP_MORE);
		buf_put_u8(&in, (uint8_t)*p);
		r = http_request_next(&scan, &in, req);
	}
	ck_assert(r != HTTP_DONE || in.n == 0);
	buf_clear(&in);
	return r;
}

static const struct {
	const char *head;
	unsigned status; /* 0: fine */
} requests[] = {
    {"GET / HTTP/1.1\r\n" HOST "\r\n", 0},
    {"GET /.well-known/emsg HTTP/1.1\r\nhost:im.alpha.test:443\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\n" HOST "User-Agent: x y\r\nAccept:  */* \r\nEmpty:\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\n" HOST UPGRADE "\r\n", 0},
    {"GET / HTTP/1.1\r\n" HOST UPGRADE
     "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
	0},
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: \r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "content-length: 5\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "novalue\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: a\tb\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: \x80\r\n\r\n", 400},
    {"GET / HTTP/1.1\n" HOST "\r\n", 400},
    {"GET / HTTP/1.1\r\r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "\r\n", 405},
    {"get / HTTP/1.1\r\n" HOST "\r\n", 405},
    {"\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 405},
    {"GET / HTTP/1.0\r\n" HOST "\r\n", 505},
    {"GET / HTTP/2.0\r\n" HOST "\r\n", 505},
    {"GET /\r\n" HOST "\r\n", 505},
    {"GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.1 \r\n" HOST "\r\n", 505},
    {"GET /a b HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /?q HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET http://im.alpha.test/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET * HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Connection: Upgrade\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Sec-WebSocket-Key: " KEY "\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST UPGRADE "Sec-WebSocket-Key: " KEY "\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST
     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: c2hvcnQ=\r\n"
     "Sec-WebSocket-Version: 13\r\n\r\n",
	400},
    {"GET / HTTP/1.1\r\n" HOST
     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " KEY
     "\r\nSec-WebSocket-Version: 8\r\n\r\n",
	426},
};

START_TEST(requests_are_judged)
{
	struct http_request req;
	enum http_result r = request(requests[_i].head, strlen(requests[_i].head), &req);

	ck_assert_msg(r == (requests[_i].status == 0 ? HTTP_DONE : HTTP_BAD), "%s",
	    requests[_i].head);
	ck_assert_uint_eq(req.status, requests[_i].status);
	ck_assert(requests[_i].status == 0 || req.error != NULL);
	if (requests[_i].status == 0)
		ck_assert_int_eq(request_slowly(requests[_i].head, &req), HTTP_DONE);
}
END_TEST

START_TEST(request_values)
{
	struct http_request req;

	ck_assert_int_eq(
	    request_slowly("GET /emsg/v1/s2s HTTP/1.1\r\nHOST: IM.Alpha.test\r\n"
			   "Connection: keep-alive, UPGRADE\r\nupgrade: WebSocket\r\n"
			   "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 13\r\n"
			   "Sec-WebSocket-Protocol: other, emsg-s2s.1\r\n"
			   "Sec-WebSocket-Protocol: emsg-c2s.1\r\n\r\n",
		&req),
	    HTTP_DONE);
	ck_assert_str_eq(req.path, HTTP_PATH_S2S);
	ck_assert_str_eq(req.host, "im.alpha.test");
	ck_assert_str_eq(req.key, KEY);
	ck_assert(req.upgrade);
	ck_assert_uint_eq(req.protocols,
	    HTTP_PROTO_BIT(HTTP_PROTO_S2S) | HTTP_PROTO_BIT(HTTP_PROTO_C2S));
	ck_assert_int_eq(request_slowly("GET /emsg/v1/c2s HTTP/1.1\r\n" HOST UPGRADE
					"Sec-WebSocket-Protocol: chat\r\n\r\n",
			     &req),
	    HTTP_DONE);
	ck_assert(req.upgrade && req.protocols == 0);
	ck_assert_int_eq(
	    request_slowly("GET /emsg/v1/c2s HTTP/1.1\r\n" HOST UPGRADE "\r\n", &req),
	    HTTP_DONE);
	ck_assert(req.upgrade && req.protocols == HTTP_PROTO_BIT(HTTP_PROTO_NONE));
	ck_assert_int_eq(
	    request_slowly("GET / HTTP/1.1\r\n" HOST "\r\n", &req), HTTP_DONE);
	ck_assert(!req.upgrade && req.protocols == 0 && req.key[0] == '\0');
}
END_TEST

START_TEST(nul_is_refused)
{
	static const char text[] = "GET /\0 HTTP/1.1\r\n" HOST "\r\n";
	struct http_request req;

	ck_assert_int_eq(request(text, sizeof(text) - 1, &req), HTTP_BAD);
	ck_assert_uint_eq(req.status, 400);
}
END_TEST

/* A head of exactly n bytes. */
static enum http_result
sized(size_t n, struct http_request *req)
{
	static char text[HTTP_HEAD_MAX + 100];
	const char *start = "GET / HTTP/1.1\r\n" HOST "X: ";

	memset(text, 'x', sizeof(text));
	memcpy(text, start, strlen(start));
	memcpy(text + n - 4, "\r\n\r\n", 4);
	return request(text, n, req);
}

START_TEST(head_has_a_limit)
{
	struct http_request req;
	char path[400];

	ck_assert_int_eq(sized(HTTP_HEAD_MAX, &req), HTTP_DONE);
	ck_assert_int_eq(sized(HTTP_HEAD_MAX + 1, &req), HTTP_BAD);
	ck_assert_uint_eq(req.status, 431);
	snprintf(path, sizeof(path), "GET /%0*d HTTP/1.1\r\n" HOST "\r\n",
	    HTTP_PATH_MAX - 1, 0);
	ck_assert_int_eq(request(path, strlen(path), &req), HTTP_DONE);
	snprintf(
	    path, sizeof(path), "GET /%0*d HTTP/1.1\r\n" HOST "\r\n", HTTP_PATH_MAX, 0);
	ck_assert_int_eq(request(path, strlen(path), &req), HTTP_BAD);
}
END_TEST

#define SWITCH                                                                           \
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "         \
	"Upgrade\r\n"                                                                    \
	"Sec-WebSocket-Accept: " ACCEPT "\r\n"

static const struct {
	const char *head;
	bool good;
} responses[] = {
    {SWITCH "Sec-WebSocket-Protocol: emsg-s2s.1\r\n\r\n", true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 16384\r\n\r\n", true},
    {"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", true},
    {SWITCH "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", false},
    {SWITCH "Sec-WebSocket-Protocol: chat\r\n\r\n", false},
    {SWITCH "Content-Length: 0\r\n\r\n", false},
    {SWITCH "Sec-WebSocket-Accept: " ACCEPT "\r\n\r\n", false},
    {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", false},
    {"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n", false},
    {"HTTP/1.1 200 OK\r\n\r\n", false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 16385\r\n\r\n", false},
    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n", false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", false},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", false},
    {"HTTP/1.1 2000 OK\r\nContent-Length: 1\r\n\r\n", false},
    {"HTTP/1.1 20a OK\r\nContent-Length: 1\r\n\r\n", false},
    {"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n", false},
};

START_TEST(responses_are_judged)
{
	struct http_response res;
	struct http_scan scan;
	struct buf in;
	enum http_result r;

	http_scan_init(&scan);
	buf_init(&in, 8192);
	buf_put_span(&in, span_str(responses[_i].head));
	buf_put_u8(&in, 'B');
	r = http_response_next(&scan, &in, &res);
	ck_assert_msg(
	    r == (responses[_i].good ? HTTP_DONE : HTTP_BAD), "%s", responses[_i].head);
	ck_assert(responses[_i].good ? in.n == 1 : res.error != NULL);
	buf_clear(&in);
}
END_TEST

/* What one side writes, the other reads. */
START_TEST(upgrade_round_trip)
{
	char key[HTTP_KEY_LEN + 1], accept[HTTP_ACCEPT_LEN + 1];
	struct http_request req;
	struct http_response res;
	struct http_scan scan;
	struct buf b;

	ck_assert_int_eq(http_accept(KEY, accept), 0);
	ck_assert_str_eq(accept, ACCEPT);
	http_key(key);
	http_scan_init(&scan);
	buf_init(&b, HTTP_HEAD_MAX);
	http_put_upgrade(&b, "im.alpha.test", HTTP_PATH_S2S, HTTP_PROTO_S2S, key);
	ck_assert_int_eq(http_request_next(&scan, &b, &req), HTTP_DONE);
	ck_assert(req.upgrade && req.protocols == HTTP_PROTO_BIT(HTTP_PROTO_S2S));
	ck_assert_int_eq(http_put_switch(&b, &req, HTTP_PROTO_S2S), 0);
	ck_assert_int_eq(http_response_next(&scan, &b, &res), HTTP_DONE);
	ck_assert(http_upgraded(&res, key, HTTP_PROTO_S2S));
	ck_assert(!http_upgraded(&res, key, HTTP_PROTO_C2S));
	ck_assert(!http_upgraded(&res, KEY, HTTP_PROTO_S2S));
	ck_assert_uint_eq(b.n, 0);
	buf_clear(&b);
}
END_TEST

START_TEST(plain_round_trip)
{
	struct http_request req;
	struct http_response res;
	struct http_scan scan;
	struct buf b;

	http_scan_init(&scan);
	buf_init(&b, HTTP_HEAD_MAX);
	http_put_get(&b, "im.alpha.test", HTTP_PATH_DOCUMENT);
	ck_assert_int_eq(http_request_next(&scan, &b, &req), HTTP_DONE);
	ck_assert_str_eq(req.path, HTTP_PATH_DOCUMENT);
	ck_assert(!req.upgrade);
	http_put_answer(&b, 200, "application/cbor", span_str("body"));
	ck_assert_int_eq(http_response_next(&scan, &b, &res), HTTP_DONE);
	ck_assert_uint_eq(res.status, 200);
	ck_assert_uint_eq(res.length, 4);
	ck_assert(span_eq(buf_span(&b), span_str("body")));
	buf_clear(&b);
}
END_TEST

START_TEST(host_with_or_without_port)
{
	ck_assert(http_host_is("im.alpha.test", "im.alpha.test"));
	ck_assert(http_host_is("im.alpha.test:8443", "im.alpha.test"));
	ck_assert(!http_host_is("im.alpha.test:", "im.alpha.test"));
	ck_assert(!http_host_is("im.alpha.test:84x", "im.alpha.test"));
	ck_assert(!http_host_is("im.alpha.test.", "im.alpha.test"));
	ck_assert(!http_host_is("im.alpha.tes", "im.alpha.test"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("http");
	TCase *t = tcase_create("http");
	SRunner *r;
	int failed;

	tcase_add_loop_test(
	    t, requests_are_judged, 0, sizeof(requests) / sizeof(requests[0]));
	tcase_add_test(t, request_values);
	tcase_add_test(t, nul_is_refused);
	tcase_add_test(t, head_has_a_limit);
	tcase_add_loop_test(
	    t, responses_are_judged, 0, sizeof(responses) / sizeof(responses[0]));
	tcase_add_test(t, upgrade_round_trip);
	tcase_add_test(t, plain_round_trip);
	tcase_add_test(t, host_with_or_without_port);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
