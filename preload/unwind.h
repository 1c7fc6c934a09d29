/*
 * unwind.h - libunwind, for the frames no rule expresses. It is opened with dlopen(RTLD_LOCAL) by
 * the constructor and never a DT_NEEDED: it exports _Unwind_* and backtrace, and a host would bind
 * to them. Without it, and before the constructor, such stacks are marked truncated.
 */
#ifndef MPROF_UNWIND_H
#define MPROF_UNWIND_H

#include "arch_x86_64.h"

void unwind_open(void);

/* *r is a frame of the calling thread's stack: steps to its caller and returns 1, or returns 0. */
int unwind_step(struct registers *r);

#endif
