/* SPDX-License-Identifier: ISC */
/*
 * rights.c - judges who may give which command.
 *
 * The table is wire/ctl.c; here is only the order of the rights and how a caller gets one.
 * The kernel has already refused whoever is not in the group of the socket's file, so nothing
 * is looked up in the group database, which the empty root does not have. Called by
 * control.c. Pure: nothing is kept and nothing fails.
 */
#include "control/rights.h"

enum ctl_right
rights_of(const struct rights_origin *from)
{
	if (from->uid == 0 || (from->one_directory && from->uid == from->own_uid))
		return CTL_ROOT;
	return from->admin_socket ? CTL_ADMIN : CTL_VIEW;
}

bool
rights_allow(enum ctl_right right, const struct ctl *ctl)
{
	return right >= ctl->right;
}

bool
rights_is_change(const struct ctl *ctl)
{
	switch (ctl->command) {
	case CTL_RELOAD:
	case CTL_STOP:
	case CTL_USER_ADD:
	case CTL_USER_DEL:
	case CTL_INVITE_CREATE:
	case CTL_QUEUE_RETRY:
	case CTL_QUEUE_DROP:
		return true;
	default:
		return false;
	}
}
