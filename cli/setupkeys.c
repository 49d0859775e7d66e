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
save_pair(struct setup *s, const char *dir, const char *name, const struct pair *pair)
{
	struct buf pem;
	int rc;

	buf_init(&pem, ED25519_PEM_MAX);
	if (ed25519_pem_write(pair->seed, &pem) == -1 || buf_failed(&pem))
		rc = tool_fail(
		    s->call, TOOL_FAILED, "%s/%s: cannot be encoded", dir, name);
	else
		rc = setup_write(s, dir, name, buf_span(&pem), 0600);
	buf_wipe(&pem);
	return rc;
}

static int
new_pair(struct setup *s, struct pair *pair)
{
	if (ed25519_keygen(pair->seed, pair->pub) == 0)
		return TOOL_OK;
	return tool_fail(s->call, TOOL_FAILED, "no key can be made");
}

static int
obtain_pair(struct setup *s, const char *dir, const char *name, struct pair *pair)
{
	int rc;

	switch (read_pair(s, dir, name, pair)) {
	case FOUND:
		return TOOL_OK;
	case ABSENT:
		rc = new_pair(s, pair);
		return rc == TOOL_OK ? save_pair(s, dir, name, pair) : rc;
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
write_document(struct setup *s, const struct pair *root, const uint8_t next[SHA_SIZE],
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
	memcpy(doc.next_root_hash, next, sizeof(doc.next_root_hash));
	obj_set(&s_domain_def, &doc, 6);
	(void)obj_encode(&s_domain_key_def, &key, &keys);
	doc.keys.count++;
	doc.keys.raw = buf_span(&keys);
	if (obj_encode(&s_domain_def, &doc, &payload) == WIRE_OK &&
	    cose_sign1_make(span_str(TYP_DOMAIN), span_of(NULL, 0), buf_span(&payload),
		root->seed, &cose) == 0 &&
	    !buf_failed(&cose))
		rc = setup_write(s, s->keys, SETUP_DOCUMENT, buf_span(&cose), 0644);
	else
		tool_fail(s->call, TOOL_FAILED, "no domain document can be made");
	buf_clear(&keys);
	buf_clear(&payload);
	buf_clear(&cose);
	return rc;
}

/* The hash of the root key's successor. One that was announced stays announced while its key
 * lies in a safe place; only the first document gets a new one. */
static int
obtain_next(struct setup *s, bool old, uint8_t hash[SHA_SIZE])
{
	struct pair next;
	int rc;

	if (old && obj_has(&s_domain_def, &s->trust.doc, 6)) {
		memcpy(hash, s->trust.doc.next_root_hash, SHA_SIZE);
		return TOOL_OK;
	}
	rc = obtain_pair(s, s->offline, SETUP_NEXT_KEY, &next);
	if (rc == TOOL_OK && sha_of(span_of(next.pub, sizeof(next.pub)), hash) == -1)
		rc = tool_fail(s->call, TOOL_FAILED, "no hash can be made");
	wipe(&next, sizeof(next));
	return rc;
}

/* The root key: a new one for the first document, later the one that peers have pinned. */
static int
obtain_root(struct setup *s, bool old, struct pair *root)
{
	if (!old)
		return obtain_pair(s, s->offline, SETUP_ROOT_KEY, root);
	switch (read_pair(s, s->offline, SETUP_ROOT_KEY, root)) {
	case ABSENT:
		return tool_fail(s->call, TOOL_FAILED,
		    "%s/%s: put the root key back to renew the domain document",
		    s->offline, SETUP_ROOT_KEY);
	case BAD:
		return TOOL_FAILED;
	case FOUND:
		break;
	}
	if (memcmp(root->pub, s->trust.doc.root, sizeof(root->pub)) == 0)
		return TOOL_OK;
	return tool_fail(s->call, TOOL_FAILED,
	    "%s/%s: not the root key of the present domain document", s->offline,
	    SETUP_ROOT_KEY);
}

static int
renew(struct setup *s, const struct pair *sign, bool old)
{
	uint8_t next[SHA_SIZE];
	struct pair root;
	int rc = obtain_root(s, old, &root);

	if (rc == TOOL_OK)
		rc = obtain_next(s, old, next);
	if (rc == TOOL_OK)
		rc = write_document(s, &root, next, sign, old);
	wipe(&root, sizeof(root));
	return rc;
}

/* Reads the signing key; *fresh: it is to be replaced by a new one, which is in *sign then. */
static int
choose_signer(struct setup *s, bool old, struct pair *sign, bool *fresh)
{
	uint64_t soon = s->now + SETUP_RENEW_DAYS * DAY_MS, until;
	enum found found = read_pair(s, s->keys, SETUP_SIGN_KEY, sign);

	if (found == BAD)
		return TOOL_FAILED;
	until = found == FOUND && old ? listed_until(s, sign) : 0;
	*fresh = found == ABSENT || (until != 0 && until <= soon);
	return *fresh ? new_pair(s, sign) : TOOL_OK;
}

/* The document is written before the new signing key: it lists the old one as well, so that a
 * server can start whatever happens in between. */
static int
sign_and_save(struct setup *s, bool old)
{
	uint64_t soon = s->now + SETUP_RENEW_DAYS * DAY_MS;
	struct pair sign;
	bool fresh = false;
	int rc = choose_signer(s, old, &sign, &fresh);

	if (rc == TOOL_OK &&
	    (fresh || !old || listed_until(s, &sign) == 0 ||
		s->trust.doc.expires <= soon))
		rc = renew(s, &sign, old);
	if (rc == TOOL_OK && fresh)
		rc = save_pair(s, s->keys, SETUP_SIGN_KEY, &sign);
	wipe(&sign, sizeof(sign));
	return rc;
}

int
setup_keys(struct setup *s)
{
	enum setup_document found;
	int rc;

	rc = setup_directory(s, s->keys, 0700);
	if (rc == TOOL_OK)
		rc = setup_directory(s, s->offline, 0700);
	if (rc != TOOL_OK)
		return rc;
	found = setup_load_document(s);
	if (found == DOCUMENT_BAD)
		return tool_fail(s->call, TOOL_FAILED,
		    "%s/%s: not a document of %s; move it away to make a new one",
		    s->keys, SETUP_DOCUMENT, s->domain);
	return sign_and_save(s, found == DOCUMENT_GOOD || found == DOCUMENT_EXPIRED);
}
