/* SPDX-License-Identifier: ISC */
/*
 * crosscheck.h - what keys must satisfy together.
 */
#ifndef CONF_CROSSCHECK_H
#define CONF_CROSSCHECK_H

#include "conf/fill.h"

/* Runs all checks whose keys are right by themselves; what is wrong goes into the
 * faults. */
void crosscheck_run(const struct fill *);

#endif
