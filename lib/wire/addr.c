/* SPDX-License-Identifier: ISC */
/*
 * addr.c - addresses in normal form: split, check, compare, print.
 *
 * Only bytes are judged here: what a server must refuse so that two spellings of one
 * address can never be two accounts. The tables of Unicode (case, width, normal forms,
 * bidi) stay with the clients, which normalise before anything is sent.
 *
 * Called by every process that sees an address, on remote input. Pure: no allocation, no
 * globals; a refusal is "false" and, for people, one static phrase.
 */
#include "wire/addr.h"

#include "base/text.h"

static bool
refuse(const char **why, const char *reason)
{
	if (why != NULL)
		*why = reason;
	return false;
}

static bool
ldh(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static bool
all_digits(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return true;
}

static bool
label_valid(struct span s, const char **why)
{
	if (s.n == 0)
		return refuse(why, "domain has an empty label");
	if (s.n > ADDR_LABEL_MAX)
		return refuse(why, "domain has a label longer than 63 bytes");
	for (size_t i = 0; i < s.n; i++) {
		if (!ldh(s.p[i]))
			return refuse(
			    why, "domain may hold a-z, 0-9, hyphens and dots only");
	}
	if (s.p[0] == '-' || s.p[s.n - 1] == '-')
		return refuse(why, "domain label begins or ends with a hyphen");
	if (s.n >= 4 && s.p[2] == '-' && s.p[3] == '-' &&
	    (memcmp(s.p, "xn", 2) != 0 || s.n == 4))
		return refuse(why, "domain label has \"--\" but is not an A-label");
	return true;
}

bool
addr_domain_valid(struct span s, const char **why)
{
	if (s.n == 0)
		return refuse(why, "domain is empty");
	if (s.n > ADDR_DOMAIN_MAX)
		return refuse(why, "domain is longer than 253 bytes");
	for (;;) {
		const uint8_t *dot = memchr(s.p, '.', s.n);
		struct span label = span_of(s.p, dot == NULL ? s.n : (size_t)(dot - s.p));

		if (!label_valid(label, why))
			return false;
		if (dot == NULL)
			return !all_digits(label) ||
			    refuse(why, "the last label of a domain is not a number");
		s = span_of(dot + 1, s.n - label.n - 1);
		if (s.n == 0)
			return refuse(why, "domain ends with a dot");
	}
}

/* Of valid UTF-8: C0 and C1 controls (U+0080 to U+009F) and DEL. */
static bool
control(struct span s, size_t i)
{
	if (s.p[i] < 0x20 || s.p[i] == 0x7f)
		return true;
	return s.p[i] == 0xc2 && i + 1 < s.n && s.p[i + 1] < 0xa0;
}

bool
addr_local_valid(struct span s, const char **why)
{
	static const char forbidden[] = "#@/:\"<>\\ ";

	if (s.n == 0)
		return refuse(why, "local part is empty");
	if (s.n > ADDR_LOCAL_MAX)
		return refuse(why, "local part is longer than 64 bytes");
	if (!utf8_valid(s))
		return refuse(why, "local part is not UTF-8");
	for (size_t i = 0; i < s.n; i++) {
		if (control(s, i))
			return refuse(why, "local part holds a control character");
		if (memchr(forbidden, s.p[i], sizeof(forbidden) - 1) != NULL)
			return refuse(
			    why, "local part holds one of # @ / : \" < > \\ or space");
		if (s.p[i] >= 'A' && s.p[i] <= 'Z')
			return refuse(why, "local part holds an upper-case letter");
	}
	return true;
}

static bool
split(struct span text, bool at, struct addr *out, const char **why)
{
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '#' && (!at || text.p[i] != '@'))
			continue;
		out->local = span_of(text.p, i);
		out->domain = span_of(text.p + i + 1, text.n - i - 1);
		return addr_local_valid(out->local, why) &&
		    addr_domain_valid(out->domain, why);
	}
	return refuse(why, "address has no \"#\"");
}

bool
addr_parse(struct span text, struct addr *out, const char **why)
{
	return split(text, true, out, why);
}

bool
addr_parse_wire(struct span text, struct addr *out)
{
	return split(text, false, out, NULL);
}

bool
addr_eq(const struct addr *a, const struct addr *b)
{
	return span_eq(a->local, b->local) && span_eq(a->domain, b->domain);
}

static int
bytes_cmp(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

int
addr_cmp(const struct addr *a, const struct addr *b)
{
	int c = bytes_cmp(a->domain, b->domain);

	return c != 0 ? c : bytes_cmp(a->local, b->local);
}

void
addr_print(const struct addr *a, char out[ADDR_TEXT_SIZE])
{
	out[0] = '\0';
	if (!addr_local_valid(a->local, NULL) || !addr_domain_valid(a->domain, NULL))
		return;
	memcpy(out, a->local.p, a->local.n);
	out[a->local.n] = '#';
	memcpy(out + a->local.n + 1, a->domain.p, a->domain.n);
	out[a->local.n + 1 + a->domain.n] = '\0';
}
