/* SPDX-License-Identifier: ISC */
/*
 * dump_tables.c - prints the tables of processes and of messages, one row a line, fields
 * separated by tabs, for tables.py, which compares them with ARCHITECTURE.md.
 *
 * It links the very tables that the processes use, so the document is compared with the
 * program and not with its source text. It owns nothing and fails only if stdout does.
 */
#include <stdio.h>

#include "base/role.h"
#include "ipc/msg.h"

static unsigned
children(void)
{
	unsigned set = 0;

	for (unsigned r = 0; r < ROLE_COUNT; r++)
		if (r != ROLE_MASTER)
			set |= ROLE_BIT(r);
	return set;
}

/* Prints a set of roles: "listener, relay", or "all" for every process but master. */
static void
print_roles(unsigned set)
{
	const char *gap = "";

	if (set == children()) {
		printf("all");
		return;
	}
	for (unsigned r = 0; r < ROLE_COUNT; r++) {
		if ((set & ROLE_BIT(r)) == 0)
			continue;
		printf("%s%s", gap, role_name((enum role)r));
		gap = ", ";
	}
}

static void
print_flags(unsigned flags)
{
	const struct {
		unsigned flag;
		const char *name;
	} names[] = {{MSG_FD, "fd"}, {MSG_SECRET, "secret"}, {MSG_WORK, "work"}};
	const char *gap = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((flags & names[i].flag) == 0)
			continue;
		printf("%s%s", gap, names[i].name);
		gap = ", ";
	}
}

static void
print_message(const struct msg_def *def)
{
	printf("message\t%s\t", def->name);
	print_roles(def->from);
	printf("\t");
	print_roles(def->to);
	printf("\t");
	print_flags(def->flags);
	printf("\n");
}

int
main(void)
{
	const struct msg_def *def;

	for (unsigned r = 0; r < ROLE_COUNT; r++)
		printf("process\t%s\t%s\t%s\n", role_name((enum role)r),
		    role_program((enum role)r), role_user((enum role)r));
	for (size_t i = 0; (def = msg_at(i)) != NULL; i++)
		print_message(def);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
