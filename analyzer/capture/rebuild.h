/*
 * rebuild.h - a process's summary made from its events, where a cut capture has lost the summary.
 *
 * Exact as far as the events go, with these limits: times are ticks; a leak's first and last time
 * are those of its stack's allocations since the stack last held none, as blocks are not followed
 * one by one, and its mapped memory is one piece; an unmap of several parts is several steps; of
 * mapped memory that several threads have by the same call, of the same length, it is not known
 * whose goes; how many calls map and unmap, what is reserved and which files are mapped, losses and
 * what was inherited but never freed are unknown, and 0.
 */
#ifndef MPROF_REBUILD_H
#define MPROF_REBUILD_H

#include "reader.h"

/* Fills all that follows from the events of process->serial; leaves identity and samples alone. */
void rebuild_process(struct reader *r, struct process *process);

#endif
