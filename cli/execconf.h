/* SPDX-License-Identifier: ISC */
/*
 * execconf.h - what emsgd says about the configuration; only emsgd reads YAML.
 */
#ifndef CLI_EXECCONF_H
#define CLI_EXECCONF_H

#include "cli/tool.h"

#define EXECCONF_MAX (1024 * 1024) /* bytes of output that are read */

/* The commands "config ...". */
int execconf_check(const struct call *);
int execconf_show(const struct call *);
int execconf_explain(const struct call *);
int execconf_defaults(const struct call *);

/* All values as one JSON object in *json, which the caller frees. TOOL_OK, or an exit code:
 * then emsgd, or this function, has said why. */
int execconf_values(const struct call *, char **json);
/* A text value of that object; false if it has none or it does not fit. */
bool execconf_text(const char *json, const char *key, char *out, size_t size);

#endif
