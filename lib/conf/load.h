/* SPDX-License-Identifier: ISC */
/*
 * load.h - files -> struct conf. Master only (libconfyaml.a, with libyaml).
 */
#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include "conf/conf.h"
#include "conf/fault.h"

/* Exit status of a program whose configuration is invalid. */
#define CONF_EXIT_INVALID 7

/*
 * Reads file, then conf.d/<*.yaml> beside it in C order, merges them, checks all, fills
 * in defaults. file NULL: base/emsg.yaml, or the installed emsg.yaml if base is NULL too.
 * base: all default paths and relative paths lie below this directory (unprivileged
 * mode); NULL: the installed directories, and paths must be absolute.
 * Returns the conf, which the caller frees, or NULL with at least one fault (sorted).
 * faults is initialised here; the caller clears it in both cases.
 */
struct conf *conf_load(const char *file, const char *base, struct faults *);

#endif
