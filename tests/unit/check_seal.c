/* SPDX-License-Identifier: ISC */
/*
 * check_seal.c - sealed messages: round trips to each device, and every tamper refused.
 *
 * A message from alice (one more device) to bob (two devices) is sealed with fixed keys. That
 * one is also the worked example tests/vectors/seal.json, which other implementations run: the
 * test compares the file byte for byte. EMSG_WRITE_VECTORS=1 writes it anew.
 */
#include "config.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "crypto/aead.h"
#include "crypto/cose.h"
#include "crypto/hkdf.h"
#include "crypto/trust.h"
#include "crypto/x25519.h"
#include "libemsg/seal.h"
#include "libemsg/unseal.h"

#define ALICE "alice#im.alpha.test"
#define BOB "bob#im.beta.test"

static uint8_t seed[32], pub[32];
static uint8_t prekey_priv[3][32];
static struct seal_device device[3]; /* bob's two, alice's other */
static struct seal_recipient to[1], copies;
static struct seal_message message;
static struct seal_fixed fixed;
static uint8_t conv[16];

/* Key material that is plain to see: SHA-256 of a label. */
static void
material(const char *label, uint8_t out[32])
{
	ck_assert_int_eq(sha_of(span_str(label), out), 0);
}

static void
setup(void)
{
	static const char *const names[3] = {"bob-1", "bob-2", "alice-2"};
	uint8_t hash[32];
	char label[32];

	material("alice-1 device", seed);
	ck_assert_int_eq(ed25519_public(seed, pub), 0);
	for (int i = 0; i < 3; i++) {
		snprintf(label, sizeof(label), "%s prekey", names[i]);
		material(label, prekey_priv[i]);
		x25519_public(prekey_priv[i], device[i].prekey);
		trust_prekey_id(device[i].prekey, device[i].prekey_id);
		snprintf(label, sizeof(label), "%s device", names[i]);
		material(label, hash);
		memcpy(device[i].id, hash, 16);
	}
	memset(&message, 0, sizeof(message));
	memcpy(message.mid,
	    "\x01\x92\xf0\xc1\x00\x00\x70\x00\x80\x00\x00\x00\x00\x00\x00\x01", 16);
	message.from = span_str(ALICE);
	trust_device_id(pub, message.device);
	message.device_seed = seed;
	seal_conv(span_str(BOB), span_str(ALICE), conv);
	message.conv = conv;
	message.counter = 7;
	message.time = 1730000000000;
	message.own =
	    (struct i_head){.account = span_str(ALICE), .generation = 1, .seq = 2};
	material("alice list", message.own.head);
	message.type = span_str("text/plain");
	message.content = span_str("Hello Bob, this is Alice.");
	to[0] =
	    (struct seal_recipient){.account = span_str(BOB), .devices = device, .n = 2};
	to[0].head = (struct i_head){.account = span_str(BOB), .generation = 1, .seq = 3};
	material("bob list", to[0].head.head);
	copies = (struct seal_recipient){
	    .account = span_str(ALICE), .devices = device + 2, .n = 1};
	message.to = to;
	message.n = 1;
	message.copies = &copies;
	material("content key", fixed.cek);
	material("ephemeral", fixed.ephemeral);
}

/* --- a server's part: what of a put reaches one device ------------------------------------- */

struct delivery {
	struct buf put, stanzas;
	struct p_put decoded;
	struct p_push push;
};

static void
deliver(struct delivery *d, const char *account, const uint8_t id[16])
{
	struct p_recipient recipient;
	struct p_stanza stanza;
	struct obj_iter it, inside;

	buf_init(&d->stanzas, 65536);
	memset(&d->push, 0, sizeof(d->push));
	ck_assert_int_eq(obj_decode(&p_put_def, buf_span(&d->put), &d->decoded), WIRE_OK);
	d->push.outer = d->decoded.outer;
	d->push.body = d->decoded.body;
	obj_iter_init(&it, &d->decoded.to);
	while (obj_next(&it, &p_recipient_def, &recipient)) {
		if (!span_eq(recipient.account, span_str(account)))
			continue;
		obj_iter_init(&inside, &recipient.stanzas);
		while (obj_next(&inside, &p_stanza_def, &stanza))
			if (memcmp(stanza.device, id, 16) == 0) {
				obj_encode(&p_stanza_def, &stanza, &d->stanzas);
				d->push.stanzas.count++;
			}
	}
	d->push.stanzas.raw = buf_span(&d->stanzas);
}

static void
deliver_clear(struct delivery *d)
{
	buf_clear(&d->put);
	buf_clear(&d->stanzas);
}

static void
send_to(struct delivery *d, const char *account, const uint8_t id[16])
{
	buf_init(&d->put, SEAL_PUT_MAX);
	ck_assert_int_eq(seal_make(&message, NULL, &d->put), 0);
	deliver(d, account, id);
}

static bool
find_prekey(void *arg, const uint8_t id[8], uint8_t priv[32])
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		if (memcmp(device[i].prekey_id, id, 8) == 0) {
			memcpy(priv, prekey_priv[i], 32);
			return true;
		}
	return false;
}

static bool
no_prekey(void *arg, const uint8_t id[8], uint8_t priv[32])
{
	(void)arg;
	(void)id;
	(void)priv;
	return false;
}

static struct unseal_device
opener(int i)
{
	struct unseal_device d = {.prekey = find_prekey};

	memcpy(d.id, device[i].id, 16);
	return d;
}

/* Both steps as one verdict. */
static enum unseal_result
verdict(const struct p_push *push, int i, const uint8_t key[32], const char *account)
{
	struct unseal_device d = opener(i);
	struct unsealed u;
	enum unseal_result result = unseal_open(push, &d, &u);

	if (result == UNSEAL_OK)
		result = unseal_check(&u, key, span_str(account));
	unseal_clear(&u);
	return result;
}

START_TEST(every_device_opens)
{
	static const char *const account[3] = {BOB, BOB, ALICE};
	struct unseal_device d = opener(_i);
	struct delivery m;
	struct unsealed u;

	send_to(&m, account[_i], device[_i].id);
	ck_assert_uint_eq(m.push.stanzas.count, 1);
	ck_assert_int_eq(unseal_open(&m.push, &d, &u), UNSEAL_OK);
	ck_assert_int_eq(unseal_check(&u, pub, span_str(account[_i])), UNSEAL_OK);
	ck_assert(span_eq(u.inner.content, message.content));
	ck_assert(span_eq(u.inner.type, message.type));
	ck_assert_uint_eq(u.header.counter, 7);
	ck_assert_uint_eq(u.header.time, message.time);
	ck_assert_uint_eq(u.header.own.seq, 2);
	ck_assert_uint_eq(u.header.heads.count, 1);
	unseal_clear(&u);
	deliver_clear(&m);
}
END_TEST

START_TEST(every_size_opens)
{
	static const size_t size[] = {0, 1, 90, 255, 256, 257, 3500, 3800, 3900, 4096,
	    5000, 65536, SEAL_CONTENT_MAX};
	uint8_t *text = calloc(1, size[_i] + 1);
	struct delivery m;

	message.content = span_of(text, size[_i]);
	send_to(&m, BOB, device[0].id);
	ck_assert_int_eq(verdict(&m.push, 0, pub, BOB), UNSEAL_OK);
	ck_assert_uint_eq((m.push.body.n - AEAD_TAG_SIZE) % SEAL_STEP_SMALL, 0);
	deliver_clear(&m);
	free(text);
}
END_TEST

START_TEST(too_large_is_refused)
{
	uint8_t *text = calloc(1, SEAL_CONTENT_MAX + 1);
	struct buf out;

	buf_init(&out, SEAL_PUT_MAX);
	message.content = span_of(text, SEAL_CONTENT_MAX + 1);
	ck_assert_int_eq(seal_make(&message, NULL, &out), -1);
	buf_clear(&out);
	free(text);
}
END_TEST

START_TEST(padding_sizes)
{
	ck_assert_uint_eq(seal_padded(0), 256);
	ck_assert_uint_eq(seal_padded(255), 256);
	ck_assert_uint_eq(seal_padded(256), 512);
	ck_assert_uint_eq(seal_padded(4095), 4096);
	ck_assert_uint_eq(seal_padded(4096), 8192);
	ck_assert_uint_eq(seal_padded(8191), 8192);
	ck_assert_uint_eq(seal_padded(8192), 12288);
}
END_TEST

/* --- tampering on the way ------------------------------------------------------------------ */

/* Flips one bit of a copy and asks for the verdict, byte by byte. */
static void
flip_all(struct delivery *m, struct span *part, size_t step)
{
	struct span true_part = *part;
	uint8_t *copy = malloc(true_part.n);

	for (size_t i = 0; i < true_part.n; i += step) {
		memcpy(copy, true_part.p, true_part.n);
		copy[i] ^= 1;
		*part = span_of(copy, true_part.n);
		ck_assert_msg(verdict(&m->push, 0, pub, BOB) != UNSEAL_OK, "byte %zu", i);
	}
	*part = true_part;
	ck_assert_int_eq(verdict(&m->push, 0, pub, BOB), UNSEAL_OK);
	free(copy);
}

START_TEST(outer_is_bound)
{
	struct delivery m;

	send_to(&m, BOB, device[0].id);
	flip_all(&m, &m.push.outer, 1);
	deliver_clear(&m);
}
END_TEST

START_TEST(body_is_bound)
{
	struct delivery m;

	send_to(&m, BOB, device[0].id);
	flip_all(&m, &m.push.body, 7);
	deliver_clear(&m);
}
END_TEST

START_TEST(stanza_is_bound)
{
	struct delivery m;

	send_to(&m, BOB, device[0].id);
	flip_all(&m, &m.push.stanzas.raw, 1);
	deliver_clear(&m);
}
END_TEST

START_TEST(stanza_of_another_message)
{
	struct delivery a, b;

	send_to(&a, BOB, device[0].id);
	message.mid[15] = 2;
	send_to(&b, BOB, device[0].id);
	b.push.stanzas = a.push.stanzas;
	ck_assert_int_eq(verdict(&b.push, 0, pub, BOB), UNSEAL_CORRUPT);
	deliver_clear(&a);
	deliver_clear(&b);
}
END_TEST

START_TEST(stanza_of_another_device)
{
	struct delivery m;

	send_to(&m, BOB, device[1].id);
	ck_assert_int_eq(verdict(&m.push, 0, pub, BOB), UNSEAL_STANZA);
	ck_assert_int_eq(verdict(&m.push, 1, pub, BOB), UNSEAL_OK);
	deliver_clear(&m);
}
END_TEST

START_TEST(prekey_is_gone)
{
	struct unseal_device d = opener(0);
	struct delivery m;
	struct unsealed u;

	d.prekey = no_prekey;
	send_to(&m, BOB, device[0].id);
	ck_assert_int_eq(unseal_open(&m.push, &d, &u), UNSEAL_PREKEY);
	unseal_clear(&u);
	deliver_clear(&m);
}
END_TEST

START_TEST(another_signer)
{
	uint8_t other[32], other_pub[32];
	struct delivery m;

	ed25519_keygen(other, other_pub);
	send_to(&m, BOB, device[0].id);
	ck_assert_int_eq(verdict(&m.push, 0, other_pub, BOB), UNSEAL_SIGNATURE);
	deliver_clear(&m);
}
END_TEST

START_TEST(another_recipient)
{
	struct delivery m;

	send_to(&m, BOB, device[0].id);
	ck_assert_int_eq(verdict(&m.push, 0, pub, "eve#im.beta.test"), UNSEAL_RECIPIENT);
	deliver_clear(&m);
}
END_TEST

START_TEST(another_conversation)
{
	struct delivery m;

	conv[0] ^= 1;
	send_to(&m, BOB, device[0].id);
	ck_assert_int_eq(verdict(&m.push, 0, pub, BOB), UNSEAL_CONV);
	deliver_clear(&m);
}
END_TEST

START_TEST(format_and_suite)
{
	struct delivery m;
	struct p_outer outer;
	struct buf bytes;

	send_to(&m, BOB, device[0].id);
	buf_init(&bytes, 1024);
	obj_decode(&p_outer_def, m.push.outer, &outer);
	outer.suite = 2;
	obj_encode(&p_outer_def, &outer, &bytes);
	m.push.outer = buf_span(&bytes);
	ck_assert_int_eq(verdict(&m.push, 0, pub, BOB), UNSEAL_FORMAT);
	buf_clear(&bytes);
	deliver_clear(&m);
}
END_TEST

/* --- a recipient who forges: he knows the content key -------------------------------------- */

/* The plaintext of the body, opened by its key; edited and sealed again under it. */
static void
forge(struct delivery *m, void (*edit)(struct buf *plain), struct buf *body)
{
	uint8_t key[SEAL_KEY_SIZE], nonce[AEAD_NONCE_SIZE] = {0};
	struct unseal_device d = opener(0);
	struct span none = {NULL, 0};
	struct unsealed u;

	buf_init(body, PROTO_ITEM_MAX);
	ck_assert_int_eq(unseal_open(&m->push, &d, &u), UNSEAL_OK);
	edit(&u.plain);
	hkdf_derive(none, span_of(u.cek, sizeof(u.cek)), span_str(SEAL_CONTENT_INFO), key,
	    sizeof(key));
	aead_seal(AEAD_AES_128_GCM, span_of(key, sizeof(key)), nonce, m->push.outer,
	    buf_span(&u.plain), body);
	m->push.body = buf_span(body);
	unseal_clear(&u);
}

static void
edit_nothing(struct buf *plain)
{
	(void)plain;
}

static void
edit_text(struct buf *plain)
{
	uint8_t *p = memmem(plain->p, plain->n, "Hello", 5);

	ck_assert_ptr_nonnull(p);
	p[0] = 'J';
}

static void
edit_recipient(struct buf *plain)
{
	uint8_t *p = memmem(plain->p, plain->n, BOB, strlen(BOB));

	ck_assert_ptr_nonnull(p);
	p[0] = 'r';
}

static void
edit_pad_mark(struct buf *plain)
{
	size_t n = plain->n;

	while (plain->p[n - 1] == 0)
		n--;
	plain->p[n - 1] = 0x81;
}

static void
edit_pad_zero(struct buf *plain)
{
	plain->p[plain->n - 1] = 1;
}

static void
edit_pad_longer(struct buf *plain)
{
	uint8_t *p = buf_reserve(plain, SEAL_STEP_SMALL);

	memset(p, 0, SEAL_STEP_SMALL);
	buf_advance(plain, SEAL_STEP_SMALL);
}

static void
edit_pad_none(struct buf *plain)
{
	while (plain->p[plain->n - 1] == 0)
		plain->n--;
	plain->n--;
}

START_TEST(forged_inside)
{
	static const struct {
		void (*edit)(struct buf *);
		enum unseal_result result;
	} forgery[] = {
	    {edit_nothing, UNSEAL_OK},
	    {edit_text, UNSEAL_SIGNATURE},
	    {edit_recipient, UNSEAL_SIGNATURE},
	    {edit_pad_mark, UNSEAL_CORRUPT},
	    {edit_pad_zero, UNSEAL_CORRUPT},
	    {edit_pad_longer, UNSEAL_CORRUPT},
	    {edit_pad_none, UNSEAL_CORRUPT},
	};
	struct delivery m;
	struct buf body;

	send_to(&m, BOB, device[0].id);
	forge(&m, forgery[_i].edit, &body);
	ck_assert_int_eq(verdict(&m.push, 0, pub, BOB), forgery[_i].result);
	buf_clear(&body);
	deliver_clear(&m);
}
END_TEST

/* The signed inside, sealed again under a content key of the forger's choice. */
START_TEST(content_key_is_committed)
{
	struct delivery m;
	struct unsealed u;
	struct unseal_device d = opener(0);

	send_to(&m, BOB, device[0].id);
	ck_assert_int_eq(unseal_open(&m.push, &d, &u), UNSEAL_OK);
	ck_assert_int_eq(unseal_check(&u, pub, span_str(BOB)), UNSEAL_OK);
	u.cek[0] ^= 1;
	ck_assert_int_eq(unseal_check(&u, pub, span_str(BOB)), UNSEAL_SIGNATURE);
	unseal_clear(&u);
	deliver_clear(&m);
}
END_TEST

START_TEST(recipients_ascend)
{
	struct seal_recipient two[2] = {to[0], to[0]};
	struct delivery m;

	message.conv = NULL;
	message.to = two;
	message.n = 2;
	two[0].account = span_str("carol#im.beta.test");
	two[0].n = 0;
	send_to(&m, BOB, device[0].id);
	ck_assert_int_eq(verdict(&m.push, 0, pub, BOB), UNSEAL_CORRUPT);
	deliver_clear(&m);
	two[0].account = span_str("anna#im.beta.test");
	send_to(&m, BOB, device[0].id);
	ck_assert_int_eq(verdict(&m.push, 0, pub, BOB), UNSEAL_OK);
	deliver_clear(&m);
}
END_TEST

START_TEST(conversation_is_symmetric)
{
	uint8_t other[16];

	ck_assert_int_eq(seal_conv(span_str(ALICE), span_str(BOB), other), 0);
	ck_assert_mem_eq(other, conv, 16);
	ck_assert_int_eq(
	    seal_conv(span_str(ALICE), span_str("bo#im.beta.test"), other), 0);
	ck_assert_mem_ne(other, conv, 16);
}
END_TEST

/* --- the worked example -------------------------------------------------------------------- */

static void
json_hex(FILE *f, const char *name, struct span bytes, const char *end)
{
	fprintf(f, "  \"%s\": \"", name);
	for (size_t i = 0; i < bytes.n; i++)
		fprintf(f, "%02x", bytes.p[i]);
	fprintf(f, "\"%s\n", end);
}

static void
json_device(FILE *f, int i, const char *account, const char *end)
{
	static const char *const label[] = {"first", "second", "copy"};

	fprintf(f, "  \"%s_account\": \"%s\",\n", label[i], account);
	fprintf(f, "  \"%s_device\": \"", label[i]);
	for (int k = 0; k < 16; k++)
		fprintf(f, "%02x", device[i].id[k]);
	fprintf(f, "\",\n  \"%s_prekey_private\": \"", label[i]);
	for (int k = 0; k < 32; k++)
		fprintf(f, "%02x", prekey_priv[i][k]);
	fprintf(f, "\"%s\n", end);
}

static void
write_example(FILE *f, struct span put)
{
	fprintf(f, "{\n  \"format\": 1,\n  \"suite\": 1,\n  \"from\": \"%s\",\n", ALICE);
	fprintf(f, "  \"counter\": %llu,\n  \"time\": %llu,\n",
	    (unsigned long long)message.counter, (unsigned long long)message.time);
	json_hex(f, "device_public", span_of(pub, 32), ",");
	json_hex(f, "device_seed", span_of(seed, 32), ",");
	json_hex(f, "mid", span_of(message.mid, 16), ",");
	json_hex(f, "conv", span_of(conv, 16), ",");
	json_hex(f, "content_key", span_of(fixed.cek, 32), ",");
	json_hex(f, "ephemeral_seed", span_of(fixed.ephemeral, 32), ",");
	fprintf(f, "  \"type\": \"%.*s\",\n", (int)message.type.n, message.type.p);
	fprintf(
	    f, "  \"content\": \"%.*s\",\n", (int)message.content.n, message.content.p);
	json_device(f, 0, BOB, ",");
	json_device(f, 1, BOB, ",");
	json_device(f, 2, ALICE, ",");
	json_hex(f, "put", put, "");
	fprintf(f, "}\n");
}

START_TEST(worked_example)
{
	const char *path = VECTORS "/seal.json";
	char *text = NULL, *file = NULL;
	size_t n = 0, size = 0;
	struct buf put;
	FILE *f;

	buf_init(&put, SEAL_PUT_MAX);
	ck_assert_int_eq(seal_make(&message, &fixed, &put), 0);
	f = open_memstream(&text, &n);
	write_example(f, buf_span(&put));
	fclose(f);
	if (getenv("EMSG_WRITE_VECTORS") != NULL) {
		ck_assert_ptr_nonnull(f = fopen(path, "w"));
		ck_assert_uint_eq(fwrite(text, 1, n, f), n);
		fclose(f);
	}
	ck_assert_ptr_nonnull(f = fopen(path, "r"));
	ck_assert_int_gt(getdelim(&file, &size, '\0', f), 0);
	fclose(f);
	ck_assert_str_eq(file, text);
	free(file);
	free(text);
	buf_clear(&put);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("seal");
	TCase *tc = tcase_create("seal");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, every_device_opens, 0, 3);
	tcase_add_loop_test(tc, every_size_opens, 0, 13);
	tcase_add_test(tc, too_large_is_refused);
	tcase_add_test(tc, padding_sizes);
	tcase_add_test(tc, outer_is_bound);
	tcase_add_test(tc, body_is_bound);
	tcase_add_test(tc, stanza_is_bound);
	tcase_add_test(tc, stanza_of_another_message);
	tcase_add_test(tc, stanza_of_another_device);
	tcase_add_test(tc, prekey_is_gone);
	tcase_add_test(tc, another_signer);
	tcase_add_test(tc, another_recipient);
	tcase_add_test(tc, another_conversation);
	tcase_add_test(tc, format_and_suite);
	tcase_add_loop_test(tc, forged_inside, 0, 7);
	tcase_add_test(tc, content_key_is_committed);
	tcase_add_test(tc, recipients_ascend);
	tcase_add_test(tc, conversation_is_symmetric);
	tcase_add_test(tc, worked_example);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
