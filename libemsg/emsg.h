/* SPDX-License-Identifier: ISC */
/*
 * emsg.h - libemsg: an EMSG account for any program.
 *
 * A struct emsg is one account's local data, opened by one program. Several programs may have
 * the same account open; one of them holds the link to the server, the others hand over
 * through the database. There is no thread and no event loop inside: wait until emsg_fd() is
 * readable or emsg_timeout() milliseconds have passed, then call emsg_process(). One struct
 * emsg must not be used by two threads at once. Texts are UTF-8; times are milliseconds since
 * 1970 UTC. Structs and strings given to callbacks live until the callback returns.
 */
#ifndef EMSG_H
#define EMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EMSG_ADDRESS_SIZE 320 /* an address with its terminator */
#define EMSG_MID_SIZE 33      /* a message id as hex, with its terminator */
#define EMSG_INVITE_SIZE 2048 /* an invitation with its terminator */
#define EMSG_TEXT_MAX 65536   /* bytes of a message */
#define EMSG_PASSPHRASE_MAX 1024

/* What functions return. The numbers are also exit codes of emsg(1). */
enum emsg_error {
	EMSG_OK = 0,
	EMSG_FAILED = 1,    /* emsg_message() says why */
	EMSG_INVALID = 2,   /* an argument is not valid */
	EMSG_WAITING = 3,   /* not done yet: no link */
	EMSG_NOT_FOUND = 4, /* no such account, contact, message */
	EMSG_REFUSED = 5,   /* the server, a rule or the passphrase does not allow it */
	EMSG_LATER = 75     /* may work when tried again */
};

struct emsg;

/* The version of the library, "0.1.0". */
const char *emsg_version(void);
/* Makes an address normal (RFC 8265 UsernameCaseMapped, IDNA 2008), local@domain or
 * local#domain; out gets local#domain. EMSG_INVALID and *why (may be NULL), a static text. */
int emsg_normalise(const char *address, char out[EMSG_ADDRESS_SIZE], const char **why);

/* Who opens, or makes, an account's local data. */
struct emsg_access {
	const char *home; /* directory of all accounts; NULL: $EMSG_HOME or the default */
	const char *account;    /* address; NULL: the default account */
	const char *passphrase; /* NULL: none. Needed where the data has one */
};

/* Opens the local data. On failure *out is NULL and *why says what is wrong; EMSG_NOT_FOUND:
 * there is no such account; EMSG_REFUSED: wrong or missing passphrase. */
int emsg_open(const struct emsg_access *, struct emsg **out, const char **why);
/* Ends the link and closes. NULL-safe. */
void emsg_close(struct emsg *);
/* Whether the account's data asks for a passphrase: EMSG_OK (*needed is set) or
 * EMSG_NOT_FOUND. */
int emsg_needs_passphrase(const struct emsg_access *, bool *needed);
/* Uses an invitation: makes a new account (access->account, which may be NULL if the
 * invitation is for one address) or adds this device to an account. device names this device.
 * Blocks for at most timeout_ms; adding a device waits for the other device to confirm. With a
 * NULL passphrase the data is not protected, and emsg_status() says so for ever. */
int emsg_register(const struct emsg_access *, const char *invite, const char *device,
    int timeout_ms, struct emsg **out, const char **why);

/* One line about the last failure of a function on this account. */
const char *emsg_message(const struct emsg *);

/* A descriptor to poll for reading; always the same one. */
int emsg_fd(const struct emsg *);
/* Milliseconds until emsg_process() is due even if the descriptor stays quiet; -1: never. */
int emsg_timeout(const struct emsg *);
/* Does what can be done without blocking (name resolution apart). EMSG_OK, or EMSG_FAILED when
 * the local data cannot be used. */
int emsg_process(struct emsg *);
/* Tries to have a link from now on, by this program or by another one that has the account
 * open. Needed once; without it everything stays local. */
void emsg_connect(struct emsg *);
/* The link is up and everything that had come is stored. */
bool emsg_synced(struct emsg *);
/* The last try for a link failed (emsg_message() says why) and no other program has one. */
bool emsg_offline(struct emsg *);
/* Processes until emsg_synced(), or at most timeout_ms. EMSG_OK, EMSG_WAITING, EMSG_FAILED. */
int emsg_sync(struct emsg *, int timeout_ms);

struct emsg_status {
	const char *account, *device, *server; /* server: host:port */
	const char *identity;                  /* thumbprint of the identity key */
	bool passphrase;                       /* the local data is protected by one */
	bool pinned;                           /* the server is known by its domain key */
	bool receipts;
	bool holder; /* this program has or may get the link */
	bool linked;
	uint64_t contacts, unread, waiting; /* waiting: not yet with the server */
	int64_t clock_offset;               /* ms that the server is ahead */
	uint64_t lost;        /* messages that came and could not be opened or verified */
	const char *lost_why; /* of the last of them; "" if none */
};
void emsg_get_status(struct emsg *, struct emsg_status *);
/* Whether signed receipts (on device, read) are sent to contacts. */
int emsg_set_receipts(struct emsg *, bool on);

/* Work for the server is stored first and gets a number; it is done when a link allows. */
enum emsg_work { EMSG_WORK_WAITING, EMSG_WORK_DONE, EMSG_WORK_FAILED, EMSG_WORK_UNKNOWN };
/* How far it is. After a failure emsg_message() has the reason. */
enum emsg_work emsg_work_state(struct emsg *, uint64_t work);
/* Processes until that work is done, or at most timeout_ms. */
int emsg_work_wait(struct emsg *, uint64_t work, int timeout_ms);

/* Stores a text for a contact and sends it as soon as there is a link. */
int emsg_send(struct emsg *, const char *address, const char *text, size_t n,
    char mid[EMSG_MID_SIZE], uint64_t *work);

struct emsg_text {
	const char *mid, *peer, *from, *device; /* device: hex id of the sender's */
	const char *type, *text;                /* media type of the text shown */
	size_t text_n;
	uint64_t time, received, counter;
	bool outgoing, unread;
};
typedef void emsg_text_fn(void *arg, const struct emsg_text *);
/* Claims what no program has shown yet, oldest first, and marks it as read. *count (may be
 * NULL) is how many. */
int emsg_receive(struct emsg *, emsg_text_fn *, void *arg, size_t *count);
/* The newest texts (limit 0: all) with one contact or with all (NULL), oldest first. */
int emsg_history(
    struct emsg *, const char *address, size_t limit, emsg_text_fn *, void *arg);

struct emsg_fate {
	const char *mid, *account, *state, *code, *text; /* code: symbol, "" if none */
	uint64_t time;
};
typedef void emsg_fate_fn(void *arg, const struct emsg_fate *);
/* What became of a message (mid), or of the newest ones (NULL; limit 0: all). */
int emsg_fates(struct emsg *, const char *mid, size_t limit, emsg_fate_fn *, void *arg);

struct emsg_contact {
	const char *address, *state; /* "asked", "pending", "full", "blocked" */
	const char *identity;        /* thumbprint, "" if not known */
	bool verified, alarm; /* alarm: the identity key changed; nothing is sent */
	uint64_t since, devices;
};
typedef void emsg_contact_fn(void *arg, const struct emsg_contact *);
int emsg_contacts(struct emsg *, const char *address, emsg_contact_fn *, void *arg);
int emsg_contact_ask(struct emsg *, const char *address, uint64_t *work);
int emsg_contact_grant(struct emsg *, const char *address, uint64_t *work);
int emsg_contact_remove(struct emsg *, const char *address, uint64_t *work);
/* The 60-digit number that both sides see. *changed: of a key that is not yet accepted. */
int emsg_verify(struct emsg *, const char *address, char number[72], bool *changed);
/* Marks the contact as verified and accepts the key that the last number was made of.
 * EMSG_REFUSED if another one came since, or if none was shown. */
int emsg_verify_mark(struct emsg *, const char *address);

struct emsg_device {
	const char *id, *name;
	uint64_t added;
	bool own;
};
typedef void emsg_device_fn(void *arg, const struct emsg_device *);
int emsg_devices(struct emsg *, emsg_device_fn *, void *arg);
/* An invitation for one more device, valid for ttl_ms. The work is done when the new device
 * is in the device list; until then some program must hold the link. */
int emsg_device_invite(
    struct emsg *, uint64_t ttl_ms, char invite[EMSG_INVITE_SIZE], uint64_t *work);
/* Makes and publishes a new prekey now. */
int emsg_prekey_rotate(struct emsg *, uint64_t *work);

#ifdef __cplusplus
}
#endif

#endif
