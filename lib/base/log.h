/* SPDX-License-Identifier: ISC */
/*
 * log.h - one line per event, four severities, and the two ways to end a process.
 *
 * A line is: time level process ev=name key=value ... ; names and keys are listed in
 * emsg-log(5) and a test compares both ways. Lines go to standard error; under systemd
 * (JOURNAL_STREAM names standard error) with a <N> priority prefix and without the time. Control bytes and
 * invalid UTF-8 are written as \xNN; a line is at most 1 KiB.
 *
 *   log_info   normal life           log_warn   odd, goes on
 *   log_debug  per process           log_error  an operator must act
 *   fatal      the environment is broken: log and exit(1); the supervisor restarts
 *   panic      our own invariant is broken: log and abort(3)
 *
 * base, wire, crypto and codecs never log and never exit (memory exhaustion excepted).
 * Remote input reaches neither fatal nor panic.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>

#include "base/span.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* process: the name in each line ("queue"); kept, not copied. */
void log_init(const char *process, enum log_level);
void log_set_level(enum log_level);
enum log_level log_get_level(void);
/* "error", "warning", "info", "debug"; false if the name is none of them. */
bool log_level_parse(const char *name, enum log_level *);
const char *log_level_name(enum log_level);

/* event: "area.verb", e.g. "msg.accept"; fmt: "key=value key=value". Text values that come
 * from outside are passed through log_text() first. */
void log_error(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_warn(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_info(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_debug(const char *event, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void fatal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* As fatal, with ": strerror(errno)" appended. */
_Noreturn void fatal_errno(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A printable rendering of untrusted bytes for a log value: quoted if it holds a space or a
 * quote, escaped, cut at 200 bytes. The result lives in a ring of eight static buffers. */
const char *log_text(struct span);
/* The same for a C string. */
const char *log_str(const char *);
/* An address or a domain: the same, but of an address only "#domain" if so set. */
const char *log_account(struct span);
void log_hide_locals(bool);
/* Up to 16 bytes as lower-case hex, from the same ring. */
const char *log_hex(struct span);

/* For tests: lines go to this function instead of standard error; NULL restores it. */
void log_capture(void (*sink)(const char *line));

#endif
