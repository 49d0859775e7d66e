/* SPDX-License-Identifier: ISC */
/*
 * nr.h - numbers of system calls; a negative one for those that a machine never had (newer
 * machines have no open, only openat) or that the headers do not know yet.
 */
#ifndef SANDBOX_NR_H
#define SANDBOX_NR_H

#include <sys/syscall.h>

#define NR_NONE (-1)

/* The same on all machines. */
#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule 445
#define __NR_landlock_restrict_self 446
#endif

#ifndef __NR_access
#define __NR_access NR_NONE
#endif
#ifndef __NR_alarm
#define __NR_alarm NR_NONE
#endif
#ifndef __NR_arch_prctl
#define __NR_arch_prctl NR_NONE
#endif
#ifndef __NR_chmod
#define __NR_chmod NR_NONE
#endif
#ifndef __NR_chown
#define __NR_chown NR_NONE
#endif
#ifndef __NR_creat
#define __NR_creat NR_NONE
#endif
#ifndef __NR_dup2
#define __NR_dup2 NR_NONE
#endif
#ifndef __NR_epoll_create
#define __NR_epoll_create NR_NONE
#endif
#ifndef __NR_epoll_wait
#define __NR_epoll_wait NR_NONE
#endif
#ifndef __NR_eventfd
#define __NR_eventfd NR_NONE
#endif
#ifndef __NR_fork
#define __NR_fork NR_NONE
#endif
#ifndef __NR_getdents
#define __NR_getdents NR_NONE
#endif
#ifndef __NR_getpgrp
#define __NR_getpgrp NR_NONE
#endif
#ifndef __NR_getrlimit
#define __NR_getrlimit NR_NONE
#endif
#ifndef __NR_inotify_init
#define __NR_inotify_init NR_NONE
#endif
#ifndef __NR_lchown
#define __NR_lchown NR_NONE
#endif
#ifndef __NR_link
#define __NR_link NR_NONE
#endif
#ifndef __NR_lstat
#define __NR_lstat NR_NONE
#endif
#ifndef __NR_mkdir
#define __NR_mkdir NR_NONE
#endif
#ifndef __NR_newfstatat
#define __NR_newfstatat NR_NONE
#endif
#ifndef __NR_open
#define __NR_open NR_NONE
#endif
#ifndef __NR_pause
#define __NR_pause NR_NONE
#endif
#ifndef __NR_pipe
#define __NR_pipe NR_NONE
#endif
#ifndef __NR_poll
#define __NR_poll NR_NONE
#endif
#ifndef __NR_readlink
#define __NR_readlink NR_NONE
#endif
#ifndef __NR_rename
#define __NR_rename NR_NONE
#endif
#ifndef __NR_renameat
#define __NR_renameat NR_NONE
#endif
#ifndef __NR_rmdir
#define __NR_rmdir NR_NONE
#endif
#ifndef __NR_select
#define __NR_select NR_NONE
#endif
#ifndef __NR_setrlimit
#define __NR_setrlimit NR_NONE
#endif
#ifndef __NR_stat
#define __NR_stat NR_NONE
#endif
#ifndef __NR_symlink
#define __NR_symlink NR_NONE
#endif
#ifndef __NR_time
#define __NR_time NR_NONE
#endif
#ifndef __NR_unlink
#define __NR_unlink NR_NONE
#endif
#ifndef __NR_utime
#define __NR_utime NR_NONE
#endif
#ifndef __NR_utimes
#define __NR_utimes NR_NONE
#endif
#ifndef __NR_vfork
#define __NR_vfork NR_NONE
#endif

#endif
