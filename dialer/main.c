/* SPDX-License-Identifier: ISC */
/* main.c - emsg-dialer; see dialer.c. */
#include "dialer/dialer.h"

int
main(int argc, char **argv)
{
	return proc_run(&dialer_proc, argc, argv);
}
