/* SPDX-License-Identifier: ISC */
/*
 * scrypt.c - scrypt (RFC 7914) on OpenSSL's EVP_KDF, with the cost judged first.
 *
 * Owns nothing between calls. Called by the client, which wraps the key of its database
 * under a passphrase and keeps cost and salt beside it; a file from elsewhere can thus
 * ask for any cost, and scrypt_cost_ok() is what stands between it and all the memory.
 * OpenSSL's own limit (32 MiB unless raised) is set just above ours. Fails with -1 and a
 * zeroed key when the cost is refused or memory is short.
 */
#include "config.h"

#include "crypto/scrypt.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/mem.h"

#define SCRYPT_R_MAX 32
#define SCRYPT_PASS_MAX 4096
#define SCRYPT_SLACK                                                                     \
	((uint64_t)1 << 20) /* the p blocks and scratch, beyond 128 * N * r */

const struct scrypt_cost scrypt_default = {(uint64_t)1 << 17, 8, 1};

bool
scrypt_cost_ok(const struct scrypt_cost *c)
{
	if (c->n < 2 || (c->n & (c->n - 1)) != 0 || c->p < 1 || c->p > SCRYPT_P_MAX)
		return false;
	if (c->r < 1 || c->r > SCRYPT_R_MAX || c->n > SCRYPT_MEM_MAX / (128 * c->r))
		return false;
	/* RFC 7914, 2: N < 2^(128 * r / 8); with our limits only r = 1 can break it. */
	return c->r > 1 || c->n < (uint64_t)1 << 16;
}

static bool
run_kdf(struct span pass, struct span salt, const struct scrypt_cost *c, uint8_t *out,
    size_t size)
{
	struct scrypt_cost cost = *c;
	uint64_t mem = SCRYPT_MEM_MAX + SCRYPT_SLACK;
	uint8_t none[1] = {0};
	void *pass_p = pass.n > 0 ? (void *)(uintptr_t)pass.p : none;
	void *salt_p = salt.n > 0 ? (void *)(uintptr_t)salt.p : none;
	OSSL_PARAM params[] = {
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, pass_p, pass.n),
	    OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt_p, salt.n),
	    OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &cost.n),
	    OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &cost.r),
	    OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &cost.p),
	    OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &mem),
	    OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
	EVP_KDF_CTX *ctx = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	bool ok = ctx != NULL && EVP_KDF_derive(ctx, out, size, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

int
scrypt_derive(struct span pass, struct span salt, const struct scrypt_cost *c,
    uint8_t *out, size_t size)
{
	if (size >= 1 && size <= SCRYPT_OUT_MAX && pass.n <= SCRYPT_PASS_MAX &&
	    scrypt_cost_ok(c) && run_kdf(pass, salt, c, out, size))
		return 0;
	wipe(out, size);
	ERR_clear_error();
	return -1;
}
