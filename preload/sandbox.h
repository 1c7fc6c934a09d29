/*
 * sandbox.h - seccomp: what a filter would not have us do, we do not do.
 *
 * A program that closes itself in by prctl or seccomp knows nothing of our system calls, and the
 * kernel may kill it for one. So the filter is asked before it is installed: it is a small program,
 * which is run here for each call that we make, with our arguments. The kinds of calls it would
 * punish are given up (sys.h: sys_forbidden); before memory calls are, room is set aside in the
 * spool. Filters only ever add up, so what is given up stays so.
 *
 * Called by the hooks of prctl and syscall, before the real call; sandbox_failed when that fails.
 * Source: Linux Documentation/userspace-api/seccomp_filter.rst,
 * Documentation/networking/filter.rst.
 */
#ifndef MPROF_SANDBOX_H
#define MPROF_SANDBOX_H

#include <linux/filter.h>

/* Each returns what sandbox_failed wants if the real call fails. */
unsigned sandbox_strict(void);
unsigned sandbox_filter(const struct sock_fprog *program);
unsigned sandbox_no_counter(void);
void sandbox_failed(unsigned before);

#endif
