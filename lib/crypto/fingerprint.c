/* SPDX-License-Identifier: ISC */
/*
 * fingerprint.c - thumbprints of public keys and the 60-digit verification number.
 *
 * Owns nothing and keeps nothing. Called by whatever names a key by its hash (pins, key
 * ids, key list), and by the client's verify command. The construction of the number is
 * normative and stands in the header; it needs a hash and long division only, so that
 * other implementations write it in a few lines. check_fingerprint holds it against
 * values computed by an independent program. Fails only when sha_spans() fails.
 */
#include "config.h"

#include "crypto/fingerprint.h"

#include "base/text.h"

#define GROUP_BYTES 2 /* of a thumbprint in one group of hex */
#define TEXT_BYTES 16
#define GROUP_DIGITS 5
#define GROUPS 12
#define GROUP_MODULUS 100000

int
fingerprint_of(const uint8_t pub[ED25519_PUBLIC_SIZE], uint8_t out[SHA_SIZE])
{
	return sha_of(span_of(pub, ED25519_PUBLIC_SIZE), out);
}

void
fingerprint_text(const uint8_t thumbprint[SHA_SIZE], char out[FINGERPRINT_TEXT_SIZE])
{
	char *to = out;

	for (size_t i = 0; i < TEXT_BYTES; i += GROUP_BYTES) {
		hex_encode(span_of(thumbprint + i, GROUP_BYTES), to);
		to += (size_t)2 * GROUP_BYTES;
		*to++ = i + GROUP_BYTES < TEXT_BYTES ? ' ' : '\0';
	}
}

/* h(FINGERPRINT_ROUNDS) over the sorted keys. */
static int
verify_hash(const uint8_t *low, const uint8_t *high, uint8_t h[SHA_SIZE])
{
	static const char label[] = "emsg-verify-v1"; /* hashed with its 0x00 */
	struct span parts[] = {span_of(label, sizeof(label)),
	    span_of(low, ED25519_PUBLIC_SIZE), span_of(high, ED25519_PUBLIC_SIZE)};
	int rc = sha_spans(parts, 3, h);

	parts[0] = span_of(h, SHA_SIZE);
	for (int i = 0; rc == 0 && i < FINGERPRINT_ROUNDS; i++)
		rc = sha_spans(parts, 3, h);
	return rc;
}

/* Divides the big-endian number in place; returns the remainder. */
static uint32_t
divide(uint8_t number[SHA_SIZE], uint32_t divisor)
{
	uint64_t rest = 0;

	for (size_t i = 0; i < SHA_SIZE; i++) {
		rest = rest << 8 | number[i];
		number[i] = (uint8_t)(rest / divisor);
		rest %= divisor;
	}
	return (uint32_t)rest;
}

int
fingerprint_number(const uint8_t a[ED25519_PUBLIC_SIZE],
    const uint8_t b[ED25519_PUBLIC_SIZE], char out[FINGERPRINT_NUMBER_SIZE])
{
	bool sorted = memcmp(a, b, ED25519_PUBLIC_SIZE) <= 0;
	uint8_t h[SHA_SIZE];

	if (verify_hash(sorted ? a : b, sorted ? b : a, h) != 0)
		return -1;
	for (size_t group = GROUPS; group > 0; group--) {
		char *to = out + (group - 1) * (GROUP_DIGITS + 1);
		uint32_t value = divide(h, GROUP_MODULUS);

		for (size_t i = GROUP_DIGITS; i > 0; i--, value /= 10)
			to[i - 1] = (char)('0' + value % 10);
		to[GROUP_DIGITS] = group == GROUPS ? '\0' : ' ';
	}
	return 0;
}
