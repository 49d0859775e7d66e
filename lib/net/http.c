/* SPDX-License-Identifier: ISC */
/*
 * http.c - strict heads of HTTP/1.1 requests and answers, and their writers.
 *
 * A head is first searched for its end, byte by byte and each byte once; whatever must not
 * be in a head (control bytes, bare CR or LF, another method than GET) is refused on the way,
 * so that a stranger cannot make us gather what we would refuse anyway. A complete head is
 * then cut into lines and fields; one small table says which fields we look at. Repetition of
 * a field that decides something, folded lines, blanks before a colon and bytes beyond ASCII
 * are refused, because different readers understand them differently.
 *
 * Owns nothing and keeps nothing. Called by link.c and by the client library. Fails with
 * HTTP_BAD, a status for the answer and a static text; never logs, never exits.
 * The only call into OpenSSL is SHA-1 for Sec-WebSocket-Accept, which RFC 6455 prescribes and
 * which protects nothing.
 */
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include <openssl/evp.h>

#include "base/text.h"
#include "net/http.h"

#define WS_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define SHA1_LEN 20

/* What the fields of one head said. */
struct fields {
	struct http_request *req; /* one of these two is NULL */
	struct http_response *res;
	unsigned seen;          /* FIELD_BIT set */
	bool upgrade_token;     /* Connection: ... upgrade ... */
	bool upgrade_websocket; /* Upgrade: websocket */
	bool version_13;        /* Sec-WebSocket-Version: 13 */
	const char *error;      /* static text; NULL while all is well */
};

enum field {
	FIELD_HOST,
	FIELD_CONNECTION,
	FIELD_UPGRADE,
	FIELD_LENGTH,
	FIELD_ENCODING,
	FIELD_KEY,
	FIELD_ACCEPT,
	FIELD_VERSION,
	FIELD_PROTOCOL,
	FIELD_EXTENSIONS,
	FIELD_COUNT
};
#define FIELD_BIT(f) (1U << (f))

static const char *const proto_names[HTTP_PROTO_COUNT] = {
    NULL, "emsg-c2s.1", "emsg-s2s.1", "emsg-session.1"};

const char *
http_proto_name(enum http_proto proto)
{
	return (unsigned)proto < HTTP_PROTO_COUNT ? proto_names[proto] : NULL;
}

static enum http_proto
proto_find(struct span name)
{
	unsigned i;

	for (i = 1; i < HTTP_PROTO_COUNT; i++)
		if (span_eq(name, span_str(proto_names[i])))
			return (enum http_proto)i;
	return HTTP_PROTO_NONE;
}

void
http_scan_init(struct http_scan *scan)
{
	scan->seen = 0;
}

static char
lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Equality with a lower-case text, letters in any case. */
static bool
span_is(struct span s, const char *text)
{
	size_t i;

	if (s.n != strlen(text))
		return false;
	for (i = 0; i < s.n; i++)
		if (lower(s.p[i]) != text[i])
			return false;
	return true;
}

/* A byte of a field name or another token (RFC 9110 section 5.6.2). */
static bool
is_token(uint8_t c)
{
	return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') ||
	    (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static struct span
trim(struct span s)
{
	while (s.n > 0 && s.p[0] == ' ')
		s = span_of(s.p + 1, s.n - 1);
	while (s.n > 0 && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

/* Takes the next element off a comma-separated list; false at its end. */
static bool
list_next(struct span *list, struct span *element)
{
	const uint8_t *comma;
	size_t n;

	if (list->n == 0)
		return false;
	comma = memchr(list->p, ',', list->n);
	n = comma != NULL ? (size_t)(comma - list->p) : list->n;
	*element = trim(span_of(list->p, n));
	if (comma != NULL)
		n++;
	*list = span_of(list->p + n, list->n - n);
	return true;
}

/* 16 bytes of base64 (n = 22 characters and "==") or 20 (27 and "="); canonical or not. */
static bool
is_base64(struct span s, size_t chars, size_t pads)
{
	size_t i;

	if (s.n != chars + pads)
		return false;
	for (i = 0; i < chars; i++)
		if (s.p[i] != '+' && s.p[i] != '/' &&
		    (!is_token(s.p[i]) || strchr("!#$%&'*-.^_`|~", s.p[i]) != NULL))
			return false;
	for (; i < s.n; i++)
		if (s.p[i] != '=')
			return false;
	return true;
}

static bool
host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
	    c == ':' || c == '[' || c == ']';
}

static void
on_host(struct fields *f, struct span value)
{
	size_t i;

	if (f->req == NULL)
		return;
	if (value.n == 0 || value.n > HTTP_HOST_MAX) {
		f->error = "bad Host";
		return;
	}
	for (i = 0; i < value.n; i++) {
		f->req->host[i] = lower(value.p[i]);
		if (!host_char(f->req->host[i]))
			f->error = "bad Host";
	}
	f->req->host[i] = '\0';
}

static void
on_connection(struct fields *f, struct span value)
{
	struct span token;

	while (list_next(&value, &token))
		if (span_is(token, "upgrade"))
			f->upgrade_token = true;
}

static void
on_upgrade(struct fields *f, struct span value)
{
	if (span_is(value, "websocket"))
		f->upgrade_websocket = true;
	else
		f->error = "unknown Upgrade";
}

static void
on_length(struct fields *f, struct span value)
{
	size_t i, n = 0;

	if (f->req != NULL || value.n == 0 || value.n > 5) {
		f->error = "bad Content-Length";
		return;
	}
	for (i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			f->error = "bad Content-Length";
		n = n * 10 + (size_t)(value.p[i] - '0');
	}
	if (n > HTTP_BODY_MAX)
		f->error = "body too long";
	f->res->length = n;
}

static void
on_encoding(struct fields *f, struct span value)
{
	(void)value;
	f->error = "Transfer-Encoding";
}

static void
on_key(struct fields *f, struct span value)
{
	if (!is_base64(value, HTTP_KEY_LEN - 2, 2))
		f->error = "bad Sec-WebSocket-Key";
	else if (f->req != NULL)
		memcpy(f->req->key, value.p, HTTP_KEY_LEN);
}

static void
on_accept(struct fields *f, struct span value)
{
	if (!is_base64(value, HTTP_ACCEPT_LEN - 1, 1))
		f->error = "bad Sec-WebSocket-Accept";
	else if (f->res != NULL)
		memcpy(f->res->accept, value.p, HTTP_ACCEPT_LEN);
}

static void
on_version(struct fields *f, struct span value)
{
	f->version_13 = span_is(value, "13");
}

static void
on_protocol(struct fields *f, struct span value)
{
	struct span name;

	if (f->res != NULL) {
		f->res->proto = proto_find(value);
		if (f->res->proto == HTTP_PROTO_NONE)
			f->error = "unknown Sec-WebSocket-Protocol";
		return;
	}
	while (list_next(&value, &name))
		f->req->protocols |= HTTP_PROTO_BIT(proto_find(name));
	f->req->protocols &= ~HTTP_PROTO_BIT(HTTP_PROTO_NONE);
}

/* A client may offer extensions, we never take one; a server must not name one. */
static void
on_extensions(struct fields *f, struct span value)
{
	(void)value;
	if (f->res != NULL)
		f->error = "extension not offered";
}

static const struct {
	const char *name;
	void (*on)(struct fields *, struct span);
	bool repeats; /* a list that may come in pieces */
} field_table[FIELD_COUNT] = {
    [FIELD_HOST] = {"host", on_host, false},
    [FIELD_CONNECTION] = {"connection", on_connection, true},
    [FIELD_UPGRADE] = {"upgrade", on_upgrade, false},
    [FIELD_LENGTH] = {"content-length", on_length, false},
    [FIELD_ENCODING] = {"transfer-encoding", on_encoding, false},
    [FIELD_KEY] = {"sec-websocket-key", on_key, false},
    [FIELD_ACCEPT] = {"sec-websocket-accept", on_accept, false},
    [FIELD_VERSION] = {"sec-websocket-version", on_version, false},
    [FIELD_PROTOCOL] = {"sec-websocket-protocol", on_protocol, true},
    [FIELD_EXTENSIONS] = {"sec-websocket-extensions", on_extensions, true},
};

static void
take_field(struct fields *f, struct span name, struct span value)
{
	unsigned i;

	for (i = 0; i < FIELD_COUNT; i++)
		if (span_is(name, field_table[i].name))
			break;
	if (i == FIELD_COUNT)
		return;
	if ((f->seen & FIELD_BIT(i)) != 0 && !field_table[i].repeats) {
		f->error = "field repeated";
		return;
	}
	f->seen |= FIELD_BIT(i);
	field_table[i].on(f, value);
}

/* Takes a line off the head; it ends in CR LF for sure (scan_head saw to that). */
static struct span
take_line(struct span *head)
{
	const uint8_t *cr = memchr(head->p, '\r', head->n);
	struct span line = span_of(head->p, (size_t)(cr - head->p));

	*head = span_of(cr + 2, head->n - line.n - 2);
	return line;
}

/* All field lines up to the empty one. */
static void
take_fields(struct fields *f, struct span head)
{
	struct span line = take_line(&head);
	size_t n;

	for (; line.n > 0 && f->error == NULL; line = take_line(&head)) {
		for (n = 0; n < line.n && is_token(line.p[n]); n++)
			;
		if (n == 0 || n == line.n || line.p[n] != ':')
			f->error = "bad field line";
		else
			take_field(f, span_of(line.p, n),
			    trim(span_of(line.p + n + 1, line.n - n - 1)));
	}
}

/* Searches for the end of the head from where the last call stopped. Gives its length, 0 if
 * it is not there yet, or -1 if it holds a byte that no head of ours may hold. */
static ssize_t
scan_head(struct http_scan *scan, struct span in)
{
	size_t i;

	for (i = scan->seen; i < in.n && i < HTTP_HEAD_MAX; i++) {
		uint8_t c = in.p[i];
		bool after_cr = i > 0 && in.p[i - 1] == '\r';

		if ((c == '\n') != after_cr || (c < ' ' && c != '\r' && c != '\n') ||
		    c > '~')
			return -1;
		if (c == '\n' && i >= 3 && in.p[i - 2] == '\n')
			return (ssize_t)i + 1;
	}
	scan->seen = i;
	return 0;
}

static enum http_result
refuse(struct http_request *req, unsigned status, const char *error)
{
	req->status = status;
	req->error = error;
	return HTTP_BAD;
}

/* "GET /path HTTP/1.1" */
static enum http_result
take_request_line(struct http_request *req, struct span line)
{
	static const char version[] = " HTTP/1.1";
	size_t i, n;

	if (line.n < 4 + sizeof(version) - 1 ||
	    memcmp(line.p + line.n - (sizeof(version) - 1), version,
		sizeof(version) - 1) != 0)
		return refuse(req, 505, "not HTTP/1.1");
	n = line.n - 4 - (sizeof(version) - 1);
	if (n == 0 || n > HTTP_PATH_MAX || line.p[4] != '/')
		return refuse(req, 400, "bad request target");
	for (i = 0; i < n; i++) {
		uint8_t c = line.p[4 + i];

		if (c <= ' ' || c == '?' || c == '#')
			return refuse(req, 400, "bad request target");
		req->path[i] = (char)c;
	}
	req->path[n] = '\0';
	return HTTP_DONE;
}

/* A request is a whole upgrade, or has nothing of one. */
static enum http_result
judge_request(struct http_request *req, const struct fields *f)
{
	if (f->error != NULL)
		return refuse(req, 400, f->error);
	if ((f->seen & FIELD_BIT(FIELD_HOST)) == 0)
		return refuse(req, 400, "no Host");
	if (!f->upgrade_token && !f->upgrade_websocket && req->key[0] == '\0')
		return HTTP_DONE;
	if (!f->upgrade_token || !f->upgrade_websocket || req->key[0] == '\0')
		return refuse(req, 400, "incomplete upgrade");
	if (!f->version_13)
		return refuse(req, 426, "WebSocket version is not 13");
	req->upgrade = true;
	if ((f->seen & FIELD_BIT(FIELD_PROTOCOL)) == 0)
		req->protocols = HTTP_PROTO_BIT(HTTP_PROTO_NONE);
	return HTTP_DONE;
}

enum http_result
http_request_next(struct http_scan *scan, struct buf *in, struct http_request *req)
{
	struct fields f = {.req = req};
	struct span head = buf_span(in);
	ssize_t n;

	memset(req, 0, sizeof(*req));
	if (memcmp(head.p != NULL ? (const char *)head.p : "", "GET ",
		head.n < 4 ? head.n : 4) != 0)
		return refuse(req, 405, "not GET");
	if ((n = scan_head(scan, head)) < 0)
		return refuse(req, 400, "bad byte in the head");
	if (n == 0)
		return head.n < HTTP_HEAD_MAX ? HTTP_MORE
					      : refuse(req, 431, "head too long");
	head.n = (size_t)n;
	if (take_request_line(req, take_line(&head)) == HTTP_BAD)
		return HTTP_BAD;
	take_fields(&f, head);
	http_scan_init(scan);
	buf_consume(in, (size_t)n);
	return judge_request(req, &f);
}

/* "HTTP/1.1 200 OK" */
static bool
take_status_line(struct http_response *res, struct span line)
{
	size_t i;

	if (line.n < 13 || memcmp(line.p, "HTTP/1.1 ", 9) != 0 || line.p[12] != ' ')
		return false;
	for (i = 9; i < 12; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return false;
		res->status = res->status * 10 + (unsigned)(line.p[i] - '0');
	}
	return res->status == 101 || (res->status >= 200 && res->status < 600);
}

static enum http_result
judge_response(struct http_response *res, struct fields *f)
{
	if (f->error == NULL && res->status == 101 &&
	    (!f->upgrade_token || !f->upgrade_websocket || res->accept[0] == '\0' ||
		(f->seen & FIELD_BIT(FIELD_LENGTH)) != 0))
		f->error = "incomplete upgrade";
	if (f->error == NULL && res->status != 101 &&
	    (f->seen & FIELD_BIT(FIELD_LENGTH)) == 0)
		f->error = "no Content-Length";
	res->error = f->error;
	return f->error == NULL ? HTTP_DONE : HTTP_BAD;
}

static enum http_result
refuse_response(struct http_response *res, const char *error)
{
	res->error = error;
	return HTTP_BAD;
}

enum http_result
http_response_next(struct http_scan *scan, struct buf *in, struct http_response *res)
{
	struct fields f = {.res = res};
	struct span head = buf_span(in);
	ssize_t n;

	memset(res, 0, sizeof(*res));
	if ((n = scan_head(scan, head)) < 0)
		return refuse_response(res, "bad byte in the head");
	if (n == 0)
		return head.n < HTTP_HEAD_MAX ? HTTP_MORE
					      : refuse_response(res, "head too long");
	head.n = (size_t)n;
	if (!take_status_line(res, take_line(&head)))
		return refuse_response(res, "bad status line");
	take_fields(&f, head);
	http_scan_init(scan);
	buf_consume(in, (size_t)n);
	return judge_response(res, &f);
}

bool
http_host_is(const char *host, const char *domain)
{
	size_t n = strlen(domain);
	const char *p;

	if (strncmp(host, domain, n) != 0)
		return false;
	if (host[n] == '\0')
		return true;
	if (host[n] != ':' || host[n + 1] == '\0' || strlen(host + n + 1) > 5)
		return false;
	for (p = host + n + 1; *p != '\0'; p++)
		if (*p < '0' || *p > '9')
			return false;
	return true;
}

void
http_key(char key[HTTP_KEY_LEN + 1])
{
	uint8_t raw[16];

	random_bytes(raw, sizeof(raw));
	EVP_EncodeBlock((unsigned char *)key, raw, sizeof(raw));
}

int
http_accept(const char *key, char accept[HTTP_ACCEPT_LEN + 1])
{
	char text[HTTP_KEY_LEN + sizeof(WS_GUID)];
	uint8_t sum[SHA1_LEN];
	unsigned n = 0;

	snprintf(text, sizeof(text), "%.*s%s", HTTP_KEY_LEN, key, WS_GUID);
	if (EVP_Digest(text, strlen(text), sum, &n, EVP_sha1(), NULL) != 1 ||
	    n != SHA1_LEN)
		return -1;
	EVP_EncodeBlock((unsigned char *)accept, sum, SHA1_LEN);
	return 0;
}

bool
http_upgraded(const struct http_response *res, const char *key, enum http_proto proto)
{
	char expect[HTTP_ACCEPT_LEN + 1];

	return res->status == 101 && res->proto == proto &&
	    http_accept(key, expect) == 0 && strcmp(expect, res->accept) == 0;
}

static void
put_text(struct buf *b, const char *text)
{
	buf_put_span(b, span_str(text));
}

/* "Name: value" and the line end. */
static void
put_field(struct buf *b, const char *name, const char *value)
{
	put_text(b, name);
	put_text(b, ": ");
	put_text(b, value);
	put_text(b, "\r\n");
}

static void
put_request(struct buf *b, const char *host, const char *path)
{
	put_text(b, "GET ");
	put_text(b, path);
	put_text(b, " HTTP/1.1\r\n");
	put_field(b, "Host", host);
}

void
http_put_get(struct buf *b, const char *host, const char *path)
{
	put_request(b, host, path);
	put_field(b, "Connection", "close");
	put_text(b, "\r\n");
}

void
http_put_upgrade(struct buf *b, const char *host, const char *path, enum http_proto proto,
    const char *key)
{
	put_request(b, host, path);
	put_field(b, "Connection", "Upgrade");
	put_field(b, "Upgrade", "websocket");
	put_field(b, "Sec-WebSocket-Version", "13");
	put_field(b, "Sec-WebSocket-Key", key);
	if (http_proto_name(proto) != NULL)
		put_field(b, "Sec-WebSocket-Protocol", http_proto_name(proto));
	put_text(b, "\r\n");
}

int
http_put_switch(struct buf *b, const struct http_request *req, enum http_proto proto)
{
	char accept[HTTP_ACCEPT_LEN + 1];

	if (http_accept(req->key, accept) < 0)
		return -1;
	put_text(b, "HTTP/1.1 101 Switching Protocols\r\n");
	put_field(b, "Connection", "Upgrade");
	put_field(b, "Upgrade", "websocket");
	put_field(b, "Sec-WebSocket-Accept", accept);
	if (http_proto_name(proto) != NULL)
		put_field(b, "Sec-WebSocket-Protocol", http_proto_name(proto));
	put_text(b, "\r\n");
	return 0;
}

void
http_put_answer(struct buf *b, unsigned status, const char *type, struct span body)
{
	char text[64];

	snprintf(
	    text, sizeof(text), "HTTP/1.1 %u %s\r\n", status, http_status_text(status));
	put_text(b, text);
	put_field(b, "Connection", "close");
	if (status == 405)
		put_field(b, "Allow", "GET");
	if (status == 426)
		put_field(b, "Sec-WebSocket-Version", "13");
	if (type != NULL) {
		put_field(b, "Content-Type", type);
		put_field(b, "X-Content-Type-Options", "nosniff");
	}
	snprintf(text, sizeof(text), "%zu", body.n);
	put_field(b, "Content-Length", text);
	put_text(b, "\r\n");
	buf_put_span(b, body);
}

const char *
http_status_text(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} texts[] = {
	    {101, "Switching Protocols"},
	    {200, "OK"},
	    {400, "Bad Request"},
	    {403, "Forbidden"},
	    {404, "Not Found"},
	    {405, "Method Not Allowed"},
	    {421, "Misdirected Request"},
	    {426, "Upgrade Required"},
	    {429, "Too Many Requests"},
	    {431, "Request Header Fields Too Large"},
	    {500, "Internal Server Error"},
	    {503, "Service Unavailable"},
	    {505, "HTTP Version Not Supported"},
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "Error";
}
