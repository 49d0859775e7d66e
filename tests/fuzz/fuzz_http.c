/* SPDX-License-Identifier: ISC */
/*
 * fuzz_http.c - fuzz target: request and response heads.
 *
 * What must hold for any bytes: a head is judged alike whether it comes at once or byte by
 * byte; what was accepted has a path and a host; a refusal has a text, and for a request a
 * status.
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
		fuzz_check(whole.path[0] == '/' && whole.host[0] != '\0');
		fuzz_check(whole.upgrade == (strlen(whole.key) == HTTP_KEY_LEN));
	} else if (r == HTTP_BAD) {
		fuzz_check(
		    whole.error != NULL && whole.status >= 400 && whole.status < 600);
	}
	response(p, n);
	return 0;
}
