/* SPDX-License-Identifier: ISC */
/*
 * text.c - bytes to text and back: hex, ids, base64url, decimal numbers, UTF-8, random bytes.
 *
 * Pure functions, but for the random numbers, which come from getrandom(2). The wire codec
 * and the tools decode with them what others sent, so each value has one spelling and
 * everything else is refused: no blanks, no padding, no stray bits, no overlong forms.
 * Nothing is owned and nothing is kept.
 * Fails: decoders return false and then the output means nothing; a system without random
 * numbers is fatal.
 */
#include "config.h"

#include <errno.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/text.h"

#define ID32_TEXT 13

static const char hex_digits[] = "0123456789abcdef";
static const char id32_digits[] = "0123456789bcdfghjklmnpqrstuvwxyz";
static const char b64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The place of c among the digits, or -1. */
static int
digit_value(const char *digits, char c)
{
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

void
hex_encode(struct span s, char *out)
{
	for (size_t i = 0; i < s.n; i++) {
		*out++ = hex_digits[s.p[i] >> 4];
		*out++ = hex_digits[s.p[i] & 15];
	}
	*out = '\0';
}

static int
hex_value(char c)
{
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return digit_value(hex_digits, c);
}

bool
hex_decode(const char *text, uint8_t *out, size_t n)
{
	int high, low;

	for (size_t i = 0; i < n; i++) {
		if ((high = hex_value(text[2 * i])) < 0)
			return false;
		if ((low = hex_value(text[2 * i + 1])) < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return text[2 * n] == '\0';
}

void
id32_encode(uint64_t v, char out[14])
{
	for (int i = ID32_TEXT - 1; i >= 0; i--) {
		out[i] = id32_digits[v & 31];
		v >>= 5;
	}
	out[ID32_TEXT] = '\0';
}

bool
id32_decode(const char *text, uint64_t *v)
{
	uint64_t sum = 0;
	int d;

	for (int i = 0; i < ID32_TEXT; i++) {
		d = digit_value(id32_digits, text[i]);
		/* 13 digits are 65 bits: the first one is half as large. */
		if (d < 0 || (i == 0 && d > 15))
			return false;
		sum = sum << 5 | (uint64_t)d;
	}
	if (text[ID32_TEXT] != '\0')
		return false;
	*v = sum;
	return true;
}

void
b64url_encode(struct span s, char *out)
{
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < s.n; i++) {
		bits = bits << 8 | s.p[i];
		for (have += 8; have >= 6; have -= 6)
			*out++ = b64url_digits[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*out++ = b64url_digits[bits << (6 - have) & 63];
	*out = '\0';
}

bool
b64url_decode(struct span text, uint8_t *out, size_t max, size_t *n)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t got = 0;
	int d;

	if (text.n % 4 == 1)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if ((d = digit_value(b64url_digits, (char)text.p[i])) < 0)
			return false;
		bits = bits << 6 | (uint32_t)d;
		have += 6;
		if (have < 8)
			continue;
		if (got == max)
			return false;
		have -= 8;
		out[got++] = (uint8_t)(bits >> have);
	}
	/* The bits that are left over must be zero, or there were two spellings. */
	if ((bits & ((1U << have) - 1)) != 0)
		return false;
	*n = got;
	return true;
}

bool
num_parse(const char *text, uint64_t min, uint64_t max, uint64_t *v)
{
	uint64_t sum = 0, d;
	const char *s;

	if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0'))
		return false;
	for (s = text; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		d = (uint64_t)(*s - '0');
		if (sum > (UINT64_MAX - d) / 10)
			return false;
		sum = sum * 10 + d;
	}
	if (sum < min || sum > max)
		return false;
	*v = sum;
	return true;
}

/* How long a sequence is that begins with this byte, and the range of its second byte
 * (RFC 3629, section 4). 0 if no sequence does. */
static size_t
utf8_lead(uint8_t c, uint8_t *low, uint8_t *high)
{
	*low = 0x80;
	*high = 0xbf;
	if (c < 0x80)
		return 1;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	if (c < 0xe0)
		return 2;
	if (c == 0xe0)
		*low = 0xa0;
	if (c == 0xed)
		*high = 0x9f;
	if (c == 0xf0)
		*low = 0x90;
	if (c == 0xf4)
		*high = 0x8f;
	return c < 0xf0 ? 3 : 4;
}

size_t
utf8_step(struct span s)
{
	uint8_t low, high;
	size_t n;

	if (s.n == 0)
		return 0;
	n = utf8_lead(s.p[0], &low, &high);
	if (n == 0 || n > s.n)
		return 0;
	if (n > 1 && (s.p[1] < low || s.p[1] > high))
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s.p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

bool
utf8_commands(struct span one, uint32_t *code)
{
	uint32_t c = one.n == 1 ? one.p[0]
	    : one.n == 2        ? one.p[0] & 0x1fU
	    : one.n == 3        ? one.p[0] & 0xfU
				: one.p[0] & 7U;

	for (size_t i = 1; i < one.n; i++)
		c = c << 6 | (one.p[i] & 0x3fU);
	*code = c;
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x61c ||
	    c == 0x2028 || c == 0x2029;
}

bool
utf8_valid(struct span s)
{
	size_t n;

	for (; s.n > 0; s = span_of(s.p + n, s.n - n))
		if ((n = utf8_step(s)) == 0)
			return false;
	return true;
}

bool
text_copy(char *out, size_t size, struct span s)
{
	if (size > 0)
		out[0] = '\0';
	if (s.n >= size || (s.n > 0 && memchr(s.p, 0, s.n) != NULL))
		return false;
	if (s.n > 0)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

void
random_bytes(void *p, size_t n)
{
	uint8_t *to = p;
	ssize_t r;

	while (n > 0) {
		r = getrandom(to, n, 0);
		if (r == -1 && errno == EINTR)
			continue;
		if (r <= 0)
			fatal_errno("getrandom");
		to += r;
		n -= (size_t)r;
	}
}

uint64_t
random_u64(void)
{
	uint64_t v;

	random_bytes(&v, sizeof(v));
	return v;
}

uint32_t
random_below(uint32_t bound)
{
	uint64_t v;
	uint32_t least;

	if (bound == 0)
		panic("random_below: no number is below 0");
	/* 2^32 mod bound of the 2^32 values would make some results likelier than others. */
	least = (0U - bound) % bound;
	do
		v = random_u64() >> 32;
	while (v < least);
	return (uint32_t)(v % bound);
}
