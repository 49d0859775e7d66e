/* SPDX-License-Identifier: ISC */
/*
 * seal.h - sealed messages, format 1: making them (doc/protocol.md 6). Pure.
 */
#ifndef LIBEMSG_SEAL_H
#define LIBEMSG_SEAL_H

#include "base/buf.h"
#include "wire/inner.h"

#define SEAL_FORMAT 1
#define SEAL_SUITE 0x0001
#define SEAL_CEK_SIZE 32
#define SEAL_KEY_SIZE 16
#define SEAL_CONTENT_INFO "emsg-content-v1"
#define SEAL_CEK_LABEL "emsg-cek-v1"
#define SEAL_HPKE_INFO "emsg-fmt1"
#define SEAL_SMALL 4096 /* inner up to this is padded to multiples of SEAL_STEP_SMALL */
#define SEAL_STEP_SMALL 256 /* beyond it to multiples of SEAL_STEP_LARGE */
#define SEAL_STEP_LARGE 4096
#define SEAL_CONTENT_MAX 200000 /* bytes of content */
#define SEAL_PUT_MAX 262144     /* bytes of an encoded put */

struct seal_device {
	uint8_t id[16];
	uint8_t prekey_id[8];
	uint8_t prekey[32];
};
struct seal_recipient {
	struct span account;
	struct i_head head; /* of the list used; not used for the sender's own account */
	const struct seal_device *devices; /* borrowed */
	size_t n;
};
struct seal_message {
	uint8_t mid[16];
	struct span from;
	uint8_t device[16];
	const uint8_t *device_seed; /* 32 bytes, borrowed */
	const uint8_t *conv;        /* 16 bytes, borrowed; NULL: none */
	uint64_t counter, time;
	struct i_head own;
	uint64_t expires; /* 0: absent */
	struct span type, content;
	const struct seal_recipient *to; /* borrowed, ascending by account */
	size_t n;
	const struct seal_recipient *copies; /* the sender's other devices; NULL: none */
};
/* For worked examples only: what is random otherwise. Ephemeral key i is SHA-256(seed || i). */
struct seal_fixed {
	uint8_t cek[SEAL_CEK_SIZE];
	uint8_t ephemeral[32];
};

/* Appends the encoded body of the put. fixed is NULL except for worked examples. -1 if a limit
 * is broken or OpenSSL fails; out is then of no use. */
int seal_make(
    const struct seal_message *, const struct seal_fixed *fixed, struct buf *out);
/* The conversation of two accounts. */
int seal_conv(struct span a, struct span b, uint8_t conv[16]);
/* The bytes that an inner of n bytes has after padding. */
size_t seal_padded(size_t n);
/* SHA-256(outer) || SHA-256("emsg-cek-v1" || cek): what the signature is bound to. */
int seal_aad(struct span outer, const uint8_t cek[SEAL_CEK_SIZE], uint8_t aad[64]);
/* info of the HPKE context: "emsg-fmt1" || u16(suite) || SHA-256(outer). */
#define SEAL_INFO_SIZE (sizeof(SEAL_HPKE_INFO) - 1 + 2 + 32)
int seal_info(struct span outer, uint8_t info[SEAL_INFO_SIZE]);

#endif
