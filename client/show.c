/* SPDX-License-Identifier: ISC */
/*
 * show.c - what emsg prints.
 *
 * Data goes to stdout, messages to stderr. With --json each thing is one object on one line,
 * with "v":1. What others wrote may hold anything: on a terminal a control character could move
 * the cursor or rename the window, and a bidirectional override could turn a text around, so
 * they are printed as \u{...}; bytes that are not UTF-8 as \x... . JSON escapes do the same
 * for programs.
 *
 * Owns nothing. Cannot fail; show_flush() says whether stdout
 * took it.
 */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "show.h"

static void
escape_to(FILE *f, const char *text, size_t n, bool lines)
{
	const unsigned char *p = (const unsigned char *)text;
	uint32_t code;

	for (size_t i = 0, step; i < n; i += step) {
		step = utf8_step(span_of(p + i, n - i));
		if (step == 0) {
			step = 1;
			fprintf(f, "\\x%02x", p[i]);
		} else if (lines && p[i] == '\n') {
			fputs("\n    ", f);
		} else if (p[i] == '\t') {
			fputc(lines ? '\t' : ' ', f);
		} else if (utf8_commands(span_of(p + i, step), &code)) {
			fprintf(f, "\\u{%x}", code);
		} else {
			fwrite(p + i, 1, step, f);
		}
	}
}

void
show_escaped(const char *text, size_t n, bool lines)
{
	escape_to(stdout, text, n, lines);
}

void
show_when(uint64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char out[32];

	if (localtime_r(&seconds, &tm) == NULL ||
	    strftime(out, sizeof(out), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(out, sizeof(out), "-");
	fputs(out, stdout);
}

void
show_error(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fputs("emsg: ", stderr);
	escape_to(stderr, line, strlen(line), false);
	fputc('\n', stderr);
}

bool
show_flush(void)
{
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* --- JSON --------------------------------------------------------------------------------- */

void
show_begin(void)
{
	fputs("{\"v\":1", stdout);
}

static void
name_of(const char *name)
{
	printf(",\"%s\":", name);
}

void
show_text(const char *name, const char *value, size_t n)
{
	const unsigned char *p = (const unsigned char *)value;
	uint32_t code;

	name_of(name);
	putchar('"');
	for (size_t i = 0, step; i < n; i += step) {
		step = utf8_step(span_of(p + i, n - i));
		if (step == 0) {
			step = 1;
			fputs("\\ufffd", stdout);
		} else if (p[i] == '"' || p[i] == '\\') {
			printf("\\%c", p[i]);
		} else if (utf8_commands(span_of(p + i, step), &code)) {
			printf("\\u%04x", code);
		} else {
			fwrite(p + i, 1, step, stdout);
		}
	}
	putchar('"');
}

void
show_str(const char *name, const char *value)
{
	show_text(name, value, strlen(value));
}

void
show_num(const char *name, uint64_t value)
{
	name_of(name);
	printf("%llu", (unsigned long long)value);
}

void
show_int(const char *name, int64_t value)
{
	name_of(name);
	printf("%lld", (long long)value);
}

void
show_bool(const char *name, bool value)
{
	name_of(name);
	fputs(value ? "true" : "false", stdout);
}

void
show_time(const char *name, uint64_t ms)
{
	char out[32];

	if (!clock_format(ms, out, sizeof(out)))
		out[0] = '\0';
	show_str(name, out);
}

void
show_end(void)
{
	fputs("}\n", stdout);
}
