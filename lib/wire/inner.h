/* SPDX-License-Identifier: ISC */
/*
 * inner.h - what only clients see: the inside of a sealed message, invitations, and the
 * blob of a device that wants in. doc/protocol.md sections 6 and 8 are the normative text.
 */
#ifndef WIRE_INNER_H
#define WIRE_INNER_H

#include "wire/sobj.h"

/* Heads of device lists as the sender knew them. */
struct i_head {
	uint32_t has;
	struct span account;
	uint64_t generation, seq;
	uint8_t head[32];
};
/* The signed header inside the encryption (bstr .cbor). */
struct i_header {
	uint32_t has;
	struct obj_list to; /* of tstr: all recipients, ascending */
	uint64_t counter;   /* of this device in this conversation, from 1 */
	uint64_t time;      /* ms */
	struct i_head own;
	struct obj_list heads; /* of i_head: the recipients' */
	uint64_t expires;      /* ms; absent: retention of the account */
	uint8_t first_mid[16]; /* of the first sealing, if this is another */
};
/* Content of the AEAD before padding. */
struct i_inner {
	uint32_t has;
	struct span header; /* encoding of i_header */
	struct span type;   /* media type of content */
	struct span content;
	uint8_t sig[64];
};
/* What the signature covers (positional), as payload of Sig_structure. */
struct i_signed {
	uint32_t has;
	struct span header, type, content;
};

/* An invitation: "emsg:invite:" and base64url of this map. */
enum invite_kind { INVITE_ACCOUNT = 1, INVITE_DEVICE = 2 };
struct i_invite {
	uint32_t has;
	uint64_t kind;
	struct span domain;
	struct span host; /* absent: the domain itself */
	uint64_t port;    /* absent: 443 */
	uint8_t pin[32];  /* SHA-256 of the domain root key; absent: WebPKI */
	uint8_t token[16];
	struct span account; /* bound to this address, if present */
	uint64_t expires;
	uint8_t secret[32];   /* device: key of the blob's MAC */
	uint8_t identity[32]; /* device: the account's identity key */
};
#define INVITE_PREFIX "emsg:invite:"
/* Left by a new device: HMAC-SHA-256(secret, device key || prekey object). */
struct i_enrol {
	uint32_t has;
	uint8_t key[32]; /* of the new device */
	struct span name;
	struct span prekey;
	uint8_t mac[32];
};

extern const struct obj_def i_head_def, i_header_def, i_inner_def, i_signed_def,
    i_invite_def, i_enrol_def;

#endif
