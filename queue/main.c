/* SPDX-License-Identifier: ISC */
/* main.c - emsg-queue; see queue.c. */
#include "queue/queue.h"

int
main(int argc, char **argv)
{
	return proc_run(&queue_proc, argc, argv);
}
