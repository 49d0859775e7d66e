/* SPDX-License-Identifier: ISC */
/* main.c - emsg-keyd; see keyd.c. */
#include "keyd/keyd.h"

int
main(int argc, char **argv)
{
	return proc_run(&keyd_proc, argc, argv);
}
