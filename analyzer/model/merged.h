/*
 * merged.h - several processes, also of several images, as one image with one process.
 *
 * Functions are the same where module, name, file and line are, as in each image; stacks where
 * their places are. Added up are totals, quality, a function's allocations and activations, and the
 * leaks and failed allocations of one stack. A function's own peak is that of the process where it
 * was highest; at_peak_bytes is 0, as nobody knows what functions held when all processes together
 * were highest. The heap's line and its peak, and those of mapped memory, of both and of the
 * resident set, are the sums of together.h; the kernel's high-water mark is that of the largest
 * process. The thread that calls exec counts once. mapped_then_bytes is what all of them had mapped
 * when their memory was highest; where one of them is of an older capture, memory is the heap.
 * reserved_peak_bytes and file_peak_bytes are the sums of each one's highest: what all had at once
 * is not known, as nobody keeps these lines. Times are in the common time.
 *
 * Owner: the caller owns the image returned (image_free). An image that was added may be freed
 * after merged_forget: until then it is recognised by its address. Single-threaded.
 */
#ifndef MPROF_MERGED_H
#define MPROF_MERGED_H

#include "summary.h"

struct merged;

struct merged *merged_new(void);

/* Adds a process of `image`. shift_ns: where 0 of the image's time lies in the common time. The
 * first process gives command line, pid, start and ending. runs_on: it has not ended. */
void merged_add(struct merged *m, const struct image *image, const struct process *process,
                uint64_t shift_ns, int runs_on);

void merged_forget(struct merged *m);

/* Returns the merged image and releases m. */
struct image *merged_finish(struct merged *m);

#endif
