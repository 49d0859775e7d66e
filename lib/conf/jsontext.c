/* SPDX-License-Identifier: ISC */
/*
 * jsontext.c - writes one JSON string.
 *
 * Used by fault.c and print.c for the --json forms of what the master says about its
 * configuration. File names and values come from the operator's files and may hold any
 * byte; the output is valid JSON all the same. Keeps no state. Write errors are left in
 * the FILE for the caller to find with ferror(3).
 */
#include "base/text.h"
#include "conf/jsontext.h"

/* Bytes of the well-formed UTF-8 sequence at s, or 0 if there is none. */
static size_t
sequence_length(const char *s)
{
	for (size_t n = 1; n <= 4; n++) {
		if (s[n - 1] == '\0')
			return 0;
		if (utf8_valid(span_of(s, n)))
			return n;
	}
	return 0;
}

void
jsontext_put(FILE *out, const char *text)
{
	putc('"', out);
	while (*text != '\0') {
		size_t n = sequence_length(text);
		unsigned char c = (unsigned char)*text;

		if (n == 0) {
			fputs("\\ufffd", out);
			n = 1;
		} else if (c == '"' || c == '\\') {
			fprintf(out, "\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			fprintf(out, "\\u%04x", (unsigned int)c);
		} else {
			fwrite(text, 1, n, out);
		}
		text += n;
	}
	putc('"', out);
}
