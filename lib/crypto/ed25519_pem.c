/* SPDX-License-Identifier: ISC */
/*
 * ed25519_pem.c - key files: private Ed25519 keys as PKCS#8 in PEM (RFC 8410 section 7).
 *
 * Apart from ed25519.c so that only the programs that handle key files (keyd, emsgctl) are
 * linked with code that reads private keys; tests/lint/links.py looks. A passphrase is never
 * asked for. Fails with -1 and a wiped seed.
 */
#include "config.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/mem.h"
#include "crypto/ed25519.h"

int
ed25519_pem_write(const uint8_t seed[ED25519_SEED_SIZE], struct buf *out)
{
	EVP_PKEY *key =
	    EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_SIZE);
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text = NULL;
	long n = 0;
	bool ok = key != NULL && bio != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;

	if (ok)
		n = BIO_get_mem_data(bio, &text);
	ok = ok && n > 0;
	if (ok)
		buf_put(out, text, (size_t)n);
	BIO_free(bio);
	EVP_PKEY_free(key);
	if (!ok)
		ERR_clear_error();
	return ok && !buf_failed(out) ? 0 : -1;
}

/* Answers OpenSSL's request for a passphrase: there is none, and nobody is asked. */
static int
no_passphrase(char *text, int size, int writing, void *arg)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

int
ed25519_pem_read(struct span pem, uint8_t seed[ED25519_SEED_SIZE])
{
	BIO *bio = NULL;
	EVP_PKEY *key = NULL;
	size_t n = ED25519_SEED_SIZE;
	bool ok = false;

	if (pem.n > 0 && pem.n <= ED25519_PEM_MAX)
		bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	if (key != NULL && EVP_PKEY_is_a(key, "ED25519"))
		ok = EVP_PKEY_get_raw_private_key(key, seed, &n) == 1 &&
		    n == ED25519_SEED_SIZE;
	EVP_PKEY_free(key);
	BIO_free(bio);
	if (!ok) {
		wipe(seed, ED25519_SEED_SIZE);
		ERR_clear_error();
	}
	return ok ? 0 : -1;
}
