/* SPDX-License-Identifier: ISC */
/*
 * setup.c - "emsgctl setup": makes what a server needs before its first start.
 *
 * Configuration file, keys with the domain document (setupkeys.c), and, if asked, a
 * self-signed certificate. It makes only what is missing or soon ends, so it is safe to run
 * again and is also how signing keys are renewed. In the end it says what to publish in the
 * DNS, the domain's pin, and how to come by a certificate. Every file is replaced durably;
 * private ones are open to their owner only.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/ask.h"
#include "cli/execconf.h"
#include "cli/setup.h"
#include "net/certgen.h"
#include "wire/code.h"

int
setup_directory(struct setup *s, const char *path, mode_t mode)
{
	char part[PATH_MAX];

	if (s->dry || access(path, F_OK) == 0)
		return TOOL_OK;
	(void)snprintf(part, sizeof(part), "%s", path);
	for (char *slash = strchr(part + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) == -1 && errno != EEXIST)
			return tool_fail(
			    s->call, TOOL_FAILED, "%s: %s", part, strerror(errno));
		*slash = '/';
	}
	if (mkdir(part, mode) == -1 && errno != EEXIST)
		return tool_fail(s->call, TOOL_FAILED, "%s: %s", part, strerror(errno));
	return TOOL_OK;
}

int
setup_write(
    struct setup *s, const char *dir, const char *name, struct span bytes, mode_t mode)
{
	int fd, rc = 0;

	if (!s->dry) {
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = fd == -1 ? -1 : fd_replace(fd, name, bytes.p, bytes.n, mode);
		if (fd != -1)
			close(fd);
	}
	if (rc == -1)
		return tool_fail(
		    s->call, TOOL_FAILED, "%s/%s: %s", dir, name, strerror(errno));
	if (s->nmade < SETUP_MADE_MAX)
		s->made[s->nmade++] = xasprintf("%s/%s", dir, name);
	return TOOL_OK;
}

/* Writes a file by its path, and makes its directory. */
static int
write_path(
    struct setup *s, const char *path, struct span bytes, mode_t mode, mode_t dir_mode)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int rc;

	(void)snprintf(
	    dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	rc = setup_directory(s, dir, dir_mode);
	return rc == TOOL_OK ? setup_write(s, dir, slash + 1, bytes, mode) : rc;
}

/* --- configuration ----------------------------------------------------------------------- */

/* Only a loopback address says where to listen as well: others may belong to a router. */
static const char *
listen_host(const char *host)
{
	if (host != NULL && strncmp(host, "127.", 4) == 0)
		return host;
	return host != NULL && strcmp(host, "::1") == 0 ? "[::1]" : "[::]";
}

/* The part of a new configuration that says where the server is reached. */
static char *
place(const char *host, const char *port)
{
	if (host == NULL && port == NULL)
		return xstrdup("");
	return xasprintf(
	    "\nlisten: [\"%s:%s\"]\n"
	    "\n# Where invitations lead to, if not to port 443 of the domain.\n"
	    "invite:\n%s%s%s  port: %s\n",
	    listen_host(host), port != NULL ? port : "443",
	    host != NULL ? "  host: " : "", host != NULL ? host : "",
	    host != NULL ? "\n" : "", port != NULL ? port : "443");
}

/* The text of a new configuration file. */
static char *
first_configuration(const struct call *call, const char *domain)
{
	char *where = place(call->opt[OPT_HOST], call->opt[OPT_PORT]);
	char *tls, *text;

	tls = call->opt[OPT_CERT] == NULL
	    ? xstrdup("")
	    : xasprintf("\ntls:\n  certificate: %s\n  key: %s\n", call->opt[OPT_CERT],
		  call->opt[OPT_KEY]);
	text = xasprintf(
	    "# The EMSG server. emsg.yaml(5) has every key; so has \"emsgctl config "
	    "explain\"."
	    "\n# After a change: \"emsgctl config check\", then \"emsgctl reload\".\n"
	    "version: 1\n\n"
	    "# The part after # in the addresses of this server, and its host name.\n"
	    "domain: %s\n%s%s\n"
	    "# Who may make an account: closed (only the operator), invite, or open.\n"
	    "registration:\n  policy: closed\n",
	    domain, where, tls);
	free(where);
	free(tls);
	return text;
}

/* Where the configuration file is; makes the directory of one-directory mode. */
static int
find_file(struct setup *s)
{
	const char *dir = s->call->opt[OPT_DIRECTORY];
	char full[PATH_MAX];

	if (dir == NULL) {
		(void)snprintf(
		    s->file, sizeof(s->file), "%s/emsg/emsg.yaml", EMSG_SYSCONFDIR);
		return TOOL_OK;
	}
	if (!s->dry && mkdir(dir, 0700) == -1 && errno != EEXIST)
		return tool_fail(s->call, TOOL_FAILED, "%s: %s", dir, strerror(errno));
	if (realpath(dir, full) == NULL ||
	    (size_t)snprintf(s->file, sizeof(s->file), "%s/emsg.yaml", full) >=
		sizeof(s->file))
		return tool_fail(s->call, TOOL_FAILED, "%s: %s", dir, strerror(errno));
	return TOOL_OK;
}

static int
obtain_configuration(struct setup *s)
{
	const char *domain = s->call->opt[OPT_DOMAIN];
	char *text;
	int rc;

	if ((s->call->opt[OPT_CERT] == NULL) != (s->call->opt[OPT_KEY] == NULL))
		return tool_fail(s->call, TOOL_USAGE, "--cert and --key go together");
	if (s->call->opt[OPT_CERT] != NULL &&
	    (s->call->opt[OPT_CERT][0] != '/' || s->call->opt[OPT_KEY][0] != '/'))
		return tool_fail(s->call, TOOL_USAGE,
		    "--cert and --key need absolute paths, as they go into the "
		    "configuration");
	rc = find_file(s);
	if (rc != TOOL_OK || access(s->file, F_OK) == 0)
		return rc;
	if (domain == NULL)
		return tool_fail(s->call, TOOL_USAGE,
		    "%s does not exist yet: give --domain to make one", s->file);
	text = first_configuration(s->call, domain);
	rc = write_path(s, s->file, span_str(text), 0644, 0755);
	free(text);
	return rc;
}

/* A path of the configuration. */
static int
take_path(struct setup *s, const char *json, const char *key, char *out)
{
	if (execconf_text(json, key, out, PATH_MAX - 64))
		return TOOL_OK;
	return tool_fail(
	    s->call, TOOL_INVALID, "%s: %s is not a plain path", s->file, key);
}

/* With --dry-run and no file there is no emsgd to ask: the defaults are known. */
static int
assume_defaults(struct setup *s)
{
	char dir[PATH_MAX - 64];
	const char *slash = strrchr(s->file, '/');

	(void)snprintf(dir, sizeof(dir), "%.*s", (int)(slash - s->file), s->file);
	(void)snprintf(s->domain, sizeof(s->domain), "%s", s->call->opt[OPT_DOMAIN]);
	(void)snprintf(s->keys, sizeof(s->keys), "%s/keys", dir);
	(void)snprintf(s->cert, sizeof(s->cert), "%s/tls/cert.pem", dir);
	(void)snprintf(s->key, sizeof(s->key), "%s/tls/key.pem", dir);
	(void)snprintf(s->offline, sizeof(s->offline), "%s/keys/%s", dir, SETUP_OFFLINE);
	return TOOL_OK;
}

/* Reads what the configuration says, through emsgd. */
static int
read_configuration(struct setup *s)
{
	char *json;
	int rc;

	if (s->dry && access(s->file, F_OK) == -1)
		return assume_defaults(s);
	rc = execconf_values(s->call, &json);
	if (rc != TOOL_OK)
		return rc;
	if (!execconf_text(json, "domain", s->domain, sizeof(s->domain)))
		rc = tool_fail(s->call, TOOL_INVALID, "%s: no domain", s->file);
	if (rc == TOOL_OK)
		rc = take_path(s, json, "keys.directory", s->keys);
	if (rc == TOOL_OK)
		rc = take_path(s, json, "tls.certificate", s->cert);
	if (rc == TOOL_OK)
		rc = take_path(s, json, "tls.key", s->key);
	free(json);
	(void)snprintf(
	    s->offline, sizeof(s->offline), "%.4000s/%s", s->keys, SETUP_OFFLINE);
	if (rc == TOOL_OK && s->call->opt[OPT_DOMAIN] != NULL &&
	    strcmp(s->call->opt[OPT_DOMAIN], s->domain) != 0)
		rc = tool_fail(s->call, TOOL_FAILED, "%s: the domain there is %s",
		    s->file, s->domain);
	return rc;
}

/* --- certificate --------------------------------------------------------------------------- */

static bool
have_certificate(const struct setup *s)
{
	return access(s->cert, F_OK) == 0 && access(s->key, F_OK) == 0;
}

/* Of a certificate that the operator names, the configuration must say where it is. */
static int
check_given(struct setup *s)
{
	const char *cert = s->call->opt[OPT_CERT], *key = s->call->opt[OPT_KEY];

	if (cert == NULL)
		return TOOL_OK;
	if (!s->dry && (strcmp(cert, s->cert) != 0 || strcmp(key, s->key) != 0))
		return tool_fail(s->call, TOOL_FAILED,
		    "%s: set tls.certificate to %s and tls.key to %s there", s->file,
		    cert, key);
	if (access(cert, R_OK) == -1 || access(key, R_OK) == -1)
		return tool_fail(s->call, TOOL_FAILED, "%s: %s",
		    access(cert, R_OK) == -1 ? cert : key, strerror(errno));
	return TOOL_OK;
}

static int
make_certificate(struct setup *s)
{
	const char *names[] = {s->domain}, *err = NULL;
	struct buf cert, key;
	int rc = TOOL_OK;

	if (s->call->opt[OPT_SELF_SIGNED] == NULL || have_certificate(s))
		return TOOL_OK;
	if (access(s->cert, F_OK) == 0 || access(s->key, F_OK) == 0)
		return tool_fail(s->call, TOOL_FAILED,
		    "only one of %s and %s is there; move it away", s->cert, s->key);
	buf_init(&cert, 65536);
	buf_init(&key, 65536);
	if (certgen_self_signed(names, 1, SETUP_CERT_DAYS, &cert, &key, &err) == -1)
		rc = tool_fail(s->call, TOOL_FAILED, "certificate: %s", err);
	if (rc == TOOL_OK)
		rc = write_path(s, s->key, buf_span(&key), 0600, 0755);
	if (rc == TOOL_OK)
		rc = write_path(s, s->cert, buf_span(&cert), 0644, 0755);
	buf_clear(&cert);
	buf_wipe(&key);
	return rc;
}

/* --- report ---------------------------------------------------------------------------------- */

/* What setup tells programs. */
struct report {
	uint32_t has;
	struct span domain, pin, config, keys, certificate;
	uint64_t made, sign_until_at, document_until_at;
};
#define REPORT_TEXT(k, m) OBJ_FIELD(k, OBJ_TSTR, struct report, m, 0, 4096, OBJ_REQUIRED)
static const struct obj_field report_fields[] = {
    REPORT_TEXT(1, domain),
    REPORT_TEXT(2, pin),
    REPORT_TEXT(3, config),
    REPORT_TEXT(4, keys),
    REPORT_TEXT(5, certificate),
    OBJ_FIELD(6, OBJ_UINT, struct report, made, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(7, OBJ_UINT, struct report, sign_until_at, 0, 0, OBJ_REQUIRED),
    OBJ_FIELD(8, OBJ_UINT, struct report, document_until_at, 0, 0, OBJ_REQUIRED),
};
static const struct obj_def report_def = {
    "setup", sizeof(struct report), OBJ_MAP, OBJ_FIELDS(report_fields)};

/* The latest time at which a key of the document may sign. */
static uint64_t
sign_until(const struct setup *s)
{
	struct s_domain_key key;
	struct obj_iter it;
	uint64_t until = 0;

	obj_iter_init(&it, &s->trust.doc.keys);
	while (obj_next(&it, &s_domain_key_def, &key))
		if (key.until > until)
			until = key.until;
	return until;
}

static void
say_certificate(const struct setup *s)
{
	const struct call *call = s->call;

	if (have_certificate(s)) {
		tool_say(call, "  certificate   %s", s->cert);
		return;
	}
	tool_say(call, "\nThere is no certificate yet. One of three ways:");
	tool_say(
	    call, "  certbot:      certbot certonly --standalone -d %s \\", s->domain);
	tool_say(call, "                    --deploy-hook 'emsgctl reload'");
	tool_say(call, "                and in %s:", s->file);
	tool_say(call, "                tls:");
	tool_say(call,
	    "                  certificate: /etc/letsencrypt/live/%s/fullchain.pem",
	    s->domain);
	tool_say(call, "                  key: /etc/letsencrypt/live/%s/privkey.pem",
	    s->domain);
	tool_say(call, "  an existing:  set tls.certificate and tls.key in the same way");
	tool_say(call, "  self-signed:  emsgctl setup --self-signed");
	tool_say(call, "                (peers and clients then need the pin above)");
}

/* As long as the root key lies here. */
static void
say_offline(const struct setup *s)
{
	const struct call *call = s->call;
	char path[PATH_MAX + 32];

	(void)snprintf(path, sizeof(path), "%s/%s", s->offline, SETUP_ROOT_KEY);
	if (access(path, F_OK) == -1)
		return;
	tool_say(call,
	    "\nTake these two to a safe place, off this machine. The first signs the");
	tool_say(call, "domain document, the second replaces the first if it is lost:");
	tool_say(call, "  %s/%s", s->offline, SETUP_ROOT_KEY);
	tool_say(call, "  %s/%s", s->offline, SETUP_NEXT_KEY);
}

static void
say_next(const struct setup *s)
{
	const struct call *call = s->call;
	const char *dir = call->opt[OPT_DIRECTORY];

	tool_say(call, "\nPublish in the DNS, with the addresses of this machine:");
	tool_say(call, "  %s.  IN A     192.0.2.1", s->domain);
	tool_say(call, "  %s.  IN AAAA  2001:db8::1", s->domain);
	say_offline(s);
	tool_say(call, "\nThen start the server: %s%s",
	    dir == NULL ? "systemctl enable --now emsg" : "emsgd -F -d ",
	    dir == NULL ? "" : dir);
}

static int
report(struct setup *s)
{
	struct report row = {.domain = span_str(s->domain),
	    .config = span_str(s->file),
	    .keys = span_str(s->keys),
	    .certificate = span_str(have_certificate(s) ? s->cert : ""),
	    .made = s->nmade};
	char pin[65], until[32];
	struct output *out;

	if (setup_load_document(s) != DOCUMENT_GOOD)
		return tool_fail(s->call, TOOL_FAILED, "%s/%s cannot be read again",
		    s->keys, SETUP_DOCUMENT);
	hex_encode(span_of(s->trust.pin, sizeof(s->trust.pin)), pin);
	row.pin = span_str(pin);
	row.sign_until_at = sign_until(s);
	row.document_until_at = s->trust.doc.expires;
	if (s->call->opt[OPT_JSON] != NULL) {
		out = ask_output(s->call);
		output_object(out, &report_def, &row);
		output_free(out);
		return TOOL_OK;
	}
	(void)clock_format(row.sign_until_at, until, sizeof(until));
	for (size_t i = 0; i < s->nmade; i++)
		tool_say(s->call, "made %s", s->made[i]);
	tool_say(s->call, "%s is set up%s", s->domain,
	    s->nmade == 0 ? "; nothing had to be made" : "");
	tool_say(s->call, "  pin           %s", pin);
	tool_say(s->call, "  signing until %s (run setup again in the last %d days)",
	    until, SETUP_RENEW_DAYS);
	say_certificate(s);
	if (s->nmade > 0)
		say_next(s);
	return TOOL_OK;
}

/* --- commands -------------------------------------------------------------------------------- */

static int
make_all(struct setup *s)
{
	int rc = obtain_configuration(s);

	if (rc == TOOL_OK)
		rc = read_configuration(s);
	if (rc == TOOL_OK)
		rc = check_given(s);
	if (rc == TOOL_OK)
		rc = setup_keys(s);
	if (rc == TOOL_OK)
		rc = make_certificate(s);
	return rc;
}

int
setup_run(const struct call *call)
{
	struct setup *s = xcalloc(1, sizeof(*s));
	int rc;

	s->call = call;
	s->dry = call->opt[OPT_DRY_RUN] != NULL;
	s->now = clock_wall_ms();
	rc = make_all(s);
	if (rc == TOOL_OK && !s->dry)
		rc = report(s);
	for (size_t i = 0; s->dry && i < s->nmade; i++)
		tool_say(call, "would make %s", s->made[i]);
	for (size_t i = 0; i < s->nmade; i++)
		free(s->made[i]);
	free(s);
	return rc;
}

/* The document on disk as the server would show it. */
static int
domain_from_disk(struct setup *s)
{
	struct ctl_domain row = {0};
	char root[65], document[65];
	struct output *out;
	int rc = find_file(s);

	if (rc == TOOL_OK)
		rc = read_configuration(s);
	if (rc != TOOL_OK)
		return rc;
	if (setup_load_document(s) != DOCUMENT_GOOD)
		return tool_fail(s->call, TOOL_DOWN,
		    "the server is not running, and %s/%s has no valid document", s->keys,
		    SETUP_DOCUMENT);
	hex_encode(span_of(s->trust.pin, 32), root);
	hex_encode(span_of(s->trust.hash, 32), document);
	row.domain = s->trust.doc.domain;
	row.root = span_str(root);
	row.document = span_str(document);
	row.seq = s->trust.doc.seq;
	row.issued_at = s->trust.doc.issued;
	row.expires_at = s->trust.doc.expires;
	out = ask_output(s->call);
	output_object(out, &ctl_domain_def, &row);
	output_free(out);
	return TOOL_OK;
}

int
setup_domain(const struct call *call)
{
	struct ctlsock *running = NULL;
	struct setup *s;
	int rc;

	if (ctlsock_open(call, true, &running) == TOOL_OK) {
		ctlsock_free(running);
		return ask_run(call);
	}
	s = xcalloc(1, sizeof(*s));
	s->call = call;
	s->now = clock_wall_ms();
	rc = domain_from_disk(s);
	free(s);
	return rc;
}
