/* SPDX-License-Identifier: ISC */
/*
 * ws.h - WebSocket frames (RFC 6455 section 5), both roles, binary messages only.
 *
 * Pure: bytes in, events out. Reserved bits, text frames, long forms of short lengths,
 * fragmented or large control frames and the wrong masking are errors. After WS_CLOSE or
 * WS_ERROR nothing more is read.
 */
#ifndef NET_WS_H
#define NET_WS_H

#include "base/buf.h"

#define WS_HEADER_MAX 14             /* bytes before a payload, with the mask */
#define WS_CONTROL_MAX 125           /* payload of ping, pong, close */
#define WS_LIMIT_LOGIN 4096          /* message limit before login, bytes */
#define WS_LIMIT_MAX (1024UL * 1024) /* no message limit is greater */
#define WS_FRAGMENTS_MAX 1024        /* frames of one message */

/* The codes of RFC 6455 section 7.4.1 and its registry that we use. */
enum ws_code {
	WS_CODE_NORMAL = 1000,
	WS_CODE_AWAY = 1001,
	WS_CODE_PROTOCOL = 1002,
	WS_CODE_UNSUPPORTED = 1003, /* a text message */
	WS_CODE_NONE = 1005,        /* never on the wire: close without a code */
	WS_CODE_ABNORMAL = 1006,    /* never on the wire: no close frame came */
	WS_CODE_DATA = 1007,        /* close reason is not UTF-8 */
	WS_CODE_POLICY = 1008,
	WS_CODE_TOO_BIG = 1009,
	WS_CODE_INTERNAL = 1011,
	WS_CODE_RESTART = 1012,
	WS_CODE_LATER = 1013
};

enum ws_role { WS_SERVER, WS_CLIENT }; /* which side WE are */

enum ws_event {
	WS_MORE,    /* feed more bytes */
	WS_MESSAGE, /* payload: a whole binary message */
	WS_PING,    /* payload: send it back with ws_put_pong() */
	WS_PONG,    /* payload: what the other side echoed */
	WS_CLOSE,   /* code, payload: reason; answer with ws_put_close() once */
	WS_ERROR    /* code: what to close with; error: static text */
};

struct ws {
	enum ws_role role;
	size_t limit;       /* bytes of one message */
	struct buf msg;     /* owned: a message that did not lie in the input whole */
	size_t used;        /* bytes of the input that were eaten but not consumed yet */
	uint64_t left;      /* payload bytes of the current frame still to come */
	size_t phase;       /* payload bytes of the current frame seen, for the mask */
	unsigned fragments; /* frames of the message so far; 0: no message open */
	uint8_t mask[4];    /* of the current frame */
	bool in_payload;    /* inside a data frame's payload */
	bool fin;           /* current frame ends its message */
	bool message_out;   /* msg was handed out; forget it at the next call */
	bool ended;         /* close or error was seen */
	uint16_t code;     /* of WS_CLOSE (WS_CODE_NONE if there was none) and WS_ERROR */
	const char *error; /* of WS_ERROR: static text */
	struct span payload; /* of the last event; valid until the next call */
};

void ws_init(struct ws *, enum ws_role, size_t limit);
/* Frees what the framer holds. */
void ws_clear(struct ws *);
/* Sets another message limit (<= WS_LIMIT_MAX), for frames whose header comes after this. */
void ws_limit(struct ws *, size_t limit);
/* The next event in *in. Call again until WS_MORE; *in is unmasked in place and may only be
 * appended to between calls. Eaten bytes leave *in when WS_MORE or WS_ERROR is
 * returned. A message may be larger than *in: it is gathered inside. */
enum ws_event ws_next(struct ws *, struct buf *in);
/* Bytes of memory held for an unfinished message. */
size_t ws_held(const struct ws *);

/* Writers; the mask of a client's frame is random. Check buf_failed() at the end. */
void ws_put_message(struct buf *, enum ws_role, struct span);
/* payload is cut at WS_CONTROL_MAX. */
void ws_put_ping(struct buf *, enum ws_role, struct span);
void ws_put_pong(struct buf *, enum ws_role, struct span);
/* WS_CODE_NONE sends an empty close; reason may be NULL, is cut at 123 bytes. */
void ws_put_close(struct buf *, enum ws_role, unsigned code, const char *reason);
/* Only the header of an unmasked binary frame of n bytes (servers that send the payload from
 * elsewhere); returns its length. */
size_t ws_header(uint8_t out[WS_HEADER_MAX], size_t n);
/* XORs n bytes with a mask whose first byte belongs to offset phase. */
void ws_mask(uint8_t *p, size_t n, const uint8_t mask[4], size_t phase);

#endif
