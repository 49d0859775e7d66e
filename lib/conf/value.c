/* SPDX-License-Identifier: ISC */
/*
 * value.c - configuration values: from text, to text, compared, copied, freed.
 *
 * One parser per schema type. Each takes the text as it stands in the file and either
 * fills in the value or writes one sentence that says what would be right. fill.c calls
 * it for what operators wrote, share.c for what another process sent, so nothing here
 * trusts its input. A value owns its text, list and entries; value_clear() frees them by
 * the schema. Nothing logs; nothing fails but by returning false.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "conf/value.h"

#define DOMAIN_MAX 253
#define LABEL_MAX 63
#define NAME_MAX_BYTES 32 /* of a system group */
#define PIN_BYTES 32

struct unit {
	const char *name;
	uint64_t factor;
};

/* Greatest first: value_format() takes the first that divides. */
static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit sizes[] = {{"TiB", (uint64_t)1 << 40},
    {"GiB", (uint64_t)1 << 30}, {"MiB", (uint64_t)1 << 20}, {"KiB", 1024}, {"", 1}};
#define UNITS (sizeof(sizes) / sizeof(sizes[0]))

static bool say(char *error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes the error; always false, so that callers can return it. */
static bool
say(char *error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, VALUE_ERROR_MAX, fmt, ap);
	va_end(ap);
	return false;
}

static const struct unit *
units_of(enum schema_type type)
{
	return type == SCHEMA_DURATION ? durations : sizes;
}

void
value_format(const struct schema_row *row, uint64_t num, char *out)
{
	const struct unit *u;

	switch (row->type) {
	case SCHEMA_BOOL:
		snprintf(out, VALUE_TEXT_MAX, "%s", num != 0 ? "true" : "false");
		return;
	case SCHEMA_ENUM:
		snprintf(out, VALUE_TEXT_MAX, "%s", row->values[num]);
		return;
	case SCHEMA_DURATION:
	case SCHEMA_SIZE:
		u = units_of(row->type);
		if (num == 0)
			u += UNITS - 1;
		while (num % u->factor != 0)
			u++;
		snprintf(out, VALUE_TEXT_MAX, "%" PRIu64 "%s", num / u->factor, u->name);
		return;
	default:
		snprintf(out, VALUE_TEXT_MAX, "%" PRIu64, num);
	}
}

static bool
in_range(const struct schema_row *row, uint64_t num, char *error)
{
	char min[VALUE_TEXT_MAX], max[VALUE_TEXT_MAX];

	if (num >= row->min && num <= row->max)
		return true;
	value_format(row, row->min, min);
	value_format(row, row->max, max);
	if (row->min == row->max)
		return say(error, "must be %s", min);
	return say(error, "out of range: at least %s, at most %s", min, max);
}

static bool
parse_number(const struct schema_row *row, const char *text, struct value *v, char *error)
{
	if (!num_parse(text, 0, UINT64_MAX, &v->num))
		return say(error, "not a whole number: \"%.40s\"", text);
	return in_range(row, v->num, error);
}

/* A number and a unit without a blank between them. */
static bool
parse_units(const struct schema_row *row, const char *text, struct value *v, char *error)
{
	const char *example = row->type == SCHEMA_DURATION
	    ? "a duration: write a number and one of ms, s, m, h, d, such as 30s"
	    : "a size: write a number of bytes, or one with KiB, MiB, GiB or TiB, such "
	      "as 64KiB";
	const struct unit *u = units_of(row->type);
	size_t n = strspn(text, "0123456789");
	char digits[24];
	uint64_t num;

	if (n >= sizeof(digits))
		return say(error, "number too large: \"%.40s\"", text);
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (!num_parse(digits, 0, UINT64_MAX, &num))
		return say(error, "\"%.40s\" is not %s", text, example);
	for (size_t i = 0; i < UNITS; i++) {
		if (strcmp(text + n, u[i].name) != 0)
			continue;
		if (num > UINT64_MAX / u[i].factor)
			return say(error, "number too large: \"%.40s\"", text);
		v->num = num * u[i].factor;
		return in_range(row, v->num, error);
	}
	return say(error, "\"%.40s\" is not %s", text, example);
}

static bool
parse_bool(const struct schema_row *row, const char *text, struct value *v, char *error)
{
	static const char *const yes[] = {
	    "yes", "on", "y", "1", "True", "TRUE", "Yes", "YES", "On", "ON", NULL};
	static const char *const no[] = {
	    "no", "off", "n", "0", "False", "FALSE", "No", "NO", "Off", "OFF", NULL};

	(void)row;
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
		v->num = text[0] == 't';
		return true;
	}
	for (size_t i = 0; yes[i] != NULL; i++)
		if (strcmp(text, yes[i]) == 0)
			return say(error, "write true instead of \"%s\"", text);
	for (size_t i = 0; no[i] != NULL; i++)
		if (strcmp(text, no[i]) == 0)
			return say(error, "write false instead of \"%s\"", text);
	return say(error, "must be true or false, not \"%.40s\"", text);
}

static bool
parse_enum(const struct schema_row *row, const char *text, struct value *v, char *error)
{
	char words[128] = "";

	for (uint64_t i = 0; row->values[i] != NULL; i++) {
		size_t n = strlen(words);

		if (strcmp(text, row->values[i]) == 0) {
			v->num = i;
			return true;
		}
		snprintf(words + n, sizeof(words) - n, "%s%s", i == 0 ? "" : ", ",
		    row->values[i]);
	}
	return say(error, "must be one of %s, not \"%.40s\"", words, text);
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
parse_name(const struct schema_row *row, const char *text, struct value *v, char *error)
{
	size_t n = strlen(text);
	size_t ok = strspn(text,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789_-");

	(void)row;
	(void)v;
	if (n == 0 || n > NAME_MAX_BYTES || ok != n || text[0] == '-' ||
	    is_digit(text[0]))
		return say(error, "not the name of a system group: \"%.40s\"", text);
	return true;
}

/* One label of a domain: letters, digits, inner hyphens. */
static bool
label_ok(const char *p, size_t n)
{
	if (n == 0 || n > LABEL_MAX || p[0] == '-' || p[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_lower(p[i]) && !is_digit(p[i]) && p[i] != '-')
			return false;
	return true;
}

static bool
domain_ok(const char *text)
{
	size_t total = strlen(text);
	const char *last = text;

	if (total == 0 || total > DOMAIN_MAX)
		return false;
	for (const char *p = text;; p++) {
		size_t n = strcspn(p, ".");

		if (!label_ok(p, n))
			return false;
		last = p;
		p += n;
		if (*p == '\0')
			break;
	}
	return strspn(last, "0123456789") != strlen(last);
}

static bool
parse_domain(const struct schema_row *row, const char *text, struct value *v, char *error)
{
	(void)row;
	(void)v;
	if (domain_ok(text))
		return true;
	if (strpbrk(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
		return say(error, "write the domain in lower case: \"%.80s\"", text);
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			return say(error, "write the domain in its ASCII form (xn--...)");
	if (text[0] != '\0' && text[strlen(text) - 1] == '.')
		return say(error, "write the domain without the dot at its end");
	return say(error, "not a domain: \"%.80s\"", text);
}

static bool
parse_host(const struct schema_row *row, const char *text, struct value *v, char *error)
{
	struct in6_addr any;

	if (inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1)
		return true;
	return parse_domain(row, text, v, error);
}

static bool
parse_path(const struct schema_row *row, const char *text, struct value *v, char *error)
{
	(void)row;
	(void)v;
	if (text[0] != '/')
		return say(error, "must be an absolute path, not \"%.80s\"", text);
	for (const char *p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return say(error, "a path must not hold control characters");
	return true;
}

/* Splits "host:port" or "[host]:port"; false if it has neither form. */
static bool
split_port(const char *text, char host[INET6_ADDRSTRLEN], uint64_t *port)
{
	const char *colon = strrchr(text, ':');
	bool brackets = text[0] == '[';
	size_t n;

	if (colon == NULL || colon == text)
		return false;
	if (brackets && colon[-1] != ']')
		return false;
	n = (size_t)(colon - text) - (brackets ? 2 : 0);
	if (n >= INET6_ADDRSTRLEN)
		return false;
	memcpy(host, text + (brackets ? 1 : 0), n);
	host[n] = '\0';
	if (brackets != (strchr(host, ':') != NULL))
		return false;
	return num_parse(colon + 1, 1, UINT16_MAX, port);
}

bool
value_sockaddr(const char *text, struct sockaddr_storage *ss, socklen_t *len)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in4 = {.sin_family = AF_INET};
	char host[INET6_ADDRSTRLEN];
	uint64_t port;

	memset(ss, 0, sizeof(*ss));
	if (!split_port(text, host, &port))
		return false;
	if (text[0] == '[' && inet_pton(AF_INET6, host, &in6.sin6_addr) == 1) {
		in6.sin6_port = htons((uint16_t)port);
		memcpy(ss, &in6, sizeof(in6));
		*len = sizeof(in6);
		return true;
	}
	if (text[0] != '[' && inet_pton(AF_INET, host, &in4.sin_addr) == 1) {
		in4.sin_port = htons((uint16_t)port);
		memcpy(ss, &in4, sizeof(in4));
		*len = sizeof(in4);
		return true;
	}
	return false;
}

static bool
parse_listen(const struct schema_row *row, const char *text, struct value *v, char *error)
{
	struct sockaddr_storage ss;
	socklen_t len;

	(void)row;
	(void)v;
	if (value_sockaddr(text, &ss, &len))
		return true;
	return say(error,
	    "not an address and port: \"%.60s\"; write 192.0.2.1:443 or \"[::]:443\"",
	    text);
}

static bool
host_bits_zero(const struct prefix *p, unsigned int width)
{
	for (unsigned int i = p->bits; i < width; i++)
		if ((p->addr[i / 8] >> (7 - i % 8) & 1) != 0)
			return false;
	return true;
}

bool
value_prefix(const char *text, struct prefix *p)
{
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
	char host[INET6_ADDRSTRLEN];
	unsigned int width;
	uint64_t bits;

	memset(p, 0, sizeof(*p));
	if (!text_copy(host, sizeof(host), span_of(text, n)))
		return false;
	p->family = strchr(host, ':') == NULL ? AF_INET : AF_INET6;
	width = p->family == AF_INET ? 32 : 128;
	if (inet_pton(p->family, host, p->addr) != 1)
		return false;
	bits = width;
	if (slash != NULL && !num_parse(slash + 1, 0, width, &bits))
		return false;
	p->bits = (unsigned int)bits;
	return host_bits_zero(p, width);
}

bool
value_prefix_has(const struct prefix *p, int family, const uint8_t *addr)
{
	unsigned int whole = p->bits / 8, rest = p->bits % 8;

	if (family != p->family || memcmp(p->addr, addr, whole) != 0)
		return false;
	return rest == 0 || (p->addr[whole] ^ addr[whole]) >> (8 - rest) == 0;
}

static bool
parse_prefix(const struct schema_row *row, const char *text, struct value *v, char *error)
{
	struct prefix p;

	(void)row;
	(void)v;
	if (value_prefix(text, &p))
		return true;
	return say(error,
	    "not an address range: \"%.60s\"; write 10.0.0.0/8 or \"fd00::/8\", with no "
	    "bits "
	    "set beyond the length",
	    text);
}

static bool
parse_pin(const struct schema_row *row, const char *text, struct value *v, char *error)
{
	uint8_t pin[PIN_BYTES];

	(void)row;
	(void)v;
	if (strlen(text) == 2 * PIN_BYTES && hex_decode(text, pin, sizeof(pin)))
		return true;
	return say(error, "must be 64 hex digits (SHA-256 of the root key)");
}

bool
value_parse(const struct schema_row *row, const char *text, struct value *v, char *error)
{
	static bool (*const parsers[])(
	    const struct schema_row *, const char *, struct value *, char *) = {
	    [SCHEMA_INT] = parse_number,
	    [SCHEMA_BOOL] = parse_bool,
	    [SCHEMA_DURATION] = parse_units,
	    [SCHEMA_SIZE] = parse_units,
	    [SCHEMA_PORT] = parse_number,
	    [SCHEMA_ENUM] = parse_enum,
	    [SCHEMA_NAME] = parse_name,
	    [SCHEMA_DOMAIN] = parse_domain,
	    [SCHEMA_HOST] = parse_host,
	    [SCHEMA_PATH] = parse_path,
	    [SCHEMA_LISTEN] = parse_listen,
	    [SCHEMA_PREFIX] = parse_prefix,
	    [SCHEMA_PIN] = parse_pin,
	};

	if (text[0] == '\0')
		return say(error, "has no value");
	if (strlen(text) >= VALUE_TEXT_MAX)
		return say(error, "value longer than %d bytes", VALUE_TEXT_MAX - 1);
	if (!parsers[row->type](row, text, v, error))
		return false;
	if (!value_is_number(row) && (row->flags & SCHEMA_LIST) == 0) {
		free(v->text);
		v->text = xstrdup(text);
	}
	v->set = true;
	return true;
}

bool
value_is_number(const struct schema_row *row)
{
	return row->type <= SCHEMA_ENUM;
}

static bool
text_eq(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

static bool
list_eq(const struct value *a, const struct value *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->list[i], b->list[i]) != 0)
			return false;
	return true;
}

static bool
entries_eq(enum conf_key maps, const struct value *a, const struct value *b)
{
	size_t width = schema_entry_rows(maps);

	for (size_t i = 0; i < a->n * width; i++) {
		enum conf_key key = (enum conf_key)((size_t)maps + 1 + i % width);

		if (!value_eq(key, &a->entries[i], &b->entries[i]))
			return false;
	}
	return true;
}

bool
value_eq(enum conf_key key, const struct value *a, const struct value *b)
{
	const struct schema_row *row = schema_row(key);

	if (a->set != b->set || a->n != b->n)
		return false;
	if (row->type == SCHEMA_MAPS)
		return entries_eq(key, a, b);
	if ((row->flags & SCHEMA_LIST) != 0)
		return list_eq(a, b);
	if (value_is_number(row))
		return a->num == b->num;
	return text_eq(a->text, b->text);
}

void
value_clear(enum conf_key key, struct value *v)
{
	if (v->list != NULL)
		for (size_t i = 0; i < v->n; i++)
			free(v->list[i]);
	if (v->entries != NULL) {
		size_t width = schema_entry_rows(key);

		for (size_t i = 0; i < v->n * width; i++)
			value_clear(
			    (enum conf_key)((size_t)key + 1 + i % width), &v->entries[i]);
	}
	free(v->list);
	free(v->entries);
	free(v->text);
	memset(v, 0, sizeof(*v));
}
