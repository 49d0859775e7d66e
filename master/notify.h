/* SPDX-License-Identifier: ISC */
/*
 * notify.h - the service manager's protocol (sd_notify(3)), by hand: one datagram a time.
 * Without NOTIFY_SOCKET all of them do nothing. Failures are ignored: the service manager
 * is told, not asked.
 */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H

#include <stdint.h>

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the environment,
 * so that no child inherits them. Returns the interval at which notify_watchdog() is expected
 * in milliseconds (half of what was asked for), 0 for never. */
uint64_t notify_init(void);
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_watchdog(void);
/* One line for "systemctl status". */
void notify_status(const char *text);

#endif
