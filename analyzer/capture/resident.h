/*
 * resident.h - a process's resident set as the kernel shows it in /proc/PID/status. No state, any
 * thread.
 */
#ifndef MPROF_RESIDENT_H
#define MPROF_RESIDENT_H

#include <stdint.h>

struct resident {
    uint64_t bytes; /* now; 0 of a zombie, which has given its memory back */
    uint64_t mark;  /* the highest that the process, as this image, ever had (VmHWM) */
};

/* Opens /proc/PID/status; -1 where the process is gone or hidden. The file belongs to the process,
 * not to the pid: a later process of the same pid is never read through it. */
int resident_open(int32_t pid);

/* Reads it once more: 1, or 0 where the process is gone. */
int resident_read(int status_fd, struct resident *r);

#endif
