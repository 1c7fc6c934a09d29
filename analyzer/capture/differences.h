/*
 * differences.h - what the recorder's self-check reports: stacks that libunwind sees differently
 * (SPOOL_LABEL_DIFFERENCE), as text in the image.
 */
#ifndef MPROF_DIFFERENCES_H
#define MPROF_DIFFERENCES_H

#include "locations.h"

/* Adds a label event of that number, at time `ns`, to the process's list while that has room. An
 * incomplete one is left out. */
void differences_take(struct process *process, struct locations *locations,
                      const struct spool_event *label, uint64_t ns);

#endif
