/*
 * quality.h - what a recording does not know, in words: every view says it, none is silent.
 */
#ifndef MPROF_QUALITY_H
#define MPROF_QUALITY_H

#include "summary.h"

/* What makes the figures of memory themselves uncertain: "12 events lost since 1.2 s (5 allocations
 * of 640 B, 7 frees), 3 unmatched frees"; NULL where there is nothing to say. A new string, free()
 * it. */
char *quality_of_figures(const struct quality *quality);

/* The same and truncated stacks: what makes the figures of functions uncertain. */
char *quality_of_functions(const struct quality *quality);

/* The same and what concerns names, and inherited blocks: all that is not 0. */
char *quality_of_all(const struct quality *quality);

/* What quality_of_all says beyond what was lost. */
char *quality_but_loss(const struct quality *quality);

/* What an amount of live memory at a moment is worth, to stand behind it: "" exact; " (at least)"
 * where only allocations were lost, or none before it; else " (about)", as lost frees make it too
 * high. For what was live at the end, UINT64_MAX. Counts of events and allocated bytes are exact
 * whatever was lost. */
const char *quality_bound(const struct quality *quality, uint64_t ns);

#endif
