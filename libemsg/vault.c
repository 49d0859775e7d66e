/* SPDX-License-Identifier: ISC */
/*
 * vault.c - the key of the local database.
 *
 * A database has one random key of 32 bytes. It is kept beside the data, wrapped by
 * AES-256-GCM under a key that scrypt makes of the passphrase, or, by the user's explicit
 * choice, as it is. Two keys are derived from it: one seals values, one makes the names under
 * which rows are looked up. A new passphrase would only wrap the key again; the data stays.
 *
 * Owns nothing. Called by homes.c and enrol.c. Fails with an enum; after a failure the
 * output holds no secret.
 */
#include "base/mem.h"
#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/hkdf.h"
#include "wire/obj.h"
#include "vault.h"

#define WRAPPED_SIZE (VAULT_KEY_SIZE + AEAD_TAG_SIZE)

struct vault_blob {
	uint32_t has;
	uint64_t mode;
	uint8_t salt[SCRYPT_SALT_SIZE];
	uint64_t n, r, p;
	uint8_t nonce[AEAD_NONCE_SIZE];
	struct span key; /* open or wrapped */
};
static const struct obj_field blob_fields[] = {
    OBJ_FIELD(
	1, OBJ_UINT, struct vault_blob, mode, VAULT_OPEN, VAULT_PASSPHRASE, OBJ_REQUIRED),
    OBJ_FIXED(2, struct vault_blob, salt, OBJ_REQUIRED),
    OBJ_FIELD(3, OBJ_UINT, struct vault_blob, n, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(4, OBJ_UINT, struct vault_blob, r, 0, UINT32_MAX, OBJ_REQUIRED),
    OBJ_FIELD(5, OBJ_UINT, struct vault_blob, p, 0, UINT32_MAX, OBJ_REQUIRED),
    OBJ_FIXED(6, struct vault_blob, nonce, OBJ_REQUIRED),
    OBJ_FIELD(
	7, OBJ_BSTR, struct vault_blob, key, VAULT_KEY_SIZE, WRAPPED_SIZE, OBJ_REQUIRED),
};
static const struct obj_def blob_def = {
    "vault-blob", sizeof(struct vault_blob), OBJ_MAP, OBJ_FIELDS(blob_fields)};

static const char wrap_aad[] = "emsg-vault-v1";

/* The two working keys of a database key. */
static enum vault_result
derive(const uint8_t key[VAULT_KEY_SIZE], struct vault *vault)
{
	struct span none = {NULL, 0}, ikm = span_of(key, VAULT_KEY_SIZE);

	if (hkdf_derive(none, ikm, span_str("emsg-db-seal-v1"), vault->seal,
		VAULT_KEY_SIZE) == 0 &&
	    hkdf_derive(none, ikm, span_str("emsg-db-index-v1"), vault->index,
		VAULT_KEY_SIZE) == 0)
		return VAULT_OK;
	vault_wipe(vault);
	return VAULT_FAILED;
}

static bool
wrapping_key(
    const struct vault_blob *b, const struct span *pass, uint8_t out[VAULT_KEY_SIZE])
{
	struct scrypt_cost cost = {.n = b->n, .r = (uint32_t)b->r, .p = (uint32_t)b->p};

	return scrypt_cost_ok(&cost) &&
	    scrypt_derive(*pass, span_of(b->salt, sizeof(b->salt)), &cost, out,
		VAULT_KEY_SIZE) == 0;
}

/* Wraps the key under the passphrase into *out. */
static enum vault_result
wrap(const struct vault_blob *b, const struct span *pass,
    const uint8_t key[VAULT_KEY_SIZE], struct buf *out)
{
	uint8_t kek[VAULT_KEY_SIZE];
	int rc = -1;

	if (wrapping_key(b, pass, kek))
		rc = aead_seal(AEAD_AES_256_GCM, span_of(kek, sizeof(kek)), b->nonce,
		    span_str(wrap_aad), span_of(key, VAULT_KEY_SIZE), out);
	wipe(kek, sizeof(kek));
	return rc == 0 ? VAULT_OK : VAULT_FAILED;
}

static enum vault_result
unwrap(const struct vault_blob *b, const struct span *pass, struct buf *key)
{
	enum vault_result result = VAULT_WRONG;
	uint8_t kek[VAULT_KEY_SIZE];

	if (!wrapping_key(b, pass, kek))
		return VAULT_FAILED;
	if (aead_open(AEAD_AES_256_GCM, span_of(kek, sizeof(kek)), b->nonce,
		span_str(wrap_aad), b->key, key) == 0)
		result = VAULT_OK;
	wipe(kek, sizeof(kek));
	return result;
}

enum vault_result
vault_make(const struct span *pass, const struct scrypt_cost *cost, struct buf *blob,
    struct vault *vault)
{
	struct vault_blob b = {.n = cost->n, .r = cost->r, .p = cost->p};
	enum vault_result result = VAULT_OK;
	uint8_t key[VAULT_KEY_SIZE];
	struct buf wrapped;

	buf_init(&wrapped, WRAPPED_SIZE);
	random_bytes(key, sizeof(key));
	random_bytes(b.salt, sizeof(b.salt));
	random_bytes(b.nonce, sizeof(b.nonce));
	b.mode = vault->mode = pass == NULL ? VAULT_OPEN : VAULT_PASSPHRASE;
	b.key = span_of(key, sizeof(key));
	if (pass != NULL) {
		result = wrap(&b, pass, key, &wrapped);
		b.key = buf_span(&wrapped);
	}
	if (result == VAULT_OK && obj_encode(&blob_def, &b, blob) != WIRE_OK)
		result = VAULT_FAILED;
	if (result == VAULT_OK)
		result = derive(key, vault);
	buf_wipe(&wrapped);
	wipe(key, sizeof(key));
	return result;
}

enum vault_result
vault_open(struct span blob, const struct span *pass, struct vault *vault)
{
	enum vault_result result = VAULT_OK;
	struct vault_blob b;
	struct buf key;

	if (blob.n > VAULT_BLOB_MAX || obj_decode(&blob_def, blob, &b) != WIRE_OK)
		return VAULT_BROKEN;
	if (b.mode == VAULT_PASSPHRASE && pass == NULL)
		return VAULT_NEEDS_PASSPHRASE;
	buf_init(&key, VAULT_KEY_SIZE);
	if (b.mode == VAULT_PASSPHRASE)
		result = unwrap(&b, pass, &key);
	else
		buf_put_span(&key, b.key);
	if (result == VAULT_OK &&
	    (buf_failed(&key) || buf_span(&key).n != VAULT_KEY_SIZE))
		result = VAULT_BROKEN;
	if (result == VAULT_OK)
		result = derive(key.p, vault);
	vault->mode = (enum vault_mode)b.mode;
	buf_wipe(&key);
	return result;
}

bool
vault_mode(struct span blob, enum vault_mode *mode)
{
	struct vault_blob b;

	if (blob.n > VAULT_BLOB_MAX || obj_decode(&blob_def, blob, &b) != WIRE_OK)
		return false;
	*mode = (enum vault_mode)b.mode;
	return true;
}

void
vault_wipe(struct vault *vault)
{
	wipe(vault, sizeof(*vault));
}

const char *
vault_text(enum vault_result result)
{
	static const char *const text[] = {
	    [VAULT_OK] = "open",
	    [VAULT_NEEDS_PASSPHRASE] = "the local data needs a passphrase",
	    [VAULT_WRONG] = "wrong passphrase",
	    [VAULT_BROKEN] = "the local data is damaged: its key cannot be read",
	    [VAULT_FAILED] = "not enough memory for the passphrase (scrypt)",
	};

	return text[result];
}
