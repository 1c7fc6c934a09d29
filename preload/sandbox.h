/*
 * sandbox.h - seccomp: we do not do what a filter would not have us do.
 *
 * A program that locks itself in by prctl or seccomp knows nothing of our system calls, and the
 * kernel may kill it for one. So the filter is asked before it is installed: it is a small program,
 * which we run for each call that we make, with our arguments. We give up the kinds of calls that
 * it would punish (sys.h: sys_forbidden); before we give up memory calls, we set room aside in the
 * spool. Filters only ever add up, so what is given up stays so.
 *
 * The hooks of prctl and syscall call these around the real call. Any thread. Source: Linux
 * Documentation/userspace-api/seccomp_filter.rst, Documentation/networking/filter.rst.
 */
#ifndef MPROF_SANDBOX_H
#define MPROF_SANDBOX_H

#include <linux/filter.h>
#include <stdint.h>

/* A call that may close a door, and what has been given up for it. */
struct sandbox_attempt {
    uint32_t given_up; /* enum sys_kind bits that nobody had given up before */
    uint32_t number;   /* of all attempts; 0: it closes nothing */
};

/* Before the real call. */
struct sandbox_attempt sandbox_strict(void);
struct sandbox_attempt sandbox_filter(const struct sock_fprog *program);
struct sandbox_attempt sandbox_no_counter(void);
/* After it. One that has failed has closed nothing: what was given up is taken back, unless another
 * attempt has begun meanwhile, which may have closed the same. */
void sandbox_over(struct sandbox_attempt attempt, int has_failed);

#endif
