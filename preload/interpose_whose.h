/*
 * interpose_whose.h - is a call that changes mappings the program's, and may it be recorded?
 *
 * All these calls are system calls, so they can afford to ask. They may come from any thread, also
 * from one that the C library does not know; from a child that shares its parent's memory; from the
 * allocator behind us, whose blocks are recorded; and from our own work.
 */
#ifndef MPROF_INTERPOSE_WHOSE_H
#define MPROF_INTERPOSE_WHOSE_H

#include "arch_x86_64.h"

/* 1: the hook jumps on to the real call and records nothing. What should be recorded but cannot is
 * counted as lost. Touches nothing of the thread's before it knows that it may. */
int whose_is_left_alone(const struct arch_frame *caller);

#endif
