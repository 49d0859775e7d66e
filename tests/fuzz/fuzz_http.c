/* SPDX-License-Identifier: ISC */
/*
 * fuzz_http.c - fuzz target: request and response heads.
 *
 * What must hold for any bytes: a head is judged alike whether it comes at once or byte by
 * byte; what was accepted has a path and a host; a refusal has a text, and for a request a
 * status. What our writers make of an accepted request, of its answer and of a refusal is
 * read back as it was meant.
 */
#include "config.h"

#include <string.h>

#include "fuzz/fuzz.h"
#include "net/http.h"

#define ROOM 65536

/* Feeds a request in pieces of step bytes. */
static enum http_result
request(const uint8_t *p, size_t n, size_t step, struct http_request *req)
{
	enum http_result r = HTTP_MORE;
	struct http_scan scan;
	struct buf in;
	size_t i;

	http_scan_init(&scan);
	buf_init(&in, ROOM);
	for (i = 0; i < n && r == HTTP_MORE; i += step) {
		buf_put(&in, p + i, n - i < step ? n - i : step);
		r = http_request_next(&scan, &in, req);
	}
	buf_clear(&in);
	return r;
}

/* The request that we would make for the same place. */
static struct http_request
write_request(const struct http_request *req, const char *key)
{
	struct http_request again;
	struct http_scan scan;
	struct buf b;

	buf_init(&b, ROOM);
	http_scan_init(&scan);
	if (key == NULL)
		http_put_get(&b, req->host, req->path);
	else
		http_put_upgrade(&b, req->host, req->path, HTTP_PROTO_C2S, key);
	fuzz_check(!buf_failed(&b) && http_request_next(&scan, &b, &again) == HTTP_DONE);
	fuzz_check(b.n == 0 && strcmp(again.host, req->host) == 0);
	fuzz_check(strcmp(again.path, req->path) == 0);
	buf_clear(&b);
	return again;
}

/* The answer that we would give to an upgrade. */
static void
write_switch(const struct http_request *req, enum http_proto proto)
{
	struct http_response res;
	struct http_scan scan;
	struct buf b;

	buf_init(&b, ROOM);
	http_scan_init(&scan);
	fuzz_check(http_put_switch(&b, req, proto) == 0);
	fuzz_check(http_response_next(&scan, &b, &res) == HTTP_DONE && b.n == 0);
	fuzz_check(http_upgraded(&res, req->key, proto));
	fuzz_check(!http_upgraded(&res, req->key, HTTP_PROTO_COUNT));
	buf_clear(&b);
}

/* An answer with a body. */
static void
write_answer(unsigned status, const char *type, struct span body)
{
	struct http_response res;
	struct http_scan scan;
	struct buf b;

	buf_init(&b, ROOM);
	http_scan_init(&scan);
	http_put_answer(&b, status, type, body);
	fuzz_check(!buf_failed(&b) && http_response_next(&scan, &b, &res) == HTTP_DONE);
	fuzz_check(res.status == status && res.length == body.n);
	fuzz_check(span_eq(buf_span(&b), body));
	buf_clear(&b);
}

/* What must hold of an accepted request. */
static void
accepted(const struct http_request *req)
{
	char key[HTTP_KEY_LEN + 1], name[HTTP_HOST_MAX + 1];
	struct http_request again;

	fuzz_check(req->path[0] == '/' && req->host[0] != '\0');
	fuzz_check(req->upgrade == (strlen(req->key) == HTTP_KEY_LEN));
	fuzz_check(http_host_is(req->host, req->host));
	memcpy(name, req->host, sizeof(name));
	name[strcspn(name, ":")] = '\0';
	if (http_host_is(req->host, name) && strcmp(req->host, name) != 0)
		fuzz_check(strlen(req->host) - strlen(name) <= 6);
	again = write_request(req, NULL);
	fuzz_check(!again.upgrade && again.protocols == 0);
	http_key(key);
	again = write_request(req, req->upgrade ? req->key : key);
	fuzz_check(again.upgrade && again.protocols == HTTP_PROTO_BIT(HTTP_PROTO_C2S));
	for (unsigned i = 0; i < HTTP_PROTO_COUNT; i++)
		if (req->upgrade && (req->protocols & HTTP_PROTO_BIT(i)) != 0)
			write_switch(req, (enum http_proto)i);
}

static void
response(const uint8_t *p, size_t n)
{
	struct http_response res;
	struct http_scan scan;
	struct buf in;
	enum http_result r;

	http_scan_init(&scan);
	buf_init(&in, ROOM);
	buf_put(&in, p, n);
	r = http_response_next(&scan, &in, &res);
	fuzz_check(r != HTTP_BAD || res.error != NULL);
	fuzz_check(r != HTTP_DONE || (res.error == NULL && res.length <= HTTP_BODY_MAX));
	fuzz_check(
	    r != HTTP_DONE || res.status != 101 || strlen(res.accept) == HTTP_ACCEPT_LEN);
	if (r == HTTP_DONE && res.status != 101)
		write_answer(res.status, NULL, span_of(NULL, 0));
	buf_clear(&in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct http_request whole, slow;
	enum http_result r;

	if (n > ROOM)
		return 0;
	memset(&whole, 0, sizeof(whole));
	memset(&slow, 0, sizeof(slow));
	r = request(p, n, ROOM, &whole);
	fuzz_check(r == request(p, n, 1, &slow));
	if (r == HTTP_DONE) {
		fuzz_check(memcmp(&whole, &slow, sizeof(whole)) == 0);
		accepted(&whole);
	} else if (r == HTTP_BAD) {
		fuzz_check(
		    whole.error != NULL && whole.status >= 400 && whole.status < 600);
		write_answer(whole.status, "text/plain", span_str(whole.error));
	}
	response(p, n);
	return 0;
}
