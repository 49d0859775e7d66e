/* SPDX-License-Identifier: ISC */
/* main.c - emsg-listener; see listener.c. */
#include "listener/listener.h"

int
main(int argc, char **argv)
{
	return proc_run(&listener_proc, argc, argv);
}
