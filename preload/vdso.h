/*
 * vdso.h - the kernel's clocks without libc: a host may have put its own clock_gettime before
 * libc's (libfaketime), with times that jump, and with locks and allocations of its own.
 */
#ifndef MPROF_VDSO_H
#define MPROF_VDSO_H

#include <stdint.h>

void vdso_open(void); /* once, at the start; without a vDSO the clock is a system call */

/* CLOCK_BOOTTIME as in the first time namespace, whatever the offset of ours. Any thread. */
uint64_t vdso_boottime_ns(void);
int64_t vdso_boottime_offset_ns(void); /* of our namespace's */
void vdso_offset_read(void);           /* in a forked child, which may be in another one */

#endif
