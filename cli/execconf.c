/* SPDX-License-Identifier: ISC */
/*
 * execconf.c - runs emsgd to check, print and explain the configuration.
 *
 * YAML is read by one program only, so that the tools cannot understand a file differently and
 * need no libyaml. emsgd is sought where --libexec says, beside this tool, and in the
 * installed place. Called by the commands "config", and by setup.c. Exit codes of emsgd
 * become those of the tools; what it says goes where it would go.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/span.h"
#include "cli/execconf.h"

#define ARGV_MAX 12
#define EMSGD_USAGE 64 /* its exit status for a wrong command line */

/* An emsgd to be run. */
struct emsgd {
	char path[PATH_MAX];
	const char *argv[ARGV_MAX];
	size_t n;
};

static bool
find(const struct call *call, char out[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t n;

	if (call->opt[OPT_LIBEXEC] != NULL) {
		(void)snprintf(out, PATH_MAX, "%s/emsgd", call->opt[OPT_LIBEXEC]);
		return access(out, X_OK) == 0;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		char *slash;

		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash != NULL &&
		    (size_t)(slash - self) < PATH_MAX - sizeof("/emsgd")) {
			*slash = '\0';
			(void)snprintf(out, PATH_MAX, "%.4000s/emsgd", self);
			if (access(out, X_OK) == 0)
				return true;
		}
	}
	(void)snprintf(out, PATH_MAX, "%s/emsgd", EMSG_SBINDIR);
	return access(out, X_OK) == 0;
}

static void
add(struct emsgd *e, const char *word)
{
	if (e->n < ARGV_MAX - 1)
		e->argv[e->n++] = word;
}

/* Begins a command line with the options that both programs have. */
static int
prepare(const struct call *call, struct emsgd *e, const char *file)
{
	*e = (struct emsgd){0};
	if (!find(call, e->path))
		return tool_fail(call, TOOL_FAILED,
		    "%s: emsgd is not there; say where with --libexec", e->path);
	add(e, "emsgd");
	if (call->opt[OPT_DIRECTORY] != NULL) {
		add(e, "-d");
		add(e, call->opt[OPT_DIRECTORY]);
	}
	if (file != NULL) {
		add(e, "-c");
		add(e, file);
	}
	return TOOL_OK;
}

/* Starts it with standard output to out (-1: ours). The process id, or -1. */
static pid_t
start(struct emsgd *e, int out)
{
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid != 0)
		return pid;
	if (out != -1 && dup2(out, STDOUT_FILENO) == -1)
		_exit(127);
	execv(e->path, (char *const *)(uintptr_t)e->argv);
	_exit(127);
}

/* Waits for it; its exit code as one of ours. */
static int
finish(const struct call *call, const struct emsgd *e, pid_t pid)
{
	int status = 0;

	while (pid != -1 && waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			pid = -1;
	if (pid == -1 || !WIFEXITED(status) || WEXITSTATUS(status) == 127)
		return tool_fail(call, TOOL_FAILED, "%s could not be run", e->path);
	return WEXITSTATUS(status) == EMSGD_USAGE ? TOOL_USAGE : WEXITSTATUS(status);
}

/* Runs it and keeps what it prints. */
static int
capture(const struct call *call, struct emsgd *e, char **text)
{
	int pipefd[2], rc;
	size_t n = 0;
	ssize_t got = 1;
	pid_t pid;

	*text = NULL;
	if (pipe2(pipefd, O_CLOEXEC) == -1)
		return tool_fail(call, TOOL_FAILED, "pipe: %s", strerror(errno));
	pid = start(e, pipefd[1]);
	close(pipefd[1]);
	*text = xcalloc(1, EXECCONF_MAX + 1);
	while (pid != -1 && n < EXECCONF_MAX && got > 0) {
		got = read(pipefd[0], *text + n, EXECCONF_MAX - n);
		n += got > 0 ? (size_t)got : 0;
	}
	close(pipefd[0]);
	rc = finish(call, e, pid);
	if (rc != TOOL_OK) {
		free(*text);
		*text = NULL;
	}
	return rc;
}

static int
run(const struct call *call, struct emsgd *e)
{
	if (call->opt[OPT_JSON] != NULL)
		add(e, "-j");
	return finish(call, e, start(e, -1));
}

/* --- one flat JSON object ------------------------------------------------------------------ */

/* The end of a value: a string, a container, or a bare word. */
static const char *
skip_value(const char *p)
{
	int depth = 0;
	bool quoted = false;

	for (; *p != '\0'; p++) {
		if (quoted) {
			if (*p == '\\' && p[1] != '\0')
				p++;
			else if (*p == '"')
				quoted = false;
		} else if (*p == '"') {
			quoted = true;
		} else if (*p == '[' || *p == '{') {
			depth++;
		} else if (*p == ']' || *p == '}' || *p == ',') {
			if (depth == 0)
				return p;
			depth -= *p != ',';
		}
	}
	return p;
}

/* The value of a member as it stands there. Keys are plain, as emsgd prints them. */
static struct span
member(const char *json, const char *key)
{
	size_t n = strlen(key);

	while (*json == '{' || *json == ',') {
		const char *name = json + 1, *value = skip_value(name);
		const char *colon = strstr(name, "\":");

		if (name[0] != '"' || colon == NULL)
			break;
		if ((size_t)(colon - name - 1) == n && strncmp(name + 1, key, n) == 0)
			return span_of(colon + 2, (size_t)(value - colon - 2));
		json = value;
	}
	return span_of(NULL, 0);
}

/* A JSON string without escapes other than of quote and backslash. */
static bool
unquote(struct span s, char *out, size_t size)
{
	size_t n = 0;

	if (s.n < 2 || s.p[0] != '"')
		return false;
	for (size_t i = 1; i + 1 < s.n; i++) {
		if (s.p[i] == '\\' && s.p[++i] != '"' && s.p[i] != '\\')
			return false;
		if (n + 1 >= size)
			return false;
		out[n++] = (char)s.p[i];
	}
	out[n] = '\0';
	return true;
}

bool
execconf_text(const char *json, const char *key, char *out, size_t size)
{
	return unquote(member(json, key), out, size);
}

int
execconf_values(const struct call *call, char **json)
{
	struct emsgd e;
	int rc = prepare(call, &e, NULL);

	*json = NULL;
	if (rc != TOOL_OK)
		return rc;
	add(&e, "-p");
	add(&e, "all");
	add(&e, "-j");
	return capture(call, &e, json);
}

/* --- commands -------------------------------------------------------------------------------- */

int
execconf_check(const struct call *call)
{
	struct emsgd e;
	const char *file = call->nargs > 0 ? call->args[0] : NULL;
	int rc;

	if (file != NULL && access(file, R_OK) == -1)
		return tool_fail(call, errno == ENOENT ? TOOL_NONE : TOOL_DENIED,
		    "%s: %s", file, strerror(errno));
	rc = prepare(call, &e, file);
	if (rc != TOOL_OK)
		return rc;
	add(&e, "-n");
	rc = run(call, &e);
	if (rc == TOOL_OK && call->opt[OPT_JSON] != NULL)
		(void)puts("{\"v\":1,\"result\":\"valid\"}");
	else if (rc == TOOL_OK)
		tool_say(call, "the configuration is valid");
	return rc;
}

/* The values of some keys, each on a line. */
static int
show_keys(const struct call *call, const char *json)
{
	int rc = TOOL_OK;

	for (size_t i = 0; i < call->nargs; i++) {
		struct span value = member(json, call->args[i]);

		if (value.n == 0)
			rc = tool_fail(call, TOOL_NONE,
			    "there is no key \"%s\"; see \"emsgctl config explain\"",
			    call->args[i]);
		else
			(void)printf(call->opt[OPT_JSON] != NULL
				? "{\"v\":1,\"key\":\"%s\",\"value\":%.*s}\n"
				: "%s: %.*s\n",
			    call->args[i], (int)value.n, (const char *)value.p);
	}
	return rc;
}

int
execconf_show(const struct call *call)
{
	struct emsgd e;
	char *json;
	int rc = prepare(call, &e, call->opt[OPT_CONFIG]);

	if (rc != TOOL_OK)
		return rc;
	add(&e, "-p");
	if (call->nargs > 0) {
		add(&e, "all");
		add(&e, "-j");
		rc = capture(call, &e, &json);
		if (rc == TOOL_OK)
			rc = show_keys(call, json);
		free(json);
		return rc;
	}
	add(&e,
	    call->opt[OPT_ORIGIN] != NULL    ? "origin"
		: call->opt[OPT_ALL] != NULL ? "all"
					     : "nondefault");
	return run(call, &e);
}

int
execconf_explain(const struct call *call)
{
	struct emsgd e;
	int rc = prepare(call, &e, NULL);

	if (rc != TOOL_OK)
		return rc;
	add(&e, "-e");
	add(&e, call->nargs > 0 ? call->args[0] : "all");
	rc = run(call, &e);
	return rc == TOOL_FAILED ? TOOL_NONE : rc;
}

int
execconf_defaults(const struct call *call)
{
	struct emsgd e;
	int rc = prepare(call, &e, NULL);

	if (rc != TOOL_OK)
		return rc;
	add(&e, "-D");
	return run(call, &e);
}
