/*
 * high_water.h - notes the kernel's high-water mark of this process's resident set (VmHWM) on the
 * spool's control page. No sample can be that exact: memory may come and go between two of them.
 *
 * Called at an exit and before an exec. Costs some 20 us in a dozen system calls; does
 * nothing where a seccomp filter forbids files. Any thread.
 */
#ifndef MPROF_HIGH_WATER_H
#define MPROF_HIGH_WATER_H

void high_water_note(void);

#endif
