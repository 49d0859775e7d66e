/* SPDX-License-Identifier: ISC */
/* main.c - emsg-store; see store.c. */
#include "store/store.h"

int
main(int argc, char **argv)
{
	return proc_run(&store_proc, argc, argv);
}
