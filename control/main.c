/* SPDX-License-Identifier: ISC */
/* main.c - emsg-control; see control.c. */
#include "control/control.h"

int
main(int argc, char **argv)
{
	return proc_run(&control_proc, argc, argv);
}
