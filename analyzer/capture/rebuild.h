/*
 * rebuild.h - the summary of a process out of its events, where a cut capture has lost the summary.
 *
 * Exact as far as the events go, with these limits: times are ticks; the blocks of one class cannot
 * be told apart, so a leak's first and last time are those of its stack's allocations since it last
 * held none; an unmap of several parts counts as several; losses and what was inherited but never
 * freed are unknown.
 */
#ifndef MPROF_REBUILD_H
#define MPROF_REBUILD_H

#include "reader.h"

/* Fills all that follows from the events of process->serial; its identity and samples are left. */
void rebuild_process(struct reader *r, struct process *process);

#endif
