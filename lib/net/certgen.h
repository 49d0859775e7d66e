/* SPDX-License-Identifier: ISC */
/*
 * certgen.h - a self-signed P-256 certificate with its key, for `emsgctl setup`, for peers
 * that are pinned by domain key, and for tests.
 */
#ifndef NET_CERTGEN_H
#define NET_CERTGEN_H

#include "base/buf.h"

#define CERTGEN_NAMES_MAX 64
#define CERTGEN_DAYS_MAX 3650

/* Makes a key pair and a certificate for the DNS names (the first is the subject, too),
 * valid from one hour ago for that many days, and appends both as PEM. key_pem is a secret:
 * buf_wipe() it. 0, or -1 and *err (static text). */
int certgen_self_signed(const char *const *names, size_t n, unsigned days,
    struct buf *cert_pem, struct buf *key_pem, const char **err);

#endif
