/*
 * supervise.h - watches the program from its start to its end: forwards signals, keeps the time
 * limit.
 *
 * TERM and HUP that reach mprof-c go on to the program. When the time is up, the program and all
 * its known descendants, recorded or not, are asked to end (TERM) and after a while made to (KILL).
 * Returns when the root process has ended; nothing of a recording depends on how. Takes no memory,
 * which may be out. Main thread.
 */
#ifndef MPROF_SUPERVISE_H
#define MPROF_SUPERVISE_H

#include "collecting.h"
#include "proc_stat.h"
#include <signal.h>
#include <stdint.h>

struct supervised {
    int status; /* as wait4 gives it */
    int timed_out;
    uint64_t wall_ns;
    uint64_t cpu_ns;        /* user and system, of the program and the children it waited for */
    uint64_t max_rss_bytes; /* the highest of any of them; it may be from before the exec */
};

/* watched: the set that launch_take_signals gave. timeout_s 0: no limit. begin_ns: CLOCK_MONOTONIC
 * of the start. collecting NULL: it is not known who is recorded. */
void supervise(struct supervised *result, struct proc_identity root, const sigset_t *watched,
               struct collecting *collecting, double timeout_s, uint64_t begin_ns);

uint64_t supervise_clock_ns(void);

#endif
