/* SPDX-License-Identifier: ISC */
/*
 * bind.c - opens what children must not open themselves.
 *
 * Only the master touches names: addresses, key files, sockets in the file system. What it
 * opens goes to exactly one child each (private keys to keyd, listening sockets to listener)
 * as a descriptor and a name, and a set of all that belongs to a configuration is kept for
 * children that are started again. A reload opens a new set beside the old one and shares
 * the sockets that both have, so that no connection waiting in a backlog is lost. Errors are
 * one line that says what and where; nothing is logged and nothing exits here.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "ipc/msgs.h"
#include "master/bind.h"

/* Everything that bind_open() passes around. */
struct opening {
	struct bound_set *set;
	const struct conf *conf;
	const struct bound_set *old;
	bool privileged;
};

static int fail(struct bound_set *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int
fail(struct bound_set *set, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(set->error, sizeof(set->error), fmt, ap);
	va_end(ap);
	return -1;
}

static int
add(struct bound_set *set, enum role role, unsigned kind, const char *name, int fd)
{
	if (set->n == BIND_MAX) {
		close(fd);
		return fail(set, "more than %d sockets and files", BIND_MAX);
	}
	set->v[set->n++] = (struct bound){role, kind, xstrdup(name), fd};
	return 0;
}

/* Another descriptor of the same socket in the old set, or -1. */
static int
share_old(const struct opening *o, unsigned kind, const char *name)
{
	for (size_t i = 0; o->old != NULL && i < o->old->n; i++) {
		const struct bound *b = &o->old->v[i];

		if (b->kind == kind && strcmp(b->name, name) == 0)
			return fcntl(b->fd, F_DUPFD_CLOEXEC, 3);
	}
	return -1;
}

/* --- listening sockets --------------------------------------------------------------- */

static in_port_t
port_of(const struct sockaddr_storage *ss)
{
	if (ss->ss_family == AF_INET6)
		return ((const struct sockaddr_in6 *)(const void *)ss)->sin6_port;
	return ((const struct sockaddr_in *)(const void *)ss)->sin_port;
}

/* An IPv6 wildcard leaves IPv4 to others only if one is listed with the same port. */
static int
is_v6_only(const struct conf *conf, in_port_t port)
{
	struct sockaddr_storage ss;
	socklen_t n;

	for (size_t i = 0; i < conf_list_count(conf, CONF_LISTEN); i++)
		if (value_sockaddr(conf_list_str(conf, CONF_LISTEN, i), &ss, &n) &&
		    ss.ss_family == AF_INET && port_of(&ss) == port)
			return 1;
	return 0;
}

static int
listen_tcp(const struct conf *conf, const struct sockaddr_storage *ss, socklen_t n)
{
	int one = 1, fd, keep, v6only;

	fd = socket(ss->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (ss->ss_family == AF_INET6) {
		v6only = is_v6_only(conf, port_of(ss));
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
	}
	if (bind(fd, (const struct sockaddr *)ss, n) == 0 &&
	    listen(fd, BIND_BACKLOG) == 0)
		return fd;
	keep = errno;
	close(fd);
	errno = keep;
	return -1;
}

static int
open_listeners(const struct opening *o)
{
	struct sockaddr_storage ss;
	socklen_t n;

	for (size_t i = 0; i < conf_list_count(o->conf, CONF_LISTEN); i++) {
		const char *text = conf_list_str(o->conf, CONF_LISTEN, i);
		int fd = share_old(o, RESOURCE_LISTEN, text);

		if (fd == -1 && !value_sockaddr(text, &ss, &n))
			return fail(o->set, "listen: %s is no address", text);
		if (fd == -1)
			fd = listen_tcp(o->conf, &ss, n);
		if (fd == -1 && errno == EADDRINUSE)
			return fail(
			    o->set, "listen: %s is taken by another program", text);
		if (fd == -1)
			return fail(o->set, "listen: %s: %s", text, strerror(errno));
		if (add(o->set, ROLE_LISTENER, RESOURCE_LISTEN, text, fd) == -1)
			return -1;
	}
	return 0;
}

/* --- files ----------------------------------------------------------------------------- */

enum need { OPTIONAL, REQUIRED };

/* Opens one file for a child. A secret one must not be open to everybody. */
static int
open_file(const struct opening *o, enum role role, unsigned kind, const char *name,
    const char *path, enum need need)
{
	bool secret = role == ROLE_KEYD && kind != RESOURCE_DOCUMENT;
	struct stat st;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1 && errno == ENOENT && need == OPTIONAL)
		return 0;
	if (fd == -1)
		return fail(o->set, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		return fail(o->set, "%s: not a regular file", path);
	}
	if (secret && (st.st_mode & 007) != 0) {
		close(fd);
		return fail(o->set,
		    "%s: holds a private key but everybody may use it "
		    "(mode %03o; chmod o= it)",
		    path, (unsigned)(st.st_mode & 0777));
	}
	return add(o->set, role, kind, name, fd);
}

static int
open_key(const struct opening *o, unsigned kind, const char *name, enum need need)
{
	char path[PATH_MAX];

	(void)snprintf(
	    path, sizeof(path), "%s/%s", conf_str(o->conf, CONF_KEYS_DIRECTORY), name);
	return open_file(o, ROLE_KEYD, kind, name, path, need);
}

static int
open_files(const struct opening *o)
{
	const char *certificate = conf_str(o->conf, CONF_TLS_CERTIFICATE);
	const char *key = conf_str(o->conf, CONF_TLS_KEY);
	const char *ca = conf_str(o->conf, CONF_TLS_CA_FILE);

	if (open_file(
		o, ROLE_LISTENER, RESOURCE_CERT, certificate, certificate, REQUIRED) ||
	    open_file(o, ROLE_KEYD, RESOURCE_TLS_KEY, key, key, REQUIRED) ||
	    open_key(o, RESOURCE_SIGN_KEY, BIND_SIGN_KEY, REQUIRED) ||
	    open_key(o, RESOURCE_DOCUMENT, BIND_DOCUMENT, REQUIRED))
		return -1;
	if (ca != NULL && open_file(o, ROLE_RELAY, RESOURCE_CA, "", ca, REQUIRED) == -1)
		return -1;
	for (size_t i = 0; i < conf_peer_count(o->conf); i++) {
		struct conf_peer peer = conf_peer_at(o->conf, i);

		if (peer.ca_file != NULL &&
		    open_file(o, ROLE_RELAY, RESOURCE_CA, peer.domain, peer.ca_file,
			REQUIRED) == -1)
			return -1;
	}
	return 0;
}

/* --- admin sockets --------------------------------------------------------------------- */

static void
view_socket_path(const struct conf *conf, char *out, size_t size)
{
	const char *admin = conf_str(conf, CONF_CONTROL_SOCKET);
	const char *slash = strrchr(admin, '/');

	(void)snprintf(out, size, "%.*s%s", slash == NULL ? 0 : (int)(slash - admin + 1),
	    admin, BIND_VIEW_SOCKET);
}

/* Binds under a name that only we can use, then opens it to the group and moves it into
 * place, so that there is no moment in which anybody else could connect. */
static int
listen_unix(const char *path, mode_t mode, gid_t gid)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd, keep;
	mode_t old;

	if ((size_t)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s.new", path) >=
	    sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	(void)unlink(sun.sun_path);
	old = umask(0177);
	if (bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) == -1)
		goto failed;
	if (gid != (gid_t)-1 && chown(sun.sun_path, (uid_t)-1, gid) == -1)
		goto failed;
	if (chmod(sun.sun_path, mode) == -1 || listen(fd, BIND_CTL_BACKLOG) == -1 ||
	    rename(sun.sun_path, path) == -1)
		goto failed;
	(void)umask(old);
	return fd;
failed:
	keep = errno;
	(void)umask(old);
	(void)unlink(sun.sun_path);
	close(fd);
	errno = keep;
	return -1;
}

static int
open_control_socket(
    const struct opening *o, const char *name, const char *path, enum conf_key group_key)
{
	const char *group = conf_str(o->conf, group_key);
	int fd = share_old(o, RESOURCE_CONTROL, name);
	gid_t gid = (gid_t)-1;
	struct group *gr;

	if (o->privileged && group != NULL) {
		gr = getgrnam(group);
		if (gr == NULL)
			return fail(o->set, "%s: there is no group %s",
			    schema_row(group_key)->path, group);
		gid = gr->gr_gid;
	}
	if (fd == -1)
		fd = listen_unix(path, o->privileged ? 0660 : 0600, gid);
	if (fd == -1)
		return fail(o->set, "%s: %s", path, strerror(errno));
	return add(o->set, ROLE_CONTROL, RESOURCE_CONTROL, name, fd);
}

static int
open_control(const struct opening *o)
{
	char view[PATH_MAX];

	view_socket_path(o->conf, view, sizeof(view));
	if (open_control_socket(o, "admin", conf_str(o->conf, CONF_CONTROL_SOCKET),
		CONF_CONTROL_ADMIN_GROUP) == -1)
		return -1;
	return open_control_socket(o, "view", view, CONF_CONTROL_VIEW_GROUP);
}

void
bind_unlink(const struct conf *conf)
{
	char view[PATH_MAX];

	view_socket_path(conf, view, sizeof(view));
	(void)unlink(conf_str(conf, CONF_CONTROL_SOCKET));
	(void)unlink(view);
}

int
bind_open(struct bound_set *set, const struct conf *conf, bool privileged,
    const struct bound_set *old)
{
	struct opening o = {set, conf, old, privileged};

	set->n = 0;
	set->error[0] = '\0';
	if (open_files(&o) == -1 || open_listeners(&o) == -1 || open_control(&o) == -1)
		return -1;
	return 0;
}

void
bind_clear(struct bound_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		free(set->v[i].name);
		close(set->v[i].fd);
	}
	set->n = 0;
}

/* --- directories ----------------------------------------------------------------------- */

void
bind_empty_dir(const struct conf *conf, char *out, size_t size)
{
	(void)snprintf(out, size, "%s/empty", conf_str(conf, CONF_RUN_DIRECTORY));
}

/* Makes a directory and its missing parents. An existing one is left as it is. */
static int
make_directory(const char *path, mode_t mode)
{
	char part[PATH_MAX];

	if ((size_t)snprintf(part, sizeof(part), "%s", path) >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *slash = strchr(part + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) == -1 && errno != EEXIST)
			return -1;
		*slash = '/';
	}
	if (mkdir(part, mode) == -1)
		return errno == EEXIST ? 1 : -1;
	return 0;
}

/* A data directory is its process's own; the group root keeps it open to the master. */
static int
own(const char *path, enum role role)
{
	const struct passwd *pw = getpwnam(role_user(role));

	if (pw == NULL) {
		errno = ENOENT;
		return -1;
	}
	return chown(path, pw->pw_uid, 0);
}

int
bind_directories(const struct conf *conf, bool privileged, char *error, size_t size)
{
	char empty[PATH_MAX];
	const struct {
		const char *path;
		mode_t mode;
		enum role owner;
	} dirs[] = {
	    {conf_str(conf, CONF_RUN_DIRECTORY), 0755, ROLE_MASTER},
	    {empty, 0555, ROLE_MASTER},
	    {conf_str(conf, CONF_STORE_DIRECTORY), privileged ? 0750 : 0700, ROLE_STORE},
	    {conf_str(conf, CONF_QUEUE_DIRECTORY), privileged ? 0750 : 0700, ROLE_QUEUE},
	};
	int rc;

	bind_empty_dir(conf, empty, sizeof(empty));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		rc = make_directory(dirs[i].path, dirs[i].mode);
		if (rc == 0 && privileged && dirs[i].owner != ROLE_MASTER)
			rc = own(dirs[i].path, dirs[i].owner);
		if (rc == -1) {
			(void)snprintf(
			    error, size, "%s: %s", dirs[i].path, strerror(errno));
			return -1;
		}
	}
	return 0;
}

int
bind_pid_file(const struct conf *conf, char *error, size_t size)
{
	char path[PATH_MAX];
	int fd;

	(void)snprintf(
	    path, sizeof(path), "%s/emsgd.pid", conf_str(conf, CONF_RUN_DIRECTORY));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == 0 && ftruncate(fd, 0) == 0 &&
	    dprintf(fd, "%ld\n", (long)getpid()) > 0)
		return fd;
	if (errno == EWOULDBLOCK)
		(void)snprintf(error, size, "%s: another emsgd is running", path);
	else
		(void)snprintf(error, size, "%s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	return -1;
}
