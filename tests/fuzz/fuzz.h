/* SPDX-License-Identifier: ISC */
/*
 * fuzz.h - what all fuzz targets share.
 *
 * A target is one function over bytes. It links with libFuzzer (--enable-fuzzers), or with
 * replay_main.c, which feeds it the files of its corpus during "make check".
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Called once for each input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Ends the run when something that must hold does not. */
static inline void
fuzz_check(int holds)
{
	if (!holds)
		abort();
}

#endif
