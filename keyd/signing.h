/* SPDX-License-Identifier: ISC */
/*
 * signing.h - the statements that keyd signs. Each is built here from fields; raw bytes are
 * never signed. What a caller sends can change names, nonces and exporter only: domain, side,
 * document hash and time are filled in from our own objects.
 */
#ifndef KEYD_SIGNING_H
#define KEYD_SIGNING_H

#include "base/buf.h"
#include "ipc/msgs.h"
#include "keyd/keyring.h"

/* Longest answer: a signed peer proof. */
#define SIGNING_MAX 2048

/* A TLS 1.3 server's CertificateVerify (RFC 8446 section 4.4.3): content must be 64 spaces,
 * the server context text, a zero byte and a hash of 32 or 48 bytes. Appends the signature.
 * Returns a reply code. */
uint16_t signing_tls(
    const struct keyring *, const uint8_t key[32], struct span content, struct buf *out);
/* A peer proof (doc/protocol.md 5.9) for one side. Appends the COSE_Sign1. */
uint16_t signing_peer(const struct keyring *, enum peer_side, const struct m_prove *,
    uint64_t now, struct buf *out);
/* A server proof (doc/protocol.md 5.10). */
uint16_t signing_server(
    const struct keyring *, const struct m_prove *, uint64_t now, struct buf *out);

#endif
