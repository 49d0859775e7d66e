/* SPDX-License-Identifier: ISC */
/*
 * jsontext.h - a C string as a JSON string.
 */
#ifndef CONF_JSONTEXT_H
#define CONF_JSONTEXT_H

#include <stdio.h>

/* Writes text quoted and escaped (RFC 8259 section 7). Bytes that are not well-formed
 * UTF-8 come out as U+FFFD, so that the output is always valid. */
void jsontext_put(FILE *, const char *text);

#endif
