/*
 * merged.h - several processes, also of several images, as one image with one process.
 *
 * Functions are the same where module, name and file are; stacks where their places are. What can
 * be added is: totals, quality, a function's allocations, leaks of one stack. A function's own peak
 * is that of the process where it was highest; at_peak_bytes is 0, as nobody knows what functions
 * held when all processes together were highest. The heap's line and its peak, and those of
 * mappings and the resident set, are the sums of together.h. Times are in the common time.
 *
 * Owner: the image returned (image_free). What was added may go after merged_forget: it is known by
 * its address until then.
 * Single-threaded.
 */
#ifndef MPROF_MERGED_H
#define MPROF_MERGED_H

#include "summary.h"

struct merged;

struct merged *merged_new(void);

/* A process of `image`; shift_ns: 0 of the image's time in the common time. The first one gives
 * command line, pid, start and ending. runs_on: it has not ended. */
void merged_add(struct merged *m, const struct image *image, const struct process *process,
                uint64_t shift_ns, int runs_on);

void merged_forget(struct merged *m);

/* Ends it; m is gone. */
struct image *merged_finish(struct merged *m);

#endif
