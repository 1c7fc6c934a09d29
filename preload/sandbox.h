/*
 * sandbox.h - seccomp: we do not do what a filter would not have us do.
 *
 * A program that locks itself in by prctl or seccomp knows nothing of our system calls, and the
 * kernel may kill it for one. So the filter is asked before it is installed: it is a small program,
 * which we run for each call that we make, with our arguments. We give up the kinds of calls that
 * it would punish (sys.h: sys_forbidden); before we give up memory calls, we set room aside in the
 * spool. Filters only ever add up, so what is given up stays so.
 *
 * The hooks of prctl and syscall call these before the real call, and sandbox_failed when that
 * fails. Any thread. Source: Linux Documentation/userspace-api/seccomp_filter.rst,
 * Documentation/networking/filter.rst.
 */
#ifndef MPROF_SANDBOX_H
#define MPROF_SANDBOX_H

#include <linux/filter.h>

/* Each returns what sandbox_failed needs if the real call fails. */
unsigned sandbox_strict(void);
unsigned sandbox_filter(const struct sock_fprog *program);
unsigned sandbox_no_counter(void);
void sandbox_failed(unsigned before);

#endif
