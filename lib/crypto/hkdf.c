/* SPDX-License-Identifier: ISC */
/*
 * hkdf.c - HKDF-SHA-256 as RFC 5869 writes it, on the HMAC of sha.c.
 *
 * Owns nothing between calls. OpenSSL has HKDF, too, but only over single strings; HPKE's
 * labels and our key derivations are lists of parts, and hashing them in place avoids
 * copies of secret material. Called by hpke.c and by the client's sealed messages.
 * Fails when a length is out of range or sha_hmac() fails; the output is zeros then.
 * Every block on the stack is wiped before return.
 */
#include "config.h"

#include "crypto/hkdf.h"

#include "base/mem.h"

int
hkdf_extract(struct span salt, const struct span *ikm, size_t n, uint8_t prk[SHA_SIZE])
{
	if (sha_hmac(salt, ikm, n, prk) == 0)
		return 0;
	memset(prk, 0, SHA_SIZE);
	return -1;
}

/* T(i) = HMAC(prk, T(i-1) | info | i); parts holds room for the first and the last. */
static int
expand_block(const uint8_t prk[SHA_SIZE], struct span *parts, size_t n, uint8_t number,
    uint8_t block[SHA_SIZE])
{
	parts[0] = span_of(block, number == 1 ? 0 : SHA_SIZE);
	parts[n + 1] = span_of(&number, 1);
	return sha_hmac(span_of(prk, SHA_SIZE), parts, n + 2, block);
}

int
hkdf_expand(const uint8_t prk[SHA_SIZE], const struct span *info, size_t n, uint8_t *out,
    size_t size)
{
	struct span parts[HKDF_PARTS + 2];
	uint8_t block[SHA_SIZE];
	int rc = n <= HKDF_PARTS && size >= 1 && size <= HKDF_MAX ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < n; i++)
		parts[i + 1] = info[i];
	for (size_t done = 0; rc == 0 && done < size; done += SHA_SIZE) {
		size_t part = size - done < SHA_SIZE ? size - done : SHA_SIZE;

		rc = expand_block(prk, parts, n, (uint8_t)(done / SHA_SIZE + 1), block);
		if (rc == 0)
			memcpy(out + done, block, part);
	}
	wipe(block, sizeof(block));
	if (rc != 0)
		wipe(out, size);
	return rc;
}

int
hkdf_derive(
    struct span salt, struct span ikm, struct span info, uint8_t *out, size_t size)
{
	uint8_t prk[SHA_SIZE];
	int rc;

	if (hkdf_extract(salt, &ikm, 1, prk) == 0) {
		rc = hkdf_expand(prk, &info, 1, out, size);
	} else {
		wipe(out, size);
		rc = -1;
	}
	wipe(prk, sizeof(prk));
	return rc;
}
