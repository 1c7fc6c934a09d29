/*
 * differences.h - what the recorder's self-check tells of: stacks that libunwind sees otherwise
 * (SPOOL_LABEL_DIFFERENCE), as text in the image.
 */
#ifndef MPROF_DIFFERENCES_H
#define MPROF_DIFFERENCES_H

#include "locations.h"

/* A label event of that number, at `ns`: added to the process's list while that has room. What is
 * not whole is left out. */
void differences_take(struct process *process, struct locations *locations,
                      const struct spool_event *label, uint64_t ns);

#endif
