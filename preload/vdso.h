/*
 * vdso.h - the kernel's clocks without libc: a host may have put its own clock_gettime in front of
 * libc's (libfaketime), with times that jump, and with locks and allocations of its own.
 */
#ifndef MPROF_VDSO_H
#define MPROF_VDSO_H

#include <stdint.h>

void vdso_open(void); /* once, at the start; without it, or without a vDSO, a system call is made */
uint64_t vdso_clock_ns(int clock); /* any thread; 0 where the clock cannot be read */

#endif
