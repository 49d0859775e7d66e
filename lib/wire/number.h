/* SPDX-License-Identifier: ISC */
/*
 * number.h - the numbers of the protocol: versions, paths, limits, frame types, states.
 * doc/protocol.md has the same; a test compares.
 */
#ifndef WIRE_NUMBER_H
#define WIRE_NUMBER_H

#define PROTO_VERSION 1
#define PROTO_PATH_C2S "/emsg/v1/c2s"
#define PROTO_PATH_S2S "/emsg/v1/s2s"
#define PROTO_PATH_DOCUMENT "/.well-known/emsg"
#define PROTO_EXPORTER_C2S "EXPORTER-emsg-c2s-v1" /* RFC 8446 section 7.5, 32 bytes */
#define PROTO_EXPORTER_S2S "EXPORTER-emsg-s2s-v1"
#define PROTO_PORT 443
#define PROTO_PREAUTH_MAX 4096u   /* bytes of a WebSocket message before login */
#define PROTO_ITEM_MAX 262144u    /* bytes of the body of a put */
#define PROTO_ORDER_SIZE 12u      /* of them: fifo and restart, at most */
#define PROTO_MESSAGE_MAX 524288u /* bytes of a WebSocket message after login */
#define PROTO_RECIPIENTS_MAX 100u /* accounts in a put */
#define PROTO_STANZAS_MAX 64u     /* stanzas of one account in a put */
#define PROTO_TEXT_MAX 400u       /* bytes of a reason in a frame */
#define PROTO_OBJECT_MAX 16384u   /* bytes of a signed object */
#define PROTO_NONCE_SIZE 32u
#define PROTO_DEVICE_SIZE 16u
#define PROTO_PREKEY_ID_SIZE 8u
#define PROTO_CREDIT_ITEMS 256u     /* default window, items in flight */
#define PROTO_CREDIT_BYTES 4194304u /* default window, bytes in flight */

enum frame_type {
	FRAME_HELLO = 1,
	FRAME_AUTH = 2,
	FRAME_WELCOME = 3,
	FRAME_PUT = 4,
	FRAME_RESULT = 5,
	FRAME_PUSH = 6,
	FRAME_DONE = 7,
	FRAME_CREDIT = 8,
	FRAME_REQ = 9,
	FRAME_RES = 10,
	FRAME_EVENT = 11,
	FRAME_BYE = 12,
};

enum item_kind {
	ITEM_MESSAGE = 1, /* a sealed message */
	ITEM_OBJECT = 2,  /* a signed object: request, grant, revocation */
	ITEM_FATES = 3,   /* in a push only: what became of this device's messages */
};

/* What became of a message; also in struct m_fate. */
enum fate_state {
	FATE_ACCEPTED = 1,    /* own server has it */
	FATE_ARRIVED = 2,     /* in the recipient's mailbox */
	FATE_ON_DEVICE = 3,   /* by signed receipt */
	FATE_READ = 4,        /* by signed receipt */
	FATE_FAILED = 5,      /* with a reply code */
	FATE_UNCONFIRMED = 6, /* an offer was never answered */
	FATE_EXPIRED = 7,     /* unread */
};

#endif
