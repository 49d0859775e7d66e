/* SPDX-License-Identifier: ISC */
/*
 * log.c - one line per event, four severities, and the two ways to end a process.
 *
 * Formats a line in a buffer on the stack, makes it safe to show and writes it with one
 * write(2), so that lines of several processes on one standard error do not mix and nothing
 * is allocated: fatal() works when memory is gone. It owns the process name (borrowed from
 * the caller), the level, the ring of rendered values and the sink of the tests.
 * Everything goes through one filter: control characters (C0, DEL and C1) and bytes that are
 * no UTF-8 appear as \xNN, so that no remote party can forge a line or steer a terminal.
 * Fails: never; what cannot be written is lost, and what is too long is cut at 1 KiB.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define LOG_LINE_MAX 1024
#define LOG_VALUE_MAX 200
#define LOG_RING 8
#define LOG_HEX_MAX 16
#define LOG_ESCAPE 4 /* \xNN */

static const struct {
	const char *name;
	int priority; /* of syslog(3), for the journal */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", 3},
    [LOG_LEVEL_WARN] = {"warning", 4},
    [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_DEBUG] = {"debug", 7},
};

static struct {
	const char *process; /* borrowed */
	enum log_level level;
	bool journal;
	bool hide_locals; /* of addresses only the domain is shown */
	void (*sink)(const char *line);
	char ring[LOG_RING][LOG_VALUE_MAX + 3]; /* quotes and terminator */
	unsigned next;
} state = {.process = "emsg", .level = LOG_LEVEL_INFO};

/* Whether standard error is the stream that the service manager connected to its journal
 * (systemd.exec(5), JOURNAL_STREAM is "device:inode"). */
static bool
log_is_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	if (text == NULL || fstat(STDERR_FILENO, &st) == -1)
		return false;
	if (sscanf(text, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) != 2)
		return false;
	return device == (uintmax_t)st.st_dev && inode == (uintmax_t)st.st_ino;
}

void
log_init(const char *process, enum log_level level)
{
	state.process = process;
	state.journal = log_is_journal();
	log_set_level(level);
}

void
log_set_level(enum log_level level)
{
	state.level = level;
}

enum log_level
log_get_level(void)
{
	return state.level;
}

bool
log_level_parse(const char *name, enum log_level *level)
{
	for (unsigned i = 0; i <= LOG_LEVEL_DEBUG; i++) {
		if (strcmp(levels[i].name, name) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

const char *
log_level_name(enum log_level level)
{
	return (unsigned)level <= LOG_LEVEL_DEBUG ? levels[level].name : "?";
}

void
log_capture(void (*sink)(const char *line))
{
	state.sink = sink;
}

/* Whether the character of n bytes at p may be shown as it is. */
static bool
log_is_plain(const uint8_t *p, size_t n)
{
	if (n == 1)
		return p[0] >= 0x20 && p[0] != 0x7f;
	/* U+0080 to U+009F: terminals take them as control codes. */
	return n > 1 && !(p[0] == 0xc2 && p[1] < 0xa0);
}

/* Appends one character, or one byte as \xNN, at out[at]. Puts a backslash before the
 * characters in quote. Returns the new end, or 0 if there is no room; *used says how many
 * bytes of s it took. */
static size_t
log_put_char(
    char *out, size_t at, size_t max, struct span s, const char *quote, size_t *used)
{
	size_t n = utf8_step(s);
	bool plain = log_is_plain(s.p, n);
	bool back = plain && n == 1 && strchr(quote, s.p[0]) != NULL;
	size_t need = plain ? n + (back ? 1 : 0) : LOG_ESCAPE;

	if (at + need > max)
		return 0;
	*used = plain ? n : 1;
	if (!plain) {
		char hex[3];

		hex_encode(span_of(s.p, 1), hex);
		memcpy(out + at, "\\x", 2);
		memcpy(out + at + 2, hex, 2);
		return at + need;
	}
	if (back)
		out[at++] = '\\';
	memcpy(out + at, s.p, n);
	return at + n;
}

/* Writes s to out, made safe, cut at max bytes, and terminates it. Returns the length. */
static size_t
log_put_safe(char *out, size_t max, struct span s, const char *quote)
{
	size_t at = 0, end, used;

	while (s.n > 0) {
		end = log_put_char(out, at, max, s, quote, &used);
		if (end == 0)
			break;
		at = end;
		s = span_of(s.p + used, s.n - used);
	}
	out[at] = '\0';
	return at;
}

static void
log_write(char *line, size_t n)
{
	ssize_t r;

	if (state.sink != NULL) {
		state.sink(line);
		return;
	}
	line[n++] = '\n';
	do
		r = write(STDERR_FILENO, line, n);
	while (r == -1 && errno == EINTR);
}

/* The part of a line before its values; returns its length. */
static size_t
log_head(char *out, size_t size, enum log_level level, const char *event)
{
	char when[32] = "";
	const char *gap = "";
	int n;

	if (state.journal)
		(void)snprintf(when, sizeof(when), "<%d>", levels[level].priority);
	else if (clock_format(clock_wall_ms(), when, sizeof(when)))
		gap = " ";
	n = snprintf(out, size, "%s%s%s %s ev=%s", when, gap, levels[level].name,
	    state.process, event);
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

static void __attribute__((format(printf, 3, 0)))
log_line(enum log_level level, const char *event, const char *fmt, va_list ap)
{
	char raw[LOG_LINE_MAX], line[LOG_LINE_MAX + 1];
	int saved = errno, r;
	size_t n;

	if (level > state.level)
		return;
	n = log_head(raw, sizeof(raw), level, event);
	if (n + 1 < sizeof(raw) && fmt[0] != '\0') {
		raw[n++] = ' ';
		r = vsnprintf(raw + n, sizeof(raw) - n, fmt, ap);
		if (r > 0)
			n +=
			    (size_t)r < sizeof(raw) - n ? (size_t)r : sizeof(raw) - n - 1;
	}
	n = log_put_safe(line, LOG_LINE_MAX - 1, span_of(raw, n), "");
	log_write(line, n);
	errno = saved;
}

void
log_error(const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_ERROR, event, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_WARN, event, fmt, ap);
	va_end(ap);
}

void
log_info(const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_INFO, event, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *event, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(LOG_LEVEL_DEBUG, event, fmt, ap);
	va_end(ap);
}

/* The last line of a process: event, and the text as one quoted value. */
static void __attribute__((format(printf, 3, 0)))
log_last(const char *event, const char *reason, const char *fmt, va_list ap)
{
	char text[LOG_LINE_MAX / 2];
	size_t n;
	int r;

	r = vsnprintf(text, sizeof(text), fmt, ap);
	n = r < 0 ? 0 : (size_t)r < sizeof(text) ? (size_t)r : sizeof(text) - 1;
	if (reason != NULL && n + 1 < sizeof(text))
		(void)snprintf(text + n, sizeof(text) - n, ": %s", reason);
	log_error(event, "text=%s", log_str(text));
}

void
fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_last("process.fatal", NULL, fmt, ap);
	va_end(ap);
	exit(1);
}

void
fatal_errno(const char *fmt, ...)
{
	const char *reason = strerror(errno);
	va_list ap;

	va_start(ap, fmt);
	log_last("process.fatal", reason, fmt, ap);
	va_end(ap);
	exit(1);
}

void
panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_last("process.panic", NULL, fmt, ap);
	va_end(ap);
	abort();
}

static char *
log_ring_next(void)
{
	return state.ring[state.next++ % LOG_RING];
}

/* Whether a value must be quoted, so that the next blank does not seem to end it. */
static bool
log_needs_quotes(struct span s)
{
	if (s.n == 0)
		return true;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == ' ' || s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '=')
			return true;
	return false;
}

const char *
log_text(struct span s)
{
	char *out = log_ring_next();
	size_t n;

	if (!log_needs_quotes(s)) {
		(void)log_put_safe(out, LOG_VALUE_MAX, s, "");
		return out;
	}
	out[0] = '"';
	n = log_put_safe(out + 1, LOG_VALUE_MAX, s, "\"\\");
	out[n + 1] = '"';
	out[n + 2] = '\0';
	return out;
}

const char *
log_str(const char *s)
{
	return log_text(s == NULL ? span_of(NULL, 0) : span_str(s));
}

const char *
log_account(struct span s)
{
	const uint8_t *mark = s.n == 0 ? NULL : memchr(s.p, '#', s.n);

	if (state.hide_locals && mark != NULL)
		s = span_of(mark, s.n - (size_t)(mark - s.p));
	return log_text(s);
}

void
log_hide_locals(bool hide)
{
	state.hide_locals = hide;
}

const char *
log_hex(struct span s)
{
	char *out = log_ring_next();

	hex_encode(span_of(s.p, s.n < LOG_HEX_MAX ? s.n : LOG_HEX_MAX), out);
	return out;
}
