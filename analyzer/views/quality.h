/*
 * quality.h - what a recording does not know, in words: every view says it, none is silent.
 */
#ifndef MPROF_QUALITY_H
#define MPROF_QUALITY_H

#include "summary.h"

/* What makes the figures of memory themselves uncertain: "12 events lost, 3 unmatched frees"; NULL
 * where there is nothing to say. A new string, free() it. */
char *quality_of_figures(const struct quality *quality);

/* The same and what concerns names and stacks, and inherited blocks: all that is not 0. */
char *quality_of_all(const struct quality *quality);

#endif
