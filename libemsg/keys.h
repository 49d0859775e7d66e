/* SPDX-License-Identifier: ISC */
/*
 * keys.h - making an account's keys and the objects that they sign (doc/protocol.md 5).
 */
#ifndef LIBEMSG_KEYS_H
#define LIBEMSG_KEYS_H

#include "base/buf.h"
#include "rows.h"

#define KEYS_NAME_MAX 64

/* Fills in identity, list and device keys of a new account. 0 or -1. */
int keys_make_account(struct row_self *);
/* Fills in the device key of a further device. */
int keys_make_device(struct row_self *);
/* Appends the list-key certificate of a generation (needs identity and list seeds). */
int keys_listkey(
    const struct row_self *, uint64_t generation, uint64_t now, struct buf *out);
/* The first device list: this device alone. */
int keys_first_list(const struct row_self *, uint64_t now, struct buf *out);
/* Appends the list that follows devlist, with one device more. -1 too if the list is full or
 * has the device already. */
int keys_list_with(const struct row_self *, struct span devlist, const struct s_device *,
    uint64_t now, struct buf *out);
/* A new prekey, signed. The spans of *prekey borrow from out. */
int keys_prekey(
    const struct row_self *, uint64_t now, struct row_prekey *prekey, struct buf *out);
/* Appends a login proof; exporter may be NULL. */
int keys_login(const struct row_self *, struct span domain, const uint8_t nonce[32],
    const uint8_t *exporter, struct buf *out);
/* Appends a consent object of that typ. listkey and devlist are left out of a revocation. */
int keys_consent(const struct row_self *, const char *typ, struct span to, uint64_t now,
    struct span listkey, struct span devlist, struct buf *out);
/* Fills in key, prekey and mac of an enrol-blob for a secret, and appends it. */
int keys_enrol_blob(const struct row_self *, const uint8_t secret[32], struct span prekey,
    struct buf *out);
/* Opens an enrol-blob and checks its mac; false if it is not by who has the secret. */
bool keys_enrol_open(struct span blob, const uint8_t secret[32], struct i_enrol *);
/* The domain part of an account in normal form. */
struct span keys_domain(struct span account);

#endif
