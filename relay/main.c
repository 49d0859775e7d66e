/* SPDX-License-Identifier: ISC */
/* main.c - emsg-relay; see relay.c. */
#include "relay/relay.h"

int
main(int argc, char **argv)
{
	return proc_run(&relay_proc, argc, argv);
}
