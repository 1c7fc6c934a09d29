/*
 * quality_sum.h - adds up what several processes' recordings do not know.
 *
 * Every view of a family and the closing lines of `run` add here, so that all of them show the same
 * figures.
 */
#ifndef MPROF_QUALITY_SUM_H
#define MPROF_QUALITY_SUM_H

#include "summary.h"

/* Adds every count of `from` to `to`. shift_ns: where time 0 of `from` lies in the time of `to`;
 * loss.since_ns becomes the earlier of both. */
void quality_add(struct quality *to, const struct quality *from, uint64_t shift_ns);

#endif
