/* SPDX-License-Identifier: ISC */
/*
 * setupkeys.c - the keys of a domain and the document that names them.
 *
 * The root key signs the domain document and nothing else; no process of the server ever
 * reads it, so it lies in a directory apart and belongs in a safe place. The signing key may
 * sign for SETUP_SIGN_DAYS and is listed in the document, which the root key signs for
 * SOBJ_DOC_DAYS. The document also announces the hash of the key that may follow the root
 * key. Called by setup.c. What exists and is good is left alone; seeds are wiped.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cli/setup.h"
#include "crypto/cose.h"
#include "wire/sobj.h"

#define DAY_MS (24 * 3600 * (uint64_t)1000)

/* A key of the domain while setup runs. */
struct pair {
	uint8_t seed[ED25519_SEED_SIZE];
	uint8_t pub[ED25519_PUBLIC_SIZE];
};

enum found { FOUND, ABSENT, BAD };

/* Reads a key file, if there is one. */
static enum found
read_pair(struct setup *s, const char *dir, const char *name, struct pair *pair)
{
	char path[PATH_MAX + 64];
	unsigned char *pem = NULL;
	size_t n = 0;
	enum found found = BAD;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		return ABSENT;
	if (fd != -1 && fd_read_all(fd, ED25519_PEM_MAX, &pem, &n) == 0 &&
	    ed25519_pem_read(span_of(pem, n), pair->seed) == 0 &&
	    ed25519_public(pair->seed, pair->pub) == 0)
		found = FOUND;
	else
		tool_fail(s->call, TOOL_FAILED, "%s: not readable as an Ed25519 key%s%s",
		    path, fd == -1 ? ": " : "", fd == -1 ? strerror(errno) : "");
	freezero(pem, n);
	if (fd != -1)
		close(fd);
	return found;
}

static int
make_pair(struct setup *s, const char *dir, const char *name, struct pair *pair)
{
	struct buf pem;
	int rc;

	buf_init(&pem, ED25519_PEM_MAX);
	if (ed25519_keygen(pair->seed, pair->pub) == -1 ||
	    ed25519_pem_write(pair->seed, &pem) == -1 || buf_failed(&pem))
		rc = tool_fail(
		    s->call, TOOL_FAILED, "%s/%s: no key can be made", dir, name);
	else
		rc = setup_write(s, dir, name, buf_span(&pem), 0600);
	buf_wipe(&pem);
	return rc;
}

static int
obtain_pair(struct setup *s, const char *dir, const char *name, struct pair *pair)
{
	switch (read_pair(s, dir, name, pair)) {
	case FOUND:
		return TOOL_OK;
	case ABSENT:
		return make_pair(s, dir, name, pair);
	default:
		return TOOL_FAILED;
	}
}

/* Opens the document that was read; one that has expired still tells what to renew. */
static enum setup_document
judge_document(struct setup *s)
{
	struct span bytes = span_of(s->document, s->ndocument);
	struct span domain = span_str(s->domain);
	unsigned code = trust_domain(bytes, domain, s->now, &s->trust);

	if (code == CODE_DONE)
		return DOCUMENT_GOOD;
	if (code == CODE_EXPIRED &&
	    trust_domain(bytes, domain, s->trust.doc.issued, &s->trust) == CODE_DONE)
		return DOCUMENT_EXPIRED;
	return DOCUMENT_BAD;
}

enum setup_document
setup_load_document(struct setup *s)
{
	char path[PATH_MAX + 64];
	unsigned char *bytes = NULL;
	enum setup_document found = DOCUMENT_BAD;
	size_t n = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", s->keys, SETUP_DOCUMENT);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? DOCUMENT_ABSENT : DOCUMENT_BAD;
	if (fd_read_all(fd, sizeof(s->document), &bytes, &n) == 0) {
		memcpy(s->document, bytes, n);
		s->ndocument = n;
		found = judge_document(s);
	}
	free(bytes);
	close(fd);
	return found;
}

/* How long the document lets this key sign; 0: it does not name it. */
static uint64_t
listed_until(const struct setup *s, const struct pair *sign)
{
	struct s_domain_key key;
	struct obj_iter it;

	obj_iter_init(&it, &s->trust.doc.keys);
	while (obj_next(&it, &s_domain_key_def, &key))
		if (memcmp(key.key, sign->pub, sizeof(key.key)) == 0)
			return key.until;
	return 0;
}

/* Appends the keys of the old document that somebody may still have to verify by. */
static size_t
keep_old_keys(const struct setup *s, const struct pair *sign, struct buf *out)
{
	struct s_domain_key key;
	struct obj_iter it;
	size_t n = 0;

	obj_iter_init(&it, &s->trust.doc.keys);
	while (n < 7 && obj_next(&it, &s_domain_key_def, &key)) {
		if (key.until <= s->now ||
		    memcmp(key.key, sign->pub, sizeof(key.key)) == 0)
			continue;
		(void)obj_encode(&s_domain_key_def, &key, out);
		n++;
	}
	return n;
}

/* Signs a new document and writes it. old: s->trust has the one before. */
static int
write_document(struct setup *s, const struct pair *root, const struct pair *next,
    const struct pair *sign, bool old)
{
	struct s_domain_key key = {
	    .from = s->now - 3600 * 1000, .until = s->now + SETUP_SIGN_DAYS * DAY_MS};
	struct s_domain doc = {.domain = span_str(s->domain),
	    .seq = old ? s->trust.doc.seq + 1 : 1,
	    .issued = s->now,
	    .expires = s->now + SOBJ_DOC_DAYS * DAY_MS,
	    .version_min = 1,
	    .version_max = 1};
	struct buf keys, payload, cose;
	int rc = TOOL_FAILED;

	buf_init(&keys, 1024);
	buf_init(&payload, PROTO_OBJECT_MAX);
	buf_init(&cose, PROTO_OBJECT_MAX);
	memcpy(key.key, sign->pub, sizeof(key.key));
	memcpy(doc.root, root->pub, sizeof(doc.root));
	doc.keys.count = old ? keep_old_keys(s, sign, &keys) : 0;
	if (sha_of(span_of(next->pub, sizeof(next->pub)), doc.next_root_hash) == 0) {
		obj_set(&s_domain_def, &doc, 6);
		(void)obj_encode(&s_domain_key_def, &key, &keys);
		doc.keys.count++;
		doc.keys.raw = buf_span(&keys);
		if (obj_encode(&s_domain_def, &doc, &payload) == WIRE_OK &&
		    cose_sign1_make(span_str(TYP_DOMAIN), span_of(NULL, 0),
			buf_span(&payload), root->seed, &cose) == 0 &&
		    !buf_failed(&cose))
			rc = setup_write(
			    s, s->keys, SETUP_DOCUMENT, buf_span(&cose), 0644);
		else
			tool_fail(s->call, TOOL_FAILED, "no domain document can be made");
	}
	buf_clear(&keys);
	buf_clear(&payload);
	buf_clear(&cose);
	return rc;
}

/* Makes a document; the root key must be the one that peers have pinned. */
static int
renew(struct setup *s, const struct pair *sign, bool old)
{
	struct pair root, next;
	int rc;

	if (old && read_pair(s, s->offline, SETUP_ROOT_KEY, &root) == ABSENT)
		return tool_fail(s->call, TOOL_FAILED,
		    "%s/%s: put the root key back to renew the domain document",
		    s->offline, SETUP_ROOT_KEY);
	rc = obtain_pair(s, s->offline, SETUP_ROOT_KEY, &root);
	if (rc == TOOL_OK && old && memcmp(root.pub, s->trust.doc.root, 32) != 0)
		rc = tool_fail(s->call, TOOL_FAILED,
		    "%s/%s: not the root key of the present domain document", s->offline,
		    SETUP_ROOT_KEY);
	if (rc == TOOL_OK)
		rc = obtain_pair(s, s->offline, SETUP_NEXT_KEY, &next);
	if (rc == TOOL_OK)
		rc = write_document(s, &root, &next, sign, old);
	wipe(&root, sizeof(root));
	wipe(&next, sizeof(next));
	return rc;
}

int
setup_keys(struct setup *s)
{
	uint64_t soon = s->now + SETUP_RENEW_DAYS * DAY_MS;
	enum setup_document found;
	struct pair sign;
	bool old;
	int rc;

	rc = setup_directory(s, s->keys, 0700);
	if (rc == TOOL_OK)
		rc = setup_directory(s, s->offline, 0700);
	if (rc != TOOL_OK)
		return rc;
	found = setup_load_document(s);
	old = found == DOCUMENT_GOOD || found == DOCUMENT_EXPIRED;
	if (found == DOCUMENT_BAD)
		return tool_fail(s->call, TOOL_FAILED,
		    "%s/%s: not a document of %s; move it away to make a new one",
		    s->keys, SETUP_DOCUMENT, s->domain);
	rc = obtain_pair(s, s->keys, SETUP_SIGN_KEY, &sign);
	if (rc == TOOL_OK && old && listed_until(s, &sign) != 0 &&
	    listed_until(s, &sign) <= soon)
		rc = make_pair(s, s->keys, SETUP_SIGN_KEY, &sign);
	if (rc == TOOL_OK &&
	    (!old || listed_until(s, &sign) <= soon || s->trust.doc.expires <= soon))
		rc = renew(s, &sign, old);
	wipe(&sign, sizeof(sign));
	return rc;
}
