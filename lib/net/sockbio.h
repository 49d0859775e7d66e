/* SPDX-License-Identifier: ISC */
/*
 * sockbio.h - how OpenSSL reaches a non-blocking socket: with a budget for each wake-up.
 */
#ifndef NET_SOCKBIO_H
#define NET_SOCKBIO_H

#include <openssl/types.h>

#include "base/span.h"

struct sockbio {
	int fd;        /* borrowed */
	int failure;   /* errno of the last failed call; 0: none */
	size_t budget; /* bytes that may still be read in this wake-up */
	bool drained;  /* the socket has no more for this wake-up */
	bool eof;      /* the peer's end was read */
};

/* Makes a BIO that works on *sock, which must live longer. NULL on failure. */
BIO *sockbio_new(struct sockbio *sock);
/* A new wake-up begins: at most budget bytes are read until the next call. */
void sockbio_wake(struct sockbio *sock, size_t budget);

#endif
