/* SPDX-License-Identifier: ISC */
/*
 * keyprov.c - an OpenSSL provider whose private keys are elsewhere.
 *
 * OpenSSL asks a key's provider for the signature in a handshake. Ours knows EC and Ed25519
 * keys by their public half, which is an ordinary key of the default provider; everything that
 * can be known of a public key (size, group, bits, its parameters) is asked there. Only signing
 * is ours: it hands the bytes to the user's function, which has keyd sign them.
 *
 * What makes it work, learnt from others' provider code: the key says that it has a private half,
 * so that TLS takes it; it refuses to export one, so that OpenSSL comes to our signature
 * instead of carrying the key to the default provider; it does export the public half, so that
 * TLS can compare it with the certificate. The provider is unpreferred by default, so that
 * all other work with EC keys (the peer's certificate, key agreement) stays with the default
 * provider. check_keyprov.c proves each of these by a handshake.
 *
 * Owns the provider and the public halves. Called by listener (through tls.c and OpenSSL).
 * Fails by returning 0 to OpenSSL, which ends that handshake; never logs, never exits.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "net/cert.h"
#include "net/keyprov.h"

#define PROVIDER_NAME "emsg-keyd"
#define PROVIDER_ONLY "provider=" PROVIDER_NAME
#define PROVIDER_PROPS PROVIDER_ONLY
#define PROVIDER_LAST "?provider!=" PROVIDER_NAME
#define PARAM_KEY "emsg-key" /* our own: pointer to a struct held */

struct keyprov {
	struct tls *tls;         /* borrowed */
	OSSL_PROVIDER *provider; /* owned */
	keyprov_sign *sign;
	void *arg;
};

/* What a key object of ours holds. */
struct held {
	struct keyprov *owner; /* borrowed; NULL: not filled yet */
	EVP_PKEY *public_half; /* one reference */
	uint8_t id[KEYPROV_ID_LEN];
};

/* One signature to be made. */
struct signing {
	const struct held *key; /* borrowed from OpenSSL, which keeps it alive */
};

static bool
is_ec(const EVP_PKEY *key)
{
	char group[32];

	return EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
	    (strcmp(group, "prime256v1") == 0 || strcmp(group, "P-256") == 0);
}

/* Key management. */

static void *
key_new(void *provctx)
{
	(void)provctx;
	return xcalloc(1, sizeof(struct held));
}

static void
key_free(void *key)
{
	struct held *held = key;

	if (held == NULL)
		return;
	EVP_PKEY_free(held->public_half);
	free(held);
}

static int
key_has(const void *key, int selection)
{
	const struct held *held = key;

	(void)selection;
	return held != NULL && held->owner != NULL;
}

static int
key_match(const void *a, const void *b, int selection)
{
	const struct held *x = a, *y = b;

	(void)selection;
	return x->owner != NULL && y->owner != NULL &&
	    EVP_PKEY_eq(x->public_half, y->public_half) == 1;
}

/* Takes what keyprov_key() made; nothing else can fill a key. */
static int
key_import(void *key, int selection, const OSSL_PARAM params[])
{
	const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, PARAM_KEY);
	struct held *held = key;
	const void *given = NULL;
	size_t n = 0;

	(void)selection;
	if (p == NULL || OSSL_PARAM_get_octet_ptr(p, &given, &n) != 1 ||
	    n != sizeof(*held))
		return 0;
	memcpy(held, given, sizeof(*held));
	return EVP_PKEY_up_ref(held->public_half);
}

static const OSSL_PARAM *
key_import_types(int selection)
{
	static const OSSL_PARAM types[] = {
	    OSSL_PARAM_octet_ptr(PARAM_KEY, NULL, 0), OSSL_PARAM_END};

	(void)selection;
	return types;
}

static int
key_export(void *key, int selection, OSSL_CALLBACK *take, void *arg)
{
	const struct held *held = key;
	OSSL_PARAM *params = NULL;
	int ok;

	if (held->owner == NULL || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
		return 0;
	if (EVP_PKEY_todata(held->public_half, EVP_PKEY_PUBLIC_KEY, &params) != 1)
		return 0;
	ok = take(params, arg);
	OSSL_PARAM_free(params);
	return ok;
}

static const OSSL_PARAM *
key_export_types(int selection)
{
	static const OSSL_PARAM types[] = {
	    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
	    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
	    OSSL_PARAM_END,
	};

	return (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0 ? NULL : types;
}

static int
key_get_params(void *key, OSSL_PARAM params[])
{
	const struct held *held = key;

	return held->owner != NULL && EVP_PKEY_get_params(held->public_half, params) == 1;
}

static const OSSL_PARAM *
key_gettable_params(void *provctx)
{
	static const OSSL_PARAM types[] = {
	    OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
	    OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
	    OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
	    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
	    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
	    OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
	    OSSL_PARAM_END,
	};

	(void)provctx;
	return types;
}

static const char *
ec_operation(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : "EC";
}

static const char *
ed25519_operation(int operation)
{
	(void)operation;
	return "ED25519";
}

/* Signature. */

static void *
signing_new(void *provctx, const char *props)
{
	(void)provctx;
	(void)props;
	return xcalloc(1, sizeof(struct signing));
}

static void
signing_free(void *ctx)
{
	free(ctx);
}

/* ECDSA goes with SHA-256 and nothing else (RFC 8446: ecdsa_secp256r1_sha256); Ed25519 has
 * no separate digest. */
static bool
digest_fits(const struct held *key, const char *digest)
{
	if (digest == NULL || digest[0] == '\0')
		return true;
	return !EVP_PKEY_is_a(key->public_half, "ED25519") &&
	    (OPENSSL_strcasecmp(digest, "SHA256") == 0 ||
		OPENSSL_strcasecmp(digest, "SHA2-256") == 0 ||
		OPENSSL_strcasecmp(digest, "SHA-256") == 0);
}

static int
signing_init(void *ctx, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct signing *signing = ctx;
	const struct held *held = key;

	(void)params;
	if (held == NULL || held->owner == NULL || !digest_fits(held, digest))
		return 0;
	signing->key = held;
	return 1;
}

static int
signing_sign(void *ctx, unsigned char *sig, size_t *n, size_t size,
    const unsigned char *tbs, size_t tbs_n)
{
	const struct signing *signing = ctx;
	const struct held *key = signing->key;
	struct buf made;
	int ok;

	if (key == NULL)
		return 0;
	if (sig == NULL) {
		*n = (size_t)EVP_PKEY_get_size(key->public_half);
		return *n > 0;
	}
	buf_init(&made, KEYPROV_SIG_MAX);
	ok =
	    key->owner->sign(key->owner->arg, key->id, span_of(tbs, tbs_n), &made) == 0 &&
	    !buf_failed(&made) && made.n > 0 && made.n <= size;
	if (ok) {
		memcpy(sig, made.p, made.n);
		*n = made.n;
	}
	buf_clear(&made);
	return ok;
}

/* The tables that OpenSSL reads. */

#define FN(f) ((void (*)(void))(f))
#define KEY_FUNCTIONS(operation)                                                         \
	{                                                                                \
		{OSSL_FUNC_KEYMGMT_NEW, FN(key_new)},                                    \
		    {OSSL_FUNC_KEYMGMT_FREE, FN(key_free)},                              \
		    {OSSL_FUNC_KEYMGMT_HAS, FN(key_has)},                                \
		    {OSSL_FUNC_KEYMGMT_MATCH, FN(key_match)},                            \
		    {OSSL_FUNC_KEYMGMT_IMPORT, FN(key_import)},                          \
		    {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, FN(key_import_types)},              \
		    {OSSL_FUNC_KEYMGMT_EXPORT, FN(key_export)},                          \
		    {OSSL_FUNC_KEYMGMT_EXPORT_TYPES, FN(key_export_types)},              \
		    {OSSL_FUNC_KEYMGMT_GET_PARAMS, FN(key_get_params)},                  \
		    {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, FN(key_gettable_params)},        \
		    {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, FN(operation)},             \
		{                                                                        \
			0, NULL                                                          \
		}                                                                        \
	}

static const OSSL_DISPATCH ec_functions[] = KEY_FUNCTIONS(ec_operation);
static const OSSL_DISPATCH ed25519_functions[] = KEY_FUNCTIONS(ed25519_operation);

static const OSSL_DISPATCH signing_functions[] = {
    {OSSL_FUNC_SIGNATURE_NEWCTX, FN(signing_new)},
    {OSSL_FUNC_SIGNATURE_FREECTX, FN(signing_free)},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, FN(signing_init)},
    {OSSL_FUNC_SIGNATURE_DIGEST_SIGN, FN(signing_sign)},
    {0, NULL},
};

static const OSSL_ALGORITHM key_algorithms[] = {
    {"EC:id-ecPublicKey", PROVIDER_PROPS, ec_functions, "EC key held by keyd"},
    {"ED25519", PROVIDER_PROPS, ed25519_functions, "Ed25519 key held by keyd"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM signing_algorithms[] = {
    {"ECDSA", PROVIDER_PROPS, signing_functions, "ECDSA made by keyd"},
    {"ED25519", PROVIDER_PROPS, signing_functions, "Ed25519 made by keyd"},
    {NULL, NULL, NULL, NULL},
};

static const OSSL_ALGORITHM *
on_query(void *provctx, int operation, int *no_cache)
{
	(void)provctx;
	*no_cache = 0;
	if (operation == OSSL_OP_KEYMGMT)
		return key_algorithms;
	return operation == OSSL_OP_SIGNATURE ? signing_algorithms : NULL;
}

static int
on_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **provctx)
{
	static const OSSL_DISPATCH functions[] = {
	    {OSSL_FUNC_PROVIDER_QUERY_OPERATION, FN(on_query)},
	    {0, NULL},
	};
	static char context; /* OpenSSL wants one; ours hangs on the keys */

	(void)handle;
	(void)in;
	*out = functions;
	*provctx = &context;
	return 1;
}

struct keyprov *
keyprov_new(struct tls *tls, keyprov_sign *sign, void *arg)
{
	struct keyprov *kp = xcalloc(1, sizeof(*kp));
	OSSL_LIB_CTX *libctx = tls_libctx(tls);

	kp->tls = tls;
	kp->sign = sign;
	kp->arg = arg;
	if (OSSL_PROVIDER_add_builtin(libctx, PROVIDER_NAME, on_init) != 1 ||
	    EVP_set_default_properties(libctx, PROVIDER_LAST) != 1 ||
	    (kp->provider = OSSL_PROVIDER_load(libctx, PROVIDER_NAME)) == NULL) {
		free(kp);
		return NULL;
	}
	return kp;
}

void
keyprov_free(struct keyprov *kp)
{
	if (kp == NULL)
		return;
	OSSL_PROVIDER_unload(kp->provider);
	free(kp);
}

static EVP_PKEY *
wrap(struct keyprov *kp, struct held *held, const char *algorithm)
{
	OSSL_PARAM params[2];
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *ctx;
	void *p = held;

	params[0] = OSSL_PARAM_construct_octet_ptr(PARAM_KEY, &p, sizeof(*held));
	params[1] = OSSL_PARAM_construct_end();
	ctx = EVP_PKEY_CTX_new_from_name(tls_libctx(kp->tls), algorithm, PROVIDER_ONLY);
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

EVP_PKEY *
keyprov_key(struct keyprov *kp, struct span chain_pem, const char **err)
{
	struct held held = {.owner = kp};
	struct cert_chain chain;
	EVP_PKEY *key = NULL;

	if (cert_chain_read(tls_libctx(kp->tls), chain_pem, &chain, err) < 0)
		return NULL;
	*err = "cannot make a key object for the certificate";
	held.public_half = X509_get_pubkey(chain.cert[0]);
	if (held.public_half == NULL || cert_spki(chain.cert[0], held.id) < 0)
		goto out;
	if (is_ec(held.public_half))
		key = wrap(kp, &held, "EC");
	else if (EVP_PKEY_is_a(held.public_half, "ED25519"))
		key = wrap(kp, &held, "ED25519");
	else
		*err = "the certificate's key is neither P-256 nor Ed25519";
out:
	EVP_PKEY_free(held.public_half);
	cert_chain_clear(&chain);
	ERR_clear_error();
	return key;
}
