/* SPDX-License-Identifier: ISC */
/*
 * setup.h - making what a server needs before its first start.
 */
#ifndef CLI_SETUP_H
#define CLI_SETUP_H

#include <limits.h>
#include <sys/types.h>

#include "base/buf.h"
#include "cli/tool.h"
#include "crypto/trust.h"

#define SETUP_SIGN_DAYS 90  /* how long a signing key may sign */
#define SETUP_RENEW_DAYS 30 /* what ends sooner is made anew */
#define SETUP_CERT_DAYS 825 /* of a self-signed certificate */
#define SETUP_MADE_MAX 16   /* things made in one run */

/* Names below keys.directory, as the master looks for them. */
#define SETUP_SIGN_KEY "domain-sign.pem"
#define SETUP_DOCUMENT "domain-document.cose"
/* Below it, what no process ever reads: to be taken to a safe place. */
#define SETUP_OFFLINE "offline"
#define SETUP_ROOT_KEY "domain-root.pem"
#define SETUP_NEXT_KEY "domain-root-next.pem"

/* One run of setup. */
struct setup {
	const struct call *call;
	bool dry;
	char file[PATH_MAX]; /* emsg.yaml */
	char domain[256];
	char keys[PATH_MAX], offline[PATH_MAX];
	char cert[PATH_MAX], key[PATH_MAX];
	uint64_t now;               /* ms */
	char *made[SETUP_MADE_MAX]; /* owned: paths, for the report */
	size_t nmade;
	uint8_t document[PROTO_OBJECT_MAX];
	size_t ndocument;
	struct trust_domain trust; /* the document, opened; borrows from it */
};

/* The command. */
int setup_run(const struct call *);
/* The command "domain": the server's answer, or the document as it lies on disk. */
int setup_domain(const struct call *);

/* Makes a directory and its parents; mode is that of the last one. 0, or an exit code with a
 * line printed. */
int setup_directory(struct setup *, const char *path, mode_t mode);
/* Writes a file durably and notes it as made. */
int setup_write(struct setup *, const char *dir, const char *name, struct span, mode_t);
/* Keys and domain document (setupkeys.c): makes or renews what is missing or soon ends. */
int setup_keys(struct setup *);
/* Reads the document that is there and opens it; of an expired one, too. */
enum setup_document {
	DOCUMENT_GOOD,
	DOCUMENT_EXPIRED,
	DOCUMENT_ABSENT,
	DOCUMENT_BAD /* unreadable, of another domain, or not signed by its root key */
};
enum setup_document setup_load_document(struct setup *);

#endif
