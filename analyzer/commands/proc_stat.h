/*
 * proc_stat.h - what /proc says about processes.
 *
 * A pid alone names nobody for long: a process is a pid and its start time (field 22 of
 * /proc/PID/stat, clock ticks since boot). Nothing here fails loudly: a process that cannot be read
 * counts as not there. No state, any thread.
 */
#ifndef MPROF_PROC_STAT_H
#define MPROF_PROC_STAT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct proc_stat {
    char state;
    pid_t parent;
    long threads;
    uint64_t start_time;
};

struct proc_identity {
    pid_t pid;
    uint64_t start_time;
};

/* 1 and *stat filled in, or 0: no such process. */
int proc_stat_read(pid_t pid, struct proc_stat *stat);

/* Is this very process still running? A zombie is not; start_time 0 means "not known". */
int proc_alive(struct proc_identity process);

/* Our pid of the process that calls itself `inner` in its own pid namespace; 0: there is none.
 * Looks at all processes. */
pid_t proc_find_inner(struct proc_identity inner);

/* What a child forked now begins with: resident bytes of this process that belong to no file. */
uint64_t proc_inherited_resident(void);

/* Descendants of `root` by their parents' pids, at most `max`; returns how many. */
size_t proc_descendants(pid_t root, struct proc_identity *found, size_t max);

#endif
