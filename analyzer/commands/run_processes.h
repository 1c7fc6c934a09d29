/*
 * run_processes.h - whose figures run's closing lines may show: the images of the program itself,
 * and how many processes there were beside it.
 *
 * Of what was gathered, which outlives the answers. Owns nothing, single-threaded.
 */
#ifndef MPROF_RUN_PROCESSES_H
#define MPROF_RUN_PROCESSES_H

#include "gather.h"

struct roots {
    const struct gathered *first, *last; /* images of the root process, by time; NULL: none */
    const struct gathered *biggest;      /* of these, by memory; of equals the first met */
};

/* g: NULL where nothing was gathered. */
struct roots run_roots(const struct gather *g);

/* The most memory that the image held; 0 where that is not known. */
uint64_t run_held_by(const struct gathered *one);

/* Is the process that exec'd in `before`, as what it has become, in a recording? */
int run_has_recording(const struct gather *g, const struct gathered *before,
                      struct proc_identity process);

/* One that exec'd counts once, if what it became was recorded. */
size_t run_count_processes(const struct gather *g);

#endif
