/* SPDX-License-Identifier: ISC */
/*
 * text.h - bytes to text and back: hex, base32, base64url, decimal numbers, UTF-8.
 * Decoders are strict: one spelling per value, anything else is refused.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/span.h"

/* Lower-case hex; out holds 2 * n + 1 bytes. Decoding takes lower and upper case. */
void hex_encode(struct span, char *out);
bool hex_decode(const char *text, uint8_t *out, size_t n);
/* 13 characters of the alphabet 0-9 a-z without a, e, i, o (so that no words appear) for a
 * 64-bit number; sorts as the number does. out holds 14 bytes. */
void id32_encode(uint64_t, char out[14]);
bool id32_decode(const char *text, uint64_t *);
/* RFC 4648 section 5 without padding. Encoding: out holds (4 * n + 2) / 3 + 1 bytes.
 * Decoding: false if not canonical or longer than max; *n is the length. */
void b64url_encode(struct span, char *out);
bool b64url_decode(struct span text, uint8_t *out, size_t max, size_t *n);
/* Decimal without sign, leading zeros or blanks, min <= value <= max. */
bool num_parse(const char *text, uint64_t min, uint64_t max, uint64_t *);
/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool utf8_valid(struct span);
/* Length of the well-formed character that the bytes begin with, 1 to 4; 0 if there is none. */
size_t utf8_step(struct span);
/* Whether a character (as utf8_step() gives it) does something instead of being something:
 * controls, line ends, what turns the direction of a text. *code: its code point, < 65536 if
 * so. */
bool utf8_commands(struct span one, uint32_t *code);
/* Copies into a C string of size bytes; false (and an empty string) if it does not fit or
 * holds a NUL. */
bool text_copy(char *out, size_t size, struct span);
/* Random bytes from getrandom(2); failure is fatal. */
void random_bytes(void *, size_t n);
uint64_t random_u64(void);
/* Uniform in [0, bound); bound > 0. */
uint32_t random_below(uint32_t bound);

#endif
