/* SPDX-License-Identifier: ISC */
/* bounds.h - every bound of the store process that is not in the configuration. */
#ifndef STORE_BOUNDS_H
#define STORE_BOUNDS_H

#define MINUTE_MS (60ULL * 1000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

/* Links. */
#define STORE_NONCES 16384u   /* given out and not used yet; the oldest goes first */
#define STORE_HANDLES 131072u /* links that proved themselves */
#define STORE_HANDLES_PER_ACCOUNT 64u /* one more is refused */
#define STORE_WINDOW_ITEMS 1024u      /* largest push window that a device is granted */
#define STORE_WINDOW_BYTES (16u << 20)
#define STORE_PUSH_SCAN 4096u /* mailbox entries looked at for one link in one turn */
#define STORE_CHANNEL_BYTES (8u << 20) /* output to listener beyond which pushes wait */
#define STORE_ORDER_PAIRS 4096u        /* (fifo, recipient) pairs that wait on one link */

/* Work in progress. */
#define STORE_OUTBOX 16384u            /* answers that wait for the commit */
#define STORE_PARKED 256u              /* proofs that wait for a document */
#define STORE_QUERIES 1024u            /* requests that wait for another server */
#define STORE_LISTINGS 8u              /* admin listings under way */
#define STORE_LISTING_BYTES (1u << 20) /* output to control beyond which listings wait */
#define STORE_ASK_MS 20000u            /* patience with relay */

/* Rows. */
#define STORE_SEEN_VARIANTS 4u /* items of one mid, sender and delivering domain */
#define STORE_SEEN_STANZAS 4u  /* stanzas of one item for one device */
#define STORE_SEEN_LIFE_MS (30 * DAY_MS) /* of a dedupe key, after the time of its mid */
#define STORE_FATES_ROW 256u             /* fates in one mailbox entry */
#define STORE_FATES_BYTES 65536u
#define STORE_FATES_GROUPS 1024u /* (account, device) pairs with fates in one turn */
#define STORE_CONSENT_ROWS 1000u /* of one account; requests beyond make no row */
#define STORE_ENROL_SLOTS 8u /* open at a time for one account; the oldest goes first */
#define STORE_ASKED_MS (30 * DAY_MS)
#define STORE_TRIM 1000u             /* mailbox entries removed by one act */
#define STORE_SWEEP 500u             /* rows of each kind removed by one sweep */
#define STORE_SWEEP_MOST 4000u       /* the same when the sweeps before did not suffice */
#define STORE_SWEEP_MS (5 * 1000ULL) /* from one sweep to the next */
#define STORE_INVITE_DAYS 7u /* life of an invitation if the operator does not say */
#define STORE_INVITE_MAX_MS (365 * DAY_MS)
#define STORE_ENROL_MAX_MS DAY_MS
#define STORE_CONSENT_BYTES 57344u /* of rows in the answer to consent.list */

/* Documents of other domains. */
#define STORE_DOC_FRESH_MS DAY_MS
#define STORE_DOC_KNOWN_MS (7 * DAY_MS)
#define STORE_DOC_PAUSE_MS HOUR_MS /* between fetches while a document is known */
#define STORE_DOC_FIRST_MS 5000ULL /* the same while none is */
#define STORE_PEERS 65536u    /* domains whose documents are kept; no new one beyond */
#define STORE_DOC_TRIES 4096u /* domains whose last fetch is remembered */

#endif
