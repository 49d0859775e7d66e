/* SPDX-License-Identifier: ISC */
/*
 * check_crypto.c - tests of the primitives in lib/crypto beyond what Wycheproof has.
 *
 * Vectors by hand: FIPS 180-4 (SHA-256), RFC 4231 (HMAC), RFC 5869 (HKDF), RFC 8032
 * (Ed25519), RFC 7748 (X25519), RFC 7914 (scrypt), RFC 8410 (the key file). Then the edges of
 * our own interface: limits, wrong lengths, weak keys, full buffers, foreign key files.
 */
#include "config.h"

#include <check.h>
#include <openssl/err.h>
#include <stdlib.h>

#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/ed25519.h"
#include "crypto/hkdf.h"
#include "crypto/scrypt.h"
#include "crypto/x25519.h"

/* Compares with hex text. */
static bool
is_hex(const uint8_t *p, size_t n, const char *hex)
{
	char text[512];

	ck_assert_uint_lt(2 * n, sizeof(text));
	hex_encode(span_of(p, n), text);
	return strcmp(text, hex) == 0;
}

static struct span
from_hex(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	ck_assert(hex_decode(hex, out, n));
	return span_of(out, n);
}

START_TEST(test_sha)
{
	struct span parts[] = {span_str("a"), span_of(NULL, 0), span_str("bc")};
	uint8_t out[SHA_SIZE], same[SHA_SIZE];

	ck_assert_int_eq(sha_of(span_of(NULL, 0), out), 0);
	ck_assert(is_hex(out, sizeof(out),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	ck_assert_int_eq(sha_of(span_str("abc"), out), 0);
	ck_assert(is_hex(out, sizeof(out),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
	ck_assert_int_eq(sha_spans(parts, 3, same), 0);
	ck_assert(sha_equal(span_of(out, SHA_SIZE), span_of(same, SHA_SIZE)));
	same[SHA_SIZE - 1] ^= 1;
	ck_assert(!sha_equal(span_of(out, SHA_SIZE), span_of(same, SHA_SIZE)));
	ck_assert(!sha_equal(span_of(out, SHA_SIZE), span_of(out, SHA_SIZE - 1)));
	ck_assert(sha_equal(span_of(NULL, 0), span_of(out, 0)));
}
END_TEST

START_TEST(test_hmac)
{
	struct span parts[] = {span_str("what do ya want "), span_str("for nothing?")};
	uint8_t out[SHA_SIZE];

	ck_assert_int_eq(sha_hmac(span_str("Jefe"), parts, 2, out), 0);
	ck_assert(is_hex(out, sizeof(out),
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
	ck_assert_int_eq(sha_hmac(span_of(NULL, 0), NULL, 0, out), 0);
	ck_assert(is_hex(out, sizeof(out),
	    "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
}
END_TEST

/* RFC 5869, appendix A.1 to A.3. */
START_TEST(test_hkdf)
{
	static const struct {
		const char *ikm, *salt, *info, *prk, *okm;
	} v[] = {
	    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
		"f0f1f2f3f4f5f6f7f8f9",
		"077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
		"3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208"
		"d5b887185865"},
	    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324"
	     "25262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f40414243444546474849"
	     "4a4b4c4d4e4f",
		"606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f80818283"
		"8"
		"485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a"
		"8"
		"a9aaabacadaeaf",
		"b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3"
		"d"
		"4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f"
		"8"
		"f9fafbfcfdfeff",
		"06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
		"b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99"
		"c"
		"ac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c"
		"1"
		"4c01d5c1f3434f1d87"},
	    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
		"19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
		"8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395"
		"f"
		"aa4b61a96c8"},
	};
	uint8_t ikm[80], salt[80], info[80], prk[SHA_SIZE], okm[82];

	for (size_t i = 0; i < 3; i++) {
		struct span k = from_hex(v[i].ikm, ikm), s = from_hex(v[i].salt, salt);
		struct span f = from_hex(v[i].info, info);
		struct span halves[] = {
		    span_of(f.p, f.n / 2), span_of(f.p + f.n / 2, f.n - f.n / 2)};
		size_t n = strlen(v[i].okm) / 2;

		ck_assert_int_eq(hkdf_extract(s, &k, 1, prk), 0);
		ck_assert(is_hex(prk, sizeof(prk), v[i].prk));
		ck_assert_int_eq(hkdf_expand(prk, halves, 2, okm, n), 0);
		ck_assert(is_hex(okm, n, v[i].okm));
	}
}
END_TEST

START_TEST(test_hkdf_limits)
{
	static uint8_t out[HKDF_MAX + 1];
	static const uint8_t prk[SHA_SIZE];
	struct span info[HKDF_PARTS + 1] = {{NULL, 0}};

	ck_assert_int_eq(hkdf_expand(prk, info, HKDF_PARTS, out, HKDF_MAX), 0);
	ck_assert_int_eq(hkdf_expand(prk, info, HKDF_PARTS + 1, out, 1), -1);
	ck_assert_int_eq(hkdf_expand(prk, info, 0, out, 0), -1);
	ck_assert_int_eq(hkdf_expand(prk, info, 0, out, HKDF_MAX + 1), -1);
	for (size_t i = 0; i < sizeof(out); i++)
		ck_assert_uint_eq(out[i], 0);
}
END_TEST

/* RFC 8032, 7.1, test 3. */
START_TEST(test_ed25519)
{
	uint8_t seed[ED25519_SEED_SIZE], pub[ED25519_PUBLIC_SIZE],
	    sig[ED25519_SIG_SIZE + 1];
	struct span key = span_of(pub, sizeof(pub)), msg = span_of("\xaf\x82", 2);

	from_hex(
	    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", seed);
	ck_assert_int_eq(ed25519_public(seed, pub), 0);
	ck_assert(is_hex(pub, sizeof(pub),
	    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"));
	ck_assert_int_eq(ed25519_sign(seed, msg, sig), 0);
	ck_assert(is_hex(sig, ED25519_SIG_SIZE,
	    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"));
	ck_assert_int_eq(ed25519_verify(key, msg, span_of(sig, ED25519_SIG_SIZE)), 0);
	ck_assert_int_eq(
	    ed25519_verify(key, msg, span_of(sig, ED25519_SIG_SIZE - 1)), -1);
	ck_assert_int_eq(
	    ed25519_verify(key, msg, span_of(sig, ED25519_SIG_SIZE + 1)), -1);
	ck_assert_int_eq(ed25519_verify(key, msg, span_of(NULL, 0)), -1);
	ck_assert_int_eq(
	    ed25519_verify(span_of(pub, 31), msg, span_of(sig, ED25519_SIG_SIZE)), -1);
	ck_assert_int_eq(
	    ed25519_verify(key, span_of(msg.p, 1), span_of(sig, ED25519_SIG_SIZE)), -1);
	ck_assert_int_eq(ed25519_keygen(seed, pub), 0);
	ck_assert_int_eq(ed25519_verify(key, msg, span_of(sig, ED25519_SIG_SIZE)), -1);
	ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

/* Keys of small order and second names of a key. Under the neutral element the signature
 * (R = neutral element, S = 0) fits every message, and OpenSSL alone would accept it. */
START_TEST(test_weak_keys)
{
	static const char *const weak[] = {
	    "0000000000000000000000000000000000000000000000000000000000000000",
	    "0000000000000000000000000000000000000000000000000000000000000080",
	    "0100000000000000000000000000000000000000000000000000000000000000",
	    "0100000000000000000000000000000000000000000000000000000000000080",
	    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};
	uint8_t key[ED25519_PUBLIC_SIZE], sig[ED25519_SIG_SIZE] = {0};

	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++)
		ck_assert_msg(!ed25519_public_ok(from_hex(weak[i], key)), "%s", weak[i]);
	/* The largest canonical y that is no small order: p - 2. */
	ck_assert(ed25519_public_ok(from_hex(
	    "ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", key)));
	from_hex(weak[2], key);
	from_hex(weak[2], sig);
	ck_assert_int_eq(ed25519_verify(span_of(key, sizeof(key)), span_str("anything"),
			     span_of(sig, sizeof(sig))),
	    -1);
}
END_TEST

/* RFC 8410, 10.3: the example key, and our own writing of it. */
static const char pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
    "-----END PRIVATE KEY-----\n";
#define PEM_SEED "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842"

START_TEST(test_pem)
{
	uint8_t seed[ED25519_SEED_SIZE];
	struct buf b;

	buf_init(&b, ED25519_PEM_MAX);
	ck_assert_int_eq(ed25519_pem_read(span_str(pem), seed), 0);
	ck_assert(is_hex(seed, sizeof(seed), PEM_SEED));
	ck_assert_int_eq(ed25519_pem_write(seed, &b), 0);
	ck_assert(span_eq(buf_span(&b), span_str(pem)));
	buf_wipe(&b);
	buf_init(&b, sizeof(pem) - 2);
	ck_assert_int_eq(ed25519_pem_write(seed, &b), -1);
	buf_wipe(&b);
}
END_TEST

/* Key files that are something else; none asks the terminal for a passphrase. */
START_TEST(test_pem_refused)
{
	static const char *const bad[] = {"", "-----BEGIN PRIVATE KEY-----\n",
	    /* cut off */
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp\n-----END PRIVATE KEY-----\n",
	    /* a public key (RFC 8410, 10.1) */
	    "-----BEGIN PUBLIC KEY-----\n"
	    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
	    "-----END PUBLIC KEY-----\n",
	    /* an X25519 key: the same bytes under another algorithm */
	    "-----BEGIN PRIVATE KEY-----\n"
	    "MC4CAQAwBQYDK2VuBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
	    "-----END PRIVATE KEY-----\n",
	    /* the example key, encrypted with the passphrase "x" */
	    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	    "MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBCRVd4V8dysyUj9Ugyu\n"
	    "L58DAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQJwi1BjkRyzHh5VgZ\n"
	    "PIEUDARAtsDP5ZWOFEQm2EB0/Alrl5afkQhLw2aMM+aHvBhhMsHJc0NQMjyvYFaB\n"
	    "F0rUs/fWetgL+geC0KrzatDFBzC4LQ==\n"
	    "-----END ENCRYPTED PRIVATE KEY-----\n"};
	static char large[ED25519_PEM_MAX + sizeof(pem)];
	uint8_t seed[ED25519_SEED_SIZE];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(seed, 0xff, sizeof(seed));
		ck_assert_msg(
		    ed25519_pem_read(span_str(bad[i]), seed) == -1, "file %zu", i);
		for (size_t k = 0; k < sizeof(seed); k++)
			ck_assert_uint_eq(seed[k], 0);
	}
	memset(large, '\n', sizeof(large));
	memcpy(large, pem, sizeof(pem) - 1);
	ck_assert_int_eq(ed25519_pem_read(span_of(large, ED25519_PEM_MAX), seed), 0);
	ck_assert_int_eq(ed25519_pem_read(span_of(large, ED25519_PEM_MAX + 1), seed), -1);
	ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

/* RFC 7748, 6.1, from the side of Bob. */
START_TEST(test_x25519)
{
	uint8_t priv[X25519_SIZE], pub[X25519_SIZE], alice[X25519_SIZE], k[X25519_SIZE];
	uint8_t zero[X25519_SIZE] = {0};

	from_hex(
	    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", priv);
	from_hex(
	    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", alice);
	ck_assert_int_eq(x25519_public(priv, pub), 0);
	ck_assert(is_hex(pub, sizeof(pub),
	    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"));
	ck_assert_int_eq(x25519_shared(priv, alice, k), 0);
	ck_assert(is_hex(k, sizeof(k),
	    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"));
	ck_assert_int_eq(x25519_shared(priv, zero, k), -1);
	ck_assert_mem_eq(k, zero, sizeof(k));
	ck_assert_uint_eq(ERR_peek_error(), 0);
}
END_TEST

START_TEST(test_scrypt)
{
	uint8_t out[SCRYPT_OUT_MAX];
	struct scrypt_cost c = {16, 1, 1};

	ck_assert_int_eq(
	    scrypt_derive(span_of(NULL, 0), span_of(NULL, 0), &c, out, 64), 0);
	ck_assert(is_hex(out, 64,
	    "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
	    "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906"));
	c = (struct scrypt_cost){1024, 8, 16};
	ck_assert_int_eq(
	    scrypt_derive(span_str("password"), span_str("NaCl"), &c, out, 64), 0);
	ck_assert(is_hex(out, 64,
	    "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
	    "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"));
	c = (struct scrypt_cost){16384, 8, 1};
	ck_assert_int_eq(scrypt_derive(span_str("pleaseletmein"),
			     span_str("SodiumChloride"), &c, out, 64),
	    0);
	ck_assert(is_hex(out, 64,
	    "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
	    "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"));
}
END_TEST

/* A cost that a foreign file may ask for. The largest allowed one must really run. */
START_TEST(test_scrypt_limits)
{
	static const struct scrypt_cost bad[] = {{0, 8, 1}, {1, 8, 1}, {3, 8, 1},
	    {16384, 0, 1}, {16384, 8, 0}, {16384, 8, SCRYPT_P_MAX + 1}, {16384, 33, 1},
	    {(uint64_t)1 << 19, 8, 1}, {(uint64_t)1 << 63, 1, 1},
	    {(uint64_t)1 << 17, 32, 1}, {(uint64_t)1 << 16, 1, 1}};
	struct scrypt_cost most = {SCRYPT_MEM_MAX / 128 / 32, 32, 1};
	uint8_t out[SCRYPT_OUT_MAX + 1];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(out, 1, sizeof(out));
		ck_assert_msg(!scrypt_cost_ok(&bad[i]), "cost %zu", i);
		ck_assert_int_eq(
		    scrypt_derive(span_str("p"), span_str("s"), &bad[i], out, 32), -1);
		ck_assert_uint_eq(out[0] | out[31], 0);
	}
	ck_assert(scrypt_cost_ok(&scrypt_default));
	ck_assert_int_eq(
	    scrypt_derive(span_str("p"), span_str("s"), &scrypt_default, out, 0), -1);
	ck_assert_int_eq(scrypt_derive(span_str("p"), span_str("s"), &scrypt_default, out,
			     SCRYPT_OUT_MAX + 1),
	    -1);
	ck_assert_int_eq(scrypt_derive(span_str("p"), span_str("s"), &most, out, 32), 0);
}
END_TEST

START_TEST(test_aead_refused)
{
	static const uint8_t key[AEAD_KEY_MAX + 1], nonce[AEAD_NONCE_SIZE];
	struct span none = span_of(NULL, 0);
	struct buf b;

	buf_init(&b, 64);
	for (size_t n = 0; n <= sizeof(key); n++) {
		struct span k = span_of(key, n);

		ck_assert((aead_seal(AEAD_AES_128_GCM, k, nonce, none, none, &b) == 0) ==
		    (n == 16));
		ck_assert((aead_open(AEAD_AES_128_GCM, k, nonce, none, buf_span(&b),
			       &b) == 0) == (n == 16));
	}
	ck_assert_uint_eq(b.n, AEAD_TAG_SIZE);
	ck_assert_int_eq(
	    aead_seal((enum aead_alg)4, span_of(key, 32), nonce, none, none, &b), -1);
	ck_assert_uint_eq(aead_key_size((enum aead_alg)0), 0);
	/* Room for the text, but not for its tag. */
	buf_clear(&b);
	buf_init(&b, 5);
	ck_assert_int_eq(aead_seal(AEAD_CHACHA20_POLY1305, span_of(key, 32), nonce, none,
			     span_str("hello"), &b),
	    -1);
	ck_assert_uint_eq(b.n, 0);
	buf_clear(&b);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("crypto");
	TCase *t = tcase_create("all");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_sha);
	tcase_add_test(t, test_hmac);
	tcase_add_test(t, test_hkdf);
	tcase_add_test(t, test_hkdf_limits);
	tcase_add_test(t, test_ed25519);
	tcase_add_test(t, test_weak_keys);
	tcase_add_test(t, test_pem);
	tcase_add_test(t, test_pem_refused);
	tcase_add_test(t, test_x25519);
	tcase_add_test(t, test_scrypt);
	tcase_add_test(t, test_scrypt_limits);
	tcase_add_test(t, test_aead_refused);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
