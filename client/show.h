/* SPDX-License-Identifier: ISC */
/*
 * show.h - what emsg prints: JSON objects, lines for people, and nothing that could be a
 * command to a terminal.
 */
#ifndef CLIENT_SHOW_H
#define CLIENT_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One JSON object on one line. Members are printed as they come; show_end() closes it. */
void show_begin(void);
void show_text(const char *name, const char *value, size_t n);
void show_str(const char *name, const char *value);
void show_num(const char *name, uint64_t);
void show_int(const char *name, int64_t);
void show_bool(const char *name, bool);
/* Milliseconds as RFC 3339. */
void show_time(const char *name, uint64_t ms);
void show_end(void);

/* A text for people: control characters and changes of direction are escaped. With lines:
 * line ends stay, what follows is indented. */
void show_escaped(const char *text, size_t n, bool lines);
/* Local time to the second for people. */
void show_when(uint64_t ms);
/* "emsg: ..." to stderr, escaped. */
void show_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* True if everything printed so far has reached stdout. */
bool show_flush(void);

#endif
