/*
 * interpose_space.h - brk and shmat by their numbers, for interpose_map.c. They must be reached by
 * a jump from the function whose frame record `caller` is: the frame of a hook (hook.h).
 */
#ifndef MPROF_INTERPOSE_SPACE_H
#define MPROF_INTERPOSE_SPACE_H

#include "arch_x86_64.h"

long space_break_by_number(const struct arch_frame *caller, long to);
long space_attach_by_number(const struct arch_frame *caller, long id, long at, long flags);

#endif
