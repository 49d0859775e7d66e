/* SPDX-License-Identifier: ISC */
/*
 * homes.c - where accounts live on disk, and opening their databases.
 *
 * Below one home directory ($EMSG_HOME, else $XDG_DATA_HOME/emsg, else ~/.local/share/emsg) each
 * account has a directory named by a hash of its address, with account.db, link.lock and
 * link.sock in it. The file "default" names the directory that is meant when nobody says which.
 * Directories are made with mode 0700, files with 0600.
 *
 * Owns nothing. Called by emsg_api.c and enrol.c. Fails with a text.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "crypto/sha.h"
#include "normal.h"
#include "session.h"

#define ID_BYTES 10
#define ID_SIZE (2 * ID_BYTES + 1)
#define DB_NAME_FILE "account.db"
#define DEFAULT_NAME "default"

static bool
refuse(const char **why, const char *text)
{
	*why = text;
	return false;
}

static bool
home_dir(const char *given, char *out, size_t size)
{
	const char *env = getenv("EMSG_HOME"), *xdg = getenv("XDG_DATA_HOME"),
		   *home = getenv("HOME");
	int n;

	if (given != NULL)
		n = snprintf(out, size, "%s", given);
	else if (env != NULL && env[0] == '/')
		n = snprintf(out, size, "%s", env);
	else if (xdg != NULL && xdg[0] == '/')
		n = snprintf(out, size, "%s/emsg", xdg);
	else if (home != NULL)
		n = snprintf(out, size, "%s/.local/share/emsg", home);
	else
		return false;
	return n > 0 && (size_t)n < size;
}

/* The name of an account's directory. */
static bool
homes_id(const char *address, char id[ID_SIZE])
{
	uint8_t hash[SHA_SIZE];

	if (sha_of(span_str(address), hash) < 0)
		return false;
	hex_encode(span_of(hash, ID_BYTES), id);
	return true;
}

static bool
read_default(const char *home, char id[ID_SIZE])
{
	uint8_t bytes[ID_BYTES];
	char path[PATH_MAX + 16];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/" DEFAULT_NAME, home);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return false;
	n = read(fd, id, ID_SIZE - 1);
	close(fd);
	id[n > 0 ? n : 0] = '\0';
	return n == ID_SIZE - 1 && hex_decode(id, bytes, sizeof(bytes));
}

bool
homes_dir(const struct emsg_access *access, char *out, size_t size, const char **why)
{
	char home[PATH_MAX], id[ID_SIZE], address[ADDR_TEXT_SIZE];
	struct stat st;

	if (!home_dir(access->home, home, sizeof(home)))
		return refuse(why, "no home directory: set EMSG_HOME");
	if (access->account == NULL) {
		if (!read_default(home, id))
			return refuse(why, "no account here: use emsg register first");
	} else if (!normal_address(span_str(access->account), address, why) ||
	    !homes_id(address, id)) {
		return false;
	}
	if ((size_t)snprintf(out, size, "%s/%s", home, id) >= size)
		return refuse(why, "the path of the home directory is too long");
	if (stat(out, &st) < 0 || !S_ISDIR(st.st_mode))
		return refuse(why, "there is no such account here");
	return true;
}

/* mkdir -p with mode 0700 for what is new. */
static bool
make_dirs(char *path)
{
	for (char *p = path + 1; *p != '\0'; p++) {
		int rc;

		if (*p != '/')
			continue;
		*p = '\0';
		rc = mkdir(path, 0700);
		*p = '/';
		if (rc < 0 && errno != EEXIST)
			return false;
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static void
write_default(const char *home, const char *id)
{
	int dir = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char old[ID_SIZE];

	if (dir >= 0 && !read_default(home, old))
		fd_replace(dir, DEFAULT_NAME, id, strlen(id), 0600);
	if (dir >= 0)
		close(dir);
}

bool
homes_make(
    const char *given, const char *address, char *out, size_t size, const char **why)
{
	char home[PATH_MAX], id[ID_SIZE];

	if (!home_dir(given, home, sizeof(home)))
		return refuse(why, "no home directory: set EMSG_HOME");
	if (!homes_id(address, id) || !make_dirs(home))
		return refuse(why, "the home directory cannot be made");
	if ((size_t)snprintf(out, size, "%s/%s", home, id) >= size)
		return refuse(why, "the path of the home directory is too long");
	if (mkdir(out, 0700) < 0)
		return refuse(why,
		    errno == EEXIST ? "this account is here already"
				    : "the account's directory cannot be made");
	write_default(home, id);
	return true;
}

void
homes_unmake(const char *dir)
{
	static const char *const names[] = {DB_NAME_FILE, DB_NAME_FILE "-wal",
	    DB_NAME_FILE "-shm", "link.lock", "link.sock"};
	const char *id = strrchr(dir, '/');
	char path[PATH_MAX + 16], home[PATH_MAX], old[ID_SIZE];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
	if (id == NULL)
		return;
	snprintf(home, sizeof(home), "%.*s", (int)(id - dir), dir);
	if (read_default(home, old) && strcmp(old, id + 1) == 0) {
		snprintf(path, sizeof(path), "%s/" DEFAULT_NAME, home);
		unlink(path);
	}
}

/* --- databases ---------------------------------------------------------------------------- */

static int
vault_code(enum vault_result result)
{
	switch (result) {
	case VAULT_OK:
		return EMSG_OK;
	case VAULT_NEEDS_PASSPHRASE:
	case VAULT_WRONG:
		return EMSG_REFUSED;
	default:
		return EMSG_FAILED;
	}
}

static int
unlock(struct dbase *db, const char *passphrase, bool *protected, const char **why)
{
	struct span pass = {NULL, 0};
	enum vault_result result = VAULT_BROKEN;
	struct vault vault;
	struct buf blob;

	if (passphrase != NULL)
		pass = span_str(passphrase);
	buf_init(&blob, VAULT_BLOB_MAX);
	if (dbase_blob_get(db, &blob) == 1)
		result = vault_open(
		    buf_span(&blob), passphrase != NULL ? &pass : NULL, &vault);
	if (result == VAULT_OK) {
		dbase_unlock(db, &vault);
		*protected = vault.mode == VAULT_PASSPHRASE;
		vault_wipe(&vault);
	}
	buf_clear(&blob);
	*why = vault_text(result);
	return vault_code(result);
}

struct dbase *
homes_open(
    const char *dir, const char *passphrase, bool *protected, int *code, const char **why)
{
	char path[PATH_MAX];
	struct dbase *db;

	snprintf(path, sizeof(path), "%s/" DB_NAME_FILE, dir);
	*code = EMSG_FAILED;
	if ((db = dbase_open(path, false, why)) == NULL)
		return NULL;
	*code = unlock(db, passphrase, protected, why);
	if (*code == EMSG_OK)
		return db;
	dbase_close(db);
	return NULL;
}

/* Makes the file before SQLite does: what it puts beside the file gets the file's mode. */
static bool
make_private(const char *path)
{
	int fd = open(
	    path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);

	return fd >= 0 && close(fd) == 0;
}

struct dbase *
homes_create(const char *dir, const char *passphrase, const char **why)
{
	struct span pass = {NULL, 0};
	enum vault_result result;
	char path[PATH_MAX];
	struct vault vault;
	struct dbase *db;
	struct buf blob;

	if (passphrase != NULL)
		pass = span_str(passphrase);
	snprintf(path, sizeof(path), "%s/" DB_NAME_FILE, dir);
	*why = "the local data cannot be made";
	if (!make_private(path) || (db = dbase_open(path, true, why)) == NULL)
		return NULL;
	buf_init(&blob, VAULT_BLOB_MAX);
	result =
	    vault_make(passphrase != NULL ? &pass : NULL, &scrypt_default, &blob, &vault);
	*why = vault_text(result);
	if (result == VAULT_OK && dbase_blob_put(db, buf_span(&blob)) == 0) {
		dbase_unlock(db, &vault);
	} else {
		dbase_close(db);
		db = NULL;
	}
	vault_wipe(&vault);
	buf_clear(&blob);
	return db;
}

int
emsg_needs_passphrase(const struct emsg_access *access, bool *needed)
{
	char dir[PATH_MAX], path[PATH_MAX + 16];
	enum vault_mode mode = VAULT_OPEN;
	const char *why;
	struct dbase *db;
	struct buf blob;
	int rc = EMSG_FAILED;

	if (!homes_dir(access, dir, sizeof(dir), &why))
		return EMSG_NOT_FOUND;
	snprintf(path, sizeof(path), "%s/" DB_NAME_FILE, dir);
	if ((db = dbase_open(path, false, &why)) == NULL)
		return EMSG_FAILED;
	buf_init(&blob, VAULT_BLOB_MAX);
	if (dbase_blob_get(db, &blob) == 1 && vault_mode(buf_span(&blob), &mode))
		rc = EMSG_OK;
	*needed = mode == VAULT_PASSPHRASE;
	buf_clear(&blob);
	dbase_close(db);
	return rc;
}
