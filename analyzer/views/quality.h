/*
 * quality.h - what a recording does not know, in words: every view shows it. Any thread.
 */
#ifndef MPROF_QUALITY_H
#define MPROF_QUALITY_H

#include "summary.h"

/* What makes the figures of memory themselves uncertain: "12 events lost since 1.2 s (5 allocations
 * of 640 B, 7 frees), 3 unmatched frees"; NULL if nothing does. A new string, free() it. */
char *quality_of_figures(const struct quality *quality);

/* The same plus truncated stacks: what makes the figures of functions uncertain. */
char *quality_of_functions(const struct quality *quality);

/* The same plus what concerns names, and inherited blocks: all that is not 0. */
char *quality_of_all(const struct quality *quality);

/* What quality_of_all says beyond what was lost. */
char *quality_but_loss(const struct quality *quality);

/* Of a program, or of several, with mappings and without an event of the heap. */
#define QUALITY_ONLY_MAPPINGS                                                                      \
    "only mappings are recorded: malloc was never called, or is the program's own"

/* How good a figure of live memory at time `ns` is, to be appended to it: "" exact; " (at least)"
 * where no frees were lost, or nothing was lost before; else " (about)", as lost frees make it too
 * high. For what was live at the end, UINT64_MAX. Counts of events and allocated bytes are exact
 * whatever was lost. */
const char *quality_bound(const struct quality *quality, uint64_t ns);

/* The same for the peak of a process, or of the sum of several, at time `ns`: of one whose end
 * nobody saw the sum has nothing after its last event. */
const char *quality_peak_bound(const struct process *p, uint64_t ns);

/* The line below the heading of a table of functions or threads, which have nothing of what was
 * lost, with its end; "" where nothing was. Longest: QUALITY_NOTE. */
#define QUALITY_NOTE 128
const char *quality_table_note(const struct quality *quality, char text[QUALITY_NOTE]);

#endif
